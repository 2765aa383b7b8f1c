package worker

import (
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/offsetcodec"
)

// tracker knows which source offsets may be stored: for each source partition, the offset of the last record before
// which every record was acknowledged (invariant 1). It is not safe for concurrent use.
type tracker struct {
	tracks []*track
	byKey  map[string]*track
	last   *track
}

// track is one source partition of a task.
type track struct {
	partition connect.Fields
	same      []field        // the partition's fields, to recognise it again quickly
	given     uintptr        // the map that was given last, to recognise it quicker still
	kept      connect.Fields // that map: it can't be another one at the same place
	// entries is a ring of the records that were dispatched and not yet passed: number n stands at n&(len-1).
	entries    []trackEntry
	head, tail uint64 // the first entry not passed, and the number that the next one gets
	offset     connect.SourceOffset
	dirty      bool // offset was not stored yet
}

type field struct {
	key   string
	value any
}

type trackEntry struct {
	offset  connect.SourceOffset
	pending int32 // how many Kafka records are not acknowledged yet
}

// ref names one entry of the tracker.
type ref struct {
	track *track
	n     uint64
}

// add notes a record that became so many Kafka records, in the order of dispatch.
func (t *tracker) add(partition connect.Fields, offset connect.SourceOffset, pending int) ref {
	k := t.find(partition)
	if k.tail-k.head == uint64(len(k.entries)) {
		k.grow()
	}
	n := k.tail
	k.tail++
	k.entries[n&uint64(len(k.entries)-1)] = trackEntry{offset, int32(pending)}
	return ref{k, n}
}

// set makes an offset the one to store, for a task that does not wait for single records.
func (t *tracker) set(partition connect.Fields, offset connect.SourceOffset) {
	k := t.find(partition)
	k.offset, k.dirty = offset, true
}

// ack notes that one of the Kafka records of an entry was acknowledged, and reports whether it was the entry's last.
func (r ref) ack() bool {
	k := r.track
	mask := uint64(len(k.entries) - 1)
	e := &k.entries[r.n&mask]
	e.pending--
	if e.pending > 0 {
		return false
	}
	for k.head < k.tail && k.entries[k.head&mask].pending <= 0 {
		k.offset, k.dirty = k.entries[k.head&mask].offset, true
		k.entries[k.head&mask] = trackEntry{}
		k.head++
	}
	return true
}

// offset returns the offset of an entry that is not passed.
func (r ref) offset() connect.SourceOffset {
	return r.track.entries[r.n&uint64(len(r.track.entries)-1)].offset
}

// take returns the offsets that may be stored and were not yet, and counts them as stored.
func (t *tracker) take() []committable {
	if len(t.tracks) > maxIdleTracks {
		t.forgetIdle()
	}
	var out []committable
	for _, k := range t.tracks {
		if k.dirty {
			k.dirty = false
			out = append(out, committable{k, k.offset})
		}
	}
	return out
}

// merge is take, added to what was taken before: a later offset takes the place of an earlier one.
func (t *tracker) merge(before []committable) []committable {
	for _, c := range t.take() {
		i := slices.IndexFunc(before, func(b committable) bool { return b.track == c.track })
		if i < 0 {
			before = append(before, c)
		} else {
			before[i] = c
		}
	}
	return before
}

// maxIdleTracks bounds what a source with ever new partitions, such as one for each file, leaves behind.
const maxIdleTracks = 4096

func (t *tracker) forgetIdle() {
	t.last = nil
	t.tracks = slices.DeleteFunc(t.tracks, func(k *track) bool {
		idle := k.head == k.tail && !k.dirty
		if idle {
			delete(t.byKey, partitionKey(k.partition))
		}
		return idle
	})
}

// restore says that offsets which take returned were not stored after all.
func (t *tracker) restore(offsets []committable) {
	for _, c := range offsets {
		c.track.dirty = true // its offset is the same or a later one
	}
}

// committable is an offset that may be stored.
type committable struct {
	track  *track
	offset connect.SourceOffset
}

// fields returns what is stored.
func (c committable) fields() connect.PartitionOffset {
	p := connect.PartitionOffset{Partition: c.track.partition}
	if c.offset != nil {
		p.Offset = c.offset.Fields()
	}
	return p
}

func (k *track) grow() {
	bigger := make([]trackEntry, max(64, 2*len(k.entries)))
	for n := k.head; n < k.tail; n++ {
		bigger[n&uint64(len(bigger)-1)] = k.entries[n&uint64(len(k.entries)-1)]
	}
	k.entries = bigger
}

// fewTracks is how many partitions are compared one by one before a key is made.
const fewTracks = 16

// find returns the track of a partition. Records come in runs of the same partition, so the last one is compared first,
// by value: a connector may build its partition anew for each record.
func (t *tracker) find(p connect.Fields) *track {
	given := reflect.ValueOf(p).Pointer()
	if t.last != nil && p != nil && given == t.last.given {
		return t.last // what a task gave up does not change
	}
	k := t.lookUp(p)
	k.given, k.kept = given, p
	return k
}

func (t *tracker) lookUp(p connect.Fields) *track {
	if t.last != nil && t.last.is(p) {
		return t.last
	}
	if len(t.tracks) <= fewTracks {
		for _, k := range t.tracks {
			if k.is(p) {
				t.last = k
				return k
			}
		}
	}
	key := partitionKey(p)
	k, ok := t.byKey[key]
	if !ok {
		k = &track{partition: maps.Clone(p)}
		for f, v := range p {
			k.same = append(k.same, field{f, v})
		}
		if t.byKey == nil {
			t.byKey = make(map[string]*track)
		}
		t.byKey[key] = k
		t.tracks = append(t.tracks, k)
	}
	t.last = k
	return k
}

func (k *track) is(p connect.Fields) bool {
	if len(p) != len(k.same) || (p == nil) != (k.partition == nil) {
		return false
	}
	for i := range k.same {
		v, ok := p[k.same[i].key]
		if !ok || !connect.EqualValues(v, k.same[i].value) {
			return false
		}
	}
	return true
}

// partitionKey returns a text that two partitions share if and only if they are stored as one. One that can't be stored has a key too.
func partitionKey(p connect.Fields) string {
	if p == nil {
		return "null"
	}
	if key, err := offsetcodec.Canonical(p); err == nil {
		return key
	}
	b := []byte("unstorable")
	for _, name := range slices.Sorted(maps.Keys(p)) {
		b = fmt.Appendf(b, " %d:%s=%T %#v", len(name), name, p[name], p[name])
	}
	return string(b)
}
