package mirror

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/gokconnect/connect"
	"github.com/twmb/franz-go/pkg/kgo"
)

// BenchmarkConvert measures what a task makes of fetched records, and what it does when they have arrived: offset syncs,
// which are due once in a hundred, are only queued. Fetches of 2000 records of 100 bytes. One operation is one record.
func BenchmarkConvert(b *testing.B) {
	const size = 2000
	tp := TopicPartition{Topic: "t"}
	p := &partition{TopicPartition: tp, remote: "A.t", source: sourcePartition("A", tp), next: 0}
	t := &sourceTask{log: slog.New(slog.DiscardHandler), maxPoll: size, parts: map[TopicPartition]*partition{tp: p}, topics: map[string]*sourceTopic{"t": {id: [16]byte{1}}}}
	w := &syncWriter{queue: syncQueue{maxLag: 100}, inFlight: maxSyncsInFlight, log: t.log}
	t.syncs = w
	records := make([]*kgo.Record, size)
	for i := range records {
		records[i] = &kgo.Record{Topic: "t", Value: []byte(strings.Repeat("x", 100))}
	}
	fetches := kgo.Fetches{{Topics: []kgo.FetchTopic{{Topic: "t", Partitions: []kgo.FetchPartition{{Records: records}}}}}}
	b.ReportAllocs()
	offset := int64(0)
	for n := 0; n < b.N; n += size {
		for _, r := range records {
			r.Offset = offset
			offset++
		}
		batch, err := t.convert(fetches, false)
		if err != nil {
			b.Fatal(err)
		}
		m := &connect.RecordMetadata{}
		for i := range batch {
			m.Offset = offset - size + int64(i)
			if err := t.CommitRecord(b.Context(), &batch[i], m); err != nil {
				b.Fatal(err)
			}
		}
	}
}
