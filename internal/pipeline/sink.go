package pipeline

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/javaerror"
	"github.com/gokconnect/connect/internal/tolerance"
)

// Sink takes consumed records to the form of a sink task. It is used by one goroutine at a time.
type Sink struct {
	chain      *Chain
	conv       Converters
	op         *tolerance.Operator
	converting string // the class that is converting, for the message of a panic
	free       []sinkWork
	watch      *watch
	only       *sinkWork // if nothing of it is kept
	makes      [2]bool   // the chain is tidy, and nobody else has the structs that the converter of the key, or value, returns
}

// NewSink returns the pipeline of a sink task.
func NewSink(steps []Step, conv Converters, op *tolerance.Operator) *Sink {
	p := &Sink{chain: newChain(steps), conv: conv, op: op}
	for i, c := range []connect.Converter{conv.Key, conv.Value} {
		m, ok := c.(makesStructs)
		p.makes[i] = ok && p.chain.tidy && m.MakesStructs(c)
	}
	return p
}

// Close closes the plugins of the pipeline. It is called once, after the task's Stop.
func (p *Sink) Close() error { return errors.Join(p.chain.Close(), p.conv.Close()) }

// Process takes one consumed record through the pipeline and appends what the task is to get to batch: nothing when the
// record was filtered, or failed and was given up. An error fails the task.
//
// The records that Process appended are valid as long as batch is not appended to by anyone else.
func (p *Sink) Process(ctx context.Context, c *tolerance.Consumed, batch []connect.SinkRecord) (out []connect.SinkRecord, err error) {
	start := len(batch)
	given := batch
	p.chain.at, p.chain.watch = nil, nil
	if p.watch.next() {
		p.chain.watch = p.watch
		p.watch.see(Sighting{Stage: "consume", Raw: &Output{Topic: c.Topic, Partition: connect.ToPartition(c.Partition), Key: c.Key, Value: c.Value, Headers: c.Headers, Timestamp: c.Timestamp}})
	}
	defer func() {
		if v := recover(); v != nil {
			out, err = given, &connect.PanicError{Call: p.panicked(), Value: v, Stack: debug.Stack()}
		}
	}()
	batch, err = p.process(ctx, c, batch)
	if err == nil {
		return batch, nil
	}
	batch = batch[:start]
	var f *failed
	if !errors.As(err, &f) {
		return batch, err
	}
	if p.chain.watch != nil {
		p.watch.see(Sighting{Stage: string(f.stage), Class: f.class, Err: f.err})
	}
	if p.op.Interrupted(ctx) {
		return batch, f.err
	}
	return batch, p.op.Failed(ctx, &tolerance.Failure{Stage: f.stage, Class: f.class, Err: f.err, Attempts: f.attempts, Consumed: c})
}

func (p *Sink) process(ctx context.Context, c *tolerance.Consumed, batch []connect.SinkRecord) ([]connect.SinkRecord, error) {
	origin, offset := connect.TopicPartition{Topic: c.Topic, Partition: c.Partition}, c.Offset
	if c.Replayed != nil {
		origin, offset = c.Replayed.Partition, c.Replayed.Offset
	}
	var rec *connect.SinkRecord
	var work *sinkWork // nil if there is no chain
	if len(p.chain.steps) > 0 {
		work = p.work()
		rec = &work.consumed
	} else {
		batch = append(batch, connect.SinkRecord{})
		rec = &batch[len(batch)-1]
	}
	rec.TimestampType, rec.Origin, rec.Offset, rec.Consumed = c.TimestampType, origin, offset, c.Raw
	rec.Topic, rec.Partition = c.Topic, connect.ToPartition(c.Partition)
	key, err := p.toConnect(ctx, p.conv.Key, c, c.Key, tolerance.KeyConverter, p.conv.KeyClass)
	if err != nil {
		return batch, err
	}
	value, err := p.toConnect(ctx, p.conv.Value, c, c.Value, tolerance.ValueConverter, p.conv.ValueClass)
	if err != nil {
		return batch, err
	}
	rec.KeySchema, rec.Key, rec.ValueSchema, rec.Value = key.Schema, key.Value, value.Schema, value.Value
	if len(c.Headers) > 0 {
		if rec.Headers, err = p.headers(ctx, c); err != nil {
			return batch, err
		}
	}
	if !c.Timestamp.IsZero() {
		switch ms := c.Timestamp.UnixMilli(); {
		case ms >= 0:
			rec.Timestamp = c.Timestamp
		case ms < -1: // -1 is Kafka's "no timestamp"
			return batch, javaerror.New(javaerror.InvalidRecord, fmt.Sprintf("Invalid record timestamp %d", ms), nil)
		}
	}
	if p.chain.watch != nil {
		p.watch.see(Sighting{Stage: "converters", Record: rec.Base()})
	}
	if work == nil {
		return batch, nil
	}
	return p.transform(ctx, work, batch)
}

// sinkWork is the memory that one record needs on its way through the chain: the record as consumed, which
// transformations can look up, and the copy that is the first transformation's own.
type sinkWork struct {
	consumed connect.SinkRecord
	record   connect.Record
}

// work returns memory for one record.
func (p *Sink) work() *sinkWork {
	if p.chain.tidy && !p.chain.expands && p.chain.watch == nil {
		if p.only == nil {
			p.only = new(sinkWork)
		}
		p.only.consumed = connect.SinkRecord{}
		return p.only
	}
	if len(p.free) == 0 {
		p.free = make([]sinkWork, 64) // transformations may keep what they are given: never reused
	}
	w := &p.free[0]
	p.free = p.free[1:]
	return w
}

// transform sends a consumed record through the chain, and appends what comes out to batch.
func (p *Sink) transform(ctx context.Context, w *sinkWork, batch []connect.SinkRecord) ([]connect.SinkRecord, error) {
	w.record = *w.consumed.Base()
	if p.chain.expands {
		err := p.chain.apply(ctx, p.op, 0, &w.record, func(r *connect.Record) error {
			batch = append(batch, w.with(r))
			return nil
		})
		return batch, err
	}
	r, err := p.chain.one(ctx, p.op, &w.record, [2]*connect.Struct{p.made(0, w.record.KeySchema, w.record.Key), p.made(1, w.record.ValueSchema, w.record.Value)})
	if err == nil && r != nil {
		batch = append(batch, w.with(r))
	}
	return batch, err
}

// made returns a key or value that is a struct that nobody but the record has. What can be looked up in the record as consumed is the
// same one, but no step of a tidy chain looks.
func (p *Sink) made(part int, schema *connect.Schema, v any) *connect.Struct {
	if !p.makes[part] {
		return nil
	}
	s, ok := v.(*connect.Struct)
	if !ok || s == nil || schema == nil || schema.Default() == v {
		return nil
	}
	return s
}

// with returns what the task gets: the record that came out of the chain, with the coordinates that it came from.
func (w *sinkWork) with(r *connect.Record) connect.SinkRecord {
	record := connect.Record{Topic: r.Topic, Partition: r.Partition, KeySchema: r.KeySchema, Key: r.Key, ValueSchema: r.ValueSchema, Value: r.Value,
		Headers: r.Headers, Timestamp: r.Timestamp} // without what leads back to the record that was consumed
	return connect.SinkRecord{Record: record, TimestampType: w.consumed.TimestampType, Origin: w.consumed.Origin, Offset: w.consumed.Offset, Consumed: w.consumed.Consumed}
}

func (p *Sink) toConnect(ctx context.Context, conv connect.Converter, c *tolerance.Consumed, b []byte, stage tolerance.Stage, class string) (connect.SchemaAndValue, error) {
	p.converting = class
	sv, err := conv.ToConnect(ctx, c.Topic, c.Headers, b)
	if err == nil {
		return sv, nil
	}
	attempts, err := p.op.Retry(ctx, err, func() (err error) {
		sv, err = conv.ToConnect(ctx, c.Topic, c.Headers, b)
		return err
	})
	if err != nil {
		return sv, &failed{stage, class, attempts, err}
	}
	return sv, nil
}

func (p *Sink) headers(ctx context.Context, c *tolerance.Consumed) (connect.Headers, error) {
	p.converting = p.conv.HeaderClass
	headers := make(connect.Headers, 0, len(c.Headers))
	for _, h := range c.Headers {
		var sv connect.SchemaAndValue
		call := func() (err error) {
			sv, err = p.conv.Header.ToConnectHeader(ctx, c.Topic, h.Key, h.Value)
			return err
		}
		if err := call(); err != nil {
			attempts, err := p.op.Retry(ctx, err, call)
			if err != nil {
				return nil, &failed{tolerance.HeaderConverter, p.conv.HeaderClass, attempts, err}
			}
		}
		headers = append(headers, connect.Header{Key: h.Key, Schema: sv.Schema, Value: sv.Value})
	}
	return headers, nil
}

func (p *Sink) panicked() string {
	if p.chain.at != nil {
		return p.chain.at.name()
	}
	return p.converting + ".ToConnect"
}
