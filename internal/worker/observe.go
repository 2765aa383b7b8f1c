package worker

import (
	"sync/atomic"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/metrics"
	"github.com/gokconnect/connect/internal/tolerance"
	"github.com/twmb/franz-go/pkg/kgo"
)

// What is measured is measured once for each batch or chunk, and only if somebody wants to know.

// observed is a runner that can be looked at.
type observed interface {
	observe() metrics.Run
}

// errorCounts returns what became of an operator's failures.
func errorCounts(op *tolerance.Operator, letters *letterCounts) metrics.ErrorCounts {
	s := &op.Stats
	c := metrics.ErrorCounts{
		Failures: s.Failures.Load(), Errors: s.Errors.Load(), Skipped: s.Skipped.Load(), Retries: s.Retries.Load(),
		Logged: s.Logged.Load(), LastMillis: s.LastUnix.Load(),
	}
	if letters != nil {
		c.DeadLetters, c.LostLetters = letters.requests.Load(), letters.failures.Load()
	}
	return c
}

// busySince is since when one of the activities is in a call that must not take long; of several, the first.
func busySince(activities ...*Activity) time.Time {
	for _, a := range activities {
		if c := call(a.call.Load()); c != idle && c != callPoll {
			return time.Unix(0, a.since.Load())
		}
	}
	return time.Time{}
}

// instant returns a time that is kept in nanoseconds since 1970; 0 is none.
func instant(nanos *atomic.Int64) time.Time {
	if at := nanos.Load(); at != 0 {
		return time.Unix(0, at)
	}
	return time.Time{}
}

func (r *sourceRun) observe() metrics.Run {
	return metrics.Run{
		Errors: func() metrics.ErrorCounts { return errorCounts(r.Operator, r.Letters.counts()) },
		Doing:  func() time.Time { return busySince(&r.main, &r.commit) },
		Oldest: func() time.Time {
			r.mu.Lock()
			defer r.mu.Unlock()
			if r.oldest == nil {
				return time.Time{}
			}
			return r.oldest.polled
		},
	}
}

// observePoll takes note of a batch that was polled.
func (r *sourceRun) observePoll(records int, began time.Time) {
	if !r.Metrics.On() {
		return
	}
	r.polledAt = time.Now()
	r.mu.Lock()
	active := r.inFlight + records
	r.mu.Unlock()
	r.Metrics.Polled(records, r.polledAt.Sub(began), int64(active))
}

func (r *exactlyOnceRun) observe() metrics.Run {
	return metrics.Run{
		Errors: func() metrics.ErrorCounts { return errorCounts(r.Operator, r.Letters.counts()) },
		Doing:  func() time.Time { return busySince(&r.main, &r.timed) },
		Oldest: func() time.Time { return instant(&r.oldest) },
	}
}

// observePoll takes note of a batch that was polled, which may be empty.
func (r *exactlyOnceRun) observePoll(records int, began time.Time) {
	if records == 0 || !r.Metrics.On() {
		return
	}
	r.polledAt = time.Now()
	r.Metrics.Polled(records, r.polledAt.Sub(began), int64(r.sent+records))
}

// observeSend takes note that records of the batch are being sent.
func (r *exactlyOnceRun) observeSend() {
	if r.Metrics.On() {
		r.oldest.CompareAndSwap(0, r.polledAt.UnixNano())
	}
}

// observeCommit takes note of the end of a transaction, unless there was nothing to commit. Records count as written when
// they are committed.
func (r *exactlyOnceRun) observeCommit(began time.Time, committed bool, err error) {
	if r.Metrics.On() && (committed || err != nil) {
		r.Metrics.Committed(time.Since(began), err)
	}
	if err != nil {
		return
	}
	if committed {
		r.Metrics.Transaction(r.sent)
		r.Metrics.Written(r.sent - r.letters)
		if at := instant(&r.oldest); !at.IsZero() {
			r.Metrics.Latency(time.Since(at))
		}
		r.Metrics.Active(0)
	}
	r.sent, r.letters = 0, 0
	r.oldest.Store(0)
}

// sinkSeen is what the metrics of a sink's run are made of.
type sinkSeen struct {
	uncommitted atomic.Int64 // when the first record was put that is not committed, in nanoseconds since 1970; 0 none
}

func (r *sinkRun) observe() metrics.Run {
	return metrics.Run{
		Errors: func() metrics.ErrorCounts { return errorCounts(r.Operator, r.DeadLetters.counts()) },
		Doing:  func() time.Time { return busySince(&r.activity) },
		Oldest: func() time.Time { return instant(&r.seen.uncommitted) },
	}
}

// observeRead takes note of what was consumed. The caller has the turn.
func (r *sinkRun) observeRead(fetches kgo.Fetches) {
	if !r.Metrics.On() {
		return
	}
	records := 0
	fetches.EachPartition(func(p kgo.FetchTopicPartition) {
		records += len(p.Records)
		if part := r.parts[connect.TopicPartition{Topic: p.Topic, Partition: p.Partition}]; part != nil && p.HighWatermark > 0 {
			part.end = p.HighWatermark
		}
	})
	var lag, active int64
	for _, p := range r.parts {
		if p.polled >= 0 {
			lag = max(lag, p.end-p.polled)
			active += p.polled - max(p.committed, p.first)
		}
	}
	r.Metrics.Read(records, lag)
	r.Metrics.Sent(len(r.batch))
	r.Metrics.Active(max(active, 0))
}

// observePut takes note that a batch was put. The caller has the turn.
func (r *sinkRun) observePut(began time.Time) {
	if !r.Metrics.On() {
		return
	}
	now := time.Now()
	r.Metrics.Put(len(r.batch), now.Sub(began))
	if len(r.batch) == 0 {
		return
	}
	r.seen.uncommitted.CompareAndSwap(0, began.UnixNano())
	// Records of a partition come in order, so the first is about the oldest.
	if first := &r.batch[0]; !first.Timestamp.IsZero() {
		r.Metrics.Latency(now.Sub(first.Timestamp))
	}
}

// observeCommit takes note of a commit. The caller has the turn.
func (r *sinkRun) observeCommit(began time.Time, err error) {
	if !r.Metrics.On() {
		return
	}
	r.Metrics.Committed(time.Since(began), err)
	if err != nil {
		return
	}
	r.Metrics.SinkCommitted()
	var active int64
	for _, p := range r.parts {
		if p.polled >= 0 {
			active += p.polled - max(p.committed, p.first)
		}
	}
	if active = max(active, 0); active == 0 {
		r.seen.uncommitted.Store(0)
	} else {
		r.seen.uncommitted.Store(time.Now().UnixNano())
	}
	r.Metrics.Active(active)
}
