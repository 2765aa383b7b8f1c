package connect

import (
	"context"
	"time"
)

// SourceConnector is a [Connector] that brings data into Kafka.
type SourceConnector interface {
	Connector
	// NewTask returns a new task, not started. It is called once for each run of a task, on whichever instance of the
	// service runs it: possibly on a connector value that was never started.
	NewTask() SourceTask
}

// SourceTask reads one part of a source. Its optional interfaces are [RecordCommitter], [BatchCommitter],
// [FreshPoller] and [HealthReporter].
//
// The runtime guarantees:
//   - Start, Poll and Stop are never called concurrently;
//   - Start is called once, before any Poll;
//   - Stop is called exactly once, after the last Poll, also when Start failed or panicked;
//   - the offset of a record is stored only when that record and every record before it with the same source partition
//     was acknowledged by Kafka, filtered on purpose, or written to a dead letter topic;
//   - records with the same source partition that go to the same Kafka partition keep their order.
type SourceTask interface {
	Task
	// Start prepares the task. An error makes the task FAILED.
	Start(ctx context.Context, tc SourceTaskContext, cfg Config) error
	// Poll returns the next records, and gives them up: the slice and all that it refers to belong to the runtime
	// until the next Poll, which may reuse the slice, and what the records refer to belongs to it for ever. It
	// waits for data as long as it likes, but returns soon after ctx is done, with or without an error; records that
	// it returns then are still delivered. It may return nil, nil. A zero SourceRecord in the slice is none: it is passed over.
	//
	// An error that [IsRetriable] makes the runtime poll again after a back-off. Any other makes the task FAILED, after
	// the offsets of all acknowledged records were stored.
	Poll(ctx context.Context) ([]SourceRecord, error)
}

// FreshPoller is an optional interface of a [SourceTask]: whether it never uses a slice again that Poll returned. The runtime
// then needs no copy of records that it has to keep until they are acknowledged. Without it each slice may be used again. It is asked
// once, before Start.
type FreshPoller interface {
	PollsFresh() bool
}

// SourceTaskContext is the runtime as a [SourceTask] sees it. It is safe for concurrent use. Its optional interface is
// [BatchForwarder].
type SourceTaskContext interface {
	TaskContext
	// Offsets returns the connector's stored source offsets.
	Offsets() OffsetReader
	// Transactions returns the means to define transaction boundaries. It is nil unless the connector runs with
	// exactly-once support and transaction.boundary=connector.
	Transactions() TransactionContext
}

// SourceRecord is a record on its way into Kafka. Only Topic is required.
type SourceRecord struct {
	Record
	// SourcePartition names the part of the source that the record comes from, such as a file or a table. Only
	// primitive values: bool, integers, floats, string, []byte or nil.
	SourcePartition Fields
	// SourceOffset is where in that part to go on after the record. Nil, and the source starts over.
	SourceOffset SourceOffset
}

// Base returns the record as a transformation sees it. Its Source method leads back to r.
func (r *SourceRecord) Base() *Record {
	r.Record.source = r
	return &r.Record
}

// Fields are the named values of a source partition or a source offset: primitive values only. When read back, every
// integer is an int64 and every float a float64, since they are stored as JSON; []byte comes back as base64 text.
type Fields map[string]any

// Fields makes Fields a [SourceOffset].
func (f Fields) Fields() Fields { return f }

// SourceOffset is an offset that can name its fields. [Fields] is the common one. A source that is in a hurry uses a
// type of its own, such as an integer, since Fields is called only for the offsets that are stored, not for every
// record: once or twice a minute. It is called on another goroutine than Poll, so the value must not change.
type SourceOffset interface {
	Fields() Fields
}

// PartitionOffset is a source partition with its stored offset, which is nil if there is none.
type PartitionOffset struct {
	Partition Fields
	Offset    Fields
}

// OffsetReader reads the stored source offsets of a connector. It is safe for concurrent use.
type OffsetReader interface {
	// Offset returns the offset that was stored last for a source partition, or nil if there is none.
	Offset(ctx context.Context, partition Fields) (Fields, error)
	// Offsets does so for many source partitions at once. Element i of the result belongs to partitions[i].
	Offsets(ctx context.Context, partitions []Fields) ([]Fields, error)
}

// RecordCommitter is an optional interface of a [SourceTask] whose source wants to hear of each record. Without it the
// source is not told.
//
// CommitRecord is called with the record as Poll returned it: with metadata when Kafka has acknowledged it, with nil
// when it was filtered, or failed and was tolerated. With exactly-once support it is called when the transaction has ended.
// It may be called concurrently with Poll, but not with itself or
// CommitBatch, and must not block: others wait. r is valid during the call only. An error is logged and has no other effect.
type RecordCommitter interface {
	CommitRecord(ctx context.Context, r *SourceRecord, metadata *RecordMetadata) error
}

// BatchCommitter is an optional interface of a [SourceTask] whose source wants to hear when offsets were stored, in order
// to give up what comes before them. Without it the source is not told.
//
// Commit is called after each time that offsets were stored, or that there were none to store
// (offset.flush.interval.ms), and once more before Stop; with exactly-once support after each transaction, and in its place
// when there is nothing to commit. It may be called concurrently with Poll. An error is logged
// and has no other effect.
type BatchCommitter interface {
	Commit(ctx context.Context) error
}

// RecordMetadata says where a record was written.
type RecordMetadata struct {
	Topic     string
	Partition int32
	Offset    int64
	Timestamp time.Time
}

// ExactlyOnceSupport is the answer of an [ExactlyOnceReporter].
type ExactlyOnceSupport int8

// Whether a source connector can take part in exactly-once delivery.
const (
	ExactlyOnceUnknown ExactlyOnceSupport = iota
	ExactlyOnceSupported
	ExactlyOnceUnsupported
)

// ExactlyOnceReporter is an optional interface of a [SourceConnector]: whether it can deliver exactly once with that
// configuration, that is, can go on exactly behind any offset that it gave. It is asked, on an instance that is not started,
// when exactly.once.support=required. Without it such a configuration is refused.
type ExactlyOnceReporter interface {
	ExactlyOnceSupport(cfg Config) (ExactlyOnceSupport, error)
}

// TransactionDefiner is an optional interface of a [SourceConnector]: whether its tasks define the boundaries of
// transactions themselves with that configuration. It is asked, on an instance that is not started, when
// transaction.boundary=connector. Without it such a configuration is refused.
type TransactionDefiner interface {
	CanDefineTransactionBoundaries(cfg Config) (bool, error)
}

// TransactionContext lets a [SourceTask] say where transactions end. A transaction begins by itself with the first
// record after the end of the last. It is safe for concurrent use.
type TransactionContext interface {
	// CommitBatch commits after the next batch that Poll returns.
	CommitBatch()
	// CommitAt commits right after the record at index of the batch that Poll returns next, or is about to return.
	CommitAt(index int)
	// AbortBatch aborts after the next batch: its records are discarded, their offsets are stored.
	AbortBatch()
	// AbortAt aborts right after the record at index of the batch that Poll returns next, or is about to return.
	AbortAt(index int)
}
