package cluster_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/cluster"
	"github.com/gokconnect/connect/internal/kafkatest"
	"github.com/gokconnect/connect/plugin/file"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Run ends as its context does, also when no broker has answered yet.
func TestStopBeforeABrokerAnswers(t *testing.T) {
	for _, tt := range []struct {
		name string
		ctx  func(context.Context) (context.Context, context.CancelFunc)
		want string
	}{
		{"cancelled", func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(ctx)
			time.AfterFunc(2*time.Second, cancel)
			return ctx, cancel
		}, ""},
		{"deadline", func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, 2*time.Second)
		}, "can be reached"},
		{"the runtime's own patience", context.WithCancel, "can be reached"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				link := kafkatest.New(t).NewLink()
				link.Cut()
				rt, err := cluster.New(cluster.Config{Brokers: []string{"127.0.0.1:9092"}, Client: link.ClientOpts(), GroupID: "g"})
				if err != nil {
					t.Fatal(err)
				}
				ctx, cancel := tt.ctx(t.Context())
				defer cancel()
				err = rt.Run(ctx)
				if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
					t.Errorf("Run: %v, want %q", err, tt.want)
				}
			})
		})
	}
}

// TestFirstAnswer: what is configured can be asked for while the topics are made, where there is none of it yet, and only then.
func TestFirstAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := kafkatest.New(t)
		names := func(i *instance) (answer string, took time.Duration) {
			begin := time.Now()
			w := httptest.NewRecorder()
			i.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/connectors", nil))
			return strings.TrimSpace(w.Body.String()), time.Since(begin)
		}
		refuse := k.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.CreateTopics}, Err: kerr.NotController, Count: -1})
		a := startConfigured(t, k, "a", cluster.Config{Plugins: new(connect.Registry).MustAdd(file.Plugins()...)})
		if answer, took := names(a); answer != "[]" || took > time.Second {
			t.Errorf("no topic: %s after %v, want [] at once", answer, took)
		}
		if h := a.Health(t.Context()); h.Ready {
			t.Error("it is ready, and its topics are not there")
		}
		refuse.Remove()
		if _, err := a.Connectors(t.Context()); err != nil { // it has started
			t.Fatal(err)
		}
		if err := a.PutConnector(t.Context(), "c", connect.Config{"connector.class": "FileStreamSource", "file": "none", "topic": "t", "tasks.max": "1"}); err != nil {
			t.Fatal(err)
		}
		if answer, _ := names(a); answer != `["c"]` {
			t.Errorf("%s, want c", answer)
		}
		if answer, _ := names(startConfigured(t, k, "b", cluster.Config{Plugins: new(connect.Registry).MustAdd(file.Plugins()...)})); answer != `["c"]` {
			t.Errorf("of another that starts: %s, want c", answer)
		}
	})
}

// Once Run has returned, health says that the instance has stopped.
func TestHealthAfterTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := startInstance(t, kafkatest.New(t), "a", nil)
		health := func() string {
			w := httptest.NewRecorder()
			i.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/health", nil))
			return w.Body.String()
		}
		if text := health(); !strings.Contains(text, "ready to handle requests") {
			t.Errorf("health %s, want that it is ready", text)
		}
		if err := i.stop(); err != nil {
			t.Fatal(err)
		}
		if text := health(); !strings.Contains(text, "currently stopped") {
			t.Errorf("health %s, want that it has stopped", text)
		}
	})
}
