package group

import (
	"fmt"
	"time"

	"github.com/gokconnect/connect/internal/assign"
)

// Configurations are what is configured, as of an offset of the topic of configurations.
type Configurations struct {
	Offset int64
	// TasksOffset is that of the last change of tasks: a member that has read less runs tasks that are no more.
	TasksOffset int64
	Connectors  map[string]assign.Connector
}

// Leading is what a leader knows when it has to assign.
type Leading struct {
	Protocol      Protocol
	Leader        string // its own id
	Generation    int32
	LastCompleted int32 // the last generation of which it received its assignment, -1 for none
	Now           time.Time
	Members       map[string][]byte // metadata by id, its own included
	MaxDelay      time.Duration     // scheduled.rebalance.max.delay.ms
	State         assign.State      // from its last Decision that counted, or assign.NewState

	Configurations Configurations
	// Refresh reads on and returns what is configured then. It is called at most once, when a member has read further
	// than the leader; nil is a leader that can't.
	Refresh func() Configurations
	// Insist is set if the last round failed: members that lag behind changed tasks fail no second one.
	Insist bool
}

// Decision is what a leader decides.
type Decision struct {
	Assignments map[string][]byte // for every member
	// Failed is set if the leader has read less than a member, or a member has not read the last change of tasks, which it has to
	// stop before others start what takes their place: nothing is assigned, and all have to read on and join again.
	Failed bool
	Offset int64 // of the configurations
	Plan   assign.Plan
	// State is what to remember, if the leader receives an assignment of this round that names it as the leader.
	State assign.State
	// Members are the members' metadata. One whose metadata can't be read has none: it gets no work.
	Members map[string]*Metadata
	// Unreadable says why, by id.
	Unreadable map[string]error
}

// Lead assigns work to members. Its error says that the metadata of the leader itself, or the assignments, are wrong.
func Lead(in Leading) (*Decision, error) {
	d := &Decision{Assignments: make(map[string][]byte, len(in.Members)), State: in.State, Members: make(map[string]*Metadata, len(in.Members)), Unreadable: map[string]error{}}
	members := make(map[string]assign.Member, len(in.Members))
	for id, b := range in.Members {
		m, err := DecodeMetadata(b, in.Protocol)
		if err != nil {
			if id == in.Leader {
				return nil, fmt.Errorf("metadata of this member %s: %w", id, err)
			}
			// One member that can't be understood must not take the others down with it.
			d.Unreadable[id] = err
			continue
		}
		d.Members[id] = m
		members[id] = m.member()
	}
	leader := d.Members[in.Leader]
	if leader == nil {
		return nil, fmt.Errorf("the leader %s is not among the members", in.Leader)
	}
	d.Offset = leader.Offset
	for _, m := range d.Members {
		d.Offset = max(d.Offset, m.Offset)
	}
	configurations := in.Configurations
	if configurations.Offset < d.Offset {
		if in.Refresh != nil {
			configurations = in.Refresh()
		}
		if d.Failed = configurations.Offset < d.Offset; !d.Failed {
			d.Offset = configurations.Offset
		}
	}
	for _, m := range d.Members {
		d.Failed = d.Failed || m.Offset < configurations.TasksOffset && !in.Insist
	}
	switch {
	case d.Failed:
	case in.Protocol.Cooperative():
		d.Plan, d.State = assign.Incremental{MaxDelay: in.MaxDelay}.Assign(in.State, assign.Input{
			Now: in.Now, Generation: in.Generation, LastCompleted: in.LastCompleted, Configured: configurations.Connectors, Members: members,
		})
	default:
		d.Plan = assign.Eager(configurations.Connectors, members)
	}
	a := Assignment{Leader: in.Leader, LeaderURL: leader.URL, Offset: d.Offset, Delay: d.Plan.Delay}
	if d.Failed {
		a.Error = ConfigMismatch
	}
	for id := range in.Members {
		change := d.Plan.Changes[id]
		a.Assigned, a.Revoked = change.Assigned, change.Revoked
		b, err := a.Encode(in.Protocol)
		if err != nil {
			return nil, fmt.Errorf("assignment of member %s: %w", id, err)
		}
		d.Assignments[id] = b
	}
	return d, nil
}

// member returns the member as the assignors see it.
func (m *Metadata) member() assign.Member {
	var member assign.Member
	if m.Held != nil {
		member.Held = m.Held.Assigned
	}
	if m.Classes != nil {
		member.Classes = make(map[string]bool, len(m.Classes))
		for _, c := range m.Classes {
			member.Classes[c] = true
		}
	}
	return member
}
