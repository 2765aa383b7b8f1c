package worker

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/connconfig"
	"github.com/gokconnect/connect/internal/javaerror"
	"github.com/gokconnect/connect/internal/tolerance"
	"github.com/gokconnect/connect/internal/tracing"
	"github.com/twmb/franz-go/pkg/kgo"
)

// TransactionalClient is the part of a *kgo.Client with a transactional id that an exactly-once task needs. It is the
// task's own, has its producer id, and is in no transaction.
type TransactionalClient interface {
	BeginTransaction() error
	Produce(ctx context.Context, r *kgo.Record, promise func(*kgo.Record, error))
	Flush(ctx context.Context) error
	AbortBufferedRecords(ctx context.Context) error
	EndTransaction(ctx context.Context, commit kgo.TransactionEndTry) error
	PartitionLeader(topic string, partition int32) (leader, epoch int32, err error)
}

// TransactionalOffsets is where an exactly-once task stores its offsets: in a topic, as part of its transactions.
type TransactionalOffsets interface {
	// Records returns the records that store offsets, for a transaction of the caller. One that can't be stored is an error.
	Records(ctx context.Context, connector string, offsets []connect.PartitionOffset) ([]*kgo.Record, error)
	// Committed is told of offsets whose transaction was committed.
	Committed(connector string, offsets []connect.PartitionOffset)
	// Topic is the topic of the records. The task itself must not send to it.
	Topic() string
}

// ExactlyOnceParts make a run of a source task one that delivers exactly once: its records and their offsets are in one
// transaction, and the producers of earlier runs have been fenced before.
type ExactlyOnceParts struct {
	Client  TransactionalClient
	Offsets TransactionalOffsets
	// Boundary is what ends a transaction; Interval goes with [connconfig.BoundaryInterval].
	Boundary connconfig.Boundary
	Interval time.Duration
	// MaxRequestSize is the client's, for errors; 0 if it is not known.
	MaxRequestSize int32
	// Requests is what the task asks for with [connconfig.BoundaryConnector]; nil otherwise.
	Requests *TransactionRequests
}

// exactlyOnceRun is one run of a source task with exactly-once delivery. The task's own goroutine does everything: poll,
// convert, send, commit, CommitRecord. The producer's goroutine takes note of acknowledgements. Only while Poll blocks may
// a timer's goroutine commit.
type exactlyOnceRun struct {
	SourceOptions
	SourceParts
	tx           *ExactlyOnceParts
	t            *Task
	commitRecord connect.RecordCommitter // or nil
	commitBatch  connect.BatchCommitter  // or nil
	main, timed  Activity
	onAck        func(*kgo.Record, error) // r.acked, made once
	known        map[string]struct{}      // topics that exist
	fresh        []string                 // topics that the client may not have taken in yet, see awaitFresh
	slots        []txSlot                 // records that are converted and not yet sent
	slotBytes    int
	throttle     *throttle
	polled       []connect.SourceRecord // the part of a batch that is being processed
	track        tracker                // the last offset that was sent, by source partition
	sent         int                    // records that are in the open transaction
	span         *tracing.Batch         // of the batch that is being processed, or nil
	spans        tracing.Origins        // of the batches in the open transaction
	letters      int                    // those of them that are dead letters
	polledAt     time.Time              // when the batch was polled that is being processed, if there are metrics
	oldest       atomic.Int64           // when the first record was polled that is not committed, if there are metrics; 0 none

	open       bool // a transaction is
	settled    bool // nothing may be done with the client any more: it was fenced, or a commit is in doubt
	lastCommit time.Time
	sending    context.Context // ends when a record could not be sent: the transaction can't be committed then

	aborting atomic.Bool // records that fail now are meant to
	mu       sync.Mutex
	done     []txDone // records to tell the task of with the next commit
	err      error    // the first failure
	fail     []context.CancelCauseFunc
}

// txDone is a record that was acknowledged, or, without metadata, dropped.
type txDone struct {
	record   *connect.SourceRecord
	metadata *connect.RecordMetadata
}

// txSlot is a record on its way to Kafka. Slots are allocated by the chunk. A slot is the record's context too, which
// leads from an acknowledgement back to it.
type txSlot struct {
	context.Context
	rec   kgo.Record
	of    *connect.SourceRecord // only if the task wants to hear of it
	left  *int32                // how many of the records that of became are not acknowledged; nil if it became one
	index int
	// letter says that rec is the dead letter of a record that was given up.
	letter bool
}

// txSlotKey is how a slot is found through contexts that a client's hooks put around it.
var txSlotKey = new(int)

func (s *txSlot) Value(key any) any {
	if key == any(txSlotKey) {
		return s
	}
	return s.Context.Value(key)
}

func newExactlyOnceRun(t *Task, o SourceOptions, p *SourceParts) *exactlyOnceRun {
	r := &exactlyOnceRun{SourceOptions: o, SourceParts: *p, tx: p.ExactlyOnce, t: t, known: make(map[string]struct{})}
	r.commitRecord, _ = connect.As[connect.RecordCommitter](p.Task)
	r.commitBatch, _ = connect.As[connect.BatchCommitter](p.Task)
	r.onAck = r.acked
	r.Pipeline.Watched(r.Taps, r.ID)
	if r.Letters != nil {
		r.Pipeline.OnGivenUp(r.givenUp)
	}
	return r
}

func (r *exactlyOnceRun) plugin() any { return r.Task }

func (r *exactlyOnceRun) doing() (string, time.Time) {
	if name, since := r.main.Current(); name != "" {
		return name, since
	}
	return r.timed.Current()
}

// run is the life of one run: start, poll and send until stopped or failed, commit, stop.
func (r *exactlyOnceRun) run(ctx, work context.Context) (err error) {
	poll, failPoll := context.WithCancelCause(ctx)
	sending, failSending := context.WithCancelCause(work)
	defer failPoll(nil)
	defer failSending(nil)
	r.sending, r.fail = sending, []context.CancelCauseFunc{failSending, failPoll}
	r.Operator.Until(poll)
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
	r.t.status(Running, nil)
	defer r.giveUp(work)
	if err := r.loop(poll, work); err != nil {
		return err
	}
	return r.finish(work)
}

// loop polls and sends until it is to stop, or fails.
func (r *exactlyOnceRun) loop(poll, work context.Context) error {
	retries := 0
	r.lastCommit = time.Now()
	for poll.Err() == nil {
		if paused, _ := r.t.control.get(); paused {
			if err := r.pause(poll, work); err != nil {
				return err
			}
			continue
		}
		polled := r.commitWhilePolling(work)
		if r.throttled() {
			polled()
			continue
		}
		began := time.Now()
		var batch []connect.SourceRecord
		perr := r.main.do(callPoll, func() (err error) { batch, err = r.Task.Poll(poll); return err })
		polled()
		if r.t.abandoned.Load() {
			return ErrAbandoned // what a zombie polled is not sent
		}
		if len(batch) > 0 || perr != nil && !interrupted(poll, perr) {
			r.span = r.Tracing.Source(poll, began, perr)
		}
		if len(batch) == 0 {
			r.endSpan(0, perr)
		}
		if perr != nil && !interrupted(poll, perr) && !connect.IsRetriable(perr) {
			return r.firstFailure(javaerror.In("Poll", perr))
		}
		if err := r.firstFailure(nil); err != nil {
			return err
		}
		r.observePoll(len(batch), began)
		err := r.batch(work, batch)
		r.endSpan(len(batch), err)
		if err != nil {
			if interrupted(poll, err) && r.firstFailure(nil) == nil {
				return nil // what was not sent is polled again by the next run
			}
			return r.firstFailure(err)
		}
		if len(batch) > 0 {
			r.Metrics.Batch(len(batch))
		}
		switch {
		case perr == nil && len(batch) > 0:
			retries = 0
		case perr == nil:
			retries = 0
			if time.Since(began) < pollPause {
				sleep(poll, pollPause)
			}
		case connect.IsRetriable(perr):
			retries++
			wait := connect.RetryDelay(perr)
			if wait <= 0 {
				wait = tolerance.Backoff(retries, 30*time.Second)
			}
			r.Logger.Warn("poll failed, it will be repeated", "err", perr, "attempt", retries, "wait", wait)
			sleep(poll, wait)
		}
	}
	return r.firstFailure(nil)
}

// pause commits what is open, and waits until the task is resumed or to stop.
func (r *exactlyOnceRun) pause(poll, work context.Context) error {
	if err := r.finish(work); err != nil {
		return err
	}
	r.t.status(Paused, nil)
	if r.t.control.awaitResume(poll) == nil {
		r.t.status(Running, nil)
		r.lastCommit = time.Now()
	}
	return nil
}

// batch sends what was polled, with the ends of transactions where they belong.
func (r *exactlyOnceRun) batch(work context.Context, batch []connect.SourceRecord) error {
	if r.commitRecord != nil {
		batch = slices.Clone(batch) // kept until the commit, while the task reuses its slice
	}
	var wanted boundaries
	if r.tx.Requests != nil {
		wanted = r.tx.Requests.take()
	}
	ends, err := wanted.at(len(batch))
	if err != nil {
		return err
	}
	from := 0
	for _, i := range ends {
		if err := r.send(work, batch[from:i+1]); err != nil {
			return err
		}
		from = i + 1
		commit, abort, err := wanted.wish(i, &batch[i])
		if err == nil {
			err = r.end(work, commit, abort)
		}
		if err != nil {
			return err
		}
	}
	if err := r.send(work, batch[from:]); err != nil {
		return err
	}
	switch r.tx.Boundary {
	case connconfig.BoundaryInterval:
		if now := time.Now(); !now.Before(r.lastCommit.Add(r.tx.Interval)) {
			r.lastCommit = now
			return r.commit(work, &r.main)
		}
		return nil
	case connconfig.BoundaryConnector:
		commit, abort, err := wanted.wishBatch()
		if err != nil {
			return err
		}
		return r.end(work, commit, abort)
	default:
		return r.commit(work, &r.main)
	}
}

// finish is the end of a transaction before the task pauses or stops.
func (r *exactlyOnceRun) finish(work context.Context) error {
	if r.t.abandoned.Load() {
		return ErrAbandoned
	}
	if r.tx.Boundary != connconfig.BoundaryConnector {
		return r.commit(work, &r.main)
	}
	wanted := r.tx.Requests.take()
	commit, abort, err := wanted.wishBatch()
	if err != nil {
		return err
	}
	return r.end(work, commit, abort)
}

// firstFailure returns the failure of a record that was sent, if there was one, else err.
func (r *exactlyOnceRun) firstFailure(err error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err != nil {
		return r.err
	}
	return err
}

// failWith takes note of a failure. The first one interrupts Poll, and what is being sent.
func (r *exactlyOnceRun) failWith(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil {
		r.err = err
		for _, cancel := range r.fail {
			cancel(err)
		}
	}
}

// pollSlack is how much later than it is due a transaction is committed while Poll blocks: a Poll that returns in time lets
// the task's own goroutine do so.
const pollSlack = 250 * time.Millisecond

// commitWhilePolling has an open transaction committed when its interval is over and Poll still waits for data: the broker
// would abort it some time. The function that it returns ends that.
func (r *exactlyOnceRun) commitWhilePolling(work context.Context) (end func()) {
	if r.tx.Boundary != connconfig.BoundaryInterval || !r.open {
		return func() {}
	}
	// Held while a commit goes on, which may take long: a channel, since virtual time stands still while one waits for a mutex.
	turn := make(chan struct{}, 1)
	ended := false
	timer := time.AfterFunc(max(time.Until(r.lastCommit.Add(r.tx.Interval)), 0)+pollSlack, func() {
		turn <- struct{}{}
		defer func() { <-turn }()
		if ended || r.t.abandoned.Load() {
			return
		}
		r.lastCommit = time.Now()
		if err := r.commit(work, &r.timed); err != nil {
			r.failWith(err)
		}
	})
	return func() {
		timer.Stop()
		turn <- struct{}{}
		ended = true
		<-turn
	}
}
