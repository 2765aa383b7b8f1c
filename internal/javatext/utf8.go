package javatext

import (
	"strings"
	"unicode/utf8"
)

// DecodeUTF8 returns the text of bytes, with U+FFFD in place of what is malformed, as Java's String does.
func DecodeUTF8(b []byte) string {
	if utf8.Valid(b) {
		return string(b)
	}
	var text strings.Builder
	text.Grow(len(b) + 8)
	for i := 0; i < len(b); {
		r, size := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && size <= 1 {
			size = malformed(b[i:])
		}
		text.WriteRune(r)
		i += size
	}
	return text.String()
}

// malformed returns how many bytes stand for one U+FFFD: the beginning of a character, as far as it is one. A whole
// surrogate counts as one.
func malformed(b []byte) int {
	at := func(i int) byte { // a byte that continues nothing past the end
		if i < len(b) {
			return b[i]
		}
		return 0
	}
	continues := func(i int) bool { return at(i)&0xC0 == 0x80 }
	switch c := b[0]; {
	case c >= 0xE0 && c <= 0xEF:
		switch {
		case !continues(1) || c == 0xE0 && at(1) < 0xA0:
			return 1
		case !continues(2):
			return 2
		}
		return 3
	case c >= 0xF0 && c <= 0xF4:
		switch {
		case !continues(1) || c == 0xF0 && at(1) < 0x90 || c == 0xF4 && at(1) > 0x8F:
			return 1
		case !continues(2):
			return 2
		}
		return 3
	}
	return 1
}
