package values

import "strings"

// tokens divides a text at the delimiters : , { } [ ] and ", unless one follows an odd number of backslashes. Tokens
// are the delimiters and what stands between them. This is Values.Parser, oddities included.
type tokens struct {
	text string
	pos  int // after the last token read
	next string
	have bool // next was read but not consumed
}

// mark returns the position of the next token.
func (t *tokens) mark() int {
	if t.have {
		return t.pos - len(t.next)
	}
	return t.pos
}

func (t *tokens) rewind(mark int) { t.pos, t.have = mark, false }

func (t *tokens) hasNext() bool { return t.have || t.pos < len(t.text) }

// take consumes the next token; there must be one.
func (t *tokens) take() string {
	if t.have {
		t.have = false
		return t.next
	}
	return t.read()
}

func (t *tokens) read() string {
	start, escaped := t.pos, false
	for t.pos < len(t.text) {
		switch t.text[t.pos] {
		case '\\':
			escaped = !escaped
		case ':', ',', '{', '}', '[', ']', '"':
			if !escaped {
				if t.pos == start {
					t.pos++
				}
				return t.text[start:t.pos]
			}
			escaped = false
		default:
			escaped = false
		}
		t.pos++
	}
	return t.text[start:]
}

// consume consumes the next token that is not blank if it is the expected one, but for white space around it. Blank
// tokens before it are lost in any case.
func (t *tokens) consume(expected string) bool {
	if !t.have {
		if !t.hasNext() {
			return false
		}
		t.next, t.have = t.read(), true
	}
	for t.pos < len(t.text) && blank(t.next) {
		t.next = t.read()
	}
	if trim(t.next) != expected {
		return false
	}
	t.have = false
	return true
}

// blank reports whether trim leaves nothing.
func blank(s string) bool {
	for i := range len(s) {
		if s[i] > ' ' {
			return false
		}
	}
	return true
}

// trim is Java's String.trim.
func trim(s string) string {
	return strings.TrimFunc(s, func(c rune) bool { return c <= ' ' })
}
