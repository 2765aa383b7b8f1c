package mirror

// OffsetSyncQueue decides which of the records that were copied become an [OffsetSync]: those where the distance between
// the offsets of both clusters changed, and one now and then. It is what the tasks of MirrorSourceConnector decide by, for
// tools that copy records in another way. It is not safe for concurrent use.
//
// Of the others, the newest of each partition is kept back until [OffsetSyncQueue.Promote], so that a partition that falls
// silent is known up to its end.
type OffsetSyncQueue struct {
	queue      syncQueue
	partitions map[TopicPartition]*partition
}

// NewOffsetSyncQueue returns a queue. A partition that went on by maxLag offsets since its last offset sync gets another
// (offset.lag.max).
func NewOffsetSyncQueue(maxLag int64) *OffsetSyncQueue {
	return &OffsetSyncQueue{queue: syncQueue{maxLag: maxLag}, partitions: make(map[TopicPartition]*partition)}
}

// Record takes note of a record that arrived on the target. Those of a partition come in order.
func (q *OffsetSyncQueue) Record(tp TopicPartition, upstream, downstream int64) {
	p := q.partitions[tp]
	if p == nil {
		p = &partition{TopicPartition: tp}
		q.partitions[tp] = p
	}
	q.queue.record(p, upstream, downstream)
}

// Promote makes pending what was kept back.
func (q *OffsetSyncQueue) Promote() { q.queue.commit() }

// Pending returns the offset syncs to write, in order. They stay until [OffsetSyncQueue.Sent].
func (q *OffsetSyncQueue) Pending() []OffsetSync { return q.queue.pending.syncs() }

// Delayed returns those that are kept back, in order.
func (q *OffsetSyncQueue) Delayed() []OffsetSync { return q.queue.delayed.syncs() }

// Sent takes away the first n pending offset syncs: they were given to a producer.
func (q *OffsetSyncQueue) Sent(n int) {
	for range n {
		q.queue.take()
	}
}

func (l *syncList) syncs() []OffsetSync {
	var list []OffsetSync
	for e := l.first; e != nil; e = e.next {
		list = append(list, OffsetSync{TopicPartition: e.part.TopicPartition, Upstream: e.upstream, Downstream: e.downstream})
	}
	return list
}
