package javatext

import (
	"math"
	"strings"
)

// ParseInt is Java's Integer.parseInt: a sign, and decimal digits of any script.
func ParseInt(s string) (int32, bool) {
	negative := false
	if rest, ok := strings.CutPrefix(s, "-"); ok {
		negative, s = true, rest
	} else {
		s = strings.TrimPrefix(s, "+")
	}
	n := int64(0)
	digits := false
	for _, r := range s {
		d := Digit(r)
		if d < 0 || r > 0xFFFF { // Java looks at one UTF-16 unit at a time
			return 0, false
		}
		if n = n*10 + int64(d); n > math.MaxInt32+1 {
			return 0, false
		}
		digits = true
	}
	if negative {
		n = -n
	}
	return int32(n), digits && n <= math.MaxInt32
}

// SplitTask takes <connector>-<task> apart, as Kafka Connect does with the keys of its internal topics: by Java's
// String.split, for which dashes at the end of the text are none.
func SplitTask(s string) (connector string, task int32, ok bool) {
	s = strings.TrimRight(s, "-")
	at := strings.LastIndexByte(s, '-')
	if at < 0 {
		return "", 0, false
	}
	task, ok = ParseInt(s[at+1:])
	return s[:at], task, ok
}
