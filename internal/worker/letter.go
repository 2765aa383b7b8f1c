package worker

import (
	"slices"
	"strconv"
	"strings"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/tolerance"
	"github.com/twmb/franz-go/pkg/kgo"
)

// ReplaysKey is the header that counts how often a dead letter was replayed.
const ReplaysKey = "__connect.replays"

// DeadLetter is what a record of a topic of dead letters says of itself. What it does not say is empty.
type DeadLetter struct {
	Connector string // that wrote it
	Class     string // of the error
	OfSource  bool   // it is one of a source's: its value is not what a sink consumed
	Placed    bool   // it says where it was consumed
	Topic     string
	Partition int32
	Offset    int64
	headers   []kgo.RecordHeader // the record's own
}

// ParseDeadLetter reads the headers of a dead letter, those of Kafka Connect or of this runtime.
func ParseDeadLetter(rec *kgo.Record) DeadLetter {
	// They stand behind the record's own, which may be those of another dead letter.
	begin := len(rec.Headers)
	for begin > 0 && strings.HasPrefix(rec.Headers[begin-1].Key, letterPrefix) {
		begin--
	}
	l := DeadLetter{headers: rec.Headers}
	if last := rec.Headers[begin:]; len(last) > 0 {
		l.OfSource = last[len(last)-1].Key == letterPrefix+"value.format" || last[len(last)-1].Key == letterPrefix+"source.offset"
		for i := len(last) - 1; i >= 0; i-- {
			if last[i].Key == letterPrefix+"topic" {
				l.headers = rec.Headers[:begin+i]
				l.read(last[i:])
				break
			}
		}
	}
	return l
}

func (l *DeadLetter) read(headers []kgo.RecordHeader) {
	text := func(name string) (string, bool) {
		i := slices.IndexFunc(headers, func(h kgo.RecordHeader) bool { return h.Key == letterPrefix+name })
		if i < 0 {
			return "", false
		}
		return string(headers[i].Value), true
	}
	l.Connector, _ = text("connector.name")
	l.Class, _ = text("exception.class.name")
	l.Topic, _ = text("topic")
	partition, _ := text("partition")
	offset, _ := text("offset")
	n, err1 := strconv.ParseInt(partition, 10, 32)
	at, err2 := strconv.ParseInt(offset, 10, 64)
	if err1 == nil && err2 == nil && l.Topic != "" {
		l.Placed, l.Partition, l.Offset = true, int32(n), at
	}
}

// consumed returns the record as the connector consumed it once, with one more replay counted. The task is told that it
// comes from where it does now: what it keeps by partition and offset must not be confused with the record that failed.
func (l *DeadLetter) consumed(rec *kgo.Record) tolerance.Consumed {
	again := *rec
	again.Topic, again.Partition, again.Offset = l.Topic, l.Partition, l.Offset
	again.Headers = make([]kgo.RecordHeader, 0, len(l.headers)+1)
	times := 0
	for _, h := range l.headers {
		if h.Key == ReplaysKey {
			times, _ = strconv.Atoi(string(h.Value))
		} else {
			again.Headers = append(again.Headers, h)
		}
	}
	again.Headers = append(again.Headers, kgo.RecordHeader{Key: ReplaysKey, Value: strconv.AppendInt(nil, int64(max(times, 0))+1, 10)})
	c := consumed(&again)
	c.Raw = rec
	c.Replayed = &tolerance.Place{Partition: connect.TopicPartition{Topic: rec.Topic, Partition: rec.Partition}, Offset: rec.Offset}
	return c
}
