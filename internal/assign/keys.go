package assign

import (
	"maps"
	"slices"
	"sort"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/javatext"
)

// names numbers connectors in their order, so that sets of work are sorted slices of numbers.
type names struct {
	sorted []string
	number map[string]uint64
}

func numberNames(configured map[string]Connector, members []memberWork, others ...Work) *names {
	n := &names{number: make(map[string]uint64, len(configured))}
	for c := range configured {
		n.number[c] = 0
	}
	add := func(w Work) {
		for _, c := range w.Connectors {
			n.number[c] = 0
		}
		last := ""
		for _, t := range w.Tasks {
			if t.Connector != last {
				n.number[t.Connector] = 0
				last = t.Connector
			}
		}
	}
	for _, m := range members {
		add(m.Held)
	}
	for _, w := range others {
		add(w)
	}
	n.sorted = slices.Sorted(maps.Keys(n.number))
	for i, c := range n.sorted {
		n.number[c] = uint64(i) << 32
	}
	return n
}

// key is a connector or a task: the connector's number, then the task's so that its sign does not break the order.
func (n *names) taskKey(t connect.TaskID) uint64 {
	return n.number[t.Connector] | uint64(uint32(t.Task)^1<<31)
}

func (n *names) task(key uint64) connect.TaskID {
	return connect.TaskID{Connector: n.sorted[key>>32], Task: int(int32(uint32(key) ^ 1<<31))}
}

// kinds are the two kinds of work, which are distributed independently of each other.
const (
	connectors = 0
	tasks      = 1
	kinds      = 2
)

// keys returns the work's keys of a kind, in its order.
func (n *names) keys(w Work, kind int) []uint64 {
	if kind == connectors {
		keys := make([]uint64, len(w.Connectors))
		for i, c := range w.Connectors {
			keys[i] = n.number[c]
		}
		return keys
	}
	keys := make([]uint64, len(w.Tasks))
	last, number := "", uint64(0)
	for i, t := range w.Tasks {
		if i == 0 || t.Connector != last {
			last, number = t.Connector, n.number[t.Connector]
		}
		keys[i] = number | uint64(uint32(t.Task)^1<<31)
	}
	return keys
}

func (n *names) set(w Work, kind int) []uint64 { return set(n.keys(w, kind)) }

// work turns keys of both kinds back.
func (n *names) work(c, t []uint64) Work {
	var w Work
	if len(c) > 0 {
		w.Connectors = make([]string, len(c))
		for i, key := range c {
			w.Connectors[i] = n.sorted[key>>32]
		}
	}
	if len(t) > 0 {
		w.Tasks = make([]connect.TaskID, len(t))
		for i, key := range t {
			w.Tasks[i] = n.task(key)
		}
	}
	return w
}

// set sorts keys and drops duplicates, in place.
func set(keys []uint64) []uint64 {
	slices.Sort(keys)
	return slices.Compact(keys)
}

// unique drops duplicates and keeps the order.
func unique(keys []uint64) []uint64 {
	if len(set(slices.Clone(keys))) == len(keys) {
		return keys
	}
	seen := make(map[uint64]bool, len(keys))
	return slices.DeleteFunc(keys, func(k uint64) bool {
		defer func() { seen[k] = true }()
		return seen[k]
	})
}

// minus returns the sorted keys of a that are not in the sorted b.
func minus(a, b []uint64) []uint64 {
	if len(b) == 0 {
		return a
	}
	left := make([]uint64, 0, len(a))
	for _, key := range a {
		for len(b) > 0 && b[0] < key {
			b = b[1:]
		}
		if len(b) == 0 || b[0] != key {
			left = append(left, key)
		}
	}
	return left
}

// union returns the sorted keys of both.
func union(a, b []uint64) []uint64 {
	switch {
	case len(a) == 0:
		return b
	case len(b) == 0:
		return a
	}
	return set(slices.Concat(a, b))
}

func contains(sorted []uint64, key uint64) bool {
	_, found := slices.BinarySearch(sorted, key)
	return found
}

// split returns the keys in the sorted set and the others, in their order.
func split(keys, sorted []uint64) (in, out []uint64) {
	if len(sorted) == 0 || len(keys) == 0 {
		return nil, keys
	}
	for _, key := range keys {
		if contains(sorted, key) {
			in = append(in, key)
		} else {
			out = append(out, key)
		}
	}
	return in, out
}

type memberWork struct {
	id     string
	bucket uint32
	Member
}

// orderedMembers returns the members in the order in which a java.util.HashMap by their ids iterates: it is what Kafka
// Connect's leaders go by where nothing else decides.
func orderedMembers(members map[string]Member) []memberWork {
	capacity := 16
	for len(members)*4 > capacity*3 {
		capacity *= 2
	}
	ordered := make([]memberWork, 0, len(members))
	for id, m := range members {
		ordered = append(ordered, memberWork{id, javatext.Hash(id) & uint32(capacity-1), m})
	}
	sort.Slice(ordered, func(i, j int) bool {
		a, b := &ordered[i], &ordered[j]
		return a.bucket < b.bucket || a.bucket == b.bucket && a.id < b.id
	})
	return ordered
}
