package worker

import (
	"context"
	"fmt"
	"runtime/debug"
	"strconv"
	"sync"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/tolerance"
	"github.com/twmb/franz-go/pkg/kgo"
)

// DeadLetters writes records that failed to a topic (errors.deadletterqueue.*). It is safe for concurrent use.
type DeadLetters struct {
	ID       connect.TaskID
	Topic    string
	Headers  bool // adds the headers __connect.errors.…
	Producer Producer

	mu      sync.Mutex
	pending int
	err     error
	changed chan struct{} // closed and replaced when a write ends
}

// Report implements [tolerance.Reporter]: it begins to write the record. Failures of source records, which were not
// consumed, are not written.
func (d *DeadLetters) Report(_ context.Context, f *tolerance.Failure) error {
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
	d.mu.Lock()
	d.pending++
	d.mu.Unlock()
	d.Producer.Produce(context.Background(), rec, d.written)
	return nil
}

func (d *DeadLetters) written(_ *kgo.Record, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.pending--
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
	for {
		d.mu.Lock()
		pending, err := d.pending, d.err
		if d.changed == nil {
			d.changed = make(chan struct{})
		}
		changed := d.changed
		d.mu.Unlock()
		if err != nil || pending == 0 {
			return err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// describe returns the headers that say what happened to a record, in Connect's order.
func (d *DeadLetters) describe(f *tolerance.Failure) []kgo.RecordHeader {
	const prefix = "__connect.errors."
	text := func(name, value string) kgo.RecordHeader {
		return kgo.RecordHeader{Key: prefix + name, Value: []byte(value)}
	}
	return []kgo.RecordHeader{
		text("topic", f.Consumed.Topic),
		text("partition", strconv.Itoa(int(f.Consumed.Partition))),
		text("offset", strconv.FormatInt(f.Consumed.Offset, 10)),
		text("connector.name", d.ID.Connector),
		text("task.id", strconv.Itoa(d.ID.Task)),
		text("stage", string(f.Stage)),
		text("class.name", f.Class),
		text("exception.class.name", connect.ErrorClass(f.Err)),
		text("exception.message", f.Err.Error()),
		text("exception.stacktrace", connect.ErrorClass(f.Err)+": "+f.Err.Error()+"\n"+string(debug.Stack())),
	}
}
