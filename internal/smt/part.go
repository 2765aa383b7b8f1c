// Package smt holds the transformations of Kafka Connect 4.3.0 under their Java class names: [Plugins] describes them.
//
// A transformation resolves its fields against a schema once for each *connect.Schema and keeps the outcome (see
// plans), so that a record costs its output and little more. It replaces fields of the record that it is given, and
// copies what these refer to before changing it. A record that can't be transformed stays as it was.
package smt

import "github.com/gokconnect/connect"

// part says which half of a record a transformation works on.
type part bool

const (
	keyPart   part = false
	valuePart part = true
)

func (p part) of(r *connect.Record) (*connect.Schema, any) {
	if p == keyPart {
		return r.KeySchema, r.Key
	}
	return r.ValueSchema, r.Value
}

func (p part) set(r *connect.Record, s *connect.Schema, v any) *connect.Record {
	if p == keyPart {
		r.KeySchema, r.Key = s, v
	} else {
		r.ValueSchema, r.Value = s, v
	}
	return r
}

// suffix is what Java's name of a transformation ends in.
func (p part) suffix() string {
	if p == keyPart {
		return "$Key"
	}
	return "$Value"
}
