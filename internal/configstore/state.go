// Package configstore keeps what is configured: connectors, their target states and the configurations of their tasks,
// as records of Kafka Connect's config topic, or, for an instance that is alone, in memory.
//
// [State] is the state machine that every instance feeds with the records, [Writer] the order in which records are
// written. [Kafka] and [Memory] put them together.
package configstore

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/herder"
	"github.com/gokconnect/connect/internal/javatext"
	"github.com/gokconnect/connect/internal/storejson"
)

// State is what the records of a config topic add up to. It is not safe for concurrent use.
type State struct {
	offset     int64 // behind the last record that could be decoded
	committed  int64 // behind the last commit of tasks
	sessionKey *SessionKey

	connectors    map[string]*connector
	targets       map[string]herder.Target    // of connectors that are not configured too
	deferred      map[string]map[int32]Config // tasks that await their commit; an entry stays when it was emptied
	generations   map[string]int32            // of complete commits
	fencingCounts map[string]int32
	pending       map[string]bool // a commit came, but no fencing record since
	inconsistent  map[string]bool // the last commit was not complete

	snapshot *Snapshot // nil when it is out of date
}

type connector struct {
	config    Config
	applied   *Config // what the tasks were computed from; nil before the first complete commit
	committed bool
	taskCount int32            // of the last commit, complete or not
	tasks     map[int32]Config // also of tasks that are gone

	view *herder.Connector // nil when it is out of date
}

// NewState returns the state before the first record.
func NewState() *State {
	return &State{
		offset: -1, connectors: map[string]*connector{}, targets: map[string]herder.Target{}, deferred: map[string]map[int32]Config{},
		generations: map[string]int32{}, fencingCounts: map[string]int32{}, pending: map[string]bool{}, inconsistent: map[string]bool{},
	}
}

// Apply takes the next record. The event is nil if nothing happened; restarts and levels in events concern only those
// who were there when they were written. The error is a *[BadRecord].
func (s *State) Apply(offset int64, key string, value []byte) (Event, error) {
	v, order, err := storejson.DecodeOrdered(value, "properties")
	if err != nil { // such a record does not count as read
		return nil, &BadRecord{key, fmt.Sprintf("the value is not JSON: %v", err), Skipped}
	}
	s.offset = offset + 1
	s.snapshot = nil
	event, bad := s.dispatch(key, v, order)
	if bad != nil {
		bad.Key = key
		return event, bad
	}
	return event, nil
}

func (s *State) dispatch(key string, v any, order []string) (Event, *BadRecord) {
	if name, ok := strings.CutPrefix(key, targetKey); ok {
		return s.applyTarget(name, v)
	}
	if name, ok := strings.CutPrefix(key, connectorKey); ok {
		return s.applyConnector(name, v, order)
	}
	if strings.HasPrefix(key, taskKey) {
		return nil, s.applyTask(key, v, order)
	}
	if name, ok := strings.CutPrefix(key, commitKey); ok {
		return s.applyCommit(name, v)
	}
	if name, ok := strings.CutPrefix(key, restartKey); ok {
		return applyRestart(name, v)
	}
	if name, ok := strings.CutPrefix(key, fencingKey); ok {
		return nil, s.applyFencing(name, v)
	}
	if key == sessionKey {
		return s.applySessionKey(v)
	}
	if name, ok := strings.CutPrefix(key, loggerKey); ok {
		return applyLogger(name, v)
	}
	if strings.HasPrefix(key, taskRestartKey) {
		return applyTaskRestart(key)
	}
	return nil, skip("no record has such a key")
}

func skip(format string, args ...any) *BadRecord {
	return &BadRecord{Message: fmt.Sprintf(format, args...), Effect: Skipped}
}

// what tells of a value only its type: it may be a secret.
func what(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case connect.Fields:
		return "an object"
	case []any:
		return "a list"
	case string:
		return "text"
	case bool:
		return "a boolean"
	}
	return "a number"
}

func object(v any) (connect.Fields, *BadRecord) {
	fields, ok := v.(connect.Fields)
	if !ok {
		return nil, skip("the value must be an object, but is %s", what(v))
	}
	return fields, nil
}

func (s *State) applyTarget(name string, v any) (Event, *BadRecord) {
	k := s.connectors[name]
	if v == nil {
		delete(s.targets, name)
		if k != nil { // a connector always has a target
			s.targets[name] = herder.Started
			k.view = nil
		}
		return nil, nil
	}
	fields, bad := object(v)
	if bad != nil {
		return nil, bad
	}
	text, ok := fields["state.v2"].(string)
	if !ok {
		if text, ok = fields["state"].(string); !ok {
			return nil, skip("the field state must be text, but is %s", what(fields["state"]))
		}
	}
	target := herder.Target(text)
	switch target {
	case herder.Started, herder.Paused, herder.Stopped:
	default:
		return nil, skip("%q is no target state", text)
	}
	if s.targets[name] == target {
		return nil, nil
	}
	s.targets[name] = target
	if k == nil {
		return nil, nil
	}
	k.view = nil
	return TargetChanged{name}, nil
}

func properties(v any, order []string) (Config, *BadRecord) {
	fields, bad := object(v)
	if bad != nil {
		return Config{}, bad
	}
	inner, ok := fields["properties"].(connect.Fields)
	if !ok {
		return Config{}, skip("the field properties must be an object, but is %s", what(fields["properties"]))
	}
	return newConfig(inner, order), nil
}

func (s *State) applyConnector(name string, v any, order []string) (Event, *BadRecord) {
	if v == nil {
		s.remove(name)
		return ConnectorRemoved{name}, nil
	}
	config, bad := properties(v, order)
	if bad != nil {
		return nil, bad
	}
	k := s.connectors[name]
	if k == nil {
		k = &connector{}
		s.connectors[name] = k
	}
	k.config, k.view = config, nil
	if s.targets[name] == "" {
		s.targets[name] = herder.Started
	}
	return ConnectorChanged{name}, nil
}

// remove forgets a connector, but, as Kafka Connect does, not its target, its generation and what its fencing needs.
func (s *State) remove(name string) {
	delete(s.connectors, name)
	delete(s.deferred, name)
}

func (s *State) applyTask(key string, v any, order []string) *BadRecord {
	name, task, ok := javatext.SplitTask(strings.TrimPrefix(key, taskKey))
	if !ok {
		return skip("the key names no task")
	}
	config, bad := properties(v, order)
	if bad != nil {
		return bad
	}
	if s.deferred[name] == nil {
		s.deferred[name] = map[int32]Config{}
	}
	if before, ok := s.deferred[name][task-1]; ok && slices.Equal(before.Order, config.Order) {
		config.Order = before.Order // one for all
	}
	s.deferred[name][task] = config
	return nil
}

func count(v any) (int32, *BadRecord) {
	n, ok := v.(int64)
	if !ok {
		return 0, &BadRecord{Message: "Expected integer value to be either Integer or Long", Effect: LosesBatch}
	}
	return int32(n), nil // what does not fit wraps around, as in Java
}

func (s *State) applyCommit(name string, v any) (Event, *BadRecord) {
	k := s.connectors[name]
	if k == nil { // it was removed, and compaction has dropped its records but not those of its tasks
		s.remove(name)
		return nil, nil
	}
	fields, bad := object(v)
	if bad != nil {
		return nil, bad
	}
	n, bad := count(fields["tasks"])
	if bad != nil {
		return nil, bad
	}
	deferred, known := s.deferred[name]
	event := TasksChanged{Connector: name}
	if complete(deferred, n) {
		applied := k.config
		k.applied = &applied
		if known {
			if k.tasks == nil {
				k.tasks = make(map[int32]Config, len(deferred))
			}
			maps.Copy(k.tasks, deferred)
			for _, task := range slices.Sorted(maps.Keys(deferred)) {
				event.Tasks = append(event.Tasks, connect.TaskID{Connector: name, Task: int(task)})
			}
			if generation, ok := s.generations[name]; ok {
				s.generations[name] = generation + 1
			} else {
				s.generations[name] = 0
			}
		}
		delete(s.inconsistent, name)
	} else {
		s.inconsistent[name] = true
	}
	clear(deferred)
	k.taskCount, k.committed, k.view = n, true, nil
	s.committed = s.offset
	s.pending[name] = true
	return event, nil
}

// complete reports whether the tasks from 0 to n-1 are there; more may be, left by compaction.
func complete(tasks map[int32]Config, n int32) bool {
	if len(tasks) < int(n) {
		return false
	}
	for i := range n {
		if _, ok := tasks[i]; !ok {
			return false
		}
	}
	return true
}

func (s *State) applyFencing(name string, v any) *BadRecord {
	fields, bad := object(v)
	if bad != nil {
		return bad
	}
	n, bad := count(fields["task-count"])
	if bad != nil {
		return bad
	}
	s.fencingCounts[name] = n
	delete(s.pending, name)
	return nil
}

func (s *State) applySessionKey(v any) (Event, *BadRecord) {
	fields, bad := object(v)
	if bad != nil {
		return nil, bad
	}
	text, ok := fields["key"].(string)
	if !ok {
		return nil, skip("the field key must be text, but is %s", what(fields["key"]))
	}
	algorithm, ok := fields["algorithm"].(string)
	if !ok {
		return nil, skip("the field algorithm must be text, but is %s", what(fields["algorithm"]))
	}
	created, ok := fields["creation-timestamp"].(int64)
	if !ok {
		return nil, skip("the field creation-timestamp must be an integer, but is %s", what(fields["creation-timestamp"]))
	}
	key, err := decodeKey(text)
	if err != nil {
		return nil, &BadRecord{Message: err.Error(), Effect: StopsReader}
	}
	s.sessionKey = &SessionKey{key, algorithm, created}
	return SessionKeyChanged{*s.sessionKey}, nil
}

func applyRestart(name string, v any) (Event, *BadRecord) {
	fields, bad := object(v)
	if bad != nil {
		return nil, bad
	}
	onlyFailed, _ := fields["only-failed"].(bool)
	includeTasks, _ := fields["include-tasks"].(bool)
	return RestartRequested{name, onlyFailed, includeTasks}, nil
}

func applyTaskRestart(key string) (Event, *BadRecord) {
	name, task, ok := javatext.SplitTask(strings.TrimPrefix(key, taskRestartKey))
	if !ok {
		return nil, skip("the key names no task")
	}
	return TaskRestartRequested{connect.TaskID{Connector: name, Task: int(task)}}, nil
}

func applyLogger(namespace string, v any) (Event, *BadRecord) {
	fields, bad := object(v)
	if bad != nil {
		return nil, bad
	}
	level, ok := fields["level"].(string)
	if !ok {
		return nil, skip("the field level must be text, but is %s", what(fields["level"]))
	}
	return LoggerLevelChanged{namespace, level}, nil
}
