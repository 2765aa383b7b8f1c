package jsonconv

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

// What a JSON string holds besides plain ASCII.
const (
	hasEscape uint8 = 1 << iota
	hasNonASCII
)

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// scanString returns the index of the quote that ends the string whose first character is at i, and what the string
// holds. end is -1 if there is no such quote, or a control character before it.
func scanString(b []byte, i int) (end int, holds uint8) {
	for {
		// Eight bytes at a time: the lowest set bit of special marks the first byte that is a quote, a backslash, a
		// control character or not ASCII.
		for i+8 <= len(b) {
			x := binary.LittleEndian.Uint64(b[i:])
			quote, slash := x^('"'*ones), x^('\\'*ones)
			special := ((quote-ones)&^quote | (slash-ones)&^slash | (x-' '*ones)&^x | x) & highs
			if special != 0 {
				i += bits.TrailingZeros64(special) / 8
				break
			}
			i += 8
		}
		for i < len(b) && b[i] >= ' ' && b[i] != '"' && b[i] != '\\' && b[i] < utf8.RuneSelf {
			i++
		}
		if i >= len(b) {
			return -1, holds
		}
		switch c := b[i]; {
		case c == '"':
			return i, holds
		case c == '\\':
			holds |= hasEscape
			i += 2 // what is escaped can be a quote
		case c >= utf8.RuneSelf:
			holds |= hasNonASCII
			for i++; i < len(b) && b[i] >= utf8.RuneSelf; i++ {
			}
		default:
			return -1, holds
		}
	}
}

// units collects text given in units of UTF-16, as Java's strings are. An unpaired surrogate, which a Go string can't
// hold, becomes U+FFFD.
type units struct {
	out  []byte
	high rune // a high surrogate that waits for its partner, or 0
}

func (u *units) add(r rune) {
	if u.high != 0 {
		high := u.high
		u.high = 0
		if pair := utf16.DecodeRune(high, r); pair != utf8.RuneError {
			u.out = utf8.AppendRune(u.out, pair)
			return
		}
		u.out = utf8.AppendRune(u.out, utf8.RuneError)
	}
	if r >= 0xD800 && r < 0xDC00 {
		u.high = r
		return
	}
	u.out = utf8.AppendRune(u.out, r) // U+FFFD for a low surrogate
}

func (u *units) end() []byte {
	if u.high != 0 {
		u.out = utf8.AppendRune(u.out, utf8.RuneError)
		u.high = 0
	}
	return u.out
}

// appendText appends the text of a JSON string, given without its quotes and without control characters. Like Jackson
// it accepts UTF-8 of more bytes than needed (C0 80 is U+0000) and above U+10FFFF (wrong characters), but no surrogates
// in UTF-8, and in a member's name no escape of an unpaired one. bad is the index of what is not valid, or -1.
func appendText(dst, raw []byte, isName bool) (text []byte, bad int) {
	u := units{out: dst}
	for i := 0; i < len(raw); {
		c := raw[i]
		switch {
		case c == '\\':
			if i+1 >= len(raw) {
				return nil, i
			}
			if raw[i+1] == 'u' {
				r, ok := hex4(raw[i+2:])
				if !ok {
					return nil, i
				}
				i += 6
				if isName && utf16.IsSurrogate(r) {
					low := rune(0)
					if i+1 < len(raw) && raw[i] == '\\' && raw[i+1] == 'u' {
						low, _ = hex4(raw[i+2:])
					}
					if utf16.DecodeRune(r, low) == utf8.RuneError {
						return nil, i - 6
					}
					u.add(r)
					r = low
					i += 6
				}
				u.add(r)
				continue
			}
			e := unescaped[raw[i+1]]
			if e == 0 {
				return nil, i
			}
			u.add(rune(e))
			i += 2
		case c < utf8.RuneSelf:
			u.add(rune(c))
			i++
		default:
			size := 0
			switch {
			case c&0xE0 == 0xC0:
				size = 2
			case c&0xF0 == 0xE0:
				size = 3
			case c&0xF8 == 0xF0:
				size = 4
			default:
				return nil, i
			}
			if i+size > len(raw) {
				return nil, i
			}
			r := rune(c) & (0x7F >> size)
			for _, c := range raw[i+1 : i+size] {
				if c&0xC0 != 0x80 {
					return nil, i
				}
				r = r<<6 | rune(c&0x3F)
			}
			switch {
			case size == 3 && r >= 0xD800 && r < 0xE000:
				return nil, i
			case size == 4:
				r -= 0x10000
				u.add(rune(uint16(0xD800 | r>>10)))
				u.add(0xDC00 | r&0x3FF)
			default:
				u.add(r)
			}
			i += size
		}
	}
	return u.end(), -1
}

func hex4(b []byte) (r rune, ok bool) {
	if len(b) < 4 {
		return 0, false
	}
	for _, c := range b[:4] {
		switch {
		case c >= '0' && c <= '9':
			r = r<<4 | rune(c-'0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	return r, true
}

var unescaped = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

const hexDigits = "0123456789ABCDEF"

// plain tells which bytes stand for themselves in a JSON string.
var plain = func() (t [256]bool) {
	for c := ' '; c < utf8.RuneSelf; c++ {
		t[c] = c != '"' && c != '\\'
	}
	return t
}()

// appendString appends a text as a JSON string, spelled as Jackson does: other characters than ASCII as they are up to
// U+FFFF, and beyond that as two escapes.
func appendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	done := 0
	for i := 0; i < len(s); {
		c := s[i]
		if plain[c] {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			if r <= 0xFFFF && (r != utf8.RuneError || size > 1) {
				i += size
				continue
			}
			dst = append(dst, s[done:i]...)
			if r == utf8.RuneError {
				dst = utf8.AppendRune(dst, r)
			} else {
				high, low := utf16.EncodeRune(r)
				dst = appendEscape(appendEscape(dst, high), low)
			}
			i += size
			done = i
			continue
		}
		dst = append(dst, s[done:i]...)
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\b':
			dst = append(dst, '\\', 'b')
		case '\t':
			dst = append(dst, '\\', 't')
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\f':
			dst = append(dst, '\\', 'f')
		case '\r':
			dst = append(dst, '\\', 'r')
		default:
			dst = appendEscape(dst, rune(c))
		}
		i++
		done = i
	}
	return append(append(dst, s[done:]...), '"')
}

func appendEscape(dst []byte, r rune) []byte {
	return append(dst, '\\', 'u', hexDigits[r>>12], hexDigits[r>>8&15], hexDigits[r>>4&15], hexDigits[r&15])
}
