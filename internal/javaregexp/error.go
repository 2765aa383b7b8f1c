package javaregexp

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Error says that a pattern is not a Java regular expression, or has a construct that is not supported.
type Error struct {
	Pattern string
	Index   int    // of the code point at or after which the mistake is, as Java counts; -1 if it is about the whole pattern
	Message string // what is wrong, naming the construct
}

func (e *Error) Error() string {
	if e.Index < 0 {
		return fmt.Sprintf("%s: %s", e.Message, e.Pattern)
	}
	return fmt.Sprintf("%s near index %d: %s", e.Message, e.Index, e.Pattern)
}

// Java returns the message of Java's PatternSyntaxException: several lines, with a mark below the place.
func (e *Error) Java() string {
	if e.Index < 0 {
		return e.Message + "\n" + e.Pattern
	}
	text := fmt.Sprintf("%s near index %d\n%s", e.Message, e.Index, e.Pattern)
	if e.Index < utf8.RuneCountInString(e.Pattern) {
		text += "\n" + strings.Repeat(" ", e.Index) + "^"
	}
	return text
}
