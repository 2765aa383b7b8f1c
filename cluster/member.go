package cluster

import (
	"context"
	"fmt"
	"sync"

	"github.com/gokconnect/connect/internal/herder"
)

// groupMember is the runtime as its coordinator sees it. The coordinator calls one method at a time.
type groupMember struct {
	rt *Runtime

	once sync.Once // closes joined
	// all says that everything is this instance's; the loop's own.
	all bool
}

func (m *groupMember) Protocols(context.Context) ([]Protocol, error) {
	return []Protocol{{Name: "alone"}}, nil
}

func (m *groupMember) Assign(_ context.Context, r Round) (map[string][]byte, error) {
	if len(r.Members) > 1 {
		return nil, fmt.Errorf("group %s has %d members, and this version runs everything on one instance", m.rt.cfg.GroupID, len(r.Members))
	}
	return map[string][]byte{r.Leader: nil}, nil
}

func (m *groupMember) Assigned(context.Context, Generation, []byte) error {
	m.rt.post(func() { m.all = true; m.rt.stage.set(stageServing); m.rt.reconcile() })
	m.once.Do(func() { close(m.rt.joined) })
	return nil
}

func (m *groupMember) Lost() {
	m.rt.post(func() { m.all = false; m.rt.stage.set(stageJoining); m.rt.reconcile() })
}

// assignment returns what the instance is to run. It runs on the loop.
func (m *groupMember) assignment() herder.Assignment {
	if !m.all || m.rt.stopping {
		return herder.Assignment{}
	}
	return herder.All(m.rt.snapshot)
}
