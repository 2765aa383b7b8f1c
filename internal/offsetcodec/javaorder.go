package offsetcodec

import (
	"slices"
	"strings"
)

// javaOrder puts fields into the order in which a java.util.HashMap iterates that they were put into one by one. Of
// fields that share a bucket Java's order is that of putting, which a Go map does not know: they are ordered by name.
func javaOrder(fields []field) {
	if len(fields) < 2 {
		return
	}
	capacity := 16
	for len(fields)*4 > capacity*3 {
		capacity *= 2
	}
	mask := uint32(capacity - 1)
	slices.SortFunc(fields, func(a, b field) int {
		if d := int(javaHash(a.name)&mask) - int(javaHash(b.name)&mask); d != 0 {
			return d
		}
		return strings.Compare(a.name, b.name)
	})
}

// javaHash is String.hashCode, spread as HashMap does.
func javaHash(s string) uint32 {
	var h uint32
	for _, r := range s {
		if r >= 0x10000 {
			r -= 0x10000
			h = h*31 + uint32(0xD800+(r>>10))
			r = 0xDC00 + (r & 0x3FF)
		}
		h = h*31 + uint32(r)
	}
	return h ^ h>>16
}
