package javatext

import (
	"fmt"
	"time"
	"unicode/utf8"
)

// letters are the pattern letters that SimpleDateFormat knows.
const letters = "GyMdkHmsSEDFwWahKzZYuXL"

// element is a part of a compiled pattern: a run of a letter, or literal text.
type element struct {
	letter  byte // 0 for literal text
	count   int
	literal string
	// obeyCount says that a number must end after count digits, since another one follows without a separator.
	obeyCount bool
}

// DateFormat is a compiled pattern of java.text.SimpleDateFormat, with the names of the locale en-US. It is immutable
// and safe for concurrent use.
type DateFormat struct {
	pattern  string
	elements []element
	loc      *time.Location
	// centuryStart is where the hundred years begin that two-digit years are taken to lie in.
	centuryStart     time.Time
	centuryStartYear int
}

// CompileDate compiles a pattern for times in UTC; see [DateFormat.In]. The error is Java's.
func CompileDate(pattern string) (*DateFormat, error) {
	f := &DateFormat{pattern: pattern, loc: time.UTC}
	f.centuryStart = time.Now().UTC().AddDate(-80, 0, 0)
	f.centuryStartYear = f.centuryStart.Year()
	var literal []byte
	flush := func() {
		if len(literal) > 0 {
			f.elements = append(f.elements, element{literal: string(literal)})
			literal = nil
		}
	}
	quoted := false
	for i := 0; i < len(pattern); {
		c := pattern[i]
		switch {
		case c == '\'':
			if i+1 < len(pattern) && pattern[i+1] == '\'' {
				literal = append(literal, '\'')
				i += 2
				continue
			}
			quoted = !quoted
			i++
		case quoted || c >= utf8.RuneSelf || !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'):
			literal = append(literal, c)
			i++
		default:
			n := 1
			for i+n < len(pattern) && pattern[i+n] == c {
				n++
			}
			if !isLetter(c) {
				return nil, fmt.Errorf("Illegal pattern character '%c'", c)
			}
			if c == 'X' && n > 3 {
				return nil, fmt.Errorf("invalid ISO 8601 format: length=%d", n)
			}
			flush()
			f.elements = append(f.elements, element{letter: c, count: n})
			i += n
		}
	}
	if quoted {
		return nil, fmt.Errorf("Unterminated quote")
	}
	flush()
	for i := range f.elements[:max(len(f.elements)-1, 0)] {
		f.elements[i].obeyCount = f.elements[i+1].numeric()
	}
	return f, nil
}

func isLetter(c byte) bool {
	for i := range len(letters) {
		if letters[i] == c {
			return true
		}
	}
	return false
}

// numeric reports whether the element is always a number.
func (e *element) numeric() bool {
	switch e.letter {
	case 'M', 'L':
		return e.count <= 2
	case 'y', 'd', 'k', 'H', 'm', 's', 'S', 'D', 'F', 'w', 'W', 'h', 'K', 'Y', 'u':
		return true
	}
	return false
}

// In returns the same format for times in another zone.
func (f *DateFormat) In(loc *time.Location) *DateFormat {
	g := *f
	g.loc = loc
	return &g
}

// String returns the pattern.
func (f *DateFormat) String() string { return f.pattern }
