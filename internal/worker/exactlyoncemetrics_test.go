package worker

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/connconfig"
	"github.com/gokconnect/connect/internal/metrics"
	"github.com/gokconnect/connect/internal/metrics/metricstest"
)

// TestExactlyOnceMetrics looks at what is measured of a task while its transaction is open, and when it has ended.
func TestExactlyOnceMetrics(t *testing.T) {
	inTxWorld(t, func(t *testing.T, w *txWorld) {
		var provider metricstest.Provider
		set, err := metrics.New(&provider, "1", metrics.Windows{Sample: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		w.boundary, w.interval = connconfig.BoundaryInterval, 20*time.Second
		w.opts.Metrics = set.Task(connect.TaskID{Connector: "c"}, connect.KindSource, true)
		is := func(want map[string]float64) {
			t.Helper()
			synctest.Wait()
			values := provider.Values()
			for name, n := range want {
				if got, ok := values["kafka.connect."+name+"{connector=c,task=0}"]; !ok || got != n {
					t.Errorf("%s is %v (%v), want %v", name, got, ok, n)
				}
			}
		}
		task := w.task(&source{poll: batches(lines(0, 3), lines(3, 5))})
		time.Sleep(10 * time.Second)
		is(map[string]float64{
			"source-task.source-record-poll-total": 5, "source-task.source-record-write-total": 0, "source-task.source-record-active-count": 5,
			"connector-task.batch-size-max": 3, "connector-task.watermark-age-ms": 10_000, "connector-task.stall-ms": 0,
		})
		time.Sleep(time.Minute)
		is(map[string]float64{
			"source-task.source-record-write-total": 5, "source-task.source-record-active-count": 0, "source-task.transaction-size-max": 5,
			"connector-task.offset-commit-success-percentage": 1, "connector-task.watermark-age-ms": 0,
			"connector-task.end-to-end-latency-ms-max": 20_000 + float64(pollSlack/time.Millisecond),
		})
		end(t, task)
		is(map[string]float64{"source-task.source-record-write-total": 5, "source-task.transaction-size-min": 5})
	})
}

// TestExactlyOnceMetricsOfAborted checks that records of a transaction that is aborted don't count as written.
func TestExactlyOnceMetricsOfAborted(t *testing.T) {
	inTxWorld(t, func(t *testing.T, w *txWorld) {
		var provider metricstest.Provider
		set, err := metrics.New(&provider, "1", metrics.Windows{Sample: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		w.boundary, w.requests = connconfig.BoundaryConnector, new(TransactionRequests)
		w.opts.Metrics = set.Task(connect.TaskID{Connector: "c"}, connect.KindSource, true)
		w.requests.AbortAt(2)
		w.requests.CommitBatch()
		task := w.task(&source{poll: batches(lines(0, 5))})
		time.Sleep(time.Minute)
		if got := provider.Values()["kafka.connect.source-task.source-record-write-total{connector=c,task=0}"]; got != 2 {
			t.Errorf("%v records count as written, want 2", got)
		}
		end(t, task)
	})
}
