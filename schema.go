package connect

import (
	"maps"
	"slices"
	"strings"
)

// Type is the type of a [Schema]. The zero Type is no type.
type Type int8

// The types of the Connect data model, with the Go type of their values.
const (
	TypeInt8    Type = iota + 1 // int8
	TypeInt16                   // int16
	TypeInt32                   // int32; [time.Time] for the logical types Date and Time
	TypeInt64                   // int64; [time.Time] for the logical type Timestamp
	TypeFloat32                 // float32
	TypeFloat64                 // float64
	TypeBoolean                 // bool
	TypeString                  // string
	TypeBytes                   // []byte; [Decimal] for the logical type Decimal
	TypeArray                   // []any
	TypeMap                     // *[Map]
	TypeStruct                  // *[Struct]
)

var typeNames = [...]string{"", "INT8", "INT16", "INT32", "INT64", "FLOAT32", "FLOAT64", "BOOLEAN", "STRING", "BYTES", "ARRAY", "MAP", "STRUCT"}

// String returns the name in upper case, as Connect's messages print it.
func (t Type) String() string {
	if t < 0 || int(t) >= len(typeNames) || t == 0 {
		return "UNKNOWN"
	}
	return typeNames[t]
}

// Name returns the name in lower case, as JSON schemas and configurations spell it.
func (t Type) Name() string { return strings.ToLower(t.String()) }

// IsPrimitive reports whether values of the type have no parts.
func (t Type) IsPrimitive() bool { return t >= TypeInt8 && t <= TypeBytes }

// ParseType returns the type with that name in any case.
func ParseType(name string) (Type, bool) {
	for t := TypeInt8; t <= TypeStruct; t++ {
		if strings.EqualFold(typeNames[t], name) {
			return t, true
		}
	}
	return 0, false
}

// Schema describes a value. A Schema is immutable and safe for concurrent use; make one with a [SchemaBuilder] or take
// one of the predefined ones, once, and reuse it: comparing a schema with itself is a pointer comparison, and the
// runtime compiles a schema's plan once for each pointer.
//
// A nil *Schema stands for "no schema": the value speaks for itself. All methods may be called on nil only where they
// say so.
type Schema struct {
	typ        Type
	optional   bool
	hasVersion bool
	version    int32
	name       string
	hasName    bool
	doc        string
	hasDoc     bool
	parameters []Parameter
	def        any // the default value; nil is none
	fields     []Field
	byName     map[string]int // only for structs with many fields
	key, value *Schema
}

// Field is a named part of a struct schema.
type Field struct {
	Name   string
	Index  int
	Schema *Schema
}

// Parameter is an additional property of a schema.
type Parameter struct{ Key, Value string }

// The predefined schemas without name, version or default. They are shared: compare by pointer first.
var (
	Int8Schema    = &Schema{typ: TypeInt8}
	Int16Schema   = &Schema{typ: TypeInt16}
	Int32Schema   = &Schema{typ: TypeInt32}
	Int64Schema   = &Schema{typ: TypeInt64}
	Float32Schema = &Schema{typ: TypeFloat32}
	Float64Schema = &Schema{typ: TypeFloat64}
	BooleanSchema = &Schema{typ: TypeBoolean}
	StringSchema  = &Schema{typ: TypeString}
	BytesSchema   = &Schema{typ: TypeBytes}

	OptionalInt8Schema    = &Schema{typ: TypeInt8, optional: true}
	OptionalInt16Schema   = &Schema{typ: TypeInt16, optional: true}
	OptionalInt32Schema   = &Schema{typ: TypeInt32, optional: true}
	OptionalInt64Schema   = &Schema{typ: TypeInt64, optional: true}
	OptionalFloat32Schema = &Schema{typ: TypeFloat32, optional: true}
	OptionalFloat64Schema = &Schema{typ: TypeFloat64, optional: true}
	OptionalBooleanSchema = &Schema{typ: TypeBoolean, optional: true}
	OptionalStringSchema  = &Schema{typ: TypeString, optional: true}
	OptionalBytesSchema   = &Schema{typ: TypeBytes, optional: true}
)

// Type returns the type.
func (s *Schema) Type() Type { return s.typ }

// Optional reports whether nil is a valid value.
func (s *Schema) Optional() bool { return s.optional }

// Name returns the name, or "". A logical type is recognised by its schema's name.
func (s *Schema) Name() string { return s.name }

// HasName reports whether there is a name: Connect keeps an empty name apart from none.
func (s *Schema) HasName() bool { return s.hasName }

// Version returns the version and whether there is one.
func (s *Schema) Version() (version int32, ok bool) { return s.version, s.hasVersion }

// Doc returns the documentation, or "".
func (s *Schema) Doc() string { return s.doc }

// HasDoc reports whether there is documentation: Connect keeps an empty text apart from none.
func (s *Schema) HasDoc() bool { return s.hasDoc }

// Default returns the default value, or nil if there is none. It must not be modified.
func (s *Schema) Default() any { return s.def }

// Parameters returns a copy of the additional properties, in the order in which they were set.
func (s *Schema) Parameters() []Parameter { return slices.Clone(s.parameters) }

// Parameter returns the additional property of that name.
func (s *Schema) Parameter(key string) (value string, ok bool) {
	for i := range s.parameters {
		if s.parameters[i].Key == key {
			return s.parameters[i].Value, true
		}
	}
	return "", false
}

// Fields returns the fields of a struct schema, in order, and nil for any other schema. The slice is shared: it must
// not be modified.
func (s *Schema) Fields() []Field { return s.fields }

// smallStruct is the number of fields up to which a linear search by name is as fast as a map.
const smallStruct = 8

// Field returns the field of that name.
func (s *Schema) Field(name string) (Field, bool) {
	if s.byName != nil {
		i, ok := s.byName[name]
		if !ok {
			return Field{}, false
		}
		return s.fields[i], true
	}
	for i := range s.fields {
		if s.fields[i].Name == name {
			return s.fields[i], true
		}
	}
	return Field{}, false
}

// Key returns the schema of a map's keys; nil for any other schema.
func (s *Schema) Key() *Schema { return s.key }

// Value returns the schema of a map's values or an array's elements; nil for any other schema.
func (s *Schema) Value() *Schema { return s.value }

// Equal reports whether both schemas are the same in every respect: type, optional, name, version, documentation,
// parameters, default, and all that they contain. Two nil schemas are equal.
func (s *Schema) Equal(o *Schema) bool {
	if s == o {
		return true
	}
	if s == nil || o == nil {
		return false
	}
	return s.typ == o.typ && s.optional == o.optional &&
		s.hasVersion == o.hasVersion && s.version == o.version &&
		s.hasName == o.hasName && s.name == o.name &&
		s.hasDoc == o.hasDoc && s.doc == o.doc &&
		sameParameters(s.parameters, o.parameters) &&
		s.key.Equal(o.key) && s.value.Equal(o.value) &&
		slices.EqualFunc(s.fields, o.fields, func(a, b Field) bool {
			return a.Name == b.Name && a.Schema.Equal(b.Schema)
		}) &&
		EqualValues(s.def, o.def)
}

// sameParameters compares as maps: order does not count.
func sameParameters(a, b []Parameter) bool {
	if len(a) != len(b) {
		return false
	}
	m := make(map[string]string, len(a))
	for _, p := range a {
		m[p.Key] = p.Value
	}
	for _, p := range b {
		if v, ok := m[p.Key]; !ok || v != p.Value {
			return false
		}
	}
	return true
}

// String returns the type, and the name if there is one, as Connect's messages print a schema: Schema{com.acme.Order:STRUCT}.
func (s *Schema) String() string {
	if s == nil {
		return "null"
	}
	if s.hasName {
		return "Schema{" + s.name + ":" + s.typ.String() + "}"
	}
	return "Schema{" + s.typ.String() + "}"
}

// SchemaBuilder makes a [Schema]. Its methods return the builder, so that calls can be chained; the first mistake is
// kept and returned by Build. An attribute can be set once.
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

func (b *SchemaBuilder) fail(message string) {
	if b.err == nil {
		b.err = &SchemaBuilderError{DataError{Message: message}}
	}
}

func (b *SchemaBuilder) once(what string, set bool) {
	if set {
		b.fail("Invalid SchemaBuilder call: " + what + " has already been set.")
	}
}

// Optional makes nil a valid value.
func (b *SchemaBuilder) Optional() *SchemaBuilder {
	b.once("optional", b.optionalSet)
	b.s.optional, b.optionalSet = true, true
	return b
}

// Required makes nil invalid, which it is unless Optional was called.
func (b *SchemaBuilder) Required() *SchemaBuilder {
	b.once("optional", b.optionalSet)
	b.s.optional, b.optionalSet = false, true
	return b
}

// Name sets the name.
func (b *SchemaBuilder) Name(name string) *SchemaBuilder {
	b.once("name", b.s.hasName)
	b.s.name, b.s.hasName = name, true
	return b
}

// Version sets the version.
func (b *SchemaBuilder) Version(version int32) *SchemaBuilder {
	b.once("version", b.s.hasVersion)
	b.s.version, b.s.hasVersion = version, true
	return b
}

// Doc sets the documentation.
func (b *SchemaBuilder) Doc(doc string) *SchemaBuilder {
	b.once("doc", b.s.hasDoc)
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

// Default sets the default value, which must be valid for what was built so far.
func (b *SchemaBuilder) Default(value any) *SchemaBuilder {
	b.once("default", b.s.def != nil)
	if err := b.s.Validate(value); err != nil {
		if b.err == nil {
			b.err = &SchemaBuilderError{DataError{Message: "Invalid default value", Err: err}}
		}
		return b
	}
	b.s.def = value
	return b
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
