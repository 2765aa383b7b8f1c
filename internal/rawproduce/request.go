package rawproduce

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gokconnect/connect/internal/recordbatch"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	// requestBytes bounds the batches of one request, unless it is one batch.
	requestBytes = 1 << 20
	// requestsPerBroker is how many requests a broker has at a time, of different partitions: while it answers one, the
	// next is there.
	requestsPerBroker = 2
	// maxRenewals is how often in a row a batch gets another identity.
	maxRenewals = 5
)

// request is the first batches of some partitions of one broker.
type request struct {
	broker     int32
	partitions []*partition
	bytes      int
	wire       *kmsg.ProduceRequest
}

// add puts the first batch of a partition into a request, and reports whether there was room.
func (p *Producer) add(requests *[]*request, part *partition) bool {
	t := p.topics[part.topic]
	broker := t.leaders[part.number]
	w := &part.queue[0].wires[0]
	var r *request
	begun := p.inFlight[broker]
	for _, other := range *requests {
		if other.broker == broker {
			if r = other; r.bytes+len(w.bytes) > requestBytes {
				r = nil
				begun++
			}
		}
	}
	if r == nil {
		if begun >= requestsPerBroker {
			return false
		}
		r = &request{broker: broker, wire: kmsg.NewPtrProduceRequest()}
		r.wire.Acks = -1
		timeout, _ := p.Client.OptValue(kgo.ProduceRequestTimeout).(time.Duration)
		r.wire.TimeoutMillis = int32(timeout.Milliseconds())
		*requests = append(*requests, r)
	}
	if !w.stamped {
		recordbatch.Batch(w.bytes).Stamp(part.id.id, part.id.epoch, part.next)
		w.stamped = true
	}
	r.partitions = append(r.partitions, part)
	r.bytes += len(w.bytes)
	into := kmsg.NewProduceRequestTopicPartition()
	into.Partition, into.Records = part.number, w.bytes
	for i := range r.wire.Topics {
		if rt := &r.wire.Topics[i]; rt.Topic == t.name {
			rt.Partitions = append(rt.Partitions, into)
			return true
		}
	}
	rt := kmsg.NewProduceRequestTopic()
	rt.Topic, rt.TopicID, rt.Partitions = t.name, t.id, append(rt.Partitions, into)
	r.wire.Topics = append(r.wire.Topics, rt)
	return true
}

// send sends a request.
func (p *Producer) send(r *request) {
	p.inFlight[r.broker]++
	p.async(func() func() {
		began := time.Now()
		resp, err := p.Client.Broker(int(r.broker)).Request(p.ctx, r.wire)
		if err == nil {
			p.latency.took(began, time.Now(), r.bytes)
		}
		return func() { p.answered(r, resp, err) }
	})
}

// answered takes note of what became of the batches of a request.
func (p *Producer) answered(r *request, resp kmsg.Response, err error) {
	if p.inFlight[r.broker]--; p.inFlight[r.broker] == 0 {
		delete(p.inFlight, r.broker)
	}
	var answers map[partitionKey]*kmsg.ProduceResponseTopicPartition
	if produced, ok := resp.(*kmsg.ProduceResponse); err == nil && ok {
		answers = make(map[partitionKey]*kmsg.ProduceResponseTopicPartition, len(r.partitions))
		for i := range produced.Topics {
			rt := &produced.Topics[i]
			name := rt.Topic
			if produced.Version >= 13 {
				name = r.named(rt.TopicID)
			}
			for k := range rt.Partitions {
				answers[partitionKey{name, rt.Partitions[k].Partition}] = &rt.Partitions[k]
			}
		}
	}
	now := time.Now()
	for _, part := range r.partitions {
		answer := answers[partitionKey{part.topic, part.number}]
		switch {
		case answer != nil:
			p.judge(part, answer, now)
		case errors.Is(err, kgo.ErrClientClosed) || errors.Is(err, context.Canceled):
			p.fail(part, err)
		default:
			if err == nil {
				err = fmt.Errorf("the broker %d has not answered for it", r.broker)
			}
			part.queue[0].wires[0].unsure = true
			p.again(part, now, err)
			p.waiting = append(p.waiting, part)
		}
	}
}

// named returns the name of a topic of the request.
func (r *request) named(id [16]byte) string {
	for i := range r.wire.Topics {
		if r.wire.Topics[i].TopicID == id {
			return r.wire.Topics[i].Topic
		}
	}
	return ""
}

// judge takes note of a broker's answer for the first batch of a partition.
func (p *Producer) judge(part *partition, answer *kmsg.ProduceResponseTopicPartition, now time.Time) {
	b := part.queue[0]
	w := &b.wires[0]
	switch err := kerr.ErrorForCode(answer.ErrorCode); {
	case err == nil, errors.Is(err, kerr.DuplicateSequenceNumber):
		if err != nil {
			answer.BaseOffset = -1 // that of the first time is not known
		}
		if done := part.written(answer.BaseOffset, answer.LogAppendTime); done != nil {
			p.Done(done, nil)
		}
		if len(part.queue) == 0 {
			return
		}
	case lostTrack(err) && part.id != nobody:
		// The broker does not know what it has of this producer. As nothing was sent behind the batch, it can begin anew.
		if b.renewed++; b.renewed > maxRenewals {
			p.fail(part, err)
			return
		}
		p.Logger.Warn("a broker has lost track of a producer, which begins anew: the batch may be written twice", "topic", part.topic, "partition", part.number, "err", err)
		p.renew(part)
		p.again(part, now, err)
	case kerr.IsRetriable(err) && !errors.Is(err, kerr.CorruptMessage):
		w.unsure = w.unsure || errors.Is(err, kerr.RequestTimedOut) || errors.Is(err, kerr.NotEnoughReplicasAfterAppend)
		p.again(part, now, err)
	default:
		p.refused(part, answer, err)
		return
	}
	p.waiting = append(p.waiting, part)
}

// lostTrack reports whether a broker refuses a batch because of what it knows of the producer.
func lostTrack(err error) bool {
	for _, of := range []error{kerr.OutOfOrderSequenceNumber, kerr.UnknownProducerID, kerr.InvalidProducerEpoch, kerr.InvalidProducerIDMapping, kerr.ProducerFenced} {
		if errors.Is(err, of) {
			return true
		}
	}
	return false
}

// refused sends what a broker does not take in another form, if there is one.
func (p *Producer) refused(part *partition, answer *kmsg.ProduceResponseTopicPartition, err error) {
	b := part.queue[0]
	w := b.wires[0]
	if w.unsure {
		p.renew(part) // the sequence number may be taken: another batch would pass for this one
	}
	tooLarge := errors.Is(err, kerr.MessageTooLarge) || errors.Is(err, kerr.RecordListTooLarge)
	switch {
	case !b.rewritten:
		p.rewrite(part)
	case tooLarge && w.records > 1:
		p.async(func() func() {
			wires, err := w.halve(p.unpack)
			return func() { p.rewrote(part, wires, err) }
		})
	default:
		if answer.ErrorMessage != nil {
			err = fmt.Errorf("%w (%s)", err, *answer.ErrorMessage)
		}
		p.fail(part, err)
	}
}
