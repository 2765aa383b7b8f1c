// Package assign distributes connectors and tasks over the members of a group, as Kafka Connect's assignors do: eagerly,
// everything anew in each round, or incrementally and cooperatively, moving as little as possible.
//
// It is pure: no clock, no goroutines, no I/O. What it answers depends on its arguments alone.
package assign

import (
	"cmp"

	"github.com/gokconnect/connect"
)

// Work is a set of connectors and tasks. Slices of a Work are not changed by this package.
type Work struct {
	Connectors []string
	Tasks      []connect.TaskID
}

// Empty reports whether there is nothing in it.
func (w Work) Empty() bool { return len(w.Connectors) == 0 && len(w.Tasks) == 0 }

// Connector is a configured connector.
type Connector struct {
	// Tasks is how many tasks it has: 0 to Tasks-1.
	Tasks int
	// Class is what a member must have to run it; empty is something that each member has.
	Class string
}

// Member is a member of the group as it describes itself.
type Member struct {
	// Held is what the member runs already, in its order.
	Held Work
	// Classes is what the member can run. Nil is everything: Kafka Connect's own workers do not tell.
	Classes map[string]bool
}

func (m Member) can(class string) bool { return class == "" || m.Classes == nil || m.Classes[class] }

// Unassigned is a connector, or one of its tasks, that no member runs after a round.
type Unassigned struct {
	Connector string
	Task      int // -1 is the connector itself
	Reason    string
}

func compareTasks(a, b connect.TaskID) int {
	return cmp.Or(cmp.Compare(a.Connector, b.Connector), cmp.Compare(a.Task, b.Task))
}
