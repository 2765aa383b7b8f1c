package javaregexp

// class reads a character class after its bracket. The right side of && is read in the same way, but does not consume
// the bracket that ends both.
func (p *parser) class(consume bool) runeSet {
	p.enter()
	defer func() { p.depth-- }()
	negated := false
	if p.peek() == '^' && p.at(-1) == '[' {
		p.pos++
		negated = true
	}
	var set runeSet
	empty := true // nothing was read yet: a bracket is a member then
	add := func(s runeSet) {
		set, empty = set.union(s), false
	}
	for {
		switch p.peek() {
		case eof:
			p.fail("Unclosed character class")
		case '[':
			p.pos++
			add(p.class(true))
			continue
		case '&':
			start := p.pos
			p.pos++
			if p.peek() == '&' {
				p.pos++
				p.intersection(&set, &empty)
				continue
			}
			p.pos = start
		case ']':
			if !empty {
				if consume {
					p.pos++
				}
				if negated {
					return set.negate()
				}
				return set
			}
		}
		add(p.classRange())
	}
}

// intersection reads what stands after &&, up to the end of the class or the next &&.
func (p *parser) intersection(set *runeSet, empty *bool) {
	var right runeSet
	none := true
	for c := p.peek(); c != ']' && c != '&'; c = p.peek() {
		if c == eof {
			p.fail("Unclosed character class")
		}
		nested := c == '['
		if nested {
			p.pos++
		}
		right, none = right.union(p.class(nested)), false
	}
	switch {
	case !none && *empty:
		*set, *empty = right, false
	case !none:
		*set = set.intersect(right)
	case *empty:
		p.fail("Bad class syntax")
	}
}

// classRange reads a member of a class: a code point, a range or an escape for several.
func (p *parser) classRange() runeSet {
	var first rune
	if p.peek() == '\\' {
		c := p.at(1)
		switch c {
		case 'A', 'B', 'b', 'G', 'Z', 'z', 'R', 'X', 'k':
			p.pos += 2
			p.fail("Illegal/unsupported escape sequence")
		}
		r, set := p.escape(p.at(2) == '-')
		if set != nil {
			return set
		}
		first = r
	} else {
		first = p.at(0)
		p.pos++
	}
	if p.peek() != '-' {
		return p.fold(runes(first))
	}
	switch p.at(1) {
	case '[', ']':
		return p.fold(runes(first))
	}
	p.pos++
	last := p.peek()
	if last == '\\' {
		r, set := p.escape(true)
		if set != nil {
			p.fail("Illegal character range")
		}
		last = r
	} else {
		p.pos++
	}
	if last < first {
		p.fail("Illegal character range")
	}
	return p.fold(ranges(first, last))
}
