package worker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/connconfig"
	"github.com/gokconnect/connect/internal/javaerror"
	"github.com/gokconnect/connect/internal/javaregexp"
	"github.com/gokconnect/connect/internal/pipeline"
	"github.com/gokconnect/connect/internal/tolerance"
	"github.com/gokconnect/connect/internal/tracing"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// SinkOptions are what a sink task needs besides [TaskOptions].
type SinkOptions struct {
	TaskOptions
	// New makes what one run of the task needs. It is called again for each restart.
	New func(ctx context.Context) (*SinkParts, error)
	// CommitInterval is the time between two commits of offsets, CommitTimeout how long one may take.
	CommitInterval, CommitTimeout time.Duration
	// RetryLimit is the longest wait before a batch is put again.
	RetryLimit time.Duration
}

// SinkParts are what one run of a sink task needs.
type SinkParts struct {
	Task     connect.SinkTask
	Config   connect.Config
	Context  connect.TaskContext
	Pipeline *pipeline.Sink
	Operator *tolerance.Operator
	// Topics are what is consumed or, if Pattern is set, every topic whose whole name it matches.
	Topics  []string
	Pattern *javaregexp.Regexp
	// MetadataMaxAge is how often topics that match the pattern are looked for (metadata.max.age.ms).
	MetadataMaxAge time.Duration
	// DeadLetters are the reports of the task's operator that have to be durable before offsets are committed.
	// Optional.
	DeadLetters *DeadLetters
	// Replay makes the run one that puts dead letters once more. Optional.
	Replay *Replay
	// Consumer makes the client that is the task's member of the group, with options of the run added to its own.
	Consumer func(opts ...kgo.Opt) (*kgo.Client, error)
	// MaxPollRecords is how many records Put gets at most (max.poll.records).
	MaxPollRecords int
	// RebalanceTimeout is how long a rebalance waits for the task (max.poll.interval.ms).
	RebalanceTimeout time.Duration
	// Throttle returns how much the task may move; it is asked again now and then. Nil, and there is no limit.
	Throttle func() connconfig.Throttle
	// Release gives back what the parts hold. It is called once, last, also when the run failed. Optional.
	Release func()
}

// StartSink starts a sink task.
func StartSink(o SinkOptions) *Task {
	if o.RetryLimit <= 0 {
		o.RetryLimit = 30 * time.Second
	}
	return startTask(o.TaskOptions, func(t *Task) (runner, error) {
		parts, err := o.New(t.poll)
		if err != nil {
			return nil, err
		}
		if parts.MaxPollRecords <= 0 {
			parts.MaxPollRecords = 500
		}
		if parts.RebalanceTimeout <= 0 {
			parts.RebalanceTimeout = 5 * time.Minute
		}
		if parts.MetadataMaxAge <= 0 {
			parts.MetadataMaxAge = 5 * time.Minute
		}
		return newSinkRun(t, o, parts), nil
	})
}

// sinkRun is one run of a sink task. The task's goroutine polls, converts and puts; the client's goroutine brings
// rebalances. Whoever calls the task, or touches what is below turn, holds the turn.
type sinkRun struct {
	SinkOptions
	SinkParts
	t         *Task
	preCommit connect.PreCommitter // or nil
	flusher   connect.Flusher      // or nil
	opener    connect.PartitionOpener
	closer    connect.PartitionCloser
	stored    connect.TransactionalSink
	activity  Activity
	client    *kgo.Client
	work      context.Context
	pattern   topicPattern

	// lost says that the run was taken out of its group while its task hung: nothing of it is committed any more. left
	// is closed then.
	lost         atomic.Bool
	left         chan struct{}
	quit         context.CancelFunc // ends what the client does at once
	closeBegun   atomic.Bool
	clientClosed chan struct{}
	closing      sync.WaitGroup // a close of the client by leave
	membership   membership

	// turn is held by whoever may call the task. It is a channel, not a mutex, so that waiting for it can end.
	turn  chan struct{}
	parts map[connect.TopicPartition]*assigned
	// stale are partitions that were given up, with the offsets then: Kafka Connect closes them once more at the end. It forgets
	// them only while fresh: while nothing was committed since the last assignment.
	stale map[connect.TopicPartition]int64
	fresh bool
	batch []connect.SinkRecord // what is being put; not empty between turns only while it waits to be put again
	// replaced are topics that were deleted, and perhaps made anew, since they were assigned. It is the task goroutine's own.
	replaced map[string]bool
	closed   bool // the run is over: callbacks do nothing
	paused   bool // by the user
	// retries is how often the batch was put in vain; timeout what the task asked for.
	retries int
	timeout time.Duration
	next    time.Time // of the next commit
	seen    sinkSeen
	span    *tracing.Batch  // of batch, or nil
	spans   tracing.Origins // of the batches that were put and are not committed
	badSeek error           // a request to go on in a partition that the task does not have
	// throttle is the task goroutine's own.
	throttle *throttle

	mu          sync.Mutex
	err         error // the first failure
	fail        context.CancelCauseFunc
	wantsCommit bool
	woken       bool   // the next poll must not wait
	interrupt   func() // ends the poll that is under way, or nil
}

// assigned is a partition that the task has.
type assigned struct {
	polled    int64  // the offset behind the last record of the batch, or of the one before
	current   int64  // the offset behind the last record that is done; -1 none yet
	committed int64  // the offset that Kafka has; -1 unknown
	first     int64  // the first offset that was consumed; -1 none yet
	seek      *int64 // where to go on, not yet applied
	opened    bool   // the task was told of it
	paused    bool   // by the task
	end       int64  // of the partition in Kafka, as far as known; kept if there are metrics
}

func newSinkRun(t *Task, o SinkOptions, p *SinkParts) *sinkRun {
	r := &sinkRun{SinkOptions: o, SinkParts: *p, t: t, turn: make(chan struct{}, 1),
		left: make(chan struct{}), clientClosed: make(chan struct{}), parts: make(map[connect.TopicPartition]*assigned), replaced: make(map[string]bool), stale: make(map[connect.TopicPartition]int64)}
	r.membership.held = make(map[connect.TopicPartition]bool)
	r.preCommit, _ = connect.As[connect.PreCommitter](p.Task)
	r.flusher, _ = connect.As[connect.Flusher](p.Task)
	r.opener, _ = connect.As[connect.PartitionOpener](p.Task)
	r.closer, _ = connect.As[connect.PartitionCloser](p.Task)
	r.stored, _ = connect.As[connect.TransactionalSink](p.Task)
	r.Pipeline.Watched(r.Taps, r.ID)
	return r
}

func (r *sinkRun) plugin() any { return r.Task }

func (r *sinkRun) doing() (string, time.Time) { return r.activity.Current() }

// failWith ends the run with err, unless it failed before.
func (r *sinkRun) failWith(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil {
		r.err = err
		r.fail(err)
	}
}

func (r *sinkRun) firstFailure(err error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err != nil {
		return r.err
	}
	return err
}

// run is the life of one run: start, consume and put until stopped or failed, commit, close, stop.
func (r *sinkRun) run(ctx, work context.Context) (err error) {
	poll, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	r.mu.Lock()
	r.fail = fail
	r.mu.Unlock()
	r.work = work
	r.Operator.Until(poll)
	if r.AsJava {
		r.Operator.Until(work)
	}
	r.throttle = newThrottle(r.Throttle, poll, r.Metrics)
	if r.Release != nil {
		defer r.Release()
	}
	defer func() { err = errors.Join(err, r.Pipeline.Close()) }()
	life, quit := context.WithCancel(context.Background())
	r.quit = quit
	defer quit()
	defer func() {
		if r.client != nil {
			r.pattern.stop()
			r.closeClient(r.client) // after Stop: the partitions go to others when the task has let go
			r.closing.Wait()
		}
	}()
	defer func() {
		stop, cancel := deadline(work, r.Grace, "Stop")
		defer cancel()
		if serr := r.activity.do(callStop, func() error { return r.Task.Stop(stop) }); serr != nil {
			r.Logger.Warn("stop of task failed", "err", serr)
		}
	}()
	if err := r.activity.do(callStart, func() error { return r.Task.Start(poll, (*sinkContext)(r), r.Config) }); err != nil {
		if interrupted(poll, err) {
			return nil
		}
		return javaerror.In("Start", err)
	}
	r.next = time.Now().Add(r.CommitInterval)
	defer r.t.control.notify(r.wake)()
	r.takeTurn() // rebalances, which begin at once, need the client
	r.client, err = r.Consumer(
		kgo.WithContext(life),
		kgo.ConsumeTopics(r.Topics...),
		kgo.DisableAutoCommit(),
		kgo.BlockRebalanceOnPoll(),
		kgo.OnPartitionsAssigned(func(_ context.Context, cl *kgo.Client, m map[string][]int32) { r.onAssigned(cl, m) }),
		kgo.OnPartitionsRevoked(func(_ context.Context, cl *kgo.Client, m map[string][]int32) { r.giveUp(cl, m, true) }),
		kgo.OnPartitionsLost(func(_ context.Context, cl *kgo.Client, m map[string][]int32) { r.giveUp(cl, m, false) }),
		kgo.AdjustFetchOffsetsFn(r.onOffsets),
	)
	r.giveTurn()
	if err != nil {
		return javaerror.In("create consumer", err)
	}
	defer context.AfterFunc(work, func() {
		if r.t.abandoned.Load() && !r.AsJava {
			r.leave(r.client, ErrAbandoned)
		}
	})()
	r.pattern.start(poll, r)
	r.t.status(Running, nil)
	err = r.loop(poll)
	r.takeTurn()
	defer r.giveTurn()
	r.closed = true
	if !r.t.abandoned.Load() || r.AsJava {
		err = errors.Join(err, r.closePartitions(r.client, append(r.all(), slices.Collect(maps.Keys(r.stale))...), true))
	}
	return err
}

func (r *sinkRun) takeTurn() { r.turn <- struct{}{} }

func (r *sinkRun) giveTurn() { <-r.turn }

// loop polls, converts and puts until the run is to end.
func (r *sinkRun) loop(poll context.Context) error {
	// The client goes on sending heartbeats while the task hangs, so that the group would never know.
	watchdog := time.AfterFunc(r.RebalanceTimeout, func() { r.leave(r.client, r.overdue("it takes too long")) })
	defer watchdog.Stop()
	for poll.Err() == nil {
		r.takeTurn()
		wait, err := r.between()
		again := len(r.batch) > 0
		r.giveTurn()
		if err != nil {
			return r.firstFailure(err)
		}
		watchdog.Stop()
		var fetches kgo.Fetches
		over := true
		if again {
			over = r.pause(poll, wait)
		} else {
			fetches = r.pollRecords(poll, wait)
		}
		watchdog.Reset(r.RebalanceTimeout)
		r.takeTurn()
		r.client.AllowRebalance() // from here on it is the turn that holds a rebalance back
		if !again || over {
			err = r.deliver(poll, fetches, again)
		}
		if err == nil && r.replayedAll() {
			r.t.stop(connect.ErrStopping)
		}
		r.giveTurn()
		if r.t.abandoned.Load() {
			return ErrAbandoned
		}
		if err != nil && !interrupted(poll, err) {
			return r.firstFailure(err)
		}
		r.consumeReplaced()
	}
	return r.firstFailure(nil)
}

// between does what stands between two batches: pause and resume, seeks, commits. It returns how long to wait for
// records, or before the batch is put again. The caller has the turn.
func (r *sinkRun) between() (wait time.Duration, err error) {
	if paused, _ := r.t.control.get(); paused != r.paused {
		r.setPaused(paused)
	}
	if r.badSeek != nil {
		return 0, r.badSeek
	}
	r.applySeeks()
	now := time.Now()
	r.mu.Lock()
	due := r.wantsCommit || !now.Before(r.next)
	r.wantsCommit = false
	r.mu.Unlock()
	if due {
		r.next = now.Add(r.CommitInterval)
		if err := r.commit(r.client, r.all(), false); err != nil {
			return 0, err
		}
	}
	wait = max(time.Until(r.next), time.Millisecond)
	switch {
	case r.timeout > 0:
		wait = min(wait, r.timeout)
	case len(r.batch) > 0 && !r.AsJava:
		wait = min(wait, tolerance.Backoff(r.retries, r.RetryLimit))
	}
	return wait, nil
}

// pause waits before a batch is put again, and reports whether that time is over: it may be woken, and then the batch waits
// once more.
func (r *sinkRun) pause(poll context.Context, wait time.Duration) (over bool) {
	ctx, cancel := context.WithTimeout(poll, wait)
	defer cancel()
	r.mu.Lock()
	if r.woken {
		cancel()
	}
	r.woken, r.interrupt = false, cancel
	r.mu.Unlock()
	<-ctx.Done()
	r.mu.Lock()
	r.interrupt = nil
	r.mu.Unlock()
	return errors.Is(ctx.Err(), context.DeadlineExceeded) && poll.Err() == nil
}

// pollRecords waits for records, at most for that time, or until it is woken.
func (r *sinkRun) pollRecords(poll context.Context, wait time.Duration) kgo.Fetches {
	ctx, cancel := context.WithTimeout(poll, wait)
	defer cancel()
	r.mu.Lock()
	if r.woken {
		cancel()
	}
	r.woken, r.interrupt = false, cancel
	r.mu.Unlock()
	var fetches kgo.Fetches
	if r.throttle == nil || r.throttle.wait(ctx, nil) { // before the poll, which keeps rebalances waiting when it returns
		fetches = r.client.PollRecords(ctx, r.throttle.poll(r.MaxPollRecords))
		r.throttle.count(fetches)
	}
	r.mu.Lock()
	r.interrupt = nil
	r.mu.Unlock()
	return fetches
}

// wake ends the poll that is under way, or the next one.
func (r *sinkRun) wake() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.interrupt != nil {
		r.interrupt()
		return
	}
	r.woken = true
}

// deliver converts what was polled, or takes the batch that failed before, and puts it. The caller has the turn.
func (r *sinkRun) deliver(poll context.Context, fetches kgo.Fetches, again bool) error {
	r.timeout = 0
	if !again {
		r.batch = r.batch[:0]
		if err := r.fetchErrors(poll, fetches); err != nil {
			return err
		}
		r.beginSpan(poll, fetches)
		ctx, processed := r.span.Stage(poll, "process")
		err := r.activity.do(callProcess, func() error { return r.convert(ctx, fetches) })
		processed(err)
		if err != nil {
			r.span.Failed(err)
			r.span.Done()
			return err
		}
		r.observeRead(fetches)
	} else if len(r.batch) == 0 {
		return nil // its partitions were revoked while it waited
	}
	if poll.Err() != nil && len(r.batch) == 0 {
		return nil
	}
	err := r.put(poll)
	if err != nil {
		r.span.Failed(err)
		r.span.Done()
		r.span = nil
	}
	return err
}

// fetchErrors returns the error that fails the task, if there is one among what was polled.
func (r *sinkRun) fetchErrors(poll context.Context, fetches kgo.Fetches) (err error) {
	fetches.EachError(func(topic string, partition int32, ferr error) {
		var session *kgo.ErrGroupSession
		var loss *kgo.ErrDataLoss
		switch {
		case errors.Is(ferr, context.Canceled), errors.Is(ferr, context.DeadlineExceeded):
		case errors.As(ferr, &session):
			r.Logger.Warn("group session ended, it will be joined again", "err", ferr)
		case errors.As(ferr, &loss):
			r.Logger.Error("records were lost in Kafka before they were consumed", "topic", topic, "partition", partition, "err", ferr)
		case errors.Is(ferr, kerr.UnknownTopicID):
			r.replaced[topic] = true
		case retriableFetch(ferr):
			r.Logger.Warn("fetch failed, it will be repeated", "topic", topic, "partition", partition, "err", ferr)
		default:
			if err == nil && poll.Err() == nil {
				err = fmt.Errorf("consume %s-%d: %w", topic, partition, ferr)
			}
		}
	})
	return err
}

// convert takes the fetched records through the pipeline into batch.
func (r *sinkRun) convert(poll context.Context, fetches kgo.Fetches) (err error) {
	if n := fetches.NumRecords(); cap(r.batch) < n {
		r.batch = make([]connect.SinkRecord, 0, n)
	}
	r.Pipeline.Begin()
	var c tolerance.Consumed
	fetches.EachPartition(func(p kgo.FetchTopicPartition) {
		if err != nil || len(p.Records) == 0 {
			return
		}
		if r.ActiveTopic != nil {
			r.ActiveTopic(p.Topic)
		}
		tp := connect.TopicPartition{Topic: p.Topic, Partition: p.Partition}
		part := r.parts[tp]
		if part == nil {
			return // revoked after it was polled
		}
		if part.seek != nil {
			return // these come from before the seek, which is applied now that the client knows the partition
		}
		if part.first < 0 {
			part.first = p.Records[0].Offset
		}
		for _, rec := range p.Records {
			if r.Replay == nil {
				c = consumed(rec)
			} else {
				var put bool
				if c, put = r.Replay.Take(rec); !put {
					part.polled = rec.Offset + 1
					continue
				}
			}
			if r.batch, err = r.Pipeline.Process(poll, &c, r.batch); err != nil {
				return
			}
			part.polled = rec.Offset + 1
		}
	})
	return err
}

// consumed returns a record in the form that the pipeline takes.
func consumed(rec *kgo.Record) tolerance.Consumed {
	c := tolerance.Consumed{Topic: rec.Topic, Partition: rec.Partition, Offset: rec.Offset, Timestamp: rec.Timestamp, Key: rec.Key, Value: rec.Value, Raw: rec}
	switch rec.Attrs.TimestampType() {
	case 0:
		c.TimestampType = connect.CreateTime
	case 1:
		c.TimestampType = connect.LogAppendTime
	}
	if len(rec.Headers) > 0 {
		c.Headers = make(connect.RawHeaders, len(rec.Headers))
		for i, h := range rec.Headers {
			c.Headers[i] = connect.RawHeader(h)
		}
	}
	return c
}
