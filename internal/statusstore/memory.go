package statusstore

import (
	"context"
	"sync"

	"github.com/gokconnect/connect"
)

// Memory is a [Store] of an instance that is alone. What it holds is gone with it.
type Memory struct {
	held

	telling sync.Mutex // held while a record is applied and told of
	onEvent func(Event)
}

// NewMemory returns an empty store. onEvent is called, in order and never concurrently, before the method that put
// returns; it must not put. Nil ignores events.
func NewMemory(onEvent func(Event)) *Memory {
	if onEvent == nil {
		onEvent = func(Event) {}
	}
	return &Memory{held: held{cache: NewCache()}, onEvent: onEvent}
}

// Start implements [Store].
func (m *Memory) Start(context.Context) error {
	m.start()
	return nil
}

// Stop implements [Store].
func (m *Memory) Stop() {}

// Flush implements [Store].
func (m *Memory) Flush(context.Context) error { return nil }

// Refresh implements [Store].
func (m *Memory) Refresh(context.Context) error { return nil }

// PutConnector implements [Store].
func (m *Memory) PutConnector(name string, s Status, safe bool) {
	m.telling.Lock()
	defer m.telling.Unlock()
	m.write(m.putConnector(name, s, safe))
}

// PutTask implements [Store].
func (m *Memory) PutTask(id connect.TaskID, s Status, safe bool) {
	m.telling.Lock()
	defer m.telling.Unlock()
	m.write(m.putTask(id, s, safe))
}

// PutTopic implements [Store].
func (m *Memory) PutTopic(t Topic) {
	m.telling.Lock()
	defer m.telling.Unlock()
	m.write(PutTopic(t))
}

// DeleteTopic implements [Store].
func (m *Memory) DeleteTopic(connector, topic string) {
	m.telling.Lock()
	defer m.telling.Unlock()
	m.write(DeleteTopic(connector, topic))
}

func (m *Memory) write(p *Put) {
	if p == nil {
		return
	}
	// What can't be read back is a name that no topic or connector has: nothing is known of it then.
	if event, err := m.apply(p.Record.Key, p.Record.Value); err == nil && event != nil {
		m.onEvent(*event)
	}
}
