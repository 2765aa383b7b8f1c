package rest

import (
	"net/http"
	"strings"
)

// mediaType is a media type of a header.
type mediaType struct{ name, charset string }

// parseMedia parses one media type; false if it is none.
func parseMedia(s string) (mediaType, bool) {
	name, params, _ := strings.Cut(s, ";")
	name = strings.ToLower(strings.TrimSpace(name))
	major, minor, ok := strings.Cut(name, "/")
	if !ok || !isToken(major) || !isToken(minor) {
		return mediaType{}, false
	}
	m := mediaType{name: name}
	for p := range strings.SplitSeq(params, ";") {
		if key, value, ok := strings.Cut(strings.TrimSpace(p), "="); ok && strings.EqualFold(key, "charset") {
			m.charset = strings.Trim(value, `"`)
		}
	}
	return m, true
}

func isToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`()<>@,;:\"/[]?=`, r)
	})
}

const jsonType = "application/json"

// accepted returns the content type of the answer that the request accepts; false if it accepts none that there is.
func accepted(r *http.Request) (string, bool) {
	accept := strings.Join(r.Header.Values("Accept"), ",")
	if strings.TrimSpace(accept) == "" {
		return jsonType, true
	}
	for part := range strings.SplitSeq(accept, ",") {
		m, ok := parseMedia(part)
		if !ok || m.name != jsonType && m.name != "application/*" && m.name != "*/*" {
			continue
		}
		if m.charset != "" && isToken(m.charset) {
			return jsonType + ";charset=" + m.charset, true
		}
		return jsonType, true
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
	m, ok := parseMedia(strings.Join(given, ","))
	switch {
	case !ok:
		return bodyMalformed
	case m.name == jsonType:
		return bodyJSON
	case m.name == "application/*", m.name == "*/*":
		return bodyUntyped
	}
	return bodyOther
}
