package mirror

import (
	"reflect"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/recordbatch"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// PollsFresh says that the slices of Poll are never used again.
func (t *sourceTask) PollsFresh() bool { return true }

// convert makes source records of what was fetched. They share their memory: of keys, values and headers with the fetch,
// of offsets and interface values with the batch.
// lane says whether they are of partitions that the batchLane has; those of others are left out.
func (t *sourceTask) convert(fetches kgo.Fetches, lane bool) (_ []connect.SourceRecord, err error) {
	n := fetches.NumRecords()
	if n == 0 {
		return nil, nil
	}
	batch := make([]connect.SourceRecord, 0, n)
	positions := make([]position, n)
	var values boxes
	fetches.EachPartition(func(fp kgo.FetchTopicPartition) {
		p := t.parts[TopicPartition{Topic: fp.Topic, Partition: fp.Partition}]
		if p == nil || p.lane.in != lane || len(fp.Records) == 0 || err != nil {
			return
		}
		t.found(fp.Topic)
		if err = t.checkOrder(p, fp.LogStartOffset, fp.Records[0].Offset); err != nil {
			return
		}
		for _, r := range fp.Records {
			positions[0] = position{p, r.Offset}
			batch = append(batch, connect.SourceRecord{SourcePartition: p.source, SourceOffset: &positions[0]})
			positions = positions[1:]
			out := &batch[len(batch)-1]
			convertRecord(p, r, out, &values)
		}
		last := fp.Records[len(fp.Records)-1]
		p.next, p.lane.epoch = last.Offset+1, last.LeaderEpoch
		t.measure(p, fp.Records)
		for _, r := range fp.Records {
			r.Recycle()
		}
	})
	values.flush()
	return batch, err
}

// measure records the age and size of what was polled.
func (t *sourceTask) measure(p *partition, records []*kgo.Record) {
	if t.metrics == nil {
		return
	}
	if p.stat == nil {
		p.stat = t.metrics.ofPartition(p)
	}
	now, bytes := time.Now().UnixMilli(), 0
	t.ages = t.ages[:0]
	for _, r := range records {
		t.ages = append(t.ages, float64(now-r.Timestamp.UnixMilli()))
		bytes += len(r.Value)
	}
	p.stat.age.Record(t.ages...)
	p.stat.bytes.Record(float64(bytes))
}

// measureBatch does so for a batch of which all that is known is when its newest record was made, and its size.
func (t *sourceTask) measureBatch(p *partition, b recordbatch.Batch) {
	if t.metrics == nil {
		return
	}
	if p.stat == nil {
		p.stat = t.metrics.ofPartition(p)
	}
	p.stat.age.Record(float64(time.Now().UnixMilli() - b.MaxTimestamp()))
	p.stat.bytes.Record(float64(len(b) - recordbatch.HeaderSize))
}

// convertRecord makes a record of the target of one of the source. Key and value are put in when values is flushed.
func convertRecord(p *partition, r *kgo.Record, out *connect.SourceRecord, values *boxes) {
	out.Topic = p.remote
	out.Partition = connect.ToPartition(p.Partition)
	out.KeySchema, out.ValueSchema = connect.OptionalBytesSchema, connect.BytesSchema
	out.Timestamp = r.Timestamp
	if r.Key != nil {
		values.add(r.Key, &out.Key)
	}
	if r.Value != nil {
		values.add(r.Value, &out.Value)
	}
	if len(r.Headers) == 0 {
		return
	}
	out.Headers = make(connect.Headers, len(r.Headers))
	for i, h := range r.Headers {
		out.Headers[i] = connect.Header{Key: h.Key, Schema: connect.OptionalBytesSchema}
		if h.Value != nil {
			out.Headers[i].Schema = connect.BytesSchema
			values.add(h.Value, &out.Headers[i].Value)
		}
	}
}

// checkOrder says in the log if records between those that were polled before and the next ones are not copied, or if
// some are copied once more; with auto.offset.reset=none it fails. Offsets that are missing within a log are none of either:
// compaction removes records, and transactions use up offsets.
func (t *sourceTask) checkOrder(p *partition, start, first int64) error {
	cut, gap := first < p.next, start > p.next
	switch {
	case p.next == noOffset || !cut && !gap:
	case t.failOnReset:
		return t.outOfRange(p.TopicPartition, p.next, kerr.OffsetOutOfRange)
	case cut:
		t.log.Warn("the source has a shorter log than when records were copied last: it was cut short, or the topic was made anew. What it has is copied again",
			"partition", p.TopicPartition.String(), "expected", p.next, "goesOnAt", first)
	case gap:
		t.log.Error("records were deleted in the source before they could be copied: they are missing on the target",
			"partition", p.TopicPartition.String(), "from", p.next, "before", start, "missing", start-p.next)
	}
	return nil
}

// boxed is how many byte slices share one allocation of their headers.
const boxed = 128

// boxes puts byte slices into interface values. To do so allocates the header of each; the elements of an array that is
// itself in an interface value need no copy, since nobody can change them, so that many share one.
type boxes struct {
	bytes [boxed][]byte
	into  [boxed]*any
	n     int
}

func (b *boxes) add(bytes []byte, into *any) {
	if b.n == boxed {
		b.flush()
	}
	b.bytes[b.n], b.into[b.n] = bytes, into
	b.n++
}

// flush stores what was added where it belongs.
func (b *boxes) flush() {
	if b.n <= boxed/8 {
		for i, bytes := range b.bytes[:b.n] {
			*b.into[i] = bytes
		}
	} else {
		array := reflect.ValueOf(b.bytes)
		for i := range b.n {
			*b.into[i] = array.Index(i).Interface()
		}
	}
	b.n = 0
}
