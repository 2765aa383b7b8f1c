package mirror

// syncSlots is how many offset syncs of a partition are remembered.
const syncSlots = 64

// OffsetSyncStore remembers offset syncs, and translates offsets of the source cluster by them. Of each partition it keeps
// some: the newest, and older ones the further apart the older they are, so that a consumer that lags far behind is
// translated roughly and one that does not exactly. It is not safe for concurrent use.
//
// The offset syncs of the topic are added from its start; until [OffsetSyncStore.Loaded] is called nothing is translated.
type OffsetSyncStore struct {
	// LatestOnly keeps of each partition only the newest of the offset syncs that are added before Loaded. It is set
	// where checkpoints of an earlier run can't be read: older offset syncs might then translate to an offset before one
	// that was handed out already.
	LatestOnly bool

	loaded     bool
	partitions map[TopicPartition]*[syncSlots]*syncPoint
}

// syncPoint is where an offset became which. The same point may stand in many slots.
type syncPoint struct{ upstream, downstream int64 }

// Add takes note of an offset sync. They are added in the order of the topic.
func (s *OffsetSyncStore) Add(sync OffsetSync) {
	point := &syncPoint{sync.Upstream, sync.Downstream}
	slots := s.partitions[sync.TopicPartition]
	if slots == nil {
		if s.partitions == nil {
			s.partitions = make(map[TopicPartition]*[syncSlots]*syncPoint)
		}
		slots = new([syncSlots]*syncPoint)
		s.partitions[sync.TopicPartition] = slots
		fill(slots, point)
		return
	}
	// An offset that went back says that the topic was made anew: what is known of it counts no more.
	if point.upstream < slots[0].upstream || s.LatestOnly && !s.loaded {
		fill(slots, point)
		return
	}
	insert(slots, point)
}

// Loaded says that all offset syncs were added that the topic had at the start.
func (s *OffsetSyncStore) Loaded() { s.loaded = true }

// Translate returns the offset of the target that stands for one of the source: exactly where there is an offset sync,
// else a little behind the last one before it. ok is false if nothing is known of the partition, or not yet; a
// negative offset says that the offset is older than what is known.
func (s *OffsetSyncStore) Translate(tp TopicPartition, upstream int64) (downstream int64, ok bool) {
	slots := s.partitions[tp]
	if slots == nil || !s.loaded {
		return 0, false
	}
	for _, point := range slots {
		switch {
		case point.upstream == upstream:
			return point.downstream, true
		case point.upstream < upstream:
			return point.downstream + 1, true
		}
	}
	return -1, true
}

// SyncSlot is a place in what an [OffsetSyncStore] remembers of a partition.
type SyncSlot struct {
	Index                int // the first slot with this point
	Upstream, Downstream int64
}

// Slots returns what is remembered of a partition, the newest first.
func (s *OffsetSyncStore) Slots(tp TopicPartition) []SyncSlot {
	slots := s.partitions[tp]
	if slots == nil {
		return nil
	}
	var list []SyncSlot
	for i, point := range slots {
		if i == 0 || point != slots[i-1] {
			list = append(list, SyncSlot{i, point.upstream, point.downstream})
		}
	}
	return list
}

func fill(slots *[syncSlots]*syncPoint, point *syncPoint) {
	for i := range slots {
		slots[i] = point
	}
}

// insert puts a point that is not older than any other in front. Then slot j is at most 2^j-2^i older than slot i
// (near), and different points in slots i and j are at least 2^max(i-2,0) apart (apart): the numbers and the order in
// which old points are given up are Kafka's, so that a flow that moves from there translates alike.
func insert(slots *[syncSlots]*syncPoint, point *syncPoint) {
	old := *slots
	slots[0] = point
	replacement := point
	r := 0 // in old: the next that may be kept
	for cur := 1; cur < syncSlots; cur++ {
		prev := cur - 1
		for {
			candidate := old[r]
			isNear := near(slots[prev], candidate, prev, cur)
			apartPrev := apart(slots[prev], candidate, prev)
			apartNext := cur+1 >= syncSlots || apart(candidate, slots[cur+1], cur)
			duplicate := r+1 < syncSlots && candidate == old[r+1]
			promote := isNear && apartPrev && apartNext
			if promote {
				replacement = candidate
			}
			skip := duplicate || !apartPrev
			if promote || skip {
				r++
			}
			if r >= cur || !skip {
				break
			}
		}
		if near(slots[prev], slots[cur], prev, cur) {
			break
		}
		slots[cur] = replacement
	}
}

// near reports whether b in slot j is old enough to follow a in slot i, j > i.
func near(a, b *syncPoint, i, j int) bool {
	if a == b {
		return true
	}
	bound := b.upstream + 1<<j - 1<<i
	return bound < 0 && b.upstream >= 0 || a.upstream <= bound // overflowed, it bounds nothing
}

// apart reports whether a in slot i is far enough from b in a later one.
func apart(a, b *syncPoint, i int) bool {
	if a == b {
		return true
	}
	bound := b.upstream + 1<<max(i-2, 0)
	return (bound >= 0 || b.upstream < 0) && a.upstream >= bound
}
