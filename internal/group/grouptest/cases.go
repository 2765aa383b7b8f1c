package grouptest

import (
	"slices"
	"testing/synctest"
	"time"

	"github.com/gokconnect/connect/internal/group"
)

func (s *stage) members(n int) {
	ws := s.startAll(n)
	s.nothingLost(ws...)
	s.nothingTwice()
	if g, _, _ := ws[0].view(); g.Protocol != group.Sessioned.Name() {
		s.t.Errorf("protocol %s", g.Protocol)
	}
}

func (s *stage) eager() {
	for range 3 {
		s.start(group.Eager)
	}
	s.settled(time.Minute)
	w := s.follower()
	w.stop()
	<-w.done
	w.release()
	s.settled(time.Minute)
	s.nothingTwice()
}

// mixed: the group speaks what all members do.
func (s *stage) mixed() {
	s.start(group.Sessioned)
	s.settled(time.Minute)
	s.start(group.Compatible)
	s.settled(time.Minute)
	if g, _, _ := s.workers[0].view(); g.Protocol != group.Compatible.Name() {
		s.t.Errorf("protocol %s, want compatible", g.Protocol)
	}
	s.nothingTwice()
}

func (s *stage) leaderLeaves() {
	s.startAll(3)
	leader := s.leader()
	leader.stop()
	<-leader.done
	leader.release()
	s.settled(time.Minute)
	s.nothingLost(s.alive()...)
	s.nothingTwice()
}

// release is what a worker does before it leaves.
func (w *worker) release() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ledger.give(w.name, w.holder.Lose())
}

func (s *stage) leaderDies() {
	s.startAll(3)
	leader := s.leader()
	if leader.Cut == nil {
		return
	}
	s.die(leader)
	s.settled(time.Minute)
	s.nothingLost(s.alive()...)
	s.nothingTwice()
}

// die cuts a worker off, and waits until it knows.
func (s *stage) die(w *worker) {
	name := w.name
	w.Cut()
	cut := time.Now()
	s.eventually(10*time.Second, "the worker that was cut off loses its work", func() bool { _, _, lost := w.view(); return lost == 1 })
	s.t.Logf("%s lost its work %v after it was cut off", name, time.Since(cut))
	s.workers = slices.DeleteFunc(s.workers, func(x *worker) bool { return x == w })
}

func (s *stage) memberDies() {
	s.startAll(3)
	w := s.follower()
	if w.Cut == nil {
		return
	}
	s.die(w)
	s.settled(time.Minute)
	w.Heal()
	s.workers = append(s.workers, w)
	s.settled(time.Minute)
	s.nothingTwice()
	if _, held, _ := w.view(); len(held) == 0 {
		s.t.Error("the member that returned got no work")
	}
}

func (s *stage) metadataChanges() {
	s.startAll(3)
	before, _, _ := s.workers[0].view()
	s.config.set("c3", 3)
	s.follower().Coordinator.Rejoin("a connector is new")
	s.settled(time.Minute)
	if after, _, _ := s.workers[0].view(); after.ID <= before.ID {
		s.t.Errorf("generation %d after %d", after.ID, before.ID)
	}
	s.leader().Coordinator.Rejoin("the leader always has its way")
	s.settled(time.Minute)
	s.nothingLost(s.workers...)
	s.nothingTwice()
}

// rejoinDuringJoin: what is asked for after metadata was sent is not forgotten.
func (s *stage) rejoinDuringJoin() {
	s.startAll(3)
	leader, w := s.leader(), s.follower()
	unblock := leader.blockNext("Protocols") // the leader is late, so the others wait in their join
	leader.Coordinator.Rejoin("first")
	w.Coordinator.Rejoin("first")
	time.Sleep(5 * time.Second)
	s.config.set("c3", 3)
	w.Coordinator.Rejoin("second")
	time.Sleep(time.Second)
	close(unblock)
	s.settled(time.Minute)
	s.nothingLost(s.workers...)
	s.nothingTwice()
}

// lagging: a leader that has read less than others assigns nothing, and all come back.
func (s *stage) lagging() {
	s.startAll(2)
	leader := s.leader()
	leader.mu.Lock()
	leader.unreadOnly = 1
	leader.mu.Unlock()
	s.config.set("c3", 3)
	s.follower().Coordinator.Rejoin("a connector is new")
	s.settled(time.Minute)
	s.nothingTwice()
}

// longJoin: members wait for one that takes longer than a session to join, and all stay members.
func (s *stage) longJoin() {
	ws := s.startAll(3)
	w := s.follower()
	id := func(w *worker) string { g, _, _ := w.view(); return g.Member }
	var before []string
	for _, w := range ws {
		before = append(before, id(w))
	}
	unblock := w.blockNext("Protocols")
	s.config.set("c3", 3)
	s.leader().Coordinator.Rejoin("a connector is new")
	time.Sleep(40 * time.Second)
	close(unblock)
	s.settled(time.Minute)
	for i, w := range ws {
		if id(w) != before[i] {
			s.t.Errorf("%s was %s and is %s", w.name, before[i], id(w))
		}
	}
	s.nothingLost(ws...)
	s.nothingTwice()
}

// hangs: a member whose method does not return leaves, its work goes to others, and it loses it.
func (s *stage) hangs() {
	s.startAll(3)
	w := s.follower()
	unblock := make(chan struct{})
	w.mu.Lock()
	w.block["Assigned"], w.unblock = true, unblock
	w.mu.Unlock()
	s.leader().Coordinator.Rejoin("anything")
	s.eventually(3*time.Minute, "the member that hangs is told", func() bool { _, _, lost := w.view(); return lost == 1 })
	close(unblock)
	s.settled(time.Minute)
}

// expelled: the member joins again at once, and keeps what it holds meanwhile.
func (s *stage) expelled() {
	s.startAll(3)
	w := s.follower()
	before, _, _ := w.view()
	if !s.group.Expel(before.Member) {
		return
	}
	s.eventually(10*time.Second, "the member joins again", func() bool { after, _, _ := w.view(); return after.Member != before.Member })
	s.settled(time.Minute)
	s.nothingLost(s.workers...)
}

func (s *stage) leaves() {
	s.startAll(3)
	w := s.follower()
	before, _, _ := w.view()
	w.Coordinator.Leave("taking too long to read the log")
	w.release()
	s.workers = slices.DeleteFunc(s.workers, func(x *worker) bool { return x == w })
	s.settled(time.Minute)
	time.Sleep(time.Minute)
	if during, _, _ := w.view(); during.ID != before.ID {
		s.t.Error("it joined again without having been asked to")
	}
	s.workers = append(s.workers, w)
	w.Coordinator.Rejoin("the log is read")
	s.settled(time.Minute)
	s.nothingLost(s.workers...)
	s.nothingTwice()
}

func (s *stage) moves() {
	s.startAll(3)
	for range 5 {
		if !s.group.Move() {
			return
		}
		time.Sleep(5 * time.Second)
	}
	s.config.set("c3", 3)
	s.follower().Coordinator.Rejoin("a connector is new")
	s.settled(time.Minute)
	s.nothingLost(s.workers...)
	s.nothingTwice()
}

// drops: a connection that breaks, while heartbeats are sent or a join waits, costs nobody its place.
func (s *stage) drops() {
	s.startAll(3)
	leader, w := s.leader(), s.follower()
	if w.Drop == nil {
		return
	}
	w.Drop()
	time.Sleep(5 * time.Second)
	unblock := leader.blockNext("Protocols")
	s.config.set("c3", 3)
	w.Coordinator.Rejoin("a connector is new")
	time.Sleep(5 * time.Second)
	synctest.Wait()
	w.Drop() // while its join waits for the leader's
	time.Sleep(5 * time.Second)
	close(unblock)
	s.settled(time.Minute)
	s.nothingLost(s.workers...)
	s.nothingTwice()
}
