package cluster_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/gokconnect/connect/cluster"
	"github.com/gokconnect/connect/internal/kafkatest"
)

// peers is a network of instances' handlers in the memory of a test: it carries requests by the host of their URL.
type peers struct {
	mu       sync.Mutex
	handlers map[string]http.Handler
	seen     []string // requests between instances: "TO METHOD PATH?QUERY STATUS"
	signed   map[string]http.Header
	bodies   map[string][]byte
}

func newPeers() *peers {
	return &peers{handlers: map[string]http.Handler{}, signed: map[string]http.Header{}, bodies: map[string][]byte{}}
}

func (p *peers) RoundTrip(r *http.Request) (*http.Response, error) {
	p.mu.Lock()
	h := p.handlers[r.URL.Host]
	p.mu.Unlock()
	if h == nil {
		return nil, fmt.Errorf("nobody listens at %s", r.URL.Host)
	}
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
	}
	in := httptest.NewRequestWithContext(r.Context(), r.Method, r.URL.RequestURI(), bytes.NewReader(body))
	in.Header, in.Host = r.Header.Clone(), r.URL.Host
	w := httptest.NewRecorder()
	h.ServeHTTP(w, in)
	p.mu.Lock()
	defer p.mu.Unlock()
	what := fmt.Sprintf("%s %s %s", r.URL.Host, r.Method, r.URL.RequestURI())
	p.seen = append(p.seen, fmt.Sprintf("%s %d", what, w.Code))
	if r.Header.Get("X-Connect-Authorization") != "" {
		p.signed[what], p.bodies[what] = in.Header, body
	}
	return w.Result(), nil
}

// requests returns the requests so far that have the text in them.
func (p *peers) requests(text string) (found []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range p.seen {
		if strings.Contains(r, text) {
			found = append(found, r)
		}
	}
	return found
}

// member starts an instance that the others reach as http://NAME/.
func (p *peers) member(t *testing.T, k *kafkatest.Cluster, name string, cfg cluster.Config, declarations ...cluster.Declaration) *instance {
	cfg.URL, cfg.Peers = "http://"+name+":8083/", p
	i := startConfigured(t, k, name, cfg, declarations...)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.handlers[name+":8083"] = i.Handler()
	return i
}

// ask sends a request to an instance, as a user does.
func (i *instance) ask(method, path, body string, headers ...string) (code int, answer string) {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for n := 0; n < len(headers); n += 2 {
		r.Header.Set(headers[n], headers[n+1])
	}
	w := httptest.NewRecorder()
	i.Handler().ServeHTTP(w, r)
	return w.Code, w.Body.String()
}
