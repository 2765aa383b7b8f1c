package smt

import (
	"context"
	"slices"

	"github.com/gokconnect/connect"
)

// dropHeaders removes all headers that have one of the names.
type dropHeaders struct{ names []string }

func (t *dropHeaders) Apply(_ context.Context, r *connect.Record) (*connect.Record, error) {
	first := slices.IndexFunc(r.Headers, t.drops)
	if first < 0 {
		return r, nil
	}
	kept := make(connect.Headers, first, len(r.Headers)-1)
	copy(kept, r.Headers)
	for _, h := range r.Headers[first+1:] {
		if !t.drops(h) {
			kept = append(kept, h)
		}
	}
	r.Headers = kept
	return r, nil
}

func (t *dropHeaders) drops(h connect.Header) bool { return slices.Contains(t.names, h.Key) }

func dropHeadersKind() kind {
	return kind{
		name: "DropHeaders",
		def: connect.MustConfigDef(connect.ConfigKey{
			Name: "headers", Type: connect.ConfigList, Default: connect.Required, Importance: connect.High,
			Validator:     connect.AnyNonDuplicate(false, false),
			Documentation: "The name of the headers to be removed.",
		}),
		make: func(_ part, c *connect.ParsedConfig) (connect.Transformation, error) {
			return &dropHeaders{c.List("headers")}, nil
		},
	}
}
