package javatext

import "unicode"

// Digit returns the value of a decimal digit of any script, or -1, as Java's Character.digit does.
func Digit(r rune) int {
	switch {
	case r >= '0' && r <= '9':
		return int(r - '0')
	case r < 0x80 || !unicode.Is(unicode.Nd, r):
		return -1
	}
	// Digits come in runs of ten, from zero on; some runs stand next to each other.
	n := 0
	for unicode.Is(unicode.Nd, r-rune(n)-1) {
		n++
	}
	return n % 10
}
