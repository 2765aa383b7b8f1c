package worker

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"sort"
	"sync"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/tolerance"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Replay makes a run of a sink task one that puts the dead letters of its connector once more. The run consumes their topic,
// in a group of its own, up to the end that there was at the beginning, and stops.
//
// A letter is done when the offset behind it is committed, as any record of a sink. Letters that were passed over are not:
// the offset that is committed stays before the first of them, and its metadata says which of those behind it are done.
//
// The methods are safe for concurrent use.
type Replay struct {
	Connector string // whose letters
	// Topic is where letters were consumed that don't say so; without it they are passed over.
	Topic string
	// Ends are the offsets behind the last letter, by partition.
	Ends map[int32]int64
	// Wanted says which letters are put; nil all. It gets those of the connector alone.
	Wanted func(l *DeadLetter, rec *kgo.Record) bool
	// Max is how many letters are put; 0 is all.
	Max int
	// Positions returns the committed offsets of partitions and their metadata; -1 is none.
	Positions func(ctx context.Context, partitions []int32) (map[int32]Position, error)

	mu        sync.Mutex
	parts     map[int32]*replayed
	counts    ReplayCounts
	full      bool
	scattered bool
	failed    error // of the last commit, as a whole
	retrying  error // for which what is being put is put again
}

// Position is how far a partition of dead letters was replayed.
type Position struct {
	Offset   int64
	Metadata string
}

// ReplayCounts are what became of letters.
type ReplayCounts struct {
	Taken      int // put, or being put
	Put        int // of these, those whose offset is committed
	PassedOver int // not wanted now
	Foreign    int // of other connectors, or of sources
	Unplaced   int // not known where they were consumed
	Classes    map[string]int
	Full       bool // not all were looked at, or wanted ones were left
	Scattered  bool // too many letters between others are done
	Commit     error
	Retrying   error // that Put returned last, for letters that it has not taken
}

// replayed is one partition.
type replayed struct {
	start  int64        // the offset that was committed; then the first that was looked at
	before offsetRanges // what was done before this run
	now    offsetRanges // what this run is done with when the offset behind it is committed, and what needs nothing done
	seen   int64        // the offset behind the last record that was looked at
	taken  []int64      // sorted
	put    int          // of taken
	failed error        // of its last commit
}

// maxRanges bounds what is stored with an offset; brokers take 4 KiB (offset.metadata.max.bytes).
const maxRanges = 100

// Begin reads how far partitions were replayed that the run consumes from now on.
func (r *Replay) Begin(ctx context.Context, partitions []int32) error {
	at, err := r.Positions(ctx, partitions)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.parts == nil {
		r.parts = make(map[int32]*replayed)
	}
	for _, n := range partitions {
		p := &replayed{start: at[n].Offset, seen: at[n].Offset}
		if p.before, err = parseRanges(p.start, at[n].Metadata); err != nil {
			return err
		}
		if old := r.parts[n]; old != nil { // it was given up, and came back
			r.counts.Taken -= len(old.taken) - old.put
			p.taken, p.put = old.taken[:old.put], old.put
		}
		r.parts[n] = p
	}
	return nil
}

// Take returns the record that a letter stands for, and false if it is not to be put.
func (r *Replay) Take(rec *kgo.Record) (c tolerance.Consumed, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.parts[rec.Partition]
	if p == nil {
		return c, false
	}
	if p.start < 0 {
		p.start = rec.Offset
	}
	end := r.Ends[rec.Partition]
	if p.seen >= 0 { // between the last one and this there is nothing
		p.pass(p.seen, min(rec.Offset, end))
	}
	if rec.Offset >= end {
		return c, false
	}
	again := rec.Offset < p.seen
	p.seen = max(p.seen, rec.Offset+1)
	if again && p.now.has(rec.Offset) {
		i, found := slices.BinarySearch(p.taken, rec.Offset)
		if !found || i < p.put {
			return c, false
		}
		l := r.letter(rec) // the task could not keep it: it is put once more
		return l.consumed(rec), true
	}
	if rec.Attrs.IsControl() || p.before.has(rec.Offset) {
		p.pass(rec.Offset, rec.Offset+1)
		return c, false
	}
	l := r.letter(rec)
	switch {
	case l.OfSource, l.Connector != "" && l.Connector != r.Connector:
		r.counts.Foreign++
		p.pass(rec.Offset, rec.Offset+1)
		return c, false
	case !l.Placed:
		r.counts.Unplaced++
		return c, false
	case r.Wanted != nil && !r.Wanted(&l, rec):
		r.counts.PassedOver++
		return c, false
	case r.full, r.Max > 0 && r.counts.Taken >= r.Max:
		r.full = true
		r.counts.PassedOver++
		return c, false
	}
	now := p.now.add(rec.Offset, rec.Offset+1)
	if len(now)+len(p.before.between(p.seen, end)) > maxRanges {
		r.full, r.scattered = true, true
		r.counts.PassedOver++
		return c, false
	}
	p.now = now
	p.taken = append(p.taken, rec.Offset)
	r.counts.Taken++
	if r.counts.Classes == nil {
		r.counts.Classes = make(map[string]int)
	}
	r.counts.Classes[l.Class]++
	return l.consumed(rec), true
}

// pass takes note of offsets with which there is nothing to do, as long as there is room: those of other connectors may stand
// between all letters that are passed over, and can be looked at again.
func (p *replayed) pass(from, to int64) {
	for _, one := range p.before.between(from, to) {
		p.now = p.now.add(one[0], one[1])
	}
	if now := p.now.add(from, to); len(now) <= max(len(p.now), maxRanges/2) || from == p.start {
		p.now = now
	}
}

// letter reads a letter, with the place where it was consumed if that is known at all.
func (r *Replay) letter(rec *kgo.Record) DeadLetter {
	l := ParseDeadLetter(rec)
	if !l.OfSource && !l.Placed && r.Topic != "" {
		l.Topic, l.Partition, l.Offset, l.Placed = r.Topic, rec.Partition, rec.Offset, true
	}
	return l
}

// Full reports whether no more letters are taken.
func (r *Replay) Full() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.full || r.Max > 0 && r.counts.Taken >= r.Max
}

// Stop has no more letters taken.
func (r *Replay) Stop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.full = true
}

// Position returns what to commit when all that was taken below an offset is done.
func (r *Replay) Position(partition int32, behind int64) Position {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.parts[partition]
	if p == nil || p.start < 0 {
		return Position{Offset: behind}
	}
	done := p.before
	for _, one := range p.now.between(p.start, behind) {
		done = done.add(one[0], one[1])
	}
	next := done.first(p.start)
	return Position{next, done.between(next, math.MaxInt64).text(next)}
}

// NotCommitted takes note of a commit that failed as a whole.
func (r *Replay) NotCommitted(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failed = err
}

// Retries takes note of why what is being put is put again; nil when it has been taken.
func (r *Replay) Retries(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.retrying = err
}

// Committed takes note of what a commit was answered with for a partition.
func (r *Replay) Committed(partition int32, behind int64, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failed = nil
	p := r.parts[partition]
	if p == nil {
		return
	}
	if p.failed = err; err != nil {
		return
	}
	n := sort.Search(len(p.taken), func(i int) bool { return p.taken[i] >= behind })
	p.put = max(p.put, n)
}

// Counts returns what became of letters so far.
func (r *Replay) Counts() ReplayCounts {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.counts
	c.Full, c.Scattered, c.Commit, c.Retrying = r.full, r.scattered, r.failed, r.retrying
	c.Classes = maps.Clone(c.Classes)
	for n, p := range r.parts {
		c.Put += p.put
		if p.failed != nil && c.Commit == nil {
			c.Commit = fmt.Errorf("partition %d: %w", n, p.failed)
		}
	}
	return c
}

// replayedAll reports whether a run has come to the end of its replay. The caller has the turn.
func (r *sinkRun) replayedAll() bool {
	if r.Replay == nil || len(r.batch) > 0 || len(r.parts) == 0 {
		return false
	}
	if r.Replay.Full() {
		return true
	}
	for tp, p := range r.parts {
		if !p.opened || p.polled < r.Replay.Ends[tp.Partition] {
			return false
		}
	}
	return true
}

// beginReplay reads how far partitions were replayed. It fails the run if that can't be known.
func (r *sinkRun) beginReplay(ctx context.Context, partitions []connect.TopicPartition) {
	if r.Replay == nil || len(partitions) == 0 {
		return
	}
	numbers := make([]int32, len(partitions))
	for i, tp := range partitions {
		numbers[i] = tp.Partition
	}
	if err := r.Replay.Begin(ctx, numbers); err != nil {
		r.failWith(err)
	}
	r.wake() // it may be at the end already
}

// replayPositions changes a commit of offsets into one of what was replayed.
func (r *sinkRun) replayPositions(ctx context.Context) context.Context {
	if r.Replay == nil {
		return ctx
	}
	return kgo.PreCommitFnContext(ctx, func(req *kmsg.OffsetCommitRequest) error {
		for i := range req.Topics {
			for k := range req.Topics[i].Partitions {
				p := &req.Topics[i].Partitions[k]
				at := r.Replay.Position(p.Partition, p.Offset)
				p.Offset, p.Metadata = at.Offset, &at.Metadata
			}
		}
		return nil
	})
}

func (r *sinkRun) replayCommitted(tp connect.TopicPartition, behind int64, err error) {
	if r.Replay != nil {
		r.Replay.Committed(tp.Partition, behind, err)
	}
}

// replayRetries takes note of why what is being put is put again; nil when it has been taken.
func (r *sinkRun) replayRetries(err error) {
	if r.Replay != nil {
		r.Replay.Retries(err)
	}
}

func (r *sinkRun) replayNotCommitted(err error) {
	if r.Replay != nil {
		r.Replay.NotCommitted(err)
	}
}

// consumed returns what a record of the batch was made of.
func (r *sinkRun) consumed(rec *kgo.Record) tolerance.Consumed {
	if r.Replay != nil {
		l := r.Replay.letter(rec)
		return l.consumed(rec)
	}
	return consumed(rec)
}
