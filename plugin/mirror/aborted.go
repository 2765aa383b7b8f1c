package mirror

import (
	"cmp"
	"slices"

	"github.com/gokconnect/connect/internal/recordbatch"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// abortedTransactions tells the batches of a fetch that were aborted from those that were committed. A broker says who began one, and at
// which offset; it ends with the producer's next mark.
type abortedTransactions struct {
	begin   []kmsg.FetchResponseTopicPartitionAbortedTransaction // those behind the last batch, by their offsets
	aborted map[int64]bool                                       // the producers of those that go on
}

func newAbortedTransactions(list []kmsg.FetchResponseTopicPartitionAbortedTransaction) *abortedTransactions {
	if len(list) == 0 {
		return nil
	}
	begin := slices.SortedFunc(slices.Values(list), func(a, b kmsg.FetchResponseTopicPartitionAbortedTransaction) int {
		return cmp.Compare(a.FirstOffset, b.FirstOffset)
	})
	return &abortedTransactions{begin: begin, aborted: make(map[int64]bool)}
}

// has reports whether the next batch of the log is part of one.
func (a *abortedTransactions) has(b recordbatch.Batch) bool {
	if a == nil {
		return false
	}
	for len(a.begin) > 0 && a.begin[0].FirstOffset <= b.LastOffset() {
		a.aborted[a.begin[0].ProducerID] = true
		a.begin = a.begin[1:]
	}
	if b.Attributes()&recordbatch.Control != 0 {
		delete(a.aborted, b.ProducerID())
		return false
	}
	return b.Attributes()&recordbatch.Transactional != 0 && a.aborted[b.ProducerID()]
}
