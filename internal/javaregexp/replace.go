package javaregexp

import (
	"errors"
	"fmt"
)

// expand appends a replacement, with its references to groups resolved.
func (r *Regexp) expand(dst []byte, replacement string, group func(int) string) ([]byte, error) {
	for i := 0; i < len(replacement); {
		c := replacement[i]
		i++
		switch c {
		case '\\':
			if i == len(replacement) {
				return nil, errors.New("character to be escaped is missing")
			}
			dst = append(dst, replacement[i]) // the rest of a longer code point follows as it is
			i++
		case '$':
			number, next, err := r.reference(replacement, i)
			if err != nil {
				return nil, err
			}
			dst = append(dst, group(number)...)
			i = next
		default:
			dst = append(dst, c)
		}
	}
	return dst, nil
}

// reference reads what follows a $ at i, and returns the group and the index after the reference.
func (r *Regexp) reference(replacement string, i int) (number, next int, err error) {
	if i == len(replacement) {
		return 0, 0, errors.New("Illegal group reference: group index is missing")
	}
	if replacement[i] == '{' {
		i++
		start := i
		for i < len(replacement) && (isAlpha(rune(replacement[i])) || isDigit(rune(replacement[i]))) {
			i++
		}
		name := replacement[start:i]
		switch {
		case name == "":
			return 0, 0, errors.New("named capturing group has 0 length name")
		case i == len(replacement) || replacement[i] != '}':
			return 0, 0, errors.New("named capturing group is missing trailing '}'")
		case isDigit(rune(name[0])):
			return 0, 0, fmt.Errorf("capturing group name {%s} starts with digit character", name)
		}
		number, ok := r.names[name]
		if !ok {
			return 0, 0, fmt.Errorf("No group with name {%s}", name)
		}
		return number, i + 1, nil
	}
	if !isDigit(rune(replacement[i])) {
		return 0, 0, errors.New("Illegal group reference")
	}
	number = int(replacement[i] - '0')
	for i++; i < len(replacement) && isDigit(rune(replacement[i])); i++ {
		longer := number*10 + int(replacement[i]-'0')
		if longer > r.groups {
			break
		}
		number = longer
	}
	if number > r.groups {
		return 0, 0, fmt.Errorf("No group %d", number)
	}
	return number, i, nil
}
