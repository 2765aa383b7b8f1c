package herder

import (
	"cmp"
	"fmt"
	"sort"

	"github.com/gokconnect/connect"
)

// RestartRequest asks for a restart of a connector and, perhaps, of its tasks.
type RestartRequest struct {
	Connector string
	// OnlyFailed leaves alone what has not failed.
	OnlyFailed bool
	// IncludeTasks restarts the tasks too.
	IncludeTasks bool
}

func (r RestartRequest) String() string {
	return fmt.Sprintf("restart request for {connectorName='%s', onlyFailed=%t, includeTasks=%t}", r.Connector, r.OnlyFailed, r.IncludeTasks)
}

// ConnectorOnly reports whether the request is for the connector itself in whatever state: it needs no plan.
func (r RestartRequest) ConnectorOnly() bool { return !r.OnlyFailed && !r.IncludeTasks }

// Compare orders requests by connector, and those for one by how much they restart: of several that wait, the greatest
// does what the others ask for too, except that tasks may be asked for by a lesser one only.
func (r RestartRequest) Compare(o RestartRequest) int {
	return cmp.Or(cmp.Compare(r.Connector, o.Connector), cmp.Compare(r.impact(), o.impact()))
}

func (r RestartRequest) impact() int {
	n := 0
	if !r.OnlyFailed {
		n = 2
	}
	if r.IncludeTasks {
		n++
	}
	return n
}

// RestartPlan is what a request comes to, given how the connector and its tasks are.
type RestartPlan struct {
	Request RestartRequest
	// Connector says that the connector itself is to be restarted.
	Connector bool
	// Tasks are those to be restarted, in order, out of Total.
	Tasks []connect.TaskID
	Total int
}

// The states that make a difference to a plan, as statuses spell them.
const (
	failedState     = "FAILED"
	restartingState = "RESTARTING"
)

// PlanRestart makes the plan of a request from the states of the connector and, by number, of its tasks. What is
// restarting already is restarted with the others.
func PlanRestart(r RestartRequest, connector string, tasks map[int]string) RestartPlan {
	wanted := func(state string) bool { return !r.OnlyFailed || state == failedState }
	plan := RestartPlan{Request: r, Connector: wanted(connector) || connector == restartingState, Total: len(tasks)}
	for n, state := range tasks {
		if r.IncludeTasks && wanted(state) || state == restartingState {
			plan.Tasks = append(plan.Tasks, connect.TaskID{Connector: r.Connector, Task: n})
		}
	}
	sort.Slice(plan.Tasks, func(i, j int) bool { return CompareTasks(plan.Tasks[i], plan.Tasks[j]) < 0 })
	return plan
}

func (p RestartPlan) String() string {
	what := ""
	if p.Connector {
		what = "connector and "
	}
	return fmt.Sprintf("plan to restart %s%d of %d tasks for %s", what, len(p.Tasks), p.Total, p.Request)
}
