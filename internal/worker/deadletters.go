package worker

import (
	"context"
	"fmt"
	"strconv"
	"sync"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/javaerror"
	"github.com/gokconnect/connect/internal/tolerance"
	"github.com/twmb/franz-go/pkg/kgo"
)

// DeadLetters writes records that failed to a topic (errors.deadletterqueue.*). It is safe for concurrent use.
type DeadLetters struct {
	ID       connect.TaskID
	Topic    string
	Headers  bool // adds the headers __connect.errors.…
	Producer Producer
	// Hide takes secrets out of the texts of errors. Optional.
	Hide func(string) string

	mu      sync.Mutex
	pending int
	bytes   int64 // of what is pending
	err     error
	changed chan struct{} // closed and replaced when a write ends

	letterCounts
}

// Report implements [tolerance.Reporter]: it begins to write the record. Failures of source records, which were not
// consumed, are not written.
//
// It waits while too much was not written yet: the producer is shared, and must not be filled by one task (invariant 6).
func (d *DeadLetters) Report(ctx context.Context, f *tolerance.Failure) error {
	if f.Consumed == nil {
		return nil
	}
	c := f.Consumed
	rec := &kgo.Record{Topic: d.Topic, Partition: -1, Key: c.Key, Value: c.Value, Timestamp: c.Timestamp}
	for _, h := range c.Headers {
		rec.Headers = append(rec.Headers, kgo.RecordHeader(h))
	}
	if d.Headers {
		rec.Headers = append(rec.Headers, d.describe(f)...)
	}
	if err := d.await(ctx, func() bool { return d.pending < maxPendingLetters && d.bytes < maxPendingBytes }); err != nil {
		return err
	}
	d.mu.Lock()
	d.pending++
	d.bytes += letterSize(rec)
	d.mu.Unlock()
	d.requests.Add(1)
	d.Producer.Produce(context.Background(), rec, d.written)
	return nil
}

// The bounds of what one task has reported and is not written yet.
const (
	maxPendingLetters = 1000
	maxPendingBytes   = 4 << 20
)

// letterSize is about what a record takes in the producer.
func letterSize(rec *kgo.Record) int64 {
	n := int64(recordOverhead + len(rec.Key) + len(rec.Value))
	for _, h := range rec.Headers {
		n += int64(len(h.Key) + len(h.Value))
	}
	return n
}

func (d *DeadLetters) written(rec *kgo.Record, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.pending--
	d.bytes -= letterSize(rec)
	if err != nil {
		d.failures.Add(1)
	}
	if err != nil && d.err == nil {
		d.err = fmt.Errorf("%w: topic %s: %w", errDeadLetter, d.Topic, err)
	}
	if d.changed != nil {
		close(d.changed)
		d.changed = nil
	}
}

// Await waits until everything that was reported is written. Its error says that something can't be: then no offset
// behind it may be committed.
func (d *DeadLetters) Await(ctx context.Context) error {
	return d.await(ctx, func() bool { return d.pending == 0 })
}

// await waits until enough is written, which it asks with mu held.
func (d *DeadLetters) await(ctx context.Context, enough func() bool) error {
	for {
		d.mu.Lock()
		ok, err := enough(), d.err
		if d.changed == nil {
			d.changed = make(chan struct{})
		}
		changed := d.changed
		d.mu.Unlock()
		if err != nil || ok {
			return err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// letterPrefix is what the names of all headers begin with that say what happened to a record.
const letterPrefix = "__connect.errors."

// describe returns the headers that say what happened to a record, in Connect's order.
func (d *DeadLetters) describe(f *tolerance.Failure) []kgo.RecordHeader {
	return append([]kgo.RecordHeader{
		{Key: letterPrefix + "topic", Value: []byte(f.Consumed.Topic)},
		{Key: letterPrefix + "partition", Value: []byte(strconv.Itoa(int(f.Consumed.Partition)))},
		{Key: letterPrefix + "offset", Value: []byte(strconv.FormatInt(f.Consumed.Offset, 10))},
	}, describeFailure(d.ID, f, d.Hide)...)
}

// describeFailure returns the headers about who failed, and how.
func describeFailure(id connect.TaskID, f *tolerance.Failure, hide func(string) string) []kgo.RecordHeader {
	message, trace := javaerror.Message(f.Err), javaerror.Trace(f.Err)
	if hide != nil {
		message, trace = hide(message), hide(trace)
	}
	text := func(name, value string) kgo.RecordHeader {
		return kgo.RecordHeader{Key: letterPrefix + name, Value: []byte(value)}
	}
	return []kgo.RecordHeader{
		text("connector.name", id.Connector),
		text("task.id", strconv.Itoa(id.Task)),
		text("stage", string(f.Stage)),
		text("class.name", f.Class),
		text("exception.class.name", javaerror.Class(f.Err)),
		text("exception.message", message),
		text("exception.stacktrace", trace),
	}
}
