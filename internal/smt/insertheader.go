package smt

import (
	"context"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/values"
)

// insertHeader adds a header with a fixed value.
type insertHeader struct{ header connect.Header }

func (t *insertHeader) Apply(_ context.Context, r *connect.Record) (*connect.Record, error) {
	headers := make(connect.Headers, len(r.Headers)+1)
	headers[copy(headers, r.Headers)] = t.header
	r.Headers = headers
	return r, nil
}

func insertHeaderKind() kind {
	key := func(name, doc string) connect.ConfigKey {
		return connect.ConfigKey{
			Name: name, Type: connect.ConfigString, Default: connect.Required, Importance: connect.High, Documentation: doc,
			Validator: connect.NonNull(),
		}
	}
	return kind{
		name: "InsertHeader",
		def: connect.MustConfigDef(
			key("header", "The name of the header."),
			key("value.literal", "The literal value that is to be set as the header value on all records."),
		),
		make: func(_ part, c *connect.ParsedConfig) (connect.Transformation, error) {
			v, err := values.Parse(c.String("value.literal"))
			if err != nil {
				return nil, err
			}
			return &insertHeader{connect.Header{Key: c.String("header"), Schema: v.Schema, Value: v.Value}}, nil
		},
	}
}
