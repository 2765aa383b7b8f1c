package javaregexp

// The sets of the escapes, ASCII only.
var (
	digits     = ranges('0', '9')
	words      = ranges('0', '9', 'A', 'Z', 'a', 'z', '_', '_')
	spaces     = ranges('\t', '\r', ' ', ' ')
	horizontal = ranges('\t', '\t', ' ', ' ', 0xA0, 0xA0, 0x1680, 0x1680, 0x180E, 0x180E, 0x2000, 0x200A, 0x202F, 0x202F, 0x205F, 0x205F, 0x3000, 0x3000)
	vertical   = ranges('\n', '\r', 0x85, 0x85, 0x2028, 0x2029)
)

// escapeNode reads an escape outside of a class.
func (p *parser) escapeNode() *node {
	c := p.at(1)
	var n *node
	switch c {
	case 'A':
		n = &node{op: opBeginText}
	case 'z':
		n = &node{op: opEndText}
	case 'Z':
		n = &node{op: opEndFinal, unix: p.has(flagUnix)}
	case 'G':
		p.lastMatch = true
		n = &node{op: opLastMatch}
	case 'R':
		n = &node{op: opLineBreak}
	case 'X':
		n = &node{op: opGrapheme}
	case 'b':
		if p.at(2) == '{' && p.at(3) == 'g' && p.at(4) == '}' {
			p.pos += 3
			p.unsupported(`The boundary \b{g}`)
		}
		n = &node{op: opBoundary, set: p.wordSet()}
	case 'B':
		n = &node{op: opNotBoundary, set: p.wordSet()}
	case 'k':
		p.pos += 2
		if p.at(0) != '<' {
			p.fail(`\k is not followed by '<' for named capturing group`)
		}
		p.pos++
		name := p.groupName()
		number, ok := p.names[name]
		if !ok {
			p.fail("named capturing group <" + name + "> does not exist")
		}
		return &node{op: opBackref, number: number, fold: p.has(flagCase)}
	}
	if n != nil {
		p.pos += 2
		return n
	}
	if c >= '1' && c <= '9' {
		p.pos += 2
		number := int(c - '0')
		for isDigit(p.at(0)) && number*10+int(p.at(0)-'0') <= p.groups {
			number = number*10 + int(p.at(0)-'0')
			p.pos++
		}
		return &node{op: opBackref, number: number, fold: p.has(flagCase)}
	}
	r, set := p.escape(false)
	if set != nil {
		return p.setNode(set)
	}
	return p.setNode(p.fold(runes(r)))
}

// wordSet returns what \b takes for a part of a word: since it is a Unicode notion in Java 17, also without the flag U.
func (p *parser) wordSet() runeSet {
	if p.has(flagUnicode) {
		return unicodeWords()
	}
	return unicodeLetters()
}

// escape reads an escape that stands for a code point or, with a set that is not nil, for several. inRange says
// that in a class a '-' comes next: \v is one code point then.
func (p *parser) escape(inRange bool) (r rune, set runeSet) {
	p.pos++
	c := p.at(0)
	p.pos++
	class := func(ascii runeSet, unicode func() runeSet, negated bool) runeSet {
		s := ascii
		if p.has(flagUnicode) && unicode != nil {
			s = unicode()
		}
		if negated {
			s = s.negate()
		}
		return s
	}
	switch c {
	case 'd', 'D':
		return 0, class(digits, unicodeDigits, c == 'D')
	case 'w', 'W':
		return 0, class(words, unicodeWords, c == 'W')
	case 's', 'S':
		return 0, class(spaces, unicodeSpaces, c == 'S')
	case 'h', 'H':
		return 0, class(horizontal, nil, c == 'H')
	case 'v', 'V':
		if c == 'v' && inRange {
			return '\v', nil
		}
		return 0, class(vertical, nil, c == 'V')
	case 'p', 'P':
		s := p.property()
		if c == 'P' {
			s = s.negate()
		}
		return 0, s
	case '0':
		return p.octal(), nil
	case 'x':
		return p.hex(), nil
	case 'u':
		return p.utf16(), nil
	case 'a':
		return 7, nil
	case 'e':
		return 0x1B, nil
	case 'f':
		return '\f', nil
	case 'n':
		return '\n', nil
	case 'r':
		return '\r', nil
	case 't':
		return '\t', nil
	case 'c':
		if p.at(0) == eof {
			p.fail("Illegal control escape sequence")
		}
		p.pos++
		return p.at(-1) ^ 64, nil
	case 'N':
		p.unsupported(`A character by name, \N{…},`)
	case eof:
		p.fail("Unexpected internal error: the pattern ends with a backslash")
	}
	if isAlpha(c) || isDigit(c) {
		p.fail("Illegal/unsupported escape sequence")
	}
	return c, nil
}

func (p *parser) octal() rune {
	digit := func() (rune, bool) {
		c := p.at(0)
		if c < '0' || c > '7' {
			return 0, false
		}
		return c - '0', true
	}
	n, ok := digit()
	if !ok {
		p.fail("Illegal octal escape sequence")
	}
	first := n
	p.pos++
	if d, ok := digit(); ok {
		n = n*8 + d
		p.pos++
		if d, ok := digit(); ok && first <= 3 {
			n = n*8 + d
			p.pos++
		}
	}
	return n
}

func hexDigit(c rune) (rune, bool) {
	switch {
	case isDigit(c):
		return c - '0', true
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10, true
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}

func (p *parser) hex() rune {
	if p.at(0) == '{' {
		p.pos++
		r, n := rune(0), 0
		for ; ; n++ {
			d, ok := hexDigit(p.at(0))
			if !ok {
				break
			}
			if r = r*16 + d; r > maxRune {
				p.fail("Hexadecimal codepoint is too big")
			}
			p.pos++
		}
		if p.at(0) != '}' {
			p.fail("Unclosed hexadecimal escape sequence")
		}
		p.pos++
		if n == 0 {
			p.fail("Illegal hexadecimal escape sequence")
		}
		return r
	}
	return p.hexDigits(2, "Illegal hexadecimal escape sequence")
}

func (p *parser) hexDigits(n int, message string) rune {
	r := rune(0)
	for range n {
		d, ok := hexDigit(p.at(0))
		if !ok {
			p.fail(message)
		}
		r = r*16 + d
		p.pos++
	}
	return r
}

// utf16 reads \uXXXX, and a second one if both are a surrogate pair.
func (p *parser) utf16() rune {
	r := p.hexDigits(4, "Illegal Unicode escape sequence")
	if r >= 0xD800 && r <= 0xDBFF && p.at(0) == '\\' && p.at(1) == 'u' {
		start := p.pos
		p.pos += 2
		if low := p.hexDigits(4, "Illegal Unicode escape sequence"); low >= 0xDC00 && low <= 0xDFFF {
			return (r-0xD800)<<10 + (low - 0xDC00) + 0x10000
		}
		p.pos = start
	}
	return r
}
