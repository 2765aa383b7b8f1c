package assign

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"sort"
	"time"

	"github.com/gokconnect/connect"
)

// Incremental is the incremental cooperative assignor: members keep what they hold, and what has to move is revoked in
// one round and given to another member in the next.
type Incremental struct {
	// MaxDelay is scheduled.rebalance.max.delay.ms: how long the work of a member that left waits for it to come back.
	MaxDelay time.Duration
}

// Input is what a round is about.
type Input struct {
	Now           time.Time // counts to the millisecond, as delays do
	Generation    int32     // of the round
	LastCompleted int32     // the last generation whose assignment the leader received
	Configured    map[string]Connector
	Members       map[string]Member // by id; there is at least one
}

// State is what the leader remembers from round to round. The zero State, but for a Generation of -1, is one of a leader
// that has not led before; [NewState] returns it.
type State struct {
	Previous   Work // assigned in the last round, or still waiting to be
	Revoked    Work // in the last round
	Generation int32
	Members    []string // sorted
	// RevokedBefore: the last round revoked something for the balance of loads.
	RevokedBefore bool
	// Revocations counts the rounds in a row that wanted to revoke.
	Revocations int
	// Candidates are the members, the first to be seen first, that were without work while lost work waited: the one
	// that left and came back is probably one of them.
	Candidates []string
	Scheduled  time.Time // when the delay ends; zero if there is none
	Delay      time.Duration
}

// NewState returns the state of a leader that has not led before.
func NewState() State { return State{Generation: -1} }

// Change is what a member has to do.
type Change struct {
	Assigned, Revoked Work // what is new to it, what it has to stop
}

// Plan is the answer of a round.
type Plan struct {
	Changes map[string]Change // of every member
	Holds   map[string]Work   // what every member has after that
	Delay   time.Duration     // after it the group has to meet again; 0 is not at all
	// Unassigned is what nobody has because nobody can have it, or because it waits for a member to come back. What
	// was revoked is not part of it: it is assigned in the round that follows.
	Unassigned []Unassigned
}

// Reasons of [Unassigned].
const (
	reasonDelay = "the member that had it has left, and scheduled.rebalance.max.delay.ms for it to come back is not over"
	reasonClass = "no member of the group has its connector class "
)

// side is a round as far as it is about one kind of work. By-member slices are in the order of the round's members.
type side struct {
	configured, previous, active, deleted, duplicated, lost, created []uint64

	next    [][]uint64 // what members will hold
	given   [][]uint64 // the part of next that is new
	revoked [][]uint64
	pool    []uint64 // to be assigned
}

type round struct {
	in      Input
	state   State
	members []memberWork
	names   *names
	sides   [kinds]side
	ability *ability // nil if every member can do everything
	waiting bool     // lost work stays so
	noWork  bool     // nothing is configured
}

// Assign distributes the work. It returns the plan, and the state to be passed in the next time that this instance
// leads, unless the plan came to nothing.
func (a Incremental) Assign(state State, in Input) (Plan, State) {
	state.Candidates = slices.Clone(state.Candidates)
	in.Now = in.Now.Truncate(time.Millisecond) // what is left of a delay must not be a part of one: 0 is no delay to members
	r := &round{in: in, state: state, members: orderedMembers(in.Members)}
	if state.Generation != in.LastCompleted {
		r.state.Previous = Work{} // the round it comes from may have been lost
	}
	r.names = numberNames(in.Configured, r.members, r.state.Previous, r.state.Revoked)
	r.ability = newAbility(r.names, in.Configured, r.members)
	r.collect()
	r.handleLost(a.MaxDelay.Milliseconds())
	if r.ability != nil {
		r.revokeUnable()
	}
	if r.state.Delay == 0 {
		r.balance(a.MaxDelay.Milliseconds())
	} else {
		r.state.RevokedBefore = false
	}
	for k := range r.sides {
		s := &r.sides[k]
		if s.pool = slices.Concat(s.created, s.pool); r.ability == nil {
			r.fill(s)
		} else {
			r.fillAble(s)
		}
	}
	return r.plan()
}

// collect computes the sets that the round begins with.
func (r *round) collect() {
	for k := range r.sides {
		s := &r.sides[k]
		s.next = make([][]uint64, len(r.members))
		s.given = make([][]uint64, len(r.members))
		s.revoked = make([][]uint64, len(r.members))
		var all []uint64
		for i, m := range r.members {
			s.next[i] = unique(r.names.keys(m.Held, k))
			all = append(all, s.next[i]...)
		}
		slices.Sort(all)
		for i := 1; i < len(all); i++ {
			if all[i] == all[i-1] {
				s.duplicated = append(s.duplicated, all[i])
			}
		}
		s.duplicated = slices.Compact(s.duplicated)
		s.active = slices.Compact(all)
		s.previous = r.names.set(r.state.Previous, k)
	}
	for name, c := range r.in.Configured {
		r.sides[connectors].configured = append(r.sides[connectors].configured, r.names.number[name])
		for t := range c.Tasks {
			r.sides[tasks].configured = append(r.sides[tasks].configured, r.names.taskKey(connect.TaskID{Connector: name, Task: t}))
		}
	}
	r.noWork = len(r.in.Configured) == 0
	if r.revocationFailed() {
		for k := range r.sides {
			r.sides[k].previous = r.sides[k].active
		}
	}
	r.state.Revoked = Work{}
	for k := range r.sides {
		s := &r.sides[k]
		slices.Sort(s.configured)
		s.deleted = minus(s.previous, s.configured)
		s.lost = minus(minus(s.previous, s.active), s.deleted)
		s.created = minus(minus(s.configured, s.previous), s.active)
		// A duplicate is taken from all of its members, and is created in the next round.
		gone := union(s.deleted, s.duplicated)
		for i := range s.next {
			s.revoked[i], s.next[i] = split(s.next[i], gone)
		}
	}
}

// revocationFailed reports whether something that was revoked in the last round is still held.
func (r *round) revocationFailed() bool {
	for k := range r.sides {
		for _, key := range r.names.keys(r.state.Revoked, k) {
			if contains(r.sides[k].active, key) {
				return true
			}
		}
	}
	return false
}

// handleLost decides what becomes of work that a member had which is gone: it waits for that member to come back, up
// to the delay.
func (r *round) handleLost(maxDelay int64) {
	st := &r.state
	none := len(r.sides[connectors].lost) == 0 && len(r.sides[tasks].lost) == 0
	if none && !st.RevokedBefore {
		r.resetDelay()
		return
	}
	now := r.in.Now
	scheduled := !st.Scheduled.IsZero()
	switch {
	case !scheduled && r.allPresent():
		r.reassignLost() // the members failed to receive it
	case maxDelay == 0:
		r.reassignLost()
	case scheduled && !now.Before(st.Scheduled):
		if candidates := r.candidates(); len(candidates) > 0 {
			r.giveLost(candidates)
		} else {
			r.reassignLost()
		}
		r.resetDelay()
		st.RevokedBefore = false
	default:
		for i, m := range r.members {
			if len(r.sides[connectors].next[i]) == 0 && len(r.sides[tasks].next[i]) == 0 && !slices.Contains(st.Candidates, m.id) {
				st.Candidates = append(st.Candidates, m.id)
			}
		}
		st.Delay = time.Duration(maxDelay) * time.Millisecond
		if scheduled {
			st.Delay = min(st.Delay, st.Scheduled.Sub(now))
		}
		st.Scheduled = now.Add(st.Delay)
		r.waiting = true
	}
}

func (r *round) resetDelay() {
	r.state.Candidates, r.state.Scheduled, r.state.Delay = nil, time.Time{}, 0
}

// allPresent reports whether every member of the last round is in this one.
func (r *round) allPresent() bool {
	for _, id := range r.state.Members {
		if _, ok := r.in.Members[id]; !ok {
			return false
		}
	}
	return true
}

func (r *round) reassignLost() {
	for k := range r.sides {
		r.sides[k].pool = r.sides[k].lost
	}
}

// candidates returns the numbers of those candidates that are still members.
func (r *round) candidates() []int {
	var found []int
	for _, id := range r.state.Candidates {
		if i := slices.IndexFunc(r.members, func(m memberWork) bool { return m.id == id }); i >= 0 {
			found = append(found, i)
		}
	}
	return found
}

// giveLost gives lost work to the candidates in turn.
func (r *round) giveLost(candidates []int) {
	for k := range r.sides {
		s := &r.sides[k]
		turn := 0
		for _, key := range s.lost {
			given := false
			for range candidates {
				i := candidates[turn%len(candidates)]
				turn++
				if r.ability.can(i, key) {
					s.give(i, key)
					given = true
					break
				}
			}
			if !given {
				s.pool = append(s.pool, key)
			}
		}
	}
}

func (s *side) give(member int, key uint64) {
	s.next[member] = append(s.next[member], key)
	s.given[member] = append(s.given[member], key)
}

// balance revokes what members have too much of. When rounds in a row want to, the time between them grows.
func (r *round) balance(maxDelay int64) {
	revocations := r.revocations()
	wanted := revocations[connectors] != nil || revocations[tasks] != nil
	st := &r.state
	switch {
	case wanted && st.RevokedBefore:
		st.Revocations++
		if st.Delay = time.Duration(revocationDelay(maxDelay, st.Revocations)) * time.Millisecond; st.Delay != 0 {
			st.Scheduled = r.in.Now.Add(st.Delay)
			return
		}
	case wanted:
		st.RevokedBefore = true
	case st.RevokedBefore:
		st.RevokedBefore, st.Revocations = false, 0
		return
	default:
		return
	}
	for k, byMember := range revocations {
		s := &r.sides[k]
		for i, keys := range byMember {
			s.revoked[i] = append(s.revoked[i], keys...)
			_, s.next[i] = split(s.next[i], set(slices.Clone(keys)))
		}
	}
}

// revocations returns, by kind and member, what to revoke so that new and lost work can be distributed evenly.
func (r *round) revocations() [kinds][][]uint64 {
	var found [kinds][][]uint64
	empty := true
	for k := range r.sides {
		for _, next := range r.sides[k].next {
			empty = empty && len(next) == 0
		}
	}
	if empty || r.noWork {
		return found
	}
	for k := range r.sides {
		if r.ability == nil {
			found[k] = r.sides[k].surplus()
		} else {
			found[k] = r.surplusAble(&r.sides[k])
		}
	}
	return found
}

// surplus returns what members have above their share: the share is the same for all, but for the rest of the division,
// of which some may keep one each.
func (s *side) surplus() [][]uint64 {
	share, rest := len(s.configured)/len(s.next), len(s.configured)%len(s.next)
	atShare, above := 0, 0
	for _, next := range s.next {
		switch len(next) {
		case share:
			atShare++
		case share + 1:
			above++
		}
	}
	if above == rest && atShare+above == len(s.next) {
		return nil
	}
	var found [][]uint64
	for i, next := range s.next {
		if len(next) <= share {
			continue
		}
		keep := share
		if rest > 0 {
			rest--
			keep++
		}
		if excess := len(next) - keep; excess > 0 {
			if found == nil {
				found = make([][]uint64, len(s.next))
			}
			found[i] = next[:excess]
		}
	}
	return found
}

// revocationDelay is how long a group waits before the n-th round in a row that revokes: 40 ms, times 40 for each more,
// up to the maximum. Kafka Connect's arithmetic is repeated, which loses a millisecond to rounding here and there.
func revocationDelay(maxDelay int64, n int) int64 {
	first := min(maxDelay, 1)
	if maxDelay <= first {
		return first
	}
	most := math.Log(float64(maxDelay)) / math.Log(40)
	return min(int64(math.Pow(40, min(float64(n), most))), maxDelay)
}

// fill gives the pool to those members that have least, level by level.
func (r *round) fill(s *side) {
	if len(s.pool) == 0 {
		return
	}
	order := make([]int, len(s.next))
	for i := range order {
		order[i] = i
	}
	sort.Slice(order, func(i, j int) bool {
		a, b := order[i], order[j]
		return cmp.Or(len(s.next[a])-len(s.next[b]), cmp.Compare(r.members[a].id, r.members[b].id)) < 0
	})
	left := s.pool
	for upTo := 0; len(left) > 0; {
		level := len(s.next[order[0]])
		for upTo < len(order) && len(s.next[order[upTo]]) <= level {
			upTo++
		}
		n := min(upTo, len(left))
		for i, key := range left[:n] {
			s.give(order[i], key)
		}
		left = left[n:]
	}
}

func (r *round) plan() (Plan, State) {
	p := Plan{Changes: make(map[string]Change, len(r.members)), Holds: make(map[string]Work, len(r.members)), Delay: r.state.Delay}
	c, t := &r.sides[connectors], &r.sides[tasks]
	var previous, revoked [kinds][]uint64
	for k := range r.sides {
		s := &r.sides[k]
		for i := range r.members {
			previous[k] = append(previous[k], s.next[i]...)
			revoked[k] = append(revoked[k], s.revoked[i]...)
		}
		if r.waiting {
			previous[k] = append(previous[k], s.lost...)
		}
		previous[k], revoked[k] = set(previous[k]), set(revoked[k])
	}
	for i, m := range r.members {
		p.Changes[m.id] = Change{Assigned: r.names.work(c.given[i], t.given[i]), Revoked: r.names.work(c.revoked[i], t.revoked[i])}
		p.Holds[m.id] = r.names.work(c.next[i], t.next[i])
	}
	r.state.Members = slices.Sorted(maps.Keys(r.in.Members))
	p.Unassigned = r.unassigned()
	r.state.Previous = r.names.work(previous[connectors], previous[tasks])
	r.state.Revoked = r.names.work(revoked[connectors], revoked[tasks])
	r.state.Generation = r.in.Generation
	return p, r.state
}
