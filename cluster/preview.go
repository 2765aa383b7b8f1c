package cluster

import (
	"context"
	"io"
	"maps"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/pipeline"
)

// Outcome is what one stage did with a record.
type Outcome string

// The outcomes of a stage.
const (
	Passed  Outcome = "passed"  // a predicate was false, or the transformation left the record as it was
	Changed Outcome = "changed" // also: converted
	Dropped Outcome = "dropped"
	Refused Outcome = "refused" // Err says why
)

// StageResult is what one stage did with one record.
type StageResult struct {
	Stage   string // transforms.ALIAS, Transforms[i], key.converter, value.converter or header.converter
	Class   string
	Outcome Outcome
	Err     error
	// After is the record behind the stage. It is nil if there is none, or the stage is a converter of a source, and must
	// not be changed.
	After *connect.Record
	// Bytes is what a converter of a source made of a key or value.
	Bytes []byte
}

// RawRecord is a record as it is in Kafka.
type RawRecord struct {
	Topic      string
	Partition  int32
	Offset     int64
	Key, Value []byte
	Headers    connect.RawHeaders
}

// PreviewSource takes sample records through the transformations and converters that a source connector's configuration
// names, and tells for each sample what each stage did, in order; stages behind one that dropped or refused it are
// missing. The connector is not made, nor does the configuration need its keys or a name. It sends nothing, needs no
// broker, and works before [Runtime.Run]. Its error says why the stages can't be made.
func (rt *Runtime) PreviewSource(ctx context.Context, cfg connect.Config, samples []connect.SourceRecord) ([][]StageResult, error) {
	p, err := rt.preview(ctx, cfg)
	if err != nil {
		return nil, err
	}
	defer p.close()
	out := make([][]StageResult, len(samples))
	for i := range samples {
		sample := samples[i] // the caller's stays as it is
		r := *sample.Base()
		if results, last := p.transform(ctx, &r); last != nil {
			out[i] = append(results, p.fromConnect(ctx, last)...)
		} else {
			out[i] = results
		}
	}
	return out, nil
}

// PreviewSink is [Runtime.PreviewSource] for a sink connector: converters first, then transformations.
func (rt *Runtime) PreviewSink(ctx context.Context, cfg connect.Config, samples []RawRecord) ([][]StageResult, error) {
	p, err := rt.preview(ctx, cfg)
	if err != nil {
		return nil, err
	}
	defer p.close()
	out := make([][]StageResult, len(samples))
	for i, s := range samples {
		results, r := p.toConnect(ctx, s)
		if r != nil {
			more, _ := p.transform(ctx, r)
			results = append(results, more...)
		}
		out[i] = results
	}
	return out, nil
}

// preview is the stages of a connector, to be looked at one by one.
type preview struct {
	steps []pipeline.Step
	conv  pipeline.Converters
}

func (rt *Runtime) preview(ctx context.Context, cfg connect.Config) (p preview, err error) {
	if cfg["name"] == "" { // it may be looked at before it has one
		cfg = maps.Clone(cfg)
		cfg["name"] = "preview"
	}
	cfg, hidden, err := rt.resolveEarly(ctx, cfg)
	if err != nil {
		return p, err
	}
	defer func() { err = hidden.hideIn(err) }()
	f, err := rt.find(cfg)
	if err != nil {
		return p, err
	}
	c, err := rt.parseConnector(f.kind(), cfg)
	if err != nil {
		return p, err
	}
	err = guarded("constructor", func() (err error) {
		if p.steps, err = rt.steps(c, f.declared); err == nil {
			p.conv, err = rt.converters(c, f.declared)
		}
		return err
	})
	return p, err
}

func (p preview) close() {
	for _, s := range p.steps {
		for _, v := range []any{s.Transformation, s.Predicate} {
			if c, ok := connect.As[io.Closer](v); ok {
				_ = guarded("Close", c.Close)
			}
		}
	}
}

// transform tells what each transformation did, and returns the record that came out, nil if none did. Of a
// transformation that makes several records of one the first goes on.
func (p preview) transform(ctx context.Context, r *connect.Record) (results []StageResult, last *connect.Record) {
	for _, s := range p.steps {
		stage := s.Alias
		if !s.Declared {
			stage = "transforms." + s.Alias
		}
		before, given := *r, *r
		var after *connect.Record
		err := guarded(s.Class, func() (err error) { after, err = s.Apply(ctx, &given); return err })
		result := StageResult{Stage: stage, Class: s.Class, Err: err, After: after}
		switch {
		case err != nil:
			result.Outcome, result.After = Refused, nil
		case after == nil:
			result.Outcome = Dropped
		case same(&before, after):
			result.Outcome = Passed
		default:
			result.Outcome = Changed
		}
		results = append(results, result)
		if result.After == nil {
			return results, nil
		}
		kept := *after
		r = &kept
	}
	return results, r
}

func same(a, b *connect.Record) bool {
	if a.Topic != b.Topic || a.Partition != b.Partition || !a.Timestamp.Equal(b.Timestamp) || len(a.Headers) != len(b.Headers) {
		return false
	}
	for i := range a.Headers {
		x, y := a.Headers[i], b.Headers[i]
		if x.Key != y.Key || !x.Schema.Equal(y.Schema) || !connect.EqualValues(x.Value, y.Value) {
			return false
		}
	}
	return a.KeySchema.Equal(b.KeySchema) && a.ValueSchema.Equal(b.ValueSchema) &&
		connect.EqualValues(a.Key, b.Key) && connect.EqualValues(a.Value, b.Value)
}

// fromConnect tells what the converters of a source did.
func (p preview) fromConnect(ctx context.Context, r *connect.Record) (results []StageResult) {
	var headers connect.RawHeaders
	one := func(stage, class string, f func() ([]byte, error)) bool {
		var b []byte
		err := guarded(class, func() (err error) { b, err = f(); return err })
		result := StageResult{Stage: stage, Class: class, Outcome: Changed, Err: err, Bytes: b}
		if err != nil {
			result.Outcome = Refused
		}
		results = append(results, result)
		return err == nil
	}
	ok := true
	for _, h := range r.Headers {
		ok = ok && one("header.converter", p.conv.HeaderClass, func() ([]byte, error) {
			b, err := p.conv.Header.FromConnectHeader(ctx, r.Topic, h.Key, h.Schema, h.Value)
			headers.Add(h.Key, b)
			return b, err
		})
	}
	ok = ok && one("key.converter", p.conv.KeyClass, func() ([]byte, error) {
		return p.conv.Key.FromConnect(ctx, r.Topic, &headers, r.KeySchema, r.Key)
	})
	if ok {
		one("value.converter", p.conv.ValueClass, func() ([]byte, error) {
			return p.conv.Value.FromConnect(ctx, r.Topic, &headers, r.ValueSchema, r.Value)
		})
	}
	return results
}

// toConnect tells what the converters of a sink did, and returns the record, nil if one refused it.
func (p preview) toConnect(ctx context.Context, s RawRecord) (results []StageResult, r *connect.Record) {
	sink := &connect.SinkRecord{Origin: connect.TopicPartition{Topic: s.Topic, Partition: s.Partition}, Offset: s.Offset}
	sink.Topic, sink.Partition = s.Topic, connect.ToPartition(s.Partition)
	one := func(stage, class string, f func() error) bool {
		err := guarded(class, f)
		after := sink.Record
		result := StageResult{Stage: stage, Class: class, Outcome: Changed, Err: err, After: &after}
		if err != nil {
			result.Outcome, result.After = Refused, nil
		}
		results = append(results, result)
		return err == nil
	}
	ok := one("key.converter", p.conv.KeyClass, func() error {
		sv, err := p.conv.Key.ToConnect(ctx, s.Topic, s.Headers, s.Key)
		sink.KeySchema, sink.Key = sv.Schema, sv.Value
		return err
	}) && one("value.converter", p.conv.ValueClass, func() error {
		sv, err := p.conv.Value.ToConnect(ctx, s.Topic, s.Headers, s.Value)
		sink.ValueSchema, sink.Value = sv.Schema, sv.Value
		return err
	})
	for _, h := range s.Headers {
		ok = ok && one("header.converter", p.conv.HeaderClass, func() error {
			sv, err := p.conv.Header.ToConnectHeader(ctx, s.Topic, h.Key, h.Value)
			sink.Headers = append(sink.Headers, connect.Header{Key: h.Key, Schema: sv.Schema, Value: sv.Value})
			return err
		})
	}
	if !ok {
		return results, nil
	}
	base := *sink.Base()
	return results, &base
}
