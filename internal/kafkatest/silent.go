package kafkatest

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// silence is when members of groups were last heard of.
type silence struct {
	c       *Cluster
	mu      sync.Mutex
	members map[memberKey]*silentMember
}

type memberKey struct{ group, id string }

type silentMember struct {
	patience time.Duration
	timer    *time.Timer
}

// expelSilentMembers makes members leave that are not heard of for as long as a round and a session may take. Brokers begin a
// session when they answer a join, whether or not somebody gets the answer; kfake does not if the connection is
// closed, so that a member which dies while it waits in a join stays for ever, and every round waits for it.
func (c *Cluster) expelSilentMembers() {
	s := &silence{c: c, members: map[memberKey]*silentMember{}}
	c.t.Cleanup(s.stop)
	hear := func(key kmsg.Key, of func(kmsg.Request) (memberKey, time.Duration)) {
		c.ControlKey(int16(key), func(r kmsg.Request) (kmsg.Response, error, bool) {
			c.KeepControl()
			s.heard(of(r))
			return nil, nil, false
		})
	}
	hear(kmsg.JoinGroup, func(r kmsg.Request) (memberKey, time.Duration) {
		req := r.(*kmsg.JoinGroupRequest)
		return memberKey{req.Group, req.MemberID}, time.Duration(req.RebalanceTimeoutMillis+req.SessionTimeoutMillis) * time.Millisecond
	})
	hear(kmsg.SyncGroup, func(r kmsg.Request) (memberKey, time.Duration) {
		req := r.(*kmsg.SyncGroupRequest)
		return memberKey{req.Group, req.MemberID}, 0
	})
	hear(kmsg.Heartbeat, func(r kmsg.Request) (memberKey, time.Duration) {
		req := r.(*kmsg.HeartbeatRequest)
		return memberKey{req.Group, req.MemberID}, 0
	})
}

// heard notes that there is a member; patience is how long it may be silent, if that is known now.
func (s *silence) heard(key memberKey, patience time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.members[key]
	switch {
	case key.id == "" || m == nil && patience == 0:
	case m == nil:
		s.members[key] = &silentMember{patience, time.AfterFunc(patience, func() { s.expel(key) })}
	default:
		if patience > 0 {
			m.patience = patience
		}
		m.timer.Reset(m.patience)
	}
}

func (s *silence) expel(key memberKey) {
	s.mu.Lock()
	_, known := s.members[key]
	delete(s.members, key)
	s.mu.Unlock()
	if !known {
		return // the test is over
	}
	info := s.c.GroupInfo(key.group)
	if info == nil || !slices.ContainsFunc(info.Members, func(m kfake.GroupMember) bool { return m.MemberID == key.id }) {
		return
	}
	cl, err := kgo.NewClient(s.c.ClientOpts()...)
	if err != nil {
		return
	}
	defer cl.Close()
	req := kmsg.NewPtrLeaveGroupRequest()
	req.Group = key.group
	member := kmsg.NewLeaveGroupRequestMember()
	member.MemberID = key.id
	req.Members = append(req.Members, member)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_, _ = req.RequestWith(ctx, cl) // the test sees if it did not help
}

func (s *silence) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.members {
		m.timer.Stop()
	}
	clear(s.members)
}
