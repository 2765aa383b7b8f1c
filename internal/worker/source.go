package worker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/clients"
	"github.com/gokconnect/connect/internal/connconfig"
	"github.com/gokconnect/connect/internal/javaerror"
	"github.com/gokconnect/connect/internal/pipeline"
	"github.com/gokconnect/connect/internal/tolerance"
	"github.com/gokconnect/connect/internal/tracing"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Producer is the part of a *kgo.Client that a source task needs. It may be shared by many tasks.
type Producer interface {
	Produce(ctx context.Context, r *kgo.Record, promise func(*kgo.Record, error))
	PurgeTopicsFromProducing(topics ...string)
}

// OffsetWriter stores source offsets.
type OffsetWriter interface {
	// Set stores offsets of a connector. A nil offset removes the partition's. It returns nil only when all are stored.
	Set(ctx context.Context, connector string, offsets []connect.PartitionOffset) error
}

// SourceOptions are what a source task needs besides [TaskOptions].
type SourceOptions struct {
	TaskOptions
	// New makes what one run of the task needs. It is called again for each restart.
	New func(ctx context.Context) (*SourceParts, error)
	// FlushInterval is the time between two commits of offsets, FlushTimeout how long one may take.
	FlushInterval, FlushTimeout time.Duration
	// MaxBytes and MaxRecords bound what was sent and is not acknowledged yet. Of batches that pass as they are MaxBytes alone does.
	MaxBytes   int64
	MaxRecords int
	// Sent is told how many records were sent, and to which topic: once for each run of records with the same topic.
	// Optional.
	Sent func(topic string, records int)
	// AllOrNothing makes one offset that can't be stored hold up those of all partitions of the task, as Kafka Connect
	// does. Otherwise it alone is given up, and reported.
	AllOrNothing bool
}

// SourceParts are what one run of a source task needs.
type SourceParts struct {
	Task     connect.SourceTask
	Config   connect.Config
	Context  connect.SourceTaskContext
	Pipeline *pipeline.Source
	Operator *tolerance.Operator
	Producer Producer
	// Sharing is that of all who send with Producer. Nil, and no one else does.
	Sharing *clients.Sharing
	Offsets OffsetWriter
	Topics  Topics
	// Forward is how batches pass as they are. Nil, and the task may return none.
	Forward *Forwarding
	// Throttle returns how much the task may move; it is asked again now and then. Nil, and there is no limit.
	Throttle func() connconfig.Throttle
	// ExactlyOnce makes the run one that delivers exactly once; Producer and Offsets are nil then. Nil, and it delivers at
	// least once.
	ExactlyOnce *ExactlyOnceParts
	// MaxRequest is the size above which a record is refused before it is sent (max.request.size); 0 is none.
	MaxRequest int
	// Letters are where records go that are given up. Nil, and they go nowhere.
	Letters *SourceLetters
	// Release gives back the producer and the like. It is called once, last, also when the run failed. Optional.
	Release func()
}

// StartSource starts a source task.
func StartSource(o SourceOptions) *Task {
	if o.MaxBytes <= 0 {
		o.MaxBytes = 8 << 20
	}
	if o.MaxRecords <= 0 {
		o.MaxRecords = 5_000 // records of a hundred bytes take ten times that, with all that is kept of them
	}
	return startTask(o.TaskOptions, func(t *Task) (runner, error) {
		parts, err := o.New(t.poll)
		if err != nil {
			return nil, err
		}
		if parts.ExactlyOnce != nil {
			return newExactlyOnceRun(t, o, parts), nil
		}
		return newSourceRun(t, o, parts), nil
	})
}

// sourceRun is one run of a source task. Two goroutines work for it: the task's own (poll, convert, send) and the
// committer (CommitRecord, offsets, Commit). Acknowledgements arrive on the producer's goroutine, which is shared with
// other tasks: they only take note.
type sourceRun struct {
	SourceOptions
	SourceParts
	t            *Task
	commitRecord connect.RecordCommitter // or nil
	committing   chan struct{}           // held by whoever calls it
	keeps        bool                    // records are kept until they are settled: someone wants to hear of them
	fresh        bool                    // the task does not use what it polled again
	commitBatch  connect.BatchCommitter  // or nil
	main, commit Activity
	onAck        func(*kgo.Record, error) // r.acked, made once
	known        map[string]struct{}      // topics that exist; the task's goroutine only
	partitions   PartitionAwaiter         // or nil
	has          map[string]int32         // how many partitions topics have, as far as records named some
	slots        []slot                   // records that are converted and not yet sent; the task's goroutine only
	slotBytes    int
	slotRecords  int                             // how many they are, with those of batches
	raw          BatchProducer                   // for batches, or nil
	batches      map[connect.TopicPartition]bool // whether those that had batches got some last; the task's goroutine only
	polled       []connect.SourceRecord          // the batch that is being processed; the task's goroutine only
	polledAt     time.Time                       // when it was polled, if there are metrics
	span         *tracing.Batch                  // its, or nil; the task's goroutine only, but for what chunks have

	wake chan struct{} // tells the committer of settled records; holds one
	room chan struct{} // tells the task's goroutine that records were settled; holds one

	mu       sync.Mutex
	track    tracker
	released []committable // what the committer may have, if it does not take it itself
	inFlight int           // records sent and not settled, with those of batches
	bytes    int64         // their size
	settled  []settled
	told     []settled                // memory for the next ones, or nil
	metadata []connect.RecordMetadata // for the next ones
	telling  int                      // how many of the settled ones the committer is at
	sent     uint64                   // records given to the producer, or to be
	forgot   uint64                   // how often the producer had forgotten topics when these were sent
	resend   []*slot                  // records to send once more, or later, when all others are settled
	refused  bool                     // one of them was sent, and came back
	// recreated says that the producer must forget their topics first.
	recreated bool
	// resending says that they are being sent: nothing else is, so that their order stays.
	resending bool
	// held says that there is something in resend, or may be: what comes later must not overtake it.
	held atomic.Bool
	err  error // the first failure
	fail context.CancelCauseFunc
	// throttle is the task goroutine's only.
	throttle *throttle
	// oldest and newest are the ends of the list of chunks that are on their way, if there are metrics.
	oldest, newest *chunk
	free           [][]slot // zero, to be used again
}

// settled is a record whose fate the committer has to tell the task of.
type settled struct {
	record   *connect.SourceRecord
	metadata *connect.RecordMetadata
	failure  *tolerance.Failure
	last     bool // of what the record became
	// letter is the record whose dead letter is to be sent, or sent once more, if there is one. It is not acknowledged yet.
	letter *slot
}

func newSourceRun(t *Task, o SourceOptions, p *SourceParts) *sourceRun {
	r := &sourceRun{SourceOptions: o, SourceParts: *p, t: t, known: make(map[string]struct{}),
		committing: make(chan struct{}, 1), wake: make(chan struct{}, 1), room: make(chan struct{}, 1)}
	r.commitRecord, _ = connect.As[connect.RecordCommitter](p.Task)
	r.commitBatch, _ = connect.As[connect.BatchCommitter](p.Task)
	r.keeps = r.commitRecord != nil || p.Operator.Tolerates() && p.Operator.Reports()
	if r.Sharing == nil {
		r.Sharing = clients.NewSharing()
	}
	if f, ok := connect.As[connect.FreshPoller](p.Task); ok {
		r.fresh = f.PollsFresh()
	}
	r.onAck = r.acked
	r.Pipeline.Watched(r.Taps, r.ID)
	r.Pipeline.Forwards(r.mayForward)
	if r.Letters != nil {
		r.known[r.Letters.Topic] = struct{}{} // it was made with the task
		r.Pipeline.OnGivenUp(r.givenUp)
	}
	if r.AsJava {
		r.partitions, _ = p.Topics.(PartitionAwaiter)
		r.has = make(map[string]int32)
	}
	return r
}

func (r *sourceRun) plugin() any { return r.Task }

func (r *sourceRun) doing() (string, time.Time) {
	if name, since := r.main.Current(); name != "" {
		return name, since
	}
	return r.commit.Current()
}

// run is the life of one run: start, poll and send until stopped or failed, settle, commit, stop.
func (r *sourceRun) run(ctx, work context.Context) (err error) {
	poll, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	r.mu.Lock()
	r.fail = fail
	r.mu.Unlock()
	r.Operator.Until(poll)
	if r.AsJava {
		r.Operator.Until(work)
	}
	r.Operator.Waiting(func() error { return r.dispatch(work) })
	r.throttle = newThrottle(r.Throttle, poll, r.Metrics)
	if r.Release != nil {
		defer r.Release()
	}
	defer func() { err = errors.Join(err, r.Pipeline.Close()) }()
	defer func() {
		stop, cancel := deadline(work, r.Grace, "Stop")
		defer cancel()
		if serr := r.main.do(callStop, func() error { return r.Task.Stop(stop) }); serr != nil {
			r.Logger.Warn("stop of task failed", "err", serr)
		}
	}()
	if err := r.main.do(callStart, func() error { return r.Task.Start(poll, r.Context, r.Config) }); err != nil {
		if interrupted(poll, err) {
			return nil
		}
		return javaerror.In("Start", err)
	}
	if r.Forward != nil {
		r.raw, r.batches = r.Forward.New(work, r.batchDone), make(map[connect.TopicPartition]bool)
		r.Forward.raw.Store(&r.raw)
	}
	quit, done := make(chan struct{}), make(chan struct{})
	go func() { defer close(done); r.committer(work, quit) }()
	defer func() {
		// Also after a failure: what was acknowledged before it is committed.
		r.settle(work)
		if r.raw != nil {
			r.raw.Close()
		}
		r.abandonSpans()
		close(quit)
		<-done
		if panicked := (*connect.PanicError)(nil); !r.AsJava || !errors.As(err, &panicked) {
			r.release()
			r.flush(work)
		}
	}()
	r.t.status(Running, nil)
	return r.loop(poll, work)
}

// pollPause is the least time between two polls that return nothing at once, so that a source that does not wait by
// itself does not take a whole core.
const pollPause = 5 * time.Millisecond

// loop polls and sends until it is to stop, or fails.
func (r *sourceRun) loop(poll, work context.Context) error {
	retries := 0
	for poll.Err() == nil {
		r.release()
		if err := r.pauseIfAsked(poll); err != nil {
			break
		}
		began := time.Now()
		var batch []connect.SourceRecord
		err := r.main.do(callPoll, func() (err error) { batch, err = r.Task.Poll(poll); return err })
		if r.t.abandoned.Load() {
			return ErrAbandoned // what a zombie polled is not sent
		}
		if len(batch) > 0 || err != nil && !interrupted(poll, err) {
			r.span = r.Tracing.Source(poll, began, err)
		}
		if len(batch) == 0 {
			r.endSpan(0, err)
		} else {
			records := r.counted(batch)
			r.observePoll(records, began)
			err := r.send(work, batch)
			r.endSpan(records, err)
			if err != nil {
				if interrupted(poll, err) {
					err = nil // what was not sent is polled again by the next run
				}
				return r.firstFailure(err)
			}
			r.Metrics.Batch(records)
		}
		switch {
		case err == nil && len(batch) > 0:
			retries = 0
		case err == nil:
			retries = 0
			if time.Since(began) < pollPause {
				sleep(poll, pollPause)
			}
		case interrupted(poll, err):
		case connect.IsRetriable(err):
			retries++
			wait := connect.RetryDelay(err)
			if wait <= 0 {
				wait = tolerance.Backoff(retries, 30*time.Second)
			}
			r.Logger.Warn("poll failed, it will be repeated", "err", err, "attempt", retries, "wait", wait)
			sleep(poll, wait)
		default:
			return r.firstFailure(javaerror.In("Poll", err))
		}
	}
	return r.firstFailure(nil)
}

// firstFailure returns the failure of a record that was sent, if there was one, else err.
func (r *sourceRun) firstFailure(err error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err != nil {
		return r.err
	}
	return err
}

func (r *sourceRun) pauseIfAsked(poll context.Context) error {
	if paused, _ := r.t.control.get(); !paused {
		return nil
	}
	r.t.status(Paused, nil)
	err := r.t.control.awaitResume(poll)
	if err == nil {
		r.t.status(Running, nil)
	}
	return err
}

// release lets the committer have what may be committed now. Kafka Connect holds it back while Poll blocks.
func (r *sourceRun) release() {
	if !r.AsJava {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.released = r.track.merge(r.released)
}

// send takes one batch through the pipeline to the producer.
func (r *sourceRun) send(work context.Context, batch []connect.SourceRecord) error {
	if r.keeps {
		if err := r.awaitTold(work); err != nil {
			return err
		}
		if !r.fresh {
			batch = slices.Clone(batch) // kept until it is acknowledged, while the task reuses its slice
		}
	}
	r.polled = batch
	ctx, processed := r.span.Stage(work, "process")
	err := r.main.do(callProcess, func() error { return r.Pipeline.Process(ctx, batch, r.emit, r.emitted) })
	processed(err)
	// What was converted before the failure came first: it is sent first.
	return errors.Join(err, r.dispatch(work))
}

// A chunk of a batch is sent when it has so many records or bytes, so that converting and sending overlap.
const (
	chunkRecords = 512
	chunkBytes   = 256 << 10
)

func (r *sourceRun) emit(index int, out *pipeline.Output) error {
	if out.Topic == "" {
		return javaerror.In(fmt.Sprintf("record %d of Poll", index), javaerror.New(javaerror.IllegalArgument, "Topic cannot be null.", nil))
	}
	if out.Records > 0 {
		r.emitBatch(index, out)
		return nil
	}
	s := r.newSlot(index)
	s.rec.Topic, s.rec.Key, s.rec.Value, s.rec.Timestamp = out.Topic, out.Key, out.Value, out.Timestamp
	s.rec.Partition = -1 // the partitioner chooses
	if n, ok := out.Partition.Get(); ok {
		s.rec.Partition = n
	}
	s.partition = s.rec.Partition
	s.size = len(out.Key) + len(out.Value) + recordOverhead
	var size int
	s.rec.Headers, size = headersOf(out, r.span)
	s.size += size
	r.slotBytes += s.size
	return nil
}

// newSlot returns a slot for what becomes of a record of the batch.
func (r *sourceRun) newSlot(index int) *slot {
	if r.slots == nil {
		records, _ := r.throttle.chunk(chunkRecords, 0)
		r.slots = r.newSlots(min(records, len(r.polled)-index))
	}
	if len(r.slots) < cap(r.slots) {
		r.slots = r.slots[:len(r.slots)+1] // which is zero
	} else {
		r.slots = append(r.slots, slot{})
	}
	s := &r.slots[len(r.slots)-1]
	s.run, s.index = r, index
	r.slotRecords++
	return s
}

func (r *sourceRun) emitted(index, sent int) error {
	if n := len(r.slots); sent == 0 && n > 0 && r.slots[n-1].letter && r.slots[n-1].index == index {
		sent = 1
	}
	if sent == 0 {
		if r.commitRecord != nil {
			defer r.main.outside()()
			r.commitOne(r.t.work, &r.main, &r.polled[index], nil)
		}
		return nil
	}
	if records, bytes := r.throttle.chunk(chunkRecords, chunkBytes); len(r.slots) == cap(r.slots) || r.slotRecords >= records || r.slotBytes >= bytes {
		return r.dispatch(r.t.work)
	}
	return nil
}

// dispatch sends the converted records. It waits until there is room for them.
func (r *sourceRun) dispatch(work context.Context) error {
	slots, size, records := r.slots, r.slotBytes, r.slotRecords
	r.slots, r.slotBytes, r.slotRecords = nil, 0, 0
	if len(slots) == 0 {
		return nil
	}
	defer r.main.outside()()
	if err := r.awaitThrottle(records, size-len(slots)*recordOverhead); err != nil {
		return err
	}
	from, before := 0, "" // what was sent may be in use again: it is not looked at
	for i, batches := 0, slots[0].records > 0; i < len(slots); i++ {
		topic := slots[i].rec.Topic
		if batches != (slots[i].records > 0) {
			batches = !batches
			if err := r.sendSlots(work, slots[from:i:i]); err != nil {
				return err
			}
			from = i
		}
		if p := slots[i].partition; r.partitions != nil && p >= r.has[topic] {
			if err := r.sendSlots(work, slots[from:i:i]); err != nil {
				return err
			}
			from = i
			if err := r.awaitPartition(work, topic, p); err != nil {
				return err
			}
		}
		if topic == before {
			continue
		}
		before = topic
		if _, ok := r.known[topic]; !ok {
			// What comes before a topic that has to be made, or waited for, does not wait with it.
			if err := r.sendSlots(work, slots[from:i:i]); err != nil {
				return err
			}
			from = i
			if err := r.ensure(work, topic); err != nil {
				return err
			}
		}
		if r.ActiveTopic != nil && !slots[i].letter {
			r.ActiveTopic(topic)
		}
	}
	return r.sendSlots(work, slots[from:])
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
