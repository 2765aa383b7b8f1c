package cluster

import (
	"context"
)

// Coordinator brings the instances of a service together: it says who is there, who leads, and delivers what the leader
// assigns. [Standalone] is the one of an instance that is alone.
//
// The runtime calls Run once. Rejoin is safe for concurrent use.
type Coordinator interface {
	// Run is a member of the group until ctx ends, and leaves it then. It calls m, never two methods at once. It
	// returns nil when ctx ended, or the error that makes membership impossible; what can pass, such as an unreachable
	// coordinator, it retries itself.
	Run(ctx context.Context, m Member) error
	// Rejoin asks for another round: because the metadata of the instance changed, or, on the leader, because the
	// assignment has to. It returns at once.
	Rejoin(reason string)
}

// Member is an instance as its [Coordinator] sees it. Its methods return soon.
type Member interface {
	// Metadata is asked at the beginning of each round.
	Metadata() []byte
	// Assign is asked on the leader: what each member of the round gets, by the member's id.
	Assign(ctx context.Context, r Round) (map[string][]byte, error)
	// Assigned begins a generation with what the leader assigned to the instance.
	Assigned(g Generation, assignment []byte) error
	// Lost says that the instance is no member any more, or can't be sure to be: whatever it was assigned may belong
	// to others.
	Lost()
}

// Round is one distribution of the work.
type Round struct {
	Generation int32
	Leader     string            // the id of the member that leads
	Members    map[string][]byte // metadata by id
}

// Generation is a member's place in a group between two rounds.
type Generation struct {
	ID     int32
	Member string // the id of this instance
	Leader string // the id of the member that leads
}

// Standalone returns the [Coordinator] of an instance that is alone: it leads, and all the work is its own.
func Standalone() Coordinator { return &standalone{rejoin: make(chan struct{}, 1)} }

type standalone struct {
	rejoin chan struct{} // holds one
}

func (s *standalone) Rejoin(string) {
	select {
	case s.rejoin <- struct{}{}:
	default:
	}
}

func (s *standalone) Run(ctx context.Context, m Member) error {
	const id = "standalone"
	for generation := int32(1); ; generation++ {
		assignments, err := m.Assign(ctx, Round{Generation: generation, Leader: id, Members: map[string][]byte{id: m.Metadata()}})
		if err == nil {
			err = m.Assigned(Generation{generation, id, id}, assignments[id])
		}
		if err != nil && ctx.Err() == nil {
			return err
		}
		select {
		case <-s.rejoin:
		case <-ctx.Done():
			return nil
		}
	}
}
