package smt

import (
	"context"

	"github.com/gokconnect/connect"
)

// hoistField makes the key or value the only field of a new struct or map.
type hoistField struct {
	part  part
	field string
	plans plans[hoistPlan]
}

type hoistPlan struct {
	out *connect.Schema
	err error
}

func newHoistField(p part, field string) *hoistField {
	t := &hoistField{part: p, field: field}
	t.plans.compile = t.compile
	return t
}

func (t *hoistField) compile(s *connect.Schema) (p hoistPlan) {
	p.out, p.err = connect.NewSchema(connect.TypeStruct).Field(t.field, s).Build()
	return p
}

func (t *hoistField) Apply(_ context.Context, r *connect.Record) (*connect.Record, error) {
	schema, value := t.part.of(r)
	if schema == nil {
		return t.part.set(r, nil, connect.MapOf(connect.Entry{Key: t.field, Value: value})), nil
	}
	p := t.plans.of(schema)
	if p.err != nil {
		return nil, p.err
	}
	// The value may not fit its schema: nothing has checked that yet, as it has for the field of a struct.
	s, err := connect.NewStructValue(p.out)
	if err != nil {
		return nil, err
	}
	if err := s.Put(t.field, value); err != nil {
		return nil, err
	}
	return t.part.set(r, p.out, s), nil
}

func hoistFieldKind() kind {
	return kind{
		name: "HoistField", parts: bothParts,
		def: connect.MustConfigDef(connect.ConfigKey{
			Name: "field", Type: connect.ConfigString, Default: connect.Required, Importance: connect.Medium,
			Documentation: "Field name for the single field that will be created in the resulting Struct or Map.",
		}),
		make: func(p part, c *connect.ParsedConfig) (connect.Transformation, error) {
			return newHoistField(p, c.String("field")), nil
		},
	}
}
