package cluster

import (
	"context"
	"errors"
)

// Coordinator brings the instances of a service together: it says who is there, who leads, and delivers what the leader
// assigns. The default is membership in a Kafka group; [Standalone] is the one of an instance that is alone, [Hub] brings
// those of one process together. Package coordinatortest proves others.
//
// The runtime calls Run once. Rejoin and Leave are safe for concurrent use, and return at once.
type Coordinator interface {
	// Run is a member of the group until ctx ends, and leaves it then. It calls m, never two methods at once. It
	// returns nil when ctx ended, or the error that makes membership impossible; what can pass, such as an unreachable
	// coordinator, it retries itself.
	Run(ctx context.Context, m Member) error
	// Rejoin asks for another round: because what the instance says of itself changed, or, on the leader, because the
	// assignment has to. Asked during a round that has that already, it leads to one more.
	Rejoin(reason string)
	// Leave leaves the group until Rejoin is called. The instance keeps what it was assigned, and Lost is not called: it
	// is for the instance to give it up if it does not come back soon.
	Leave(reason string)
}

// Hurrier is a [Coordinator] whose members would otherwise hear of a new round with a delay, such as that of their next
// heartbeat.
type Hurrier interface {
	// Hurry says that another member is about to begin a round. It is safe for concurrent use, and returns at once.
	Hurry()
}

// Member is an instance as its [Coordinator] sees it. An instance whose methods take too long, which is a minute by
// default, leaves the group.
type Member interface {
	// Protocols is asked at the beginning of each round, and again if a request has to be sent anew: what the instance
	// says of itself, by each of the protocols that it can take part by, the preferred first. An instance that has to
	// give up work before a round does so here, while it stays a member. ctx ends when the answer is not needed any more.
	Protocols(ctx context.Context) ([]Protocol, error)
	// Assign is asked on the leader: what each member of the round gets, by the member's id. Of what it decides the
	// instance remembers for later rounds only what Assigned confirms: that it leads is known then.
	Assign(ctx context.Context, r Round) (map[string][]byte, error)
	// Assigned begins a generation with what the leader assigned to the instance. It may come twice for a generation.
	Assigned(ctx context.Context, g Generation, assignment []byte) error
	// Lost says that the instance is no member any more, or can't be sure to be: whatever it was assigned may belong
	// to others.
	Lost()
}

// Protocol is a way in which a group can work, with what an instance says of itself in it. A group works by one that
// all its members offer.
type Protocol struct {
	Name     string
	Metadata []byte
}

// Round is one distribution of the work.
type Round struct {
	Generation int32
	Leader     string            // the id of the member that leads
	Protocol   string            // the name of the protocol of the group
	Members    map[string][]byte // metadata by id
}

// Generation is a member's place in a group between two rounds.
type Generation struct {
	ID       int32
	Member   string // the id of this instance
	Leader   string // the id of the member that leads
	Protocol string // the name of the protocol of the group
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

// Leave does nothing: there is nobody to take over.
func (s *standalone) Leave(string) {}

func (s *standalone) Run(ctx context.Context, m Member) error {
	const id = "standalone"
	for generation := int32(1); ; generation++ {
		if err := s.round(ctx, m, generation, id); err != nil && ctx.Err() == nil {
			return err
		}
		select {
		case <-s.rejoin:
		case <-ctx.Done():
			return nil
		}
	}
}

func (s *standalone) round(ctx context.Context, m Member, generation int32, id string) error {
	protocols, err := m.Protocols(ctx)
	if err != nil {
		return err
	}
	if len(protocols) == 0 {
		return errors.New("the instance offers no protocol to take part by")
	}
	p := protocols[0]
	assignments, err := m.Assign(ctx, Round{Generation: generation, Leader: id, Protocol: p.Name, Members: map[string][]byte{id: p.Metadata}})
	if err != nil {
		return err
	}
	return m.Assigned(ctx, Generation{ID: generation, Member: id, Leader: id, Protocol: p.Name}, assignments[id])
}
