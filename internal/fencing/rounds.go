package fencing

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/configstore"
)

// Store is what is configured, as a round needs it.
type Store interface {
	Refresh(ctx context.Context) error
	Snapshot() *configstore.Snapshot
	PutFencingCount(ctx context.Context, connector string, tasks int) error
}

// SupersededError is the end of a round during which the tasks of its connector changed: another round has to follow.
type SupersededError struct {
	Connector string
	// Found says that the new tasks were found by reading, after the producers had been fenced.
	Found bool
}

func (e *SupersededError) Error() string {
	if e.Found {
		return "Fencing failed because new task configurations were generated for the connector"
	}
	return "Failed to complete zombie fencing because a new set of task configs was generated"
}

// roundTime is how long one round may take.
const roundTime = 90 * time.Second

// Rounds makes the rounds that fence the producers of a connector's last generation of tasks, at most one for each connector
// at a time. It is safe for concurrent use.
type Rounds struct {
	Store Store
	// Fence fences the producers of the tasks from 0 to tasks-1.
	Fence func(ctx context.Context, connector string, tasks int) error

	mu     sync.Mutex
	active map[string]*round
}

type round struct {
	done   chan struct{} // closed when it has ended
	err    error
	cancel context.CancelCauseFunc
	gaveUp bool // because of the context of the caller that made it
}

// Run returns when the tasks of a connector may begin: the producers of the generation before theirs have been fenced, and it
// is on record how many there are now. That costs no more than a look at the config topic if it is so already. Callers
// share a round. The error is [connect.ErrNotFound], a *[SupersededError], or one of Kafka.
func (r *Rounds) Run(ctx context.Context, connector string) error {
	for {
		current, own := r.join(ctx, connector)
		if own {
			return current.err
		}
		select {
		case <-current.done:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if !current.gaveUp || ctx.Err() != nil {
			return current.err
		}
		// The caller that made the round gave up, not this one.
	}
}

// join returns the round of a connector: one that is under way, or its own, which has ended then.
func (r *Rounds) join(ctx context.Context, connector string) (current *round, own bool) {
	r.mu.Lock()
	if current = r.active[connector]; current != nil {
		r.mu.Unlock()
		return current, false
	}
	within, cancel := context.WithTimeoutCause(ctx, roundTime, fmt.Errorf("fencing did not end within %v", roundTime))
	defer cancel()
	within, supersede := context.WithCancelCause(within)
	defer supersede(nil)
	current = &round{done: make(chan struct{}), cancel: supersede}
	if r.active == nil {
		r.active = make(map[string]*round)
	}
	r.active[connector] = current
	r.mu.Unlock()

	err := r.run(within, connector)
	var superseded *SupersededError
	if err != nil && errors.As(context.Cause(within), &superseded) {
		err = superseded
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	current.err, current.gaveUp = err, err != nil && ctx.Err() != nil
	delete(r.active, connector)
	close(current.done)
	return current, true
}

func (r *Rounds) run(ctx context.Context, connector string) error {
	if err := r.Store.Refresh(ctx); err != nil {
		return fmt.Errorf("Failed to read to end of config topic before performing zombie fencing: %w", err)
	}
	s := r.Store.Snapshot()
	if s.Connectors[connector] == nil {
		return fmt.Errorf("connector %q: %w", connector, connect.ErrNotFound)
	}
	if !s.PendingFencing[connector] {
		return nil
	}
	before, any := s.FencingCounts[connector]
	tasks := s.TaskCounts[connector]
	// A single task that follows a single task fences it itself: they have the same transactional id.
	if any && !(before == 1 && tasks == 1) {
		if err := r.Fence(ctx, connector, int(before)); err != nil {
			return fmt.Errorf("Failed to perform zombie fencing for connector %q: %w", connector, err)
		}
		if err := r.Store.Refresh(ctx); err != nil {
			return fmt.Errorf("Failed to read to end of config topic after performing zombie fencing: %w", err)
		}
		now := r.Store.Snapshot()
		if now.Connectors[connector] == nil {
			return fmt.Errorf("connector %q: %w", connector, connect.ErrNotFound)
		}
		if now.Generations[connector] != s.Generations[connector] || now.TaskCounts[connector] != tasks {
			return &SupersededError{Connector: connector, Found: true}
		}
	}
	return r.Store.PutFencingCount(ctx, connector, int(tasks))
}

// TasksChanged ends the round of a connector that is under way, if there is one: it would fence for tasks that are no more.
func (r *Rounds) TasksChanged(connector string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if current := r.active[connector]; current != nil {
		current.cancel(&SupersededError{Connector: connector})
	}
}
