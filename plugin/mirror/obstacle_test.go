package mirror

import (
	"testing"

	"github.com/gokconnect/connect/internal/recordbatch"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// batchOf makes a batch of which nobody looks at the records.
func batchOf(change func(*kmsg.RecordBatch)) recordbatch.Batch {
	b := kmsg.RecordBatch{FirstOffset: 100, PartitionLeaderEpoch: 7, Magic: 2, LastOffsetDelta: 9, MaxTimestamp: 1234, ProducerID: -1, ProducerEpoch: -1, FirstSequence: -1, NumRecords: 10, Records: []byte("records")}
	if change != nil {
		change(&b)
	}
	batch := recordbatch.Batch(b.AppendTo(nil))
	batch.Seal()
	return batch
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
		if got := obstacle(batchOf(c.change)); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
