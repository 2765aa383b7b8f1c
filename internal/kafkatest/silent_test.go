package kafkatest_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gokconnect/connect/internal/kafkatest"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// TestMemberThatDiesWhileItJoins: it does not stay in the group for ever.
func TestMemberThatDiesWhileItJoins(t *testing.T) {
	for range 8 { // the broker happens to see it too late in every other
		memberDiesWhileItJoins(t)
	}
}

func memberDiesWhileItJoins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := kafkatest.New(t)
		join := func(cl *kgo.Client, id string) (string, int32) {
			req := kmsg.NewPtrJoinGroupRequest()
			req.Group, req.ProtocolType, req.SessionTimeoutMillis, req.RebalanceTimeoutMillis, req.MemberID = "g", "any", 10_000, 60_000, id
			p := kmsg.NewJoinGroupRequestProtocol()
			p.Name = "any"
			req.Protocols = append(req.Protocols, p)
			for {
				resp, err := req.RequestWith(context.Background(), cl)
				if err != nil {
					return "", 0 // it died
				}
				if req.MemberID = resp.MemberID; resp.ErrorCode == 0 {
					return resp.MemberID, resp.Generation
				}
			}
		}
		lives := c.Client()
		id, _ := join(lives, "")
		link := c.NewLink()
		dies, err := kgo.NewClient(link.ClientOpts()...)
		if err != nil {
			t.Fatal(err)
		}
		defer dies.Close()
		go join(dies, "")
		synctest.Wait() // it waits for the other one
		link.Cut()
		dies.Close()
		synctest.Wait()
		_, generation := join(lives, id)
		synchronize := func() {
			req := kmsg.NewPtrSyncGroupRequest()
			req.Group, req.MemberID, req.Generation = "g", id, generation
			if resp, err := req.RequestWith(t.Context(), lives); err != nil || resp.ErrorCode != 0 {
				t.Fatal(resp, err)
			}
		}
		synchronize()
		if n := len(c.GroupInfo("g").Members); n != 2 {
			t.Fatalf("%d members, want the dead one too", n)
		}
		for range 25 {
			time.Sleep(3 * time.Second)
			beat := kmsg.NewPtrHeartbeatRequest()
			beat.Group, beat.MemberID, beat.Generation = "g", id, generation
			resp, err := beat.RequestWith(t.Context(), lives)
			if err != nil {
				t.Fatal(err)
			}
			if resp.ErrorCode != 0 { // the dead one left: sooner, if the broker had not seen yet that it was dead
				_, generation = join(lives, id)
				synchronize()
			}
		}
		if m := c.GroupInfo("g").Members; len(m) != 1 || m[0].MemberID != id {
			t.Errorf("the members are %+v, want %s alone", m, id)
		}
	})
}
