package worker

import (
	"context"
	"testing"

	"github.com/gokconnect/connect"
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
