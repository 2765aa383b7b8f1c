package group_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/gokconnect/connect/internal/group"
	"github.com/gokconnect/connect/internal/group/grouptest"
	"github.com/gokconnect/connect/internal/kafkatest"
)

const groupID = "workers"

type kafkaGroup struct {
	t *testing.T
	c *kafkatest.Cluster
}

func (g *kafkaGroup) Join() grouptest.Place {
	link := g.c.NewLink()
	cfg := group.Config{Group: groupID, Client: link.ClientOpts()}
	c, err := group.NewCoordinator(cfg)
	if err != nil {
		g.t.Fatal(err)
	}
	return grouptest.Place{Coordinator: c, Cut: link.Cut, Heal: link.Heal, Drop: link.Drop}
}

func (g *kafkaGroup) Expel(id string) bool {
	req := kmsg.NewPtrLeaveGroupRequest()
	req.Group = groupID
	m := kmsg.NewLeaveGroupRequestMember()
	m.MemberID = id
	req.Members = append(req.Members, m)
	cl := g.c.Client()
	defer cl.Close()
	resp, err := req.RequestWith(context.Background(), cl)
	if err != nil || resp.ErrorCode != 0 {
		g.t.Fatalf("expelling %s: %v, %+v", id, err, resp)
	}
	return true
}

func (g *kafkaGroup) Move() bool {
	g.c.RehashCoordinators()
	return true
}

func TestCoordinator(t *testing.T) {
	grouptest.Run(t, func(t *testing.T) grouptest.Group {
		return &kafkaGroup{t, kafkatest.New(t, kafkatest.Brokers(3))}
	})
}

// TestForeignGroup: a group of consumers has the id already.
func TestForeignGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := kafkatest.New(t)
		c.MustCreateTopic("t", 1)
		consumer := c.Client(kgo.ConsumerGroup(groupID), kgo.ConsumeTopics("t"))
		time.Sleep(5 * time.Second)
		place := (&kafkaGroup{t, c}).Join()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		err := place.Coordinator.Run(ctx, idle{})
		if !errors.Is(err, kerr.InconsistentGroupProtocol) || !strings.Contains(err.Error(), `it is in use by a group of type "consumer" with 1 members; choose another group.id`) {
			t.Errorf("error %v", err)
		}
		consumer.Close()
	})
}

// TestUnreachableFromTheStart: Run tries for ever, and ends when it is told to.
func TestUnreachableFromTheStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		place := (&kafkaGroup{t, kafkatest.New(t)}).Join()
		place.Cut()
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if err := place.Coordinator.Run(ctx, idle{}); err != nil {
			t.Errorf("error %v", err)
		}
	})
}

// TestAssignmentFails: what a member refuses ends its membership.
func TestAssignmentFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		place := (&kafkaGroup{t, kafkatest.New(t)}).Join()
		if err := place.Coordinator.Run(t.Context(), idle{}); !errors.Is(err, errIdle) {
			t.Errorf("error %v", err)
		}
	})
}

var errIdle = errors.New("can't assign")

// idle is a member that offers what nobody else does and can't lead.
type idle struct{}

func (idle) Protocols(context.Context) ([]group.Offer, error) {
	return []group.Offer{{Name: "idle"}}, nil
}
func (idle) Assign(context.Context, group.Round) (map[string][]byte, error) { return nil, errIdle }
func (idle) Assigned(context.Context, group.Generation, []byte) error       { return nil }
func (idle) Lost()                                                          {}

func TestConfigIsChecked(t *testing.T) {
	if _, err := group.NewCoordinator(group.Config{}); err == nil {
		t.Error("a group without a name")
	}
	if _, err := group.NewCoordinator(group.Config{Group: "g", HeartbeatInterval: time.Minute}); err == nil {
		t.Error("heartbeats rarer than the session timeout")
	}
}

// steady is a member that takes what comes, and notes it.
type steady struct {
	assigned, lost chan time.Time
	hang           chan struct{} // Assigned waits for it, whatever its ctx says
}

func newSteady() *steady {
	return &steady{assigned: make(chan time.Time, 100), lost: make(chan time.Time, 100), hang: make(chan struct{})}
}

func (*steady) Protocols(context.Context) ([]group.Offer, error) {
	return []group.Offer{{Name: "steady"}}, nil
}

func (*steady) Assign(_ context.Context, r group.Round) (map[string][]byte, error) {
	assignments := make(map[string][]byte)
	for id := range r.Members {
		assignments[id] = []byte(id)
	}
	return assignments, nil
}

func (s *steady) Assigned(context.Context, group.Generation, []byte) error {
	s.assigned <- time.Now()
	<-s.hang
	return nil
}

func (s *steady) Lost() { s.lost <- time.Now() }

// inGroup runs a coordinator with a steady member and calls test.
func inGroup(t *testing.T, change func(*group.Config), test func(*testing.T, *kafkatest.Cluster, *steady)) {
	synctest.Test(t, func(t *testing.T) {
		c := kafkatest.New(t)
		cfg := group.Config{Group: groupID, Client: c.ClientOpts()}
		if change != nil {
			change(&cfg)
		}
		coordinator, err := group.NewCoordinator(cfg)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		s := newSteady()
		go func() { ended <- coordinator.Run(ctx, s) }()
		test(t, c, s)
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// TestSilence: a coordinator that does not answer is given the session timeout, not less and not more.
func TestSilence(t *testing.T) {
	inGroup(t, nil, func(t *testing.T, c *kafkatest.Cluster, s *steady) {
		close(s.hang)
		<-s.assigned
		time.Sleep(4 * time.Second)
		begin := time.Now() // the last heartbeat was a second ago
		var answers atomic.Bool
		c.ControlKey(int16(kmsg.Heartbeat), func(kmsg.Request) (kmsg.Response, error, bool) {
			c.KeepControl()
			return nil, nil, !answers.Load()
		})
		if after := (<-s.lost).Sub(begin); after != 9*time.Second {
			t.Errorf("lost after %v, want 9s", after)
		}
		answers.Store(true)
		<-s.assigned
		time.Sleep(time.Minute)
		synctest.Wait()
		if len(s.lost) > 0 {
			t.Error("lost once more")
		}
	})
}

// TestHangingMember: a method that never looks at its ctx makes the member leave all the same.
func TestHangingMember(t *testing.T) {
	inGroup(t, nil, func(t *testing.T, c *kafkatest.Cluster, s *steady) {
		<-s.assigned
		time.Sleep(59 * time.Second)
		if n := len(c.GroupInfo(groupID).Members); n != 1 {
			t.Errorf("%d members", n)
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if n := len(c.GroupInfo(groupID).Members); n != 0 {
			t.Errorf("%d members", n)
		}
		close(s.hang)
		<-s.lost
		<-s.assigned
	})
}

// TestHangingInstance: so does an instance that does nothing any more.
func TestHangingInstance(t *testing.T) {
	var progress atomic.Value
	progress.Store(time.Time{})
	change := func(cfg *group.Config) {
		cfg.RebalanceTimeout = 20 * time.Second
		cfg.Progress = func() time.Time { return progress.Load().(time.Time) }
	}
	inGroup(t, change, func(t *testing.T, _ *kafkatest.Cluster, s *steady) {
		close(s.hang)
		<-s.assigned
		time.Sleep(time.Minute) // not watched
		progress.Store(time.Now())
		begin := time.Now()
		if after := (<-s.lost).Sub(begin); after < 20*time.Second || after > 24*time.Second {
			t.Errorf("lost after %v", after)
		}
		progress.Store(time.Now())
		<-s.assigned
	})
}

// TestExpelledWhileItWaits: a member that is dropped while it waits in a join, which some brokers do not tell it, gives
// the join up.
func TestExpelledWhileItWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := kafkatest.New(t)
		members := make([]*steady, 2)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		g := &kafkaGroup{t, c}
		var coordinators []grouptest.Coordinator
		for i := range members {
			members[i] = newSteady()
			coordinators = append(coordinators, g.Join().Coordinator)
			go func() { ended <- coordinators[i].Run(ctx, members[i]) }()
			<-members[i].assigned
			if i == 0 {
				close(members[0].hang)
				time.Sleep(time.Second)
			}
		}
		// The second hangs in Assigned, so the first waits for it in its join.
		coordinators[0].Rejoin("anything")
		time.Sleep(20 * time.Second)
		synctest.Wait()
		for len(members[0].assigned) > 0 {
			<-members[0].assigned
		}
		for _, m := range c.GroupInfo(groupID).Members {
			g.Expel(m.MemberID)
		}
		close(members[1].hang)
		for _, m := range members {
			<-m.assigned
		}
		cancel()
		for range members {
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
	})
}

// TestRefusedByHeartbeat: an answer that can't pass ends the membership.
func TestRefusedByHeartbeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := kafkatest.New(t)
		c.ControlKey(int16(kmsg.Heartbeat), func(r kmsg.Request) (kmsg.Response, error, bool) {
			resp := r.ResponseKind().(*kmsg.HeartbeatResponse)
			resp.ErrorCode = kerr.GroupAuthorizationFailed.Code
			return resp, nil, true
		})
		s := newSteady()
		close(s.hang)
		if err := (&kafkaGroup{t, c}).Join().Coordinator.Run(t.Context(), s); !errors.Is(err, kerr.GroupAuthorizationFailed) {
			t.Errorf("error %v", err)
		}
	})
}
