package group

import (
	"fmt"
	"slices"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/assign"
)

// Holder is the member's side of the protocol: what it was assigned over the rounds. It is for one goroutine.
type Holder struct {
	offers     Protocol // the preferred one
	negotiated Protocol
	held       *Assignment
}

// NewHolder returns the Holder of a member with the connect.protocol.
func NewHolder(p Protocol) *Holder { return &Holder{offers: p, negotiated: p} }

// Protocols returns what the member joins with. The Held of m is not looked at.
func (h *Holder) Protocols(m Metadata) ([]Offer, error) {
	m.Held = h.held
	var offers []Offer
	for _, p := range h.offers.Offered() {
		b, err := m.Encode(p)
		if err != nil {
			return nil, err
		}
		offers = append(offers, Offer{Name: p.Name(), Metadata: b})
	}
	return offers, nil
}

// Prepare returns what the member has to give up before it joins: all, in the eager protocol.
func (h *Holder) Prepare() assign.Work {
	if h.negotiated.Cooperative() || h.held == nil || h.held.Failed() {
		return assign.Work{}
	}
	return h.held.Assigned
}

// Assigned takes an assignment of the protocol with the given name. It returns what the member has to give up before
// anything else; [Holder.Held] has changed then.
func (h *Holder) Assigned(protocol string, assignment []byte) (revoked assign.Work, err error) {
	p, err := ProtocolNamed(protocol)
	if err != nil {
		return assign.Work{}, err
	}
	a, err := DecodeAssignment(assignment)
	if err != nil {
		return assign.Work{}, fmt.Errorf("assignment: %w", err)
	}
	if a == nil {
		return assign.Work{}, fmt.Errorf("there is no assignment")
	}
	h.negotiated = p
	if p.Cooperative() {
		revoked = a.Revoked
		if h.held != nil {
			a.Assigned.Connectors = append(a.Assigned.Connectors, without(h.held.Assigned.Connectors, a.Revoked.Connectors)...)
			a.Assigned.Tasks = append(a.Assigned.Tasks, without(h.held.Assigned.Tasks, a.Revoked.Tasks)...)
		}
	}
	h.held = a
	return revoked, nil
}

func without[T string | connect.TaskID](from, what []T) []T {
	gone := make(map[T]bool, len(what))
	for _, v := range what {
		gone[v] = true
	}
	return slices.DeleteFunc(slices.Clone(from), func(v T) bool { return gone[v] })
}

// Held returns the last assignment, whose Assigned is all that the member holds, or nil. It is not to be changed.
func (h *Holder) Held() *Assignment { return h.held }

// Protocol returns the protocol that the group agreed on last.
func (h *Holder) Protocol() Protocol { return h.negotiated }

// RejoinNeeded reports whether the member has nothing to work by.
func (h *Holder) RejoinNeeded() bool { return h.held == nil || h.held.Failed() }

// Released says that the member has given up what the last assignment revoked.
func (h *Holder) Released() {
	if h.held != nil {
		next := *h.held
		next.Revoked = assign.Work{}
		h.held = &next
	}
}

// Lose drops what the member holds and returns it: it has to be given up.
func (h *Holder) Lose() assign.Work {
	if h.held == nil {
		return assign.Work{}
	}
	lost := h.held.Assigned
	h.held = nil
	return lost
}
