package connect

import (
	"encoding/binary"
	"hash/maphash"
	"math"
	"time"
)

// The index of a large Map is a hash table with open addressing. Its length is a power of two and at least twice the
// number of entries; a slot holds the number of an entry plus one, or 0. It is one allocation, and copied as it is.

// mapSeed differs from process to process, so that nobody can send maps whose keys all collide.
var mapSeed = maphash.MakeSeed()

// hashKey returns a hash that equal keys share, by [EqualValues].
func hashKey(key any) uint64 {
	switch k := key.(type) {
	case string:
		return maphash.String(mapSeed, k)
	case nil:
		return 0
	case bool:
		return maphash.Comparable(mapSeed, k)
	case int8:
		return maphash.Comparable(mapSeed, k)
	case int16:
		return maphash.Comparable(mapSeed, k)
	case int32:
		return maphash.Comparable(mapSeed, k)
	case int64:
		return maphash.Comparable(mapSeed, k)
	case float32:
		return maphash.Comparable(mapSeed, math.Float64bits(canonicalNaN(float64(k))))
	case float64:
		return maphash.Comparable(mapSeed, math.Float64bits(canonicalNaN(k)))
	}
	return maphash.Bytes(mapSeed, appendMark(nil, key))
}

// appendMark appends a text that is the same for equal values, and hardly ever the same for others.
func appendMark(dst []byte, v any) []byte {
	switch v := v.(type) {
	case float64:
		return binary.BigEndian.AppendUint64(append(dst, 'd'), math.Float64bits(canonicalNaN(v)))
	case float32:
		return binary.BigEndian.AppendUint64(append(dst, 'f'), math.Float64bits(canonicalNaN(float64(v))))
	case []byte:
		return append(append(append(dst, 'b'), v...), 0)
	case []any:
		dst = append(dst, '[')
		for _, e := range v {
			dst = appendMark(dst, e)
		}
		return append(dst, ']')
	case *Struct:
		if v == nil {
			return append(dst, 'n')
		}
		dst = append(append(dst, 's'), v.schema.name...)
		for _, e := range v.values {
			dst = appendMark(dst, e)
		}
		return append(dst, '}')
	case time.Time:
		return binary.BigEndian.AppendUint64(append(dst, 't'), uint64(v.Unix()))
	}
	if m, ok := AsMap(v); ok { // in any order
		sum := uint64(m.Len())
		for _, e := range m.entries {
			sum += maphash.Bytes(mapSeed, appendMark(appendMark(nil, e.Key), e.Value))
		}
		return binary.BigEndian.AppendUint64(append(dst, 'm'), sum)
	}
	return append(AppendValue(append(dst, 'v'), v), 0)
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
	return int(m.index[m.slot(hashKey(key), key)]) - 1
}

func (m *Map) setIndexed(key, value any) {
	slot := m.slot(hashKey(key), key)
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
		i := int(hashKey(m.entries[n].Key)) & (size - 1)
		for index[i] != 0 {
			i = (i + 1) & (size - 1)
		}
		index[i] = uint32(n + 1)
	}
	m.index = index
}
