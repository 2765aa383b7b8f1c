// Package group is membership in a group of Kafka Connect workers: the bytes that members and leader exchange, what a
// member holds and what a leader decides, and the group's requests to Kafka.
package group

import "context"

// Offer is a protocol that a member can take part by, with what it says of itself in it.
type Offer struct {
	Name     string
	Metadata []byte
}

// Member is an instance as its [Coordinator] sees it. No two methods are called at once.
type Member interface {
	// Protocols is asked when a round begins, and again if the member has to send its request anew. They are in the
	// order of preference. A member that has to give up work before a round does so here, while it stays a member. ctx
	// ends when the answer is not needed any more.
	Protocols(ctx context.Context) ([]Offer, error)
	// Assign is asked on the leader: what each member of the round gets, by the member's id. Whether it leads is known
	// for sure only when Assigned follows.
	Assign(ctx context.Context, r Round) (map[string][]byte, error)
	// Assigned begins a generation with what the leader assigned to the instance. It may come twice for a generation.
	Assigned(ctx context.Context, g Generation, assignment []byte) error
	// Lost says that the instance can't be sure to be a member any more: whatever it was assigned may belong to others.
	Lost()
}

// Round is one distribution of the work.
type Round struct {
	Generation int32
	Leader     string            // the id of the member that leads
	Protocol   string            // the name of the protocol that all members offered
	Members    map[string][]byte // metadata by id
}

// Generation is a member's place in a group between two rounds.
type Generation struct {
	ID       int32
	Member   string // the id of this instance
	Leader   string // the id of the member that leads
	Protocol string // the name of the protocol
}
