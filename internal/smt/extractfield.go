package smt

import (
	"context"

	"github.com/gokconnect/connect"
)

const extraction = "field extraction"

// extractField makes one field of the key or value the whole key or value.
type extractField struct {
	part  part
	text  string
	path  FieldPath
	keys  []any // the path's steps
	nulls nulls
	plans plans[extractPlan]
}

type extractPlan struct {
	steps []int // the number of the field at each step
	out   *connect.Schema
	err   error
}

func newExtractField(p part, text string, path FieldPath, n nulls) *extractField {
	t := &extractField{part: p, text: text, path: path, keys: boxed(path), nulls: n}
	t.plans.compile = t.compile
	return t
}

func (t *extractField) compile(s *connect.Schema) (p extractPlan) {
	if len(t.path) == 0 {
		p.err = connect.DataErrorf("Unknown field: %s", t.text)
		return p
	}
	for _, name := range t.path {
		if s.Type() != connect.TypeStruct {
			p.err = connect.DataErrorf("Cannot look up fields on non-struct type")
			return p
		}
		f, ok := s.Field(name)
		if !ok {
			p.err = connect.DataErrorf("Unknown field: %s", t.text)
			return p
		}
		p.steps = append(p.steps, f.Index)
		s = f.Schema
	}
	p.out = s
	return p
}

func (t *extractField) Apply(_ context.Context, r *connect.Record) (*connect.Record, error) {
	schema, value := t.part.of(r)
	if schema == nil {
		v, err := t.fromMap(value)
		if err != nil {
			return nil, err
		}
		return t.part.set(r, nil, v), nil
	}
	var s *connect.Struct
	if !isNil(value) {
		var err error
		if s, err = requireStruct(value, extraction); err != nil {
			return nil, err
		}
	}
	p := t.plans.of(schema)
	if p.err != nil {
		return nil, p.err
	}
	if s == nil {
		return t.part.set(r, p.out, nil), nil
	}
	if schema != s.Schema() && !schema.Equal(s.Schema()) {
		v, err := t.byName(s)
		if err != nil {
			return nil, err
		}
		return t.part.set(r, p.out, v), nil
	}
	v, err := t.fromStruct(p, s)
	if err != nil {
		return nil, err
	}
	return t.part.set(r, p.out, v), nil
}

func (t *extractField) fromStruct(p extractPlan, s *connect.Struct) (any, error) {
	last := len(p.steps) - 1
	for _, i := range p.steps[:last] {
		v := s.At(i) // with the default in any case, as in Java
		if isNil(v) {
			return nil, nil
		}
		inner, err := requireStruct(v, nestedAccess)
		if err != nil {
			return nil, err
		}
		if want := s.Schema().Fields()[i].Schema; inner.Schema() != want && !want.Equal(inner.Schema()) {
			return nil, connect.DataErrorf("Struct schemas do not match.")
		}
		s = inner
	}
	return t.nulls.at(s, p.steps[last]), nil
}

const nestedAccess = "nested field access"

// byName is fromStruct for a struct whose schema is not the record's.
func (t *extractField) byName(s *connect.Struct) (any, error) {
	last := len(t.path) - 1
	for i, name := range t.path {
		f, ok := s.Schema().Field(name)
		if !ok {
			return nil, nil
		}
		if i == last {
			return t.nulls.at(s, f.Index), nil
		}
		v := s.At(f.Index)
		if isNil(v) {
			return nil, nil
		}
		inner, err := requireStruct(v, nestedAccess)
		if err != nil {
			return nil, err
		}
		s = inner
	}
	return nil, nil
}

func (t *extractField) fromMap(value any) (any, error) {
	if len(t.path) == 0 && !isNil(value) {
		if _, err := requireMap(value, extraction); err != nil {
			return nil, err
		}
		return nil, connect.DataErrorf("Unknown field: %s", t.text)
	}
	purpose := extraction
	for _, key := range t.keys {
		if isNil(value) {
			return nil, nil
		}
		m, err := requireMap(value, purpose)
		if err != nil {
			return nil, err
		}
		value, _ = m.Get(key)
		purpose = nestedAccess
	}
	return value, nil
}

func extractFieldKind() kind {
	return kind{
		name: "ExtractField", parts: bothParts,
		def: connect.MustConfigDef(
			connect.ConfigKey{
				Name: "field", Type: connect.ConfigString, Default: connect.Required, Importance: connect.Medium,
				Documentation: "Field name to extract.",
			},
			replaceNullKey,
			connect.ConfigKey{
				Name: "field.syntax.version", Type: connect.ConfigString, Default: "V1", Importance: connect.High,
				Validator: connect.CaseInsensitiveValidString("V1", "V2"),
				Documentation: "Defines the version of the syntax to access fields. If set to <code>V1</code>, then the field paths are " +
					"limited to access the elements at the root level of the struct or map. If set to <code>V2</code>, the syntax will " +
					"support accessing nested elements. To access nested elements, dotted notation is used. If dots are already included " +
					"in the field name, then backtick pairs can be used to wrap field names containing dots. E.g. to access the subfield " +
					"<code>baz</code> from a field named \"foo.bar\" in a struct/map the following format can be used to access its " +
					"elements: \"<code>foo.bar</code>.baz\".",
			},
		),
		make: func(p part, c *connect.ParsedConfig) (connect.Transformation, error) {
			text := c.String("field")
			path, err := ParseFieldPath(text, c.String("field.syntax.version"))
			if err != nil {
				return nil, err
			}
			return newExtractField(p, text, path, nullsOf(c)), nil
		},
	}
}
