package herder_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/herder"
)

// configured is a connector of which all changes with version.
func configured(version, tasks int, target herder.Target) *herder.Connector {
	v := fmt.Sprint(version)
	k := &herder.Connector{Config: map[string]*string{"v": &v}, Applied: map[string]*string{"v": &v}, Target: target}
	for task := range tasks {
		k.Tasks = append(k.Tasks, connect.Config{"task": fmt.Sprint(task, v)})
	}
	return k
}

// TestReconcileConnector: reconciling what changed comes to the same as reconciling all, after every change, and a second time
// to nothing.
func TestReconcileConnector(t *testing.T) {
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 0))
		name := func() string { return fmt.Sprintf("c%d", r.IntN(5)) }
		one, all := herder.New(), herder.New()
		s, given := herder.Snapshot{}, herder.Assignment{}
		var stopping []herder.Action
		held := map[string]bool{}
		for step := range 300 {
			connector := ""
			switch r.IntN(7) {
			case 0, 1:
				connector = name()
				s[connector] = configured(r.IntN(3), r.IntN(4), []herder.Target{herder.Started, herder.Paused, herder.Stopped}[r.IntN(3)])
			case 2:
				connector = name()
				delete(s, connector)
			case 3:
				given = herder.Assignment{}
				for _, c := range []string{"c4", "c2", "c0", "c1", "c3"} {
					if r.IntN(2) == 0 {
						given.Connectors = append(given.Connectors, c)
					}
					for task := range 4 {
						if r.IntN(2) == 0 {
							given.Tasks = append(given.Tasks, connect.TaskID{Connector: c, Task: task})
						}
					}
				}
				one.Assign(given)
				all.Assign(given)
			case 4:
				if len(stopping) == 0 {
					continue
				}
				i := r.IntN(len(stopping))
				switch a := stopping[i].(type) {
				case herder.StopConnector:
					connector = a.Name
					one.ConnectorStopped(a.Name)
					all.ConnectorStopped(a.Name)
				case herder.StopTask:
					connector = a.ID.Connector
					one.TaskStopped(a.ID)
					all.TaskStopped(a.ID)
				}
				stopping = slices.Delete(stopping, i, i+1)
			case 5:
				id := connect.TaskID{Connector: name(), Task: r.IntN(4)}
				connector = id.Connector
				one.RestartTask(id)
				all.RestartTask(id)
				one.RestartConnector(connector)
				all.RestartConnector(connector)
			case 6:
				connector = name()
				one.Hold(connector, int64(step))
				all.Hold(connector, int64(step))
				held[connector] = true
				if r.IntN(2) == 0 {
					one.Free(int64(step))
					all.Free(int64(step))
					clear(held)
					one.Assign(given) // as after a round, everything is looked at
					all.Assign(given)
					connector = ""
				}
			}
			want := all.Reconcile(s)
			var got []herder.Action
			if connector == "" {
				got = one.Reconcile(s)
			} else {
				got = one.ReconcileConnector(s, connector)
			}
			if !slices.EqualFunc(got, want, func(a, b herder.Action) bool { return fmt.Sprintf("%#v", a) == fmt.Sprintf("%#v", b) }) { // the maps are the same
				t.Fatalf("seed %d, step %d: %s alone came to\n%#v\nand all to\n%#v", seed, step, connector, got, want)
			}
			if again := append(one.Reconcile(s), all.Reconcile(s)...); len(again) > 0 {
				t.Fatalf("seed %d, step %d: a second time came to %#v", seed, step, again)
			}
			for _, a := range got {
				switch a.(type) {
				case herder.StopConnector, herder.StopTask:
					stopping = append(stopping, a)
				}
			}
			check(t, one, s, given, held)
		}
	}
}

// check says if something runs that is not to, unless it is stopping, or does not run that is, unless it is held.
func check(t *testing.T, c *herder.Core, s herder.Snapshot, given herder.Assignment, held map[string]bool) {
	t.Helper()
	for _, name := range []string{"c0", "c1", "c2", "c3", "c4"} {
		if k := s[name]; k != nil && slices.Contains(given.Connectors, name) && !c.RunsConnector(name) {
			t.Errorf("connector %s does not run", name)
		}
		running := c.Tasks(name)
		if c.Busy(name) != (len(running) > 0) {
			t.Errorf("connector %s is busy: %t, with the tasks %v", name, c.Busy(name), running)
		}
		for task := range 4 {
			id := connect.TaskID{Connector: name, Task: task}
			k := s[name]
			wanted := k != nil && k.Target != herder.Stopped && task < len(k.Tasks) && slices.Contains(given.Tasks, id)
			if runs := slices.Contains(running, task); runs != c.Runs(id) || wanted && !runs && !held[name] || runs && !wanted && !c.Stops(id) {
				t.Errorf("task %v is wanted: %t, is there: %t, stops: %t", id, wanted, runs, c.Stops(id))
			}
		}
	}
}

// TestHold: a task whose configuration changed is stopped at once, and started when a round has begun after the change.
func TestHold(t *testing.T) {
	c, s := herder.New(), herder.Snapshot{"c": configured(1, 1, herder.Started)}
	id := connect.TaskID{Connector: "c"}
	c.Assign(herder.Assignment{Tasks: []connect.TaskID{id}})
	expect := func(when string, want ...string) {
		t.Helper()
		var got []string
		for _, a := range c.Reconcile(s) {
			got = append(got, fmt.Sprintf("%T", a))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", when, got, want)
		}
	}
	expect("at first", "herder.StartTask")
	s["c"] = configured(2, 1, herder.Started)
	c.Hold("c", 7)
	expect("changed", "herder.StopTask")
	c.TaskStopped(id)
	expect("stopped")
	c.Free(6)
	expect("after a round that began before the change")
	c.Free(7)
	expect("after one that began later", "herder.StartTask")
}

// BenchmarkReconcile is a change of one connector of 500 with 4 tasks each.
func BenchmarkReconcile(b *testing.B) {
	s := herder.Snapshot{}
	for i := range 500 {
		s[fmt.Sprintf("connector-%03d", i)] = configured(0, 4, herder.Started)
	}
	for name, reconcile := range map[string]func(*herder.Core) []herder.Action{
		"all": func(c *herder.Core) []herder.Action { return c.Reconcile(s) },
		"one": func(c *herder.Core) []herder.Action { return c.ReconcileConnector(s, "connector-250") },
	} {
		b.Run(name, func(b *testing.B) {
			c := herder.New()
			c.Assign(herder.All(s))
			c.Reconcile(s)
			for i := range b.N {
				s["connector-250"] = configured(i, 4, herder.Started)
				for _, a := range reconcile(c) {
					switch a := a.(type) {
					case herder.StopConnector:
						c.ConnectorStopped(a.Name)
					case herder.StopTask:
						c.TaskStopped(a.ID)
					}
				}
				reconcile(c)
			}
		})
	}
}
