package conformance_test

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/assign"
	"github.com/gokconnect/connect/internal/conformance"
	"github.com/gokconnect/connect/internal/group"
)

type assignorCase struct {
	In struct {
		Assignor, Protocol string
		MaxDelay           int64
	}
	Rounds []assignorRound
}

type assignorRound struct {
	In struct {
		Now                                 string
		Generation, LastCompletedGeneration int32
		Leader                              string
		SnapshotOffset, FreshSnapshotOffset string
		Connectors                          map[string]int
		Inconsistent                        []string
		Members                             []struct {
			ID, URL, Offset string
			Held            *vecWork
		}
	}
	Out struct {
		Members map[string]struct {
			AssignedConnectors, AssignedTasks, RevokedConnectors, RevokedTasks []string
			Delay                                                              int64
			Error                                                              int16
			Leader, LeaderURL, Offset                                          string
			Bytes                                                              *string
		}
		State          *vecState
		OrderSensitive bool
		Owners         map[string]string
		Properties     vecProperties
	}
}

type vecWork struct{ Connectors, Tasks []string }

type vecState struct {
	PreviousConnectors, PreviousTasks, PreviousRevokedConnectors, PreviousRevokedTasks []string
	RevokedInPrevious                                                                  bool
	Candidates                                                                         []string
	ScheduledRebalance                                                                 string
	Delay                                                                              int64
	PreviousGeneration                                                                 int32
	PreviousMembers                                                                    []string
	SuccessiveRevocations                                                              int
}

type vecProperties struct {
	LoadAfter                                  map[string][2]int
	Configured, Unassigned, Given, Moved, Kept int
}

func TestAssignors(t *testing.T) {
	conformance.Run(t, "control/assignor.jsonl", func(t *testing.T, c conformance.Case) {
		var a assignorCase
		decodeCase(t, c.Raw, &a)
		states := make(map[string]assign.State) // by leader
		var before *assignorRound
		for i := range a.Rounds {
			round := &a.Rounds[i]
			checkRound(t, fmt.Sprintf("round %d", i+1), a, round, before, states)
			before = round
		}
	})
}

func checkRound(t *testing.T, name string, a assignorCase, round, before *assignorRound, states map[string]assign.State) {
	t.Helper()
	protocol, err := group.ProtocolNamed(a.In.Protocol)
	if err != nil {
		t.Fatal(err)
	}
	in := round.In
	lead := group.Leading{
		Protocol: protocol, Leader: in.Leader, Generation: in.Generation, LastCompleted: in.LastCompletedGeneration,
		Now: time.UnixMilli(number(t, in.Now)), MaxDelay: time.Duration(a.In.MaxDelay) * time.Millisecond,
		Members: make(map[string][]byte), State: assign.NewState(),
		Configurations: group.Configurations{Offset: number(t, in.SnapshotOffset), Connectors: make(map[string]assign.Connector)},
	}
	if state, ok := states[in.Leader]; ok && (before == nil || slices.ContainsFunc(before.In.Members, func(m struct {
		ID, URL, Offset string
		Held            *vecWork
	}) bool {
		return m.ID == in.Leader
	})) {
		lead.State = state
	}
	for name, tasks := range in.Connectors {
		if slices.Contains(in.Inconsistent, name) {
			tasks = 0
		}
		lead.Configurations.Connectors[name] = assign.Connector{Tasks: tasks, Class: "C"}
	}
	if in.FreshSnapshotOffset != "" {
		lead.Refresh = func() group.Configurations {
			return group.Configurations{Offset: number(t, in.FreshSnapshotOffset), Connectors: lead.Configurations.Connectors}
		}
	}
	for _, m := range in.Members {
		metadata := group.Metadata{URL: m.URL, Offset: number(t, m.Offset)}
		if m.Held != nil {
			metadata.Held = &group.Assignment{Assigned: assign.Work{Connectors: m.Held.Connectors, Tasks: taskIDs(t, m.Held.Tasks)}}
		}
		if lead.Members[m.ID], err = metadata.Encode(protocol); err != nil {
			t.Fatal(err)
		}
	}
	d, err := group.Lead(lead)
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range round.Out.Members {
		got, err := group.DecodeAssignment(d.Assignments[id])
		if err != nil {
			t.Fatal(err)
		}
		if got.Error != want.Error || got.Leader != want.Leader || got.LeaderURL != want.LeaderURL || got.Offset != number(t, want.Offset) || got.Delay.Milliseconds() != want.Delay {
			t.Errorf("%s: member %s: got %+v\nwant %+v", name, id, got, want)
		}
		if round.Out.OrderSensitive {
			continue
		}
		for _, pair := range [][2][]string{
			{got.Assigned.Connectors, want.AssignedConnectors}, {taskTexts(got.Assigned.Tasks), want.AssignedTasks},
			{got.Revoked.Connectors, want.RevokedConnectors}, {taskTexts(got.Revoked.Tasks), want.RevokedTasks},
		} {
			if !sameSet(pair[0], pair[1]) {
				t.Errorf("%s: member %s: got  %+v\nwant %+v", name, id, got, want)
			}
		}
	}
	if len(round.Out.Members) != len(d.Assignments) {
		t.Errorf("%s: %d members get an assignment, want %d", name, len(d.Assignments), len(round.Out.Members))
	}
	if round.Out.Owners != nil && !round.Out.OrderSensitive && !d.Failed {
		sameOwners(t, name, round.Out.Owners, d.Plan)
	}
	if !d.Failed {
		if got := properties(lead, d.Plan); !got.equal(round.Out.Properties) {
			t.Errorf("%s: properties: got  %+v\nwant %+v", name, got, round.Out.Properties)
		}
	}
	states[in.Leader] = d.State
	if want := round.Out.State; want != nil {
		if got := stateOf(d.State); !round.Out.OrderSensitive {
			sameJSON(t, got, *want)
		}
		states[in.Leader] = want.state(t)
	}
	if t.Failed() {
		t.FailNow()
	}
}

// properties are those of a plan that do not depend on which of equal members gets something.
func properties(in group.Leading, p assign.Plan) vecProperties {
	v := vecProperties{LoadAfter: make(map[string][2]int)}
	owners := func(of map[string]assign.Work) map[string]string {
		found := make(map[string]string)
		for id, w := range of {
			for _, c := range w.Connectors {
				found[c] = id
			}
			for _, task := range w.Tasks {
				found[task.String()] = id
			}
		}
		return found
	}
	after := owners(p.Holds)
	for id, w := range p.Holds {
		v.LoadAfter[id] = [2]int{len(w.Connectors), len(w.Tasks)}
		v.Kept += len(w.Connectors) + len(w.Tasks)
	}
	for _, c := range p.Changes {
		v.Given += len(c.Assigned.Connectors) + len(c.Assigned.Tasks)
		for _, name := range c.Revoked.Connectors {
			if _, ok := in.Configurations.Connectors[name]; ok {
				v.Moved++
			}
		}
		for _, task := range c.Revoked.Tasks {
			if task.Task >= 0 && task.Task < in.Configurations.Connectors[task.Connector].Tasks {
				v.Moved++
			}
		}
	}
	v.Kept -= v.Given
	for name, c := range in.Configurations.Connectors {
		v.Configured += 1 + c.Tasks
		for t := -1; t < c.Tasks; t++ {
			key := name
			if t >= 0 {
				key += "-" + strconv.Itoa(t)
			}
			if after[key] == "" {
				v.Unassigned++
			}
		}
	}
	return v
}

func (v vecProperties) equal(w vecProperties) bool {
	loads := func(m map[string][2]int) []string {
		var texts []string
		for _, l := range m {
			texts = append(texts, fmt.Sprint(l))
		}
		slices.Sort(texts)
		return texts
	}
	return slices.Equal(loads(v.LoadAfter), loads(w.LoadAfter)) && v.Configured == w.Configured && v.Unassigned == w.Unassigned && v.Given == w.Given && v.Moved == w.Moved && v.Kept == w.Kept
}

func sameOwners(t *testing.T, name string, want map[string]string, p assign.Plan) {
	t.Helper()
	got := make(map[string]string)
	for id, w := range p.Holds {
		for _, c := range w.Connectors {
			got[c] = id
		}
		for _, task := range w.Tasks {
			got[task.String()] = id
		}
	}
	if !maps.Equal(got, want) {
		t.Errorf("%s: owners: got  %v\nwant %v", name, got, want)
	}
}

func stateOf(s assign.State) vecState {
	scheduled := int64(0)
	if !s.Scheduled.IsZero() {
		scheduled = s.Scheduled.UnixMilli()
	}
	list := func(s []string) []string { return append([]string{}, s...) }
	return vecState{
		PreviousConnectors: list(s.Previous.Connectors), PreviousTasks: taskTexts(s.Previous.Tasks),
		PreviousRevokedConnectors: list(s.Revoked.Connectors), PreviousRevokedTasks: taskTexts(s.Revoked.Tasks),
		RevokedInPrevious: s.RevokedBefore, Candidates: list(s.Candidates), ScheduledRebalance: strconv.FormatInt(scheduled, 10),
		Delay: s.Delay.Milliseconds(), PreviousGeneration: s.Generation, PreviousMembers: list(s.Members), SuccessiveRevocations: s.Revocations,
	}
}

func (v vecState) state(t *testing.T) assign.State {
	s := assign.State{
		Previous:   assign.Work{Connectors: v.PreviousConnectors, Tasks: taskIDs(t, v.PreviousTasks)},
		Revoked:    assign.Work{Connectors: v.PreviousRevokedConnectors, Tasks: taskIDs(t, v.PreviousRevokedTasks)},
		Generation: v.PreviousGeneration, Members: v.PreviousMembers, RevokedBefore: v.RevokedInPrevious, Revocations: v.SuccessiveRevocations,
		Candidates: v.Candidates, Delay: time.Duration(v.Delay) * time.Millisecond,
	}
	if at := number(t, v.ScheduledRebalance); at > 0 {
		s.Scheduled = time.UnixMilli(at)
	}
	return s
}

func number(t *testing.T, text string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func taskIDs(t *testing.T, texts []string) []connect.TaskID {
	t.Helper()
	var ids []connect.TaskID
	for _, text := range texts {
		at := strings.LastIndexByte(text, '-')
		ids = append(ids, connect.TaskID{Connector: text[:at], Task: int(number(t, text[at+1:]))})
	}
	return ids
}

func taskTexts(ids []connect.TaskID) []string {
	texts := []string{}
	for _, id := range ids {
		texts = append(texts, id.String())
	}
	return texts
}

func sameSet(a, b []string) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(a, b)
}
