package worker

import (
	"context"
	"slices"
	"time"

	"github.com/gokconnect/connect"
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
			r.tell(work)
			r.flush(work)
			return
		}
	}
}

// tell reports what became of records since the last time.
func (r *sourceRun) tell(work context.Context) {
	r.mu.Lock()
	batch := r.settled
	r.settled = nil
	r.mu.Unlock()
	for i := range batch {
		s := &batch[i]
		if s.failure != nil {
			s.failure.Source = s.record
			if err := r.Operator.Failed(work, s.failure); err != nil {
				r.failWith(err)
			}
		}
		if s.record == nil || r.t.abandoned.Load() {
			continue
		}
		err := r.commit.do(callCommitRecord, func() error { return r.commitRecord.CommitRecord(work, s.record, s.metadata) })
		if err != nil {
			r.Logger.Error("commit of record failed, which has no other effect", "err", err)
		}
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
	if r.t.abandoned.Load() {
		return // the partitions may belong to another task by now (invariant 3)
	}
	r.mu.Lock()
	offsets := r.track.take()
	r.mu.Unlock()
	if len(offsets) > 0 {
		entries := make([]connect.PartitionOffset, len(offsets))
		err := r.commit.do(callCommit, func() error {
			for i, c := range offsets {
				entries[i] = c.fields()
			}
			return nil
		})
		if err == nil {
			bounded, cancel := deadline(work, r.FlushTimeout, "storing offsets")
			err = r.Offsets.Set(bounded, r.ID.Connector, entries)
			cancel()
		}
		if err != nil {
			r.mu.Lock()
			r.track.restore(offsets)
			r.mu.Unlock()
			r.Logger.Error("offsets could not be stored, they are kept for the next commit", "partitions", len(offsets), "err", err)
			return
		}
	}
	if r.commitBatch == nil {
		return
	}
	if err := r.commit.do(callCommit, func() error { return r.commitBatch.Commit(work) }); err != nil {
		r.Logger.Error("commit of task failed, which has no other effect", "err", err)
	}
}

// sendAgain sends the records of topics that were deleted and made again, once nothing else is in flight, so that
// their order stays.
func (r *sourceRun) sendAgain() {
	r.mu.Lock()
	if len(r.resend) == 0 || len(r.resend) < r.inFlight || r.err != nil {
		r.mu.Unlock()
		return
	}
	again := r.resend
	r.resend, r.resending = nil, true
	r.mu.Unlock()
	var topics []string
	for _, s := range again {
		if !slices.Contains(topics, s.rec.Topic) {
			topics = append(topics, s.rec.Topic)
		}
	}
	r.Logger.Warn("topics were made anew while records were on their way, which are sent again", "topics", topics, "records", len(again))
	r.Producer.PurgeTopicsFromProducing(topics...)
	for _, s := range again {
		s.rec.Context = s
		r.Producer.Produce(s, &s.rec, r.onAck)
	}
	r.mu.Lock()
	r.resending = false
	r.mu.Unlock()
	signal(r.room)
}
