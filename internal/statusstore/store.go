package statusstore

import (
	"context"
	"sync"

	"github.com/gokconnect/connect"
)

// Store is where an instance tells how connectors and tasks are, and learns it: a [*Kafka] or a [*Memory]. It is safe
// for concurrent use, except that Start comes first. Nothing but Start, Flush and Refresh waits for others.
type Store interface {
	// Start makes ready: what was stored before is then known.
	Start(ctx context.Context) error
	// Stop ends what Start began. What was not written yet may get lost: flush first.
	Stop()
	// Flush returns when what was put has been written, or given up.
	Flush(ctx context.Context) error
	// Refresh returns when what is stored is known.
	Refresh(ctx context.Context) error

	// PutConnector and the others are those of [Cache]; what they say is written in the background.
	PutConnector(name string, s Status, safe bool)
	PutTask(id connect.TaskID, s Status, safe bool)
	PutTopic(t Topic)
	DeleteTopic(connector, topic string)

	Connectors() []string
	Connector(name string) *Status
	Task(id connect.TaskID) *Status
	Tasks(connector string) map[int]*Status
	Topics(connector string) map[string]Topic
}

var (
	_ Store = (*Kafka)(nil)
	_ Store = (*Memory)(nil)
)

// held is a cache that any goroutine can use. It is locked for moments only.
type held struct {
	mu      sync.RWMutex
	cache   *Cache
	started bool // events are told
}

func (h *held) apply(key string, value []byte) (*Event, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	event, err := h.cache.Apply(key, value)
	if !h.started {
		event = nil
	}
	return event, err
}

func (h *held) start() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.started = true
}

func (h *held) putConnector(name string, s Status, safe bool) *Put {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.cache.PutConnector(name, s, safe)
}

func (h *held) putTask(id connect.TaskID, s Status, safe bool) *Put {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.cache.PutTask(id, s, safe)
}

func (h *held) outdated(p *Put) bool {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.cache.Outdated(p)
}

// Connectors implements [Store].
func (h *held) Connectors() []string {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.cache.Connectors()
}

// Connector implements [Store].
func (h *held) Connector(name string) *Status {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.cache.Connector(name)
}

// Task implements [Store].
func (h *held) Task(id connect.TaskID) *Status {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.cache.Task(id)
}

// Tasks implements [Store].
func (h *held) Tasks(connector string) map[int]*Status {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.cache.Tasks(connector)
}

// Topics implements [Store].
func (h *held) Topics(connector string) map[string]Topic {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.cache.Topics(connector)
}
