package kafkatest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
)

// peers carries the requests of one instance to others, without a network.
type peers struct {
	c    *Cluster
	from *Instance
}

// RoundTrip implements [http.RoundTripper].
func (p peers) RoundTrip(req *http.Request) (*http.Response, error) {
	to := p.c.named(req.URL.Hostname())
	if to == nil || !to.reachable() || !p.from.reachable() {
		return nil, fmt.Errorf("%s can't be reached", req.URL.Host)
	}
	incoming := req.Clone(req.Context())
	incoming.RequestURI, incoming.RemoteAddr, incoming.Host = req.URL.RequestURI(), p.from.Name+":1", req.URL.Host
	if incoming.Body == nil {
		incoming.Body = http.NoBody
	}
	answer, done := httptest.NewRecorder(), make(chan struct{})
	go func() {
		defer close(done)
		to.Runtime.Handler().ServeHTTP(answer, incoming)
	}()
	select {
	case <-done:
	case <-req.Context().Done():
		return nil, req.Context().Err()
	}
	if !to.reachable() || !p.from.reachable() {
		return nil, fmt.Errorf("%s can't be reached any more", req.URL.Host)
	}
	resp := answer.Result()
	resp.Request = req
	return resp, nil
}

func (c *Cluster) named(name string) *Instance {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, i := range c.instances {
		if i.Name == name {
			return i
		}
	}
	return nil
}

// reachable reports whether requests get through to an instance, and its own out.
func (i *Instance) reachable() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return !i.killed && !i.paused
}
