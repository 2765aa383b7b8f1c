// Package kafkalog reads and writes a compacted topic as a log: all of it at the start, what is added later as it
// comes, and, on demand, up to its end.
//
// It fetches by itself in place of consuming through kgo, because only so it knows its position: the end of a topic may
// hold markers of transactions and gaps left by compaction, which no consumer is ever given a record for.
package kafkalog

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Config says which topic a [Log] reads, and how.
type Config struct {
	// Topic is the topic. It must exist when the log is started; see [Ensure].
	Topic string
	// Client are the options of the client that reads. The log makes one of its own, since a fetch that waits for
	// records keeps others on the same client waiting. A broker keeps a fetch that finds nothing for 5 s, or for their
	// FetchMaxWait if that is longer.
	Client []kgo.Opt
	// Producer writes what is appended. It may be shared. Nil, and the log's own client does.
	Producer Producer
	// ReadCommitted hides the records of transactions that were aborted, and of open ones until they end. The end that
	// ReadToEnd waits for is the same as without: it waits for open transactions to end.
	ReadCommitted bool
	// StartStable has Start not wait for transactions that are open: those of tasks that were killed end only when their next
	// run fences them, or after minutes.
	StartStable bool
	// Apply is given every record, in order within a partition and never concurrently. The record may be kept. An
	// error says that the record is garbage: it is reported to OnError and skipped, alone unless it is [ErrSkipBatch].
	Apply func(r *kgo.Record) error
	// OnError is told of garbage, as a *[RecordError], and of trouble with the cluster that the log keeps trying to get
	// over. Never concurrently. Nil ignores them.
	OnError func(err error)
}

// RecordError is a record of the log that could not be used.
type RecordError struct {
	Topic     string
	Partition int32
	Offset    int64
	Err       error
}

func (e *RecordError) Error() string {
	return fmt.Sprintf("record at offset %d of %s-%d was skipped: %v", e.Offset, e.Topic, e.Partition, e.Err)
}

func (e *RecordError) Unwrap() error { return e.Err }

// ErrSkipBatch is in an error of Apply that the rest of what was fetched with the record is to be skipped with it.
var ErrSkipBatch = errors.New("the rest of what was fetched with it is skipped")

// ErrNotRunning says that a log was used before Start or after Stop.
var ErrNotRunning = errors.New("the log is not running")

// Log is a compacted topic. Its methods are safe for concurrent use, except that Start comes before all others.
type Log struct {
	cfg    Config
	client *kgo.Client
	stop   context.CancelFunc
	done   chan struct{} // closed when no goroutine of the log is left

	fetchWait time.Duration

	applying sync.Mutex // held around Apply and OnError

	mu        sync.Mutex
	positions map[int32]int64 // the offset that is read next
	moved     chan struct{}   // closed and replaced when a position has moved
	lastErr   error           // the trouble of the last round, nil when it went well
}

// New returns a log that is not started.
func New(cfg Config) *Log {
	if cfg.OnError == nil {
		cfg.OnError = func(error) {}
	}
	return &Log{cfg: cfg, positions: map[int32]int64{}, moved: make(chan struct{})}
}

// Start reads the topic to its end, see StartStable of [Config], and goes on reading in the background until Stop. When it fails nothing is left
// running. A log is started once.
func (l *Log) Start(ctx context.Context) error {
	client, err := kgo.NewClient(l.cfg.Client...)
	if err != nil {
		return fmt.Errorf("reading topic %s: %w", l.cfg.Topic, err)
	}
	l.client = client
	l.fetchWait = max(leastFetchWait, client.OptValue(kgo.FetchMaxWait).(time.Duration))
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	l.stop, l.done = stop, make(chan struct{})
	go func() {
		defer close(l.done)
		l.run(run)
	}()
	end := (*kadm.Client).ListEndOffsets
	if l.cfg.StartStable {
		end = (*kadm.Client).ListCommittedOffsets
	}
	if err := l.readTo(ctx, end); err != nil {
		l.Stop()
		return err
	}
	return nil
}

// Stop ends the reading and waits until the last call of Apply has returned. It may be called more than once.
func (l *Log) Stop() {
	if l.stop == nil {
		return
	}
	l.stop()
	<-l.done
	l.client.Close()
}

// ReadToEnd returns when Apply has returned for every record that was in the topic when it was called. It waits for
// transactions that were open then.
func (l *Log) ReadToEnd(ctx context.Context) error {
	if l.stop == nil {
		return ErrNotRunning
	}
	return l.readTo(ctx, (*kadm.Client).ListEndOffsets)
}

// listing is a method of the admin client that says where partitions end.
type listing func(*kadm.Client, context.Context, ...string) (kadm.ListedOffsets, error)

func (l *Log) readTo(ctx context.Context, end listing) error {
	ends, err := l.ends(ctx, end)
	if err != nil {
		return fmt.Errorf("reading topic %s to its end: %w", l.cfg.Topic, err)
	}
	for {
		partition, at, moved, last := l.behind(ends)
		if partition < 0 {
			return nil
		}
		select {
		case <-moved:
		case <-l.done:
			return fmt.Errorf("reading topic %s to its end: %w", l.cfg.Topic, ErrNotRunning)
		case <-ctx.Done():
			return fmt.Errorf("reading topic %s to its end: partition %d was read to offset %d of %d: %w", l.cfg.Topic, partition, at, ends[partition],
				errors.Join(context.Cause(ctx), last))
		}
	}
}

// behind returns a partition that was not read to its end, or -1.
func (l *Log) behind(ends map[int32]int64) (partition int32, at int64, moved <-chan struct{}, last error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for p, end := range ends {
		if l.positions[p] < end {
			return p, l.positions[p], l.moved, l.lastErr
		}
	}
	return -1, 0, nil, nil
}

// ends returns the offset at which every partition ends.
func (l *Log) ends(ctx context.Context, end listing) (map[int32]int64, error) {
	admin := kadm.NewClient(l.client)
	deadline := time.Now().Add(lookUpTime)
	for {
		ends, err := l.listEnds(ctx, admin, end)
		if err == nil {
			return ends, nil
		}
		if !kerr.IsRetriable(err) || ctx.Err() != nil || time.Now().After(deadline) {
			return nil, err
		}
		if err := pause(ctx, l.done); err != nil {
			return nil, errors.Join(err, ctx.Err())
		}
	}
}

func (l *Log) listEnds(ctx context.Context, admin *kadm.Client, end listing) (map[int32]int64, error) {
	listed, err := end(admin, ctx, l.cfg.Topic)
	if err != nil {
		return nil, err
	}
	ends := map[int32]int64{}
	for p, o := range listed[l.cfg.Topic] {
		if o.Err != nil {
			return nil, o.Err
		}
		ends[p] = o.Offset
	}
	if len(ends) == 0 {
		return nil, kerr.UnknownTopicOrPartition
	}
	return ends, nil
}

// Append writes records to the topic and waits until all are acknowledged, or one has failed: the others may be
// written then, as may all of them when ctx ends first. They are seen by Apply like any other.
func (l *Log) Append(ctx context.Context, records ...*kgo.Record) error {
	if l.stop == nil {
		return ErrNotRunning
	}
	producer := l.cfg.Producer
	if producer == nil {
		producer = l.client
	}
	for _, r := range records {
		r.Topic = l.cfg.Topic
	}
	return Produce(ctx, producer, records...)
}

// Produce writes a record in the background, and calls promise when it is acknowledged or has failed.
func (l *Log) Produce(r *kgo.Record, promise func(*kgo.Record, error)) {
	if l.stop == nil {
		promise(r, ErrNotRunning)
		return
	}
	producer := l.cfg.Producer
	if producer == nil {
		producer = l.client
	}
	r.Topic = l.cfg.Topic
	producer.Produce(context.Background(), r, promise)
}

// Producer is what a log is written with: a *kgo.Client, or something that guards one.
type Producer interface {
	Produce(ctx context.Context, r *kgo.Record, promise func(*kgo.Record, error))
}

// Produce writes records through a client that may be shared and waits until all are acknowledged, or one has failed
// or ctx has ended: the others may be written then. The end of ctx fails nobody else's records.
func Produce(ctx context.Context, producer Producer, records ...*kgo.Record) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	acks := make(chan error, len(records))
	for _, r := range records {
		produce(ctx, producer, r, func(r *kgo.Record, err error) {
			if err != nil {
				err = fmt.Errorf("writing to topic %s: %w", r.Topic, err)
			}
			acks <- err
		})
	}
	for range records {
		select {
		case err := <-acks:
			if err != nil {
				return err
			}
		case <-ctx.Done():
			return fmt.Errorf("waiting for records to be acknowledged: %w", context.Cause(ctx))
		}
	}
	return nil
}

// produce hands one record to a client. The end of ctx ends the wait for room in the client, and nothing after it: the end
// of a record's own context would fail all that is buffered for its partition.
func produce(ctx context.Context, producer Producer, r *kgo.Record, promise func(*kgo.Record, error)) {
	own, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	defer context.AfterFunc(ctx, func() { cancel(context.Cause(ctx)) })()
	producer.Produce(own, r, promise)
}

// lookUpTime is how long the partitions of the topic may be unknown or without a leader.
const lookUpTime = 30 * time.Second

// retryPause is the wait between attempts at something that the cluster could not do.
const retryPause = 100 * time.Millisecond

// firstPause is the wait before the second attempt at reading: the leaders of a topic that was just made are known soon.
const firstPause = 10 * time.Millisecond

// pause waits for the next attempt. It fails when done is closed or ctx ends first.
func pause(ctx context.Context, done <-chan struct{}) error { return wait(ctx, done, retryPause) }

func wait(ctx context.Context, done <-chan struct{}, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-done:
		return ErrNotRunning
	case <-ctx.Done():
		return ctx.Err()
	}
}
