package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/cluster"
	"github.com/gokconnect/connect/connecttest"
	"github.com/gokconnect/connect/connecttest/kafkatest"
)

// server is the HTTP server of both connectors, without a network: GET asks for events, POST adds to what was posted.
type server struct {
	mu     sync.Mutex
	events int
	posted []any
	status int // of every answer, if not 0
}

// RoundTrip makes a server the Transport of an http.Client.
func (s *server) RoundTrip(req *http.Request) (*http.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	answer := func(status int, v any) (*http.Response, error) {
		body, err := json.Marshal(v)
		return &http.Response{StatusCode: status, Status: strconv.Itoa(status), Body: io.NopCloser(bytes.NewReader(body)), Request: req}, err
	}
	if s.status != 0 {
		return answer(s.status, "broken")
	}
	if req.Method == http.MethodPost {
		var values []any
		if err := json.NewDecoder(req.Body).Decode(&values); err != nil {
			return answer(http.StatusBadRequest, err.Error())
		}
		s.posted = append(s.posted, values...)
		return answer(http.StatusOK, nil)
	}
	after, err := strconv.Atoi(req.URL.Query().Get("after"))
	if err != nil {
		return answer(http.StatusBadRequest, err.Error())
	}
	events := []event{}
	for n := after + 1; n <= s.events && len(events) < 2; n++ {
		events = append(events, event{int64(n), json.RawMessage(fmt.Sprintf(`{"paid":"by 4242-4242-4242-%04d"}`, n))})
	}
	return answer(http.StatusOK, events)
}

func (s *server) set(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

func (s *server) client() *http.Client { return &http.Client{Transport: s} }

// Break makes every answer an error.
func (s *server) Break(testing.TB) (heal func()) {
	s.set(func() { s.status = http.StatusServiceUnavailable })
	return func() { s.set(func() { s.status = 0 }) }
}

// feedHarness has what the suite for source connectors needs.
type feedHarness struct{ *server }

func (h feedHarness) Connector() connect.SourceConnector { return &Feed{Client: h.client()} }
func (h feedHarness) Config() connect.Config {
	return connect.Config{"url": "http://feed/", "topic": "events", "interval.ms": "5"}
}
func (h feedHarness) Add(_ testing.TB, n int) { h.set(func() { h.events += n }) }

func TestFeedContract(t *testing.T) {
	connecttest.TestSource(t, func(testing.TB) connecttest.SourceHarness { return feedHarness{new(server)} })
}

func TestFeedGoesOn(t *testing.T) {
	s := &server{events: 3}
	run := connecttest.RunSource(t, feedHarness{s}.Connector(), feedHarness{s}.Config())
	run.Take(3)
	run.Stop()
	s.set(func() { s.events = 4 })
	run.Start()
	if r := run.Take(1)[0]; r.Value != `{"paid":"by 4242-4242-4242-0004"}` {
		t.Errorf("got %v", r.Value)
	}
}

// postHarness has what the suite for sink connectors needs.
type postHarness struct{ *server }

func (h postHarness) Connector() connect.SinkConnector { return &Post{Client: h.client()} }
func (h postHarness) Config() connect.Config           { return connect.Config{"url": "http://target/"} }
func (h postHarness) Read(testing.TB) []any {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]any(nil), h.posted...)
}

func TestPostContract(t *testing.T) {
	connecttest.TestSink(t, func(testing.TB) connecttest.SinkHarness { return postHarness{new(server)} })
}

func TestPostErrors(t *testing.T) {
	s := new(server)
	run := connecttest.RunSink(t, postHarness{s}.Connector(), connect.Config{"url": "http://target/", "topics": "t"})
	for status, retriable := range map[int]bool{429: true, 503: true, 403: false} {
		s.set(func() { s.status = status })
		if err := run.TryPut(connect.Record{Topic: "t", Value: "a"}); err == nil || connect.IsRetriable(err) != retriable {
			t.Errorf("status %d: error %v, want one that is retriable: %v", status, err, retriable)
		}
	}
	s.set(func() { s.status = 0 })
	err := run.TryPut(connect.Record{Topic: "t", Value: 1}, connect.Record{Topic: "t", Value: "b"})
	if failed := new(connect.BatchError); !errors.As(err, &failed) || len(failed.Failed) != 1 || failed.Failed[0].Index != 0 {
		t.Errorf("error %v, want a BatchError of record 0", err)
	}
	if got := (postHarness{s}).Read(t); len(got) != 1 || got[0] != "b" {
		t.Errorf("posted %v", got)
	}
}

// redactHarness has what the suite for transformations needs.
type redactHarness struct{}

func (redactHarness) Transformation(t testing.TB) connect.Transformation {
	tr, err := newRedact(connect.Config{"pattern": `\d+`})
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

func (redactHarness) Records() []*connect.Record {
	return []*connect.Record{{Topic: "t", Value: "card 42 of 99"}, {Topic: "t", Value: int64(7)}, {Topic: "t"}}
}

func TestRedact(t *testing.T) {
	connecttest.TestTransformation(t, func(testing.TB) connecttest.TransformationHarness { return redactHarness{} })
	h := redactHarness{}
	got := connecttest.Apply(t, h.Transformation(t), h.Records()...)
	if got[0].Value != "card *** of ***" || got[1].Value != int64(7) {
		t.Errorf("got %v, %v", got[0].Value, got[1].Value)
	}
	for _, cfg := range []connect.Config{{"pattern": "("}, {}} {
		if _, err := newRedact(cfg); err == nil || !strings.Contains(err.Error(), "pattern") {
			t.Errorf("configuration %v: error %v, want one that names the key pattern", cfg, err)
		}
	}
}

// TestTogether runs all three with a runtime, by their configurations.
func TestTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{events: 5}
		plugins := new(connect.Registry).MustAdd(Plugins()[2],
			connect.SourcePlugin{PluginInfo: connect.PluginInfo{Class: "example.Feed"}, New: func() connect.SourceConnector { return feedHarness{s}.Connector() }},
			connect.SinkPlugin{PluginInfo: connect.PluginInfo{Class: "example.Post"}, New: func() connect.SinkConnector { return postHarness{s}.Connector() }})
		k := kafkatest.New(t)
		k.CreateTopic("events", 1)
		k.Run(cluster.Config{Plugins: plugins}, connectors("http://feed/", "http://target/")...)
		time.Sleep(time.Minute)
		got := postHarness{s}.Read(t)
		if len(got) != 5 || got[0] != `{"paid":"by ***"}` {
			t.Errorf("posted %v", got)
		}
	})
}
