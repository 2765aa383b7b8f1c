package rest_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/gokconnect/connect/internal/rest"
)

// What a Java worker answered to the same requests.
func TestPathsThatJettyRefuses(t *testing.T) {
	h := newServer(new(fake), nil).Handler(true)
	for path, reason := range map[string]string{
		"/a|b": "Illegal Path Character", "/a;|b": "", "/a%5cb": "Suspicious Path Character", "/a\\b": "Suspicious Path Character, Illegal Path Character",
		"/..": "Bad Request", "/a/../b": "", "/a/%2e/b": "Ambiguous URI path segment", "/%2e%2e/a": "Bad Request", "/a/..;x/b": "Ambiguous URI path parameter",
		"/a/%2e.;/x": "Ambiguous URI path segment, Ambiguous URI path parameter", "/;x": "", "/;x/a": "Ambiguous URI empty segment", "/a;x/b": "",
		"/a//": "Ambiguous URI empty segment", "/a/": "", "/a/;": "", "/a%00": "Bad Request", "/a%zz": "Bad Request",
		"/a%u0041": "UTF-16 encoding", "/a%25": "Ambiguous URI path encoding", "/a%2f": "Ambiguous URI path separator", "/a%ff": "Bad UTF-8 encoding",
		"/a;%ff": "", "/a%c3%a4": "", "/\u00e4": "Illegal Path Character", "/a%0dlth%2f": "Ambiguous URI path separator, Suspicious Path Character",
		"/he%C0%AFalth\\": "Bad UTF-8 encoding, Suspicious Path Character, Illegal Path Character", "/.../a": "", "/a?|%zz": "", "/a#|": "",
	} {
		for _, method := range []string{"GET", "PUT"} {
			u, err := url.ParseRequestURI(path)
			if err != nil { // Go's server refuses it before
				if got := string(rest.BadRequest([]byte(method + " " + path + " HTTP/1.1\r\n"))); !strings.Contains(got, "<title>Error 400 "+reason+"</title>") {
					t.Errorf("%s: want %s, got %s", path, reason, got)
				}
				continue
			}
			r := httptest.NewRequest(method, "/", nil)
			r.RequestURI, r.URL = path, u
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			switch {
			case reason == "":
				if w.Code != 404 && w.Code != 200 && w.Code != 405 {
					t.Errorf("%s %s: %d %s", method, path, w.Code, w.Body)
				}
			case w.Code != 400 || w.Header().Get("Cache-Control") != "must-revalidate,no-cache,no-store":
				t.Errorf("%s %s: %d %v", method, path, w.Code, w.Header())
			case method == "PUT" && reason != "Bad Request":
				if w.Body.Len() > 0 || w.Header().Get("Content-Type") != "" {
					t.Errorf("%s %s: only some methods get a page, and got %s", method, path, w.Body)
				}
			case !strings.Contains(w.Body.String(), "<title>Error 400 "+reason+"</title>"):
				t.Errorf("%s %s: want %s, got %s", method, path, reason, w.Body)
			}
		}
	}
}

func TestPathBelowAPrefix(t *testing.T) {
	h := http.StripPrefix("/connect", newServer(new(fake), nil).Handler(true))
	want(t, ask(h, "GET", "/connect/connectors/no%20ne", ""), 404, message(404, "Connector no ne not found"))
	if w := ask(h, "GET", "/connect/connectors/a%25b", ""); w.Code != 400 {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}

func TestAccept(t *testing.T) {
	h := newServer(new(fake), nil).Handler(true)
	for accept, contentType := range map[string]string{
		"*/*": "application/json", "application/*": "application/json", "*/json": "application/json", "application": "application/json",
		"*/*;charset=utf-8": "application/json", "application/json;charset=utf-8": "application/json;charset=utf-8",
		"application/json; charset=\"x y\"": "application/json;charset=\"x y\"", "APPLICATION/json;v=1": "APPLICATION/json;v=1",
		"APPLICATION/json": "application/json", "application/json;z=1;b=2;q=0.5": "application/json;b=2;z=1", "application/json;q=0": "application/json",
		"*/*;q=0.9,application/json;charset=x;q=0.1": "application/json", "text/html,application/json;v=1;q=.5": "application/json;v=1", "application/json,": "application/json",
		"":          "application/json",
		"text/html": "406", "application/json+x": "406", "garbage": "406",
		"application/json;q=2": "400", "application/json;q=x": "400", "application/json;q=0.0001": "400", ",application/json": "400", "application/json,,*/*": "400",
		"application/json;charset": "400", "application/": "400", "application/ json": "400", "application/json x": "400", "application/json;a=\"b": "400", "(c) */*": "400",
	} {
		r := httptest.NewRequest("GET", "/connectors/none", nil)
		r.Header.Set("Accept", accept)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		got := w.Header().Get("Content-Type")
		if w.Code == 406 || w.Code == 400 {
			got = strconv.Itoa(w.Code)
		}
		if got != contentType {
			t.Errorf("%q: got %d %q, want %q", accept, w.Code, got, contentType)
		}
	}
}

func TestContentType(t *testing.T) {
	h := newServer(new(fake), nil).Handler(true)
	for contentType, status := range map[string]int{
		"application/json": 200, "APPLICATION/JSON": 200, "application/json;charset=utf-16": 200, "application/json;": 200, "text/plain": 415,
		"application/json;charset": 400, "json": 400, "": 400, "a, b": 400, "application/json,": 400, "application/json, text/plain": 400, "application/*": 415,
	} {
		r := httptest.NewRequest("PUT", "/connectors/x/config", strings.NewReader("{}"))
		r.Header.Set("Content-Type", contentType)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != status {
			t.Errorf("%q: got %d %s, want %d", contentType, w.Code, w.Body, status)
		}
	}
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Content-Type", "text/plain")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != 200 {
		t.Errorf("the root takes any type: %d", w.Code)
	}
}

func TestRequestsThatAreNone(t *testing.T) {
	for head, reason := range map[string]string{
		"GET /a\x01b HTTP/1.1\r\n": "Illegal character CNTL=0x1", "GET /a b HTTP/1.1\r\n": "Illegal character SPACE=&apos; &apos;",
		"GET /a%zz HTTP/1.1\r\n": "Bad Request", "GET a%ff HTTP/1.1\r\n": "Bad UTF-8 encoding", "GET /\r\n": "Bad Request", "": "Bad Request",
		"GET /x HTTP/1.1\r\nHost: a\r\nHost: b\r\n": "Bad Request",
	} {
		if got := string(rest.BadRequest([]byte(head))); !strings.Contains(got, "<title>Error 400 "+reason+"</title>") {
			t.Errorf("%q: got %s", head, got)
		}
	}
}
