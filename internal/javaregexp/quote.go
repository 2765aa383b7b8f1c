package javaregexp

// unquote replaces \Q…\E by escapes, before anything else is read: in classes and comments too.
func unquote(src []rune) []rune {
	start := -1
	for i := 0; i+1 < len(src); {
		if src[i] != '\\' {
			i++
			continue
		}
		if src[i+1] == 'Q' {
			start = i
			break
		}
		i += 2
	}
	if start < 0 {
		return src
	}
	out := append(make([]rune, 0, len(src)+16), src[:start]...)
	quoted, first := true, true
	for i := start + 2; i < len(src); {
		c := src[i]
		i++
		switch {
		case c >= 0x80 || isAlpha(c):
			out = append(out, c)
		case isDigit(c):
			if first && quoted { // not a part of an escape before the quote
				out = append(out, '\\', 'x', '3')
			}
			out = append(out, c)
		case c != '\\':
			if quoted {
				out = append(out, '\\')
			}
			out = append(out, c)
		case quoted && i < len(src) && src[i] == 'E':
			i++
			quoted = false
		case quoted:
			out = append(out, '\\', '\\')
		case i < len(src) && src[i] == 'Q':
			i++
			quoted, first = true, true
			continue
		default:
			out = append(out, c)
			if i < len(src) {
				out = append(out, src[i])
				i++
			}
		}
		first = false
	}
	return out
}

func isDigit(c rune) bool { return c >= '0' && c <= '9' }
func isAlpha(c rune) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }
func isSpace(c rune) bool { return c == ' ' || c >= '\t' && c <= '\r' }
