package worker

import (
	"context"
	"testing"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/clients"
	"github.com/twmb/franz-go/pkg/kgo"
)

type hears struct{}

func (hears) CommitRecord(context.Context, *connect.SourceRecord, *connect.RecordMetadata) error {
	return nil
}

// TestChunkMemory checks when the memory of records that were sent is used again: never while someone may still look at it.
func TestChunkMemory(t *testing.T) {
	const n = chunkRecords
	for name, c := range map[string]struct {
		inFlight int  // of other records
		unsent   bool // they are still being sent
		resent   bool // one of them is sent once more
		settled  int
		reused   bool
	}{
		"all settled":          {inFlight: 1, settled: n, reused: true},
		"one on its way":       {inFlight: 1, settled: n - 1},
		"still being sent":     {inFlight: 1, settled: n, unsent: true},
		"one sent again":       {inFlight: 1, settled: n, resent: true},
		"nothing else is sent": {settled: n},
	} {
		t.Run(name, func(t *testing.T) {
			r := &sourceRun{wake: make(chan struct{}, 1), room: make(chan struct{}, 1), inFlight: n + c.inFlight, commitRecord: hears{}}
			slots := r.newSlots(n)[:n]
			for i := range slots {
				slots[i].rec.Topic, slots[i].polled, slots[i].entry = "t", new(connect.SourceRecord), r.track.add(nil, nil, 1)
			}
			chunk := r.newChunk(slots)
			for i := range slots {
				slots[i].chunk = chunk
			}
			if c.resent {
				r.sendLater(&slots[0])
			}
			if !c.unsent {
				chunk.sent = true
				r.reuse(chunk)
			}
			for i := range slots[:c.settled] {
				r.settleSlot(&slots[i], nil)
			}
			if len(r.settled) != c.settled {
				t.Errorf("%d records are to be told of, want %d", len(r.settled), c.settled)
			}
			for i, s := range r.settled {
				if s.record == nil || s.metadata == nil || s.metadata.Topic != "t" {
					t.Errorf("record %d is told of as %v, %v", i, s.record, s.metadata)
				}
			}
			again := r.newSlots(n)
			if reused := &again[:1][0] == &slots[0]; reused != c.reused {
				t.Fatalf("memory used again: %v, want %v", reused, c.reused)
			}
			for i := range again[:cap(again)] {
				if s := &again[:cap(again)][i]; s.rec.Topic != "" || s.chunk != nil {
					t.Fatalf("slot %d is not empty: topic %q", i, s.rec.Topic)
				}
			}
		})
	}
}

// acking is a producer that has written each record before Produce returns.
type acking struct{ Producer }

func (acking) Produce(_ context.Context, r *kgo.Record, promise func(*kgo.Record, error)) {
	promise(r, nil)
}

// looking makes topics and partitions that lack, and looks at what can be used again meanwhile.
type looking func()

func (f looking) Ensure(context.Context, string) error { f(); return nil }

func (f looking) AwaitPartition(_ context.Context, _ string, partition int32) (int32, error) {
	f()
	return partition + 1, nil
}

// TestMemoryOfSplitChunks: where records wait for a topic or a partition, what was sent before them is used again alone.
func TestMemoryOfSplitChunks(t *testing.T) {
	const n, first = chunkRecords, leastReused + 10
	for name, other := range map[string]struct {
		topic     string
		partition int32
	}{"topic": {"u", 0}, "partition": {"t", 1}} {
		t.Run(name, func(t *testing.T) {
			r := &sourceRun{t: new(Task), wake: make(chan struct{}, 1), room: make(chan struct{}, 1), inFlight: 1,
				known: map[string]struct{}{"t": {}}, has: map[string]int32{"t": 1, "u": 1}, polled: make([]connect.SourceRecord, n)}
			r.MaxBytes, r.MaxRecords, r.Producer, r.Sharing, r.onAck = 1<<30, 1<<20, acking{}, clients.NewSharing(), r.acked
			looked := 0
			f := looking(func() {
				looked++
				if len(r.free) != 1 {
					t.Fatalf("%d pieces of memory can be used again, want that of what was sent", len(r.free))
				}
				if got := cap(r.free[0]); got != first {
					t.Errorf("there is room for %d records, want %d: the others were not sent yet", got, first)
				}
			})
			r.Topics, r.partitions = f, f
			for i := range n {
				s := r.newSlot(i)
				s.rec.Topic = "t"
				if i >= first {
					s.rec.Topic, s.partition = other.topic, other.partition
				}
			}
			if err := r.dispatch(t.Context()); err != nil || looked != 1 || r.sent != n {
				t.Errorf("looked %d times, sent %d, %v", looked, r.sent, err)
			}
		})
	}
}
