package connect

import (
	"encoding/binary"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// charset is a character set of Java's. What can't be mapped is replaced as Java's String does it: by a question mark
// in bytes, by U+FFFD in text.
type charset interface {
	append(dst []byte, text string) []byte
	decode(b []byte) string
}

// findCharset returns the character set of that name or alias, in any case; nil if there is none.
func findCharset(name string) charset {
	switch strings.ToLower(name) {
	case "utf-8", "utf8", "unicode-1-1-utf-8":
		return charsetUTF8{}
	case "us-ascii", "ascii", "ascii7", "646", "iso-ir-6", "ansi_x3.4-1968", "ansi_x3.4-1986", "iso646-us", "ibm367",
		"cp367", "csascii", "default", "us", "iso_646.irv:1983", "iso_646.irv:1991":
		return charsetASCII
	case "iso-8859-1", "latin1", "l1", "iso8859_1", "iso8859-1", "iso_8859-1", "iso_8859_1", "iso_8859-1:1987",
		"8859_1", "iso-ir-100", "ibm819", "ibm-819", "cp819", "819", "csisolatin1":
		return charsetLatin1
	case "iso-8859-15", "latin-9", "latin9", "l9", "iso8859_15", "iso8859-15", "iso_8859-15", "8859_15", "ibm923",
		"ibm-923", "cp923", "923", "iso8859_15_fdis", "csiso885915", "latin0", "csisolatin0", "csisolatin9":
		return charsetLatin9
	case "windows-1252", "cp1252", "cp5348", "ibm-1252", "ibm1252":
		return charsetWindows1252
	case "utf-16", "utf_16", "utf16", "unicode", "unicodebig":
		return charsetUTF16{order: binary.BigEndian, mark: markWrite}
	case "utf-16be", "utf_16be", "x-utf-16be", "iso-10646-ucs-2", "unicodebigunmarked":
		return charsetUTF16{order: binary.BigEndian}
	case "utf-16le", "utf_16le", "x-utf-16le", "unicodelittleunmarked":
		return charsetUTF16{order: binary.LittleEndian}
	case "utf-32", "utf_32", "utf32", "iso-10646-ucs-4":
		return charsetUTF32{order: binary.BigEndian, mark: markRead}
	case "utf-32be", "utf_32be", "x-utf-32be":
		return charsetUTF32{order: binary.BigEndian}
	case "utf-32le", "utf_32le", "x-utf-32le":
		return charsetUTF32{order: binary.LittleEndian}
	case "shift_jis", "shift-jis", "x-sjis", "sjis", "ms_kanji", "csshiftjis":
		return newShiftJIS()
	}
	return nil
}

const replacement = "\uFFFD"

// charsetUTF8 replaces malformed bytes one by one but for truncated sequences, which give one U+FFFD as a whole, and
// encoded surrogates, of which Java makes one too.
type charsetUTF8 struct{}

func (charsetUTF8) append(dst []byte, text string) []byte { return append(dst, text...) }

func (charsetUTF8) decode(b []byte) string {
	if utf8.Valid(b) {
		return string(b)
	}
	var out strings.Builder
	out.Grow(len(b))
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n <= 1 {
			out.WriteString(replacement)
			b = b[malformedUTF8(b):]
			continue
		}
		out.Write(b[:n])
		b = b[n:]
	}
	return out.String()
}

// malformedUTF8 returns how many bytes at the start of b, which is malformed there, make one U+FFFD.
func malformedUTF8(b []byte) int {
	continues := func(i int) bool { return i < len(b) && b[i]&0xc0 == 0x80 }
	switch first := b[0]; {
	case first >= 0xe0 && first <= 0xef:
		if !continues(1) || first == 0xe0 && b[1] < 0xa0 {
			return 1
		}
		if first == 0xed && b[1] >= 0xa0 && continues(2) {
			return 3 // a surrogate
		}
		return 2
	case first >= 0xf0 && first <= 0xf4:
		if !continues(1) || first == 0xf0 && b[1] < 0x90 || first == 0xf4 && b[1] > 0x8f {
			return 1
		}
		if !continues(2) {
			return 2
		}
		return 3
	}
	return 1
}

// charsetByte is a character set of single bytes: those below plain are characters of the same number, those from 0x80 on
// are in high if it is not nil, where 0 stands for none.
type charsetByte struct {
	plain rune
	high  *[128]rune
}

var (
	charsetASCII       = charsetByte{plain: 0x80}
	charsetLatin1      = charsetByte{plain: 0x100}
	charsetWindows1252 = charsetByte{plain: 0x80, high: latin1But(0x80,
		'€', 0, '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', 0, 'Ž', 0,
		0, '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', 0, 'ž', 'Ÿ')}
	charsetLatin9 = charsetByte{plain: 0x80, high: latin1But(0xa4,
		'€', '¥', 'Š', '§', 'š', '©', 'ª', '«', '¬', '\u00ad', '®', '¯', '°', '±', '²', '³', 'Ž', 'µ', '¶', '·', 'ž',
		'¹', 'º', '»', 'Œ', 'œ', 'Ÿ')}
)

// latin1But returns the upper half of ISO-8859-1 with other characters from one on.
func latin1But(from int, runes ...rune) *[128]rune {
	var high [128]rune
	for i := range high {
		high[i] = rune(0x80 + i)
	}
	copy(high[from-0x80:], runes)
	return &high
}

func (c charsetByte) append(dst []byte, text string) []byte {
	for _, r := range text {
		dst = append(dst, c.encode(r))
	}
	return dst
}

func (c charsetByte) encode(r rune) byte {
	if r < c.plain {
		return byte(r)
	}
	if c.high != nil {
		for i, h := range c.high {
			if h == r {
				return byte(0x80 + i)
			}
		}
	}
	return '?'
}

func (c charsetByte) decode(b []byte) string {
	var out strings.Builder
	out.Grow(len(b))
	for _, x := range b {
		switch {
		case rune(x) < c.plain:
			out.WriteRune(rune(x))
		case c.high != nil && c.high[x-0x80] != 0:
			out.WriteRune(c.high[x-0x80])
		default:
			out.WriteString(replacement)
		}
	}
	return out.String()
}

// byteOrderMark says what becomes of a byte order mark.
type byteOrderMark int8

const (
	markNone  byteOrderMark = iota // it is a character
	markRead                       // it is read
	markWrite                      // it is read and written
)

type byteOrder interface {
	binary.ByteOrder
	binary.AppendByteOrder
}

type charsetUTF16 struct {
	order byteOrder
	mark  byteOrderMark
}

func (c charsetUTF16) append(dst []byte, text string) []byte {
	if c.mark == markWrite && text != "" {
		dst = c.order.AppendUint16(dst, 0xfeff)
	}
	for _, r := range text {
		if r1, r2 := utf16.EncodeRune(r); r1 != utf8.RuneError {
			dst = c.order.AppendUint16(dst, uint16(r1))
			dst = c.order.AppendUint16(dst, uint16(r2))
		} else {
			dst = c.order.AppendUint16(dst, uint16(r))
		}
	}
	return dst
}

func (c charsetUTF16) decode(b []byte) string {
	var order binary.ByteOrder = c.order
	if c.mark != markNone && len(b) >= 2 {
		switch {
		case b[0] == 0xfe && b[1] == 0xff:
			order, b = binary.BigEndian, b[2:]
		case b[0] == 0xff && b[1] == 0xfe:
			order, b = binary.LittleEndian, b[2:]
		}
	}
	var out strings.Builder
	out.Grow(len(b))
	for len(b) >= 2 {
		r := rune(order.Uint16(b))
		b = b[2:]
		switch {
		case r >= 0xd800 && r < 0xdc00: // takes what follows with it, whatever it is
			if len(b) >= 2 {
				r = utf16.DecodeRune(r, rune(order.Uint16(b)))
			} else {
				r = utf8.RuneError
			}
			b = b[min(2, len(b)):]
			out.WriteRune(r)
		case r >= 0xdc00 && r < 0xe000:
			out.WriteString(replacement)
		default:
			out.WriteRune(r)
		}
	}
	if len(b) > 0 {
		out.WriteString(replacement)
	}
	return out.String()
}

type charsetUTF32 struct {
	order byteOrder
	mark  byteOrderMark
}

func (c charsetUTF32) append(dst []byte, text string) []byte {
	for _, r := range text {
		dst = c.order.AppendUint32(dst, uint32(r))
	}
	return dst
}

func (c charsetUTF32) decode(b []byte) string {
	var order binary.ByteOrder = c.order
	if c.mark != markNone && len(b) >= 4 {
		switch {
		case binary.BigEndian.Uint32(b) == 0xfeff:
			order, b = binary.BigEndian, b[4:]
		case binary.LittleEndian.Uint32(b) == 0xfeff:
			order, b = binary.LittleEndian, b[4:]
		}
	}
	var out strings.Builder
	out.Grow(len(b))
	for len(b) >= 4 {
		if r := order.Uint32(b); r <= utf8.MaxRune {
			out.WriteRune(rune(r))
		} else {
			out.WriteString(replacement)
		}
		b = b[4:]
	}
	if len(b) > 0 {
		out.WriteString(replacement)
	}
	return out.String()
}
