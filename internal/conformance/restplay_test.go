package conformance_test

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"
)

// player plays scenarios against one worker.
type player struct {
	expected
	addr, admin string // host:port
}

// reply is an answer.
type reply struct {
	status int
	header http.Header
	body   []byte
	json   any
	isJSON bool
}

func (r *reply) String() string { return fmt.Sprintf("%d %s", r.status, shorten(string(r.body))) }

const requestTime = 60 * time.Second

// send writes a request byte for byte: net/http would clean it.
func (p *player) send(request *members, target string) (*reply, error) {
	addr := p.addr
	if target == "admin" {
		addr = p.admin
	}
	var body []byte
	hasBody := true
	switch {
	case request.has("body"):
		body = []byte(javaJSON(request.get("body"), p.fill))
	case request.has("rawBody"):
		body = []byte(p.fill(request.text("rawBody")))
	case request.has("base64Body"):
		var err error
		if body, err = base64.StdEncoding.DecodeString(request.text("base64Body")); err != nil {
			return nil, err
		}
	default:
		hasBody = false
	}
	method := request.text("method")
	var w bytes.Buffer
	fmt.Fprintf(&w, "%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n", method, p.fill(request.text("path")), addr)
	typed := false
	if headers := request.object("headers"); headers != nil {
		for i, name := range headers.keys {
			typed = typed || textproto.CanonicalMIMEHeaderKey(name) == "Content-Type"
			values, isList := headers.values[i].([]any)
			if !isList {
				values = []any{headers.values[i]}
			}
			for _, v := range values {
				if text, ok := v.(string); ok {
					fmt.Fprintf(&w, "%s: %s\r\n", name, p.fill(text))
				}
			}
		}
	}
	if hasBody && !typed {
		w.WriteString("Content-Type: application/json\r\n")
	}
	if hasBody || method == "POST" || method == "PUT" || method == "PATCH" {
		fmt.Fprintf(&w, "Content-Length: %d\r\n", len(body))
	}
	w.WriteString("\r\n")
	w.Write(body)
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(requestTime)); err != nil {
		return nil, err
	}
	if _, err := c.Write(w.Bytes()); err != nil {
		return nil, err
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), &http.Request{Method: method})
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	r := &reply{status: resp.StatusCode, header: resp.Header}
	if r.body, err = io.ReadAll(resp.Body); err != nil {
		return nil, err
	}
	if len(r.body) > 0 {
		r.json, err = parseJSON(r.body)
		r.isJSON = err == nil
	}
	return r, nil
}

// sendPatiently repeats a request while a rebalance is under way, as clients do.
func (p *player) sendPatiently(request *members, target string) (*reply, error) {
	for end := time.Now().Add(requestTime); ; {
		r, err := p.send(request, target)
		if err != nil || !busy(r) || time.Now().After(end) {
			return r, err
		}
		<-time.After(50 * time.Millisecond)
	}
}

func busy(r *reply) bool {
	m, _ := r.json.(*members)
	message := m.text("message")
	switch r.status {
	case http.StatusConflict:
		return strings.HasPrefix(message, "Cannot complete request momentarily due to") || strings.HasPrefix(message, "Cannot complete request because of a conflicting operation")
	case http.StatusInternalServerError:
		return message == "Request cannot be completed because a rebalance is expected"
	}
	return false
}

// watched reports whether a header is part of the contract, also by its absence.
func watched(name string) bool {
	switch name {
	case "Content-Type", "Location", "Allow", "Www-Authenticate", "Vary", "Cache-Control", "Expires", "Pragma", "Retry-After", "Set-Cookie":
		return true
	}
	return strings.HasPrefix(name, "Access-Control-") || strings.HasPrefix(name, "X-")
}

// check returns how an answer differs from what is expected.
func (p *player) check(want *members, r *reply) []string {
	e := expected{values: p.values}
	note := func(format string, args ...any) { e.differs = append(e.differs, fmt.Sprintf(format, args...)) }
	if n, ok := want.get("status").(json.Number); ok && n.String() != fmt.Sprint(r.status) {
		note("status: got %d, want %s: %s", r.status, n, shorten(string(r.body)))
	}
	headers := want.object("headers")
	listed := make(map[string]bool)
	if headers != nil {
		for i, name := range headers.keys {
			name = textproto.CanonicalMIMEHeaderKey(name)
			listed[name] = true
			text, _ := headers.values[i].(string)
			if got, ok := r.header[name]; !ok || !e.textFits(text, strings.Join(got, ", ")) {
				note("header %s: got %q, want %q", name, got, text)
			}
		}
	}
	for name, got := range r.header {
		if watched(name) && !listed[name] {
			note("header %s: got %q, want none", name, got)
		}
	}
	switch {
	case want.has("text"):
		if !e.textFits(want.text("text"), string(r.body)) {
			note("body: got %s\n\twant %s", shorten(string(r.body)), want.text("text"))
		}
	case !want.has("body"):
		if len(r.body) > 0 {
			note("body: got %s, want none", shorten(string(r.body)))
		}
	case !r.isJSON:
		note("body: got %s, which is not JSON", shorten(string(r.body)))
	default:
		e.compare("", want.get("body"), r.json)
		if javaJSON(r.json, asIs) != string(r.body) {
			note("body: it is not in the form that Java writes: %s", shorten(string(r.body)))
		}
	}
	return e.differs
}

// play plays one scenario.
func (p *player) play(t *testing.T, scenario *members) {
	p.clean(t, scenario)
	defer p.clean(t, scenario)
	steps, _ := scenario.get("steps").([]any)
	for i, s := range steps {
		step, _ := s.(*members)
		switch {
		case step.has("file"):
			p.write(t, step.object("file"))
		case step.has("sleepMs"):
			ms, _ := step.get("sleepMs").(json.Number)
			n, err := ms.Int64()
			if err != nil {
				t.Fatal(err)
			}
			<-time.After(time.Duration(n) * time.Millisecond)
		default:
			p.step(t, fmt.Sprintf("step %d: %s %s", i+1, step.object("request").text("method"), step.object("request").text("path")), step)
		}
	}
}

func (p *player) step(t *testing.T, name string, step *members) {
	request, want, target := step.object("request"), step.object("expect"), step.text("target")
	var r *reply
	var err error
	var differs []string
	if step.has("await") {
		for end := time.Now().Add(20 * time.Second); ; {
			if r, err = p.send(request, target); err != nil {
				break
			}
			if differs = p.check(want, r); len(differs) == 0 || time.Now().After(end) {
				break
			}
			<-time.After(15 * time.Millisecond)
		}
	} else if r, err = p.sendPatiently(request, target); err == nil {
		differs = p.check(want, r)
	}
	if err != nil {
		if !step.truth("refused") {
			t.Fatalf("%s: %v", name, err)
		}
		return
	}
	for _, d := range differs {
		t.Errorf("%s: %s", name, d)
	}
	if capture := step.object("capture"); capture != nil {
		for i, variable := range capture.keys {
			if text, ok := pointed(r.json, capture.values[i].(string)).(string); ok {
				p.values["<var:"+variable+">"] = text
			}
		}
	}
}

// pointed returns what a JSON pointer without lists points at.
func pointed(v any, pointer string) any {
	for key := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		m, _ := v.(*members)
		v = m.get(strings.NewReplacer("~1", "/", "~0", "~").Replace(key))
	}
	return v
}

func (p *player) write(t *testing.T, file *members) {
	flags := os.O_CREATE | os.O_WRONLY | os.O_TRUNC
	if file.truth("append") {
		flags = os.O_CREATE | os.O_WRONLY | os.O_APPEND
	}
	f, err := os.OpenFile(p.fill(file.text("path")), flags, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(p.fill(file.text("text"))); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// clean deletes the connectors of a scenario, and their offsets if it asks for it.
func (p *player) clean(t *testing.T, scenario *members) {
	do := func(method, path string) *reply {
		r, err := p.sendPatiently(&members{[]string{"method", "path"}, []any{method, path}}, "")
		if err != nil {
			t.Fatalf("clean up: %s %s: %v", method, path, err)
		}
		return r
	}
	for _, name := range scenario.texts("connectors") {
		path := "/connectors/" + url.PathEscape(name)
		if scenario.truth("resetOffsets") && do("PUT", path+"/stop").status == http.StatusNoContent {
			for end := time.Now().Add(20 * time.Second); time.Now().Before(end); <-time.After(15 * time.Millisecond) {
				if r := do("DELETE", path+"/offsets"); r.status == http.StatusOK || r.status == http.StatusNotFound {
					break
				}
			}
		}
		if r := do("DELETE", path); r.status != http.StatusNoContent && r.status != http.StatusNotFound {
			t.Errorf("clean up: DELETE %s: %v", path, r)
		}
	}
}
