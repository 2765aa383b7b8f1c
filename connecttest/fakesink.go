package connecttest

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/gokconnect/connect"
)

// FakeSink is a sink connector that keeps what it gets, and fails, blocks or panics where its configuration says so: see
// [FailOn]. It has tasks.max tasks. The zero FakeSink is ready for use. It records the calls of the connector and of
// all its tasks.
type FakeSink struct {
	calls
	mu      sync.Mutex
	cfg     connect.Config
	faults  *faults
	cc      connect.ConnectorContext
	records []connect.SinkRecord
}

// Records returns what was put so far by all tasks, except in calls that failed.
func (s *FakeSink) Records() []connect.SinkRecord {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.records)
}

// Context returns the context that the connector was last started with, or nil.
func (s *FakeSink) Context() connect.ConnectorContext {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cc
}

// Start takes the configuration.
func (s *FakeSink) Start(ctx context.Context, cc connect.ConnectorContext, cfg connect.Config) error {
	s.add("connector.start", cfg)
	s.mu.Lock()
	s.cfg, s.faults, s.cc = cfg, newFaults(cfg), cc
	s.mu.Unlock()
	return s.faults.at(ctx, "connector.start")
}

// TaskConfigs returns the connector's configuration maxTasks times, each with its number as the key task.
func (s *FakeSink) TaskConfigs(ctx context.Context, maxTasks int) ([]connect.Config, error) {
	s.add("connector.taskconfigs", maxTasks)
	if err := s.faults.at(ctx, "connector.taskconfigs"); err != nil {
		return nil, err
	}
	return numbered(s.cfg, maxTasks), nil
}

// Stop ends the run.
func (s *FakeSink) Stop(ctx context.Context) error {
	s.add("connector.stop")
	return s.faults.at(ctx, "connector.stop")
}

// NewTask returns a task.
func (s *FakeSink) NewTask() connect.SinkTask { return &fakeSinkTask{sink: s} }

type fakeSinkTask struct {
	sink   *FakeSink
	faults *faults
}

func (t *fakeSinkTask) at(ctx context.Context, call string, args ...any) error {
	t.sink.add(call, args...)
	if t.faults == nil {
		return nil
	}
	return t.faults.at(ctx, call)
}

// Start takes the configuration.
func (t *fakeSinkTask) Start(ctx context.Context, _ connect.SinkTaskContext, cfg connect.Config) error {
	t.faults = newFaults(cfg)
	return t.at(ctx, "start", cfg)
}

// Put keeps the records.
func (t *fakeSinkTask) Put(ctx context.Context, records []connect.SinkRecord) error {
	if err := t.at(ctx, "put", len(records)); err != nil {
		return err
	}
	t.sink.mu.Lock()
	defer t.sink.mu.Unlock()
	t.sink.records = append(t.sink.records, records...)
	return nil
}

// PreCommit accepts all offsets.
func (t *fakeSinkTask) PreCommit(ctx context.Context, offsets connect.SinkOffsets) (connect.SinkOffsets, error) {
	return offsets, t.at(ctx, "precommit", maps.Clone(offsets))
}

// OpenPartitions is recorded.
func (t *fakeSinkTask) OpenPartitions(ctx context.Context, partitions []connect.TopicPartition) error {
	return t.at(ctx, "open", slices.Clone(partitions))
}

// ClosePartitions is recorded.
func (t *fakeSinkTask) ClosePartitions(ctx context.Context, partitions []connect.TopicPartition) error {
	return t.at(ctx, "close", slices.Clone(partitions))
}

// Stop is recorded.
func (t *fakeSinkTask) Stop(ctx context.Context) error { return t.at(ctx, "stop") }
