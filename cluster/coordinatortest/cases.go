package coordinatortest

import (
	"context"
	"errors"
	"sync"
	"testing/synctest"
	"time"
)

func (s *stage) alone() {
	m := s.start("a")
	s.together(m)
}

func (s *stage) delivers() {
	leader, followers := s.three()
	if len(followers) != 2 {
		s.t.Errorf("%d of 3 follow", len(followers))
	}
	if n := leader.count("Assign"); n == 0 {
		s.t.Error("Assign was not called on the leader")
	}
	time.Sleep(time.Minute) // and nothing happens by itself
	for _, m := range s.members {
		if m.count("Lost") > 0 {
			s.t.Errorf("%s was told that it lost its work", m.name)
		}
	}
	s.together(s.members...)
}

func (s *stage) leavesAtTheEnd() {
	leader, followers := s.three()
	if err := followers[0].stop(); err != nil {
		s.t.Errorf("Run returned %v", err)
	}
	s.together(leader, followers[1])
}

// leaderLeaves has two instances: with more, the Kafka in memory tells each of them that it leads.
func (s *stage) leaderLeaves() {
	s.start("a")
	s.start("b")
	leader, followers := s.together(s.members...)
	if err := leader.stop(); err != nil {
		s.t.Errorf("Run returned %v", err)
	}
	if next, _ := s.together(followers...); next.count("Assign") == 0 {
		s.t.Error("Assign was not called on the next leader")
	}
}

func (s *stage) endsWhileBusy() {
	m := s.launch("a", func(m *member) { m.block["Protocols"], m.obeys = make(chan struct{}), true })
	synctest.Wait()
	time.Sleep(time.Second)
	if err := m.stop(); err != nil {
		s.t.Errorf("Run returned %v", err)
	}
}

var errMember = errors.New("the member can't")

func (s *stage) protocolsFails() {
	s.wantError(s.launch("a", func(m *member) { m.fails = "Protocols" }), errMember)
}

func (s *stage) assignFails() {
	s.wantError(s.launch("a", func(m *member) { m.fails = "Assign" }), errMember)
}

func (s *stage) assignedFails() {
	s.wantError(s.launch("a", func(m *member) { m.fails = "Assigned" }), errMember)
}

func (s *stage) foreign() {
	first := s.start("a")
	other := s.launch("b", func(m *member) { m.offers = []string{"of its own"} })
	s.eventually("Run returns", other.ended)
	if other.err == nil {
		s.t.Error("Run returned no error")
	}
	s.together(first)
}

func (s *stage) unreachable() {
	m := s.launch("a", func(m *member) {
		if m.Cut != nil {
			m.Cut()
		}
	})
	if m.Cut == nil {
		return
	}
	time.Sleep(10 * time.Minute)
	if synctest.Wait(); m.ended() {
		s.t.Fatalf("Run returned %v while the group could not be reached", m.err)
	}
	m.Heal()
	s.together(m)
}

func (s *stage) rejoins() {
	m := s.start("a")
	before := m.view()
	m.say("a, a second time")
	m.Coordinator.Rejoin("what it says of itself changed")
	s.together(m)
	if after := m.view(); after.ID <= before.ID {
		s.t.Errorf("generation %d follows %d, want a higher one", after.ID, before.ID)
	}
}

func (s *stage) rejoinsAll() {
	leader, followers := s.three()
	followers[0].say("a follower, a second time")
	followers[0].Coordinator.Rejoin("what it says of itself changed")
	s.together(s.members...)
	n := leader.count("Assign")
	leader.Coordinator.Rejoin("the assignment has to change")
	s.eventually("the leader assigns again", func() bool { return leader.count("Assign") > n })
	s.together(s.members...)
}

func (s *stage) rejoinsDuringRound() {
	leader, followers := s.three()
	f := followers[0]
	release := leader.blockNext("Protocols") // so that the round waits
	n := f.count("Protocols")
	leader.Coordinator.Rejoin("first")
	f.Coordinator.Rejoin("first")
	s.eventually("the round has what the follower said", func() bool { return f.count("Protocols") > n })
	time.Sleep(time.Second)
	f.say("said during the round")
	f.Coordinator.Rejoin("second")
	time.Sleep(time.Second)
	close(release)
	s.together(s.members...)
}

func (s *stage) returnsAtOnce() {
	m := s.launch("a", func(m *member) {
		m.inside = sync.OnceFunc(func() { m.Coordinator.Rejoin("from a method") })
	})
	s.eventually("the round that was asked for from a method", func() bool { return m.count("Assigned") >= 2 })
	release := m.blockNext("Protocols")
	begin := time.Now()
	var callers sync.WaitGroup
	for i := range 20 {
		callers.Go(func() {
			m.Coordinator.Rejoin("once more")
			if i%5 == 0 {
				m.Coordinator.Leave("for a moment")
				m.Coordinator.Rejoin("it is over")
			}
		})
	}
	callers.Wait()
	if took := time.Since(begin); took > 0 {
		s.t.Errorf("Rejoin and Leave took %v while a method runs", took)
	}
	close(release)
	m.Coordinator.Rejoin("the last")
	s.together(m)
}

func (s *stage) leaves() {
	leader, followers := s.three()
	gone := followers[0]
	gone.Coordinator.Leave("it reads what is configured")
	s.together(leader, followers[1])
	n := gone.count("Protocols")
	time.Sleep(2 * time.Minute)
	if synctest.Wait(); gone.count("Protocols") > n {
		s.t.Error("it joined again without having been asked to")
	}
	if gone.count("Lost") > 0 {
		s.t.Error("Lost was called")
	}
	gone.Coordinator.Rejoin("it has read")
	s.together(s.members...)
}

func (s *stage) protocols() {
	a := s.start("a", func(m *member) { m.offers = []string{"new", "middle", "old"} })
	if p := a.view().Protocol; p != "new" {
		s.t.Errorf("an instance works by %q, want what it prefers", p)
	}
	s.start("b", func(m *member) { m.offers = []string{"middle", "old"} })
	s.together(s.members...)
	if p := a.view().Protocol; p != "middle" {
		s.t.Errorf("the group works by %q, want the preferred one of both", p)
	}
	s.start("c", func(m *member) { m.offers = []string{"old"} })
	s.together(s.members...)
	if p := a.view().Protocol; p != "old" {
		s.t.Errorf("the group works by %q, want the one that all offer", p)
	}
}

func (s *stage) hangs() {
	leader, followers := s.three()
	m := followers[0]
	release := m.blockNext("Assigned")
	leader.Coordinator.Rejoin("anything")
	s.together(leader, followers[1])
	close(release)
	s.eventually("it is told that its work is lost", func() bool { return m.count("Lost") == 1 })
	s.together(s.members...)
}

func (s *stage) lost() {
	s.start("a")
	if s.members[0].Cut == nil {
		return
	}
	s.start("b")
	_, followers := s.together(s.members...)
	m := followers[0]
	m.Cut()
	s.eventually("it is told that its work is lost", func() bool { return m.count("Lost") == 1 })
	time.Sleep(5 * time.Minute)
	m.Heal()
	s.together(s.members...)
	if n := m.count("Lost"); n != 1 {
		s.t.Errorf("it was told %d times that its work is lost, want once", n)
	}
}

// wait blocks a method that is to be blocked, until it is released or, if the member obeys, ctx ends.
func (m *member) wait(ctx context.Context, method string) {
	m.mu.Lock()
	c := m.block[method]
	delete(m.block, method)
	m.mu.Unlock()
	if c == nil {
		return
	}
	obeyed := ctx.Done()
	if !m.obeys {
		obeyed = nil
	}
	select {
	case <-c:
	case <-obeyed:
	}
}
