package smt

import (
	"cmp"
	"slices"
	"unicode/utf16"
)

// hashOrder returns distinct keys in the order in which Java's HashMap iterates over them when they were put in the
// order given.
func hashOrder(keys []string) []string {
	buckets := uint32(16)
	for len(keys) > int(buckets)/4*3 {
		buckets *= 2
	}
	bucket := func(key string) uint32 {
		var h uint32
		for _, u := range utf16.Encode([]rune(key)) {
			h = 31*h + uint32(u)
		}
		return (h ^ h>>16) & (buckets - 1)
	}
	sorted := slices.Clone(keys)
	slices.SortStableFunc(sorted, func(a, b string) int { return cmp.Compare(bucket(a), bucket(b)) })
	return sorted
}
