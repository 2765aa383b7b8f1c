package smt

import (
	"context"

	"github.com/gokconnect/connect"
)

// setSchemaMetadata sets the name and version of the key's or value's schema.
type setSchemaMetadata struct {
	part    part
	name    *string
	version *int32
	nulls   nulls
	plans   plans[metadataPlan]
}

type metadataPlan struct {
	out *connect.Schema
	err error
}

func newSetSchemaMetadata(p part, name *string, version *int32, n nulls) (*setSchemaMetadata, error) {
	if name == nil && version == nil {
		return nil, connect.ConfigErrorf("", "Neither schema name nor version configured")
	}
	t := &setSchemaMetadata{part: p, name: name, version: version, nulls: n}
	t.plans.compile = t.compile
	return t, nil
}

func (t *setSchemaMetadata) compile(s *connect.Schema) (p metadataPlan) {
	if p.err = requireFields(s); p.err != nil {
		return p
	}
	b := connect.NewSchema(connect.TypeStruct)
	switch {
	case t.name != nil:
		b.Name(*t.name)
	case s.HasName():
		b.Name(s.Name())
	}
	if v, ok := s.Version(); t.version != nil {
		b.Version(*t.version)
	} else if ok {
		b.Version(v)
	}
	if s.HasDoc() {
		b.Doc(s.Doc())
	}
	for _, param := range s.Parameters() {
		b.Parameter(param.Key, param.Value)
	}
	if s.Optional() {
		b.Optional()
	}
	for _, f := range s.Fields() {
		b.Field(f.Name, f.Schema)
	}
	p.out, p.err = b.Build()
	if def, ok := s.Default().(*connect.Struct); ok && p.err == nil {
		p.out, p.err = b.Default(connect.StructOf(p.out, def.Values()...)).Build()
	}
	return p
}

func (t *setSchemaMetadata) Apply(_ context.Context, r *connect.Record) (*connect.Record, error) {
	schema, value := t.part.of(r)
	if schema == nil {
		if isNil(value) {
			return r, nil
		}
		return nil, connect.DataErrorf("Schema required for [updating schema metadata]")
	}
	p := t.plans.of(schema)
	if p.err != nil {
		return nil, p.err
	}
	st, ok := value.(*connect.Struct)
	if !ok || st == nil {
		return t.part.set(r, p.out, value), nil
	}
	s, err := t.nulls.aligned(st, schema)
	if err != nil {
		return nil, err
	}
	out, values := connect.StructFor(p.out)
	if err := t.nulls.copyFields(values, s, p.out); err != nil {
		return nil, err
	}
	return t.part.set(r, p.out, out), nil
}

func setSchemaMetadataKind() kind {
	return kind{
		name: "SetSchemaMetadata", parts: bothParts,
		def: connect.MustConfigDef(
			connect.ConfigKey{Name: "schema.name", Type: connect.ConfigString, Importance: connect.High, Documentation: "Schema name to set."},
			connect.ConfigKey{Name: "schema.version", Type: connect.ConfigInt, Importance: connect.High, Documentation: "Schema version to set."},
			replaceNullKey,
		),
		make: func(p part, c *connect.ParsedConfig) (connect.Transformation, error) {
			var name *string
			var version *int32
			if c.Has("schema.name") {
				text := c.String("schema.name")
				name = &text
			}
			if c.Has("schema.version") {
				n := int32(c.Int("schema.version"))
				version = &n
			}
			return newSetSchemaMetadata(p, name, version, nullsOf(c))
		},
	}
}
