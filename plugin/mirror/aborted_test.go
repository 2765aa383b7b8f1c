package mirror

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/kafkatest"
	"github.com/gokconnect/connect/internal/recordbatch"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// txLog is a partition with transactions of several producers.
type txLog struct {
	batches   []recordbatch.Batch
	next      int64
	open      map[int64][]int64 // offsets of records, by the producers of transactions that go on
	committed []int64           // offsets of records
	aborted   []abortedRange    // by their marks
}

type abortedRange struct{ producer, first, mark int64 }

// add writes n records; a mark is one, too.
func (l *txLog) add(producer int64, attributes uint16, n int) (offsets []int64) {
	l.batches = append(l.batches, batchOf(func(b *kmsg.RecordBatch) {
		b.FirstOffset, b.LastOffsetDelta, b.NumRecords, b.ProducerID, b.Attributes = l.next, int32(n-1), int32(n), producer, int16(attributes)
	}))
	for range n {
		offsets = append(offsets, l.next)
		l.next++
	}
	return offsets
}

// end ends a producer's transaction, which may have no records here.
func (l *txLog) end(producer int64, commit bool) {
	switch records := l.open[producer]; {
	case commit:
		l.committed = append(l.committed, records...)
	case len(records) > 0:
		l.aborted = append(l.aborted, abortedRange{producer, records[0], l.next})
	}
	delete(l.open, producer)
	l.add(producer, recordbatch.Control|recordbatch.Transactional, 1)
}

// fetch returns what a broker answers about n batches.
func (l *txLog) fetch(first, n int) *kmsg.FetchResponseTopicPartition {
	rp := kmsg.NewFetchResponseTopicPartition()
	batches := l.batches[first : first+n]
	for _, b := range batches {
		rp.RecordBatches = append(rp.RecordBatches, b...)
	}
	for _, a := range l.aborted {
		if a.mark >= batches[0].FirstOffset() && a.first <= batches[n-1].LastOffset() {
			rp.AbortedTransactions = append(rp.AbortedTransactions, kmsg.FetchResponseTopicPartitionAbortedTransaction{ProducerID: a.producer, FirstOffset: a.first})
		}
	}
	return &rp
}

// randomLog returns one of which all transactions have ended.
func randomLog(random *rand.Rand) *txLog {
	l := &txLog{open: make(map[int64][]int64)}
	for range 5 + random.IntN(40) {
		switch producer := int64(random.IntN(5)) - 1; {
		case producer < 0: // compaction has left nothing of it but its offsets
			l.batches = append(l.batches, batchOf(func(b *kmsg.RecordBatch) {
				b.FirstOffset, b.LastOffsetDelta, b.NumRecords, b.Records = l.next, 1, 0, nil
			}))
			l.next += 2
		case producer == 0:
			l.committed = append(l.committed, l.add(-1, 0, 2)...)
		case random.IntN(3) == 0:
			l.end(producer, random.IntN(2) == 0)
		default:
			l.open[producer] = append(l.open[producer], l.add(producer, recordbatch.Transactional, 1+random.IntN(3))...)
		}
	}
	for producer := range int64(4) {
		if len(l.open[producer]) > 0 {
			l.end(producer, random.IntN(2) == 0)
		}
	}
	slices.Sort(l.committed)
	return l
}

// TestAbortedTransactions: the lane copies what was committed, wherever its fetches begin and end.
func TestAbortedTransactions(t *testing.T) {
	inLane(t, func(t *testing.T, _ *kafkatest.Cluster, task *sourceTask, p *partition) {
		p.lane.in, task.lane.committed, task.lane.headers = true, true, true
		for seed := range uint64(300) {
			random := rand.New(rand.NewPCG(seed, 1))
			l := randomLog(random)
			var got []int64
			p.next = 0
			for at, n := 0, 0; at < len(l.batches); at += n {
				n = 1 + random.IntN(len(l.batches)-at)
				var records []connect.SourceRecord
				if _, err := task.lane.takePartition(p, l.fetch(at, n), &records); err != nil {
					t.Fatal(err)
				}
				for _, r := range records {
					count := int64(r.Value.(connect.RecordBatch).Records)
					for i := range count {
						got = append(got, r.SourceOffset.(*position).offset-count+1+i)
					}
				}
			}
			if !slices.Equal(got, l.committed) || p.next != l.next {
				t.Fatalf("seed %d: copied %v up to %d, want %v up to %d; aborted were %+v", seed, got, p.next, l.committed, l.next, l.aborted)
			}
		}
	})
}
