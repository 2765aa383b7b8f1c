package connect

import (
	"context"
	"time"
)

// SinkConnector is a [Connector] that takes data out of Kafka.
type SinkConnector interface {
	Connector
	// NewTask returns a new task, not started. It is called once for each run of a task, on whichever instance of the
	// service runs it: possibly on a connector value that was never started.
	NewTask() SinkTask
}

// SinkTask writes the records of some partitions to a target. Its optional interfaces are [PreCommitter], [Flusher],
// [PartitionOpener], [PartitionCloser], [TransactionalSink] and [HealthReporter].
//
// The runtime guarantees:
//   - no two calls into a task overlap, those of its optional interfaces included;
//   - Start is called once, first; Stop exactly once, last, also when Start failed or panicked;
//   - records of one Kafka partition come in the order of their offsets; after an error that [IsRetriable], the same
//     batch comes again before any other;
//   - between opening and closing a partition no other task of the connector has it;
//   - an offset is committed only behind records for which Put returned nil, that were filtered on purpose, or that were
//     written to a dead letter topic.
type SinkTask interface {
	Task
	// Start prepares the task. An error makes the task FAILED.
	Start(ctx context.Context, tc SinkTaskContext, cfg Config) error
	// Put writes records. The slice may be empty: Put is also called when there was nothing to consume. The slice and
	// the records belong to the task until it returns; Key, Value, Headers and what they refer to belong to it for ever.
	//
	// Records need not be durable when Put returns nil if the task has a [Flusher] or [PreCommitter]. An error that
	// [IsRetriable] brings the same batch again after a back-off; a *[BatchError] says which records failed. A *[DataError]
	// says that a record of the batch is at fault, but not which one: where errors.tolerance is all, the runtime finds it by
	// putting ever smaller parts of the batch, in order, so that a record may be put more than once. Any other error makes
	// the task FAILED without committing the batch.
	Put(ctx context.Context, records []SinkRecord) error
}

// SinkTaskContext is the runtime as a [SinkTask] sees it. Unless a method says otherwise it must be called from within
// a call of the runtime into the task, on the same goroutine.
type SinkTaskContext interface {
	TaskContext
	// Partitions returns control over what is consumed.
	Partitions() SinkPartitions
	// Timeout sets how long the runtime waits at most for records before the next Put, which after an error that
	// [IsRetriable] is the back-off. It holds for one time; d ≤ 0 is ignored.
	Timeout(d time.Duration)
	// RequestCommit asks for a commit of offsets soon. Safe for concurrent use.
	RequestCommit()
	// ErrantRecordReporter returns the way to give up single records, or nil if neither a dead letter topic nor the
	// logging of errors is configured.
	ErrantRecordReporter() ErrantRecordReporter
}

// SinkPartitions is the consumer as a [SinkTask] sees it. Its methods must be called from within a call of the runtime
// into the task, on the same goroutine.
type SinkPartitions interface {
	// Assigned returns the partitions that the task has, sorted.
	Assigned() []TopicPartition
	// Seek makes the task go on at these offsets: for targets that keep their own offsets, and to read again. It takes
	// effect after the current call; what Put was given already is not taken back.
	Seek(offsets map[TopicPartition]int64)
	// Pause stops the delivery of partitions until Resume. It fails with [ErrIllegalState] if one is not assigned.
	Pause(partitions ...TopicPartition) error
	// Resume undoes Pause. It fails with [ErrIllegalState] if one is not assigned.
	Resume(partitions ...TopicPartition) error
}

// SinkRecord is a record on its way out of Kafka.
type SinkRecord struct {
	Record
	// TimestampType says what Timestamp means.
	TimestampType TimestampType
	// Origin is where the record was consumed, which transformations don't change: use it to track offsets.
	Origin TopicPartition
	// Offset is the record's offset in Origin.
	Offset int64
	// Consumed is the runtime's own note of the record as it was consumed. It means nothing to tasks, which only copy it
	// along: an [ErrantRecordReporter] writes the record from it, also long after Put.
	Consumed any
}

// Base returns the record as a transformation sees it. Its Sink method leads back to r.
func (r *SinkRecord) Base() *Record {
	r.Record.sink = r
	return &r.Record
}

// TimestampType says what the timestamp of a consumed record means.
type TimestampType int8

// The meanings of a timestamp.
const (
	NoTimestampType TimestampType = iota
	CreateTime                    // set by the producer
	LogAppendTime                 // set by the broker
)

// String returns the name as Kafka prints it.
func (t TimestampType) String() string {
	switch t {
	case CreateTime:
		return "CreateTime"
	case LogAppendTime:
		return "LogAppendTime"
	}
	return "NoTimestampType"
}

// SinkOffsets are the next offsets to consume, by partition.
type SinkOffsets map[TopicPartition]int64

// PreCommitter is an optional interface of a [SinkTask] that decides itself what may be committed. PreCommit gets the
// offsets behind the last records that were put, and returns those behind which everything is durable: the ones to
// commit. An offset above what it was given, and a partition that the task does not have, are ignored; what it leaves
// out is not committed. After an error nothing is committed, and the task continues with the records behind the last
// commit. Without it, the runtime calls [Flusher] if there is one, and commits everything that was put.
type PreCommitter interface {
	PreCommit(ctx context.Context, offsets SinkOffsets) (SinkOffsets, error)
}

// Flusher is an optional interface of a [SinkTask] that buffers. Flush makes all that was put durable, and is called
// before offsets are committed. After an error nothing is committed, and the task continues with the records behind the
// last commit. It is not called if the task is a [PreCommitter]. Without it what was put counts as durable.
type Flusher interface {
	Flush(ctx context.Context, offsets SinkOffsets) error
}

// PartitionOpener is an optional interface of a [SinkTask] that hears which partitions it gets: only the new ones,
// before any of their records. An error makes the task FAILED. Without it the task learns of a partition by its records.
type PartitionOpener interface {
	OpenPartitions(ctx context.Context, partitions []TopicPartition) error
}

// PartitionCloser is an optional interface of a [SinkTask] that hears which partitions it loses, after their last record
// was put and before the final commit of their offsets, and once more before Stop. After partitions were lost without
// notice there is no commit. An error makes the task FAILED. Without it the task is not told.
type PartitionCloser interface {
	ClosePartitions(ctx context.Context, partitions []TopicPartition) error
}

// TransactionalSink is an optional interface of a [SinkTask] whose target stores the offsets together with the data,
// which makes delivery exactly once. CommittedOffsets returns the next offset to consume for those of the partitions
// that the target knows; the runtime asks when the partitions were opened, and consumes from there instead of Kafka's
// committed offset. Offsets are committed to Kafka all the same, for tools that show lag.
type TransactionalSink interface {
	CommittedOffsets(ctx context.Context, partitions []TopicPartition) (SinkOffsets, error)
}

// ErrantRecordReporter takes records that a sink gives up. It is safe for concurrent use.
type ErrantRecordReporter interface {
	// Report writes the record, as it was consumed, to the dead letter topic and the log, as configured. It returns
	// before that is done: the runtime waits for it before it commits the record's offset. With errors.tolerance=none
	// it fails, and so does the task.
	Report(ctx context.Context, r *SinkRecord, cause error) (Report, error)
}

// Report is the state of one reported record.
type Report interface {
	// Wait waits until the record is written or can't be.
	Wait(ctx context.Context) error
}
