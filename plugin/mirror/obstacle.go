package mirror

import "github.com/gokconnect/connect/internal/recordbatch"

const (
	lastCodec       = 4       // of those that are known
	largestForwards = 1 << 20 // bytes of a batch that is forwarded: brokers take it unless they are told not to
)

// obstacle returns why a broker does not take a batch as it is from a producer, or "": it does if no record of it has gone, which
// compaction may do, its timestamps are those of a producer, and its size is usual.
func obstacle(b recordbatch.Batch) string {
	attributes := b.Attributes()
	switch {
	case attributes&recordbatch.LogAppendTime != 0:
		return "the broker sets timestamps"
	case attributes&^(recordbatch.Compression|recordbatch.Transactional) != 0 || attributes&recordbatch.Compression > lastCodec:
		return "a batch has attributes that are not known"
	case b.Records() <= 0 || !b.Gapless():
		return "compaction has taken records from a batch"
	case len(b) > largestForwards:
		return "a batch is too large"
	}
	return ""
}
