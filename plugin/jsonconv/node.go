package jsonconv

import (
	"fmt"
	"unicode"
	"unicode/utf8"
)

// kind is a kind of JSON value.
type kind uint8

const (
	kindMissing kind = iota
	kindNull
	kindBoolean
	kindNumber
	kindString
	kindArray
	kindObject
)

// String returns the name that Jackson has for the kind.
func (k kind) String() string {
	return [...]string{"MISSING", "NULL", "BOOLEAN", "NUMBER", "STRING", "ARRAY", "OBJECT"}[k]
}

// node is a value of a parsed document. Schemas are read from nodes, and so are documents with which the decoder that
// reads ahead had trouble: nodes show what Connect sees, the last of members of one name, and the schema's order.
type node struct {
	kind   kind
	truth  bool
	number number
	raw    []byte // the document's bytes of an object
	text   string
	names  []string // of an object's members, each once
	items  []node   // an array's elements or an object's members
	index  map[string]int
}

// manyMembers is the number of members from which an object has an index.
const manyMembers = 16

// get returns the member of that name, or nil if there is none or the node is no object.
func (n *node) get(name string) *node {
	if n.kind != kindObject {
		return nil
	}
	if i := n.find(name); i >= 0 {
		return &n.items[i]
	}
	return nil
}

func (n *node) find(name string) int {
	if n.index != nil {
		if i, ok := n.index[name]; ok {
			return i
		}
		return -1
	}
	for i := range n.names {
		if n.names[i] == name {
			return i
		}
	}
	return -1
}

// set puts a member in the place of one with its name, or at the end.
func (n *node) set(name string, member node) {
	if i := n.find(name); i >= 0 {
		n.items[i] = member
		return
	}
	n.names = append(n.names, name)
	n.items = append(n.items, member)
	switch {
	case n.index != nil:
		n.index[name] = len(n.names) - 1
	case len(n.names) == manyMembers:
		n.index = make(map[string]int, 2*manyMembers)
		for i, name := range n.names {
			n.index[name] = i
		}
	}
}

// maxDepth is the deepest nesting of arrays and objects that Jackson reads and writes.
const maxDepth = 1000

// syntaxError says where a document is not JSON. It does not show the document, which can hold secrets.
type syntaxError struct {
	offset int
	what   string
}

func (e *syntaxError) Error() string { return fmt.Sprintf("byte %d: %s", e.offset, e.what) }

// parse reads the first value of a document, which is missing if there is only white space. What follows it is ignored,
// as Connect does, but for what must not follow a number or a literal directly.
func parse(b []byte) (n node, err error) {
	text, ok := toUTF8(b)
	if !ok {
		return n, &syntaxError{0, "not a known encoding of Unicode"}
	}
	p := parser{b: text, wide: len(text) > 0 && &text[len(text)-1] != &b[len(b)-1]}
	err = p.root(&n)
	return n, err
}

// parser reads a document into nodes.
type parser struct {
	b     []byte
	pos   int
	depth int
	wide  bool // the document was not UTF-8
}

func (p *parser) fail(at int, what string) error { return &syntaxError{at, what} }

// space skips white space and returns the byte after it, or 0 at the end.
func (p *parser) space() byte {
	for p.pos < len(p.b) {
		switch c := p.b[p.pos]; c {
		case ' ', '\n', '\r', '\t':
			p.pos++
		default:
			return c
		}
	}
	return 0
}

func (p *parser) root(n *node) error {
	if p.space(); p.pos >= len(p.b) {
		return nil
	}
	if err := p.value(n); err != nil || p.pos >= len(p.b) {
		return err
	}
	switch n.kind {
	case kindNumber:
		switch p.b[p.pos] {
		case ' ', '\t', '\r', '\n':
		default:
			return p.fail(p.pos, "a number must be followed by white space")
		}
	case kindNull, kindBoolean:
		if !p.endsLiteral() {
			return p.fail(p.pos, "a literal must not be followed by this character")
		}
	}
	return nil
}

// endsLiteral reports whether Jackson takes the literal before this character for complete: what is below the digits
// ends it, and what can't be part of an identifier in Java. Above ASCII it means to ask the same, but its parser of
// UTF-8 misreads the character, and finds it not valid.
func (p *parser) endsLiteral() bool {
	r, _ := utf8.DecodeRune(p.b[p.pos:])
	if r >= utf8.RuneSelf && p.wide {
		return r > 0xFFFF || r >= 0xA0 && !unicode.In(r, unicode.L, unicode.Nl, unicode.Sc, unicode.Pc, unicode.Nd, unicode.Mc, unicode.Mn, unicode.Cf)
	}
	letter := r|0x20 >= 'a' && r|0x20 <= 'z'
	return r < '0' || r > '9' && !letter && r != '_' && r < 0x7F
}

func (p *parser) value(n *node) error {
	c := p.space()
	switch {
	case p.pos >= len(p.b):
		return p.fail(p.pos, "unexpected end")
	case c == '"':
		n.kind = kindString
		return p.text(&n.text, false)
	case c == '{':
		return p.object(n)
	case c == '[':
		return p.array(n)
	case c == '-' || c-'0' <= 9:
		var end int
		if n.number, end = scanNumber(p.b, p.pos); end < 0 {
			return p.fail(p.pos, "not a number, or one that is too long")
		}
		n.kind = kindNumber
		p.pos = end
		return nil
	case p.literal("true"):
		n.kind, n.truth = kindBoolean, true
	case p.literal("false"):
		n.kind = kindBoolean
	case p.literal("null"):
		n.kind = kindNull
	default:
		return p.fail(p.pos, "expected a value")
	}
	return nil
}

func (p *parser) literal(word string) bool {
	if len(p.b)-p.pos < len(word) || string(p.b[p.pos:p.pos+len(word)]) != word {
		return false
	}
	p.pos += len(word)
	return true
}

// text reads the string that begins here with its quote.
func (p *parser) text(into *string, isName bool) error {
	from := p.pos + 1
	end, holds := scanString(p.b, from)
	if end < 0 {
		return p.fail(p.pos, "this string has no end, or holds a control character")
	}
	raw := p.b[from:end]
	p.pos = end + 1
	if holds == 0 || holds == hasNonASCII && utf8.Valid(raw) {
		*into = string(raw)
		return nil
	}
	decoded, bad := appendText(make([]byte, 0, len(raw)), raw, isName)
	if bad >= 0 {
		return p.fail(from+bad, "not a valid escape or not UTF-8")
	}
	*into = string(decoded)
	return nil
}

func (p *parser) enter() error {
	if p.depth++; p.depth > maxDepth {
		return p.fail(p.pos, fmt.Sprintf("nested deeper than %d", maxDepth))
	}
	p.pos++
	return nil
}

func (p *parser) array(n *node) error {
	n.kind = kindArray
	if err := p.enter(); err != nil {
		return err
	}
	if p.space() == ']' {
		p.pos++
		p.depth--
		return nil
	}
	for {
		n.items = append(n.items, node{})
		if err := p.value(&n.items[len(n.items)-1]); err != nil {
			return err
		}
		switch p.space() {
		case ',':
			p.pos++
		case ']':
			p.pos++
			p.depth--
			return nil
		default:
			return p.fail(p.pos, "expected a comma or the end of the array")
		}
	}
}

func (p *parser) object(n *node) error {
	n.kind = kindObject
	start := p.pos
	if err := p.enter(); err != nil {
		return err
	}
	if p.space() != '}' {
		for {
			if p.space() != '"' {
				return p.fail(p.pos, "expected the name of a member")
			}
			var name string
			if err := p.text(&name, true); err != nil {
				return err
			}
			if p.space() != ':' {
				return p.fail(p.pos, "expected a colon")
			}
			p.pos++
			var member node
			if err := p.value(&member); err != nil {
				return err
			}
			n.set(name, member)
			c := p.space()
			if c == ',' {
				p.pos++
				continue
			}
			if c != '}' {
				return p.fail(p.pos, "expected a comma or the end of the object")
			}
			break
		}
	}
	p.pos++
	p.depth--
	n.raw = p.b[start:p.pos]
	return nil
}
