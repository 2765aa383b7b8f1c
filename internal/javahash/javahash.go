// Package javahash orders names as Java's HashMap iterates over them, which shows in answers and messages of Kafka Connect.
package javahash

import (
	"encoding/binary"
	"math"
	"math/big"
	"slices"
	"unicode/utf16"
)

// Buckets is how many buckets a HashMap has that was made empty.
const Buckets = 16

// CopyBuckets returns how many buckets a HashMap has that was made as a copy of a map of that size.
func CopyBuckets(size int) int {
	buckets := 2
	for float64(buckets) < float64(size)/0.75+1 {
		buckets *= 2
	}
	return buckets
}

// Order returns the keys in the order in which a HashMap iterates over them that had so many buckets to begin with, and
// into which they were put in the order given. That order decides between keys that share a bucket.
func Order(keys []string, buckets int) []string {
	out := slices.Clone(keys)
	Sort(out, buckets, Text)
	return out
}

// Sort is [Order] for keys of any kind. Code returns the key's hashCode.
func Sort[K any](keys []K, buckets int, code func(K) uint32) {
	t := table[K]{buckets: make([][]entry[K], power(buckets))}
	for _, k := range keys {
		t.add(k, spread(code(k)))
	}
	copy(keys, t.Keys())
}

// Code returns the hashCode of a value as Jackson reads it from JSON: nil, bool, int64, *big.Int, float64, string, []any or
// map[string]any.
func Code(v any) uint32 {
	long := func(n uint64) uint32 { return uint32(n ^ n>>32) }
	switch v := v.(type) {
	case bool:
		if v {
			return 1231
		}
		return 1237
	case int64:
		if v == int64(int32(v)) {
			return uint32(v) // an Integer
		}
		return long(uint64(v))
	case *big.Int:
		var h uint32
		b := v.Bytes()
		for len(b)%4 != 0 {
			b = append([]byte{0}, b...)
		}
		for ; len(b) > 0; b = b[4:] {
			h = h*31 + binary.BigEndian.Uint32(b)
		}
		return h * uint32(v.Sign())
	case float64:
		return long(math.Float64bits(v))
	case string:
		return Text(v)
	case []any:
		h := uint32(1)
		for _, e := range v {
			h = h*31 + Code(e)
		}
		return h
	case map[string]any:
		var h uint32
		for k, e := range v {
			h += Text(k) ^ Code(e)
		}
		return h
	}
	return 0
}

// Bytes is ByteBuffer.hashCode of a buffer with that content.
func Bytes(b []byte) uint32 {
	h := uint32(1)
	for _, c := range slices.Backward(b) {
		h = 31*h + uint32(int32(int8(c)))
	}
	return h
}

// Text is String.hashCode.
func Text(s string) uint32 {
	var h uint32
	for _, r := range s {
		if r >= 0x10000 {
			hi, lo := utf16.EncodeRune(r)
			h = (h*31+uint32(hi))*31 + uint32(lo)
			continue
		}
		h = h*31 + uint32(r)
	}
	return h
}
