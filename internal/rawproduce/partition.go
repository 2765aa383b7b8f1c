package rawproduce

import (
	"errors"
	"fmt"
	"time"

	"github.com/gokconnect/connect/internal/recordbatch"
	"github.com/twmb/franz-go/pkg/kerr"
)

// Batch is a batch of records on its way to a partition.
type Batch struct {
	Topic     string
	Partition int32
	// Bytes are the batch, which [recordbatch.CheckBytes] has passed. They are the producer's, which changes the header, and are given up when the batch is done.
	Bytes   []byte
	Records int
	// Of is whatever its user wants to find it by.
	Of any

	// Offset is that of the last record, once all are written; -1 if the broker did not say, which it may not after a retry.
	Offset int64
	// Timestamp is the time of the latest of the records.
	Timestamp time.Time

	until     time.Time // when it is given up; zero is never
	wires     []wire    // what is left to be written
	rewritten bool
	tries     int // of what is being written
	renewed   int // how often its identity was given up
}

// partition is a partition with the batches that wait for it, of which one at a time is on its way. It belongs to the
// producer's goroutine.
type partition struct {
	topic  string
	number int32
	queue  []*Batch
	// topicID is the topic that the sequence number is for: one that was made anew knows nothing of it.
	topicID [16]byte
	id      identity
	next    int32 // sequence number
	// notBefore is when to try again what failed.
	notBefore time.Time
	// looks is how many looks at its topic it needs: more than there were when its leader did not take a batch.
	looks int
	// missing is since when there is no such partition, beyond since when its topic is known to be there, but not to have as many.
	missing, beyond time.Time
	// why is the last error.
	why error
	// failed ends the partition: nothing may come behind what could not be written.
	failed error
}

// led returns an error if nobody leads the partition, as far as is known of its topic.
func (p *partition) led(t *topic, now time.Time) error {
	leader, err := t.leader(p.number)
	if err == nil && leader < 0 {
		err = kerr.LeaderNotAvailable
	}
	since := func(was time.Time, is bool) time.Time {
		switch {
		case !is:
			return time.Time{}
		case was.IsZero():
			return now
		}
		return was
	}
	p.missing = since(p.missing, errors.Is(err, kerr.UnknownTopicOrPartition))
	p.beyond = since(p.beyond, err != nil && t.err == nil && len(t.leaders) <= int(p.number))
	return err
}

const (
	// longestMissing is how long a batch waits for a topic or partition that does not exist, as records do.
	longestMissing = 15 * time.Second
	// longestBeyond is how long it waits for a topic to grow, of which brokers hear one after the other. Records don't wait for that.
	longestBeyond = 3 * time.Second
)

// absent returns an error if the partition has not been there for too long.
func (p *partition) absent(t *topic, now time.Time) error {
	switch {
	case !p.beyond.IsZero() && now.Sub(p.beyond) >= longestBeyond:
		return fmt.Errorf("topic %s has %d partitions, and no partition %d", t.name, len(t.leaders), p.number)
	case !p.missing.IsZero() && now.Sub(p.missing) > longestMissing:
		return kerr.UnknownTopicOrPartition
	}
	return nil
}

// forget gives the identity up.
func (p *partition) forget() {
	p.id = identity{}
	p.queue[0].wires[0].stamped = false
}

// adopt takes an identity that was never used in the partition.
func (p *partition) adopt(id identity) {
	p.id, p.next = id, id.first()
}

// written takes note that the first wire of the first batch was written, and returns the batch if that was all of it.
func (p *partition) written(base, appended int64) (done *Batch) {
	b := p.queue[0]
	w := b.wires[0]
	p.next = p.id.after(p.next, w.records)
	b.Offset = -1
	if base >= 0 {
		b.Offset = base + int64(w.records) - 1
	}
	at := recordbatch.Batch(w.bytes).MaxTimestamp()
	if appended >= 0 {
		at = appended
	}
	if t := time.UnixMilli(at); t.After(b.Timestamp) {
		b.Timestamp = t
	}
	b.wires = b.wires[1:]
	b.tries, b.renewed, p.why = 0, 0, nil
	if len(b.wires) > 0 {
		return nil
	}
	p.queue[0] = nil
	p.queue = p.queue[1:]
	b.Bytes = nil
	return b
}
