package configstore

import (
	"maps"
	"slices"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/herder"
)

// Snapshot is what is configured at one point of the config topic. It is shared, and never changed.
type Snapshot struct {
	// Offset is that behind the last record that counts, -1 before the first: what the members of a group compare to
	// see who lags.
	Offset int64
	// TasksOffset is that behind the last commit of tasks, 0 before the first.
	TasksOffset int64
	// Connectors are those that are configured. Tasks are those of the last commit if it was complete, none otherwise;
	// Applied is nil before the first complete commit.
	Connectors herder.Snapshot
	// Targets are the target states, also those of connectors that are not configured yet or any more.
	Targets map[string]herder.Target
	// TaskCounts are the numbers of tasks of the last commits, complete or not. A connector without commit has none.
	TaskCounts map[string]int32
	// Generations count the complete commits of tasks, from 0; a commit of no tasks before any counts for nothing.
	// Producers of exactly-once sources are told apart by them.
	Generations map[string]int32
	// FencingCounts are the numbers of tasks whose producers have to be fenced before a new generation may start.
	FencingCounts map[string]int32
	// PendingFencing are the connectors with tasks committed whose predecessors were not fenced yet.
	PendingFencing map[string]bool
	// Inconsistent are the connectors whose tasks must be committed anew: compaction has taken a part of them.
	Inconsistent map[string]bool
	// SessionKey is the last session key, or nil.
	SessionKey *SessionKey
}

// Snapshot returns what is configured now.
func (s *State) Snapshot() *Snapshot {
	if s.snapshot != nil {
		return s.snapshot
	}
	snapshot := &Snapshot{
		Offset: s.offset, TasksOffset: s.committed, SessionKey: s.sessionKey, Connectors: make(herder.Snapshot, len(s.connectors)), Targets: maps.Clone(s.targets),
		TaskCounts: make(map[string]int32, len(s.connectors)), Generations: maps.Clone(s.generations), FencingCounts: maps.Clone(s.fencingCounts),
		PendingFencing: maps.Clone(s.pending), Inconsistent: maps.Clone(s.inconsistent),
	}
	for name, k := range s.connectors {
		if k.view == nil {
			k.view = s.view(name, k)
		}
		snapshot.Connectors[name] = k.view
		if k.committed {
			snapshot.TaskCounts[name] = k.taskCount
		}
	}
	s.snapshot = snapshot
	return snapshot
}

func (s *State) view(name string, k *connector) *herder.Connector {
	view := &herder.Connector{Config: k.config.Values, Order: k.config.Order, Target: s.targets[name]}
	if k.applied != nil {
		view.Applied = k.applied.Values
	}
	if k.committed && !s.inconsistent[name] && k.taskCount > 0 {
		view.Tasks = make([]connect.Config, k.taskCount)
		view.TaskOrders = make([][]string, k.taskCount)
		for i := range view.Tasks {
			config := k.tasks[int32(i)]
			view.Tasks[i], view.TaskOrders[i] = config.task(), config.Order
			view.TaskNulls = view.TaskNulls || len(view.Tasks[i]) != len(config.Values)
		}
	}
	return view
}

// Config returns the configuration of a connector as it was read.
func (s *State) Config(connector string) (Config, bool) {
	if k := s.connectors[connector]; k != nil {
		return k.config, true
	}
	return Config{}, false
}

// Applied returns the configuration that the tasks of a connector were computed from, as it was read.
func (s *State) Applied(connector string) (Config, bool) {
	if k := s.connectors[connector]; k != nil && k.applied != nil {
		return *k.applied, true
	}
	return Config{}, false
}

// TaskConfigs returns the committed configurations of a connector's tasks as they were read, by number: also those of
// tasks that are gone.
func (s *State) TaskConfigs(connector string) map[int32]Config {
	if k := s.connectors[connector]; k != nil {
		return k.tasks
	}
	return nil
}

// Deferred returns the tasks whose configurations await their commit. A connector whose tasks were committed or dropped
// stays, with none.
func (s *State) Deferred() map[string][]int32 {
	deferred := make(map[string][]int32, len(s.deferred))
	for name, tasks := range s.deferred {
		deferred[name] = slices.Sorted(maps.Keys(tasks))
	}
	return deferred
}
