package pipeline

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/javaerror"
	"github.com/gokconnect/connect/internal/recordbatch"
	"github.com/gokconnect/connect/internal/tolerance"
)

// Converters are the converters of one task.
type Converters struct {
	Key, Value           connect.Converter
	Header               connect.HeaderConverter
	KeyClass, ValueClass string // for messages
	HeaderClass          string
	// The converter is a Go value that other tasks use too, and that nobody closes.
	KeyDeclared, ValueDeclared, HeaderDeclared bool
}

// Close closes the converters that can be closed.
func (c *Converters) Close() error {
	var errs []error
	for _, p := range []struct {
		plugin   any
		class    string
		declared bool
	}{{c.Key, c.KeyClass, c.KeyDeclared}, {c.Value, c.ValueClass, c.ValueDeclared}, {c.Header, c.HeaderClass, c.HeaderDeclared}} {
		if !p.declared {
			errs = append(errs, closePlugin(p.plugin, p.class))
		}
	}
	return errors.Join(errs...)
}

// Output is a record as it goes to Kafka.
type Output struct {
	Topic      string
	Partition  connect.Partition
	Key, Value []byte
	Headers    connect.RawHeaders
	Timestamp  time.Time
	// Records says that Value is a [connect.RecordBatch] of so many; 0 is a record.
	Records int
}

// Source takes the records of one source task to Kafka's form. It is used by one goroutine at a time.
type Source struct {
	chain      *Chain
	conv       Converters
	appendKey  connect.AppendConverter // or nil
	appendVal  connect.AppendConverter // or nil
	op         *tolerance.Operator
	arena      arena
	converting string // the class that is converting, for the message of a panic
	givenUp    func(index int, f *tolerance.Failure) error
	watch      *watch
	forwards   func() bool // or nil
}

// NewSource returns the pipeline of a source task.
func NewSource(steps []Step, conv Converters, op *tolerance.Operator) *Source {
	p := &Source{chain: newChain(steps), conv: conv, op: op}
	p.appendKey, p.appendVal = appender(conv.Key), appender(conv.Value)
	return p
}

// OnGivenUp has f called for each record of a batch that fails and is given up, with its index and before done, on the
// goroutine of Process. An error of f fails the task. It is called before the pipeline is used.
func (p *Source) OnGivenUp(f func(index int, failure *tolerance.Failure) error) { p.givenUp = f }

// Forwards has batches pass as they are that come while may reports that they may. It is called before the pipeline is used.
// Without it they fail the task.
func (p *Source) Forwards(may func() bool) { p.forwards = may }

// PassesBytes reports whether a converter is the one that passes bytes on as they are: [connect.ByteArrayConverter], or a pointer to one.
func PassesBytes(converter any) bool {
	switch converter.(type) {
	case connect.ByteArrayConverter, *connect.ByteArrayConverter:
		return true
	}
	return false
}

// appender returns the converter as one that appends, if it is one and that is worth it: bytes that pass as they are were given
// up by the task, and need no copy.
func appender(c connect.Converter) connect.AppendConverter {
	if PassesBytes(c) {
		return nil
	}
	a, _ := connect.As[connect.AppendConverter](c)
	return a
}

// Close closes the plugins of the pipeline. It is called once, after the task's Stop.
func (p *Source) Close() error { return errors.Join(p.chain.Close(), p.conv.Close()) }

// Process takes a batch through the pipeline and calls emit, in order, for each record that is to be sent, with the
// index of the record in the batch that it comes from, and then done once for each record of the batch, with the number
// of records that it became: 0 when it was filtered or failed and was given up. An error fails the task: of a stage
// that is not tolerated, of emit or of done, or a panic of a plugin.
func (p *Source) Process(ctx context.Context, batch []connect.SourceRecord, emit func(index int, out *Output) error, done func(index, sent int) error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &connect.PanicError{Call: p.panicked(), Value: v, Stack: debug.Stack()}
		}
	}()
	var scratch []connect.Record
	if len(p.chain.steps) > 0 {
		scratch = make([]connect.Record, len(batch)) // transformations may keep what they are given
	}
	p.watch.begin()
	var out Output
	for i := range batch {
		if isNone(&batch[i]) {
			if err := done(i, 0); err != nil {
				return err
			}
			continue
		}
		switch b := batch[i].Value.(type) {
		case connect.RecordBatch:
			if err := recordbatch.Check(i, &batch[i], p.forwards != nil && p.forwards()); err != nil {
				return err
			}
			out = Output{Topic: batch[i].Topic, Partition: batch[i].Partition, Value: b.Bytes, Records: b.Records}
			if err := emit(i, &out); err != nil {
				return err
			}
			if err := done(i, 1); err != nil {
				return err
			}
			continue
		case *connect.RecordBatch:
			return recordbatch.Check(i, &batch[i], false)
		}
		r := batch[i].Base()
		if scratch != nil {
			scratch[i] = *r
			r = &scratch[i]
		}
		if p.chain.watch = nil; p.watch.next() {
			p.chain.watch = p.watch
			p.watch.see(Sighting{Stage: "poll", Record: r})
		}
		sent := 0
		var ferr error
		if p.chain.expands {
			// All records that one record becomes must convert before the first is sent: half of them is no record.
			var outs []Output
			ferr = p.chain.apply(ctx, p.op, 0, r, func(r *connect.Record) error {
				var o Output
				if err := p.convert(ctx, r, &o); err != nil {
					return err
				}
				outs = append(outs, o)
				return nil
			})
			for k := 0; ferr == nil && k < len(outs); k++ {
				if err := emit(i, &outs[k]); err != nil {
					return err
				}
				sent++
			}
		} else {
			r, ferr = p.chain.one(ctx, p.op, r, [2]*connect.Struct{})
			if ferr == nil && r != nil {
				if ferr = p.convert(ctx, r, &out); ferr == nil {
					if err := emit(i, &out); err != nil {
						return err
					}
					sent = 1
				}
			}
		}
		if ferr != nil {
			if err := p.failed(ctx, ferr, i, &batch[i]); err != nil {
				return err
			}
		}
		if err := done(i, sent); err != nil {
			return err
		}
	}
	return nil
}

// isNone reports whether r is the zero record, which stands for none.
func isNone(r *connect.SourceRecord) bool {
	return r.Topic == "" && r.Value == nil && r.Key == nil && r.SourcePartition == nil && r.SourceOffset == nil && r.ValueSchema == nil && len(r.Headers) == 0
}

func (p *Source) failed(ctx context.Context, err error, index int, r *connect.SourceRecord) error {
	var f *failed
	if !errors.As(err, &f) {
		return err
	}
	if p.chain.watch != nil {
		p.watch.see(Sighting{Stage: string(f.stage), Class: f.class, Err: f.err})
	}
	if p.op.Interrupted(ctx) {
		return f.err
	}
	failure := &tolerance.Failure{Stage: f.stage, Class: f.class, Err: f.err, Attempts: f.attempts, Source: r}
	if err := p.op.Failed(ctx, failure); err != nil || p.givenUp == nil {
		return err
	}
	return p.givenUp(index, failure)
}

func (p *Source) panicked() string {
	if p.chain.at != nil {
		return p.chain.at.name()
	}
	return p.converting + ".FromConnect"
}

// convert fills out, or returns a *failed, or an error that no policy tolerates.
func (p *Source) convert(ctx context.Context, r *connect.Record, out *Output) error {
	*out = Output{Topic: r.Topic, Partition: r.Partition}
	for i := range r.Headers {
		if err := p.convertHeader(ctx, r, &r.Headers[i], out); err != nil {
			return err
		}
	}
	var err error
	p.converting = p.conv.KeyClass
	if out.Key, err = p.convertOne(ctx, p.conv.Key, p.appendKey, r, out, r.KeySchema, r.Key, tolerance.KeyConverter, p.conv.KeyClass); err != nil {
		return err
	}
	p.converting = p.conv.ValueClass
	if out.Value, err = p.convertOne(ctx, p.conv.Value, p.appendVal, r, out, r.ValueSchema, r.Value, tolerance.ValueConverter, p.conv.ValueClass); err != nil {
		return err
	}
	if !r.Timestamp.IsZero() {
		switch ms := r.Timestamp.UnixMilli(); {
		case ms >= 0:
			out.Timestamp = r.Timestamp
		case ms < -1: // -1 is Kafka's "no timestamp"
			return javaerror.New(javaerror.InvalidRecord, fmt.Sprintf("Invalid record timestamp %d", ms), nil)
		}
	}
	if p.chain.watch != nil {
		p.watch.see(Sighting{Stage: "converters", Raw: out})
	}
	return nil
}

func (p *Source) convertHeader(ctx context.Context, r *connect.Record, h *connect.Header, out *Output) error {
	p.converting = p.conv.HeaderClass
	var b []byte
	call := func() (err error) {
		b, err = p.conv.Header.FromConnectHeader(ctx, r.Topic, h.Key, h.Schema, h.Value)
		return err
	}
	if err := call(); err != nil {
		attempts, err := p.op.Retry(ctx, err, call)
		if err != nil {
			return &failed{tolerance.HeaderConverter, p.conv.HeaderClass, attempts, err}
		}
	}
	out.Headers.Add(h.Key, b)
	return nil
}

func (p *Source) convertOne(ctx context.Context, c connect.Converter, a connect.AppendConverter, r *connect.Record, out *Output, s *connect.Schema, v any, stage tolerance.Stage, class string) ([]byte, error) {
	var b []byte
	var err error
	headers := len(out.Headers)
	if a != nil {
		b, err = p.arena.convert(ctx, a, r.Topic, &out.Headers, s, v)
	} else {
		b, err = c.FromConnect(ctx, r.Topic, &out.Headers, s, v)
	}
	if err == nil {
		return b, nil
	}
	attempts, err := p.op.Retry(ctx, err, func() (err error) {
		out.Headers = out.Headers[:headers] // without what the attempt before added
		b, err = c.FromConnect(ctx, r.Topic, &out.Headers, s, v)
		return err
	})
	if err != nil {
		return nil, &failed{stage, class, attempts, err}
	}
	return b, nil
}
