package cluster_test

import (
	"context"
	"errors"
	"iter"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/cluster"
	"github.com/gokconnect/connect/connecttest/kafkatest"
	"github.com/gokconnect/connect/internal/metrics/metricstest"
)

// counting is a source that counts, ten numbers a second, and fails when it is told to.
func counting(fail <-chan struct{}) connect.SourceConnector {
	return connect.SourceFunc(func(ctx context.Context, _ connect.Fields) iter.Seq2[connect.SourceRecord, error] {
		return func(yield func(connect.SourceRecord, error) bool) {
			for n := 0; ; n++ {
				select {
				case <-fail:
					yield(connect.SourceRecord{}, connect.Fatal(errors.New("told to fail")))
					return
				case <-ctx.Done():
					return
				case <-time.After(100 * time.Millisecond):
				}
				if !yield(connect.SourceRecord{Record: connect.Record{Value: "x"}, SourceOffset: connect.Fields{"n": n}}, nil) {
					return
				}
			}
		}
	})
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for range 3000 {
		if ok() {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatalf("%s: not in time", what)
}

// A task that failed keeps its series; those of a connector that was deleted go.
func TestMetricsOfALife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := kafkatest.New(t)
		p := new(metricstest.Provider)
		fail := make(chan struct{})
		rt, _ := k.Run(cluster.Config{MeterProvider: p, Coordinator: nil, Worker: connect.Config{"client.id": "me"}},
			cluster.Source{Name: "src", Connector: counting(fail), Topic: "t"},
			cluster.Sink{Name: "snk", Connector: connect.SinkFunc(func(context.Context, []connect.SinkRecord) error { return nil }), Topics: []string{"t"}})
		k.Await("t", 20)
		time.Sleep(time.Minute) // offsets are committed on the interval
		value := func(key string) float64 { return p.Values()["kafka.connect."+key] }
		for key, least := range map[string]float64{
			"source-task.source-record-poll-total{connector=src,task=0}": 20, "source-task.source-record-write-total{connector=src,task=0}": 20,
			"source-task.source-record-write-rate{connector=src,task=0}": 5, "connector-task.offset-commit-success-percentage{connector=src,task=0}": 1,
			"sink-task.sink-record-read-total{connector=snk,task=0}": 20, "sink-task.sink-record-send-total{connector=snk,task=0}": 20,
			"sink-task.partition-count{connector=snk,task=0}": 1, "sink-task.offset-commit-completion-total{connector=snk,task=0}": 1,
			"connector-task.status{connector=src,status=running,task=0}": 1, "connector.status{connector=snk,status=running}": 1,
			"connect-worker.connector-count{}": 2, "connect-worker.connector-running-task-count{connector=src}": 1,
			"connect-worker-rebalance.completed-rebalances-total{}": 1,
			"connect-coordinator.assigned-tasks{client-id=me}":      2, "connect-coordinator.heartbeat-total{client-id=me}": 5, "connect-coordinator.join-total{client-id=me}": 1,
			"connect-coordinator.sync-total{client-id=me}": 1,
		} {
			if v := value(key); !(v >= least) {
				t.Errorf("%s is %v, want at least %v", key, v, least)
			}
		}
		for key, most := range map[string]float64{
			"connector-task.watermark-age-ms{connector=src,task=0}": 1000, "connector-task.stall-ms{connector=src,task=0}": 0,
			"sink-task.sink-record-lag-max{connector=snk,task=0}": 5,
		} {
			if v := value(key); !(v <= most) {
				t.Errorf("%s is %v, want at most %v", key, v, most)
			}
		}
		close(fail)
		eventually(t, "the task fails", func() bool { return value("connector-task.status{connector=src,status=failed,task=0}") == 1 })
		if v := value("source-task.source-record-poll-total{connector=src,task=0}"); v < 20 {
			t.Errorf("a failed task lost its metrics: %v", v)
		}
		if v := value("connect-worker.connector-failed-task-count{connector=src}"); v != 1 {
			t.Errorf("%v tasks failed, want 1", v)
		}
		if err := rt.Remove(t.Context(), "src"); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the series go", func() bool {
			for _, point := range p.Collect() {
				if point.Attributes["connector"] == "src" {
					return false
				}
			}
			return true
		})
		for key := range p.Values() {
			if strings.HasSuffix(key, "(twice)") {
				t.Errorf("series %s", key)
			}
		}
	})
}

// Without a provider nothing is measured, and a connector's own metrics go nowhere.
func TestNoMetrics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := kafkatest.New(t)
		k.Run(cluster.Config{}, cluster.Source{Name: "src", Connector: counting(nil), Topic: "t"})
		k.Await("t", 3)
	})
}
