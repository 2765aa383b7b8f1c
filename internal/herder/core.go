// Package herder is the brain of an instance: from what is configured, what is assigned to the instance and what runs on
// it, it tells what to start and what to stop. It is pure: no goroutine, no clock, no I/O, no plugin code.
package herder

import (
	"cmp"
	"maps"
	"slices"

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

// Core knows what is assigned to the instance, and what runs on it. It is not safe for concurrent use.
type Core struct {
	connectors map[string]*runningConnector
	tasks      map[string]map[int]*runningTask // by connector and number; no entry is empty
	assigned   map[string]*share               // by connector
	held       map[string]int64                // by connector: see Hold
}

// share is what is assigned of one connector.
type share struct {
	connector bool
	tasks     []int // in order
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

// New returns a Core of an instance to which nothing is assigned, and on which nothing runs.
func New() *Core {
	return &Core{make(map[string]*runningConnector), make(map[string]map[int]*runningTask), nil, make(map[string]int64)}
}

// Assign says what the instance is to run from now on.
func (c *Core) Assign(a Assignment) {
	c.assigned = make(map[string]*share)
	of := func(connector string) *share {
		s := c.assigned[connector]
		if s == nil {
			s = new(share)
			c.assigned[connector] = s
		}
		return s
	}
	for _, name := range a.Connectors {
		of(name).connector = true
	}
	for _, id := range a.Tasks {
		s := of(id.Connector)
		s.tasks = append(s.tasks, id.Task)
	}
	for _, s := range c.assigned {
		slices.Sort(s.tasks)
		s.tasks = slices.Compact(s.tasks)
	}
}

// Hold keeps tasks of a connector from being started whose configurations have changed: what they are to read may still be
// read by others, elsewhere, that were started with the older ones. Offset is where the change stands in what is configured.
func (c *Core) Hold(connector string, offset int64) { c.held[connector] = offset }

// Free ends holds on changes up to an offset: a round of the group has begun after them, in which every member had stopped the
// older tasks.
func (c *Core) Free(offset int64) {
	maps.DeleteFunc(c.held, func(_ string, at int64) bool { return at <= offset })
}

// ConnectorStopped says that a connector which was to stop has stopped.
func (c *Core) ConnectorStopped(name string) { delete(c.connectors, name) }

// TaskStopped says that a task which was to stop has stopped.
func (c *Core) TaskStopped(id connect.TaskID) {
	delete(c.tasks[id.Connector], id.Task)
	if len(c.tasks[id.Connector]) == 0 {
		delete(c.tasks, id.Connector)
	}
}

// RestartConnector has a connector that runs here made anew by the next Reconcile.
func (c *Core) RestartConnector(name string) {
	if r := c.connectors[name]; r != nil {
		r.again = true
	}
}

// RestartTask has a task that runs here made anew by the next Reconcile.
func (c *Core) RestartTask(id connect.TaskID) {
	if t := c.task(id); t != nil {
		t.again = true
	}
}

// RunsConnector reports whether the connector runs here, or is still stopping.
func (c *Core) RunsConnector(name string) bool { return c.connectors[name] != nil }

// Runs reports whether the task runs here, or is still stopping.
func (c *Core) Runs(id connect.TaskID) bool { return c.task(id) != nil }

// Stops reports whether the task is still stopping.
func (c *Core) Stops(id connect.TaskID) bool {
	t := c.task(id)
	return t != nil && t.stopping
}

func (c *Core) task(id connect.TaskID) *runningTask { return c.tasks[id.Connector][id.Task] }

// Stopping returns the tasks that are still stopping.
func (c *Core) Stopping() (tasks []connect.TaskID) {
	for connector, all := range c.tasks {
		for task, t := range all {
			if t.stopping {
				tasks = append(tasks, connect.TaskID{Connector: connector, Task: task})
			}
		}
	}
	return tasks
}

// StopsOf reports whether something of a connector is still stopping: itself or one of its tasks.
func (c *Core) StopsOf(connector string) bool {
	if r := c.connectors[connector]; r != nil && r.stopping {
		return true
	}
	for _, t := range c.tasks[connector] {
		if t.stopping {
			return true
		}
	}
	return false
}

// Idle reports whether nothing runs, and nothing is still stopping.
func (c *Core) Idle() bool { return len(c.connectors) == 0 && len(c.tasks) == 0 }

// Reconcile returns what has to be done for the instance to run what is assigned to it, as it is configured, in the
// order in which to do it. It counts as done; call it again after any change. What did not change is not touched.
func (c *Core) Reconcile(s Snapshot) []Action {
	names := make(map[string]bool, len(c.assigned))
	for name := range c.assigned {
		names[name] = true
	}
	for name := range c.connectors {
		names[name] = true
	}
	for name := range c.tasks {
		names[name] = true
	}
	return c.reconcile(s, slices.Sorted(maps.Keys(names)))
}

// ReconcileConnector is Reconcile after a change of one connector and its tasks alone: it costs the same however many others
// there are.
func (c *Core) ReconcileConnector(s Snapshot, name string) []Action {
	return c.reconcile(s, []string{name})
}

func (c *Core) reconcile(s Snapshot, names []string) []Action {
	var actions []Action
	for _, name := range names {
		k, wanted := s[name], c.wanted(s, name)
		for _, task := range slices.Sorted(maps.Keys(c.tasks[name])) {
			t, id := c.tasks[name][task], connect.TaskID{Connector: name, Task: task}
			if t.stopping {
				continue
			}
			_, keep := slices.BinarySearch(wanted, task)
			switch {
			case !keep, !maps.Equal(t.config, k.Tasks[task]), !SameConfig(t.connector, k.Applied), t.again:
				t.stopping = true
				actions = append(actions, StopTask{id})
			case t.paused != (k.Target == Paused):
				t.paused = !t.paused
				actions = append(actions, PauseTask{id, t.paused})
			}
		}
	}
	for _, name := range names {
		r := c.connectors[name]
		if r == nil || r.stopping {
			continue
		}
		switch k := s[name]; {
		case !c.has(s, name), !SameConfig(r.config, k.Config), r.again:
			r.stopping = true
			actions = append(actions, StopConnector{name})
		case r.target != k.Target:
			r.target = k.Target
			actions = append(actions, RetargetConnector{name, k.Target})
		}
	}
	for _, name := range names {
		if k := s[name]; c.has(s, name) && c.connectors[name] == nil {
			c.connectors[name] = &runningConnector{config: k.Config, target: k.Target}
			actions = append(actions, StartConnector{name, k.Config, k.Target})
		}
	}
	for _, name := range names {
		if _, held := c.held[name]; held {
			continue
		}
		k := s[name]
		for _, task := range c.wanted(s, name) {
			if c.tasks[name][task] != nil {
				continue
			}
			t := &runningTask{connector: k.Applied, config: k.Tasks[task], paused: k.Target == Paused}
			if c.tasks[name] == nil {
				c.tasks[name] = make(map[int]*runningTask)
			}
			c.tasks[name][task] = t
			actions = append(actions, StartTask{connect.TaskID{Connector: name, Task: task}, t.connector, t.config, t.paused})
		}
	}
	return actions
}

// has reports whether the connector is to run here.
func (c *Core) has(s Snapshot, name string) bool {
	share := c.assigned[name]
	return share != nil && share.connector && s[name] != nil
}

// wanted returns the tasks of a connector that are to run here, in order.
func (c *Core) wanted(s Snapshot, name string) []int {
	share, k := c.assigned[name], s[name]
	if share == nil || k == nil || k.Target == Stopped {
		return nil
	}
	n, _ := slices.BinarySearch(share.tasks, len(k.Tasks))
	return share.tasks[:n]
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

// CompareTasks orders tasks by connector and number.
func CompareTasks(a, b connect.TaskID) int {
	return cmp.Or(cmp.Compare(a.Connector, b.Connector), cmp.Compare(a.Task, b.Task))
}

// Tasks returns the tasks of the connector that run, or are still stopping, by number.
func (c *Core) Tasks(connector string) []int { return slices.Sorted(maps.Keys(c.tasks[connector])) }

// Busy reports whether a task of the connector runs, or is still stopping.
func (c *Core) Busy(connector string) bool { return len(c.tasks[connector]) > 0 }
