package smt

import (
	"slices"
	"sort"
	"unicode/utf16"
)

// hashOrder returns distinct keys in the order in which Java's HashMap iterates over them when they were put in the
// order given.
func hashOrder(keys []string) []string {
	return hashOrderFunc(keys, func(key string) string { return key })
}

// hashOrderFunc is hashOrder for elements with a key.
func hashOrderFunc[E any](elements []E, key func(E) string) []E {
	buckets := uint32(16)
	for len(elements) > int(buckets)/4*3 {
		buckets *= 2
	}
	bucket := func(e E) uint32 {
		var h uint32
		for _, u := range utf16.Encode([]rune(key(e))) {
			h = 31*h + uint32(u)
		}
		return (h ^ h>>16) & (buckets - 1)
	}
	sorted := slices.Clone(elements)
	sort.SliceStable(sorted, func(i, j int) bool { return bucket(sorted[i]) < bucket(sorted[j]) })
	return sorted
}
