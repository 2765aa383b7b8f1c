package storejson

import (
	"strings"
	"unicode/utf8"
)

const upperHex = "0123456789ABCDEF"

// AppendString appends a text. It escapes what Jackson escapes: control characters, and characters beyond U+FFFF as two
// surrogates. What is not UTF-8 becomes U+FFFD.
func AppendString(dst []byte, s string) []byte {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= 0xF0 {
			r, size := utf8.DecodeRuneInString(s[i:])
			r -= 0x10000
			dst = append(dst, s[start:i]...)
			dst = appendUnit(dst, 0xD800+uint16(r>>10))
			dst = appendUnit(dst, 0xDC00+uint16(r&0x3FF))
			i += size
			start = i
			continue
		}
		if c >= ' ' && c != '"' && c != '\\' {
			i++
			continue
		}
		dst = append(dst, s[start:i]...)
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\b':
			dst = append(dst, `\b`...)
		case '\t':
			dst = append(dst, `\t`...)
		case '\n':
			dst = append(dst, `\n`...)
		case '\f':
			dst = append(dst, `\f`...)
		case '\r':
			dst = append(dst, `\r`...)
		default:
			dst = appendUnit(dst, uint16(c))
		}
		i++
		start = i
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}

func appendUnit(dst []byte, u uint16) []byte {
	return append(dst, '\\', 'u', upperHex[u>>12], upperHex[u>>8&15], upperHex[u>>4&15], upperHex[u&15])
}
