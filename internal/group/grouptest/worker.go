package grouptest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/assign"
	"github.com/gokconnect/connect/internal/group"
)

// ledger is who holds what, by all workers of a test.
type ledger struct {
	mu    sync.Mutex
	owner map[string]string // worker by connector or task
	twice []string          // what two had at a time
}

func (l *ledger) take(worker string, w assign.Work) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, item := range items(w) {
		if owner, ok := l.owner[item]; ok && owner != worker {
			l.twice = append(l.twice, fmt.Sprintf("%s was taken by %s when %s had it", item, worker, owner))
		}
		l.owner[item] = worker
	}
}

func (l *ledger) give(worker string, w assign.Work) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, item := range items(w) {
		if l.owner[item] == worker {
			delete(l.owner, item)
		}
	}
}

func items(w assign.Work) []string {
	list := slices.Clone(w.Connectors)
	for _, t := range w.Tasks {
		list = append(list, t.String())
	}
	return list
}

// config is what is configured, as all workers can read it.
type config struct {
	mu         sync.Mutex
	offset     int64
	connectors map[string]assign.Connector
}

func (c *config) set(name string, tasks int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset++
	c.connectors[name] = assign.Connector{Tasks: tasks}
}

func (c *config) read() group.Configurations {
	c.mu.Lock()
	defer c.mu.Unlock()
	return group.Configurations{Offset: c.offset, Connectors: maps.Clone(c.connectors)}
}

func (c *config) all() []string {
	var w assign.Work
	for name, k := range c.read().Connectors {
		w.Connectors = append(w.Connectors, name)
		for t := range k.Tasks {
			w.Tasks = append(w.Tasks, connect.TaskID{Connector: name, Task: t})
		}
	}
	return slices.Sorted(slices.Values(items(w)))
}

// worker is a member as a worker of Connect is one, as far as the group can see.
type worker struct {
	Place
	t      *testing.T
	name   string
	ledger *ledger
	config *config
	stop   context.CancelFunc
	done   chan struct{}
	err    error // once done is closed

	mu         sync.Mutex
	holder     *group.Holder
	state      assign.State
	decided    assign.State
	unreadOnly int64           // how much of the configurations it does not see
	block      map[string]bool // which methods wait for unblock, once each
	unblock    chan struct{}
	generation group.Generation
	lost       int
	last       int32 // the last completed generation
}

func (w *worker) waitIf(ctx context.Context, method string) {
	w.mu.Lock()
	block, unblock := w.block[method], w.unblock
	delete(w.block, method)
	w.mu.Unlock()
	if block {
		select {
		case <-unblock:
		case <-ctx.Done():
		}
	}
}

// blockNext makes the next call of a method wait for unblocked to be closed.
func (w *worker) blockNext(method string) (unblocked chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.block[method] = true
	w.unblock = make(chan struct{})
	return w.unblock
}

func (w *worker) Protocols(ctx context.Context) ([]group.Offer, error) {
	w.waitIf(ctx, "Protocols")
	w.mu.Lock()
	defer w.mu.Unlock()
	if p := w.holder.Prepare(); !p.Empty() {
		w.ledger.give(w.name, p)
	}
	return w.holder.Protocols(group.Metadata{URL: w.name, Offset: w.config.read().Offset - w.unreadOnly})
}

func (w *worker) Assign(_ context.Context, r group.Round) (map[string][]byte, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	p, err := group.ProtocolNamed(r.Protocol)
	if err != nil {
		return nil, err
	}
	seen := w.config.read()
	seen.Offset -= w.unreadOnly
	d, err := group.Lead(group.Leading{
		Protocol: p, Leader: r.Leader, Generation: r.Generation, LastCompleted: w.last, Now: time.Now(), Members: r.Members,
		State: w.state, Configurations: seen,
	})
	if err != nil {
		return nil, err
	}
	w.decided = d.State
	return d.Assignments, nil
}

func (w *worker) Assigned(ctx context.Context, g group.Generation, assignment []byte) error {
	w.waitIf(ctx, "Assigned")
	w.mu.Lock()
	defer w.mu.Unlock()
	revoked, err := w.holder.Assigned(g.Protocol, assignment)
	if err != nil {
		return err
	}
	if g.Leader == g.Member {
		w.state = w.decided
	}
	w.generation, w.last = g, g.ID
	w.ledger.give(w.name, revoked)
	held := w.holder.Held()
	w.ledger.take(w.name, held.Assigned)
	switch {
	case held.Failed():
		w.unreadOnly = 0 // it reads on
		w.Coordinator.Rejoin("the leader has to read on")
	case !revoked.Empty():
		w.holder.Released()
		w.Coordinator.Rejoin("given up what was revoked")
	case held.Delay > 0:
		time.AfterFunc(held.Delay, func() { w.Coordinator.Rejoin("the delay is over") })
	}
	return nil
}

func (w *worker) Lost() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lost++
	w.ledger.give(w.name, w.holder.Lose())
}

func (w *worker) view() (g group.Generation, held []string, lost int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if h := w.holder.Held(); h != nil {
		held = items(h.Assigned)
	}
	return w.generation, held, w.lost
}

func (w *worker) running() bool {
	select {
	case <-w.done:
		return false
	default:
		return true
	}
}
