package connect

import (
	"slices"
	"sort"
	"unicode/utf16"
)

// javaHashOrder returns names in the order in which a java.util.HashMap iterates over them when they were added one by
// one. Connect lists some things in that order, and compatible answers must too.
func javaHashOrder(names []string) []string {
	buckets := 16
	for len(names)*4 > buckets*3 {
		buckets *= 2
	}
	sorted := slices.Clone(names)
	sort.SliceStable(sorted, func(i, j int) bool {
		return javaSpreadHash(sorted[i])&uint32(buckets-1) < javaSpreadHash(sorted[j])&uint32(buckets-1)
	})
	return sorted
}

// javaSpreadHash is String.hashCode as HashMap spreads it.
func javaSpreadHash(s string) uint32 {
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
