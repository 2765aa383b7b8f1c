package connecttest

import (
	"context"
	"fmt"
	"maps"
	"strconv"
	"sync"
	"time"

	"github.com/gokconnect/connect"
)

// FakeSource is a source connector that makes up records, and fails, blocks or panics where its configuration says so:
// see [FailOn]. It has tasks.max tasks. Task i yields the numbers 0, 1, 2 … as int64, with the source partition
// {"task": i} and the source offset {"n": number + 1}, and goes on behind the stored offset. Its configuration is
//
//   - topic: where the records go; "fake" by default
//   - records: how many each task yields in all; by default there is no end
//   - batch: how many one poll returns; 1 by default
//   - interval.ms: how long a poll waits before it returns; 0 by default. A task that is at its end waits until
//     it is stopped.
//
// The zero FakeSource is ready for use. It records the calls of the connector and of all its tasks.
type FakeSource struct {
	calls
	mu     sync.Mutex
	cfg    connect.Config
	faults *faults
	cc     connect.ConnectorContext
}

// Start takes the configuration.
func (s *FakeSource) Start(ctx context.Context, cc connect.ConnectorContext, cfg connect.Config) error {
	s.add("connector.start", cfg)
	s.mu.Lock()
	s.cfg, s.faults, s.cc = cfg, newFaults(cfg), cc
	s.mu.Unlock()
	return s.faults.at(ctx, "connector.start")
}

// Context returns the context that the connector was last started with, or nil.
func (s *FakeSource) Context() connect.ConnectorContext {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cc
}

// TaskConfigs returns the connector's configuration maxTasks times, each with its number as the key task.
func (s *FakeSource) TaskConfigs(ctx context.Context, maxTasks int) ([]connect.Config, error) {
	s.add("connector.taskconfigs", maxTasks)
	if err := s.faults.at(ctx, "connector.taskconfigs"); err != nil {
		return nil, err
	}
	return numbered(s.cfg, maxTasks), nil
}

// Stop ends the run.
func (s *FakeSource) Stop(ctx context.Context) error {
	s.add("connector.stop")
	return s.faults.at(ctx, "connector.stop")
}

// NewTask returns a task.
func (s *FakeSource) NewTask() connect.SourceTask { return &fakeSourceTask{source: s} }

type fakeSourceTask struct {
	source    *FakeSource
	faults    *faults
	topic     string
	partition connect.Fields
	next, end int64
	batch     int
	interval  time.Duration
}

func (t *fakeSourceTask) at(ctx context.Context, call string, args ...any) error {
	t.source.add(call, args...)
	if t.faults == nil {
		return nil
	}
	return t.faults.at(ctx, call)
}

// Start takes the configuration and the stored offset.
func (t *fakeSourceTask) Start(ctx context.Context, tc connect.SourceTaskContext, cfg connect.Config) error {
	t.faults = newFaults(cfg)
	if err := t.at(ctx, "start", cfg); err != nil {
		return err
	}
	number := func(key string, or int64) (n int64, err error) {
		text, ok := cfg[key]
		if !ok {
			return or, nil
		}
		if n, err = strconv.ParseInt(text, 10, 64); err != nil {
			err = connect.ConfigErrorf(key, "Invalid value %s for configuration %s: Not a number of type LONG", text, key)
		}
		return n, err
	}
	task, err := number("task", int64(tc.ID().Task))
	if err != nil {
		return err
	}
	if t.end, err = number("records", -1); err != nil {
		return err
	}
	batch, err := number("batch", 1)
	if err != nil {
		return err
	}
	interval, err := number("interval.ms", 0)
	if err != nil {
		return err
	}
	if t.topic = cfg["topic"]; t.topic == "" {
		t.topic = "fake"
	}
	t.batch, t.interval, t.partition = int(max(batch, 1)), time.Duration(interval)*time.Millisecond, connect.Fields{"task": task}
	offset, err := tc.Offsets().Offset(ctx, t.partition)
	if err != nil {
		return fmt.Errorf("read offset: %w", err)
	}
	t.next, _ = offset["n"].(int64)
	return nil
}

// Poll returns the next numbers.
func (t *fakeSourceTask) Poll(ctx context.Context) ([]connect.SourceRecord, error) {
	if err := t.at(ctx, "poll"); err != nil {
		return nil, err
	}
	if t.end >= 0 && t.next >= t.end {
		<-ctx.Done()
		return nil, nil
	}
	if t.interval > 0 {
		timer := time.NewTimer(t.interval)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return nil, nil
		}
	}
	var records []connect.SourceRecord
	for len(records) < t.batch && (t.end < 0 || t.next < t.end) {
		records = append(records, connect.SourceRecord{
			Record:          connect.Record{Topic: t.topic, ValueSchema: connect.Int64Schema, Value: t.next},
			SourcePartition: t.partition,
			SourceOffset:    connect.Fields{"n": t.next + 1},
		})
		t.next++
	}
	return records, nil
}

// CommitRecord is recorded.
func (t *fakeSourceTask) CommitRecord(ctx context.Context, r *connect.SourceRecord, m *connect.RecordMetadata) error {
	return t.at(ctx, "commitrecord", r.Value, m)
}

// Commit is recorded.
func (t *fakeSourceTask) Commit(ctx context.Context) error { return t.at(ctx, "commit") }

// Stop is recorded.
func (t *fakeSourceTask) Stop(ctx context.Context) error { return t.at(ctx, "stop") }

// numbered returns n copies of cfg with their number as the key task.
func numbered(cfg connect.Config, n int) []connect.Config {
	configs := make([]connect.Config, n)
	for i := range configs {
		configs[i] = maps.Clone(cfg)
		if configs[i] == nil {
			configs[i] = connect.Config{}
		}
		configs[i]["task"] = strconv.Itoa(i)
	}
	return configs
}
