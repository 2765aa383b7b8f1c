package cluster

import (
	"testing"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/herder"
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

// What the status topic says of tasks that the config topic has not told of yet counts once it has: the two are read
// independently of each other.
func TestStatusAheadOfConfiguration(t *testing.T) {
	rt, err := New(Config{Brokers: []string{"nowhere:1"}, GroupID: "g"})
	if err != nil {
		t.Fatal(err)
	}
	shared := &sharedStatuses{rt: rt}
	store := statusstore.NewMemory(shared.heard)
	shared.store, rt.status.shared = store, shared
	if err := store.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	worker := "other:1"
	running := statusstore.Status{State: "RUNNING", WorkerID: &worker}
	tasks := func() int {
		c, _, _ := rt.status.get("c")
		return len(c.Tasks)
	}
	for _, name := range []string{"c", "old"} {
		for task := range 3 {
			store.PutTask(connect.TaskID{Connector: name, Task: task}, running, false)
		}
	}
	rt.status.begin(herder.Snapshot{"c": {Tasks: make([]connect.Config, 1)}})
	store.PutTask(connect.TaskID{Connector: "c", Task: 2}, statusstore.Status{State: statusstore.Destroyed}, false)
	store.PutTask(connect.TaskID{Connector: "c"}, running, false)
	store.PutTask(connect.TaskID{Connector: "c", Task: 1}, running, false)
	if n := tasks(); n != 1 {
		t.Errorf("%d tasks, want the one that is configured", n)
	}
	rt.status.keepTasks("c", 3)
	if n := tasks(); n != 2 {
		t.Errorf("%d tasks, want the 2 that are still stored", n)
	}
	if c, _, _ := rt.status.get("old"); len(c.Tasks) > 0 {
		t.Errorf("%+v of a connector that is not configured", c)
	}
	rt.status.remove("c")
	store.PutConnector("c", running, false)
	if _, ok, _ := rt.status.get("c"); ok {
		t.Error("a connector that was removed has a status")
	}
	rt.status.add("c")
	if c, ok, _ := rt.status.get("c"); !ok || c.State != Running || c.Worker != worker {
		t.Errorf("status %+v, want what was said before it was known to be there again", c)
	}

	rt.status.remove("c")
	store.PutConnector("c", statusstore.Status{State: "FAILED", WorkerID: &worker}, false)
	store.PutConnector("c", statusstore.Status{State: statusstore.Destroyed}, false)
	rt.status.add("c")
	if c, ok, _ := rt.status.get("c"); ok {
		t.Errorf("status %+v of a connector whose last one was removed", c)
	}
}

// Another instance that says late, behind what this one says, that it has a task no more is contradicted, as that would stand for
// ever; one that says so in time is not.
func TestLateStatusIsContradicted(t *testing.T) {
	shared := new(sharedStatuses)
	id, other, own := connect.TaskID{Connector: "c"}, "other:1", "own:1"
	said := statusstore.Status{State: "RUNNING", WorkerID: &own, Generation: 3}
	shared.note(id, Running, said)
	again := 0
	for _, heard := range []struct {
		what   string
		status statusstore.Status
		again  int
	}{
		{"of the other, while what is said is still to come from the topic", statusstore.Status{State: "UNASSIGNED", WorkerID: &other, Generation: 2}, 0},
		{"what was said before", statusstore.Status{State: "RUNNING", WorkerID: &own, Generation: 1}, 0},
		{"of the other, still", statusstore.Status{State: "UNASSIGNED", WorkerID: &other, Generation: 2}, 0},
		{"what was said", said, 0},
		{"of the other, late", statusstore.Status{State: "UNASSIGNED", WorkerID: &other, Generation: 2}, 1},
		{"what somebody runs", statusstore.Status{State: "RUNNING", WorkerID: &other, Generation: 4}, 1},
	} {
		shared.contradict(id, heard.status, func(s statusstore.Status) {
			if again++; s != said {
				t.Errorf("%+v is said", s)
			}
		})
		if again != heard.again {
			t.Errorf("%s: said again %d times, want %d", heard.what, again, heard.again)
		}
	}
}
