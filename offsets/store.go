// Package offsets keeps the positions that source connectors have read to.
//
// A [Store] is where they are kept: in memory, in a file, in a compacted topic of Kafka, or in a place of your own;
// package offsetstest tests whether that keeps to the contract. A [Writer] gathers the offsets of a task and flushes
// them, a [Reader] is what a connector reads its own through.
//
// The file and the topic have the form that Kafka Connect gives them, to the byte: either takes over from the other.
package offsets

import (
	"context"
	"io"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/offsetcodec"
)

// Store keeps the offsets of source connectors: for every connector, by its name, an offset for each source partition.
// It is safe for concurrent use. Its optional interfaces are [Starter] and [io.Closer].
//
// Partitions and offsets hold primitive values only, see [connect.Fields]; one that does not is a
// *[connect.DataError]. Two partitions are the same if their fields are, whatever the width of their integers. A nil
// partition is one like any other, and not the same as one without fields.
//
// The contract of every implementation:
//   - an offset that Set stored is what Get and List return once Set has returned nil, on every instance of the
//     service that uses the same store;
//   - Get returns element i for partitions[i], and nil for a partition that has no offset;
//   - an offset without fields is an offset: it comes back as one that is not nil;
//   - what comes back has an int64 for every integer and a float64 for every float, and base64 text for []byte; a float
//     that is not a number comes back as text;
//   - List returns every partition of a connector that has an offset, each once, but not the nil partition;
//   - Set of a nil offset removes the offset, and is no error when there is none;
//   - of several entries for one partition in one Set the last wins;
//   - when Set fails, some of its entries may be stored: the caller repeats it;
//   - an entry that can't be stored fails the Set before anything is stored;
//   - the offsets of one connector have no influence on those of another;
//   - a call that ctx ends returns an error soon;
//   - what is given to Set, and what Get and List return, is the caller's: the store keeps no reference to it.
type Store interface {
	// Get returns the offsets of some partitions of a connector.
	Get(ctx context.Context, connector string, partitions []connect.Fields) ([]connect.Fields, error)
	// List returns all partitions of a connector that have an offset, with it, in no particular order.
	List(ctx context.Context, connector string) ([]connect.PartitionOffset, error)
	// Set stores offsets of a connector, or removes those that are nil.
	Set(ctx context.Context, connector string, entries []connect.PartitionOffset) error
}

// Starter is an optional interface of a [Store] that must be made ready: the file is read, the topic is created and read
// to its end. The runtime calls it once, before any other call, and [io.Closer] after the last. Without it the store
// is always ready. When Start fails, Close is not called.
type Starter interface {
	Start(ctx context.Context) error
}

// Start makes a store ready, if it has to be.
func Start(ctx context.Context, s Store) error {
	if starter, ok := connect.As[Starter](s); ok {
		return starter.Start(ctx)
	}
	return nil
}

// Close releases what a store holds, if it holds something.
func Close(s Store) error {
	if closer, ok := connect.As[io.Closer](s); ok {
		return closer.Close()
	}
	return nil
}

// Validate returns a *[connect.DataError] unless a partition or offset can be stored: it is nil, or holds primitive
// values only.
func Validate(partitionOrOffset connect.Fields) error { return offsetcodec.Validate(partitionOrOffset) }
