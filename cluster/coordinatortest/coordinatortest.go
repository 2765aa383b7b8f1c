// Package coordinatortest proves an implementation of [cluster.Coordinator]: a case for each sentence of its contract.
//
//	func TestCoordinator(t *testing.T) {
//		coordinatortest.Run(t, func(t *testing.T) coordinatortest.Group {
//			registry := newRegistry(t)
//			return coordinatortest.Group{Join: func() coordinatortest.Place {
//				return coordinatortest.Place{Coordinator: registry.Coordinator("workers")}
//			}}
//		})
//	}
//
// Every case runs in a bubble of [testing/synctest], so that sessions expire at once: what a coordinator talks to has to
// be in the same process. An instance's methods are given a minute, as by default.
package coordinatortest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gokconnect/connect/cluster"
)

// Place is where one instance joins a group from.
type Place struct {
	Coordinator cluster.Coordinator
	// Cut and Heal break and mend the instance's way to the group. Nil if it can't break: then what is about that is
	// left out.
	Cut, Heal func()
}

// Group is a group without members.
type Group struct {
	// Join returns a place for one more instance. It is called again only when the instances before are members.
	Join func() Place
	// Alone says that there can be one instance only. What takes several is left out, and that a member which hangs
	// leaves: there is nobody to take its work.
	Alone bool
}

// patience is how long what has to happen may take: sessions and methods that hang expire, and rounds follow.
const patience = 3 * time.Minute

// Run runs the suite. newGroup is called in the bubble of each case.
func Run(t *testing.T, newGroup func(t *testing.T) Group) {
	for _, c := range []struct {
		sentence string
		several  bool // it takes more than one instance
		test     func(*stage)
	}{
		{"one instance leads, and has all the work", false, (*stage).alone},
		{"it says who is there, and delivers what the leader assigns", true, (*stage).delivers},
		{"Run leaves the group when ctx ends, and returns nil", true, (*stage).leavesAtTheEnd},
		{"another leads when the leader has left", true, (*stage).leaderLeaves},
		{"Run ends while a method waits, whose ctx ends then", false, (*stage).endsWhileBusy},
		{"Run returns the error of Protocols", false, (*stage).protocolsFails},
		{"Run returns the error of Assign", false, (*stage).assignFails},
		{"Run returns the error of Assigned", false, (*stage).assignedFails},
		{"Run returns an error if the instance offers no protocol of the others", true, (*stage).foreign},
		{"Run retries what can pass", false, (*stage).unreachable},
		{"Rejoin begins a round, with what the instance says of itself then", false, (*stage).rejoins},
		{"Rejoin begins a round of all", true, (*stage).rejoinsAll},
		{"Rejoin during a round that has what the instance said before leads to one more", true, (*stage).rejoinsDuringRound},
		{"Rejoin and Leave return at once, and are safe for concurrent use", false, (*stage).returnsAtOnce},
		{"Leave leaves the group until Rejoin, and Lost is not called", true, (*stage).leaves},
		{"a group works by the preferred one of the protocols that all offer", true, (*stage).protocols},
		{"an instance whose methods take too long leaves the group, and Lost follows", true, (*stage).hangs},
		{"Lost is called when the instance can't be sure to be a member", false, (*stage).lost},
	} {
		t.Run(strings.ReplaceAll(c.sentence, " ", "_"), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &stage{t: t, group: newGroup(t)}
				if c.several && s.group.Alone {
					t.Skip("there can be one instance only")
				}
				c.test(s)
				s.end()
			})
		})
	}
}

// stage is a case under way.
type stage struct {
	t       *testing.T
	group   Group
	members []*member
}

// start starts an instance and returns it when it has, or is refused, its first assignment.
func (s *stage) start(name string, change ...func(*member)) *member {
	s.t.Helper()
	m := s.launch(name, change...)
	s.eventually(fmt.Sprintf("%s is assigned work", name), func() bool { return m.ended() || m.view().Member != "" })
	return m
}

func (s *stage) launch(name string, change ...func(*member)) *member {
	ctx, cancel := context.WithCancel(context.Background())
	m := &member{Place: s.group.Join(), t: s.t, name: name, cancel: cancel, done: make(chan struct{}), offers: []string{"p"}, block: map[string]chan struct{}{}}
	for _, f := range change {
		f(m)
	}
	s.members = append(s.members, m)
	go func() {
		defer close(m.done)
		m.err = m.Coordinator.Run(ctx, m)
	}()
	s.t.Cleanup(func() { m.release(); m.stop() })
	return m
}

// three starts three instances and waits until they are one group.
func (s *stage) three() (leader *member, followers []*member) {
	s.t.Helper()
	for _, name := range []string{"a", "b", "c"} {
		s.start(name)
	}
	return s.together(s.members...)
}

// together waits until exactly these are one group, and returns who leads.
func (s *stage) together(members ...*member) (leader *member, followers []*member) {
	s.t.Helper()
	var names []string
	for _, m := range members {
		names = append(names, m.said())
	}
	slices.Sort(names)
	s.eventually(fmt.Sprintf("%v are one group", names), func() bool {
		leader, followers = nil, nil
		first := members[0].view()
		for _, m := range members {
			g := m.view()
			if g.ID != first.ID || g.Leader != first.Leader || !slices.Equal(m.peers(), names) {
				return false
			}
			if g.Leader == g.Member {
				leader = m
			} else {
				followers = append(followers, m)
			}
		}
		return leader != nil
	})
	return leader, followers
}

func (s *stage) eventually(what string, condition func() bool) {
	s.t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(100 * time.Millisecond) {
		if synctest.Wait(); condition() {
			return
		}
		if time.Now().After(end) {
			s.t.Fatalf("not within %v: %s\n%s", patience, what, s)
		}
	}
}

// end stops what still runs, and checks that it ends well.
func (s *stage) end() {
	for _, m := range s.members {
		if !m.ended() {
			if err := m.stop(); err != nil {
				s.t.Errorf("%s: Run returned %v when its ctx ended, want nil", m.name, err)
			}
		}
	}
}

func (s *stage) String() string {
	var b strings.Builder
	for _, m := range s.members {
		fmt.Fprintf(&b, "%s: ended %v, generation %+v, with %v\n", m.name, m.ended(), m.view(), m.peers())
	}
	return b.String()
}

// wantError waits for Run to return, and for the error that it has to return.
func (s *stage) wantError(m *member, want error) {
	s.t.Helper()
	s.eventually("Run returns", m.ended)
	if !errors.Is(m.err, want) {
		s.t.Errorf("Run returned %v, want %v", m.err, want)
	}
}
