package worker

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/javaerror"
	"github.com/gokconnect/connect/internal/kafkalog"
	"github.com/gokconnect/connect/internal/pipeline"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// send takes records through the pipeline to the producer.
func (r *exactlyOnceRun) send(work context.Context, records []connect.SourceRecord) error {
	if len(records) == 0 {
		return nil
	}
	r.polled = records
	r.observeSend()
	r.spans.Batch(r.span)
	ctx, processed := r.span.Stage(work, "process")
	err := r.main.do(callProcess, func() error { return r.Pipeline.Process(ctx, records, r.emit, r.emitted) })
	processed(err)
	if err != nil {
		r.slots, r.slotBytes = nil, 0 // the task fails, and with it the transaction
		return err
	}
	return r.dispatch(work)
}

func (r *exactlyOnceRun) emit(index int, out *pipeline.Output) error {
	if out.Topic == r.tx.Offsets.Topic() {
		return errors.New("Source tasks may not produce to their own offsets topics when exactly-once support is enabled")
	}
	s := r.newSlot(index)
	s.rec.Topic, s.rec.Key, s.rec.Value, s.rec.Timestamp = out.Topic, out.Key, out.Value, out.Timestamp
	s.rec.Partition = -1 // the partitioner chooses
	if n, ok := out.Partition.Get(); ok {
		s.rec.Partition = n
	}
	r.slotBytes += len(out.Key) + len(out.Value) + recordOverhead
	var size int
	s.rec.Headers, size = headersOf(out, r.span)
	r.slotBytes += size
	return nil
}

// newSlot returns a slot for what becomes of a record of the batch.
func (r *exactlyOnceRun) newSlot(index int) *txSlot {
	if r.slots == nil {
		r.slots = make([]txSlot, 0, min(chunkRecords, len(r.polled)-index))
	}
	r.slots = append(r.slots, txSlot{Context: r.sending, index: index})
	return &r.slots[len(r.slots)-1]
}

func (r *exactlyOnceRun) emitted(index, sent int) error {
	if n := len(r.slots); sent == 0 && n > 0 && r.slots[n-1].letter && r.slots[n-1].index == index {
		sent = 1
	}
	if r.commitRecord != nil {
		switch {
		case sent == 0:
			r.mu.Lock()
			r.done = append(r.done, txDone{record: &r.polled[index]})
			r.mu.Unlock()
		default:
			var left *int32
			if sent > 1 {
				left = new(int32)
				*left = int32(sent)
			}
			for i := len(r.slots) - sent; i < len(r.slots); i++ {
				r.slots[i].of, r.slots[i].left = &r.polled[index], left
			}
		}
	}
	if len(r.slots) > 0 && (len(r.slots) == cap(r.slots) || len(r.slots) >= chunkRecords || r.slotBytes >= chunkBytes) {
		return r.dispatch(r.t.work)
	}
	return nil
}

// dispatch sends the converted records. The client makes it wait while too much is in flight (invariant 6).
func (r *exactlyOnceRun) dispatch(work context.Context) error {
	slots := r.slots
	r.throttle.moved(len(slots), r.slotBytes-len(slots)*recordOverhead)
	r.slots, r.slotBytes = nil, 0
	if len(slots) == 0 {
		return nil
	}
	defer r.main.outside()()
	if err := r.refuseLarge(work, slots); err != nil {
		return err
	}
	for i := range slots {
		topic := slots[i].rec.Topic
		if i > 0 && topic == slots[i-1].rec.Topic {
			continue
		}
		if err := r.ensure(topic); err != nil {
			return r.firstFailure(err)
		}
		if r.ActiveTopic != nil && !slots[i].letter {
			r.ActiveTopic(topic)
		}
	}
	if err := r.begin(); err != nil {
		return err
	}
	for i := range slots {
		if r.t.abandoned.Load() {
			return ErrAbandoned // invariant 3
		}
		s := &slots[i]
		s.rec.Context = s
		r.tx.Client.Produce(s, &s.rec, r.onAck)
		r.sent++
		if s.letter {
			r.letters++
		}
		if i+1 == len(slots) || slots[i+1].index != s.index {
			of := &r.polled[s.index]
			r.track.set(of.SourcePartition, of.SourceOffset)
		}
	}
	if r.Sent != nil {
		for i := 0; i < len(slots); {
			from := i
			for i < len(slots) && slots[i].rec.Topic == slots[from].rec.Topic {
				i++
			}
			if !slots[from].letter {
				r.Sent(slots[from].rec.Topic, i-from)
			}
		}
	}
	return r.firstFailure(nil)
}

func (r *exactlyOnceRun) ensure(topic string) error {
	if _, ok := r.known[topic]; ok {
		return nil
	}
	if topic == "" {
		return connect.DataErrorf("task %v returned a record without a topic", r.ID)
	}
	if r.Topics != nil {
		if err := r.Topics.Ensure(r.sending, topic); err != nil {
			return fmt.Errorf("topic %q: %w", topic, err)
		}
	}
	r.known[topic] = struct{}{}
	r.fresh = append(r.fresh, topic)
	return nil
}

// awaitFresh waits until the client has taken in the topics that it produced to for the first time.
func (r *exactlyOnceRun) awaitFresh(ctx context.Context) error {
	for ; len(r.fresh) > 0; r.fresh = r.fresh[1:] {
		if err := kafkalog.AwaitTopic(ctx, r.tx.Client, r.fresh[0]); err != nil {
			return err
		}
	}
	return nil
}

// acked is the promise of every record of the task. It is called on the producer's goroutine.
func (r *exactlyOnceRun) acked(rec *kgo.Record, err error) {
	if err != nil {
		r.notSent(rec, err)
		return
	}
	if r.commitRecord == nil {
		return
	}
	s, ok := rec.Context.(*txSlot)
	if !ok {
		s = rec.Context.Value(txSlotKey).(*txSlot)
	}
	if s.left != nil && atomic.AddInt32(s.left, -1) > 0 {
		return
	}
	var metadata *connect.RecordMetadata
	if !s.letter {
		metadata = &connect.RecordMetadata{Topic: rec.Topic, Partition: rec.Partition, Offset: rec.Offset, Timestamp: rec.Timestamp}
	}
	r.mu.Lock()
	r.done = append(r.done, txDone{s.of, metadata})
	r.mu.Unlock()
}

// notSent is the promise of a record that failed: its transaction must not be committed. The client itself would commit
// what succeeded.
func (r *exactlyOnceRun) notSent(rec *kgo.Record, err error) {
	if !r.aborting.Load() {
		r.failWith(r.explain(r.unsent(rec, err)))
	}
}

// unsent is the error of a record that could not be sent.
func (r *exactlyOnceRun) unsent(rec *kgo.Record, err error) error {
	if r.Letters != nil && rec.Topic == r.Letters.Topic {
		return r.Letters.lost(err)
	}
	return javaerror.New(javaerror.Connect, "Unrecoverable exception trying to send",
		javaerror.New(kafkaException, "Cannot execute transactional method because we are in an error state", produceError(rec, r.tx.MaxRequestSize, err)))
}

const kafkaException = "org.apache.kafka.common.KafkaException"

// begin opens a transaction if none is.
func (r *exactlyOnceRun) begin() error {
	if err := r.firstFailure(nil); err != nil || r.open {
		return err
	}
	if err := r.tx.Client.BeginTransaction(); err != nil {
		return fmt.Errorf("begin transaction: %w", err)
	}
	r.open = true
	return nil
}

// end commits or aborts, as a task asked for.
func (r *exactlyOnceRun) end(work context.Context, commit, abort bool) error {
	if abort {
		if !r.open {
			r.Logger.Warn("the task asked for its transaction to be aborted, and there is nothing in it")
		} else if err := r.abort(work); err != nil {
			return err
		}
	}
	if commit || abort { // the offsets of what was aborted are stored: it is not polled again
		return r.commit(work, &r.main)
	}
	return nil
}

// commit stores the offsets of what was sent in the transaction that it was sent in, and commits it; then it tells the task.
// Nothing of the transaction counts unless it succeeds.
func (r *exactlyOnceRun) commit(work context.Context, a *Activity) error {
	began := time.Now()
	taken := r.track.take()
	span := r.Tracing.Commit(work, &r.spans)
	stored, err := r.commitOffsets(span.Context(work), a, taken)
	if stored != nil || err != nil {
		span.Failed(err)
		span.Done()
		r.spans.Reset()
	}
	r.observeCommit(began, stored != nil, err)
	if err != nil {
		return r.explain(javaerror.New(javaerror.Connect, fmt.Sprintf("Failed to flush offsets and/or records for task %s-%d", r.ID.Connector, r.ID.Task), err))
	}
	if stored != nil {
		r.tx.Offsets.Committed(r.ID.Connector, stored)
	}
	if r.t.abandoned.Load() {
		return ErrAbandoned
	}
	if r.commitRecord != nil && stored != nil {
		r.tell(work, a)
	}
	if r.commitBatch != nil {
		if err := a.do(callCommit, func() error { return r.commitBatch.Commit(work) }); err != nil {
			r.Logger.Error("commit of task failed, which has no other effect", "err", err)
		}
	}
	return nil
}

// commitOffsets returns the offsets that were committed, nil if there was no transaction.
func (r *exactlyOnceRun) commitOffsets(work context.Context, a *Activity, taken []committable) ([]connect.PartitionOffset, error) {
	if !r.open && len(taken) == 0 {
		return nil, r.firstFailure(nil)
	}
	entries := make([]connect.PartitionOffset, 0, len(taken))
	for _, c := range taken {
		if err := a.do(callFields, func() error { entries = append(entries, c.fields()); return nil }); err != nil {
			return nil, fmt.Errorf("the offset of source partition %s: %w", connect.FormatValue(map[string]any(c.track.partition)), err)
		}
	}
	records, err := r.tx.Offsets.Records(r.sending, r.ID.Connector, entries)
	if err != nil {
		return nil, err
	}
	if err := r.begin(); err != nil { // after an abort only offsets are in it
		return nil, err
	}
	if _, ok := r.known[r.tx.Offsets.Topic()]; !ok && len(records) > 0 {
		r.known[r.tx.Offsets.Topic()] = struct{}{}
		r.fresh = append(r.fresh, r.tx.Offsets.Topic())
	}
	for _, rec := range records {
		r.tx.Client.Produce(r.sending, rec, func(rec *kgo.Record, err error) {
			if err != nil {
				r.notSent(rec, err)
			}
		})
	}
	if err := r.tx.Client.Flush(r.sending); err != nil {
		return nil, r.firstFailure(err)
	}
	if err := errors.Join(r.firstFailure(nil), r.awaitFresh(r.sending)); err != nil {
		return nil, r.firstFailure(err)
	}
	if r.t.abandoned.Load() {
		return nil, ErrAbandoned // invariant 3
	}
	r.open = false
	if err := r.tx.Client.EndTransaction(work, kgo.TryCommit); err != nil {
		// Whether it was committed is not known (invariant 5), or it was not since the producer was fenced. Either way this
		// client has come to its end: the next run gets a new one, which learns from the broker how the transaction ended,
		// and reads the offsets that are stored.
		r.settled = true
		return nil, fmt.Errorf("whether the transaction was committed is not known, the task has to start anew from the stored offsets: %w", err)
	}
	return entries, nil
}

// tell tells the task of the records of the last transaction, and of those that were dropped meanwhile.
func (r *exactlyOnceRun) tell(work context.Context, a *Activity) {
	r.mu.Lock()
	done := r.done
	r.done = nil
	r.mu.Unlock()
	for i := range done {
		if r.t.abandoned.Load() {
			return
		}
		err := a.do(callCommitRecord, func() error { return r.commitRecord.CommitRecord(work, done[i].record, done[i].metadata) })
		if err != nil {
			r.Logger.Error("commit of record failed, which has no other effect", "err", err)
		}
	}
}

// freshTime is how long an abort waits for topics of which it is not known whether anything was produced to them.
const freshTime = 50 * time.Millisecond

// abort ends the transaction without a trace of its records.
func (r *exactlyOnceRun) abort(work context.Context) error {
	r.aborting.Store(true)
	defer r.aborting.Store(false)
	r.open, r.sent, r.letters = false, 0, 0
	r.oldest.Store(0)
	err := r.tx.Client.AbortBufferedRecords(work)
	if err == nil {
		// Of a topic that was never found nothing was produced: that is not waited for.
		moment, cancel := context.WithTimeout(work, freshTime)
		_ = r.awaitFresh(moment)
		cancel()
	}
	if err == nil {
		err = r.tx.Client.EndTransaction(work, kgo.TryAbort)
	}
	if err != nil {
		r.settled = true
		return fmt.Errorf("abort transaction: %w", err)
	}
	return r.firstFailure(nil)
}

// abortTime is how long the abort of the transaction of a task that has ended may take.
const abortTime = 5 * time.Second

// giveUp aborts what is open when the run ends: readers of committed records, those of the offsets topic among them,
// would otherwise wait until the broker does so. It is tried once; the next run of the task fences this one anyway.
func (r *exactlyOnceRun) giveUp(work context.Context) {
	if !r.open || r.settled || r.t.abandoned.Load() || fenced(r.firstFailure(nil)) {
		return
	}
	bounded, cancel := deadline(work, abortTime, "abort of the last transaction")
	defer cancel()
	_ = r.abort(bounded) // an error of the transaction that is given up
	if r.settled {
		r.Logger.Warn("the last transaction could not be aborted, the broker will do so")
	}
}

// fenced reports whether an error says that a producer's epoch is over: there is a younger one with its transactional id, or
// the broker has ended a transaction that took too long.
func fenced(err error) bool {
	return isAny(err, kerr.InvalidProducerEpoch, kerr.ProducerFenced, kerr.InvalidTxnState, kerr.TransactionalIDNotFound, kerr.InvalidProducerIDMapping)
}

// explain says what may be the cause of an error, and what to do.
func (r *exactlyOnceRun) explain(err error) error {
	var told *fencedError
	if !fenced(err) || errors.As(err, &told) {
		return err
	}
	return &fencedError{err}
}

// fencedError is the end of a producer.
type fencedError struct{ err error }

func (e *fencedError) Error() string {
	return "the producer of this task was fenced: another run of the task has begun, or its transaction took longer than transaction.timeout.ms " +
		"(a longer producer.override.transaction.timeout.ms, a shorter transaction.boundary.interval.ms or transaction.boundary=poll help): " + e.err.Error()
}

func (e *fencedError) Unwrap() error { return e.err }
