package smt

import "github.com/gokconnect/connect"

// copyBasics gives a builder the name, version, documentation and parameters of a schema. Whether the schema is
// optional, and its default, are not among them.
func copyBasics(b *connect.SchemaBuilder, from *connect.Schema) *connect.SchemaBuilder {
	if from.HasName() {
		b.Name(from.Name())
	}
	if v, ok := from.Version(); ok {
		b.Version(v)
	}
	if from.HasDoc() {
		b.Doc(from.Doc())
	}
	for _, p := range from.Parameters() {
		b.Parameter(p.Key, p.Value)
	}
	return b
}

// copyStruct returns a builder of a struct schema with the basics of from, and no fields.
func copyStruct(from *connect.Schema) *connect.SchemaBuilder {
	return copyBasics(connect.NewSchema(connect.TypeStruct), from)
}

// requireFields fails unless the schema is one of a struct.
func requireFields(s *connect.Schema) error {
	if s.Type() != connect.TypeStruct {
		return connect.DataErrorf("Cannot list fields on non-struct type")
	}
	return nil
}
