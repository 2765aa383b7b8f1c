package worker

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/clients"
	"github.com/gokconnect/connect/internal/javaerror"
	"github.com/gokconnect/connect/internal/tolerance"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// slot is a record on its way to Kafka, with what has to happen when it arrives. Slots are allocated by the chunk. A
// slot is the record's context too, which leads from an acknowledgement back to it without a closure for each record.
type slot struct {
	rec       kgo.Record
	run       *sourceRun
	entry     ref
	polled    *connect.SourceRecord // only if someone wants to hear of it
	index     int                   // in the batch that was polled
	number    uint64                // in the order of sending
	chunk     *chunk                // what was sent together with it, or nil
	size      int
	partition int32 // as wanted: the client puts the one that it chose into rec
	records   int32 // of a batch that passes as it is, 0 if it is one record
	again     bool  // it was sent once more because its topic seemed to lack the partition
	letter    bool  // rec is the dead letter of a record that was given up
}

// recordOverhead is about what a record costs besides its content.
const recordOverhead = 64

var _ context.Context = (*slot)(nil)

// slotKey is how a slot is found through contexts that a client's hooks put around it.
var slotKey = new(int)

func (s *slot) Deadline() (time.Time, bool) { return time.Time{}, false }
func (s *slot) Done() <-chan struct{}       { return nil }
func (s *slot) Err() error                  { return nil }
func (s *slot) Value(key any) any {
	if key == any(slotKey) {
		return s
	}
	return nil
}

// acked is the promise of every record. It is called on the producer's goroutine, which other tasks wait for.
func (r *sourceRun) acked(rec *kgo.Record, err error) {
	s, ok := rec.Context.(*slot)
	if !ok {
		s = rec.Context.Value(slotKey).(*slot)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case err == nil:
		r.settleSlot(s, nil)
	case r.err == nil && (errors.Is(err, kerr.UnknownTopicID) || isPurged(err)):
		// The topic was deleted and made again: everything that is buffered for it fails, in order. It is sent once
		// more, in order, when nothing else is in flight.
		r.sendLater(s)
		r.refused, r.recreated = true, r.recreated || !isPurged(err)
	case r.err == nil && lacksPartition(err) && !s.again:
		// What the client knows of the topic may be minutes old, and it does not look again by itself.
		s.again = true
		r.sendLater(s)
		r.refused, r.recreated = true, true
	case r.err == nil && !s.letter && r.Operator.Tolerates() && ofRecord(err):
		failure := &tolerance.Failure{Stage: tolerance.KafkaProduce, Class: producing, Err: clients.JavaError(err, ""), Attempts: 1}
		if r.Letters == nil {
			r.settleSlot(s, failure)
			break
		}
		s.keep()
		r.settled = append(r.settled, settled{failure: failure, record: s.polled, letter: s})
		signal(r.wake)
	case r.err == nil && s.letter && isTooLarge(err) && cutLetter(&s.rec):
		r.resize(s)
		s.keep()
		r.settled = append(r.settled, settled{letter: s})
		signal(r.wake)
	default:
		r.sendingFailed(s, err)
	}
}

// sendingFailed takes note that a record could not be sent, which fails the task. The caller holds mu.
func (r *sourceRun) sendingFailed(s *slot, err error) {
	if r.err == nil {
		r.err = r.sendFailed(s, err)
		r.fail(r.err) // interrupts Poll
		for _, s := range r.resend {
			r.drop(s)
		}
		r.resend = nil
		r.held.Store(false)
	}
	r.drop(s)
	signal(r.room)
}

// sendFailed is the error of a task one of whose records could not be sent. The caller holds mu.
func (r *sourceRun) sendFailed(s *slot, err error) error {
	if s.letter {
		return r.Letters.lost(err)
	}
	return javaerror.In("send to topic "+s.rec.Topic+s.origin(),
		javaerror.New(javaerror.Connect, "Unrecoverable exception from producer send callback", clients.JavaError(err, "")))
}

// tooLarge reports whether a record is larger than the producer takes.
func (r *sourceRun) tooLarge(s *slot) bool {
	return r.MaxRequest > 0 && s.size+sizeSlack+10*len(s.rec.Headers) > r.MaxRequest && serializedSize(&s.rec) > int64(r.MaxRequest)
}

// sendSlot sends a record, or gives it up.
func (r *sourceRun) sendSlot(work context.Context, s *slot) error {
	if r.t.abandoned.Load() {
		return ErrAbandoned // invariant 3: what was not sent yet is the next owner's
	}
	if r.tooLarge(s) {
		if again, err := r.refuse(work, s); err != nil || !again {
			return err
		}
	}
	s.rec.Context = s
	if r.held.Load() && r.hold(s) {
		return nil
	}
	// The context is the slot's own: one task's context must not end records of others (they share batches).
	r.Producer.Produce(s, &s.rec, r.onAck)
	return nil
}

// refuse gives a record up that is too large, or fails the task. again says that the slot holds its dead letter now, which is
// to be sent.
func (r *sourceRun) refuse(work context.Context, s *slot) (again bool, err error) {
	cause := produceError(&s.rec, int32(r.MaxRequest), kerr.MessageTooLarge)
	polled := &r.polled[s.index]
	if s.letter || !r.Operator.Tolerates() {
		r.mu.Lock()
		defer r.mu.Unlock()
		return false, r.sendFailed(s, cause)
	}
	failure := &tolerance.Failure{Stage: tolerance.KafkaProduce, Class: producing, Err: cause, Attempts: 1, Source: polled}
	if err := r.Operator.Failed(work, failure); err != nil {
		return false, err
	}
	if r.Letters != nil {
		r.makeLetter(s, failure)
		if r.tooLarge(s) {
			return false, r.Letters.lost(produceError(&s.rec, int32(r.MaxRequest), kerr.MessageTooLarge))
		}
		return true, nil
	}
	r.mu.Lock()
	last := s.entry.ack()
	r.drop(s)
	r.mu.Unlock()
	signal(r.room)
	if last && r.commitRecord != nil {
		r.commitOne(work, &r.main, polled, nil)
	}
	return false, nil
}

// forget takes note of records that are counted as being in flight and will not be sent.
func (r *sourceRun) forget(slots []slot) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range slots {
		r.drop(&slots[i])
	}
	signal(r.room)
}

// drop takes note of one. The caller holds mu.
func (r *sourceRun) drop(s *slot) {
	r.inFlight -= s.count()
	r.bytes -= int64(s.size)
	r.chunkSettled(s, false)
	if len(r.resend) > 0 {
		signal(r.wake)
	}
}

// sizeSlack is more than what a record takes in a batch besides its content and its headers.
const sizeSlack = batchOverhead + maxRecordOverheads + 10

const producing = "org.apache.kafka.connect.runtime.WorkerSourceTask"

// lacksPartition reports whether a record has a partition that its topic does not have, as far as the client knows. The
// client's error has no name.
func lacksPartition(err error) bool {
	return err != nil && strings.HasPrefix(err.Error(), "invalid record partitioning choice")
}

// origin says which partition the record is for, if that is known, and where it comes from. The caller holds mu.
func (s *slot) origin() (text string) {
	if s.partition >= 0 {
		text = fmt.Sprintf(", partition %d", s.partition)
	}
	k := s.entry.track
	if k == nil || k.partition == nil {
		return text
	}
	text += ", from source partition " + connect.FormatValue(map[string]any(k.partition))
	if s.entry.n < k.head {
		return text
	}
	if offset := offsetFields(s.entry.offset()); offset != nil { // the offset is the connector's; without it the message does too
		text += ", source offset " + connect.FormatValue(map[string]any(offset))
	}
	return text
}

// sendLater takes a record back that has to be sent once more, or behind such. The caller holds mu.
func (r *sourceRun) sendLater(s *slot) {
	r.resend = append(r.resend, s)
	s.keep()
	r.held.Store(true)
	signal(r.wake)
}

// isPurged reports whether a record failed because another task that shares the client made it forget the topic. The
// client's error has no name.
func isPurged(err error) bool { return err != nil && err.Error() == "topic purged while buffered" }

// keep says that the memory is not to be used again: the record is sent on another goroutine too. The caller holds mu.
func (s *slot) keep() { s.chunk.slots = nil }

// settleSlot takes note that a record is done. The caller holds mu.
func (r *sourceRun) settleSlot(s *slot, failure *tolerance.Failure) {
	last := s.entry.ack()
	r.inFlight -= s.count()
	r.bytes -= int64(s.size)
	defer r.chunkSettled(s, failure == nil && !s.letter) // last: it may empty s
	signal(r.room)
	if len(r.resend) > 0 {
		signal(r.wake)
	}
	if failure == nil && (r.commitRecord == nil || !last) {
		return
	}
	out := settled{failure: failure, last: last, record: s.polled}
	if failure == nil && !s.letter {
		if len(r.metadata) == 0 {
			r.metadata = make([]connect.RecordMetadata, metadataChunk)
		}
		out.metadata, r.metadata = &r.metadata[0], r.metadata[1:]
		*out.metadata = connect.RecordMetadata{Topic: s.rec.Topic, Partition: s.rec.Partition, Offset: s.rec.Offset, Timestamp: s.rec.Timestamp}
	}
	r.settled = append(r.settled, out)
	signal(r.wake)
}

// metadataChunk is how many acknowledgements share one allocation.
const metadataChunk = 64

// ofRecord reports whether a produce error is about the record itself, so that it may be skipped where errors are
// tolerated, and not about the broker or the client.
func ofRecord(err error) bool {
	return isAny(err, kerr.MessageTooLarge, kerr.RecordListTooLarge, kerr.InvalidRecord, kerr.InvalidTimestamp, kerr.CorruptMessage,
		kerr.InvalidTopicException, kerr.UnknownTopicOrPartition, kerr.TopicAuthorizationFailed, kerr.PolicyViolation)
}
