package connecttest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/gokconnect/connect"
)

// listSink is a sink that keeps values, and may have a flaw.
type listSink struct {
	values []any
	flaw   string
	down   bool
}

func (s *listSink) Connector() connect.SinkConnector { return &listConnector{s, nil} }
func (s *listSink) Config() connect.Config           { return connect.Config{} }
func (s *listSink) Read(testing.TB) []any            { return s.values }
func (s *listSink) Break(testing.TB) func() {
	s.down = true
	return func() { s.down = false }
}
func (s *listSink) Record(n int) connect.Record {
	return connect.Record{Value: []byte(fmt.Sprintf("%d", n))}
}

type listConnector struct {
	sink *listSink
	cc   connect.ConnectorContext
}

func (c *listConnector) Start(_ context.Context, cc connect.ConnectorContext, _ connect.Config) error {
	c.cc = cc
	return nil
}

func (c *listConnector) TaskConfigs(_ context.Context, maxTasks int) ([]connect.Config, error) {
	return slices.Repeat([]connect.Config{{}}, maxTasks), nil
}
func (c *listConnector) Stop(context.Context) error { return nil }
func (c *listConnector) NewTask() connect.SinkTask  { return &listTask{sink: c.sink} }

type listTask struct {
	sink    *listSink
	started bool
	open    bool
	kept    [][]connect.SinkRecord
	pending []any
}

func (t *listTask) Start(context.Context, connect.SinkTaskContext, connect.Config) error {
	t.started = true
	return nil
}

func (t *listTask) Put(_ context.Context, records []connect.SinkRecord) error {
	flaw := t.sink.flaw
	if len(records) == 0 && flaw == "first record" {
		_ = records[0]
	}
	if flaw == "keeps the slice" {
		t.kept = append(t.kept, records)
		return nil
	}
	if !t.open && flaw == "closed for ever" {
		return errors.New("closed")
	}
	for _, r := range records {
		b, _ := r.Value.([]byte)
		if flaw == "needs a value" {
			b = r.Value.([]byte)
		}
		t.pending = append(t.pending, bytes.Clone(b))
		if flaw == "changes values" && len(b) > 0 {
			b[0] = '#'
		}
	}
	if flaw == "reverse" {
		slices.Reverse(t.pending)
	}
	return nil
}

func (t *listTask) OpenPartitions(context.Context, []connect.TopicPartition) error {
	t.open = !t.open && t.kept == nil && !(t.sink.flaw == "closed for ever" && len(t.sink.values) > 0)
	return nil
}

func (t *listTask) ClosePartitions(context.Context, []connect.TopicPartition) error {
	t.open = false
	return nil
}

func (t *listTask) PreCommit(_ context.Context, offsets connect.SinkOffsets) (connect.SinkOffsets, error) {
	if t.sink.down && t.sink.flaw != "swallows errors" {
		return nil, errors.New("down")
	}
	for _, records := range t.kept {
		for _, r := range records {
			b, _ := r.Value.([]byte)
			t.pending = append(t.pending, bytes.Clone(b))
		}
	}
	t.kept = nil
	if !t.sink.down {
		t.sink.values = append(t.sink.values, t.pending...)
	}
	t.pending = nil
	if t.sink.flaw == "commits too much" {
		for tp := range offsets {
			offsets[tp]++
		}
	}
	return offsets, nil
}

func (t *listTask) Stop(context.Context) error {
	if t.sink.flaw == "stop needs start" && !t.started {
		panic("not started")
	}
	return nil
}

func TestSinkSuite(t *testing.T) {
	wantBroken(t, sinkChecks, map[string]string{
		"first record":     "put-empty",
		"keeps the slice":  "slice",
		"closed for ever":  "open-close",
		"needs a value":    "tombstone",
		"changes values":   "values",
		"reverse":          "put",
		"swallows errors":  "unreachable",
		"commits too much": "pre-commit",
		"stop needs start": "stop-unstarted",
	}, func(flaw string) SinkHarness { return &listSink{flaw: flaw} })
}
