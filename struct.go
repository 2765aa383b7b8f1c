package connect

import (
	"fmt"
	"slices"
	"time"
)

// Struct is a value of a struct schema: one value for each field. It is not safe for concurrent use while it is
// changed; a Struct that is part of a record must not be changed any more (see [Transformation]).
type Struct struct {
	schema *Schema
	values []any // by the fields' index
}

// NewStructValue returns an empty Struct of a struct schema, or a *[DataError] for any other schema.
func NewStructValue(s *Schema) (*Struct, error) {
	if s == nil || s.typ != TypeStruct {
		return nil, DataErrorf("Not a struct schema: %v", s)
	}
	return newStruct(s), nil
}

// StructOf returns a Struct of a struct schema from its values in the order of the fields, which it keeps without
// checking: call [Struct.Validate] for values that come from outside. It panics if the number of values is wrong.
func StructOf(s *Schema, values ...any) *Struct {
	if len(values) != len(s.fields) {
		wrongNumber(s, values)
	}
	return &Struct{s, values}
}

// wrongNumber is apart so that the compiler can inline StructOf.
//
//go:noinline
func wrongNumber(s *Schema, values []any) {
	panic(fmt.Sprintf("connect.StructOf: %d values for %d fields of %v", len(values), len(s.fields), s))
}

// Schema returns the schema.
func (s *Struct) Schema() *Schema { return s.schema }

// Put sets a field. It fails with a *[DataError] if there is no such field or the value does not match its schema. An
// untyped constant is an int in Go: Put takes an int for an integer field if it fits.
func (s *Struct) Put(field string, value any) error {
	f, ok := s.schema.Field(field)
	if !ok {
		return DataErrorf("%s is not a valid field name", field)
	}
	value = fitInt(f.Schema.typ, value)
	if err := f.Schema.ValidateField(f.Name, value); err != nil {
		return err
	}
	if isNil(value) {
		value = nil
	}
	s.values[f.Index] = value
	return nil
}

// With returns a copy with another value in a field, for a [Transformation], which must not change what it was given. It
// panics where Put fails: use Clone and Put for a value that may not be right.
func (s *Struct) With(field string, value any) *Struct {
	c := s.Clone()
	if err := c.Put(field, value); err != nil {
		panic(err)
	}
	return c
}

// Clone returns a copy with the same values.
func (s *Struct) Clone() *Struct { return &Struct{s.schema, slices.Clone(s.values)} }

// Get returns a field's value, or its schema's default in place of nil. It fails with a *[DataError] if there is no
// such field.
func (s *Struct) Get(field string) (any, error) {
	f, ok := s.schema.Field(field)
	if !ok {
		return nil, DataErrorf("%s is not a valid field name", field)
	}
	return s.At(f.Index), nil
}

// FieldAs returns a field's value, or its schema's default in place of nil, as a T; nil is T's zero value. T is the Go
// type of the field's schema type (see [Type]), or Decimal or time.Time for a field of a logical type. It fails with a
// *[DataError] if there is no such field or it is of another type.
//
//	id, err := connect.FieldAs[int64](order, "id")
func FieldAs[T int8 | int16 | int32 | int64 | float32 | float64 | bool | string | []byte | []any | *Map | *Struct | Decimal | time.Time](s *Struct, field string) (T, error) {
	var zero T
	f, ok := s.schema.Field(field)
	if !ok {
		return zero, DataErrorf("%s is not a valid field name", field)
	}
	v := s.At(f.Index)
	switch t, ok := TypeOf(any(zero)); {
	case ok && t != f.Schema.typ:
		return zero, DataErrorf("Field '%s' is not of type %v", field, t)
	case v == nil:
		return zero, nil
	}
	if t, ok := v.(T); ok {
		return t, nil
	}
	if m, ok := AsMap(v); ok {
		if t, ok := any(m).(T); ok {
			return t, nil
		}
	}
	return zero, DataErrorf("Field '%s' holds a value of the class %s", field, JavaClass(v))
}

// Value returns a field's value, or its schema's default in place of nil; nil if there is no such field.
func (s *Struct) Value(field string) any {
	f, ok := s.schema.Field(field)
	if !ok {
		return nil
	}
	return s.At(f.Index)
}

// At returns the value of the field at that index, or its schema's default in place of nil.
func (s *Struct) At(index int) any {
	if v := s.values[index]; v != nil {
		return v
	}
	return s.schema.fields[index].Schema.def
}

// RawAt returns the value of the field at that index, without a default.
func (s *Struct) RawAt(index int) any { return s.values[index] }

// Values returns the values in the order of the fields, without defaults. The slice is the Struct's own: it must not
// be modified.
func (s *Struct) Values() []any { return s.values }

// Validate checks all fields against their schemas; nil is valid where there is a default. Its error is a *[DataError].
func (s *Struct) Validate() error {
	for i := range s.schema.fields {
		f := &s.schema.fields[i]
		v := s.values[i]
		if v == nil && (f.Schema.optional || f.Schema.def != nil) {
			continue
		}
		if err := f.Schema.ValidateField(f.Name, v); err != nil {
			return err
		}
	}
	return nil
}

// Equal reports whether both have equal schemas and values.
func (s *Struct) Equal(o *Struct) bool {
	if s == o {
		return true
	}
	return s != nil && o != nil && s.schema.Equal(o.schema) && slices.EqualFunc(s.values, o.values, EqualValues)
}

// String returns the fields that are not nil, as Connect prints them: Struct{id=1,name=x}.
func (s *Struct) String() string { return FormatValue(s) }

// fitInt turns an int into the Go type of an integer schema if it fits.
func fitInt(t Type, v any) any {
	n, ok := v.(int)
	if !ok {
		return v
	}
	switch {
	case t == TypeInt8 && n == int(int8(n)):
		return int8(n)
	case t == TypeInt16 && n == int(int16(n)):
		return int16(n)
	case t == TypeInt32 && n == int(int32(n)):
		return int32(n)
	case t == TypeInt64:
		return int64(n)
	}
	return v
}
