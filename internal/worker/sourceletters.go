package worker

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync/atomic"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/offsetcodec"
	"github.com/gokconnect/connect/internal/tolerance"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// SourceLetters are the dead letters of a source task (errors.deadletterqueue.*): records that are given up go to a topic.
// They are sent as the task's own records are, by the same producer and in the same transaction, in the place of the
// record: its offset is stored only when they are acknowledged, and one that can't be written fails the task.
type SourceLetters struct {
	ID      connect.TaskID
	Topic   string
	Headers bool // adds the headers __connect.errors.…
	// JSON returns the form of a key, a value or a header that was not converted to bytes yet. What it refuses with its schema and
	// without one is written as text.
	JSON func(ctx context.Context, topic string, s *connect.Schema, v any) ([]byte, error)
	// Hide takes secrets out of the texts of errors. Optional.
	Hide func(string) string

	letterCounts
}

// letterCounts counts the writes of dead letters.
type letterCounts struct{ requests, failures atomic.Int64 }

func (l *SourceLetters) counts() *letterCounts {
	if l == nil {
		return nil
	}
	return &l.letterCounts
}

func (d *DeadLetters) counts() *letterCounts {
	if d == nil {
		return nil
	}
	return &d.letterCounts
}

// letterPart says in a header what the key or value of a source's dead letter is.
type letterPart string

const (
	partConverted letterPart = "converted" // the bytes that were to be written
	partJSON      letterPart = "json"      // as polled, as JSON with the schema
	partText      letterPart = "text"      // as polled, as text: JSON has no form for it
	partOmitted   letterPart = "omitted"   // too large to be written
)

// letter is a source record that was given up.
type letter struct {
	failure         *tolerance.Failure
	topic           string // where it was to go, if that is known
	partition       connect.Partition
	key, value      []byte
	headers         []kgo.RecordHeader
	keyIs, valueIs  letterPart
	sourcePartition connect.Fields
	sourceOffset    connect.SourceOffset
}

// polled returns the letter of a record that did not become bytes: of the record as the task returned it.
func (l *SourceLetters) polled(ctx context.Context, f *tolerance.Failure) letter {
	r := f.Source
	d := letter{failure: f, topic: r.Topic, partition: r.Partition, sourcePartition: r.SourcePartition, sourceOffset: r.SourceOffset}
	d.key, d.keyIs = l.bytes(ctx, r.Topic, r.KeySchema, r.Key)
	d.value, d.valueIs = l.bytes(ctx, r.Topic, r.ValueSchema, r.Value)
	for _, h := range r.Headers {
		b, _ := l.bytes(ctx, r.Topic, h.Schema, h.Value)
		d.headers = append(d.headers, kgo.RecordHeader{Key: h.Key, Value: b})
	}
	return d
}

func (l *SourceLetters) bytes(ctx context.Context, topic string, s *connect.Schema, v any) (b []byte, is letterPart) {
	defer func() {
		if recover() != nil { // a type of the connector's own; fmt survives it
			b, is = fmt.Appendf(nil, "%+v", v), partText
		}
	}()
	for _, schema := range []*connect.Schema{s, nil} { // the schema may be what is wrong; the text has no bytes
		if b, err := l.JSON(ctx, topic, schema, v); err == nil {
			return b, partJSON
		}
	}
	return []byte(connect.FormatValue(v)), partText
}

// refusedLetter returns the letter of a record that Kafka refused, or the producer.
func refusedLetter(f *tolerance.Failure, rec *kgo.Record, partition int32, sourcePartition connect.Fields, offset connect.SourceOffset) letter {
	d := letter{failure: f, topic: rec.Topic, key: rec.Key, value: rec.Value, headers: rec.Headers, keyIs: partConverted, valueIs: partConverted,
		sourcePartition: sourcePartition, sourceOffset: offset}
	if partition >= 0 {
		d.partition = connect.ToPartition(partition)
	}
	return d
}

// record returns what is written, at most limit bytes large if that is possible; 0 is no limit. Its time is when it is
// written: a topic that keeps records for a week keeps a letter for a week, however old what failed is.
func (l *SourceLetters) record(d letter, limit int) kgo.Record {
	rec := kgo.Record{Topic: l.Topic, Partition: -1, Key: d.key, Value: d.value, Headers: l.describe(&d, l.Headers)}
	large := func() bool { return limit > 0 && serializedSize(&rec) > int64(limit) }
	if large() && rec.Value != nil {
		d.valueIs, rec.Value = partOmitted, nil
		rec.Headers = l.describe(&d, true)
	}
	if large() && rec.Key != nil {
		d.keyIs, rec.Key = partOmitted, nil
		rec.Headers = l.describe(&d, true)
	}
	return rec
}

// describe returns the record's own headers, and those that say what happened to it. What the key and value are is always
// said; the rest if context is set.
func (l *SourceLetters) describe(d *letter, context bool) []kgo.RecordHeader {
	headers := make([]kgo.RecordHeader, 0, len(d.headers)+14)
	headers = append(headers, d.headers...)
	text := func(name, value string) {
		headers = append(headers, kgo.RecordHeader{Key: letterPrefix + name, Value: []byte(value)})
	}
	if context {
		if d.topic != "" {
			text("topic", d.topic)
		}
		if n, ok := d.partition.Get(); ok {
			text("partition", strconv.Itoa(int(n)))
		}
		headers = append(headers, describeFailure(l.ID, d.failure, l.Hide)...)
		text("source.partition", storedForm(d.sourcePartition))
		text("source.offset", storedForm(offsetFields(d.sourceOffset)))
	}
	text("key.format", string(d.keyIs))
	text("value.format", string(d.valueIs))
	return headers
}

// storedForm is how a partition or offset stands in the offsets topic.
func storedForm(f connect.Fields) string {
	if f == nil {
		return "null"
	}
	b, err := offsetcodec.Value(f)
	if err != nil {
		return connect.FormatValue(map[string]any(f))
	}
	return string(b)
}

// offsetFields returns what is stored of an offset, nil if the connector's code can't say.
func offsetFields(o connect.SourceOffset) (f connect.Fields) {
	if o == nil {
		return nil
	}
	defer func() {
		if recover() != nil {
			f = nil
		}
	}()
	return o.Fields()
}

// lost is the error of a task one of whose letters could not be written.
func (l *SourceLetters) lost(err error) error {
	l.failures.Add(1)
	return fmt.Errorf("%w: topic %s: %w", errDeadLetter, l.Topic, err)
}

// givenUp puts the dead letter of a record into its place among those that are to be sent.
func (r *sourceRun) givenUp(index int, f *tolerance.Failure) error {
	s := r.newSlot(index)
	s.letter, s.partition = true, -1
	s.rec = r.Letters.record(r.Letters.polled(r.t.work, f), r.MaxRequest)
	s.size = int(letterSize(&s.rec))
	r.slotBytes += s.size
	r.Letters.requests.Add(1)
	return nil
}

// makeLetter puts its dead letter into the place of a record that could not be sent. Its slot is still in flight.
func (r *sourceRun) makeLetter(s *slot, f *tolerance.Failure) {
	r.mu.Lock()
	partition, offset := s.entry.track.partition, s.entry.offset()
	r.mu.Unlock()
	s.rec = r.Letters.record(refusedLetter(f, &s.rec, s.partition, partition, offset), r.MaxRequest)
	s.letter, s.partition, s.again = true, -1, false
	r.mu.Lock()
	r.resize(s)
	r.mu.Unlock()
	r.Letters.requests.Add(1)
}

// resize takes note of another size of a record in flight. The caller holds mu.
func (r *sourceRun) resize(s *slot) {
	size := int(letterSize(&s.rec))
	r.bytes += int64(size - s.size)
	s.size = size
}

// sendLetter sends the dead letter of a record that Kafka refused, or sends it once more. It is called on the committer's
// goroutine.
func (r *sourceRun) sendLetter(s *slot, f *tolerance.Failure) {
	if r.t.abandoned.Load() {
		return // invariant 3
	}
	if f != nil {
		r.makeLetter(s, f)
	} else {
		r.mu.Lock()
		partition, offset := s.entry.track.partition, s.entry.offset()
		r.mu.Unlock()
		locate(&s.rec, partition, offset)
	}
	s.rec.Context = s
	r.Sharing.Begin()
	defer r.Sharing.End()
	if !r.held.Load() || !r.hold(s) {
		r.Producer.Produce(s, &s.rec, r.onAck)
	}
}

// locate adds where a record came from to a letter that lacks it. One that had to be cut says where the rest is.
func locate(rec *kgo.Record, partition connect.Fields, offset connect.SourceOffset) {
	if slices.ContainsFunc(rec.Headers, func(h kgo.RecordHeader) bool { return h.Key == letterPrefix+"source.partition" }) {
		return
	}
	rec.Headers = append(rec.Headers, kgo.RecordHeader{Key: letterPrefix + "source.partition", Value: []byte(storedForm(partition))},
		kgo.RecordHeader{Key: letterPrefix + "source.offset", Value: []byte(storedForm(offsetFields(offset)))})
}

func isTooLarge(err error) bool { return isAny(err, kerr.MessageTooLarge, kerr.RecordListTooLarge) }

// cutLetter takes out of a letter what the broker found too large, and reports whether there was something to take.
func cutLetter(rec *kgo.Record) bool {
	cut := false
	mark := func(name string) {
		for i := range rec.Headers {
			if rec.Headers[i].Key == letterPrefix+name {
				rec.Headers[i].Value = []byte(partOmitted)
			}
		}
		cut = true
	}
	if rec.Value != nil {
		rec.Value = nil
		mark("value.format")
	} else if rec.Key != nil {
		rec.Key = nil
		mark("key.format")
	}
	return cut
}

// givenUp puts the dead letter of a record into its place among those that are to be sent, in the transaction of its offset.
func (r *exactlyOnceRun) givenUp(index int, f *tolerance.Failure) error {
	s := r.newSlot(index)
	s.letter = true
	s.rec = r.Letters.record(r.Letters.polled(r.sending, f), int(r.tx.MaxRequestSize))
	r.slotBytes += int(letterSize(&s.rec))
	r.Letters.requests.Add(1)
	return nil
}

// refuseLarge puts dead letters into the places of records that are too large. There must be none in a transaction: a record
// that can't be sent ends it.
func (r *exactlyOnceRun) refuseLarge(work context.Context, slots []txSlot) error {
	limit := r.tx.MaxRequestSize
	if r.Letters == nil || limit <= 0 || !r.Operator.Tolerates() {
		return nil
	}
	for i := range slots {
		s := &slots[i]
		if s.letter || serializedSize(&s.rec) <= int64(limit) {
			continue
		}
		polled := &r.polled[s.index]
		f := &tolerance.Failure{Stage: tolerance.KafkaProduce, Class: producing, Err: produceError(&s.rec, limit, kerr.MessageTooLarge), Attempts: 1, Source: polled}
		if err := r.Operator.Failed(work, f); err != nil {
			return err
		}
		s.rec = r.Letters.record(refusedLetter(f, &s.rec, s.rec.Partition, polled.SourcePartition, polled.SourceOffset), int(limit))
		s.letter = true
		r.Letters.requests.Add(1)
	}
	return nil
}
