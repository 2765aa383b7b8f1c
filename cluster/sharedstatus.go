package cluster

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/kafkalog"
	"github.com/gokconnect/connect/internal/statusstore"
)

// sharedStatuses writes what the connectors and tasks of this instance say to the status topic, and hears from there what
// those of every instance say. Safe for concurrent use.
type sharedStatuses struct {
	rt         *Runtime
	store      statusstore.Store
	generation atomic.Int32 // of the group
	// errs are the errors of this instance's connectors and tasks, by their traces, which lose what the errors are.
	errs   sync.Map
	saying sync.Mutex // held while something is said: it is noted and written in the same order
	// own is what this instance's connectors, as task -1, and tasks said last, unless it is UNASSIGNED.
	own map[connect.TaskID]*ownStatus
}

// ownStatus is what a connector or task of this instance said.
type ownStatus struct {
	statusstore.Status
	back bool // it has come back from the topic
}

func (s *sharedStatuses) status(state State, err error, connector string) statusstore.Status {
	worker := s.rt.workerID()
	out := statusstore.Status{State: statusstore.State(state), WorkerID: &worker, Generation: s.generation.Load()}
	if err != nil {
		trace := javaTrace(err)
		out.Trace = &trace
		s.errs.Store(connector, tracedError{trace, err})
	}
	if state == Restarting || state == Unassigned {
		return out
	}
	if k := s.rt.store.Snapshot().Connectors[connector]; k != nil {
		if f, err := s.rt.find(plain(k.Config)); err == nil {
			out.Version = &f.version
		}
	}
	return out
}

// tracedError is an error and what is shown of it.
type tracedError struct {
	trace string
	err   error
}

// storedTrace is an error of which only the trace is known.
type storedTrace string

func (t storedTrace) Error() string { return string(t) }

// connector writes the state of a connector. UNASSIGNED is written only if no other instance has written since.
func (s *sharedStatuses) connector(name string, state State, err error) {
	s.say(connect.TaskID{Connector: name, Task: -1}, s.status(state, err, name))
}

// task is connector for a task.
func (s *sharedStatuses) task(id connect.TaskID, state State, err error) {
	s.say(id, s.status(state, err, id.Connector))
}

func (s *sharedStatuses) say(id connect.TaskID, status statusstore.Status) {
	s.saying.Lock()
	defer s.saying.Unlock()
	s.note(id, status)
	s.put(id, status, State(status.State) == Unassigned)
}

func (s *sharedStatuses) put(id connect.TaskID, status statusstore.Status, safe bool) {
	if id.Task < 0 {
		s.store.PutConnector(id.Connector, status, safe)
	} else {
		s.store.PutTask(id, status, safe)
	}
}

// note keeps what this instance says of a connector or task that it has. The caller is the one who is saying.
func (s *sharedStatuses) note(id connect.TaskID, status statusstore.Status) {
	if s.own == nil {
		s.own = make(map[connect.TaskID]*ownStatus)
	}
	if State(status.State) == Unassigned {
		delete(s.own, id)
	} else {
		s.own[id] = &ownStatus{Status: status}
	}
}

// contradict says again how a connector or task of this instance is, if another one that had it before was late to say that
// it has it no more: what it said had to wait, for a network that was broken, say, and would stand for ever. It was not late if what this
// instance says has not come back yet: that is behind it in the topic, or given up, of which [sharedStatuses.outdated] hears.
func (s *sharedStatuses) contradict(id connect.TaskID, heard statusstore.Status) {
	s.saying.Lock()
	defer s.saying.Unlock()
	own := s.own[id]
	switch {
	case own == nil || heard.WorkerID == nil:
	case *heard.WorkerID == *own.WorkerID:
		own.back = own.back || heard.State == own.State && heard.Generation == own.Generation
	case State(heard.State) == Unassigned && own.back:
		s.again(id, own)
	}
}

// outdated is told of what this instance said and could not write before the next generation began. It says it again if it still holds.
func (s *sharedStatuses) outdated(id connect.TaskID, lost statusstore.Status) {
	s.saying.Lock()
	defer s.saying.Unlock()
	if own := s.own[id]; own != nil && own.Status == lost {
		s.again(id, own)
	}
}

// again says what this instance said once more, in the generation that it is now.
func (s *sharedStatuses) again(id connect.TaskID, own *ownStatus) {
	own.Generation, own.back = s.generation.Load(), false
	s.put(id, own.Status, false)
}

// destroy removes what is stored of a connector that was deleted: also of these tasks, of which the store may not have
// heard yet.
func (s *sharedStatuses) destroy(name string, tasks []int) {
	s.destroyOne(connect.TaskID{Connector: name, Task: -1})
	for task := range s.store.Tasks(name) {
		if !slices.Contains(tasks, task) {
			tasks = append(tasks, task)
		}
	}
	for _, task := range tasks {
		s.destroyOne(connect.TaskID{Connector: name, Task: task})
	}
}

// sweep removes what is stored of connectors and tasks that are not configured any more. The leader does so after each
// round: whoever ran them may have said something after they had been removed.
func (s *sharedStatuses) sweep() {
	configured := s.rt.store.Snapshot().Connectors
	for _, name := range s.store.Connectors() {
		k := configured[name]
		if k == nil {
			s.destroy(name, nil)
			continue
		}
		for task := range s.store.Tasks(name) {
			if task >= len(k.Tasks) {
				s.destroyOne(connect.TaskID{Connector: name, Task: task})
			}
		}
	}
}

// sweepLate is sweep for what is heard of after that: that something has been given up that is not configured any more.
func (s *sharedStatuses) sweepLate(e statusstore.Event) {
	switch k := s.rt.store.Snapshot().Connectors[e.Connector]; {
	case !s.rt.route.isLeader():
	case e.Task >= 0 && (k == nil || e.Task >= len(k.Tasks)), e.Task < 0 && k == nil:
		s.destroyOne(connect.TaskID{Connector: e.Connector, Task: e.Task})
	}
}

// destroyOne removes what is stored of a connector, or of a task that its connector has no more.
func (s *sharedStatuses) destroyOne(id connect.TaskID) {
	s.saying.Lock()
	defer s.saying.Unlock()
	delete(s.own, id)
	s.put(id, statusstore.Status{State: statusstore.Destroyed, Generation: s.generation.Load()}, false)
}

// heard takes what came from the topic.
func (s *sharedStatuses) heard(e statusstore.Event) {
	if e.Topic != nil {
		if e.Removed {
			s.rt.topics.remove(e.Connector, e.Topic.Name)
		} else {
			s.rt.topics.add(e.Connector, e.Topic.Name)
		}
		return
	}
	if e.Status == nil {
		id := connect.TaskID{Connector: e.Connector, Task: e.Task}
		if e.Task >= 0 { // it is stopped for good: nobody takes it over
			s.rt.metrics.Elsewhere(id)
		}
		s.rt.status.forget(id)
		return // a connector that is gone is forgotten when its configuration is
	}
	state, worker, err := s.read(e.Connector, e.Status)
	if state == Unassigned && worker != s.rt.workerID() {
		s.rt.hurry() // it has been given up, and the round that gives it to somebody else is about to begin
	}
	if e.Stale {
		return
	}
	if state == Unassigned {
		s.sweepLate(e)
	}
	id := connect.TaskID{Connector: e.Connector, Task: e.Task}
	s.contradict(id, *e.Status)
	if e.Task < 0 {
		s.rt.status.setConnector(e.Connector, ConnectorStatus{Name: e.Connector, State: state, Err: err, Worker: worker})
		return
	}
	if worker != s.rt.workerID() {
		if state == Unassigned {
			s.rt.metrics.Stopped(id)
		} else {
			s.rt.metrics.Elsewhere(id)
		}
	}
	s.rt.status.setTask(id, TaskStatus{ID: id, State: state, Err: err, Worker: worker})
}

// read returns what a stored status of a connector, or of one of its tasks, says.
func (s *sharedStatuses) read(connector string, status *statusstore.Status) (state State, worker string, err error) {
	if status.Trace != nil {
		err = storedTrace(*status.Trace)
		if own, ok := s.errs.Load(connector); ok && own.(tracedError).trace == *status.Trace {
			err = own.(tracedError).err
		}
	}
	if status.WorkerID != nil {
		worker = *status.WorkerID
	}
	return State(status.State), worker, err
}

// stored returns what the topic has of a connector, nil if that is nothing, and of its tasks.
func (s *sharedStatuses) stored(name string) (connector *ConnectorStatus, tasks []TaskStatus) {
	if c := s.store.Connector(name); c != nil {
		state, worker, err := s.read(name, c)
		connector = &ConnectorStatus{Name: name, State: state, Err: err, Worker: worker}
	}
	for task, t := range s.store.Tasks(name) {
		state, worker, err := s.read(name, t)
		tasks = append(tasks, TaskStatus{ID: connect.TaskID{Connector: name, Task: task}, State: state, Err: err, Worker: worker})
	}
	return connector, tasks
}

// shareStatuses opens the status topic, unless the instance is alone.
func (k *kafka) shareStatuses(ctx context.Context) error {
	if _, alone := k.rt.coordinator.(*standalone); alone {
		return nil
	}
	reader, _, warnings, err := k.options.Consumer(k.props.StatusConsumer())
	if err != nil {
		return err
	}
	k.warn(warnings.Without(k.props.Config))
	topic := k.rt.settings.StatusTopic
	shared := &sharedStatuses{rt: k.rt}
	shared.store = statusstore.NewKafka(statusstore.KafkaConfig{
		Topic: kafkalog.Topic{
			Name: topic.Name, Property: "status.storage.topic", Content: "connector and task statuses", Partitions: topic.Partitions,
			ReplicationFactor: k.replication(ctx, topic.ReplicationFactor), Settings: topic.Settings,
		},
		Client: reader, Producer: k.client, OnEvent: shared.heard, OnOutdated: shared.outdated,
		OnError: func(err error) { k.rt.log.Error("trouble with the status topic", "topic", topic.Name, "err", err) },
	})
	if err := shared.store.Start(ctx); err != nil {
		return err
	}
	k.rt.status.shared = shared
	for _, name := range shared.store.Connectors() {
		if s := shared.store.Connector(name); s != nil {
			shared.heard(statusstore.Event{Connector: name, Task: -1, Status: s})
		}
		for task, s := range shared.store.Tasks(name) {
			shared.heard(statusstore.Event{Connector: name, Task: task, Status: s})
		}
		for topic := range shared.store.Topics(name) {
			k.rt.topics.add(name, topic)
		}
	}
	return nil
}

// close writes what is left to write.
func (s *sharedStatuses) close() {
	ctx, cancel := context.WithTimeout(context.Background(), s.rt.settings.OffsetFlushTimeout)
	defer cancel()
	if err := s.store.Flush(ctx); err != nil {
		s.rt.log.Warn("not all statuses could be written", "err", err)
	}
	s.store.Stop()
}
