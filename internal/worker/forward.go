package worker

import (
	"context"
	"math"
	"sync/atomic"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/pipeline"
	"github.com/gokconnect/connect/internal/rawproduce"
)

// BatchProducer is the part of a [rawproduce.Producer] that a source task needs.
type BatchProducer interface {
	Send(b *rawproduce.Batch)
	Latency() time.Duration
	Close()
}

// Forwarding is how batches of records pass a source task's run as they are. It is the [connect.BatchForwarder] of the task's context.
type Forwarding struct {
	// New returns the producer of the run, which works until ctx ends or it is closed, and tells done of each batch.
	New func(ctx context.Context, done func(b *rawproduce.Batch, err error)) BatchProducer
	// Headers says that batches may pass whose records have headers.
	Headers bool
	// Now reports whether nobody wants to see the records now. Nil, and nobody ever does.
	Now func() bool

	said atomic.Bool
	raw  atomic.Pointer[BatchProducer] // of the run
}

// leastRate is how many bytes should arrive in a second, at least, if batches wait for nothing but the broker's answers. Records come to two or
// three times that where the target is near, for two or three times the CPU time.
const leastRate = 32 << 20

// LeastBatch implements [connect.BatchForwarder].
func (f *Forwarding) LeastBatch() int {
	raw := f.raw.Load()
	if raw == nil {
		return math.MaxInt32
	}
	latency := (*raw).Latency()
	if latency == 0 {
		return math.MaxInt32
	}
	return int(min(latency.Seconds()*leastRate, math.MaxInt32))
}

// ForwardsBatches implements [connect.BatchForwarder].
func (f *Forwarding) ForwardsBatches(headers bool) bool {
	may := f.Now == nil || f.Now()
	f.said.Store(may)
	return may && (f.Headers || !headers)
}

// mayForward reports whether the task was told that what it has polled may have batches.
func (r *sourceRun) mayForward() bool { return r.Forward != nil && r.Forward.said.Load() }

// emitBatch takes a batch of records as it came.
func (r *sourceRun) emitBatch(index int, out *pipeline.Output) {
	s := r.newSlot(index)
	s.rec.Topic, s.rec.Value, s.records = out.Topic, out.Value, int32(out.Records)
	s.rec.Partition, _ = out.Partition.Get()
	s.partition = s.rec.Partition
	s.size = len(out.Value) + recordOverhead
	r.slotBytes += s.size
	r.slotRecords += out.Records - 1
}

// count returns how many records a slot stands for.
func (s *slot) count() int { return max(int(s.records), 1) }

// counted returns how many records were polled.
func (r *sourceRun) counted(batch []connect.SourceRecord) int {
	n := len(batch)
	if r.Forward == nil {
		return n
	}
	for i := range batch {
		if b, ok := batch[i].Value.(connect.RecordBatch); ok {
			n += b.Records - 1
		}
	}
	return n
}

// take waits, before a partition gets records that had batches, or batches that had records, until all are settled: they go other ways,
// and must not overtake each other. It is no wait while each partition stays with what it gets.
func (r *sourceRun) take(work context.Context, slots []slot, batches bool) error {
	if !batches && len(r.batches) == 0 {
		return nil
	}
	turns := false
	for i := range slots {
		at := connect.TopicPartition{Topic: slots[i].rec.Topic, Partition: slots[i].partition}
		if i > 0 && at.Partition == slots[i-1].partition && at.Topic == slots[i-1].rec.Topic {
			continue
		}
		switch had, known := r.batches[at]; {
		case batches && !had, known && had != batches: // also the first batch: there may have been records
			r.batches[at], turns = batches, true
		case at.Partition < 0: // which may be any
			turns = true
		}
	}
	for turns {
		r.mu.Lock()
		err, left := r.err, r.inFlight
		r.mu.Unlock()
		if err != nil || left == 0 {
			return err
		}
		select {
		case <-r.room:
		case <-work.Done():
			return context.Cause(work)
		}
	}
	return nil
}

// sendBatches sends batches that are counted as being in flight.
func (r *sourceRun) sendBatches(_ context.Context, slots []slot) error {
	for i := range slots {
		if r.t.abandoned.Load() {
			r.forget(slots[i:])
			return ErrAbandoned // invariant 3
		}
		s := &slots[i]
		b := &rawproduce.Batch{Topic: s.rec.Topic, Partition: s.partition, Bytes: s.rec.Value, Records: int(s.records), Of: s}
		s.rec.Value = nil // the producer's
		r.raw.Send(b)
	}
	return nil
}

// batchDone is told what became of each batch, on the batch producer's goroutine.
func (r *sourceRun) batchDone(b *rawproduce.Batch, err error) {
	s := b.Of.(*slot)
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		r.sendingFailed(s, err)
		return
	}
	s.rec.Offset, s.rec.Timestamp = b.Offset, b.Timestamp
	r.settleSlot(s, nil)
}
