package connect

import (
	"hash/maphash"
	"math"
)

// The index of a large Map is a hash table with open addressing. Its length is a power of two and at least twice the
// number of entries; a slot holds the number of an entry plus one, or 0. It is one allocation, and copied as it is.

// mapSeed differs from process to process, so that nobody can send maps whose keys all collide.
var mapSeed = maphash.MakeSeed()

// hashKey returns a hash that equal keys share, by [EqualValues]; ok is false for keys of types that are rarely keys.
func hashKey(key any) (hash uint64, ok bool) {
	switch k := key.(type) {
	case string:
		return maphash.String(mapSeed, k), true
	case nil:
		return 0, true
	case bool:
		return maphash.Comparable(mapSeed, k), true
	case int8:
		return maphash.Comparable(mapSeed, k), true
	case int16:
		return maphash.Comparable(mapSeed, k), true
	case int32:
		return maphash.Comparable(mapSeed, k), true
	case int64:
		return maphash.Comparable(mapSeed, k), true
	case float32:
		return maphash.Comparable(mapSeed, math.Float64bits(canonicalNaN(float64(k)))), true
	case float64:
		return maphash.Comparable(mapSeed, math.Float64bits(canonicalNaN(k))), true
	}
	return 0, false
}

func canonicalNaN(f float64) float64 {
	if f != f {
		return math.NaN()
	}
	return f
}

func sameKey(a, b any) bool {
	if s, ok := a.(string); ok {
		t, ok := b.(string)
		return ok && s == t
	}
	return EqualValues(a, b)
}

// slot returns where in the index the key is, or the free slot where it would be.
func (m *Map) slot(hash uint64, key any) int {
	mask := len(m.index) - 1
	for i := int(hash) & mask; ; i = (i + 1) & mask {
		if n := m.index[i]; n == 0 || sameKey(m.entries[n-1].Key, key) {
			return i
		}
	}
}

func (m *Map) findIndexed(key any) int {
	hash, ok := hashKey(key)
	if !ok {
		return -1 // all keys of an indexed map can be hashed
	}
	return int(m.index[m.slot(hash, key)]) - 1
}

func (m *Map) setIndexed(key, value any) {
	hash, ok := hashKey(key)
	if !ok {
		m.entries, m.index = append(m.entries, Entry{key, value}), nil
		return
	}
	slot := m.slot(hash, key)
	if n := m.index[slot]; n > 0 {
		m.entries[n-1].Value = value
		return
	}
	m.entries = append(m.entries, Entry{key, value})
	if 2*len(m.entries) > len(m.index) {
		m.reindex()
		return
	}
	m.index[slot] = uint32(len(m.entries))
}

// reindex makes the index anew, with room for as many entries as the map has.
func (m *Map) reindex() {
	m.index = nil
	if len(m.entries) <= smallMap || len(m.entries) > math.MaxUint32/4 {
		return
	}
	size := 2 * smallMap
	for size < 2*cap(m.entries) {
		size *= 2
	}
	index := make([]uint32, size)
	for n := range m.entries {
		hash, ok := hashKey(m.entries[n].Key)
		if !ok {
			return
		}
		i := int(hash) & (size - 1)
		for index[i] != 0 {
			i = (i + 1) & (size - 1)
		}
		index[i] = uint32(n + 1)
	}
	m.index = index
}
