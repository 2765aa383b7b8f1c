package cluster_test

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/cluster"
	"github.com/gokconnect/connect/internal/kafkatest"
	"github.com/gokconnect/connect/offsets"
)

// start runs a runtime until the test ends, or stop is called.
func start(t *testing.T, k *kafkatest.Cluster, cfg cluster.Config, declarations ...cluster.Declaration) (rt *cluster.Runtime, stop func()) {
	t.Helper()
	cfg.Brokers, cfg.Client, cfg.GroupID = k.Addrs(), k.ClientOpts(), "test"
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.NewTextHandler(testWriter{t}, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	rt, err := cluster.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := rt.Add(declarations...); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- rt.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	t.Cleanup(stop)
	return rt, stop
}

type testWriter struct{ t *testing.T }

func (w testWriter) Write(b []byte) (int, error) {
	w.t.Log(string(b[:len(b)-1]))
	return len(b), nil
}

// numbers is a source of n numbered lines.
func numbers(n int) connect.SourceFunc {
	return func(ctx context.Context, from connect.Fields) iter.Seq2[connect.SourceRecord, error] {
		return func(yield func(connect.SourceRecord, error) bool) {
			i := int64(0)
			if from != nil {
				i = from["n"].(int64)
			}
			for ; i < int64(n); i++ {
				r := connect.SourceRecord{Record: connect.Record{Topic: "lines", Value: fmt.Sprint("line ", i)}, SourceOffset: connect.Fields{"n": i + 1}}
				if !yield(r, nil) {
					return
				}
			}
		}
	}
}

// collector is a sink that keeps values.
type collector struct {
	mu     sync.Mutex
	values []string
}

func (c *collector) put(_ context.Context, records []connect.SinkRecord) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range records {
		c.values = append(c.values, r.Value.(string))
	}
	return nil
}

func (c *collector) got() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.values)
}

func TestMainJob(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := kafkatest.New(t)
		k.MustCreateTopic("lines", 1)
		var out collector
		store := new(offsets.Memory)
		_, stop := start(t, k, cluster.Config{Offsets: store},
			cluster.Source{Name: "in", Connector: numbers(5000)},
			cluster.Sink{Name: "out", Connector: connect.SinkFunc(out.put), Topics: []string{"lines"}},
		)
		time.Sleep(time.Minute)
		stop()
		if got := out.got(); len(got) != 5000 || got[0] != "line 0" || got[4999] != "line 4999" {
			t.Errorf("got %d records, from %q to %q", len(got), got[:1], got[len(got)-1:])
		}
		stored, err := store.List(t.Context(), "in")
		if err != nil || len(stored) != 1 || stored[0].Offset["n"] != int64(5000) {
			t.Errorf("stored offsets: %v, %v", stored, err)
		}
	})
}
