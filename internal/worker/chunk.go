package worker

import (
	"context"
	"time"

	"github.com/gokconnect/connect/internal/tracing"
)

// chunk is records that were sent together. The run's mutex guards it.
type chunk struct {
	slots   []slot // of all records, or nil; a part of an array if there are others
	sent    bool   // nobody sends them any more
	left    int    // not settled
	written int    // acknowledged
	polled  time.Time
	span    *tracing.Batch // of the batch that it is part of, or nil
	next    *chunk         // that was sent later
}

// newChunk returns the chunk of records that are about to be sent. The caller holds mu.
func (r *sourceRun) newChunk(slots []slot) *chunk {
	c := &chunk{slots: slots, left: len(slots), polled: r.polledAt, span: r.span}
	if !r.Metrics.On() && r.span == nil {
		return c
	}
	c.span.Add()
	if r.newest == nil {
		r.oldest = c
	} else {
		r.newest.next = c
	}
	r.newest = c
	return c
}

// chunkSettled takes note that a record of a chunk is done. The caller holds mu.
func (r *sourceRun) chunkSettled(s *slot, written bool) {
	c := s.chunk
	if written {
		c.written += s.count()
	} else {
		c.span.Failed(errNotWritten)
	}
	if c.left--; c.left > 0 {
		return
	}
	r.reuse(c)
	if !r.Metrics.On() && c.span == nil {
		return
	}
	c.span.Done()
	r.Metrics.Written(c.written)
	r.Metrics.Latency(time.Since(c.polled))
	r.Metrics.Active(int64(r.inFlight))
	for r.oldest != nil && r.oldest.left <= 0 {
		if r.oldest = r.oldest.next; r.oldest == nil {
			r.newest = nil
		}
	}
}

// leastReused is the size of chunks whose memory is worth to be used again.
const leastReused = chunkRecords / 4

// reuse makes the memory of a chunk that of a later one, once nobody needs it: it was sent, and all its records are settled. A task
// with nothing in flight keeps none. The caller holds mu.
func (r *sourceRun) reuse(c *chunk) {
	switch {
	case c.left > 0 || !c.sent || cap(c.slots) < leastReused:
		return
	case r.inFlight == 0:
		r.free = nil
		return
	}
	clear(c.slots) // what it refers to can be freed
	r.free = append(r.free, c.slots[:0])
	c.slots = nil
}

// newSlots returns memory for n records, or for some more or less.
func (r *sourceRun) newSlots(n int) []slot {
	r.mu.Lock()
	defer r.mu.Unlock()
	if last := len(r.free) - 1; last >= 0 && n >= leastReused {
		slots := r.free[last]
		r.free[last] = nil
		r.free = r.free[:last]
		return slots
	}
	return make([]slot, 0, n)
}

// sendSlots sends records, or batches, whose topics exist.
func (r *sourceRun) sendSlots(work context.Context, slots []slot) error {
	if len(slots) == 0 {
		return nil
	}
	size, records := 0, 0
	for i := range slots {
		size += slots[i].size
		records += slots[i].count()
	}
	batches := slots[0].records > 0
	if err := r.take(work, slots, batches); err != nil {
		return err
	}
	if err := r.takeRoom(work, records, int64(size), batches); err != nil {
		return err
	}
	r.mu.Lock()
	c := r.newChunk(slots)
	for i := 0; i < len(slots); {
		index := slots[i].index
		end := i + 1
		for end < len(slots) && slots[end].index == index {
			end++
		}
		polled := &r.polled[index]
		entry := r.track.add(polled.SourcePartition, polled.SourceOffset, end-i)
		for ; i < end; i++ {
			slots[i].entry, slots[i].chunk, slots[i].number = entry, c, r.sent
			r.sent++
			if r.keeps {
				slots[i].polled = polled
			}
		}
	}
	r.mu.Unlock()
	send := r.sendRecords
	if batches {
		send = r.sendBatches
	}
	if err := send(work, slots); err != nil {
		return err
	}
	if r.Sent != nil {
		for i := 0; i < len(slots); {
			from, sent := i, 0
			for i < len(slots) && slots[i].rec.Topic == slots[from].rec.Topic {
				sent += slots[i].count()
				i++
			}
			if !slots[from].letter {
				r.Sent(slots[from].rec.Topic, sent)
			}
		}
	}
	r.mu.Lock()
	c.sent = true
	r.reuse(c)
	r.mu.Unlock()
	return nil
}

// sendRecords sends records that are counted as being in flight.
func (r *sourceRun) sendRecords(work context.Context, slots []slot) error {
	forgot := r.Sharing.Begin()
	defer r.Sharing.End()
	r.holdUntilSettled(forgot, len(slots))
	for i := range slots {
		if err := r.sendSlot(work, &slots[i]); err != nil {
			r.forget(slots[i:])
			return err
		}
	}
	return nil
}
