package connect

import (
	"iter"
	"slices"
	"sort"
)

// Map is a value of a map schema, or a map without schema: keys of any Connect type, in the order in which they were
// added. It is not safe for concurrent use while it is changed; a Map that is part of a record must not be changed any
// more (see [Transformation]). The zero Map is empty and ready for use.
//
// A connector may use a map[string]any in its place, which is read in the order of its sorted keys; [AsMap] turns
// either into a *Map.
type Map struct {
	entries []Entry
	index   []uint32 // see mapindex.go; nil up to smallMap entries
}

// Entry is one entry of a [Map].
type Entry struct{ Key, Value any }

// smallMap is the number of entries up to which looking at each is as good as an index.
const smallMap = 16

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

// MapOfDistinct returns a Map with these entries, which it keeps. It is for decoders that made sure that all keys
// differ: it does not check.
func MapOfDistinct(entries []Entry) *Map {
	m := &Map{entries: entries}
	// Most records go by without a look at most of their entries, so an index does not pay as soon as elsewhere.
	if len(entries) > 4*smallMap {
		m.reindex()
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
	if m.index != nil {
		m.setIndexed(key, value)
		return
	}
	if i := m.find(key); i >= 0 {
		m.entries[i].Value = value
		return
	}
	m.entries = append(m.entries, Entry{key, value})
	if len(m.entries) > smallMap {
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
	return &Map{slices.Clone(m.entries), slices.Clone(m.index)}
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

func (m *Map) find(key any) int {
	if m == nil {
		return -1
	}
	if m.index != nil {
		return m.findIndexed(key)
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
	sort.Slice(m.entries, func(i, j int) bool { return FormatValue(m.entries[i].Key) < FormatValue(m.entries[j].Key) })
	m.reindex()
	return m
}
