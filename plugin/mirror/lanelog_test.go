package mirror

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/gokconnect/connect/internal/kafkatest"
	"github.com/gokconnect/connect/internal/recordbatch"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// TestLaneSaysWhy: the log tells which partitions the lane took over and gave back, and for what reason.
func TestLaneSaysWhy(t *testing.T) {
	answer := func(change func(*kmsg.FetchResponseTopicPartition), batch func(*kmsg.RecordBatch)) func(*fetched) {
		return func(f *fetched) {
			rp := kmsg.NewFetchResponseTopicPartition()
			rp.RecordBatches = batchOf(func(b *kmsg.RecordBatch) {
				b.FirstOffset = 8
				if batch != nil {
					batch(b)
				}
			})
			if change != nil {
				change(&rp)
			}
			f.resp = &kmsg.FetchResponse{Topics: []kmsg.FetchResponseTopic{{Topic: "t", Partitions: []kmsg.FetchResponseTopicPartition{rp}}}}
		}
	}
	for reason, of := range map[string]func(*fetched){
		"a broker can't be reached: cut off":                     func(f *fetched) { f.err = errors.New("cut off") },
		"a broker did not answer":                                func(f *fetched) { f.resp = new(kmsg.FetchResponse) },
		"NOT_LEADER_FOR_PARTITION":                               answer(func(rp *kmsg.FetchResponseTopicPartition) { rp.ErrorCode = 6 }, nil),
		"the log was cut short":                                  answer(func(rp *kmsg.FetchResponseTopicPartition) { rp.DivergingEpoch.EndOffset = 5 }, nil),
		"a batch is not whole, or of a format that is not known": answer(func(rp *kmsg.FetchResponseTopicPartition) { rp.RecordBatches = rp.RecordBatches[:20] }, nil),
		"a batch is corrupt": answer(func(rp *kmsg.FetchResponseTopicPartition) { // it is not believed that it is a mark
			rp.RecordBatches[22] |= recordbatch.Control
		}, nil),
		"compaction has taken records from a batch": answer(nil, func(b *kmsg.RecordBatch) { b.NumRecords = 9 }),
		"header.converter has to see the headers of records": answer(nil, func(b *kmsg.RecordBatch) {
			b.NumRecords, b.LastOffsetDelta, b.Records = 1, 0, recordsOf(kmsg.Record{Value: []byte("v"), Headers: []kmsg.Header{{Key: "h"}}})
		}),
		"batches have 62 bytes on average, and should have 4096": answer(nil, func(b *kmsg.RecordBatch) {
			b.NumRecords, b.LastOffsetDelta, b.Records = 1, 0, []byte{0}
		}),
	} {
		inLane(t, func(t *testing.T, _ *kafkatest.Cluster, task *sourceTask, p *partition) {
			var log bytes.Buffer
			task.log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
			task.lane.committed = true
			task.lane.choose(t.Context())
			if want := `msg="batches are forwarded" partitions=t-0`; !p.lane.in || !strings.Contains(log.String(), want) {
				t.Errorf("the log has no %s: %s", want, log.String())
			}
			task.lane.headers = !strings.HasPrefix(reason, "header.converter")
			f := &fetched{from: []fetchFrom{{p, p.next, p.lane.id}}}
			of(f)
			if _, err := task.lane.take(f); err != nil {
				t.Fatal(err)
			}
			if want := `msg="batches are decoded again" partitions=t-0 reason=`; p.lane.in || !strings.Contains(log.String(), want) || !strings.Contains(log.String(), reason) {
				t.Errorf("the log has no %s%s: %s", want, reason, log.String())
			}
		})
	}
}

// TestLaneSaysOnceThatBatchesAreSmall: and once more after it has forwarded some.
func TestLaneSaysOnceThatBatchesAreSmall(t *testing.T) {
	inLane(t, func(t *testing.T, _ *kafkatest.Cluster, task *sourceTask, p *partition) {
		var log bytes.Buffer
		task.log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		said := func() int {
			return strings.Count(log.String(), `msg="batches are not forwarded" partition=t-0 reason="batches have 65536 bytes on average, and should have 65537"`)
		}
		look := func(least int) {
			task.lane.allowed, task.lane.next = &answers{of: []bool{true}, least: least}, task.lane.next.Add(-laneEvery)
			task.lane.choose(t.Context())
			p.lane.size.forget()
			p.lane.size.batches.Add(1)
			p.lane.size.bytes.Add(leastSeen)
		}
		for range 3 {
			look(leastSeen + 1)
		}
		if n := said(); n != 1 || p.lane.in {
			t.Errorf("it was said %d times: %s", n, log.String())
		}
		look(0)
		if !p.lane.in {
			t.Fatal("the lane has not taken over")
		}
		task.lane.giveBack("of the test", p)
		task.lane.giveBack("of the test", p)
		p.next++ // the consumer goes on
		for range 3 {
			look(leastSeen + 1)
		}
		if n := said(); n != 2 || strings.Count(log.String(), "of the test") != 1 {
			t.Errorf("it was said %d times: %s", n, log.String())
		}
	})
}

// TestLaneSaysThatRecordsAreWatched: while somebody taps the connector.
func TestLaneSaysThatRecordsAreWatched(t *testing.T) {
	inLane(t, func(t *testing.T, _ *kafkatest.Cluster, task *sourceTask, p *partition) {
		var log bytes.Buffer
		task.log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		task.lane.choose(t.Context())
		task.lane.allowed = &answers{of: []bool{false}}
		for range 3 {
			task.lane.choose(t.Context())
		}
		if n := strings.Count(log.String(), `reason="somebody watches the records"`); n != 1 || p.lane.in {
			t.Errorf("it was said %d times: %s", n, log.String())
		}
	})
}
