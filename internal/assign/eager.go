package assign

import (
	"maps"
	"slices"
	"sort"

	"github.com/gokconnect/connect"
)

// Eager distributes everything anew, in turn over the members in the order of their ids: first the connectors, then
// the tasks. Members have given up what they held.
func Eager(configured map[string]Connector, members map[string]Member) Plan {
	sorted := orderedMembers(members)
	sort.Slice(sorted, func(i, j int) bool { return sorted[i].id < sorted[j].id })
	p := Plan{Changes: make(map[string]Change, len(members)), Holds: make(map[string]Work, len(members))}
	given := make([]Work, len(sorted))
	turn := 0
	// next returns the member whose turn it is, or the next that is able; nil if none is.
	next := func(class string) *Work {
		for i := range sorted {
			if at := (turn + i) % len(sorted); sorted[at].can(class) {
				turn = at + 1
				return &given[at]
			}
		}
		return nil
	}
	refuse := func(connector, class string, task int) {
		p.Unassigned = append(p.Unassigned, Unassigned{Connector: connector, Task: task, Reason: reasonClass + class})
	}
	names := slices.Sorted(maps.Keys(configured))
	for _, name := range names {
		if w := next(configured[name].Class); w != nil {
			w.Connectors = append(w.Connectors, name)
		} else {
			refuse(name, configured[name].Class, -1)
		}
	}
	for _, name := range names {
		c := configured[name]
		for t := range c.Tasks {
			if w := next(c.Class); w != nil {
				w.Tasks = append(w.Tasks, connect.TaskID{Connector: name, Task: t})
			} else {
				refuse(name, c.Class, t)
			}
		}
	}
	for i, m := range sorted {
		p.Changes[m.id] = Change{Assigned: given[i]}
		p.Holds[m.id] = given[i]
	}
	return p
}
