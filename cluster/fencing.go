package cluster

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/clients"
	"github.com/gokconnect/connect/internal/configstore"
	"github.com/gokconnect/connect/internal/fencing"
	"github.com/gokconnect/connect/internal/herder"
	"github.com/gokconnect/connect/internal/rest"
	"github.com/twmb/franz-go/pkg/kerr"
)

// claimedStore is a config store that is written in transactions. It claims the right to write where this instance does not
// have it, or has lost it to another: requests go to the leader where it can be reached, and to any instance where it can't, and
// what is declared is written by every instance that starts.
type claimedStore struct{ configstore.Store }

// claimTime is how long a write goes on claiming the right to, again and again, that others take away meanwhile; the waits
// between are random, up to a limit that doubles.
const (
	claimTime       = 30 * time.Second
	firstClaimPause = 40 * time.Millisecond
	lastClaimPause  = 2 * time.Second
)

// write claims and writes until nobody comes in between. Before it writes once more it reads what the others have written, and
// asks done, which may be nil, whether it still has to.
func (s claimedStore) write(ctx context.Context, write func() error, done func() bool) error {
	end, pause := time.Now().Add(claimTime), firstClaimPause
	for {
		err := s.Claim(ctx)
		if err == nil {
			err = write()
		}
		if err == nil || !taken(err) {
			return err
		}
		// Nothing was written, or it is not known: the same records once more say the same.
		wait := rand.N(pause)
		if pause = min(2*pause, lastClaimPause); time.Until(end) < wait {
			return err
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return err
		}
		if err := s.Refresh(ctx); err != nil {
			return err
		}
		if done != nil && done() {
			return nil
		}
	}
}

// taken reports whether a claim or a write failed because another instance claimed the right at the same time.
func taken(err error) bool {
	var lost *configstore.PrivilegeError
	if errors.As(err, &lost) {
		return true
	}
	for _, known := range []error{configstore.ErrNotClaimed, kerr.ProducerFenced, kerr.InvalidProducerEpoch, kerr.ConcurrentTransactions} {
		if errors.Is(err, known) {
			return true
		}
	}
	return false
}

func (s claimedStore) PutConnector(ctx context.Context, name string, cfg configstore.Properties, target herder.Target) error {
	same := func() bool {
		k := s.Snapshot().Connectors[name]
		return k != nil && target == "" && herder.SameConfig(k.Config, byName(cfg))
	}
	var done func() bool
	if !same() { // else it is written again on purpose
		done = same // another instance has written the same, or it was written although that seemed to fail
	}
	return s.write(ctx, func() error { return s.Store.PutConnector(ctx, name, cfg, target) }, done)
}

func (s claimedStore) DeleteConnector(ctx context.Context, name string) error {
	return s.write(ctx, func() error { return s.Store.DeleteConnector(ctx, name) }, nil)
}

func (s claimedStore) PutTasks(ctx context.Context, name string, configs []configstore.Properties) error {
	return s.write(ctx, func() error { return s.Store.PutTasks(ctx, name, configs) }, nil)
}

func (s claimedStore) PutFencingCount(ctx context.Context, name string, tasks int) error {
	return s.write(ctx, func() error { return s.Store.PutFencingCount(ctx, name, tasks) }, nil)
}

func (s claimedStore) PutSessionKey(ctx context.Context, key configstore.SessionKey) error {
	return s.write(ctx, func() error { return s.Store.PutSessionKey(ctx, key) }, nil)
}

func (s claimedStore) PutRestart(ctx context.Context, r configstore.RestartRequested) error {
	return s.write(ctx, func() error { return s.Store.PutRestart(ctx, r) }, nil)
}

// newRounds returns what fences the producers of connectors' last generations of tasks.
func (rt *Runtime) newRounds() *fencing.Rounds {
	return &fencing.Rounds{Store: rt.store, Fence: func(ctx context.Context, connector string, tasks int) error {
		cfg := connect.Config{}
		if k := rt.store.Snapshot().Connectors[connector]; k != nil {
			r, err := rt.resolve(ctx, plain(k.Config))
			if err != nil {
				return err
			}
			cfg = r.Config
		}
		ids := make([]string, tasks)
		for i := range ids {
			ids[i] = clients.TaskTransactionalID(rt.kafka.props.GroupID(), connector, i)
		}
		lease, err := rt.kafka.pool.Admin(ctx, rt.kafka.props.Admin(cfg, clients.WorkerAdminID(connector)))
		if err != nil {
			return err
		}
		defer lease.Release()
		return fencing.Producers(ctx, lease.Client, ids...)
	}}
}

// fence returns when the tasks of a connector may begin: see [fencing.Rounds]. The leader sees to it.
func (rt *Runtime) fence(ctx context.Context, connector string) error {
	here, err := rt.askLeader(ctx, http.MethodPut, rest.Path("connectors", connector, "fence"), nil)
	if err == nil && here {
		err = rt.rounds.Run(ctx, connector)
	}
	if err != nil {
		return fmt.Errorf("fence the producers of the tasks before: %w", err)
	}
	return nil
}

// Fence implements [rest.Tasks].
func (a apiTasks) Fence(ctx context.Context, name string, body []byte, s *rest.Signature) error {
	rt := a.rt
	if rt.standalone() {
		return rest.Errorf(http.StatusInternalServerError, "Kafka Connect in standalone mode does not support exactly-once source connectors.")
	}
	if err := rt.checkSignature(body, s); err != nil {
		return err
	}
	if err := rt.toLeader(ctx); err != nil {
		return err
	}
	k := rt.store.Snapshot().Connectors[name]
	if k == nil {
		return notFound(name)
	}
	if f, err := rt.find(plain(k.Config)); err == nil && f.kind() != connect.KindSource {
		return rest.Errorf(http.StatusBadRequest, "Connector %s is not a source connector", name)
	}
	err := rt.rounds.Run(ctx, name)
	var superseded *fencing.SupersededError
	switch {
	case errors.As(err, &superseded):
		return rest.Errorf(http.StatusConflict, "%s", superseded.Error())
	case errors.Is(err, connect.ErrNotFound):
		return notFound(name)
	}
	return err
}

// checkTask refuses to start a task that is out of date: what was fenced for it holds for its generation only.
func (rt *Runtime) checkTask(ctx context.Context, id connect.TaskID, generation int32) error {
	if err := rt.store.Refresh(ctx); err != nil {
		return fmt.Errorf("Failed to read to end of config topic before starting source task %v with exactly-once support: %w", id, err)
	}
	s := rt.store.Snapshot()
	if k := s.Connectors[id.Connector]; k == nil || s.Generations[id.Connector] != generation || id.Task >= len(k.Tasks) {
		return fmt.Errorf("Cannot start source task %s-%d with exactly-once support as the connector has already generated a new set of task configs", id.Connector, id.Task)
	}
	if ctx.Err() != nil {
		return fmt.Errorf("Cannot start source task %s-%d with exactly-once support as it has already been revoked from this worker", id.Connector, id.Task)
	}
	return nil
}

// fenceToAlter fences the producers of a connector that is stopped, before its offsets are changed.
func (rt *Runtime) fenceToAlter(ctx context.Context, name string) error {
	if !rt.kafka.props.ExactlyOnce() {
		return nil
	}
	if err := rt.fence(ctx, name); err != nil {
		return &rest.Error{Status: http.StatusInternalServerError, Message: "Failed to perform zombie fencing for source connector prior to modifying offsets", Err: err}
	}
	return nil
}
