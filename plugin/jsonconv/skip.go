package jsonconv

import "unicode/utf8"

// skip reads over a value.
func (d *decoder) skip() bool {
	switch c := d.space(); c {
	case '"':
		return d.skipString(false)
	case 't':
		return d.has("true")
	case 'f':
		return d.has("false")
	case 'n':
		return d.has("null")
	case '{', '[':
		if !d.enter() {
			return false
		}
		if d.space() == c+2 { // the bracket that ends it
			d.pos++
			d.depth--
			return true
		}
		for {
			if c == '{' {
				if d.space() != '"' || !d.skipString(true) || d.space() != ':' {
					return false
				}
				d.pos++
			}
			if !d.skip() {
				return false
			}
			if more, ok := d.more(c + 2); !more {
				return ok
			}
		}
	default:
		_, ok := d.number(c)
		return ok
	}
}

func (d *decoder) skipString(isName bool) bool {
	from := d.pos + 1
	end, holds := scanString(d.b, from)
	if end < 0 {
		return false
	}
	d.pos = end + 1
	if holds == 0 || holds == hasNonASCII && utf8.Valid(d.b[from:end]) {
		return true
	}
	var bad int
	d.scratch, bad = appendText(d.scratch[:0], d.b[from:end], isName)
	return bad < 0
}
