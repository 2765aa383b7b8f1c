package worker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/offsets"
)

// committer tells the task of its records and stores the offsets, until quit is closed; then once more. It is a
// goroutine of its own so that neither waits for a Poll that blocks, and the producer waits for neither.
func (r *sourceRun) committer(work context.Context, quit <-chan struct{}) {
	tick := time.NewTicker(r.FlushInterval)
	defer tick.Stop()
	for {
		select {
		case <-r.wake:
			r.tell(work)
			r.sendAgain()
		case <-tick.C:
			r.tell(work)
			r.flush(work)
		case <-quit:
			r.tell(work) // the last flush is the task's own
			return
		}
	}
}

// tell reports what became of records since the last time.
func (r *sourceRun) tell(work context.Context) {
	r.mu.Lock()
	batch := r.settled
	r.settled, r.told, r.telling = r.told, nil, len(batch)
	r.mu.Unlock()
	defer func() {
		clear(batch) // what it refers to can be freed
		r.mu.Lock()
		r.told, r.telling = batch[:0], 0
		r.mu.Unlock()
		signal(r.room)
	}()
	for i := range batch {
		s := &batch[i]
		var err error
		if s.failure != nil {
			s.failure.Source = s.record
			if err = r.Operator.Failed(work, s.failure); err != nil {
				r.failWith(err)
			}
		}
		switch {
		case s.letter == nil:
		case err != nil:
			r.mu.Lock()
			r.drop(s.letter)
			r.mu.Unlock()
		default:
			r.sendLetter(s.letter, s.failure)
		}
	}
	if r.commitRecord == nil {
		return
	}
	r.committing <- struct{}{}
	defer func() { <-r.committing }()
	// One guard for many calls: after an error or a panic the rest goes on.
	for i := 0; i < len(batch); {
		err := r.commit.do(callCommitRecord, func() error {
			for i < len(batch) && !r.t.abandoned.Load() {
				s := &batch[i]
				i++
				if !s.last {
					continue
				}
				if err := r.commitRecord.CommitRecord(work, s.record, s.metadata); err != nil {
					return err
				}
			}
			i = len(batch)
			return nil
		})
		if err != nil {
			r.Logger.Error("commit of record failed, which has no other effect", "err", err)
		}
	}
}

// commitOne tells the task what became of one record that did not become any. It is called on the task's goroutine.
func (r *sourceRun) commitOne(work context.Context, at *Activity, record *connect.SourceRecord, metadata *connect.RecordMetadata) {
	r.committing <- struct{}{}
	defer func() { <-r.committing }()
	if err := at.do(callCommitRecord, func() error { return r.commitRecord.CommitRecord(work, record, metadata) }); err != nil {
		r.Logger.Error("commit of record failed, which has no other effect", "err", err)
	}
}

func (r *sourceRun) failWith(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil {
		r.err = err
		r.fail(err)
	}
}

// flush stores the offsets that may be stored, and tells the task. After a failure they are kept for the next time.
func (r *sourceRun) flush(work context.Context) {
	if r.t.abandoned.Load() && !r.AsJava {
		return // the partitions may belong to another task by now (invariant 3)
	}
	r.mu.Lock()
	var taken []committable
	switch {
	case r.AsJava:
		taken, r.released = r.released, nil
	default:
		taken = r.track.take()
	}
	r.mu.Unlock()
	began := time.Now()
	if len(taken) > 0 {
		if err := r.store(work, taken); err != nil {
			r.Metrics.Committed(0, err)
			r.mu.Lock()
			r.track.restore(taken)
			r.mu.Unlock()
			r.Logger.Error("offsets could not be stored, they are kept for the next commit", "partitions", len(taken), "err", err)
			return
		}
	}
	r.Metrics.Committed(time.Since(began), nil)
	if r.commitBatch == nil {
		return
	}
	if err := r.commit.do(callCommit, func() error { return r.commitBatch.Commit(work) }); err != nil {
		r.Logger.Error("commit of task failed, which has no other effect", "err", err)
	}
}

// store has offsets stored. Those that can't be are reported and given up, unless one is to hold up all.
func (r *sourceRun) store(work context.Context, taken []committable) error {
	entries := make([]connect.PartitionOffset, 0, len(taken))
	var rejected error
	for _, c := range taken {
		var entry connect.PartitionOffset
		err := r.commit.do(callFields, func() error { entry = c.fields(); return nil })
		if err != nil {
			rejected = errors.Join(rejected, fmt.Errorf("the offset of source partition %s: %w", connect.FormatValue(map[string]any(c.track.partition)), err))
			continue
		}
		entries = append(entries, entry)
	}
	storable, unstorable := offsets.Split(r.ID.Connector, entries)
	if rejected = errors.Join(rejected, unstorable); rejected != nil {
		if r.AllOrNothing {
			return rejected
		}
		r.Logger.Error("offsets that can't be stored are given up: after a restart their partitions are read again from what was stored before", "err", rejected)
	}
	if len(storable) == 0 {
		return nil
	}
	if r.AsJava {
		work = context.WithoutCancel(work) // also for a task that was given up
	}
	bounded, cancel := deadline(work, r.FlushTimeout, "storing offsets")
	defer cancel()
	return r.Offsets.Set(bounded, r.ID.Connector, storable)
}

// sendAgain sends the records of topics that were deleted and made again, once nothing else is in flight, so that
// their order stays.
func (r *sourceRun) sendAgain() {
	r.mu.Lock()
	if len(r.resend) == 0 || len(r.resend) < r.inFlight || r.err != nil {
		r.mu.Unlock()
		return
	}
	again, recreated, refused := r.resend, r.recreated, r.refused
	r.resend, r.recreated, r.refused, r.resending = nil, false, false, true
	r.held.Store(false)
	r.mu.Unlock()
	var topics []string
	for _, s := range again {
		if !slices.Contains(topics, s.rec.Topic) {
			topics = append(topics, s.rec.Topic)
		}
	}
	slices.SortFunc(again, func(a, b *slot) int { return cmp.Compare(a.number, b.number) }) // some waited before others failed
	if refused {
		r.Logger.Warn("topics were made anew, or got partitions, while records were on their way, which are sent again", "topics", topics, "records", len(again))
	}
	if recreated {
		r.Sharing.Forget(r.Producer.PurgeTopicsFromProducing, topics...)
	}
	forgot := r.Sharing.Begin()
	for _, s := range again {
		s.rec.Context, s.rec.Partition = s, s.partition
		switch {
		case r.t.abandoned.Load():
		case r.held.Load() && r.hold(s):
		default:
			r.Producer.Produce(s, &s.rec, r.onAck)
		}
	}
	r.Sharing.End()
	r.mu.Lock()
	r.resending, r.forgot = false, forgot
	r.mu.Unlock()
	signal(r.room)
}
