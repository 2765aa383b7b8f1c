package coordinatortest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/gokconnect/connect/cluster"
)

// member is an instance that notes what it is told. What the leader assigns to each is its id, the generation, and what
// all said of themselves, so that each can check that it got its own.
type member struct {
	Place
	t      *testing.T
	name   string
	cancel context.CancelFunc
	done   chan struct{}
	err    error // once done is closed

	// Set before Run.
	offers []string // protocols
	fails  string   // the method that returns an error
	obeys  bool     // what is blocked ends with its ctx
	inside func()   // called in Assigned

	busy atomic.Bool

	mu         sync.Mutex
	says       string
	counts     map[string]int
	block      map[string]chan struct{} // the next call of a method waits
	generation cluster.Generation
	others     []string // what all said of themselves, sorted
}

// enter notes a call, and that there is no other.
func (m *member) enter(ctx context.Context, method string) (leave func(), err error) {
	if m.busy.Swap(true) {
		m.t.Errorf("%s: %s was called while another method runs", m.name, method)
	}
	m.mu.Lock()
	if m.counts == nil {
		m.counts = make(map[string]int)
	}
	m.counts[method]++
	m.mu.Unlock()
	m.wait(ctx, method)
	if m.fails == method {
		err = errMember
	}
	return func() { m.busy.Store(false) }, err
}

func (m *member) Protocols(ctx context.Context) (offers []cluster.Protocol, _ error) {
	said := m.said() // the answer to a question is from when it was asked
	leave, err := m.enter(ctx, "Protocols")
	defer leave()
	for _, p := range m.offers {
		offers = append(offers, cluster.Protocol{Name: p, Metadata: []byte(p + " " + said)})
	}
	return offers, err
}

func (m *member) Assign(ctx context.Context, r cluster.Round) (map[string][]byte, error) {
	leave, err := m.enter(ctx, "Assign")
	defer leave()
	var all []string
	for id, metadata := range r.Members {
		said, ok := strings.CutPrefix(string(metadata), r.Protocol+" ")
		if !ok {
			m.t.Errorf("%s said %q in a round by protocol %q", id, metadata, r.Protocol)
		}
		all = append(all, said)
	}
	slices.Sort(all)
	out := make(map[string][]byte)
	for id := range maps.Keys(r.Members) {
		out[id] = fmt.Appendf(nil, "%s|%d|%s", id, r.Generation, strings.Join(all, "|"))
	}
	if _, ok := r.Members[r.Leader]; !ok {
		m.t.Errorf("the leader %q is not among the members %v", r.Leader, slices.Collect(maps.Keys(r.Members)))
	}
	return out, err
}

func (m *member) Assigned(ctx context.Context, g cluster.Generation, assignment []byte) error {
	leave, err := m.enter(ctx, "Assigned")
	defer leave()
	parts := strings.Split(string(assignment), "|")
	if len(parts) < 3 || parts[0] != g.Member || parts[1] != fmt.Sprint(g.ID) {
		m.t.Errorf("%s is member %q in generation %d and was assigned %q", m.name, g.Member, g.ID, assignment)
		return err
	}
	if !slices.Contains(m.offers, g.Protocol) {
		m.t.Errorf("%s works by protocol %q and offers %q", m.name, g.Protocol, m.offers)
	}
	m.mu.Lock()
	if g.ID < m.generation.ID {
		m.t.Errorf("%s: generation %d after %d", m.name, g.ID, m.generation.ID)
	}
	m.generation, m.others = g, parts[2:]
	m.mu.Unlock()
	if m.inside != nil {
		m.inside()
	}
	return err
}

func (m *member) Lost() {
	leave, _ := m.enter(context.Background(), "Lost")
	defer leave()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.others = nil
}

// say changes what the instance says of itself.
func (m *member) say(what string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.says = what
}

func (m *member) said() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.says == "" {
		return m.name
	}
	return m.says
}

func (m *member) count(method string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.counts[method]
}

func (m *member) view() cluster.Generation {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.generation
}

func (m *member) peers() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.others
}

// blockNext makes the next call of a method wait until the channel is closed.
func (m *member) blockNext(method string) chan struct{} {
	c := make(chan struct{})
	m.mu.Lock()
	defer m.mu.Unlock()
	m.block[method] = c
	return c
}

// release forgets what was to be blocked.
func (m *member) release() {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.block)
}

func (m *member) ended() bool {
	select {
	case <-m.done:
		return true
	default:
		return false
	}
}

func (m *member) stop() error {
	m.cancel()
	<-m.done
	return m.err
}
