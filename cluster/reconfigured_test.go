package cluster_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/cluster"
	"github.com/gokconnect/connect/internal/kafkatest"
)

// TestReconfiguredTasksWaitForAll: tasks whose configurations changed start when every instance has stopped the older ones: one
// that hears of the change later still reads what others are to read now.
func TestReconfiguredTasksWaitForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := kafkatest.New(t)
		k.MustCreateTopic("parts", 1)
		o := &owners{owner: make(map[string]string)} // it fails the test if two read the same
		var all []*instance
		for _, name := range []string{"a", "b"} {
			all = append(all, startInstance(t, k, name, connect.Config{"offset.flush.interval.ms": "1000"},
				cluster.Source{Name: "s", Connector: o.parts(t, name, 4), Tasks: 2, Key: connect.StringConverter{}}))
		}
		time.Sleep(10 * time.Second)
		if a, b := o.by("a"), o.by("b"); a != 2 || b != 2 {
			t.Fatalf("a reads %d and b %d of 4 partitions, want 2 each", a, b)
		}
		for i, tasks := range []string{"1", "3"} {
			late, asked := all[i], all[1-i]
			late.link.Freeze()
			if err := asked.PatchConnector(t.Context(), "s", map[string]*string{"tasks.max": &tasks}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(5 * time.Second) // less than a session
			late.link.Thaw()
			time.Sleep(20 * time.Second)
			if n := o.by("a") + o.by("b"); n != 4 {
				t.Errorf("%d of 4 partitions are read by %s tasks", n, tasks)
			}
		}
		wantParts(t, k, 4, 300, false)
	})
}
