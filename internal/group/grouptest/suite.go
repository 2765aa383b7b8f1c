// Package grouptest proves coordinators: what a group promises its members, whichever way they come together.
package grouptest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gokconnect/connect/internal/assign"
	"github.com/gokconnect/connect/internal/group"
)

// Coordinator is what is proved.
type Coordinator interface {
	Run(ctx context.Context, m group.Member) error
	Rejoin(reason string)
	Leave(reason string)
}

// Place is where an instance joins from.
type Place struct {
	Coordinator Coordinator
	// Cut and Heal break and mend the instance's way to the group; Drop breaks it for a moment. Nil if it can't break.
	Cut, Heal, Drop func()
}

// Group is a group without members.
type Group interface {
	// Join returns a place for one more instance. Its session timeout is 10 s, its heartbeat interval 3 s, and its
	// rebalance timeout 60 s.
	Join() Place
	// Expel removes a member behind its back. It returns false if that can't happen.
	Expel(id string) bool
	// Move makes the group be coordinated from elsewhere. It returns false if that can't happen.
	Move() bool
}

// Run runs the suite. Every test makes a group inside of a synctest bubble.
func Run(t *testing.T, newGroup func(t *testing.T) Group) {
	tests := []struct {
		name string
		test func(*stage)
	}{
		{"one member", func(s *stage) { s.members(1) }},
		{"three members", func(s *stage) { s.members(3) }},
		{"five members", func(s *stage) { s.members(5) }},
		{"eager members", (*stage).eager},
		{"protocols mixed", (*stage).mixed},
		{"leader leaves", (*stage).leaderLeaves},
		{"leader dies", (*stage).leaderDies},
		{"member dies and returns", (*stage).memberDies},
		{"metadata changes", (*stage).metadataChanges},
		{"rejoin during a join", (*stage).rejoinDuringJoin},
		{"leader has not read enough", (*stage).lagging},
		{"join longer than a session", (*stage).longJoin},
		{"member hangs", (*stage).hangs},
		{"member is expelled", (*stage).expelled},
		{"member leaves for a while", (*stage).leaves},
		{"coordinator moves", (*stage).moves},
		{"connection drops", (*stage).drops},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &stage{t: t, group: newGroup(t), ledger: &ledger{owner: map[string]string{}}, config: &config{connectors: map[string]assign.Connector{}}}
				s.config.set("c1", 4)
				s.config.set("c2", 5)
				test.test(s)
				s.end()
			})
		})
	}
}

// stage is a test under way.
type stage struct {
	t       *testing.T
	group   Group
	ledger  *ledger
	config  *config
	workers []*worker
}

func (s *stage) start(p group.Protocol) *worker {
	ctx, stop := context.WithCancel(context.Background())
	w := &worker{
		Place: s.group.Join(), t: s.t, name: fmt.Sprintf("worker%d", len(s.workers)+1), ledger: s.ledger, config: s.config, stop: stop, done: make(chan struct{}),
		holder: group.NewHolder(p), state: assign.NewState(), last: -1, block: map[string]bool{},
	}
	s.workers = append(s.workers, w)
	go func() {
		defer close(w.done)
		w.err = w.Coordinator.Run(ctx, w)
	}()
	s.t.Cleanup(func() { stop(); <-w.done })
	return w
}

func (s *stage) startAll(n int) []*worker {
	for range n {
		s.start(group.Sessioned)
	}
	s.settled(time.Minute)
	return s.workers
}

// eventually waits for a condition, in the bubble's time.
func (s *stage) eventually(within time.Duration, what string, condition func() bool) {
	s.t.Helper()
	for end := time.Now().Add(within); ; time.Sleep(50 * time.Millisecond) {
		if synctest.Wait(); condition() {
			return
		}
		if time.Now().After(end) {
			s.t.Fatalf("not within %v: %s\n%s", within, what, s)
		}
	}
}

// settled waits until all running workers are in one generation, and hold all of the work, each item once, evenly.
func (s *stage) settled(within time.Duration) {
	s.t.Helper()
	s.eventually(within, "all work is held once by members of one generation", s.isSettled)
	time.Sleep(7 * time.Second) // and stays so
	synctest.Wait()
	if !s.isSettled() {
		s.t.Fatalf("the group was settled, and is not any more\n%s", s)
	}
}

func (s *stage) isSettled() bool {
	var all []string
	var first group.Generation
	least, most := 1000, 0
	for i, w := range s.alive() {
		g, held, _ := w.view()
		if i == 0 {
			first = g
		}
		if g.ID != first.ID || g.Leader != first.Leader || g.Protocol != first.Protocol {
			return false
		}
		all = append(all, held...)
		least, most = min(least, len(held)), max(most, len(held))
	}
	slices.Sort(all)
	return slices.Equal(all, s.config.all()) && most-least <= 2
}

// alive are those that run and are not cut off.
func (s *stage) alive() []*worker {
	var alive []*worker
	for _, w := range s.workers {
		if w.running() && w.name != "" {
			alive = append(alive, w)
		}
	}
	return alive
}

func (s *stage) leader() *worker {
	for _, w := range s.alive() {
		if g, _, _ := w.view(); g.Leader == g.Member {
			return w
		}
	}
	s.t.Fatalf("nobody leads\n%s", s)
	return nil
}

func (s *stage) follower() *worker {
	for _, w := range s.alive() {
		if g, _, _ := w.view(); g.Leader != g.Member {
			return w
		}
	}
	s.t.Fatalf("nobody follows\n%s", s)
	return nil
}

func (s *stage) nothingLost(ws ...*worker) {
	s.t.Helper()
	for _, w := range ws {
		if _, _, lost := w.view(); lost != 0 {
			s.t.Errorf("%s lost its work %d times", w.name, lost)
		}
	}
}

func (s *stage) nothingTwice() {
	s.t.Helper()
	s.ledger.mu.Lock()
	defer s.ledger.mu.Unlock()
	if len(s.ledger.twice) > 0 {
		s.t.Errorf("held by two at a time: %s", strings.Join(s.ledger.twice, "; "))
	}
}

// end stops all workers and checks that each Run ends without an error.
func (s *stage) end() {
	for _, w := range s.workers {
		w.stop()
	}
	for _, w := range s.workers {
		<-w.done
		if w.err != nil {
			s.t.Errorf("%s: Run returned %v", w.name, w.err)
		}
	}
}

func (s *stage) String() string {
	var b strings.Builder
	for _, w := range s.workers {
		g, held, lost := w.view()
		fmt.Fprintf(&b, "%s: running %v, generation %+v, lost %d, holds %v\n", w.name, w.running(), g, lost, held)
	}
	return b.String()
}
