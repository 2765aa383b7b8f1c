package group_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gokconnect/connect/internal/group"
	"github.com/gokconnect/connect/internal/kafkatest"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// onLink runs a coordinator over a link with a member and calls test once it was assigned something.
func onLink(t *testing.T, s *steady, m group.Member, test func(*kafkatest.Cluster, *kafkatest.Link, *group.Coordinator)) {
	synctest.Test(t, func(t *testing.T) {
		c := kafkatest.New(t, kafkatest.Brokers(3))
		link := c.NewLink()
		coordinator, err := group.NewCoordinator(group.Config{Group: groupID, Client: link.ClientOpts()})
		if err != nil {
			t.Fatal(err)
		}
		s.assigned, s.lost = make(chan time.Time, 100), make(chan time.Time, 100) // the bubble's
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- coordinator.Run(ctx, m) }()
		<-s.assigned
		test(c, link, coordinator)
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// TestSilenceWhileJoining: a join that waits for a connection holds heartbeats up, and not the end of the session.
func TestSilenceWhileJoining(t *testing.T) {
	s := newSteady()
	close(s.hang)
	onLink(t, s, s, func(_ *kafkatest.Cluster, link *kafkatest.Link, coordinator *group.Coordinator) {
		time.Sleep(4 * time.Second)
		begin := time.Now() // the last heartbeat was a second ago
		link.Freeze()
		link.Drop() // so that the join has to connect, for which it waits as long as the link is frozen
		coordinator.Rejoin("anything")
		select {
		case at := <-s.lost:
			if after := at.Sub(begin); after > 9*time.Second {
				t.Errorf("lost after %v, want 9s at most", after)
			}
		case <-time.After(time.Minute):
			t.Error("not lost in a minute")
		}
		link.Thaw()
		<-s.assigned
	})
}

// patient waits in Assigned until it is told not to.
type patient struct{ *steady }

func (p patient) Assigned(ctx context.Context, g group.Generation, b []byte) error {
	p.assigned <- time.Now()
	<-ctx.Done()
	return ctx.Err()
}

// TestSilenceWhileAssigned: the end of the session interrupts what the member does with its assignment, which is lost.
func TestSilenceWhileAssigned(t *testing.T) {
	s := newSteady()
	onLink(t, s, patient{s}, func(_ *kafkatest.Cluster, link *kafkatest.Link, _ *group.Coordinator) {
		begin := time.Now()
		link.Freeze()
		select {
		case at := <-s.lost:
			if after := at.Sub(begin); after > 10*time.Second {
				t.Errorf("lost after %v, want 10s at most", after)
			}
		case <-time.After(50 * time.Second):
			t.Error("not lost in 50 s")
		}
		link.Thaw()
		<-s.assigned
	})
}

// TestLeavesThoughCoordinatorMoved: a member that leaves finds the coordinator where it is now.
func TestLeavesThoughCoordinatorMoved(t *testing.T) {
	s := newSteady()
	close(s.hang)
	onLink(t, s, s, func(c *kafkatest.Cluster, _ *kafkatest.Link, coordinator *group.Coordinator) {
		asked := 0
		c.ControlKey(int16(kmsg.LeaveGroup), func(r kmsg.Request) (kmsg.Response, error, bool) {
			c.KeepControl()
			if asked++; asked > 2 {
				return nil, nil, false
			}
			resp := r.ResponseKind().(*kmsg.LeaveGroupResponse)
			resp.ErrorCode = kerr.NotCoordinator.Code
			return resp, nil, true
		})
		coordinator.Leave("anything")
		time.Sleep(2 * time.Second)
		if n := len(c.GroupInfo(groupID).Members); n != 0 {
			t.Errorf("%d members are left", n)
		}
	})
}
