package javaregexp

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// emitter writes a tree in the syntax of one of the two engines.
type emitter struct {
	strings.Builder
	re2    bool
	groups int
	// What stands in the way of RE2, if anything, and on which texts its meaning is Java's.
	beyond     bool
	endFinal   bool // only texts that don't end with a line break
	boundaries bool // only ASCII texts
}

func (e *emitter) node(n *node) {
	switch n.op {
	case opEmpty:
	case opSet:
		e.set(n.set)
	case opConcat:
		for _, s := range n.subs {
			if s.op == opAlternate {
				e.wrap("(?:", s)
				continue
			}
			e.node(s)
		}
	case opAlternate:
		for i, s := range n.subs {
			if i > 0 {
				e.WriteByte('|')
			}
			e.node(s)
		}
	case opCapture:
		e.wrap("(", n.subs[0])
	case opGroup:
		e.wrap("(?:", n.subs[0])
	case opRepeat:
		e.repeat(n)
	case opBeginText:
		e.WriteString(`\A`)
	case opEndText:
		e.WriteString(`\z`)
	case opLineBreak:
		e.WriteString(`(?:\r\n|`)
		e.set(vertical)
		e.WriteByte(')')
	case opEndFinal:
		e.endFinal = true
		if e.re2 {
			e.WriteString(`\z`)
			return
		}
		if n.unix {
			e.WriteString(`(?=\n?\z)`)
		} else {
			e.WriteString(`(?=(?:\r\n|[\n\r\u0085\u2028\u2029])?\z)(?!(?<=\r)\n)`)
		}
	case opBoundary, opNotBoundary:
		e.boundary(n)
	default:
		e.beyond = true
		if !e.re2 {
			e.backtracking(n)
		}
	}
}

// backtracking writes what RE2 lacks.
func (e *emitter) backtracking(n *node) {
	switch n.op {
	case opAtomic:
		e.wrap("(?>", n.subs[0])
	case opAhead:
		e.wrap("(?=", n.subs[0])
	case opNotAhead:
		e.wrap("(?!", n.subs[0])
	case opBehind:
		e.wrap("(?<=", n.subs[0])
	case opNotBehind:
		e.wrap("(?<!", n.subs[0])
	case opBackref:
		switch {
		case n.number > e.groups: // Java: a group that is not there matches nothing
			e.WriteString("(?!)")
		case n.fold:
			e.WriteString(`(?i:\` + strconv.Itoa(n.number) + ")")
		default:
			e.WriteString(`(?:\` + strconv.Itoa(n.number) + ")")
		}
	case opBeginLine: // never at the end of the text
		if n.unix {
			e.WriteString(`(?:\A|(?<=\n))(?!\z)`)
		} else {
			e.WriteString(`(?:\A|(?<=[\n\u0085\u2028\u2029])|(?<=\r)(?!\n))(?!\z)`)
		}
	case opEndLine:
		if n.unix {
			e.WriteString(`(?=\n|\z)`)
		} else {
			e.WriteString(`(?=[\n\r\u0085\u2028\u2029]|\z)(?!(?<=\r)\n)`)
		}
	case opLastMatch:
		e.WriteString(`\G`)
	case opGrapheme:
		e.WriteString(`\X`)
	}
}

func (e *emitter) wrap(open string, n *node) {
	e.WriteString(open)
	e.node(n)
	e.WriteByte(')')
}

func (e *emitter) repeat(n *node) {
	sub := n.subs[0]
	if n.mode == possessive {
		e.beyond = true
	}
	if n.max != 1 && sub.minLen() == 0 && sub.op != opEmpty {
		e.beyond = true // the engines differ in how they end a loop over nothing
	}
	if sub.op == opLineBreak && n.max != 1 {
		e.beyond = true // \r\n is never two of several
		if !e.re2 {
			sub = &node{op: opAtomic, subs: []*node{sub}}
		}
	}
	if n.mode == possessive && !e.re2 {
		e.WriteString("(?>")
		defer e.WriteByte(')')
	}
	if sub.op == opSet || sub.op == opCapture || sub.op == opGroup {
		e.node(sub)
	} else {
		e.wrap("(?:", sub)
	}
	switch {
	case n.min == 0 && n.max == 1:
		e.WriteByte('?')
	case n.min == 0 && n.max < 0:
		e.WriteByte('*')
	case n.min == 1 && n.max < 0:
		e.WriteByte('+')
	case n.max < 0:
		fmt.Fprintf(e, "{%d,}", n.min)
	case n.min == n.max:
		fmt.Fprintf(e, "{%d}", n.min)
	default:
		fmt.Fprintf(e, "{%d,%d}", n.min, n.max)
	}
	if n.mode == lazy {
		e.WriteByte('?')
	}
}

func (e *emitter) boundary(n *node) {
	e.boundaries = true
	if e.re2 {
		if n.op == opBoundary {
			e.WriteString(`\b`)
		} else {
			e.WriteString(`\B`)
		}
		return
	}
	text := func(s runeSet) string {
		var e emitter
		e.set(s)
		return e.String()
	}
	// A combining mark counts as its base does.
	word, base, mark := text(n.set), text(n.set.minus(runes('_'))), text(tables(unicode.Mn))
	before := word + "|" + base + mark + "+"
	after := fmt.Sprintf(`(?=%s)|(?=%s)(?<=%s%s*)`, word, mark, base, mark)
	format := `(?:(?<=%[1]s)(?!%[2]s)|(?<!%[1]s)(?:%[2]s))`
	if n.op == opNotBoundary {
		format = `(?:(?<=%[1]s)(?:%[2]s)|(?<!%[1]s)(?!%[2]s))`
	}
	fmt.Fprintf(e, format, before, after)
}

var surrogates = ranges(0xD800, 0xDFFF)

func (e *emitter) set(s runeSet) {
	s = s.minus(surrogates)
	if r, ok := s.single(); ok {
		e.literal(r)
		return
	}
	switch {
	case len(s) == 0:
		e.WriteString(`[^\x00-` + string(rune(maxRune)) + "]")
		return
	case len(s) == 4 && s[0] == 0 && s[1] == 0xD7FF && s[2] == 0xE000 && s[3] == maxRune:
		if e.re2 {
			e.WriteString("(?s:.)")
		} else {
			e.WriteString(`[\x00-` + string(rune(maxRune)) + "]")
		}
		return
	}
	e.WriteByte('[')
	if s[len(s)-1] == maxRune {
		e.WriteByte('^')
		s = s.union(surrogates).negate()
	}
	for i := 0; i < len(s); i += 2 {
		e.literal(s[i])
		if s[i+1] > s[i] {
			e.WriteByte('-')
			e.literal(s[i+1])
		}
	}
	e.WriteByte(']')
}

func (e *emitter) literal(r rune) {
	if r < 0x80 && !isAlpha(r) && !isDigit(r) && r != '_' {
		fmt.Fprintf(e, `\x%02x`, r)
		return
	}
	e.WriteRune(r)
}
