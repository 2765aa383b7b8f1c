package rest

import (
	"errors"
	"maps"
	"net/http"
	"slices"
	"sort"
	"strings"
)

const jsonType = "application/json"

// mediaType is a media type of a header, as it was written.
type mediaType struct {
	name, sub string
	params    map[string]string // by their names in lower case
	quality   int               // in thousandths; of Accept alone
}

func (m mediaType) is(name string) bool { return strings.EqualFold(m.name+"/"+m.sub, name) }

// wildcards returns how much of the type is open.
func (m mediaType) wildcards() int {
	switch {
	case m.name == "*":
		return 2
	case m.sub == "*":
		return 1
	}
	return 0
}

// allows reports whether a type without wildcards is one of these.
func (m mediaType) allows(name, sub string) bool {
	return m.name == "*" || strings.EqualFold(m.name, name) && (m.sub == "*" || strings.EqualFold(m.sub, sub))
}

// text returns the type as the header of an answer shows it: with its parameters sorted, and with or without its quality.
func (m mediaType) text(quality bool) string {
	var b strings.Builder
	b.WriteString(m.name + "/" + m.sub)
	for _, key := range slices.Sorted(maps.Keys(m.params)) {
		value := m.params[key]
		if !quality && (key == "q" || key == "qs") {
			continue
		}
		if strings.ContainsFunc(value, func(r rune) bool { return r >= 0x80 || !isTokenByte(byte(r)) }) {
			value = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value) + `"`
		}
		b.WriteString(";" + key + "=" + value)
	}
	text := b.String()
	if known := strings.ToLower(text); slices.Contains(common[:], known) {
		return known
	}
	return text
}

// common are types that the server below Kafka Connect writes in lower case.
var common = [...]string{
	"application/json", "application/json;charset=utf-8", "application/json;charset=iso-8859-1",
	"text/html", "text/html;charset=utf-8", "text/html;charset=iso-8859-1", "text/plain", "text/plain;charset=utf-8", "text/plain;charset=iso-8859-1",
	"text/json", "text/json;charset=utf-8", "text/json;charset=iso-8859-1", "text/xml", "text/xml;charset=utf-8", "text/xml;charset=iso-8859-1",
}

var errMedia = errors.New("it is not a media type")

// scanner reads a header as Jersey does, which has no mercy with white space.
type scanner struct{ rest string }

func isTokenByte(c byte) bool {
	return c > ' ' && c < 0x7f && strings.IndexByte(`()<>@,;:\"/[]?={}`, c) < 0
}

// more skips white space and reports whether something is left.
func (s *scanner) more() bool {
	s.rest = strings.TrimLeft(s.rest, " \t\r\n")
	return s.rest != ""
}

func (s *scanner) separator(c byte) bool {
	if s.rest == "" || s.rest[0] != c {
		return false
	}
	s.rest = s.rest[1:]
	return true
}

func (s *scanner) token() (string, error) {
	n := 0
	for n < len(s.rest) && isTokenByte(s.rest[n]) {
		n++
	}
	if n == 0 {
		return "", errMedia
	}
	t := s.rest[:n]
	s.rest = s.rest[n:]
	return t, nil
}

// value reads a token or a quoted string.
func (s *scanner) value() (string, error) {
	if !s.separator('"') {
		return s.token()
	}
	var b strings.Builder
	for i := 0; i < len(s.rest); i++ {
		switch c := s.rest[i]; {
		case c == '"':
			s.rest = s.rest[i+1:]
			return b.String(), nil
		case c == '\\' && i+1 < len(s.rest):
			i++
			b.WriteByte(s.rest[i])
		default:
			b.WriteByte(c)
		}
	}
	return "", errMedia
}

// mediaType reads one type. In a list it may be a name alone, and ends before a comma.
func (s *scanner) mediaType(listed bool) (m mediaType, err error) {
	m.quality = 1000
	s.more()
	if m.name, err = s.token(); err != nil {
		return m, err
	}
	switch {
	case s.separator('/'):
		if m.sub, err = s.token(); err != nil {
			return m, err
		}
	case listed:
		m.sub = "*"
	default:
		return m, errMedia
	}
	for s.more() && !(listed && s.rest[0] == ',') {
		if !s.separator(';') {
			return m, errMedia
		}
		for s.more() && s.separator(';') {
		}
		if !s.more() || listed && s.rest[0] == ',' {
			break
		}
		key, err := s.token()
		if err != nil {
			return m, err
		}
		if !s.separator('=') {
			return m, errMedia
		}
		value, err := s.value()
		if err != nil {
			return m, err
		}
		if m.params == nil {
			m.params = make(map[string]string)
		}
		m.params[strings.ToLower(key)] = value
	}
	return m, nil
}

// parseMedia parses the types of a header with one.
func parseMedia(text string) (mediaType, error) {
	s := &scanner{text}
	return s.mediaType(false)
}

// parseAccept parses the types of a header with a list of them, those of the highest quality first.
func parseAccept(text string) (types []mediaType, err error) {
	s := &scanner{text}
	for s.more() {
		m, err := s.mediaType(true)
		if err != nil {
			return nil, err
		}
		if q, ok := m.params["q"]; ok {
			if m.quality, err = quality(q); err != nil {
				return nil, err
			}
		}
		types = append(types, m)
		if s.more() {
			s.rest = s.rest[1:] // the comma
		}
	}
	sort.SliceStable(types, func(i, j int) bool {
		a, b := types[i], types[j]
		return a.quality > b.quality || a.quality == b.quality && a.wildcards() < b.wildcards()
	})
	return types, nil
}

// quality returns a quality factor in thousandths.
func quality(q string) (int, error) {
	whole, fraction, point := strings.Cut(q, ".")
	if len(q) > 5 || whole != "0" && whole != "1" && (whole != "" || fraction == "") || point && fraction == "" && whole == "" {
		return 0, errMedia
	}
	value, unit := 0, 100
	for _, c := range []byte(fraction) {
		if c < '0' || c > '9' {
			return 0, errMedia
		}
		value += int(c-'0') * unit
		unit /= 10
	}
	switch {
	case whole == "1" && value > 0:
		return 0, errMedia
	case whole == "1":
		return 1000, nil
	}
	return value, nil
}

// acceptable returns the types that a request accepts, the best ones first.
func acceptable(r *http.Request) ([]mediaType, error) {
	accept := strings.Join(r.Header.Values("Accept"), ",")
	if accept == "" {
		return []mediaType{{name: "*", sub: "*", quality: 1000}}, nil
	}
	return parseAccept(accept)
}

// accepted returns the content type of an answer in JSON to a request that accepts these types; false if they do not
// allow it.
func accepted(types []mediaType) (string, bool) {
	for _, m := range types {
		switch {
		case !m.allows("application", "json"):
		case m.wildcards() > 0 || m.sub == "*" || m.name == "*":
			return jsonType, true
		default:
			return m.text(false), true
		}
	}
	return "", false
}

// body is what a request's content type says of its body.
type body int8

const (
	bodyJSON      body = iota
	bodyUntyped        // no type, or one with a wildcard: it can't be read
	bodyOther          // of another type
	bodyMalformed      // the header is no media type
)

func bodyOf(r *http.Request) body {
	given, ok := r.Header["Content-Type"]
	if !ok {
		return bodyUntyped
	}
	m, err := parseMedia(strings.Join(given, ","))
	switch {
	case err != nil:
		return bodyMalformed
	case m.is(jsonType):
		return bodyJSON
	case m.allows("application", "json"):
		return bodyUntyped
	}
	return bodyOther
}
