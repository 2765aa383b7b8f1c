package smt

import (
	"context"
	"slices"

	"github.com/gokconnect/connect"
)

const masking = "mask fields"

// maskField puts the empty value of their type, or a configured one, in the place of fields of the key or value.
type maskField struct {
	made
	part   part
	fields []string
	keys   []any // the fields
	mask   mask
	nulls  nulls
	plans  plans[[]int] // the numbers of the fields
}

func newMaskField(p part, fields []string, m mask, n nulls) *maskField {
	t := &maskField{part: p, fields: fields, keys: boxed(hashOrder(fields)), mask: m, nulls: n}
	t.plans.compile = t.compile
	return t
}

func (t *maskField) compile(s *connect.Schema) []int {
	var masked []int
	for _, f := range s.Fields() {
		if slices.Contains(t.fields, f.Name) {
			masked = append(masked, f.Index)
		}
	}
	return masked
}

func (t *maskField) Apply(_ context.Context, r *connect.Record) (*connect.Record, error) {
	schema, value := t.part.of(r)
	if schema == nil {
		m, err := requireMap(value, masking)
		if err != nil {
			return nil, err
		}
		out := copyMap(m, len(t.fields))
		for _, key := range t.keys {
			v, _ := m.Get(key)
			if v, err = t.masked(v); err != nil {
				return nil, err
			}
			out.Set(key, v)
		}
		return t.part.set(r, nil, out), nil
	}
	s, err := requireStruct(value, masking)
	if err != nil {
		return nil, err
	}
	masked := t.plans.of(s.Schema())
	out, values := s, s.Values()
	if !t.mine(t.part, s) {
		out, values = connect.StructFor(s.Schema())
	}
	for i := range values {
		v := t.nulls.at(s, i)
		if len(masked) > 0 && masked[0] == i {
			if v, err = t.masked(v); err != nil {
				return nil, err
			}
			masked = masked[1:]
		}
		if v == nil {
			if err := checkNull(s.Schema(), i); err != nil {
				return nil, err
			}
		}
		values[i] = v
	}
	t.add(t.part, out)
	return t.part.set(r, schema, out), nil
}

func (t *maskField) masked(v any) (any, error) {
	if isNil(v) {
		return nil, nil
	}
	return t.mask.of(v)
}

func maskFieldKind() kind {
	return kind{
		name: "MaskField", parts: bothParts,
		def: connect.MustConfigDef(
			connect.ConfigKey{
				Name: "fields", Type: connect.ConfigList, Default: connect.Required, Importance: connect.High,
				Validator:     connect.AnyNonDuplicate(false, false),
				Documentation: "Names of fields to mask.",
			},
			connect.ConfigKey{
				Name: "replacement", Type: connect.ConfigString, Importance: connect.Low, Validator: connect.NonEmptyString(),
				Documentation: "Custom value replacement, that will be applied to all 'fields' values (numeric or non-empty string values only).",
			},
			replaceNullKey,
		),
		make: func(p part, c *connect.ParsedConfig) (connect.Transformation, error) {
			var m mask = newEmptyMask()
			if c.Has("replacement") {
				m = newTextMask(c.String("replacement"))
			}
			return newMaskField(p, c.List("fields"), m, nullsOf(c)), nil
		},
	}
}
