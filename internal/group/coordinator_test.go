package group_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"strings"
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
	if testing.Verbose() {
		cfg.Logger = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
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
		_ = consumer
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
