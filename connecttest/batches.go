package connecttest

import (
	"sync"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/recordbatch"
)

// Batches are the answers of a runtime to tasks that want to return batches of records: see [connect.BatchForwarder]. The zero Batches
// allow none, as a runtime whose configuration has something to do with single records. They are safe for concurrent use, and can change at any
// time, as when somebody begins to watch a connector.
type Batches struct {
	mu           sync.Mutex
	may, headers bool
	least        int
}

// Allow allows batches of records; without headers only those whose records have none.
func (b *Batches) Allow(headers bool) { b.set(func() { b.may, b.headers = true, headers }) }

// Forbid undoes Allow.
func (b *Batches) Forbid() { b.set(func() { b.may, b.headers = false, false }) }

// SetLeast sets what LeastBatch returns, which is 0 otherwise.
func (b *Batches) SetLeast(bytes int) { b.set(func() { b.least = bytes }) }

func (b *Batches) set(f func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f()
}

func (b *Batches) answer() (may, headers bool, least int) {
	if b == nil {
		return false, false, 0
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.may, b.headers, b.least
}

// permitted returns the records before the first one that is a batch and may not be one, and why it may not; all and nil if there is none.
func permitted(batch []connect.SourceRecord, allowed bool) ([]connect.SourceRecord, error) {
	for i := range batch {
		if err := recordbatch.Check(i, &batch[i], allowed); err != nil {
			return batch[:i], err
		}
	}
	return batch, nil
}

// timeOf returns the timestamp that a record has in Kafka.
func timeOf(r *connect.SourceRecord) time.Time {
	if b, ok := r.Value.(connect.RecordBatch); ok {
		return time.UnixMilli(recordbatch.Batch(b.Bytes).MaxTimestamp())
	}
	return r.Timestamp
}
