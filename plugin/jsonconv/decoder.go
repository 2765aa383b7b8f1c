package jsonconv

import (
	"hash/maphash"
	"unicode/utf8"

	"github.com/gokconnect/connect"
)

// decoder makes values while it reads a document, once and ahead. It gives up (ok is false) on everything that is not
// plain: what is wrong in any way, members that are there twice, JSON of another type than the schema's. The document
// is then read again into nodes, which know what to do. What the decoder does not refuse it decodes as they do.
type decoder struct {
	b     []byte
	pos   int
	depth int
	boxes boxes

	// text is a copy of the document from textFrom on and up to textTo, which short documents' strings share.
	text             string
	textFrom, textTo int

	names names
	under int32 // the name whose value is being read

	entries []connect.Entry // of the objects that are being read, outermost first
	items   []any           // of the arrays that are being read
	scratch []byte
	seen    []uint16 // for distinct
	seed    maphash.Seed
}

// maxShared is the size of a document up to which its strings share one copy of it. In a larger one a single string
// that is kept would hold too much memory.
const maxShared = 8 << 10

func (d *decoder) reset(b []byte) {
	d.b, d.pos, d.depth, d.text, d.textTo = b, 0, 0, "", len(b)
	d.under = 0
	d.names.prepare()
}

// release gives up the document and its values.
func (d *decoder) release() {
	d.b, d.text = nil, ""
	d.boxes.reset()
	clear(d.entries)
	clear(d.items)
	const keep = 1024
	if cap(d.entries) > keep {
		d.entries = nil
	}
	if cap(d.items) > keep {
		d.items = nil
	}
	if cap(d.scratch) > keep {
		d.scratch = nil
	}
	d.entries, d.items = d.entries[:0], d.items[:0]
}

// space skips white space and returns the byte after it, or 0 at the end.
func (d *decoder) space() byte {
	for i := d.pos; i < len(d.b); i++ {
		if c := d.b[i]; c > ' ' || c != ' ' && c != '\n' && c != '\r' && c != '\t' {
			d.pos = i
			return c
		}
	}
	d.pos = len(d.b)
	return 0
}

// has reports whether the document goes on with text, and skips it.
func (d *decoder) has(text string) bool {
	if len(d.b)-d.pos < len(text) || string(d.b[d.pos:d.pos+len(text)]) != text {
		return false
	}
	d.pos += len(text)
	return true
}

// document reads a document that is a value of the plan.
func (d *decoder) document(p *plan) (v any, ok bool) {
	c := d.space()
	if v, ok = d.value(p); !ok {
		return nil, false
	}
	if c != '{' && c != '[' && c != '"' && d.pos < len(d.b) {
		switch d.b[d.pos] {
		case ' ', '\t', '\r', '\n':
		default: // whether this may follow a number or literal is not asked here
			return nil, false
		}
	}
	return v, true
}

// value reads a value of the plan; without a plan it speaks for itself.
func (d *decoder) value(p *plan) (v any, ok bool) {
	c := d.space()
	if p == nil {
		return d.alone(c)
	}
	if c == 'n' {
		if !d.has("null") {
			return nil, false
		}
		return p.null()
	}
	if p.odd {
		return nil, false
	}
	switch p.form {
	case formString:
		if c != '"' {
			return nil, false
		}
		s, ok := d.string(false)
		if !ok {
			return nil, false
		}
		return d.boxes.string(s), true
	case formBoolean:
		switch {
		case d.has("true"):
			return true, true
		case d.has("false"):
			return false, true
		}
		return nil, false
	case formStruct:
		return d.structure(c, p)
	case formArray:
		return d.array(c, p.element)
	case formObject:
		return d.object(c, p.element)
	case formPairs:
		return d.pairs(c, p)
	case formBytes:
		if c != '"' {
			return nil, false
		}
		b, ok := d.base64()
		return b, ok
	}
	return d.scalar(c, p)
}

// null returns what stands for null in a value of the plan.
func (p *plan) null() (v any, ok bool) {
	if p.def != nil {
		return p.def, p.defFits
	}
	return nil, p.optional
}

func (d *decoder) number(c byte) (n number, ok bool) {
	if c != '-' && c-'0' > 9 {
		return n, false
	}
	n, end := scanNumber(d.b, d.pos)
	if end < 0 {
		return n, false
	}
	d.pos = end
	return n, true
}

// scalar reads a number, or a value of a logical type.
func (d *decoder) scalar(c byte, p *plan) (v any, ok bool) {
	if p.form == formDecimal && c == '"' {
		b, ok := d.base64()
		if !ok {
			return nil, false
		}
		dec, err := connect.ToDecimal(p.schema, b)
		return dec, err == nil
	}
	n, ok := d.number(c)
	if !ok {
		return nil, false
	}
	switch p.form {
	case formInt8:
		return int8(n.low()), true
	case formInt16:
		return d.boxes.int16(int16(n.low())), true
	case formInt32:
		return d.boxes.int32(int32(n.low())), true
	case formInt64:
		return d.boxes.int64(int64(n.low())), true
	case formFloat32:
		return d.boxes.float32(n.float32()), true
	case formFloat64:
		return d.boxes.float64(n.float64()), true
	case formDecimal:
		dec, err := n.decimal()
		return dec, err == nil
	case formDate:
		if n.isInt32() {
			t, err := connect.ToDate(p.schema, int32(n.bits))
			return t, err == nil
		}
	case formTime:
		if n.isInt32() {
			t, err := connect.ToTime(p.schema, int32(n.bits))
			return t, err == nil
		}
	case formTimestamp:
		if !n.float {
			t, err := connect.ToTimestamp(p.schema, int64(n.bits))
			return t, err == nil
		}
	}
	return nil, false
}

// string reads the string that begins here with its quote, which may be a member's name.
func (d *decoder) string(isName bool) (s string, ok bool) {
	from := d.pos + 1
	end, holds := scanString(d.b, from)
	if end < 0 {
		return "", false
	}
	d.pos = end + 1
	if holds != 0 && (holds != hasNonASCII || !utf8.Valid(d.b[from:end])) {
		var bad int
		d.scratch, bad = appendText(d.scratch[:0], d.b[from:end], isName)
		return string(d.scratch), bad < 0
	}
	if end > d.textTo || d.textTo-from > maxShared && d.text == "" {
		return string(d.b[from:end]), true
	}
	if d.text == "" {
		d.text, d.textFrom = string(d.b[from:d.textTo]), from
	}
	return d.text[from-d.textFrom : end-d.textFrom], true
}

// base64 reads a string of bytes.
func (d *decoder) base64() (b []byte, ok bool) {
	from := d.pos + 1
	end, holds := scanString(d.b, from)
	if end < 0 {
		return nil, false
	}
	text := view(d.b[from:end])
	if holds != 0 { // some write a slash with an escape
		if text, ok = d.string(false); !ok {
			return nil, false
		}
	}
	d.pos = end + 1
	b, err := decodeBase64(text)
	return b, err == nil
}

// alone reads a value without a schema.
func (d *decoder) alone(c byte) (v any, ok bool) {
	switch c {
	case '"':
		s, ok := d.string(false)
		if !ok {
			return nil, false
		}
		return d.boxes.string(s), true
	case '{':
		return d.object(c, nil)
	case '[':
		return d.array(c, nil)
	case 't':
		return true, d.has("true")
	case 'f':
		return false, d.has("false")
	case 'n':
		return nil, d.has("null")
	}
	n, ok := d.number(c)
	switch {
	case !ok:
		return nil, false
	case n.float:
		return d.boxes.float64(n.float64()), true
	}
	return d.boxes.int64(int64(n.bits)), true
}

// enter skips the bracket that begins an array or object and reports whether there may be one more.
func (d *decoder) enter() bool {
	d.pos++
	d.depth++
	return d.depth <= maxDepth
}

// more skips what stands between two elements, or the bracket that ends them.
func (d *decoder) more(end byte) (more, ok bool) {
	switch d.space() {
	case ',':
		d.pos++
		return true, true
	case end:
		d.pos++
		d.depth--
		return false, true
	}
	return false, false
}

func (d *decoder) array(c byte, element *plan) (v any, ok bool) {
	if c != '[' || !d.enter() {
		return nil, false
	}
	base := len(d.items)
	more := true
	if d.space() == ']' {
		d.pos++
		d.depth--
		more = false
	}
	for more {
		v, ok := d.value(element)
		if !ok {
			return nil, false
		}
		d.items = append(d.items, v)
		if more, ok = d.more(']'); !ok {
			return nil, false
		}
	}
	v = boxList(d.items[base:])
	clear(d.items[base:])
	d.items = d.items[:base]
	return v, true
}

func (d *decoder) object(c byte, element *plan) (v any, ok bool) {
	if c != '{' || !d.enter() {
		return nil, false
	}
	base := len(d.entries)
	more := true
	if d.space() == '}' {
		d.pos++
		d.depth--
		more = false
	}
	under := d.under
	at := under
	var seen nameSet
	strange := false // there are names that are not remembered
	for first := true; more; first = false {
		guess := *d.names.after(at, first)
		key, id, ok := d.name(guess)
		if !ok {
			return nil, false
		}
		if id == 0 {
			strange = true
		} else {
			if !seen.add(id) {
				return nil, false
			}
			if id != guess {
				*d.names.after(at, first) = id
			}
			at = id
			d.under = id
		}
		v, ok := d.value(element)
		if !ok {
			return nil, false
		}
		d.entries = append(d.entries, connect.Entry{Key: key, Value: v})
		if more, ok = d.more('}'); !ok {
			return nil, false
		}
	}
	d.under = under
	entries := make([]connect.Entry, len(d.entries)-base)
	copy(entries, d.entries[base:])
	clear(d.entries[base:])
	d.entries = d.entries[:base]
	if strange && !d.distinct(entries) {
		return nil, false
	}
	return connect.MapOfDistinct(entries), true
}

// distinct reports whether all keys, which are strings, differ.
func (d *decoder) distinct(entries []connect.Entry) bool {
	const few = 6
	if len(entries) <= few {
		for i := range entries {
			for j := range i {
				if entries[i].Key.(string) == entries[j].Key.(string) {
					return false
				}
			}
		}
		return true
	}
	const many = 1 << 14 // then nodes do it
	if len(entries) > many {
		return false
	}
	// A table with open addressing of the entries' indices plus one.
	size := 16
	for size < 2*len(entries) {
		size *= 2
	}
	if cap(d.seen) < size {
		d.seen = make([]uint16, size)
	}
	table := d.seen[:size]
	clear(table)
	for i := range entries {
		key := entries[i].Key.(string)
		at := int(maphash.String(d.seed, key)) & (size - 1)
		for table[at] != 0 {
			if entries[table[at]-1].Key.(string) == key {
				return false
			}
			at = (at + 1) & (size - 1)
		}
		table[at] = uint16(i + 1)
	}
	return true
}

func (d *decoder) pairs(c byte, p *plan) (v any, ok bool) {
	if c != '[' || !d.enter() {
		return nil, false
	}
	m := connect.NewMapValue(0)
	if d.space() == ']' {
		d.pos++
		d.depth--
		return m, true
	}
	for more := true; more; {
		if d.space() != '[' || !d.enter() {
			return nil, false
		}
		k, ok := d.value(p.key)
		if !ok || d.space() != ',' {
			return nil, false
		}
		d.pos++
		v, ok := d.value(p.element)
		if !ok || d.space() != ']' {
			return nil, false
		}
		d.pos++
		d.depth--
		m.Set(k, v)
		if more, ok = d.more(']'); !ok {
			return nil, false
		}
	}
	return m, true
}
