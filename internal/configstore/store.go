package configstore

import (
	"context"
	"sync"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/herder"
)

// Store is where an instance finds what is configured, and writes it: a [*Kafka] or a [*Memory]. It is safe for
// concurrent use, except that Start comes first: before it has returned, there is the Snapshot of what was read so far alone.
type Store interface {
	// Start makes ready: the snapshot then has all that was stored before.
	Start(ctx context.Context) error
	// Stop ends what Start began. No event comes after it.
	Stop()
	// Snapshot returns what is configured. It never waits for others.
	Snapshot() *Snapshot
	// Told returns a channel that is closed when the events of all that the snapshot has now have been told.
	Told() <-chan struct{}
	// Refresh returns when the snapshot has all that is stored.
	Refresh(ctx context.Context) error

	// Claim and the others are those of [Writer].
	Claim(ctx context.Context) error
	Release()
	PutConnector(ctx context.Context, connector string, config Properties, target herder.Target) error
	DeleteConnector(ctx context.Context, connector string) error
	PutTasks(ctx context.Context, connector string, configs []Properties) error
	PutTarget(ctx context.Context, connector string, target herder.Target) error
	PutFencingCount(ctx context.Context, connector string, tasks int) error
	PutSessionKey(ctx context.Context, key SessionKey) error
	PutRestart(ctx context.Context, r RestartRequested) error
	PutTaskRestart(ctx context.Context, id connect.TaskID) error
	PutLoggerLevel(ctx context.Context, namespace string, level *string) error
}

var (
	_ Store = (*Kafka)(nil)
	_ Store = (*Memory)(nil)
)

// held is a state that is written by one goroutine at a time and read by any.
type held struct {
	mu      sync.Mutex
	state   *State
	started bool          // events are told
	telling chan struct{} // closed when the last event has been told; nil before the first
}

// apply applies a record and tells of the event, if there is one.
func (h *held) apply(offset int64, key string, value []byte, tell func(Event)) error {
	event, told, err := h.change(offset, key, value)
	if event != nil {
		defer close(told)
		tell(event)
	}
	return err
}

// change applies a record. It returns the event to tell, and what to close then; nil if there is none.
func (h *held) change(offset int64, key string, value []byte) (event Event, told chan struct{}, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	event, err = h.state.Apply(offset, key, value)
	if event == nil || !h.started {
		return nil, nil, err
	}
	h.telling = make(chan struct{})
	return event, h.telling, err
}

// Told implements [Store]. One event is told at a time: when the last has been, all have.
func (h *held) Told() <-chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.telling == nil {
		h.telling = make(chan struct{})
		close(h.telling)
	}
	return h.telling
}

func (h *held) start() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.started = true
}

// Snapshot implements [Store].
func (h *held) Snapshot() *Snapshot {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.state.Snapshot()
}

// State returns the state that the store keeps, for a look at quiet times: the store goes on to write it.
func (h *held) State() *State { return h.state }
