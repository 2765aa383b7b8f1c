package mirrormaker_test

import (
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/cluster"
	"github.com/gokconnect/connect/cluster/mirrormaker"
	"github.com/gokconnect/connect/internal/kafkatest"
	"github.com/gokconnect/connect/plugin/mirror"
)

// process is a Maker whose requests the program serves.
type process struct {
	*mirrormaker.Maker
	stop  func()
	asked atomic.Int64 // requests that were accepted
}

func startProcess(t *testing.T, flows *mirror.Flows) *process {
	t.Helper()
	p := new(process)
	var handler atomic.Pointer[http.Handler]
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := handler.Load()
		if h == nil {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		rec := &statusOf{ResponseWriter: w, status: http.StatusOK}
		(*h).ServeHTTP(rec, r)
		if rec.status == http.StatusNoContent {
			p.asked.Add(1)
		}
	}))
	t.Cleanup(s.Close)
	p.Maker, p.stop = start(t, mirrormaker.Config{Flows: flows, URL: s.URL})
	h := p.Handler()
	handler.Store(&h)
	return p
}

type statusOf struct {
	http.ResponseWriter
	status int
}

func (w *statusOf) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// A process whose connector finds a new topic asks the one that leads to divide the work anew, with a signature that is
// accepted.
func TestProcessesTalk(t *testing.T) {
	c := clusters{"A": kafkatest.New(t, kafkatest.TCP()), "B": kafkatest.New(t, kafkatest.TCP())}
	c["A"].MustCreateTopic("orders", 3)
	flows := c.flows(t, connect.Config{
		"A->B.enabled": "true", "emit.heartbeats.enabled": "false", "A->B.tasks.max": "4", "dedicated.mode.enable.internal.rest": "true",
		"refresh.topics.interval.seconds": "1", "B.offset.flush.interval.ms": "200",
	})
	one := startProcess(t, flows)
	produce(c["A"], "orders", 10)
	await(t, c["B"], "A.orders", 10)
	two := startProcess(t, flows)
	topics := 0
	for end := time.Now().Add(90 * time.Second); one.asked.Load()+two.asked.Load() == 0; topics++ {
		if time.Now().After(end) {
			t.Fatalf("after %d new topics none of the processes has asked the other", topics)
		}
		topic := "new-" + string(rune('a'+topics))
		c["A"].MustCreateTopic(topic, 3)
		produce(c["A"], topic, 5)
		await(t, c["B"], "A."+topic, 5)
	}
}

// Run listens itself where the file says so.
func TestListens(t *testing.T) {
	c := clusters{"A": kafkatest.New(t, kafkatest.TCP()), "B": kafkatest.New(t, kafkatest.TCP())}
	var at atomic.Pointer[string]
	start(t, mirrormaker.Config{
		Flows: c.flows(t, connect.Config{
			"A->B.enabled": "true", "emit.heartbeats.enabled": "false", "dedicated.mode.enable.internal.rest": "true", "listeners": "http://127.0.0.1:0",
		}),
		Worker: func(_ mirror.Flow, cfg *cluster.Config) { at.Store(&cfg.URL) },
	})
	await(t, c["B"], "mm2-status.A.internal", 1)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, *at.Load()+"connectors/MirrorSourceConnector/tasks", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode < 400 || resp.StatusCode == http.StatusNotFound {
		t.Errorf("a request without a signature: %s", resp.Status)
	}
}
