package cluster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"
)

// hubPatience is how long a method of a [Member] may take.
const hubPatience = time.Minute

// Hub brings together instances that are in one process, without a Kafka group: each gets a [Coordinator] by [Hub.Join].
// A round takes no longer than its members do, so work moves at once. What is configured, statuses and offsets are in
// Kafka's topics all the same. The zero Hub is a group without members; it must not be copied. It is safe for
// concurrent use.
type Hub struct {
	mu      sync.Mutex
	changed chan struct{} // closed and replaced when anything below changes
	places  []*hubPlace   // the members, in the order in which they came
	ids     int

	generation int32
	leader     string
	protocol   string
	// gathering: a round has begun, and not all members have said what they are.
	gathering bool
	// deciding: all have, and the leader has not assigned yet.
	deciding bool
}

// Join returns the coordinator of one more instance. It is a member while its Run runs.
func (h *Hub) Join() Coordinator { return &hubPlace{hub: h} }

// hubPlace is one instance's place in a [Hub]. Its Run is the only one to call the member; the hub's lock guards the rest.
type hubPlace struct {
	hub *Hub

	id        string         // empty if it is no member
	rejoin    bool           // another round is asked for
	leaving   bool           // leaving is asked for
	away      bool           // it left, until it asks for another round
	holding   bool           // it was assigned something, and Lost was not called since
	lost      bool           // Lost has to be called
	protocols []Protocol     // what it offered last
	said      bool           // in the round that gathers
	assigned  *hubAssignment // what it has to be told
	interrupt context.CancelFunc
}

type hubAssignment struct {
	generation Generation
	bytes      []byte
}

// errHubProtocol says that an instance can't take part by any protocol of the others.
var errHubProtocol = errors.New("the members of the group offer none of the instance's protocols")

// Rejoin implements [Coordinator].
func (p *hubPlace) Rejoin(string) {
	p.hub.mu.Lock()
	defer p.hub.mu.Unlock()
	p.rejoin = true
	p.hub.signal()
}

// Leave implements [Coordinator].
func (p *hubPlace) Leave(string) {
	p.hub.mu.Lock()
	defer p.hub.mu.Unlock()
	p.leaving, p.rejoin = true, false
	p.hub.signal()
}

// Run implements [Coordinator].
func (p *hubPlace) Run(ctx context.Context, m Member) error {
	h := p.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	defer func() {
		h.remove(p)
		*p = hubPlace{hub: h}
	}()
	for ctx.Err() == nil {
		next, err := p.next(ctx, m)
		if err != nil {
			return err
		}
		if next {
			continue
		}
		changed := h.wait()
		h.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
		}
		h.mu.Lock()
	}
	return nil
}

// next does the first thing that is to be done, and reports whether there was one. The lock is held, and given up for
// calls of the member.
func (p *hubPlace) next(ctx context.Context, m Member) (did bool, err error) {
	h := p.hub
	switch {
	case p.lost:
		p.lost = false
		h.mu.Unlock()
		m.Lost()
		h.mu.Lock()
	case p.leaving:
		p.leaving, p.away, p.holding = false, true, false
		h.remove(p)
	case p.away && !p.rejoin:
		return false, nil
	case p.id == "":
		p.away = false
		h.add(p)
	case p.assigned != nil:
		a := p.assigned
		p.assigned, p.holding = nil, true
		err = p.call(ctx, "Assigned", func(ctx context.Context) error { return m.Assigned(ctx, a.generation, a.bytes) })
	case h.gathering && !p.said:
		p.rejoin = false
		id := p.id
		var offered []Protocol
		err = p.call(ctx, "Protocols", func(ctx context.Context) (err error) {
			offered, err = m.Protocols(ctx)
			return err
		})
		if err == nil && p.id == id {
			err = h.offer(p, offered)
		}
	case h.deciding && h.leader == p.id:
		err = p.decide(ctx, m)
	case p.rejoin && !h.gathering && !h.deciding:
		h.gather()
	default:
		return false, nil
	}
	return true, err
}

// decide has the leader assign the work of the round.
func (p *hubPlace) decide(ctx context.Context, m Member) error {
	h := p.hub
	r := Round{Generation: h.generation, Leader: p.id, Protocol: h.protocol, Members: make(map[string][]byte, len(h.places))}
	for _, member := range h.places {
		i := slices.IndexFunc(member.protocols, func(o Protocol) bool { return o.Name == h.protocol })
		r.Members[member.id] = member.protocols[i].Metadata
	}
	var assignments map[string][]byte
	err := p.call(ctx, "Assign", func(ctx context.Context) (err error) {
		assignments, err = m.Assign(ctx, r)
		return err
	})
	if err != nil || !h.deciding || h.generation != r.Generation {
		return err // another round has begun, if there is no error
	}
	h.deciding = false
	for _, member := range h.places {
		g := Generation{ID: h.generation, Member: member.id, Leader: h.leader, Protocol: h.protocol}
		member.assigned = &hubAssignment{g, assignments[member.id]}
	}
	h.signal()
	return nil
}

// call calls a method of the member without the lock, and takes it out of the group if that takes too long. The error of
// a member that is none any more, or that is to end, does not count.
func (p *hubPlace) call(ctx context.Context, method string, f func(context.Context) error) error {
	h, id := p.hub, p.id
	within, cancel := context.WithCancel(ctx)
	defer cancel()
	p.interrupt = cancel
	timer := time.AfterFunc(hubPatience, func() { h.expel(p, id) })
	h.mu.Unlock()
	err := f(within)
	timer.Stop()
	h.mu.Lock()
	p.interrupt = nil
	if err == nil || ctx.Err() != nil || p.id != id {
		return nil
	}
	return fmt.Errorf("%s of the member: %w", method, err)
}

// The rest is called with the lock held, other than expel.

func (h *Hub) signal() {
	if h.changed != nil {
		close(h.changed)
		h.changed = nil
	}
}

func (h *Hub) wait() <-chan struct{} {
	if h.changed == nil {
		h.changed = make(chan struct{})
	}
	return h.changed
}

// gather begins a round, whatever is under way. What was decided in an earlier one is still delivered.
func (h *Hub) gather() {
	h.gathering, h.deciding = len(h.places) > 0, false
	for _, p := range h.places {
		p.said = false
	}
	h.signal()
}

func (h *Hub) add(p *hubPlace) {
	h.ids++
	p.id = "member-" + strconv.Itoa(h.ids)
	h.places = append(h.places, p)
	h.gather()
}

func (h *Hub) remove(p *hubPlace) {
	if p.id == "" {
		return
	}
	h.places = slices.DeleteFunc(h.places, func(other *hubPlace) bool { return other == p })
	p.id, p.protocols, p.assigned = "", nil, nil
	h.gather()
}

// expel takes a member out of the group that takes too long.
func (h *Hub) expel(p *hubPlace, id string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if p.id != id || p.interrupt == nil {
		return
	}
	p.lost = p.lost || p.holding
	p.holding = false
	p.interrupt()
	h.remove(p)
}

// offer takes what a member says of itself, and ends the gathering with the last one.
func (h *Hub) offer(p *hubPlace, offered []Protocol) error {
	if !h.gathering {
		return nil
	}
	if len(offered) == 0 {
		return errors.New("the instance offers no protocol to take part by")
	}
	p.protocols, p.said = offered, true
	protocol, ok := vote(slices.DeleteFunc(slices.Clone(h.places), func(p *hubPlace) bool { return p.protocols == nil }))
	if !ok {
		return errHubProtocol
	}
	if slices.ContainsFunc(h.places, func(p *hubPlace) bool { return !p.said }) {
		return nil
	}
	h.gathering, h.deciding, h.protocol = false, true, protocol
	h.generation++
	if !slices.ContainsFunc(h.places, func(p *hubPlace) bool { return p.id == h.leader }) {
		h.leader = h.places[0].id
	}
	h.signal()
	return nil
}

// vote returns the protocol that most members prefer of those that all offer; of several, the first that the first
// member offers.
func vote(places []*hubPlace) (string, bool) {
	common := slices.DeleteFunc(slices.Clone(places[0].protocols), func(o Protocol) bool {
		return slices.ContainsFunc(places, func(p *hubPlace) bool { return !p.offers(o.Name) })
	})
	best, most := "", 0
	for _, o := range common {
		votes := 0
		for _, p := range places {
			i := slices.IndexFunc(p.protocols, func(o Protocol) bool {
				return slices.ContainsFunc(common, func(c Protocol) bool { return c.Name == o.Name })
			})
			if p.protocols[i].Name == o.Name {
				votes++
			}
		}
		if votes > most {
			best, most = o.Name, votes
		}
	}
	return best, most > 0
}

func (p *hubPlace) offers(name string) bool {
	return slices.ContainsFunc(p.protocols, func(o Protocol) bool { return o.Name == name })
}
