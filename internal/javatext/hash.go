package javatext

// Hash returns String.hashCode of the text, spread as java.util.HashMap does: the text's bucket in a map with a
// capacity of 2^n are the lowest n bits.
func Hash(s string) uint32 {
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
