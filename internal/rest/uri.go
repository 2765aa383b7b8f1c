package rest

import (
	"fmt"
	"html"
	"net/http"
	"strings"
	"unicode/utf8"
)

// maxURI bounds the request line, as Jetty does.
const maxURI = 8100

// refusal returns why Jetty, the HTTP server below Kafka Connect, refuses a request before Connect sees it; 0 if it does
// not. The path is as it came, with its escapes.
func refusal(path, query string) (status int, reason string) {
	if len(path)+len(query) > maxURI {
		return http.StatusRequestURITooLong, "URI Too Long"
	}
	bad := func(reason string) (int, string) { return http.StatusBadRequest, reason }
	if strings.Contains(path, "//") {
		return bad("Ambiguous URI empty segment")
	}
	for segment := range strings.SplitSeq(path, "/") {
		name, _, _ := strings.Cut(segment, ";")
		var decoded []byte
		for i := 0; i < len(name); i++ {
			c := name[i]
			if c == '%' {
				if i+1 < len(name) && name[i+1] == 'u' {
					return bad("UTF-16 encoding")
				}
				hi, lo := -1, -1
				if i+2 < len(name) {
					hi, lo = unhex(name[i+1]), unhex(name[i+2])
				}
				if hi < 0 || lo < 0 {
					return bad("Bad Request")
				}
				i += 2
				switch c = byte(hi<<4 | lo); c {
				case 0:
					return bad("Bad Request")
				case '/':
					return bad("Ambiguous URI path separator")
				case '%':
					return bad("Ambiguous URI path encoding")
				}
			}
			if c == '\\' || c < 0x20 || c == 0x7f {
				return bad("Suspicious Path Character")
			}
			decoded = append(decoded, c)
		}
		if !utf8.Valid(decoded) {
			return bad("Bad UTF-8 encoding")
		}
		if text := string(decoded); (text == "." || text == "..") && text != name {
			return bad("Ambiguous URI path segment")
		}
	}
	return 0, ""
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

// Page returns the HTML page of Jetty for an error.
func Page(status int, reason string) string {
	reason = html.EscapeString(reason)
	return fmt.Sprintf("<html>\n<head>\n<meta http-equiv=\"Content-Type\" content=\"text/html;charset=ISO-8859-1\"/>\n"+
		"<title>Error %d %s</title>\n</head>\n<body>\n<h2>HTTP ERROR %d %s</h2>\n</body>\n</html>\n", status, reason, status, reason)
}

// The headers of such a page.
const (
	PageType  = "text/html;charset=iso-8859-1"
	PageCache = "must-revalidate,no-cache,no-store"
)

func writePage(w http.ResponseWriter, status int, reason string) {
	w.Header().Set("Content-Type", PageType)
	w.Header().Set("Cache-Control", PageCache)
	w.WriteHeader(status)
	_, _ = w.Write([]byte(Page(status, reason))) // the client has gone if this fails
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
