package mirror

import (
	"bytes"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// batchOf makes a batch of which nobody looks at the records.
func batchOf(change func(*kmsg.RecordBatch)) []byte {
	b := kmsg.RecordBatch{FirstOffset: 100, PartitionLeaderEpoch: 7, Magic: 2, LastOffsetDelta: 9, MaxTimestamp: 1234, ProducerID: -1, ProducerEpoch: -1, FirstSequence: -1, NumRecords: 10, Records: []byte("records")}
	if change != nil {
		change(&b)
	}
	b.Length = int32(len(b.AppendTo(nil)) - 12)
	return b.AppendTo(nil)
}

func TestCutBatch(t *testing.T) {
	one, two := batchOf(nil), batchOf(func(b *kmsg.RecordBatch) { b.FirstOffset = 110 })
	log := append(append([]byte(nil), one...), two...)
	h, batch, rest, ok := cutBatch(log)
	if want := (batchHeader{base: 100, last: 109, records: 10, epoch: 7, maxTimestamp: 1234}); !ok || h != want || !bytes.Equal(batch, one) || !bytes.Equal(rest, two) {
		t.Errorf("got %+v, %d and %d bytes, %t; want %+v", h, len(batch), len(rest), ok, want)
	}
	for n := range two {
		if _, _, rest, ok := cutBatch(two[:n]); ok || len(rest) != n {
			t.Fatalf("the first %d bytes are a batch", n)
		}
	}
}

func TestObstacle(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*kmsg.RecordBatch)
		want   string
	}{
		"plain":                 {nil, ""},
		"zstd":                  {func(b *kmsg.RecordBatch) { b.Attributes = 4 }, ""},
		"unknown compression":   {func(b *kmsg.RecordBatch) { b.Attributes = 5 }, "a batch has attributes that are not known"},
		"transactional":         {func(b *kmsg.RecordBatch) { b.Attributes = 0x10 }, ""},
		"times of the broker":   {func(b *kmsg.RecordBatch) { b.Attributes = 0x08 }, "the broker sets timestamps"},
		"with a delete horizon": {func(b *kmsg.RecordBatch) { b.Attributes = 0x40 }, "a batch has attributes that are not known"},
		"compacted":             {func(b *kmsg.RecordBatch) { b.NumRecords = 9 }, "compaction has taken records from a batch"},
		"without records":       {func(b *kmsg.RecordBatch) { b.NumRecords, b.LastOffsetDelta = 0, 0 }, "compaction has taken records from a batch"},
		"larger than a request": {func(b *kmsg.RecordBatch) { b.Records = make([]byte, largestForwards) }, "a batch is too large"},
	} {
		h, batch, _, ok := cutBatch(batchOf(c.change))
		if got := h.obstacle(batch); !ok || got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func FuzzCutBatch(f *testing.F) {
	f.Add(batchOf(nil))
	f.Fuzz(func(t *testing.T, log []byte) {
		rest := log
		for {
			h, batch, behind, ok := cutBatch(rest)
			if !ok {
				return
			}
			h.obstacle(batch)
			if len(batch) < batchHeaderSize || len(batch)+len(behind) != len(rest) || h.last < h.base {
				t.Fatalf("%d bytes became a batch of %d and %d, with %+v", len(rest), len(batch), len(behind), h)
			}
			rest = behind
		}
	})
}
