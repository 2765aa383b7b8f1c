package mirror

import (
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kgo"
)

// fetchSize bounds the memory of fetches. How much a fetch takes depends on how well records are compressed and how small
// they are, so that its size in bytes, which is what can be asked for, follows what fetches turned out to take: large
// fetches where they are cheap, for clusters that are far away, and small ones of what grows a lot.
type fetchSize struct {
	fixed        bool // the configuration says how large fetches are
	size         int32
	wire, memory atomic.Int64 // of what was fetched since the last adjustment
}

const (
	fetchMemory  = 2 << 20   // of a fetch, about
	recordMemory = 208       // of a record besides its bytes
	leastFetch   = 64 << 10  // bytes
	mostFetch    = 4 << 20   // bytes
	adjustAfter  = 256 << 10 // bytes
)

// OnFetchBatchRead takes note of what a batch takes. The client calls it.
func (f *fetchSize) OnFetchBatchRead(_ kgo.BrokerMetadata, _ string, _ int32, m kgo.FetchBatchMetrics) {
	f.wire.Add(int64(m.CompressedBytes))
	f.memory.Add(int64(m.UncompressedBytes) + int64(m.NumRecords)*recordMemory)
}

// adjust changes the size of the next fetches, if that makes a difference.
func (f *fetchSize) adjust(cl *kgo.Client) {
	if f.fixed || f.wire.Load() < adjustAfter {
		return
	}
	wire, memory := f.wire.Swap(0), f.memory.Swap(0)
	size := sizeOfFetch(wire, memory)
	if size > f.size-f.size/4 && size < f.size+f.size/4 {
		return
	}
	f.size = size
	cl.UpdateFetchMaxBytes(size, min(size, 1<<20))
}

// sizeOfFetch returns how large fetches should be when so many bytes took so much memory.
func sizeOfFetch(wire, memory int64) int32 {
	return int32(min(max(fetchMemory*wire/max(memory, 1), leastFetch), mostFetch))
}
