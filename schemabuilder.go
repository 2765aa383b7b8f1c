package connect

import (
	"maps"
	"slices"
)

// SchemaBuilder makes a [Schema]. Its methods return the builder, so that calls can be chained; the first mistake is
// kept and returned by Build. An attribute can be set once; setting it to the same again is no mistake.
//
//	schema, err := connect.NewStruct("com.acme.Order").
//		Field("id", connect.Int64Schema).
//		Field("note", connect.OptionalStringSchema).
//		Build()
type SchemaBuilder struct {
	s           Schema
	optionalSet bool
	err         error
}

// NewSchema returns a builder of a schema of that type. Use [NewArray], [NewMap] and [NewStruct] for types with parts.
func NewSchema(t Type) *SchemaBuilder { return &SchemaBuilder{s: Schema{typ: t}} }

// NewStruct returns a builder of a struct schema with that name; "" leaves it without one.
func NewStruct(name string) *SchemaBuilder {
	b := NewSchema(TypeStruct)
	if name != "" {
		b.Name(name)
	}
	return b
}

// NewArray returns a builder of an array of such elements.
func NewArray(element *Schema) *SchemaBuilder {
	b := NewSchema(TypeArray)
	if element == nil {
		b.fail("valueSchema cannot be null.")
	}
	b.s.value = element
	return b
}

// NewMap returns a builder of a map with such keys and values.
func NewMap(key, value *Schema) *SchemaBuilder {
	b := NewSchema(TypeMap)
	if key == nil {
		b.fail("keySchema cannot be null.")
	}
	if value == nil {
		b.fail("valueSchema cannot be null.")
	}
	b.s.key, b.s.value = key, value
	return b
}

// NewMapOfKeys returns a builder of a map with such keys and values of no known type, which Connect makes of the text
// of a map whose values have nothing in common.
func NewMapOfKeys(key *Schema) *SchemaBuilder {
	b := NewSchema(TypeMap)
	if key == nil {
		b.fail("keySchema cannot be null.")
	}
	b.s.key = key
	return b
}

func (b *SchemaBuilder) fail(message string) {
	if b.err == nil {
		b.err = &SchemaBuilderError{DataError{Message: message}}
	}
}

// once fails if an attribute is set to something else already.
func (b *SchemaBuilder) once(what string, otherwise bool) {
	if otherwise {
		b.fail("Invalid SchemaBuilder call: " + what + " has already been set.")
	}
}

// Optional makes nil a valid value.
func (b *SchemaBuilder) Optional() *SchemaBuilder {
	b.once("optional", b.optionalSet && !b.s.optional)
	b.s.optional, b.optionalSet = true, true
	return b
}

// Required makes nil invalid, which it is unless Optional was called.
func (b *SchemaBuilder) Required() *SchemaBuilder {
	b.once("optional", b.optionalSet && b.s.optional)
	b.s.optional, b.optionalSet = false, true
	return b
}

// Name sets the name.
func (b *SchemaBuilder) Name(name string) *SchemaBuilder {
	b.once("name", b.s.hasName && b.s.name != name)
	b.s.name, b.s.hasName, b.s.logical = name, true, logicalTypeOf(name)
	return b
}

// Version sets the version.
func (b *SchemaBuilder) Version(version int32) *SchemaBuilder {
	b.once("version", b.s.hasVersion && b.s.version != version)
	b.s.version, b.s.hasVersion = version, true
	return b
}

// Doc sets the documentation.
func (b *SchemaBuilder) Doc(doc string) *SchemaBuilder {
	b.once("doc", b.s.hasDoc && b.s.doc != doc)
	b.s.doc, b.s.hasDoc = doc, true
	return b
}

// Parameter sets an additional property; a second value for the same key replaces the first.
func (b *SchemaBuilder) Parameter(key, value string) *SchemaBuilder {
	for i := range b.s.parameters {
		if b.s.parameters[i].Key == key {
			b.s.parameters[i].Value = value
			return b
		}
	}
	b.s.parameters = append(b.s.parameters, Parameter{key, value})
	return b
}

// Default sets the default value, which must be valid for what was built so far: call it last. An int is taken for an
// integer schema if it fits. The default of a struct schema is a [Struct] of that schema as built so far, without the
// default.
func (b *SchemaBuilder) Default(value any) *SchemaBuilder {
	value = fitInt(b.s.typ, value)
	b.once("default", b.s.def != nil && !EqualValues(b.s.def, value))
	if err := b.validDefault(value); err != nil {
		if b.err == nil {
			b.err = &SchemaBuilderError{DataError{Message: "Invalid default value", Err: err}}
		}
		return b
	}
	b.s.def = value
	return b
}

func (b *SchemaBuilder) validDefault(value any) error {
	v, ok := value.(*Struct)
	if !ok || v == nil || b.s.typ != TypeStruct {
		return b.s.Validate(value)
	}
	plain := b.s
	plain.def = nil
	if !v.schema.Equal(&plain) {
		return DataErrorf("Struct schemas do not match.")
	}
	return v.Validate()
}

// Field adds a field to a struct schema.
func (b *SchemaBuilder) Field(name string, schema *Schema) *SchemaBuilder {
	switch {
	case b.s.typ != TypeStruct:
		b.fail("Cannot create fields on type " + b.s.typ.String())
	case name == "":
		b.fail("fieldName cannot be null.")
	case schema == nil:
		b.fail("fieldSchema for field " + name + " cannot be null.")
	default:
		if _, ok := b.s.Field(name); ok {
			b.fail("Cannot create field because of field name duplication " + name)
			return b
		}
		i := len(b.s.fields)
		b.s.fields = append(b.s.fields, Field{name, i, schema})
		if i == smallStruct {
			b.s.byName = make(map[string]int, 2*smallStruct)
			for _, f := range b.s.fields {
				b.s.byName[f.Name] = f.Index
			}
		} else if i > smallStruct {
			b.s.byName[name] = i
		}
	}
	return b
}

// Err returns the first mistake so far, a *[SchemaBuilderError], or nil.
func (b *SchemaBuilder) Err() error { return b.err }

// Build returns the schema, or the first mistake, a *[SchemaBuilderError]. The builder may be used on for another,
// larger schema.
func (b *SchemaBuilder) Build() (*Schema, error) {
	if b.s.typ == 0 {
		b.fail("type cannot be null")
	}
	if b.err != nil {
		return nil, b.err
	}
	s := b.s
	s.fields = slices.Clone(s.fields)
	s.parameters = slices.Clone(s.parameters)
	s.byName = maps.Clone(s.byName)
	if def, ok := s.def.(*Struct); ok && s.typ == TypeStruct {
		s.def = &Struct{&s, def.values}
	}
	return &s, nil
}

// MustBuild is [SchemaBuilder.Build] for schemas that are known to be right, such as package variables. It panics
// with the first mistake.
func (b *SchemaBuilder) MustBuild() *Schema {
	s, err := b.Build()
	if err != nil {
		panic(err)
	}
	return s
}
