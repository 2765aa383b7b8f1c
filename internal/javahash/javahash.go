// Package javahash orders names as Java's HashMap iterates over them, which shows in answers and messages of Kafka Connect.
package javahash

import (
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
	for len(keys)*4 > buckets*3 {
		buckets *= 2
	}
	type hashed struct {
		key    string
		bucket uint32
	}
	all := make([]hashed, len(keys))
	for i, k := range keys {
		all[i] = hashed{k, hash(k) & uint32(buckets-1)}
	}
	slices.SortStableFunc(all, func(a, b hashed) int { return int(a.bucket) - int(b.bucket) })
	out := make([]string, len(keys))
	for i, h := range all {
		out[i] = h.key
	}
	return out
}

// hash is String.hashCode, spread as HashMap does.
func hash(s string) uint32 {
	var h uint32
	for _, r := range s {
		if r >= 0x10000 {
			hi, lo := utf16.EncodeRune(r)
			h = (h*31+uint32(hi))*31 + uint32(lo)
			continue
		}
		h = h*31 + uint32(r)
	}
	return h ^ h>>16
}
