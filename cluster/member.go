package cluster

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/assign"
	"github.com/gokconnect/connect/internal/configstore"
	"github.com/gokconnect/connect/internal/group"
	"github.com/gokconnect/connect/internal/herder"
)

// groupMember is the runtime as its coordinator sees it. The coordinator calls one method at a time.
type groupMember struct {
	rt     *Runtime
	holder *group.Holder
	state  assign.State // what the leader remembers
	// offered is what was configured when the round began. The leader distributes that, and no more: the members are told how
	// far they have to have read by what was said then, and one that has not read a connector that it gets would fail it.
	offered  *configstore.Snapshot
	decision *group.Decision // of the last round that this instance led, until it is known whether it counts
	failed   bool            // the last round that this instance led assigned nothing
	last     int32           // the last generation of which an assignment was received; -1 for none
	again    *time.Timer     // of the next round, when the leader has set one
	once     sync.Once       // closes joined
	bare     bool            // the round under way has it that the instance takes no work
	empty    chan struct{}   // closed when such a round is over

	mu       sync.Mutex
	draining bool // the instance takes no more work: it is about to leave
	alone    bool // it was the only member of the last round

	work    herder.Assignment // what the instance is to run; the loop's own
	able    bool              // the instance is a member and has been told its work; the loop's own
	waiters []waiter          // the loop's own
}

// waiter waits until the instance has let go of some work, and until tasks that were stopping have stopped.
type waiter struct {
	work     assign.Work
	stopping []connect.TaskID
	done     chan struct{}
}

func newMember(rt *Runtime) *groupMember {
	protocol, err := group.ParseProtocol(string(rt.settings.Protocol))
	if err != nil {
		protocol = group.Sessioned // the worker's configuration was validated
	}
	rt.route.signed = protocol.Signed()
	return &groupMember{rt: rt, holder: group.NewHolder(protocol), state: assign.NewState(), last: -1, empty: make(chan struct{})}
}

// Protocols implements [Member].
func (m *groupMember) Protocols(ctx context.Context) ([]Protocol, error) {
	m.rt.meter.RebalanceBegan()
	m.release(ctx, m.holder.Prepare())
	m.offered = m.rt.store.Snapshot()
	m.conform(ctx)
	metadata := group.Metadata{URL: m.rt.route.offer(m.rt.url()), Offset: m.offered.Offset, Classes: m.classes()}
	m.mu.Lock()
	if m.bare = m.draining; m.draining {
		m.holder.Lose() // it was stopped already
		metadata.Classes = []string{}
	}
	m.mu.Unlock()
	offers, err := m.holder.Protocols(metadata)
	if err != nil {
		return nil, err
	}
	out := make([]Protocol, len(offers))
	for i, o := range offers {
		out[i] = Protocol(o)
	}
	return out, nil
}

// classes are what the instance can run: by class, and by the names that a configuration can use in its place.
func (m *groupMember) classes() []string {
	names := []string{} // not nil, which would be everything
	reg := m.rt.plugins.Load()
	for _, kind := range []connect.Kind{connect.KindSource, connect.KindSink} {
		for _, info := range reg.List(kind) {
			names = append(append(names, info.Class), reg.Names(kind, info.Class)...)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// configurations are what has to be distributed.
func configurations(s *configstore.Snapshot) group.Configurations {
	all := make(map[string]assign.Connector, len(s.Connectors))
	for name, k := range s.Connectors {
		c := assign.Connector{Tasks: len(k.Tasks)}
		if class := k.Config["connector.class"]; class != nil {
			c.Class = *class
		}
		all[name] = c
	}
	return group.Configurations{Offset: s.Offset, TasksOffset: s.TasksOffset, Connectors: all}
}

// Assign implements [Member].
func (m *groupMember) Assign(ctx context.Context, r Round) (map[string][]byte, error) {
	protocol, err := group.ProtocolNamed(r.Protocol)
	if err != nil {
		return nil, err
	}
	d, err := group.Lead(group.Leading{
		Protocol: protocol, Leader: r.Leader, Generation: r.Generation, LastCompleted: m.last, Now: time.Now(), Members: r.Members,
		MaxDelay: m.rt.settings.ScheduledRebalanceMaxDelay, State: m.state, Configurations: configurations(m.offered),
		Refresh: func() group.Configurations {
			m.refresh(ctx)
			return configurations(m.rt.store.Snapshot())
		},
		Insist: m.failed,
	})
	if err != nil {
		return nil, err
	}
	m.decision, m.failed = d, d.Failed
	for id, err := range d.Unreadable {
		m.rt.log.Error("metadata of a member can't be read, it gets no work", "member", id, "err", err)
	}
	m.mu.Lock()
	draining := m.draining
	m.mu.Unlock()
	for _, u := range d.Plan.Unassigned {
		if draining {
			break // the one that leads next will tell
		}
		m.rt.log.Warn("work stays unassigned", "connector", u.Connector, "task", u.Task, "reason", u.Reason)
	}
	return d.Assignments, nil
}

// refresh reads what is configured to its end, as long as worker.sync.timeout.ms.
func (m *groupMember) refresh(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, m.rt.settings.SyncTimeout)
	defer cancel()
	if err := m.rt.store.Refresh(ctx); err != nil {
		m.rt.log.Warn("what is configured could not be read to its end in time", "err", err)
		return false
	}
	return true
}

// Assigned implements [Member].
func (m *groupMember) Assigned(ctx context.Context, g Generation, assignment []byte) error {
	leads := m.decision != nil && g.Leader == g.Member
	alone := leads && len(m.decision.Members) == 1
	var owned owners
	if leads {
		m.state = m.decision.State
		owned = ownersOf(m.decision)
	}
	m.decision, m.last = nil, g.ID
	if shared := m.rt.status.shared; shared != nil {
		shared.generation.Store(g.ID)
	}
	if m.again != nil {
		m.again.Stop()
	}
	m.mu.Lock()
	m.alone = alone
	draining := m.draining
	m.mu.Unlock()
	if draining {
		// A round that began before may have given it work: the others get it in the next one only.
		select {
		case <-m.empty:
		default:
			if m.bare {
				close(m.empty)
			}
		}
		return nil
	}
	revoked, err := m.holder.Assigned(g.Protocol, assignment)
	if err != nil {
		return err
	}
	held := m.holder.Held()
	m.rt.log.Info("assigned", "generation", g.ID, "leader", g.Leader == g.Member, "connectors", held.Assigned.Connectors, "tasks", len(held.Assigned.Tasks), "revoked", len(revoked.Connectors)+len(revoked.Tasks), "delay", held.Delay)
	m.rt.route.set(leads, held.LeaderURL, owned, m.holder.Protocol().Signed())
	m.rt.keys.look()
	if held.Failed() {
		m.refresh(ctx)
		m.rejoin("the leader had read less than this instance")
		return nil
	}
	if m.rt.store.Snapshot().Offset < held.Offset && !m.refresh(ctx) {
		m.rejoinAfter(m.rt.settings.SyncTimeout, "this instance lags behind")
		return nil
	}
	if !revoked.Empty() {
		m.release(ctx, revoked)
		if ctx.Err() != nil {
			return ctx.Err() // it is no member any more: what it was given may be another's
		}
		m.holder.Released()
	}
	if shared := m.rt.status.shared; shared != nil && leads {
		shared.sweep() // after what runs here has said its last word
	}
	m.take(m.holder.Held().Assigned, true)
	m.rt.meter.RebalanceEnded(g.ID, len(m.holder.Held().Assigned.Connectors), len(m.holder.Held().Assigned.Tasks))
	switch {
	case !revoked.Empty():
		m.rejoin("what was revoked has been given up")
	case m.rt.store.Snapshot().Offset > held.Offset:
		m.rejoin("more is configured than the leader knew")
	case held.Delay > 0:
		m.rejoinAfter(held.Delay, "the delay of the leader is over")
	}
	m.once.Do(func() { close(m.rt.joined) })
	return nil
}

func (m *groupMember) rejoin(reason string) { m.rt.coordinator.Rejoin(reason) }

func (m *groupMember) rejoinAfter(d time.Duration, reason string) {
	m.again = time.AfterFunc(d, func() { m.rejoin(reason) })
}

// Lost implements [Member].
func (m *groupMember) Lost() {
	m.holder.Lose()
	m.rt.route.lose()
	m.take(assign.Work{}, false)
}

// take makes work what the instance runs; able says that it is a member.
func (m *groupMember) take(work assign.Work, able bool) {
	var read int64
	if able {
		read = m.offered.Offset // as of when the round began
	}
	m.rt.post(func() {
		if m.able = able; able {
			m.rt.core.Free(read)
		}
		m.work = herder.Assignment{Connectors: work.Connectors, Tasks: work.Tasks}
		switch {
		case m.rt.stopping:
		case able:
			m.rt.stage.set(stageServing)
		default:
			m.rt.stage.set(stageJoining)
		}
		m.rt.reassign()
	})
}

// release has the instance let go of work, and waits until it has, at most as long as the group waits.
func (m *groupMember) release(ctx context.Context, work assign.Work) {
	if work.Empty() {
		return
	}
	w := waiter{work: work, done: make(chan struct{})}
	m.rt.post(func() {
		m.work.Connectors = slices.DeleteFunc(slices.Clone(m.work.Connectors), func(c string) bool { return slices.Contains(work.Connectors, c) })
		gone := make(map[connect.TaskID]bool, len(work.Tasks))
		for _, id := range work.Tasks {
			gone[id] = true
		}
		m.work.Tasks = slices.DeleteFunc(slices.Clone(m.work.Tasks), func(id connect.TaskID) bool { return gone[id] })
		m.waiters = append(m.waiters, w)
		m.rt.reassign()
	})
	m.await(ctx, w.done, m.rt.settings.RebalanceTimeout)
}

// conform waits until the tasks have stopped that run by an older configuration than what is offered, which takes no longer
// than task.shutdown.graceful.timeout.ms: what they read may belong to another task from this round on. The group
// waits for rebalance.timeout.ms, of which it leaves half.
func (m *groupMember) conform(ctx context.Context) {
	limit := m.rt.settings.RebalanceTimeout / 2
	if !m.await(ctx, m.rt.store.Told(), limit) { // the loop has heard of it then, and has begun to stop them
		return
	}
	w := waiter{done: make(chan struct{})}
	m.rt.post(func() {
		w.stopping = m.rt.core.Stopping()
		m.waiters = append(m.waiters, w)
		m.released()
	})
	m.await(ctx, w.done, limit)
}

// await waits for what the loop does, and reports whether it was done in time.
func (m *groupMember) await(ctx context.Context, done <-chan struct{}, limit time.Duration) bool {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-done:
		return true
	case <-timer.C:
	case <-ctx.Done():
	case <-m.rt.ended:
	}
	return false
}

// assignment returns what the instance is to run. It runs on the loop.
func (m *groupMember) assignment() herder.Assignment {
	if m.rt.stopping {
		return herder.Assignment{}
	}
	return m.work
}

// released tells those who wait for work that the instance has let go of it. It runs on the loop.
func (m *groupMember) released() {
	m.waiters = slices.DeleteFunc(m.waiters, func(w waiter) bool {
		busy := slices.ContainsFunc(w.work.Connectors, m.rt.core.RunsConnector) || slices.ContainsFunc(w.work.Tasks, m.rt.core.Runs) || slices.ContainsFunc(w.stopping, m.rt.core.Stops)
		if !busy {
			close(w.done)
		}
		return !busy
	})
}

// drain begins another round in which the instance has and takes nothing, so that its work goes to others at once and
// not after scheduled.rebalance.max.delay.ms, and returns a channel that is closed when the round is over.
func (m *groupMember) drain() <-chan struct{} {
	m.mu.Lock()
	m.draining = true
	alone := m.alone
	m.mu.Unlock()
	if alone {
		nobody := make(chan struct{})
		close(nobody)
		return nobody
	}
	m.rejoin("the instance is about to leave")
	return m.empty
}
