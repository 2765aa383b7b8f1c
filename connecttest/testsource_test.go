package connecttest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/gokconnect/connect"
)

// numberSource is a source of numbers, which may have a flaw.
type numberSource struct {
	mu   sync.Mutex
	n    int
	more chan struct{}
	flaw string
	down bool
}

func newNumberSource(flaw string) *numberSource {
	return &numberSource{flaw: flaw, more: make(chan struct{})}
}

func (s *numberSource) Connector() connect.SourceConnector { return &numberConnector{source: s} }
func (s *numberSource) Config() connect.Config             { return connect.Config{"k": "v"} }
func (s *numberSource) Add(_ testing.TB, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.n += n
	close(s.more)
	s.more = make(chan struct{})
}
func (s *numberSource) Break(testing.TB) func() {
	set := func(down bool) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.down = down
	}
	set(true)
	return func() { set(false) }
}

// emptyHasNoTask is no flaw: a source of parts has none yet.
const emptyHasNoTask = "empty has no task"

type numberConnector struct {
	source *numberSource
	cfg    connect.Config
	starts int
}

func (c *numberConnector) Start(_ context.Context, _ connect.ConnectorContext, cfg connect.Config) error {
	if c.starts++; c.starts > 1 && c.source.flaw == "no restart" {
		return errors.New("started twice")
	}
	c.cfg = cfg
	return nil
}

func (c *numberConnector) TaskConfigs(_ context.Context, maxTasks int) ([]connect.Config, error) {
	switch c.source.flaw {
	case "too many tasks":
		return make([]connect.Config, maxTasks+1), nil
	case "shared configuration":
		return []connect.Config{c.cfg}, nil
	}
	if c.source.flaw == emptyHasNoTask && c.source.n == 0 {
		return nil, nil
	}
	return []connect.Config{{"k": c.cfg["k"]}}, nil
}

func (c *numberConnector) Stop(context.Context) error { return nil }
func (c *numberConnector) NewTask() connect.SourceTask {
	if c.source.flaw == "task of a started connector" && c.cfg == nil {
		return nil
	}
	return &numberTask{source: c.source}
}

func (c *numberConnector) AlterOffsets(_ context.Context, _ connect.Config, offsets []connect.PartitionOffset) error {
	for _, o := range offsets {
		if o.Offset == nil && c.source.flaw == "refuses removal" {
			return errors.New("no")
		}
	}
	return nil
}

type numberTask struct {
	source *numberSource
	next   int64
	buf    []byte
	offset movingOffset
	start  chan struct{}
}

type movingOffset struct{ n atomic.Int64 }

func (o *movingOffset) Fields() connect.Fields { return connect.Fields{"n": o.n.Load()} }

func (t *numberTask) Start(ctx context.Context, tc connect.SourceTaskContext, _ connect.Config) error {
	t.buf, t.start = make([]byte, 0, 8), make(chan struct{})
	f, err := tc.Offsets().Offset(ctx, connect.Fields{"p": "all"})
	if err != nil {
		return err
	}
	t.next, _ = f["n"].(int64)
	if t.source.flaw == "one too far" && t.next > 0 {
		t.next++
	}
	return nil
}

func (t *numberTask) Poll(ctx context.Context) ([]connect.SourceRecord, error) {
	s := t.source
	s.mu.Lock()
	n, more, down := int64(s.n), s.more, s.down
	s.mu.Unlock()
	if down {
		if s.flaw == "loses when down" {
			s.mu.Lock()
			s.n--
			s.mu.Unlock()
		}
		return nil, errors.New("down")
	}
	if t.next >= n {
		select {
		case <-more:
		case <-ctx.Done():
		}
		return nil, nil
	}
	t.next++
	r := connect.SourceRecord{
		Record:          connect.Record{Topic: "t", ValueSchema: connect.BytesSchema, Value: fmt.Append(nil, t.next)},
		SourcePartition: connect.Fields{"p": "all"},
		SourceOffset:    connect.Fields{"n": t.next},
	}
	switch s.flaw {
	case "loses when done":
		if ctx.Err() != nil {
			r.Topic = "t"
			return []connect.SourceRecord{r}, t.skip()
		}
	case "reuses bytes":
		t.buf = fmt.Append(t.buf[:0], t.next)
		r.Value = t.buf
	case "no topic":
		r.Topic = ""
	case "wrong schema":
		r.ValueSchema = connect.StringSchema
	case "batch of records":
		r.ValueSchema, r.Value = nil, connect.RecordBatch{Records: 1}
	case "struct in partition":
		r.SourcePartition = connect.Fields{"p": struct{}{}}
	case "moving offset":
		t.offset.n.Store(t.next)
		r.SourceOffset = &t.offset
	}
	return []connect.SourceRecord{r}, nil
}

// skip loses a record.
func (t *numberTask) skip() error {
	t.source.mu.Lock()
	defer t.source.mu.Unlock()
	t.source.n--
	return nil
}

func (t *numberTask) CommitRecord(_ context.Context, r *connect.SourceRecord, m *connect.RecordMetadata) error {
	if t.source.flaw == "needs metadata" && m.Offset >= 0 {
		return nil
	}
	return nil
}

func (t *numberTask) Stop(context.Context) error {
	if t.source.flaw == "stop needs start" {
		close(t.start)
	}
	return nil
}

func TestSourceSuite(t *testing.T) {
	wantBroken(t, sourceChecks, map[string]string{
		"no restart":                  "restart",
		"too many tasks":              "task-configs",
		"shared configuration":        "task-configs",
		"task of a started connector": "new-task",
		"one too far":                 "resume",
		"loses when done":             "poll-done",
		"loses when down":             "unreachable",
		"reuses bytes":                "records-given-up",
		"no topic":                    "records-valid",
		"wrong schema":                "records-valid",
		"batch of records":            "records-valid",
		"struct in partition":         "fields-primitive",
		"moving offset":               "offset-fixed",
		"needs metadata":              "commit",
		"stop needs start":            "stop-unstarted",
		"refuses removal":             "alter-offsets",
	}, func(flaw string) SourceHarness { return newNumberSource(flaw) })
	if names := broken(t, sourceChecks, func() SourceHarness { return newNumberSource(emptyHasNoTask) }); len(names) > 0 {
		t.Errorf("no task without records: %v", names)
	}
}
