package configstore

import (
	"context"
	"sync"
)

// Memory is a [Store] of an instance that is alone. What it holds is gone with it.
type Memory struct {
	held
	*Writer
	log memoryLog
}

// NewMemory returns an empty store. onEvent is called, in order and never concurrently, before the method that wrote
// returns; it must not write. Nil ignores events.
func NewMemory(onEvent func(Event)) *Memory {
	m := &Memory{held: held{state: NewState()}}
	if onEvent == nil {
		onEvent = func(Event) {}
	}
	m.log = memoryLog{held: &m.held, onEvent: onEvent}
	m.Writer = NewWriter(&m.log, nil)
	return m
}

// Start implements [Store].
func (m *Memory) Start(context.Context) error {
	m.start()
	return nil
}

// Stop implements [Store].
func (m *Memory) Stop() {
	m.log.mu.Lock()
	defer m.log.mu.Unlock()
	m.log.onEvent = func(Event) {}
}

// Refresh implements [Store].
func (m *Memory) Refresh(context.Context) error { return nil }

// memoryLog is a [Topic] that keeps no records, only what they add up to.
type memoryLog struct {
	held *held

	mu      sync.Mutex // held while a record is applied and told of
	offset  int64
	onEvent func(Event)
}

func (l *memoryLog) Send(_ context.Context, records ...Record) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range records {
		err := l.held.apply(l.offset, r.Key, r.Value, l.onEvent)
		l.offset++
		if err != nil {
			return err
		}
	}
	return nil
}

func (l *memoryLog) ReadToEnd(context.Context) error { return nil }
