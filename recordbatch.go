package connect

// RecordBatch is a batch of records as it stands in a log of Kafka (magic 2), as the Value of a [SourceRecord]: one record
// of a source task that stands for all of the batch. The runtime writes it as it is, without decoding it: it passes no
// transformation and no converter, and taps do not see it. A task returns one, and no pointer to one, only while a
// [BatchForwarder] says that it may.
//
// The record has a Topic and a Partition that is set; its SourceOffset is that of the last record of the batch. It has no
// key and no headers, and its Timestamp is not written: the batch has those of its records. It counts as acknowledged when all of the batch
// is. [RecordCommitter].CommitRecord is then called once, with the metadata of the last record of the batch as it stands in
// the target: its offset, which is -1 if Kafka did not say, and the latest time of the batch.
//
// Whether the batch was part of a transaction where it comes from is lost: it must have committed records only, and no
// control records. A batch that Kafka does not take in this form, such as one with gaps that compaction left or with the
// time of a log, is written as the records that it has.
//
// A batch that comes though it may not, or that is not what is said here, makes the task FAILED, as [Fatal] does: the task would return it
// again. Only after a wrong checksum the task is restarted as after any other error: the batch may be right when it is read once more.
type RecordBatch struct {
	// Bytes are the batch, whole and alone, with its header of 61 bytes, whose checksum must be right. They belong to the
	// runtime, which changes the header.
	Bytes []byte
	// Records is how many records the batch has, at least one. Metrics count them, not the batch.
	Records int
}

// BatchForwarder is an optional interface of a [SourceTaskContext]: whether records may have a [RecordBatch] as value now. With
// headers it answers for batches of any records, without for those whose records have no headers, which no header converter has to see. It
// is asked before each Poll that may return some, on the goroutine of Poll: the answer holds for the records of that Poll,
// and may be another one the next time. Without it they may not.
//
//	func (t *task) Start(_ context.Context, tc connect.SourceTaskContext, _ connect.Config) error {
//		t.forwarder, _ = connect.As[connect.BatchForwarder](tc)
//		return nil
//	}
//
//	func (t *task) Poll(ctx context.Context) ([]connect.SourceRecord, error) {
//		if t.forwarder != nil && t.forwarder.ForwardsBatches(true) {
//			return t.batches(ctx)
//		}
//		return t.records(ctx)
//	}
//
// They may where nothing has to see single records, or to write them in another way:
//   - the connector has no transformations, and its key.converter and value.converter are [ByteArrayConverter]; so is its header.converter, or
//     only batches without headers may be forwarded;
//   - errors.tolerance is none, there is no throttle, delivery is at least once, and the producer's acks are all;
//   - the producer has no compression.type, of the worker or of the connector, not even none;
//   - the runtime adds no headers of traces, and does not do as Kafka Connect does (cluster.Config.TraceHeaders, cluster.KafkaConnectDefaults);
//   - nobody watches the connector at the moment (cluster.Runtime.Tap).
type BatchForwarder interface {
	ForwardsBatches(headers bool) bool
	// LeastBatch returns how many bytes of batches should be on their way at a time: of each partition it is one batch, so that small
	// ones arrive later than their records would, where Kafka takes long to answer. The batches of a task with one partition should
	// have that many bytes on average, those of one that reads n partitions an n-th of it. It is math.MaxInt32 while it is not known how long
	// Kafka takes, which is found out within moments of the first call: what is sent before may have a long way. It is safe for concurrent use.
	LeastBatch() int
}
