package storejson

import "sort"

// HashOrder puts elements with distinct keys into the order in which a java.util.HashMap iterates over them that they
// were put into one by one. Of keys that share a bucket Java's order is that of putting, which a Go map does not know:
// they are ordered by name.
func HashOrder[E any](elements []E, key func(E) string) {
	if len(elements) < 2 {
		return
	}
	capacity := 16
	for len(elements)*4 > capacity*3 {
		capacity *= 2
	}
	mask := uint32(capacity - 1)
	sort.Slice(elements, func(i, j int) bool {
		x, y := key(elements[i]), key(elements[j])
		if d := int(javaHash(x)&mask) - int(javaHash(y)&mask); d != 0 {
			return d < 0
		}
		return x < y
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
