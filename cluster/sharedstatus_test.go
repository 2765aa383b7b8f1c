package cluster

import (
	"testing"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/metrics/metricstest"
	"github.com/gokconnect/connect/internal/statusstore"
)

// A task that was stopped for good, with its connector say, is not handed over when another of its name starts much later.
func TestNoHandOverAfterTheEnd(t *testing.T) {
	for _, removed := range []bool{false, true} {
		var provider metricstest.Provider
		rt, err := New(Config{Brokers: []string{"nowhere:1"}, GroupID: "g", MeterProvider: &provider})
		if err != nil {
			t.Fatal(err)
		}
		id := connect.TaskID{Connector: "c"}
		rt.metrics.Stopped(id)
		want := 1.0
		if removed {
			(&sharedStatuses{rt: rt}).heard(statusstore.Event{Connector: "c", Removed: true})
			want = 0
		}
		rt.metrics.Task(id, connect.KindSource, false).State("running")
		if got := provider.Values()["kafka.connect.connect-worker-rebalance.hand-over-total{}"]; got != want {
			t.Errorf("removed %t: %v tasks were handed over, want %v", removed, got, want)
		}
	}
}
