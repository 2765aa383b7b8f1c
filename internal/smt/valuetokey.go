package smt

import (
	"context"

	"github.com/gokconnect/connect"
)

const keyCopy = "copying fields from value to key"

// valueToKey makes a key of fields of the value.
type valueToKey struct {
	fields []string
	keys   []any // the fields
	nulls  nulls
	plans  plans[keyPlan]
}

type keyPlan struct {
	out  *connect.Schema
	from []int // the number of the value's field for each field of out
	err  error
}

func newValueToKey(fields []string, n nulls) *valueToKey {
	t := &valueToKey{fields: fields, keys: boxed(fields), nulls: n}
	t.plans.compile = t.compile
	return t
}

func (t *valueToKey) compile(s *connect.Schema) (p keyPlan) {
	b := connect.NewSchema(connect.TypeStruct)
	for _, name := range t.fields {
		f, ok := s.Field(name)
		if !ok {
			p.err = connect.DataErrorf("Field does not exist: %s", name)
			return p
		}
		b.Field(name, f.Schema)
		p.from = append(p.from, f.Index)
	}
	p.out, p.err = b.Build()
	return p
}

func (t *valueToKey) Apply(_ context.Context, r *connect.Record) (*connect.Record, error) {
	if r.ValueSchema == nil {
		m, err := requireMap(r.Value, keyCopy)
		if err != nil {
			return nil, err
		}
		key := connect.NewMapValue(len(t.fields))
		for _, name := range t.keys {
			v, _ := m.Get(name)
			key.Set(name, v)
		}
		return keyPart.set(r, nil, key), nil
	}
	s, err := requireStruct(r.Value, keyCopy)
	if err != nil {
		return nil, err
	}
	p := t.plans.of(s.Schema())
	if p.err != nil {
		return nil, p.err
	}
	out, values := connect.StructFor(p.out)
	for i, from := range p.from {
		if values[i] = t.nulls.at(s, from); values[i] == nil {
			if err := checkNull(p.out, i); err != nil {
				return nil, err
			}
		}
	}
	return keyPart.set(r, p.out, out), nil
}

func valueToKeyKind() kind {
	return kind{
		name: "ValueToKey",
		def: connect.MustConfigDef(
			connect.ConfigKey{
				Name: "fields", Type: connect.ConfigList, Default: connect.Required, Importance: connect.High,
				Validator:     connect.AnyNonDuplicate(false, false),
				Documentation: "Field names on the record value to extract as the record key.",
			},
			replaceNullKey,
		),
		make: func(_ part, c *connect.ParsedConfig) (connect.Transformation, error) {
			return newValueToKey(c.List("fields"), nullsOf(c)), nil
		},
	}
}
