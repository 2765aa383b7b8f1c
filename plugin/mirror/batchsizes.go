package mirror

import (
	"fmt"
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	leastBatch = 4 << 10 // bytes of a batch, on average, that is worth to be forwarded
	// mostShares is into how many parts what should be on its way to the target is divided, at most: of more partitions not all need be
	// busy.
	mostShares = 8
)

// least returns how many bytes batches must have on average to be forwarded.
func (l *batchLane) least() int {
	return max(leastBatch, l.allowed.LeastBatch()/min(max(len(l.t.parts), 1), mostShares))
}

// batchSizes is how large the batches of a partition are that the consumer has read of late.
type batchSizes struct{ batches, bytes atomic.Int64 }

// seen reports whether enough were read to judge them.
func (s *batchSizes) seen() bool { return s.bytes.Load() >= leastSeen }

// large reports whether they are worth to be forwarded.
func (s *batchSizes) large(least int) bool { return s.bytes.Load() >= s.batches.Load()*int64(least) }

// average returns how large they are.
func (s *batchSizes) average() int { return int(s.bytes.Load() / max(s.batches.Load(), 1)) }

// forget has them judged anew.
func (s *batchSizes) forget() {
	s.batches.Store(0)
	s.bytes.Store(0)
}

// small says that batches are.
func small(average, least int) string {
	return fmt.Sprintf("batches have %d bytes on average, and should have %d", average, least)
}

// sizesByPartition takes note of batches as the client reads them.
type sizesByPartition map[TopicPartition]*batchSizes

var _ kgo.HookFetchBatchRead = sizesByPartition{}

// OnFetchBatchRead is called by the client.
func (s sizesByPartition) OnFetchBatchRead(_ kgo.BrokerMetadata, topic string, number int32, m kgo.FetchBatchMetrics) {
	if p := s[TopicPartition{Topic: topic, Partition: number}]; p != nil {
		p.batches.Add(1)
		p.bytes.Add(int64(m.CompressedBytes))
	}
}
