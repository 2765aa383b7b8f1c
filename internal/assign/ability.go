package assign

import (
	"slices"
	"sort"

	"github.com/gokconnect/connect"
)

// ability says which member can do what, in a group in which not every one can do everything.
type ability struct {
	class   []int    // of connectors, by their numbers
	classes []string // by their numbers
	able    [][]bool // by class, then member
	count   []int    // by class: how many members are able
}

// newAbility returns nil if every member can do all that is configured.
func newAbility(n *names, configured map[string]Connector, members []memberWork) *ability {
	if !slices.ContainsFunc(members, func(m memberWork) bool { return m.Classes != nil }) {
		return nil
	}
	a := &ability{class: make([]int, len(n.sorted))}
	numbers := make(map[string]int)
	restricted := false
	for i, name := range n.sorted {
		class := configured[name].Class // what is not configured any more has none
		number, ok := numbers[class]
		if !ok {
			number = len(a.classes)
			numbers[class] = number
			a.classes = append(a.classes, class)
			able := make([]bool, len(members))
			count := 0
			for j, m := range members {
				if able[j] = m.can(class); able[j] {
					count++
				}
			}
			a.able = append(a.able, able)
			a.count = append(a.count, count)
			restricted = restricted || count < len(members)
		}
		a.class[i] = number
	}
	if !restricted {
		return nil
	}
	return a
}

func (a *ability) of(key uint64) int { return a.class[key>>32] }

func (a *ability) can(member int, key uint64) bool {
	return a == nil || a.able[a.of(key)][member]
}

// revokeUnable revokes what members hold and can't do.
func (r *round) revokeUnable() {
	for k := range r.sides {
		s := &r.sides[k]
		for i, next := range s.next {
			var kept []uint64
			for _, key := range next {
				if r.ability.can(i, key) {
					kept = append(kept, key)
				} else {
					s.revoked[i] = append(s.revoked[i], key)
				}
			}
			s.next[i] = kept
		}
	}
}

// least returns the able member with the smallest load, or -1.
func (a *ability) least(class int, load []int) int {
	found := -1
	for i, able := range a.able[class] {
		if able && (found < 0 || load[i] < load[found]) {
			found = i
		}
	}
	return found
}

// byChoice sorts work so that what the fewest members can do comes first.
func (a *ability) byChoice(pool []uint64) []uint64 {
	pool = slices.Clone(pool)
	sort.SliceStable(pool, func(i, j int) bool { return a.count[a.of(pool[i])] < a.count[a.of(pool[j])] })
	return pool
}

// fillAble gives the pool to able members.
func (r *round) fillAble(s *side) {
	for i, keys := range r.ability.spread(s.pool, s.loads()) {
		for _, key := range keys {
			s.give(i, key)
		}
	}
}

// spread distributes the pool, by member: each item to the able member with the smallest load, and then so that no item
// would be better off elsewhere. It adds to load. What nobody can do is left out.
func (a *ability) spread(pool []uint64, load []int) [][]uint64 {
	placed := make([][]uint64, len(load))
	for _, key := range a.byChoice(pool) {
		if i := a.least(a.of(key), load); i >= 0 {
			placed[i] = append(placed[i], key)
			load[i]++
		}
	}
	var moved [][]uint64
	kept := a.even(placed, load, func(_, to int, keys []uint64) {
		if moved == nil {
			moved = make([][]uint64, len(load))
		}
		moved[to] = append(moved[to], keys...)
	})
	for i := range moved {
		kept[i] = append(kept[i], moved[i]...)
	}
	return kept
}

// even moves work between able members until no move would make loads more even, and returns what has not moved. It
// changes load.
func (a *ability) even(work [][]uint64, load []int, move func(from, to int, keys []uint64)) [][]uint64 {
	held := make([][][]uint64, len(a.classes)) // by class and member
	for class := range held {
		held[class] = make([][]uint64, len(work))
	}
	for i, keys := range work {
		for _, key := range keys {
			class := a.of(key)
			held[class][i] = append(held[class][i], key)
		}
	}
	for moved := true; moved; {
		moved = false
		for class := range held {
			from := -1
			for i, keys := range held[class] {
				if len(keys) > 0 && (from < 0 || load[i] > load[from]) {
					from = i
				}
			}
			if from < 0 {
				continue
			}
			to := a.least(class, load)
			if to < 0 || load[from]-load[to] < 2 {
				continue
			}
			n := min((load[from]-load[to])/2, len(held[class][from]))
			move(from, to, held[class][from][:n])
			held[class][from] = held[class][from][n:]
			load[from] -= n
			load[to] += n
			moved = true
		}
	}
	kept := make([][]uint64, len(work))
	for class := range held {
		for i, keys := range held[class] {
			kept[i] = append(kept[i], keys...)
		}
	}
	return kept
}

func (s *side) loads() []int {
	load := make([]int, len(s.next))
	for i, next := range s.next {
		load[i] = len(next)
	}
	return load
}

// surplusAble returns what to revoke so that no move of held work to another able member would make loads more even,
// once new and lost work is distributed.
func (r *round) surplusAble(s *side) [][]uint64 {
	load := s.loads()
	r.ability.spread(slices.Concat(s.created, s.pool), load)
	var found [][]uint64
	r.ability.even(s.next, load, func(from, _ int, keys []uint64) {
		if found == nil {
			found = make([][]uint64, len(s.next))
		}
		found[from] = append(found[from], keys...)
	})
	return found
}

// unassigned lists what nobody holds after the round, and why. What was revoked has its turn in the next round.
func (r *round) unassigned() []Unassigned {
	var found []Unassigned
	add := func(key uint64, kind int, reason string) {
		u := Unassigned{Connector: r.names.sorted[key>>32], Task: -1, Reason: reason}
		if kind == tasks {
			u.Task = r.names.task(key).Task
		}
		found = append(found, u)
	}
	for k := range r.sides {
		s := &r.sides[k]
		if r.waiting {
			for _, key := range s.lost {
				add(key, k, reasonDelay)
			}
		}
		if r.ability == nil {
			continue
		}
		for _, key := range s.configured {
			if class := r.ability.of(key); r.ability.count[class] == 0 && !(r.waiting && contains(s.lost, key)) {
				add(key, k, reasonClass+r.ability.classes[class])
			}
		}
	}
	sort.SliceStable(found, func(i, j int) bool {
		a, b := &found[i], &found[j]
		return compareTasks(connect.TaskID{Connector: a.Connector, Task: a.Task}, connect.TaskID{Connector: b.Connector, Task: b.Task}) < 0
	})
	return found
}
