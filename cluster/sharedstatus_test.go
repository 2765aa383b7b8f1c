package cluster

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/herder"
	"github.com/gokconnect/connect/internal/kafkalog"
	"github.com/gokconnect/connect/internal/kafkatest"
	"github.com/gokconnect/connect/internal/metrics/metricstest"
	"github.com/gokconnect/connect/internal/statusstore"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
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

// sharedOn returns what an instance says through a store, and hears from it.
func sharedOn(t *testing.T, c *kafkatest.Cluster) *sharedStatuses {
	t.Helper()
	shared := new(sharedStatuses)
	store := statusstore.NewKafka(statusstore.KafkaConfig{
		Topic: kafkalog.Topic{Name: "status", ReplicationFactor: 1, Partitions: 1}, Client: c.ClientOpts(), Producer: c.Client(kgo.RecordDeliveryTimeout(2 * time.Second)),
		OnEvent: func(e statusstore.Event) {
			if e.Status != nil && !e.Stale {
				shared.contradict(connect.TaskID{Connector: e.Connector, Task: e.Task}, *e.Status)
			}
		},
		OnOutdated: shared.outdated,
	})
	shared.store = store
	if err := store.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Stop)
	return shared
}

// What an instance says of a connector that it has stands in the end, whatever the instance that had it before says, and when; and it is said
// again only where it would not.
func TestLateStatuses(t *testing.T) {
	for name, c := range map[string]struct {
		most int // records of the connector, in the end
		play func(own, lose, other func())
	}{
		"in time": {2, func(own, _, other func()) {
			other()
			own()
		}},
		"late": {3, func(own, _, other func()) {
			own()
			time.Sleep(time.Minute)
			other()
		}},
		"late, and what was said could not be written in its generation": {3, func(_, lose, other func()) {
			lose()
			other()
		}},
		"in time, but what was said could not be written in its generation": {2, func(_, lose, other func()) {
			other()
			time.Sleep(time.Minute)
			lose()
		}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := kafkatest.New(t)
				shared, id, worker := sharedOn(t, k), connect.TaskID{Connector: "c", Task: -1}, "own:1"
				own := func() {
					shared.generation.Store(5)
					shared.say(id, statusstore.Status{State: "RUNNING", WorkerID: &worker, Generation: 5})
				}
				lose := func() { // says so, which can't be written before the next generation
					f := k.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "status", Err: kerr.NotEnoughReplicas, Count: -1})
					defer f.Remove()
					own()
					time.Sleep(time.Second)
					shared.generation.Store(6)
					shared.destroyOne(connect.TaskID{Connector: "old"})
					time.Sleep(10 * time.Second)
				}
				other := func() { // says so, however late
					k.Produce(&kgo.Record{Topic: "status", Key: []byte("status-connector-c"), Value: []byte(`{"state":"UNASSIGNED","trace":null,"worker_id":"other:1","generation":4}`)})
				}
				c.play(own, lose, other)
				time.Sleep(time.Minute)
				if s := sharedOn(t, k).store.Connector("c"); s == nil || s.State != "RUNNING" || *s.WorkerID != worker {
					t.Errorf("in the end the connector is %+v", s)
				}
				n := 0
				for _, r := range k.Records("status") {
					if string(r.Key) == "status-connector-c" {
						n++
					}
				}
				if n > c.most {
					t.Errorf("%d statuses of the connector, want %d at most", n, c.most)
				}
			})
		})
	}
}

// connectorPuts counts what is put of connectors, and keeps the last of it.
type connectorPuts struct {
	statusstore.Store
	n    int
	last statusstore.Status
}

// PutConnector implements [statusstore.Store].
func (p *connectorPuts) PutConnector(_ string, s statusstore.Status, _ bool) { p.n, p.last = p.n+1, s }

// A status of another instance is not contradicted while what this one says is on its way: that comes later.
func TestStatusIsSaidOnce(t *testing.T) {
	store := new(connectorPuts)
	shared, id, own, other := &sharedStatuses{store: store}, connect.TaskID{Connector: "c", Task: -1}, "own:1", "other:1"
	said := statusstore.Status{State: "RUNNING", WorkerID: &own, Generation: 3}
	shared.say(id, said)
	before := said
	before.Generation = 1
	for _, heard := range []struct {
		what   string
		status statusstore.Status
		puts   int
	}{
		{"of the other, in time", statusstore.Status{State: "UNASSIGNED", WorkerID: &other, Generation: 2}, 1},
		{"what was said before", before, 1},
		{"of the other, still in time", statusstore.Status{State: "UNASSIGNED", WorkerID: &other, Generation: 2}, 1},
		{"what was said", said, 1},
		{"of the other, late", statusstore.Status{State: "UNASSIGNED", WorkerID: &other, Generation: 2}, 2},
		{"what somebody runs", statusstore.Status{State: "RUNNING", WorkerID: &other, Generation: 4}, 2},
	} {
		shared.contradict(id, heard.status)
		if store.n != heard.puts {
			t.Errorf("%s: said %d times, want %d", heard.what, store.n, heard.puts)
		}
	}
	shared.generation.Store(7)
	shared.destroyOne(id)
	if store.last.State != statusstore.Destroyed || store.last.Generation != 7 {
		t.Errorf("removed by %+v, want that of the group's generation: with an older one it makes what waits for a broker outdated", store.last)
	}
}
