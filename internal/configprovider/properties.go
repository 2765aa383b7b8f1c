package configprovider

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/gokconnect/connect"
)

// ParseProperties reads a text in the format of Java's properties files: comments after # and !, lines continued by a
// backslash, keys that end at =, : or white space, and the escapes \t \n \f \r and \uXXXX. Of a key that is there twice
// the last value counts. An error means a malformed \uXXXX; it does not quote the text, which may hold secrets.
func ParseProperties(text string) (connect.Config, error) {
	config := connect.Config{}
	lines := lineReader{text: text}
	for {
		line, ok := lines.next()
		if !ok {
			return config, nil
		}
		rawKey, rawValue := splitProperty(line)
		key, err := unescape(rawKey)
		if err != nil {
			return nil, err
		}
		value, err := unescape(rawValue)
		if err != nil {
			return nil, err
		}
		config[key] = value
	}
}

// LoadProperties reads a properties file, such as a worker's configuration. The file is UTF-8; one that is not valid as
// UTF-8 is read as Latin-1, which is what Java takes every such file for.
func LoadProperties(path string) (connect.Config, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	text := string(content)
	if !utf8.ValidString(text) {
		runes := make([]rune, len(content))
		for i, b := range content {
			runes[i] = rune(b)
		}
		text = string(runes)
	}
	config, err := ParseProperties(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return config, nil
}

// lineReader cuts a text into logical lines as java.util.Properties does, step by step, so that its odd corners are the
// same: without comments, blank lines and leading white space, and with continued lines joined.
type lineReader struct {
	text string
	off  int
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\f' }
func isEnd(c byte) bool   { return c == '\n' || c == '\r' }

func (r *lineReader) next() (string, bool) {
	var line []byte
	skipBlank, continued, escaped := true, false, false
	for r.off < len(r.text) {
		c := r.text[r.off]
		r.off++
		if skipBlank {
			if isBlank(c) || !continued && isEnd(c) {
				continue
			}
			skipBlank, continued = false, false
		}
		if len(line) == 0 && (c == '#' || c == '!') {
			for r.off < len(r.text) && !isEnd(r.text[r.off]) {
				r.off++
			}
			skipBlank = true
			continue
		}
		if !isEnd(c) {
			line = append(line, c)
			escaped = c == '\\' && !escaped
			continue
		}
		switch {
		case len(line) == 0:
			skipBlank = true
		case r.off == len(r.text):
			return string(withoutLast(line, escaped)), true
		case escaped:
			line = line[:len(line)-1]
			skipBlank, continued, escaped = true, true, false
			if c == '\r' && r.text[r.off] == '\n' {
				r.off++
			}
		default:
			return string(line), true
		}
	}
	if len(line) == 0 {
		return "", false
	}
	return string(withoutLast(line, escaped)), true
}

func withoutLast(line []byte, cut bool) []byte {
	if cut {
		return line[:len(line)-1]
	}
	return line
}

func splitProperty(line string) (key, value string) {
	escaped := false
	end, start, separated := len(line), len(line), false
	for i := 0; i < len(line); i++ {
		c := line[i]
		if !escaped && (c == '=' || c == ':' || isBlank(c)) {
			end, start, separated = i, i+1, !isBlank(c)
			break
		}
		escaped = c == '\\' && !escaped
	}
	for ; start < len(line); start++ {
		c := line[start]
		if isBlank(c) {
			continue
		}
		if separated || c != '=' && c != ':' {
			break
		}
		separated = true
	}
	return line[:end], line[start:]
}

var errMalformedEscape = errors.New(`Malformed \uxxxx encoding.`)

func unescape(s string) (string, error) {
	if !strings.Contains(s, `\`) {
		return s, nil
	}
	out := make([]byte, 0, len(s))
	var units []uint16 // UTF-16 code units of a run of \uXXXX: two may make one character
	flush := func() {
		for _, r := range utf16.Decode(units) {
			out = utf8.AppendRune(out, r)
		}
		units = units[:0]
	}
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			flush()
			out = append(out, s[i])
			continue
		}
		i++
		if i == len(s) {
			break // only the last line of a text that ends in a backslash gets here
		}
		switch c := s[i]; c {
		case 'u':
			if i+4 >= len(s) {
				return "", errMalformedEscape
			}
			unit, ok := hex4(s[i+1 : i+5])
			if !ok {
				return "", errMalformedEscape
			}
			units = append(units, unit)
			i += 4
			continue
		case 't':
			flush()
			out = append(out, '\t')
		case 'n':
			flush()
			out = append(out, '\n')
		case 'r':
			flush()
			out = append(out, '\r')
		case 'f':
			flush()
			out = append(out, '\f')
		default:
			flush()
			out = append(out, c)
		}
	}
	flush()
	return string(out), nil
}

func hex4(s string) (uint16, bool) {
	var n uint16
	for _, c := range []byte(s) {
		n <<= 4
		switch {
		case '0' <= c && c <= '9':
			n |= uint16(c - '0')
		case 'a' <= c && c <= 'f':
			n |= uint16(c-'a') + 10
		case 'A' <= c && c <= 'F':
			n |= uint16(c-'A') + 10
		default:
			return 0, false
		}
	}
	return n, true
}
