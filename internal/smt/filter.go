package smt

import (
	"context"

	"github.com/gokconnect/connect"
)

// filter drops every record. It is meant to be used with a predicate.
type filter struct{}

func (filter) Apply(context.Context, *connect.Record) (*connect.Record, error) { return nil, nil }

func filterKind() kind {
	return kind{
		name: "Filter",
		def:  connect.MustConfigDef(),
		make: func(part, *connect.ParsedConfig) (connect.Transformation, error) { return filter{}, nil },
	}
}
