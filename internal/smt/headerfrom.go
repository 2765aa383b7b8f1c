package smt

import (
	"context"
	"slices"

	"github.com/gokconnect/connect"
)

// headerFrom copies or moves fields of the key or value to headers.
type headerFrom struct {
	part            part
	fields, headers []string // pairs
	keys            []any    // the fields
	move            bool
	purpose         string
	nulls           nulls
	plans           plans[headerPlan]
}

type headerPlan struct {
	out   *connect.Schema // what is left behind a move
	kept  []int           // the numbers of its fields in the original
	moved []connect.Field // one for each header; without a schema if there is no such field
	err   error
}

func newHeaderFrom(p part, fields, headers []string, operation string, n nulls) (*headerFrom, error) {
	if len(fields) != len(headers) {
		return nil, connect.ConfigErrorf("", "'fields' config must have the same number of elements as 'headers' config.")
	}
	t := &headerFrom{part: p, fields: fields, headers: headers, keys: boxed(fields), move: operation == "move", purpose: "header " + operation, nulls: n}
	t.plans.compile = t.compile
	return t, nil
}

func (t *headerFrom) compile(s *connect.Schema) (p headerPlan) {
	p.out = s
	if t.move {
		b := copyStruct(s)
		for _, f := range s.Fields() {
			if !slices.Contains(t.fields, f.Name) {
				b.Field(f.Name, f.Schema)
				p.kept = append(p.kept, f.Index)
			}
		}
		if p.out, p.err = b.Build(); p.err != nil {
			return p
		}
	}
	for _, name := range t.fields {
		f, _ := s.Field(name)
		p.moved = append(p.moved, f)
	}
	return p
}

func (t *headerFrom) Apply(_ context.Context, r *connect.Record) (*connect.Record, error) {
	schema, value := t.part.of(r)
	if schema == nil {
		return t.applyMap(r, value)
	}
	st, err := requireStruct(value, t.purpose)
	if err != nil {
		return nil, err
	}
	if schema.Type() != connect.TypeStruct {
		if t.move {
			return nil, requireFields(schema)
		}
		return nil, connect.DataErrorf("Cannot look up fields on non-struct type")
	}
	s, err := t.nulls.aligned(st, schema)
	if err != nil {
		return nil, err
	}
	p := t.plans.of(schema)
	if p.err != nil {
		return nil, p.err
	}
	out := st
	if t.move {
		values := make([]any, len(p.kept))
		for i, from := range p.kept {
			if values[i] = t.nulls.at(s, from); values[i] == nil {
				if err := checkNull(p.out, i); err != nil {
					return nil, err
				}
			}
		}
		out = connect.StructOf(p.out, values...)
	}
	headers := t.grown(r.Headers)
	for i, f := range p.moved {
		if f.Schema == nil {
			return nil, connect.DataErrorf("Field does not exist: %s", t.fields[i])
		}
		v := t.nulls.at(s, f.Index)
		if v == nil && !f.Schema.Optional() {
			var refused connect.Headers
			if err := refused.Add(t.headers[i], f.Schema, v); err != nil {
				return nil, err
			}
		}
		headers = append(headers, connect.Header{Key: t.headers[i], Schema: f.Schema, Value: v})
	}
	r.Headers = headers
	return t.part.set(r, p.out, out), nil
}

func (t *headerFrom) applyMap(r *connect.Record, value any) (*connect.Record, error) {
	m, err := requireMap(value, t.purpose)
	if err != nil {
		return nil, err
	}
	headers := t.grown(r.Headers)
	for i, key := range t.keys {
		v, _ := m.Get(key)
		header := connect.Header{Key: t.headers[i], Value: v}
		if s, ok := v.(*connect.Struct); ok && s != nil {
			header.Schema = s.Schema() // as Connect's headers do
		}
		headers = append(headers, header)
	}
	out := m
	if t.move {
		out = connect.NewMapValue(m.Len())
		for _, e := range m.Entries() {
			if name, ok := e.Key.(string); !ok || !slices.Contains(t.fields, name) {
				out.Set(e.Key, e.Value)
			}
		}
	}
	r.Headers = headers
	return t.part.set(r, nil, out), nil
}

// grown returns a copy of the headers with room for the new ones.
func (t *headerFrom) grown(h connect.Headers) connect.Headers {
	return append(make(connect.Headers, 0, len(h)+len(t.fields)), h...)
}

func headerFromKind() kind {
	list := func(name, doc string) connect.ConfigKey {
		return connect.ConfigKey{
			Name: name, Type: connect.ConfigList, Default: connect.Required, Importance: connect.High, Documentation: doc,
			Validator: connect.ConfigCheck("non-empty list", func(key string, value any) error {
				if len(items(value)) == 0 {
					return connect.InvalidValue(key, value, "Empty list")
				}
				return nil
			}),
		}
	}
	return kind{
		name: "HeaderFrom", parts: bothParts,
		def: connect.MustConfigDef(
			list("fields", "Field names in the record whose values are to be copied or moved to headers."),
			list("headers", "Header names, in the same order as the field names listed in the fields configuration property."),
			connect.ConfigKey{
				Name: "operation", Type: connect.ConfigString, Default: connect.Required, Importance: connect.High,
				Validator: connect.ValidString("move", "copy"),
				Documentation: "Either <code>move</code> if the fields are to be moved to the headers (removed from the key/value), or " +
					"<code>copy</code> if the fields are to be copied to the headers (retained in the key/value).",
			},
			replaceNullKey,
		),
		make: func(p part, c *connect.ParsedConfig) (connect.Transformation, error) {
			return newHeaderFrom(p, c.List("fields"), c.List("headers"), c.String("operation"), nullsOf(c))
		},
	}
}
