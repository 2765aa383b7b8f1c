package javaregexp

type flags int

const (
	flagCase        flags = 1 << iota // i
	flagUnix                          // d
	flagMultiline                     // m
	flagDotAll                        // s
	flagUnicodeCase                   // u
	flagComments                      // x
	flagUnicode                       // U
)

// maxDepth bounds how deep groups and classes nest.
const maxDepth = 500

// eof is what peek returns at the end.
const eof rune = -1

// parser reads a pattern in the way of java.util.regex.Pattern, whose errors and oddities it keeps.
type parser struct {
	pattern string
	src     []rune
	pos     int
	flags   flags
	groups  int
	names   map[string]int
	depth   int
	// lastMatch says that \G is used.
	lastMatch bool
}

// parse returns the tree of a pattern. Errors come as a panic with an *Error, see fail.
func parse(pattern string) (root *node, p *parser, err error) {
	p = &parser{pattern: pattern, src: unquote([]rune(pattern)), names: make(map[string]int)}
	defer func() {
		if v := recover(); v != nil {
			e, ok := v.(*Error)
			if !ok {
				panic(v)
			}
			root, err = nil, e
		}
	}()
	root = p.alternation()
	if p.peek() == ')' {
		p.fail("Unmatched closing ')'")
	}
	return root, p, nil
}

func (p *parser) fail(message string) {
	panic(&Error{Pattern: p.pattern, Index: max(p.pos-1, 0), Message: message})
}

func (p *parser) unsupported(construct string) {
	panic(&Error{Pattern: p.pattern, Index: max(min(p.pos, len(p.src))-1, 0), Message: construct + " is not supported"})
}

func (p *parser) has(f flags) bool { return p.flags&f != 0 }

func (p *parser) enter() {
	if p.depth++; p.depth > maxDepth {
		p.fail("The pattern nests too deeply")
	}
}

// at returns the code point n after the current one, white space and all.
func (p *parser) at(n int) rune {
	if p.pos+n >= len(p.src) || p.pos+n < 0 {
		return eof
	}
	return p.src[p.pos+n]
}

// peek returns the current code point, after what the flag x skips.
func (p *parser) peek() rune {
	if p.has(flagComments) {
		for p.pos < len(p.src) {
			if isSpace(p.src[p.pos]) {
				p.pos++
			} else if p.src[p.pos] == '#' {
				for p.pos < len(p.src) && !lineEnds(p.has(flagUnix)).has(p.src[p.pos]) {
					p.pos++
				}
			} else {
				break
			}
		}
	}
	return p.at(0)
}

func lineEnds(unix bool) runeSet {
	if unix {
		return runes('\n')
	}
	return runes('\n', '\r', 0x85, 0x2028, 0x2029)
}

func (p *parser) alternation() *node {
	p.enter()
	defer func() { p.depth-- }()
	branches := []*node{p.sequence()}
	for p.peek() == '|' {
		p.pos++
		branches = append(branches, p.sequence())
	}
	if len(branches) == 1 {
		return branches[0]
	}
	return &node{op: opAlternate, subs: branches}
}

func (p *parser) sequence() *node {
	seq := &node{op: opConcat}
	for {
		var n *node
		switch c := p.peek(); c {
		case eof, '|', ')':
			return seq
		case '(':
			if n = p.group(); n == nil { // only flags
				continue
			}
		case '[':
			p.pos++
			n = p.setNode(p.class(true))
		case '^':
			p.pos++
			n = &node{op: opBeginText}
			if p.has(flagMultiline) {
				n = &node{op: opBeginLine, unix: p.has(flagUnix)}
			}
		case '$':
			p.pos++
			n = &node{op: opEndFinal, unix: p.has(flagUnix)}
			if p.has(flagMultiline) {
				n.op = opEndLine
			}
		case '.':
			p.pos++
			switch {
			case p.has(flagDotAll):
				n = p.setNode(anyRune)
			default:
				n = p.setNode(lineEnds(p.has(flagUnix)).negate())
			}
		case '*', '+', '?':
			p.pos++
			p.fail("Dangling meta character '" + string(c) + "'")
		case '{':
			n = &node{op: opEmpty}
		case '\\':
			n = p.escapeNode()
		default:
			p.pos++
			n = p.setNode(p.fold(runes(c)))
		}
		seq.subs = append(seq.subs, p.quantified(n))
	}
}

func (p *parser) setNode(s runeSet) *node { return &node{op: opSet, set: s} }

// fold adds the cases that the flags ask for.
func (p *parser) fold(s runeSet) runeSet {
	switch {
	case !p.has(flagCase):
		return s
	case p.has(flagUnicodeCase):
		return s.foldUnicode()
	}
	return s.foldASCII()
}

func (p *parser) quantified(n *node) *node {
	rep := &node{op: opRepeat, subs: []*node{n}}
	switch p.peek() {
	case '?':
		rep.max = 1
	case '*':
		rep.max = -1
	case '+':
		rep.min, rep.max = 1, -1
	case '{':
		p.pos++
		if !isDigit(p.at(0)) {
			p.fail("Illegal repetition")
		}
		rep.min = p.number()
		rep.max = rep.min
		if p.at(0) == ',' {
			p.pos++
			rep.max = -1
			if p.at(0) != '}' {
				if !isDigit(p.at(0)) {
					p.fail("Unclosed counted closure")
				}
				rep.max = p.number()
			}
		}
		if p.at(0) != '}' {
			p.fail("Unclosed counted closure")
		}
		if rep.max >= 0 && rep.max < rep.min {
			p.fail("Illegal repetition range")
		}
	default:
		return n
	}
	p.pos++
	switch p.peek() {
	case '?':
		p.pos++
		rep.mode = lazy
	case '+':
		p.pos++
		rep.mode = possessive
	}
	return rep
}

func (p *parser) number() int {
	n := 0
	for isDigit(p.at(0)) {
		n = n*10 + int(p.at(0)-'0')
		if n > 1<<31-1 {
			p.fail("Illegal repetition range")
		}
		p.pos++
	}
	return n
}

// group reads a group from its parenthesis on. It returns nil for one that only sets flags.
func (p *parser) group() *node {
	saved := p.flags
	p.pos++
	n := &node{op: opGroup}
	if p.peek() != '?' {
		p.groups++
		n.op, n.number = opCapture, p.groups
	} else {
		p.pos++
		c := p.at(0)
		p.pos++
		switch c {
		case ':':
		case '=':
			n.op = opAhead
		case '!':
			n.op = opNotAhead
		case '>':
			n.op = opAtomic
		case '<':
			c := p.at(0)
			switch {
			case c == '=':
				n.op = opBehind
				p.pos++
			case c == '!':
				n.op = opNotBehind
				p.pos++
			case isAlpha(c):
				name := p.groupName()
				if _, dup := p.names[name]; dup {
					p.fail("Named capturing group <" + name + "> is already defined")
				}
				p.groups++
				n.op, n.number = opCapture, p.groups
				p.names[name] = p.groups
			default:
				p.pos++
				p.fail("Unknown look-behind group")
			}
		case '$', '@':
			p.fail("Unknown group type")
		default:
			p.pos--
			p.modifiers()
			if p.at(0) == ')' {
				p.pos++
				return nil
			}
			if p.at(0) != ':' {
				p.pos++
				p.fail("Unknown inline modifier")
			}
			p.pos++
		}
	}
	n.subs = []*node{p.alternation()}
	if p.peek() != ')' {
		p.pos++
		p.fail("Unclosed group")
	}
	p.pos++
	p.flags = saved
	if (n.op == opBehind || n.op == opNotBehind) && n.subs[0].maxLen() == unbounded {
		p.fail("Look-behind group does not have an obvious maximum length")
	}
	return n
}

func (p *parser) groupName() string {
	start := p.pos
	for isAlpha(p.at(0)) || isDigit(p.at(0)) && p.pos > start {
		p.pos++
	}
	if p.pos == start {
		p.fail("capturing group name does not start with a Latin letter")
	}
	name := string(p.src[start:p.pos])
	if p.at(0) != '>' {
		p.pos++
		p.fail("named capturing group is missing trailing '>'")
	}
	p.pos++
	return name
}

// modifiers reads inline flags such as is-m.
func (p *parser) modifiers() {
	off := false
	for {
		var f flags
		switch p.at(0) {
		case 'i':
			f = flagCase
		case 'd':
			f = flagUnix
		case 'm':
			f = flagMultiline
		case 's':
			f = flagDotAll
		case 'u':
			f = flagUnicodeCase
		case 'x':
			f = flagComments
		case 'U':
			f = flagUnicode | flagUnicodeCase
		case 'c':
			p.pos++
			p.unsupported("The flag c (canonical equivalence)")
		case '-':
			if off {
				return
			}
			off = true
			p.pos++
			continue
		default:
			return
		}
		p.pos++
		if off {
			if f&flagUnicode != 0 {
				f = flagUnicode | flagUnicodeCase
			}
			p.flags &^= f
		} else {
			p.flags |= f
		}
	}
}
