package connect

import (
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
	logical    logicalType // by the name
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
		sameDefaults(s, o)
}

// sameDefaults compares the values of defaults that are structs of the schema itself, whose schemas are being compared.
func sameDefaults(s, o *Schema) bool {
	x, ok := s.def.(*Struct)
	y, ok2 := o.def.(*Struct)
	if ok && ok2 && x.schema == s && y.schema == o {
		return slices.EqualFunc(x.values, y.values, EqualValues)
	}
	return EqualValues(s.def, o.def)
}

// sameParameters compares as maps: order does not count.
func sameParameters(a, b []Parameter) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] && !slices.Contains(b, a[i]) {
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
