package connecttest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/gokconnect/connect"
)

// broken returns the names of the checks that find a flaw.
func broken[H any](t *testing.T, checks []check[H], fresh func() H) (names []string) {
	t.Helper()
	for _, c := range checks {
		var err error
		synctest.Test(t, func(t *testing.T) { err = c.eval(t, fresh()) })
		if _, ok := errors.AsType[needs](err); err != nil && !ok {
			names = append(names, c.name)
		}
	}
	return names
}

// wantBroken checks that a suite finds a flaw, and nothing in what has none.
func wantBroken[H any](t *testing.T, checks []check[H], flaws map[string]string, fresh func(flaw string) H) {
	t.Helper()
	if names := broken(t, checks, func() H { return fresh("") }); len(names) > 0 {
		t.Errorf("without a flaw: %v", names)
	}
	for flaw, name := range flaws {
		if names := broken(t, checks, func() H { return fresh(flaw) }); !slices.Contains(names, name) {
			t.Errorf("flaw %q: %v failed, want %s among them", flaw, names, name)
		}
	}
}

// numberSource is a source of numbers, which may have a flaw.
type numberSource struct {
	mu    sync.Mutex
	n     int
	more  chan struct{}
	flaw  string
	down  bool
	stops int
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
		"struct in partition":         "fields-primitive",
		"moving offset":               "offset-fixed",
		"needs metadata":              "commit",
		"stop needs start":            "stop-unstarted",
		"refuses removal":             "alter-offsets",
	}, func(flaw string) SourceHarness { return newNumberSource(flaw) })
}

// listSink is a sink that keeps values, and may have a flaw.
type listSink struct {
	mu     sync.Mutex
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
	put     connect.SinkOffsets
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

type flawedTransformation struct{ flaw string }

func (h flawedTransformation) Transformation(testing.TB) connect.Transformation {
	return connect.TransformFunc(func(_ context.Context, r *connect.Record) (*connect.Record, error) {
		switch h.flaw {
		case "changes a list":
			if l, ok := r.Value.([]any); ok {
				l[0] = "changed"
			}
		case "needs a list":
			_ = r.Value.([]any)
		case "wrong schema":
			r.ValueSchema = connect.StringSchema
		case "fails":
			return nil, errors.New("no")
		}
		r.Topic = "other"
		return r, nil
	})
}

func (h flawedTransformation) Records() []*connect.Record {
	list := connect.NewArray(connect.StringSchema).MustBuild()
	return []*connect.Record{{Topic: "t", ValueSchema: list, Value: []any{"a"}}}
}

func TestTransformationSuite(t *testing.T) {
	wantBroken(t, transformationChecks, map[string]string{
		"changes a list": "copy-on-write",
		"needs a list":   "other-records",
		"wrong schema":   "valid",
		"fails":          "apply",
	}, func(flaw string) TransformationHarness { return flawedTransformation{flaw} })
}

type flawedPredicate struct{ flaw string }

func (h flawedPredicate) Predicate(testing.TB) connect.Predicate {
	last := false
	return connect.PredicateFunc(func(r *connect.Record) (bool, error) {
		switch h.flaw {
		case "changes the record":
			r.Topic += "x"
		case "needs a string":
			return r.Value.(string) == "", nil
		case "changes its mind":
			last = !last
			return last, nil
		}
		return r.Value == nil, nil
	})
}

func (h flawedPredicate) Records() []*connect.Record {
	return []*connect.Record{{Topic: "t", Value: "a"}}
}

func TestPredicateSuite(t *testing.T) {
	wantBroken(t, predicateChecks, map[string]string{
		"changes the record": "unchanged",
		"needs a string":     "other-records",
		"changes its mind":   "test",
	}, func(flaw string) PredicateHarness { return flawedPredicate{flaw} })
}

type flawedConverter struct {
	flaw string
	buf  []byte
}

func (c *flawedConverter) Converter(testing.TB) connect.Converter { return c }
func (c *flawedConverter) Values() []connect.SchemaAndValue {
	return []connect.SchemaAndValue{{Value: []byte("ab")}, {Value: []byte("cd")}, {Value: []byte{}}, {}}
}

func (c *flawedConverter) FromConnect(_ context.Context, _ string, _ *connect.RawHeaders, _ *connect.Schema, v any) ([]byte, error) {
	b, ok := v.([]byte)
	switch {
	case v == nil && c.flaw == "needs a value":
		panic("nil")
	case v == nil:
		return nil, nil
	case !ok && c.flaw == "plain error":
		return nil, errors.New("no bytes")
	case !ok:
		return nil, connect.DataErrorf("no bytes")
	case c.flaw == "changes values" && len(b) > 0:
		b[0]++
	case c.flaw == "reuses its buffer":
		c.buf = append(c.buf[:0], b...)
		return c.buf, nil
	}
	return bytes.Clone(b), nil
}

func (c *flawedConverter) AppendFromConnect(ctx context.Context, dst []byte, topic string, h *connect.RawHeaders, s *connect.Schema, v any) ([]byte, bool, error) {
	b, err := c.FromConnect(ctx, topic, h, s, v)
	if c.flaw == "forgets dst" {
		return b, b == nil, err
	}
	return append(dst, b...), b == nil && c.flaw != "null is empty", err
}

func (c *flawedConverter) ToConnect(_ context.Context, _ string, _ connect.RawHeaders, b []byte) (connect.SchemaAndValue, error) {
	switch {
	case b == nil:
		return connect.SchemaAndValue{}, nil
	case c.flaw == "keeps bytes":
		return connect.SchemaAndValue{Value: b}, nil
	case c.flaw == "loses data":
		b = b[:0]
	}
	return connect.SchemaAndValue{Value: append([]byte{}, b...)}, nil
}

func TestConverterSuite(t *testing.T) {
	wantBroken(t, converterChecks, map[string]string{
		"needs a value":     "null",
		"plain error":       "bad-data",
		"changes values":    "values-kept",
		"reuses its buffer": "result-owned",
		"forgets dst":       "append",
		"null is empty":     "append",
		"keeps bytes":       "bytes-kept",
		"loses data":        "round-trip",
	}, func(flaw string) ConverterHarness { return &flawedConverter{flaw: flaw} })
}

// A failure says which rule was broken.
func TestRuleIsNamed(t *testing.T) {
	for _, c := range sourceChecks {
		if c.name == "" || len(strings.Fields(c.rule)) < 5 {
			t.Errorf("check %q has the rule %q", c.name, c.rule)
		}
	}
}

// The runners and fakes work in virtual time.
func TestFakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := new(FakeSource)
		run := RunSource(t, s, connect.Config{"tasks.max": "2", "records": "3", "interval.ms": "1000", FailOn: "poll#2", FailWith: "retriable"})
		if n := len(run.Take(6)); n != 6 {
			t.Errorf("%d records", n)
		}
		run.Restart()
		synctest.Wait()
		if n := len(run.Pending()); n != 0 {
			t.Errorf("%d records after the end", n)
		}
		run.Stop()
		if got := s.Count("stop"); got != 4 || s.Count("commitrecord") != 6 {
			t.Errorf("%d calls of stop, calls: %v", got, s.Calls())
		}
		for _, o := range run.Offsets.All() {
			if o.Offset["n"] != int64(3) {
				t.Errorf("offset %v", o)
			}
		}

		for call, cfg := range map[string]connect.Config{
			"poll#1: scripted failure":            {FailOn: "poll"},
			"start#1: scripted failure":           {FailOn: "start"},
			"scripted panic in poll#3":            {PanicOn: "poll#3"},
			"connector.taskconfigs#1: scripted f": {FailOn: "connector.taskconfigs"},
		} {
			run := RunSource(t, new(FakeSource), cfg)
			if err := run.AwaitError(); !strings.Contains(err.Error(), call) {
				t.Errorf("%v: got %v", cfg, err)
			}
			run.Stop()
		}
		blocked := RunSource(t, new(FakeSource), connect.Config{BlockOn: "poll#2"})
		blocked.Take(1)
		synctest.Wait()
		blocked.Stop()
	})
}

func TestFakeSink(t *testing.T) {
	s := new(FakeSink)
	run := RunSink(t, s, connect.Config{FailOn: "put#2", FailWith: "data"})
	run.Put(connect.Record{Topic: "t", Value: 1})
	if err := run.TryPut(connect.Record{Topic: "t", Value: 2}); !errors.Is(err, ErrScripted) {
		t.Errorf("got %v", err)
	}
	run.Put(connect.Record{Topic: "t", Value: 2})
	run.Commit()
	run.Stop()
	if got := run.Committed[connect.TopicPartition{Topic: "t"}]; got != 2 || len(s.Records()) != 2 || s.Records()[1].Offset != 1 {
		t.Errorf("committed %d, records %v", got, s.Records())
	}
	var names []string
	for _, c := range s.Calls() {
		names = append(names, c.Method)
	}
	if got := strings.Join(names, " "); got != "connector.start connector.taskconfigs start open put put put precommit precommit close stop connector.stop" {
		t.Errorf("calls: %s", got)
	}
}
