package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gokconnect/connect/cluster"
	"github.com/gokconnect/connect/connecttest/kafkatest"
	"github.com/twmb/franz-go/pkg/kgo"
)

func TestOperators(t *testing.T) {
	s, err := newService(cluster.Config{Brokers: []string{"localhost:1"}, GroupID: "orders"}, filepath.Join(t.TempDir(), "orders.jsonl"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.outbox.Close()
	s.token = "secret"
	for token, code := range map[string]int{"": http.StatusUnauthorized, "wrong": http.StatusUnauthorized, "secret": http.StatusNotFound} {
		r := httptest.NewRequest("GET", "/connect/nothing", nil)
		r.SetBasicAuth("operator", token)
		w := httptest.NewRecorder()
		if s.handler().ServeHTTP(w, r); w.Code != code {
			t.Errorf("token %q: %d %s", token, w.Code, w.Body)
		}
	}
}

// call serves one request without a network.
func call(s *service, method, path, body string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.handler().ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader(body)))
	return w
}

func TestService(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := kafkatest.New(t)
		cfg := cluster.Config{Brokers: k.Brokers(), Client: k.ClientOpts(), GroupID: "orders"}
		file := filepath.Join(t.TempDir(), "orders.jsonl")
		var shipped []order
		ship := func(_ context.Context, o order) error {
			shipped = append(shipped, o)
			return nil
		}
		// life runs the service while f does.
		life := func(f func(s *service)) {
			s, err := newService(cfg, file, ship)
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { done <- s.runtime.Run(ctx) }()
			time.Sleep(time.Minute)
			f(s)
			time.Sleep(time.Minute)
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
			if err := s.outbox.Close(); err != nil {
				t.Error(err)
			}
		}

		life(func(s *service) {
			if w := call(s, "POST", "/orders", `{"id":"a1","cents":350}`); w.Code != http.StatusAccepted {
				t.Errorf("order: %d %s", w.Code, w.Body)
			}
			if w := call(s, "POST", "/orders", `{"cents":"a lot"}`); w.Code != http.StatusBadRequest {
				t.Errorf("bad order: %d %s", w.Code, w.Body)
			}
			if w := call(s, "GET", "/health", ""); w.Code != http.StatusOK || strings.TrimSpace(w.Body.String()) != `{"outbox":"RUNNING","shipping":"RUNNING"}` {
				t.Errorf("health: %d %s", w.Code, w.Body)
			}
			k.Produce(&kgo.Record{Topic: "orders", Value: []byte("garbage")})
		})
		life(func(s *service) {
			if w := call(s, "POST", "/orders", `{"id":"b2","cents":99}`); w.Code != http.StatusAccepted {
				t.Errorf("order: %d %s", w.Code, w.Body)
			}
		})

		if len(shipped) != 2 || shipped[0] != (order{"a1", 350}) || shipped[1] != (order{"b2", 99}) {
			t.Errorf("shipped %v", shipped)
		}
		if bad := k.Records("orders-bad"); len(bad) != 1 || string(bad[0].Value) != "garbage" {
			t.Errorf("dead letters: %v", bad)
		}
	})
}
