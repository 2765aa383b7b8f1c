package rest

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"
)

// maxURI bounds the request line, as Jetty does.
const maxURI = 8100

// The violations of a path, in the order in which Jetty lists them.
const (
	ambiguousSegment = 1 << iota
	ambiguousEmptySegment
	ambiguousSeparator
	ambiguousParameter
	ambiguousEncoding
	utf16Encoding
	badUTF8
	suspiciousCharacter
	illegalCharacter
)

var violations = [...]string{
	"Ambiguous URI path segment", "Ambiguous URI empty segment", "Ambiguous URI path separator", "Ambiguous URI path parameter",
	"Ambiguous URI path encoding", "UTF-16 encoding", "Bad UTF-8 encoding", "Suspicious Path Character", "Illegal Path Character",
}

// refused is why Jetty, the HTTP server below Kafka Connect, refuses a request before Connect sees it.
type refused struct {
	status int // 0 if it does not
	reason string
	parser bool // it is already the parser that does
}

// refusal returns why a request is refused. The path is as it came, with its escapes.
func refusal(path, query string) refused {
	if len(path)+len(query) > maxURI {
		return refused{http.StatusRequestURITooLong, "URI Too Long", true}
	}
	bad := refused{http.StatusBadRequest, "Bad Request", true}
	found, depth := 0, 0
	segments := strings.Split(strings.TrimPrefix(path, "/"), "/")
	for i, segment := range segments {
		name, _, hasParams := strings.Cut(segment, ";")
		decoded, has, ok := decodeSegment(name)
		if !ok {
			return bad
		}
		found |= has
		last := i == len(segments)-1
		switch {
		case decoded == "" && (!last || i > 0 && strings.HasSuffix(path, "//") || !strings.HasPrefix(path, "/")):
			found |= ambiguousEmptySegment
			depth++
		case decoded == "." || decoded == "..":
			if decoded != name {
				found |= ambiguousSegment
			}
			if hasParams {
				found |= ambiguousParameter
			}
			if decoded == ".." {
				depth--
			}
		default:
			depth++
		}
		if depth < 0 {
			return bad // above the root
		}
	}
	if found == 0 {
		return refused{}
	}
	var reasons []string
	for i, text := range violations {
		if found>>i&1 != 0 {
			reasons = append(reasons, text)
		}
	}
	return refused{http.StatusBadRequest, strings.Join(reasons, ", "), false}
}

// decodeSegment returns a segment without its escapes, and its violations; false if it has escapes that are none.
func decodeSegment(name string) (text string, found int, ok bool) {
	var decoded []byte
	for i := 0; i < len(name); i++ {
		c := name[i]
		switch {
		case c != '%':
			if strings.IndexByte(pathCharacters, c) < 0 {
				found |= illegalCharacter
			}
			if c >= 0x80 {
				c = '?' // it makes no encoding bad
			}
		case strings.HasPrefix(name[i+1:], "u"):
			unit := 0
			if len(name) < i+6 {
				return "", 0, false
			}
			for _, h := range []byte(name[i+2 : i+6]) {
				if unhex(h) < 0 {
					return "", 0, false
				}
				unit = unit<<4 | unhex(h)
			}
			if unit == 0 {
				return "", 0, false
			}
			found |= utf16Encoding
			decoded = utf8.AppendRune(decoded, rune(unit))
			i += 5
			continue
		default:
			if len(name) < i+3 || unhex(name[i+1]) < 0 || unhex(name[i+2]) < 0 {
				return "", 0, false
			}
			c = byte(unhex(name[i+1])<<4 | unhex(name[i+2]))
			i += 2
			switch c {
			case 0:
				return "", 0, false
			case '/':
				found |= ambiguousSeparator
			case '%':
				found |= ambiguousEncoding
			}
		}
		if c == '\\' || c < 0x20 || c == 0x7f {
			found |= suspiciousCharacter
		}
		decoded = append(decoded, c)
	}
	if !utf8.Valid(decoded) {
		found |= badUTF8
	}
	return string(decoded), found, true
}

// pathCharacters may stand in a path without an escape.
const pathCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,=:@"

// target returns the path and the query of a request as they came. What a middleware took from the path, such as
// [http.StripPrefix], is gone there too.
func target(r *http.Request) (path, query string) {
	whole, _, _ := strings.Cut(r.RequestURI, "#")
	path, query, _ = strings.Cut(whole, "?")
	if !strings.HasPrefix(path, "/") {
		return r.URL.EscapedPath(), r.URL.RawQuery
	}
	full, err := url.ParseRequestURI(r.RequestURI)
	if err != nil {
		return r.URL.EscapedPath(), r.URL.RawQuery
	}
	if full.Path == r.URL.Path {
		return path, query
	}
	if prefix, ok := strings.CutSuffix(full.EscapedPath(), r.URL.EscapedPath()); ok && strings.HasPrefix(path, prefix) {
		return path[len(prefix):], query
	}
	return r.URL.EscapedPath(), r.URL.RawQuery
}

func unhex(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// unescape decodes what it can: a percent sign that begins no escape stays.
func unescape(s string, plus bool) string {
	if !strings.ContainsAny(s, "%+") {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '%' && i+2 < len(s) && unhex(s[i+1]) >= 0 && unhex(s[i+2]) >= 0:
			b.WriteByte(byte(unhex(s[i+1])<<4 | unhex(s[i+2])))
			i += 2
		case s[i] == '+' && plus:
			b.WriteByte(' ')
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

// segments returns the decoded segments of a path, without its parameters. A slash at the end counts for nothing.
func segments(path string) []string {
	path = strings.TrimPrefix(path, "/")
	path = strings.TrimSuffix(path, "/")
	if path == "" {
		return nil
	}
	parts := strings.Split(path, "/")
	for i, p := range parts {
		name, _, _ := strings.Cut(p, ";")
		parts[i] = unescape(name, false)
	}
	return parts
}

// query is a request's query: values by name, in order.
type query map[string][]string

func parseQuery(raw string) query {
	q := make(query)
	for pair := range strings.SplitSeq(raw, "&") {
		name, value, _ := strings.Cut(pair, "=")
		if name != "" {
			name = unescape(name, true)
			q[name] = append(q[name], unescape(value, true))
		}
	}
	return q
}

// flag returns a boolean parameter: the first value counts, and an empty one is none.
func (q query) flag(name string, otherwise bool) bool {
	if v := q[name]; len(v) > 0 && v[0] != "" {
		return strings.EqualFold(v[0], "true")
	}
	return otherwise
}

// locationOf returns the path of a connector's resource as the Location header gives it: what needs no escape stays, and
// what looks like an escape too. Braces begin a template, which fails.
func locationOf(name string) (string, error) {
	const prefix = "/connectors/"
	if open := strings.IndexByte(name, '{'); open >= 0 {
		variable, _, ok := strings.Cut(name[open+1:], "}")
		if !ok {
			return "", Errorf(http.StatusInternalServerError, "Invalid syntax in the template \"%s%s\". Check if a path parameter is terminated with a \"}\".", prefix, name)
		}
		return "", Errorf(http.StatusInternalServerError, "The template variable '%s' has no value", variable)
	}
	var b strings.Builder
	b.WriteString(prefix)
	name = strings.TrimPrefix(name, "/")
	for i := 0; i < len(name); i++ {
		c := name[i]
		escape := c == '%' && i+2 < len(name) && unhex(name[i+1]) >= 0 && unhex(name[i+2]) >= 0
		if escape || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~;/+:&=@$,!*'()", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String(), nil
}
