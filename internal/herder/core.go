// Package herder is the brain of an instance: from what is configured, what is assigned to the instance and what runs on
// it, it tells what to start and what to stop. It is pure: no goroutine, no clock, no I/O, no plugin code.
package herder

import (
	"cmp"
	"maps"
	"slices"
	"sort"

	"github.com/gokconnect/connect"
)

// Target is the state that a connector is to be in.
type Target string

// The targets, as the config topic spells them.
const (
	Started Target = "STARTED"
	Paused  Target = "PAUSED"
	Stopped Target = "STOPPED"
)

// Connector is what is configured for one connector.
type Connector struct {
	// Config is the configuration, with its placeholders. A nil value is a null on the wire, which plugins see as absent.
	Config map[string]*string
	// Order are the keys of Config in the order in which they were stored. It matters to those who are shown it only.
	Order  []string
	Target Target
	// Tasks are the configurations of its tasks, as the connector computed them last.
	Tasks []connect.Config
	// TaskOrders are the keys of Tasks, each as in Order.
	TaskOrders [][]string
	// TaskNulls says that one of Tasks has keys that are stored as null, which no connector here gives: Tasks lacks them.
	TaskNulls bool
	// Applied is the configuration that Tasks were computed from: tasks run with it until new ones are computed.
	Applied map[string]*string
}

// Snapshot is what is configured, by name. The Core does not change it.
type Snapshot map[string]*Connector

// Assignment is what an instance has to run.
type Assignment struct {
	Connectors []string
	Tasks      []connect.TaskID
}

// All returns the assignment of an instance that is alone: everything.
func All(s Snapshot) Assignment {
	var a Assignment
	for _, name := range slices.Sorted(maps.Keys(s)) {
		a.Connectors = append(a.Connectors, name)
		for i := range s[name].Tasks {
			a.Tasks = append(a.Tasks, connect.TaskID{Connector: name, Task: i})
		}
	}
	return a
}

// Action is something to do on the instance: [StartConnector], [StopConnector], [RetargetConnector], [StartTask],
// [StopTask] or [PauseTask].
type Action interface{ action() }

// The actions. A stop is done when the instance says so with [Core.ConnectorStopped] or [Core.TaskStopped]: until
// then nothing with that name is started.
type (
	// StartConnector makes a connector with its configuration and brings it to its target.
	StartConnector struct {
		Name   string
		Config map[string]*string
		Target Target
	}
	// StopConnector stops a connector for good.
	StopConnector struct{ Name string }
	// RetargetConnector brings a connector that runs to another target.
	RetargetConnector struct {
		Name   string
		Target Target
	}
	// StartTask makes a task and runs it.
	StartTask struct {
		ID        connect.TaskID
		Connector map[string]*string // the configuration of its connector
		Config    connect.Config
		Paused    bool
	}
	// StopTask stops a task for good.
	StopTask struct{ ID connect.TaskID }
	// PauseTask pauses or resumes a task that runs.
	PauseTask struct {
		ID     connect.TaskID
		Paused bool
	}
)

func (StartConnector) action()    {}
func (StopConnector) action()     {}
func (RetargetConnector) action() {}
func (StartTask) action()         {}
func (StopTask) action()          {}
func (PauseTask) action()         {}

// Core knows what runs on the instance. It is not safe for concurrent use.
type Core struct {
	connectors map[string]*runningConnector
	tasks      map[connect.TaskID]*runningTask
}

type runningConnector struct {
	config   map[string]*string
	target   Target
	again    bool // it is to be made anew
	stopping bool
}

type runningTask struct {
	connector map[string]*string
	config    connect.Config
	again     bool // it is to be made anew
	paused    bool
	stopping  bool
}

// New returns a Core of an instance on which nothing runs.
func New() *Core {
	return &Core{make(map[string]*runningConnector), make(map[connect.TaskID]*runningTask)}
}

// ConnectorStopped says that a connector which was to stop has stopped.
func (c *Core) ConnectorStopped(name string) { delete(c.connectors, name) }

// TaskStopped says that a task which was to stop has stopped.
func (c *Core) TaskStopped(id connect.TaskID) { delete(c.tasks, id) }

// RestartConnector has a connector that runs here made anew by the next Reconcile.
func (c *Core) RestartConnector(name string) {
	if r := c.connectors[name]; r != nil {
		r.again = true
	}
}

// RestartTask has a task that runs here made anew by the next Reconcile.
func (c *Core) RestartTask(id connect.TaskID) {
	if t := c.tasks[id]; t != nil {
		t.again = true
	}
}

// RunsConnector reports whether the connector runs here, or is still stopping.
func (c *Core) RunsConnector(name string) bool { return c.connectors[name] != nil }

// Runs reports whether the task runs here, or is still stopping.
func (c *Core) Runs(id connect.TaskID) bool { return c.tasks[id] != nil }

// Stops reports whether the task is still stopping.
func (c *Core) Stops(id connect.TaskID) bool { return c.tasks[id] != nil && c.tasks[id].stopping }

// Stopping returns the tasks that are still stopping.
func (c *Core) Stopping() (tasks []connect.TaskID) {
	for id, t := range c.tasks {
		if t.stopping {
			tasks = append(tasks, id)
		}
	}
	return tasks
}

// Idle reports whether nothing runs, and nothing is still stopping.
func (c *Core) Idle() bool { return len(c.connectors) == 0 && len(c.tasks) == 0 }

// Reconcile returns what has to be done for the instance to run what is assigned to it, as it is configured, in the
// order in which to do it. It counts as done; call it again after any change. What did not change is not touched.
func (c *Core) Reconcile(s Snapshot, a Assignment) []Action {
	var actions []Action
	wanted := make(map[connect.TaskID]bool)
	for _, id := range a.Tasks {
		if k, ok := s[id.Connector]; ok && id.Task < len(k.Tasks) && k.Target != Stopped {
			wanted[id] = true
		}
	}
	for _, id := range sortedTasks(c.tasks) {
		t := c.tasks[id]
		if t.stopping {
			continue
		}
		k := s[id.Connector]
		switch {
		case !wanted[id], !maps.Equal(t.config, k.Tasks[id.Task]), !SameConfig(t.connector, k.Applied), t.again:
			t.stopping = true
			actions = append(actions, StopTask{id})
		case t.paused != (k.Target == Paused):
			t.paused = !t.paused
			actions = append(actions, PauseTask{id, t.paused})
		}
	}
	assigned := make(map[string]bool)
	for _, name := range a.Connectors {
		assigned[name] = s[name] != nil
	}
	for _, name := range slices.Sorted(maps.Keys(c.connectors)) {
		r := c.connectors[name]
		if r.stopping {
			continue
		}
		switch k := s[name]; {
		case !assigned[name], !SameConfig(r.config, k.Config), r.again:
			r.stopping = true
			actions = append(actions, StopConnector{name})
		case r.target != k.Target:
			r.target = k.Target
			actions = append(actions, RetargetConnector{name, k.Target})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(assigned)) {
		if k := s[name]; assigned[name] && c.connectors[name] == nil {
			c.connectors[name] = &runningConnector{config: k.Config, target: k.Target}
			actions = append(actions, StartConnector{name, k.Config, k.Target})
		}
	}
	for _, id := range sortedTasks(wanted) {
		if c.tasks[id] != nil {
			continue
		}
		k := s[id.Connector]
		t := &runningTask{connector: k.Applied, config: k.Tasks[id.Task], paused: k.Target == Paused}
		c.tasks[id] = t
		actions = append(actions, StartTask{id, t.connector, t.config, t.paused})
	}
	return actions
}

// TasksChanged reports whether configurations that a connector computed have to be stored: they differ from what is
// stored, or what is stored was computed from another configuration.
func TasksChanged(k *Connector, tasks []connect.Config) bool {
	return len(k.Tasks) != len(tasks) || k.TaskNulls || !SameConfig(k.Applied, k.Config) ||
		!slices.EqualFunc(k.Tasks, tasks, func(a, b connect.Config) bool { return maps.Equal(a, b) })
}

// SameConfig reports whether two configurations are the same, nulls included.
func SameConfig(a, b map[string]*string) bool {
	return maps.EqualFunc(a, b, func(x, y *string) bool {
		if x == nil || y == nil {
			return x == y
		}
		return *x == *y
	})
}

func sortedTasks[V any](m map[connect.TaskID]V) []connect.TaskID {
	tasks := slices.Collect(maps.Keys(m))
	sort.Slice(tasks, func(i, j int) bool { return CompareTasks(tasks[i], tasks[j]) < 0 })
	return tasks
}

// CompareTasks orders tasks by connector and number.
func CompareTasks(a, b connect.TaskID) int {
	return cmp.Or(cmp.Compare(a.Connector, b.Connector), cmp.Compare(a.Task, b.Task))
}

// Tasks returns the tasks of the connector that run, or are still stopping, by number.
func (c *Core) Tasks(connector string) (tasks []int) {
	for id := range c.tasks {
		if id.Connector == connector {
			tasks = append(tasks, id.Task)
		}
	}
	slices.Sort(tasks)
	return tasks
}

// Busy reports whether a task of the connector runs, or is still stopping.
func (c *Core) Busy(connector string) bool {
	for id := range c.tasks {
		if id.Connector == connector {
			return true
		}
	}
	return false
}
