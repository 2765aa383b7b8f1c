package smt

import (
	"context"

	"github.com/gokconnect/connect"
)

// insertHeader adds a header with a fixed value.
type insertHeader struct{ header connect.Header }

func (t *insertHeader) Apply(_ context.Context, r *connect.Record) (*connect.Record, error) {
	headers := make(connect.Headers, len(r.Headers)+1)
	headers[copy(headers, r.Headers)] = t.header
	r.Headers = headers
	return r, nil
}
