package jsonconv

import (
	"unsafe"

	"github.com/gokconnect/connect"
)

// structure reads a struct.
func (d *decoder) structure(c byte, p *plan) (v any, ok bool) {
	if c != '{' || !d.enter() {
		return nil, false
	}
	var few [4]uint64
	there := few[:]
	if len(p.fields) > 64*len(few) {
		there = make([]uint64, (len(p.fields)+63)/64)
	}
	out, values := connect.StructFor(p.schema)
	count, next := 0, 0
	more := true
	if d.space() == '}' {
		d.pos++
		d.depth--
		more = false
	}
	for more {
		i, ok := d.field(p, next)
		if !ok {
			return nil, false
		}
		if i < 0 {
			ok = d.skip()
		} else {
			if there[i/64]&(1<<(i%64)) != 0 {
				return nil, false
			}
			there[i/64] |= 1 << (i % 64)
			count++
			next = i + 1
			values[i], ok = d.value(p.fields[i].plan)
		}
		if !ok {
			return nil, false
		}
		if more, ok = d.more('}'); !ok {
			return nil, false
		}
	}
	if count < len(values) {
		for i := range values {
			if there[i/64]&(1<<(i%64)) == 0 {
				if values[i], ok = p.fields[i].null(); !ok {
					return nil, false
				}
			}
		}
	}
	return out, true
}

// field reads a member's name and colon, and returns the index of the field, or -1 if there is none. It is probably the
// field at next.
func (d *decoder) field(p *plan, next int) (i int, ok bool) {
	if d.space() != '"' {
		return 0, false
	}
	if next < len(p.fields) {
		if f := &p.fields[next]; f.plain && d.has(unsafe.String(unsafe.SliceData(f.quoted), len(f.quoted))) {
			return next, true
		}
	}
	from := d.pos + 1
	end, holds := scanString(d.b, from)
	if end < 0 {
		return 0, false
	}
	d.pos = end + 1
	name := d.b[from:end]
	if holds != 0 {
		var bad int
		if name, bad = appendText(d.scratch[:0], name, true); bad >= 0 {
			return 0, false
		}
		d.scratch = name
	}
	if d.space() != ':' {
		return 0, false
	}
	d.pos++
	if i, ok = p.index[string(name)]; !ok {
		return -1, true
	}
	return i, true
}
