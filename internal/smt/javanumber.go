package smt

import (
	"errors"
	"math"
	"strconv"
	"strings"

	"github.com/gokconnect/connect/internal/javatext"
)

var errNoNumber = errors.New("not a number in Java's syntax")

// parseJavaInt parses as Java's Byte.parseByte and its like do: decimal digits of any script in the basic plane.
func parseJavaInt(s string, bits int) (int64, error) {
	digits := strings.Map(func(r rune) rune {
		if r < 0x80 || r > 0xffff {
			return r
		}
		if d := javatext.Digit(r); d >= 0 {
			return '0' + rune(d)
		}
		return r
	}, s)
	return strconv.ParseInt(digits, 10, bits)
}

// parseJavaFloat parses as Java's Double.parseDouble or, with 32 bits, Float.parseFloat does: also with white space
// around, with a suffix f or d, and in hexadecimal. What is too large is infinite.
func parseJavaFloat(s string, bits int) (float64, error) {
	s = trimJava(s)
	body := s
	if body != "" && (body[0] == '-' || body[0] == '+') {
		body = body[1:]
	}
	switch body {
	case "NaN":
		return math.NaN(), nil
	case "Infinity":
		if s[0] == '-' {
			return math.Inf(-1), nil
		}
		return math.Inf(1), nil
	}
	hex := len(body) > 1 && body[0] == '0' && body[1]|0x20 == 'x'
	if hex && !strings.ContainsAny(body, "pP") {
		return 0, errNoNumber
	}
	number := s
	if n := len(s); n > 0 && strings.IndexByte("fFdD", s[n-1]) >= 0 {
		number = s[:n-1]
	}
	for _, c := range []byte(number) {
		// What Go reads too, but Java does not: inf, nan, and underscores.
		if c == '_' || !hex && (c|0x20 >= 'a' && c|0x20 <= 'z') && c|0x20 != 'e' {
			return 0, errNoNumber
		}
	}
	f, err := strconv.ParseFloat(number, bits)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0, errNoNumber
	}
	return f, nil
}
