package jsonconv

import (
	"encoding/binary"
	"unicode/utf16"
	"unicode/utf8"
)

// toUTF8 returns a document as UTF-8 without a byte order mark. The encoding is found as Jackson finds it: by the mark,
// or by the zero bytes around the first character. ok is false for what Jackson refuses.
func toUTF8(b []byte) (text []byte, ok bool) {
	if len(b) >= 4 {
		switch quad := binary.BigEndian.Uint32(b); {
		case quad == 0x0000FEFF:
			return fromUTF32(b[4:], binary.BigEndian)
		case quad == 0xFFFE0000:
			return fromUTF32(b[4:], binary.LittleEndian)
		case quad == 0x0000FFFE || quad == 0xFEFF0000:
			return nil, false
		case quad>>16 == 0xFEFF:
			return fromUTF16(b[2:], binary.BigEndian), true
		case quad>>16 == 0xFFFE:
			return fromUTF16(b[2:], binary.LittleEndian), true
		case quad>>8 == 0xEFBBBF:
			return b[3:], true
		case quad>>8 == 0:
			return fromUTF32(b, binary.BigEndian)
		case quad&0x00FFFFFF == 0:
			return fromUTF32(b, binary.LittleEndian)
		case quad&^0x00FF0000 == 0 || quad&^0x0000FF00 == 0:
			return nil, false
		}
	}
	if len(b) >= 2 {
		switch {
		case b[0] == 0:
			return fromUTF16(b, binary.BigEndian), true
		case b[1] == 0:
			return fromUTF16(b, binary.LittleEndian), true
		}
	}
	return b, true
}

// fromUTF16 replaces what is not valid by U+FFFD as Java does: a high surrogate takes what follows with it.
func fromUTF16(b []byte, order binary.ByteOrder) []byte {
	text := make([]byte, 0, len(b))
	for ; len(b) >= 2; b = b[2:] {
		r := rune(order.Uint16(b))
		if r >= 0xD800 && r < 0xDC00 {
			low := rune(0)
			if len(b) >= 4 {
				low = rune(order.Uint16(b[2:]))
			}
			b = b[min(2, len(b)-2):]
			r = utf16.DecodeRune(r, low)
		}
		text = utf8.AppendRune(text, r)
	}
	if len(b) > 0 {
		text = utf8.AppendRune(text, utf8.RuneError)
	}
	return text
}

func fromUTF32(b []byte, order binary.ByteOrder) (text []byte, ok bool) {
	text = make([]byte, 0, len(b)/4)
	for ; len(b) >= 4; b = b[4:] {
		r := order.Uint32(b)
		if r > utf8.MaxRune {
			return nil, false
		}
		text = utf8.AppendRune(text, rune(r))
	}
	return text, len(b) == 0
}
