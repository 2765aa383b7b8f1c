package cluster_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gokconnect/connect/cluster"
	"github.com/gokconnect/connect/internal/kafkatest"
)

// TestStatusesOfWhatIsGone: of tasks and connectors that are not configured any more nothing is left in the status topic,
// whichever instance ran them.
func TestStatusesOfWhatIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := kafkatest.New(t)
		s := new(starts)
		source := cluster.Source{Name: "s", Connector: s.connector(), Topic: "t", Tasks: 4}
		a := startInstance(t, k, "a", nil, source)
		startInstance(t, k, "b", nil, source)
		time.Sleep(30 * time.Second)
		left := func() map[string]string {
			last := make(map[string]string)
			for _, r := range k.Records("test-status") {
				if strings.HasPrefix(string(r.Key), "status-task-s-") || string(r.Key) == "status-connector-s" {
					last[string(r.Key)] = string(r.Value)
				}
			}
			for key, value := range last {
				if value == "" {
					delete(last, key)
				}
			}
			return last
		}
		if got := left(); len(got) != 5 {
			t.Fatalf("statuses %v, want those of a connector and four tasks", got)
		}
		if err := a.PatchConnector(t.Context(), "s", map[string]*string{"tasks.max": new("2")}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(30 * time.Second)
		if got := left(); len(got) != 3 || got["status-task-s-2"] != "" || got["status-task-s-3"] != "" {
			t.Errorf("statuses %v, want those of a connector and two tasks", got)
		}
		if err := a.DeleteConnector(t.Context(), "s"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(30 * time.Second)
		if got := left(); len(got) != 0 {
			t.Errorf("statuses %v, want none", got)
		}
	})
}
