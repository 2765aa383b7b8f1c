package pipeline_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/pipeline"
	"github.com/gokconnect/connect/internal/tolerance"
)

// failures keeps what was reported.
type failures []string

func (f *failures) Report(_ context.Context, x *tolerance.Failure) error {
	*f = append(*f, fmt.Sprintf("%s %s: %v", x.Stage, x.Class, x.Err))
	return nil
}

func texts() pipeline.Converters {
	return pipeline.Converters{Key: connect.StringConverter{}, Value: connect.StringConverter{}, Header: connect.StringConverter{}, KeyClass: "KeyConv", ValueClass: "ValueConv", HeaderClass: "HeaderConv"}
}

func step(alias string, f connect.TransformFunc) pipeline.Step {
	return pipeline.Step{Alias: alias, Class: "T" + alias, Transformation: f}
}

func values(vs ...any) []connect.SourceRecord {
	out := make([]connect.SourceRecord, len(vs))
	for i, v := range vs {
		out[i] = connect.SourceRecord{Record: connect.Record{Topic: "t", Value: v}}
	}
	return out
}

// process runs a batch through a source pipeline and returns what was emitted, and what done was told.
func process(ctx context.Context, p *pipeline.Source, batch []connect.SourceRecord) (out, done []string, err error) {
	err = p.Process(ctx, batch, func(i int, o *pipeline.Output) error {
		out = append(out, fmt.Sprintf("%d %s", i, o.Value))
		return nil
	}, func(i, sent int) error {
		done = append(done, fmt.Sprintf("%d:%d", i, sent))
		return nil
	})
	return out, done, err
}

// expander makes of "a,b" a and b.
type expander struct{ connect.TransformFunc }

func (expander) Expand(_ context.Context, r *connect.Record) ([]*connect.Record, error) {
	var out []*connect.Record
	for s := range strings.SplitSeq(r.Value.(string), ",") {
		c := *r
		c.Value = s
		out = append(out, &c)
	}
	return out, nil
}

var errBad = &connect.DataError{Message: "bad"}

// bad fails on values with an x, drops those with a d.
func bad(_ context.Context, r *connect.Record) (*connect.Record, error) {
	switch s := r.Value.(string); {
	case strings.Contains(s, "x"):
		return nil, errBad
	case strings.Contains(s, "d"):
		return nil, nil
	}
	return r, nil
}

func TestSourceStages(t *testing.T) {
	for _, c := range []struct {
		name    string
		steps   []pipeline.Step
		in      []any
		out     []string
		done    []string
		reports []string
	}{
		{"no steps", nil, []any{"a", "b"}, []string{"0 a", "1 b"}, []string{"0:1", "1:1"}, nil},
		{"filtered and failed", []pipeline.Step{step("B", bad)}, []any{"a", "d", "x", "b"}, []string{"0 a", "3 b"}, []string{"0:1", "1:0", "2:0", "3:1"},
			[]string{"TRANSFORMATION TB: bad"}},
		{"expanded", []pipeline.Step{{Alias: "E", Class: "E", Transformation: expander{}}, step("B", bad)}, []any{"a,b", "c,d,e", "d", "f"},
			[]string{"0 a", "0 b", "1 c", "1 e", "3 f"}, []string{"0:2", "1:2", "2:0", "3:1"}, nil},
		{"half of what a record became is nothing", []pipeline.Step{{Alias: "E", Class: "E", Transformation: expander{}}, step("B", bad)}, []any{"a,x", "x,a", "b"},
			[]string{"2 b"}, []string{"0:0", "1:0", "2:1"}, []string{"TRANSFORMATION TB: bad", "TRANSFORMATION TB: bad"}},
		{"predicate", []pipeline.Step{{Alias: "B", Class: "TB", Transformation: connect.TransformFunc(bad), Predicate: connect.PredicateFunc(func(r *connect.Record) (bool, error) {
			return r.Value == "x", nil
		}), Negate: true}}, []any{"x", "xx"}, []string{"0 x"}, []string{"0:1", "1:0"}, []string{"TRANSFORMATION TB: bad"}},
		{"predicate fails", []pipeline.Step{{Alias: "B", Class: "TB", Transformation: connect.TransformFunc(bad), Predicate: connect.PredicateFunc(func(*connect.Record) (bool, error) {
			return true, errors.New("no idea")
		})}}, []any{"a"}, nil, []string{"0:0"}, []string{"TRANSFORMATION TB: no idea"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var reports failures
			op := tolerance.New(tolerance.Policy{Tolerate: true}, &reports)
			out, done, err := process(t.Context(), pipeline.NewSource(c.steps, texts(), op), values(c.in...))
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(out, c.out) || !slices.Equal(done, c.done) || !slices.Equal([]string(reports), c.reports) {
				t.Errorf("sent %q, done %q, reported %q\nwant %q, %q, %q", out, done, reports, c.out, c.done, c.reports)
			}
			// The same without tolerance: the first failure ends it.
			_, done, err = process(t.Context(), pipeline.NewSource(c.steps, texts(), tolerance.New(tolerance.Policy{})), values(c.in...))
			if (err != nil) != (len(c.reports) > 0) || err != nil && len(done) == len(c.done) {
				t.Errorf("not tolerated: %v after %q", err, done)
			}
		})
	}
}

// failing is a converter that fails for some values, as often as it is told.
type failing struct {
	connect.StringConverter
	left *int
	err  error
}

func (f failing) FromConnect(ctx context.Context, topic string, h *connect.RawHeaders, s *connect.Schema, v any) ([]byte, error) {
	h.Add("added", nil)
	if *f.left > 0 && v == "x" {
		*f.left--
		return nil, f.err
	}
	return f.StringConverter.FromConnect(ctx, topic, h, s, v)
}

// plain hides the optional interfaces of a converter.
type plain struct{ connect.Converter }

func TestSourceConverterIsRetried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		left := 2
		conv := texts()
		conv.Value = plain{failing{left: &left, err: connect.Retriable(errors.New("registry"))}}
		p := pipeline.NewSource(nil, conv, tolerance.New(tolerance.Policy{RetryTimeout: time.Minute}))
		var headers []connect.RawHeaders
		err := p.Process(t.Context(), values("a", "x"), func(_ int, o *pipeline.Output) error {
			headers = append(headers, o.Headers)
			return nil
		}, func(int, int) error { return nil })
		if err != nil || left != 0 {
			t.Fatalf("%v, %d failures left", err, left)
		}
		for i, h := range headers {
			if len(h) != 1 {
				t.Errorf("record %d has headers %v: those of an attempt that failed stayed", i, h)
			}
		}
	})
}

// TestInterruptedRecordIsNotGivenUp: a failure while the task stops says nothing of the record.
func TestInterruptedRecordIsNotGivenUp(t *testing.T) {
	var reports failures
	op := tolerance.New(tolerance.Policy{Tolerate: true, RetryTimeout: -1}, &reports)
	until, cancel := context.WithCancel(t.Context())
	op.Until(until)
	stopped := step("S", func(context.Context, *connect.Record) (*connect.Record, error) {
		cancel()
		return nil, context.Canceled
	})
	_, done, err := process(t.Context(), pipeline.NewSource([]pipeline.Step{stopped}, texts(), op), values("a"))
	if !errors.Is(err, context.Canceled) || len(done) > 0 || len(reports) > 0 {
		t.Errorf("source: %v, done %q, reported %q", err, done, reports)
	}
	c := &tolerance.Consumed{Topic: "t", Value: []byte("v")}
	batch, err := pipeline.NewSink([]pipeline.Step{stopped}, texts(), op).Process(t.Context(), c, nil)
	if !errors.Is(err, context.Canceled) || len(batch) > 0 || len(reports) > 0 {
		t.Errorf("sink: %v, batch %v, reported %q", err, batch, reports)
	}
}

func TestPanicsNameThePlugin(t *testing.T) {
	boom := step("Boom", func(context.Context, *connect.Record) (*connect.Record, error) { panic("boom") })
	op := func() *tolerance.Operator { return tolerance.New(tolerance.Policy{Tolerate: true}) }
	broken := texts()
	broken.Value = plain{nil}
	source := func(steps []pipeline.Step, c pipeline.Converters, vs ...any) error {
		_, _, err := process(t.Context(), pipeline.NewSource(steps, c, op()), values(vs...))
		return err
	}
	sink := func(steps []pipeline.Step, c pipeline.Converters) error {
		given := make([]connect.SinkRecord, 1, 8)
		out, err := pipeline.NewSink(steps, c, op()).Process(t.Context(), &tolerance.Consumed{Topic: "t", Value: []byte("v")}, given)
		if len(out) != 1 {
			t.Errorf("the batch has %d records after a panic, want those that it had", len(out))
		}
		return err
	}
	for _, c := range []struct {
		err  error
		want string
	}{
		{source([]pipeline.Step{boom}, texts(), "a"), "TBoom"},
		{source(nil, broken, "a"), "ValueConv.FromConnect"},
		{sink([]pipeline.Step{boom}, texts()), "TBoom"},
		{sink(nil, broken), "ValueConv.ToConnect"},
		// A record that failed in a transformation and was given up is not to blame for the converter.
		{source([]pipeline.Step{step("B", bad)}, broken, "x", "a"), "ValueConv.FromConnect"},
		{func() error {
			conv := texts()
			conv.Value = plain{panicsOn{"v2"}}
			p := pipeline.NewSink([]pipeline.Step{step("F", func(context.Context, *connect.Record) (*connect.Record, error) { return nil, errBad })}, conv, op())
			if _, err := p.Process(t.Context(), &tolerance.Consumed{Topic: "t", Value: []byte("v1")}, nil); err != nil {
				t.Error(err)
			}
			_, err := p.Process(t.Context(), &tolerance.Consumed{Topic: "t", Value: []byte("v2")}, nil)
			return err
		}(), "ValueConv.ToConnect"},
	} {
		var p *connect.PanicError
		if !errors.As(c.err, &p) || !strings.Contains(p.Call, c.want) || len(p.Stack) == 0 {
			t.Errorf("%v, want a panic in %s", c.err, c.want)
		}
	}
}

type panicsOn struct{ text string }

func (p panicsOn) FromConnect(context.Context, string, *connect.RawHeaders, *connect.Schema, any) ([]byte, error) {
	return nil, nil
}

func (p panicsOn) ToConnect(_ context.Context, _ string, _ connect.RawHeaders, b []byte) (connect.SchemaAndValue, error) {
	if string(b) == p.text {
		panic(p.text)
	}
	return connect.SchemaAndValue{Value: string(b)}, nil
}

// awkward is an AppendConverter with every habit that the contract allows: it grows the buffer, writes behind what it
// returns, fails after it wrote, returns memory of its own.
type awkward struct{ connect.StringConverter }

func (awkward) AppendFromConnect(_ context.Context, dst []byte, _ string, _ *connect.RawHeaders, _ *connect.Schema, v any) ([]byte, bool, error) {
	s, _ := v.(string)
	switch {
	case v == nil:
		return dst, true, nil
	case strings.HasPrefix(s, "fail"):
		_ = append(dst, s...)
		return dst, false, errBad
	case strings.HasPrefix(s, "own"):
		return []byte(s), false, nil
	case strings.HasPrefix(s, "behind"):
		out := append(dst, s...)
		_ = append(out, "garbage"...)
		return out, false, nil
	}
	return append(dst, s...), false, nil
}

func (awkward) FromConnect(context.Context, string, *connect.RawHeaders, *connect.Schema, any) ([]byte, error) {
	return nil, errBad
}

// TestArenaNeverAliases converts many records of all sizes, then writes over each byte, and appends to each value: no other may change.
func TestArenaNeverAliases(t *testing.T) {
	var in []any
	for i := range 3000 {
		kind := []string{"v", "own", "fail", "behind", "", "big", "v", "v"}[i%8]
		size := []int{1, 100, 0, 3000, 17, 20_000, 5, 40}[i%8] * (i % 5)
		in = append(in, fmt.Sprint(kind, i, strings.Repeat("-", size)))
	}
	in = append(in, "", nil, "")
	conv := texts()
	conv.Key, conv.Value = awkward{}, awkward{}
	p := pipeline.NewSource(nil, conv, tolerance.New(tolerance.Policy{Tolerate: true}))
	batch := values(in...)
	for i := range batch {
		batch[i].Key = in[len(in)-1-i]
	}
	var got [][]byte
	var want []string
	err := p.Process(t.Context(), batch, func(i int, o *pipeline.Output) error {
		for _, x := range []struct {
			b []byte
			v any
		}{{o.Key, batch[i].Key}, {o.Value, batch[i].Value}} {
			if (x.b == nil) != (x.v == nil) {
				t.Errorf("record %d: %v became %v", i, x.v, x.b)
			}
			if x.v != nil {
				got, want = append(got, x.b), append(want, x.v.(string))
			}
		}
		return nil
	}, func(int, int) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	for i := range got {
		if string(got[i]) != want[i] {
			t.Fatalf("value %d is %.40q, want %.40q", i, got[i], want[i])
		}
	}
	for i := range got {
		if !bytes.Equal(got[i], []byte(want[i])) {
			t.Fatalf("value %d changed to %.40q when others did", i, got[i])
		}
		for k := range got[i] {
			got[i][k] = '#'
		}
		_ = append(got[i], "####"...)
	}
}

func TestSinkExpandsAndKeepsOrigin(t *testing.T) {
	var reports failures
	op := tolerance.New(tolerance.Policy{Tolerate: true}, &reports)
	rename := step("R", func(_ context.Context, r *connect.Record) (*connect.Record, error) {
		r.Topic, r.Partition = "other", connect.ToPartition(9)
		return r, nil
	})
	p := pipeline.NewSink([]pipeline.Step{{Alias: "E", Class: "E", Transformation: expander{}}, step("B", bad), rename}, texts(), op)
	var batch []connect.SinkRecord
	for i, v := range []string{"a,b", "a,x", "d", "c"} {
		var err error
		raw := i
		if batch, err = p.Process(t.Context(), &tolerance.Consumed{Topic: "t", Partition: 1, Offset: int64(i), Value: []byte(v), Raw: &raw}, batch); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	for _, r := range batch {
		got = append(got, fmt.Sprintf("%v@%d=%v raw %d", r.Origin, r.Offset, r.Value, *r.Consumed.(*int)))
		if r.Topic != "other" || r.Base().Sink() != &r && r.Record.Sink().Topic != "t" {
			t.Errorf("record %v: topic %s", r.Value, r.Topic)
		}
	}
	if want := []string{"t-1@0=a raw 0", "t-1@0=b raw 0", "t-1@3=c raw 3"}; !slices.Equal(got, want) || len(reports) != 1 {
		t.Errorf("got %q, want %q; reported %q", got, want, reports)
	}
}

// BenchmarkSink shows that a way for records that fail costs nothing while none does.
func BenchmarkSink(b *testing.B) {
	var reports failures
	for _, c := range []struct {
		name string
		op   *tolerance.Operator
	}{
		{"plain", tolerance.New(tolerance.Policy{})},
		{"tolerant", tolerance.New(tolerance.Policy{Tolerate: true, RetryTimeout: time.Minute}, &reports)},
	} {
		b.Run(c.name, func(b *testing.B) {
			p := pipeline.NewSink(nil, texts(), c.op)
			in := &tolerance.Consumed{Topic: "t", Value: []byte(strings.Repeat("x", 100)), Timestamp: time.UnixMilli(1)}
			batch := make([]connect.SinkRecord, 0, 500)
			ctx := context.Background()
			b.ReportAllocs()
			for range b.N {
				if len(batch) == cap(batch) {
					batch = batch[:0]
				}
				batch, _ = p.Process(ctx, in, batch)
			}
		})
	}
}
