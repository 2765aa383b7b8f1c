package cluster

import (
	"maps"
	"sort"
	"sync"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/herder"
	"github.com/gokconnect/connect/internal/worker"
)

// State is the state of a connector or task, as the REST API spells it: UNASSIGNED, RUNNING, PAUSED, STOPPED, FAILED or
// RESTARTING.
type State = worker.State

// The states of connectors and tasks.
const (
	Unassigned = worker.Unassigned
	Running    = worker.Running
	Paused     = worker.Paused
	Stopped    = worker.Stopped
	Failed     = worker.Failed
	Restarting = worker.Restarting
)

// ConnectorStatus is how a connector and its tasks are.
type ConnectorStatus struct {
	Name  string
	Kind  connect.Kind // [connect.KindSource] or [connect.KindSink]
	State State
	Err   error // why it is FAILED
	// Health is the trouble that the connector reports of itself, as a [connect.HealthReporter], if it runs on this instance.
	Health error
	// Worker is the instance that said so, by its address (see [Config.URL]); if it has none, by a name of its own that
	// begins with the host's. "" with [Standalone].
	Worker string
	Tasks  []TaskStatus
}

// TaskStatus is how a task is.
type TaskStatus struct {
	ID    connect.TaskID
	State State
	Err   error // why it is FAILED or RESTARTING
	// Health is the trouble that the task reports of itself, as a [connect.HealthReporter], if it runs on this instance.
	Health error
	// Worker is the instance that said so, by its address (see [Config.URL]); if it has none, by a name of its own that
	// begins with the host's. "" with [Standalone].
	Worker string
}

// statuses are what the connectors and tasks said of themselves last. Safe for concurrent use: they are written by the
// goroutines of the connectors and tasks.
type statuses struct {
	mu         sync.Mutex
	connectors map[string]ConnectorStatus
	tasks      map[connect.TaskID]TaskStatus
	changed    chan struct{} // closed and replaced at each change
	// counts are the numbers of tasks of connectors; 0 for one that was removed. What stops later says so in vain.
	counts map[string]int
	gone   map[string]bool // connectors that were removed
	// early is what was heard of that this instance does not know of yet, or no more: tasks, and, as task -1, connectors.
	early map[connect.TaskID]bool
	// phantoms are tasks that there are not, and that are shown as failed.
	phantoms map[connect.TaskID]TaskStatus
	// shared, unless it is nil, is where the instances of a group keep what they say: it then comes back from there.
	// Set before the first use.
	shared  *sharedStatuses
	secrets *secrets
}

func newStatuses(s *secrets) *statuses {
	return &statuses{secrets: s, connectors: make(map[string]ConnectorStatus), tasks: make(map[connect.TaskID]TaskStatus), counts: make(map[string]int), gone: make(map[string]bool), early: make(map[connect.TaskID]bool), changed: make(chan struct{})}
}

func (s *statuses) update(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
	close(s.changed)
	s.changed = make(chan struct{})
}

// touch wakes those who wait for a change.
func (s *statuses) touch() { s.update(func() {}) }

func (s *statuses) connector(name string, state State, err error) {
	err = s.secrets.hideIn(err)
	if s.shared != nil {
		s.shared.connector(name, state, err)
		return
	}
	s.setConnector(name, ConnectorStatus{Name: name, State: state, Err: err})
}

func (s *statuses) setConnector(name string, status ConnectorStatus) {
	s.update(func() {
		if s.known(connect.TaskID{Connector: name, Task: -1}) {
			s.connectors[name] = status
		}
	})
}

// connectorRun is one instance of a connector, from its creation to its end.
type connectorRun struct {
	config map[string]*string
	// The statuses' lock guards the rest.
	settled bool  // it has reached a state, or failed to
	err     error // why it failed
	asking  error // why there are no task configurations, so far
}

// run notes the state of a connector's instance.
func (s *statuses) run(name string, r *connectorRun, state State, err error) {
	err = s.secrets.hideIn(err)
	if s.shared != nil {
		s.shared.connector(name, state, err)
	}
	s.update(func() {
		if s.shared == nil {
			s.connectors[name] = ConnectorStatus{Name: name, State: state, Err: err}
		}
		if state != Unassigned {
			r.settled, r.err = true, err
		}
	})
}

// asked notes that a connector gave no task configurations.
func (s *statuses) asked(r *connectorRun, err error) {
	err = s.secrets.hideIn(err)
	s.update(func() { r.asking = err })
}

// outcome returns what is known of a connector's instance.
func (s *statuses) outcome(r *connectorRun) connectorRun {
	s.mu.Lock()
	defer s.mu.Unlock()
	return *r
}

func (s *statuses) task(id connect.TaskID, state State, err error) {
	err = s.secrets.hideIn(err)
	if s.shared != nil {
		s.shared.task(id, state, err)
		return
	}
	s.setTask(id, TaskStatus{ID: id, State: state, Err: err})
}

func (s *statuses) setTask(id connect.TaskID, status TaskStatus) {
	s.update(func() {
		delete(s.phantoms, id)
		if s.known(id) {
			s.tasks[id] = status
		}
	})
}

// phantom shows a task that there is not as failed, until it is there or the connector is removed: as a standalone worker
// of Kafka Connect does that was asked to restart it.
func (s *statuses) phantom(id connect.TaskID, err error) {
	s.update(func() {
		if s.phantoms == nil {
			s.phantoms = make(map[connect.TaskID]TaskStatus)
		}
		s.phantoms[id] = TaskStatus{ID: id, State: Failed, Err: err}
	})
}

// begin takes note of what is configured when the instance starts. What was heard of other connectors and tasks was early, or is
// of what is gone: the record that removes it may not have been written yet.
func (s *statuses) begin(configured herder.Snapshot) {
	s.update(func() {
		for name, k := range configured {
			s.counts[name] = len(k.Tasks)
		}
		known := func(id connect.TaskID) bool {
			if configured[id.Connector] == nil {
				s.gone[id.Connector], s.counts[id.Connector] = true, 0
			}
			return s.known(id)
		}
		maps.DeleteFunc(s.connectors, func(name string, _ ConnectorStatus) bool { return !known(connect.TaskID{Connector: name, Task: -1}) })
		maps.DeleteFunc(s.tasks, func(id connect.TaskID, _ TaskStatus) bool { return !known(id) })
	})
}

// keepTasks forgets the tasks of a connector from number n on.
func (s *statuses) keepTasks(name string, n int) {
	s.update(func() {
		s.counts[name] = n
		for id := range s.tasks {
			if id.Connector == name && id.Task >= n {
				delete(s.tasks, id)
			}
		}
	})
	s.catchUp(name)
}

// catchUp takes what is stored of a connector and its tasks and was heard early: the status topic can be ahead of the config
// topic.
func (s *statuses) catchUp(name string) {
	if s.shared == nil {
		return
	}
	connector, tasks := s.shared.stored(name) // after the count was set: what is heard from here on is newer, and not early
	s.update(func() {
		if id := (connect.TaskID{Connector: name, Task: -1}); connector != nil && s.early[id] && s.known(id) {
			s.connectors[name] = *connector
		}
		for _, t := range tasks {
			if s.early[t.ID] && s.known(t.ID) {
				s.tasks[t.ID] = t
			}
		}
	})
}

// known reports whether this instance knows of a task, or, as task -1, of a connector, and keeps in mind whether it does. The
// caller has the lock.
func (s *statuses) known(id connect.TaskID) bool {
	n, counted := s.counts[id.Connector]
	if s.gone[id.Connector] || counted && id.Task >= n {
		if s.shared != nil {
			s.early[id] = true
		}
		return false
	}
	delete(s.early, id)
	return true
}

// forget is told that nothing is stored any more of a task, or, as task -1, of a connector.
func (s *statuses) forget(id connect.TaskID) { s.update(func() { delete(s.early, id) }) }

func (s *statuses) remove(name string) {
	s.update(func() {
		delete(s.connectors, name)
		s.gone[name] = true
		maps.DeleteFunc(s.phantoms, func(id connect.TaskID, _ TaskStatus) bool { return id.Connector == name })
	})
	s.keepTasks(name, 0)
}

// add takes note that there is a connector of that name.
func (s *statuses) add(name string) {
	s.update(func() { delete(s.gone, name) })
	s.catchUp(name)
}

// get returns the status of a connector, and a channel that is closed when any status changes.
func (s *statuses) get(name string) (ConnectorStatus, bool, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.connectors[name]
	for id, t := range s.tasks {
		if id.Connector == name {
			c.Tasks = append(c.Tasks, t)
		}
	}
	for id, t := range s.phantoms {
		if id.Connector == name {
			c.Tasks = append(c.Tasks, t)
		}
	}
	sort.Slice(c.Tasks, func(i, j int) bool { return c.Tasks[i].ID.Task < c.Tasks[j].ID.Task })
	return c, ok, s.changed
}
