package mirror

// OffsetSyncQueue decides which records become an [OffsetSync]: those where the distance between the offsets of both
// clusters changed, and one now and then. It is not safe for concurrent use.
//
// Records that don't wait as delayed ones, the newest of each partition, until [OffsetSyncQueue.Promote], so that a partition that
// falls quiet is known up to its end.
type OffsetSyncQueue struct {
	maxLag     int64
	partitions map[TopicPartition]*syncState
	pending    syncMap
	delayed    syncMap
}

// NewOffsetSyncQueue returns a queue. A partition that went on by maxLag offsets since its last offset sync gets another
// (offset.lag.max).
func NewOffsetSyncQueue(maxLag int64) *OffsetSyncQueue {
	return &OffsetSyncQueue{maxLag: maxLag, partitions: make(map[TopicPartition]*syncState)}
}

// syncState is what is known of a partition.
type syncState struct {
	previousUpstream, previousDownstream int64
	lastSyncDownstream                   int64
	due                                  bool
}

// Record takes note of a record that was copied. Those of a partition come in order.
func (q *OffsetSyncQueue) Record(tp TopicPartition, upstream, downstream int64) {
	s := q.partitions[tp]
	if s == nil {
		s = &syncState{-1, -1, -1, true}
		q.partitions[tp] = s
	}
	if s.due || downstream-(s.lastSyncDownstream+1) >= q.maxLag || upstream-s.previousUpstream != 1 || downstream < s.previousDownstream {
		s.due, s.lastSyncDownstream = true, downstream
	}
	s.previousUpstream, s.previousDownstream = upstream, downstream
	sync := OffsetSync{TopicPartition: tp, Upstream: upstream, Downstream: downstream}
	if s.due {
		s.due = false
		q.delayed.remove(tp)
		q.pending.put(sync)
		return
	}
	q.delayed.put(sync)
}

// Promote makes the delayed offset syncs pending ones.
func (q *OffsetSyncQueue) Promote() {
	for _, sync := range q.delayed.list {
		q.pending.put(sync)
	}
	q.delayed = syncMap{}
}

// Pending returns the offset syncs to write, in order. They stay until [OffsetSyncQueue.Sent].
func (q *OffsetSyncQueue) Pending() []OffsetSync { return q.pending.list }

// Delayed returns those that wait for [OffsetSyncQueue.Promote], in order.
func (q *OffsetSyncQueue) Delayed() []OffsetSync { return q.delayed.list }

// Sent takes away the first n pending offset syncs: they were given to the producer.
func (q *OffsetSyncQueue) Sent(n int) {
	rest := syncMap{}
	for _, sync := range q.pending.list[n:] {
		rest.put(sync)
	}
	q.pending = rest
}

// syncMap is an ordered map: a new value of a key stays in the key's place.
type syncMap struct {
	list  []OffsetSync
	index map[TopicPartition]int
}

func (m *syncMap) put(sync OffsetSync) {
	if i, ok := m.index[sync.TopicPartition]; ok {
		m.list[i] = sync
		return
	}
	if m.index == nil {
		m.index = make(map[TopicPartition]int)
	}
	m.index[sync.TopicPartition] = len(m.list)
	m.list = append(m.list, sync)
}

func (m *syncMap) remove(tp TopicPartition) {
	i, ok := m.index[tp]
	if !ok {
		return
	}
	delete(m.index, tp)
	m.list = append(m.list[:i], m.list[i+1:]...)
	for j := i; j < len(m.list); j++ {
		m.index[m.list[j].TopicPartition] = j
	}
}
