package connect

import (
	"bytes"
	"fmt"
	"iter"
	"math"
	"reflect"
	"slices"
	"strings"
	"time"
)

// SchemaAndValue is a value with its schema, which may be nil. The zero value is the null without a schema.
type SchemaAndValue struct {
	Schema *Schema
	Value  any
}

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
	return &Struct{s, make([]any, len(s.fields))}, nil
}

// StructOf returns a Struct of a struct schema from its values in the order of the fields, which it keeps without
// checking: call [Struct.Validate] for values that come from outside. It panics if the number of values is wrong.
func StructOf(s *Schema, values ...any) *Struct {
	if len(values) != len(s.fields) {
		panic(fmt.Sprintf("connect.StructOf: %d values for %d fields of %v", len(values), len(s.fields), s))
	}
	return &Struct{s, values}
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
	if err := f.Schema.validate(fieldPath(f.Name), value); err != nil {
		return err
	}
	s.values[f.Index] = value
	return nil
}

// With is [Struct.Put] for chains of values that are known to be right, such as those of a test; it panics otherwise.
func (s *Struct) With(field string, value any) *Struct {
	if err := s.Put(field, value); err != nil {
		panic(err)
	}
	return s
}

// Get returns a field's value, or its schema's default in place of nil. It fails with a *[DataError] if there is no
// such field.
func (s *Struct) Get(field string) (any, error) {
	f, ok := s.schema.Field(field)
	if !ok {
		return nil, DataErrorf("%s is not a valid field name", field)
	}
	return s.At(f.Index), nil
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
		if err := f.Schema.validate(fieldPath(f.Name), v); err != nil {
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

// Map is a value of a map schema, or a map without schema: keys of any Connect type, in the order in which they were
// added. It is not safe for concurrent use while it is changed; a Map that is part of a record must not be changed any
// more (see [Transformation]). The zero Map is empty and ready for use.
//
// A connector may use a map[string]any in its place, which is read in the order of its sorted keys; [AsMap] turns
// either into a *Map.
type Map struct {
	entries []Entry
	index   map[any]int // nil up to smallMap entries, or while there are keys that can't be a Go map's
}

// Entry is one entry of a [Map].
type Entry struct{ Key, Value any }

const smallMap = 8

// NewMapValue returns an empty Map with room for n entries.
func NewMapValue(n int) *Map { return &Map{entries: make([]Entry, 0, n)} }

// MapOf returns a Map with these entries. Of entries with equal keys the last one's value counts.
func MapOf(entries ...Entry) *Map {
	m := NewMapValue(len(entries))
	for _, e := range entries {
		m.Set(e.Key, e.Value)
	}
	return m
}

// Len returns the number of entries; 0 for nil.
func (m *Map) Len() int {
	if m == nil {
		return 0
	}
	return len(m.entries)
}

// All iterates over the entries in order.
func (m *Map) All() iter.Seq2[any, any] {
	return func(yield func(any, any) bool) {
		if m == nil {
			return
		}
		for i := range m.entries {
			if !yield(m.entries[i].Key, m.entries[i].Value) {
				return
			}
		}
	}
}

// Entries returns the entries in order. The slice is the Map's own: it must not be modified.
func (m *Map) Entries() []Entry {
	if m == nil {
		return nil
	}
	return m.entries
}

// Get returns the value of a key.
func (m *Map) Get(key any) (value any, ok bool) {
	if i := m.find(key); i >= 0 {
		return m.entries[i].Value, true
	}
	return nil, false
}

// Set sets the value of a key: in its place if the key is there, else at the end.
func (m *Map) Set(key, value any) {
	if i := m.find(key); i >= 0 {
		m.entries[i].Value = value
		return
	}
	m.entries = append(m.entries, Entry{key, value})
	switch {
	case m.index != nil && hashable(key):
		m.index[key] = len(m.entries) - 1
	case m.index != nil:
		m.index = nil
	case len(m.entries) == smallMap+1:
		m.reindex()
	}
}

// Delete removes a key, and reports whether it was there.
func (m *Map) Delete(key any) bool {
	i := m.find(key)
	if i < 0 {
		return false
	}
	m.entries = slices.Delete(m.entries, i, i+1)
	m.reindex()
	return true
}

// Clone returns a copy with the same values.
func (m *Map) Clone() *Map {
	if m == nil {
		return nil
	}
	c := &Map{entries: slices.Clone(m.entries)}
	c.reindex()
	return c
}

// Equal reports whether both have the same keys with equal values, in any order.
func (m *Map) Equal(o *Map) bool {
	if m == nil || o == nil {
		return m == o
	}
	if len(m.entries) != len(o.entries) {
		return false
	}
	for i := range m.entries {
		v, ok := o.Get(m.entries[i].Key)
		if !ok || !EqualValues(m.entries[i].Value, v) {
			return false
		}
	}
	return true
}

// String returns the entries as Java prints a map: {a=1, b=x}.
func (m *Map) String() string { return FormatValue(m) }

func (m *Map) reindex() {
	m.index = nil
	if len(m.entries) <= smallMap {
		return
	}
	index := make(map[any]int, 2*len(m.entries))
	for i := range m.entries {
		if !hashable(m.entries[i].Key) {
			return
		}
		index[m.entries[i].Key] = i
	}
	m.index = index
}

func (m *Map) find(key any) int {
	if m == nil {
		return -1
	}
	if m.index != nil {
		if !hashable(key) {
			return -1
		}
		if i, ok := m.index[key]; ok {
			return i
		}
		return -1
	}
	if k, ok := key.(string); ok {
		for i := range m.entries {
			if e, ok := m.entries[i].Key.(string); ok && e == k {
				return i
			}
		}
		return -1
	}
	for i := range m.entries {
		if EqualValues(m.entries[i].Key, key) {
			return i
		}
	}
	return -1
}

// hashable reports whether Go's comparison of the key agrees with [EqualValues].
func hashable(key any) bool {
	switch key := key.(type) {
	case string, bool, int8, int16, int32, int64, nil:
		return true
	case float64:
		return key == key && key != 0
	case float32:
		return key == key && key != 0
	}
	return false
}

// AsMap returns v as a *[Map] if it is one, or a map[string]any, map[any]any or map[string]string, whose entries are
// then in the order of their keys' text.
func AsMap(v any) (*Map, bool) {
	switch v := v.(type) {
	case *Map:
		return v, v != nil
	case map[string]any:
		return sortedMap(v), v != nil
	case map[string]string:
		return sortedMap(v), v != nil
	case map[any]any:
		return sortedMap(v), v != nil
	}
	return nil, false
}

func sortedMap[K comparable, V any](v map[K]V) *Map {
	m := NewMapValue(len(v))
	for k, e := range v {
		m.entries = append(m.entries, Entry{k, e})
	}
	slices.SortFunc(m.entries, func(a, b Entry) int { return strings.Compare(fmt.Sprint(a.Key), fmt.Sprint(b.Key)) })
	m.reindex()
	return m
}

// EqualValues reports whether two Connect values are equal: same type, same content. NaN equals NaN, and 0.0 does not
// equal -0.0, as in Java; a Go map equals a [Map] with the same entries.
func EqualValues(a, b any) bool {
	switch x := a.(type) {
	case nil:
		return b == nil
	case string:
		y, ok := b.(string)
		return ok && x == y
	case bool, int8, int16, int32, int64:
		return a == b
	case float64:
		y, ok := b.(float64)
		return ok && (math.Float64bits(x) == math.Float64bits(y) || x != x && y != y)
	case float32:
		y, ok := b.(float32)
		return ok && (math.Float32bits(x) == math.Float32bits(y) || x != x && y != y)
	case []byte:
		y, ok := b.([]byte)
		return ok && bytes.Equal(x, y)
	case []any:
		y, ok := b.([]any)
		return ok && slices.EqualFunc(x, y, EqualValues)
	case *Struct:
		y, ok := b.(*Struct)
		return ok && x.Equal(y)
	case time.Time:
		y, ok := b.(time.Time)
		return ok && x.Equal(y)
	case Decimal:
		y, ok := b.(Decimal)
		return ok && x.Equal(y)
	}
	if x, ok := AsMap(a); ok {
		y, ok := AsMap(b)
		return ok && x.Equal(y)
	}
	return reflect.DeepEqual(a, b)
}

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
