package offsets

import (
	"context"
	"sync"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/offsetcodec"
)

// Memory is a [Store] in memory: for tests, and for sources that start over with every run. The zero value is ready to
// use.
type Memory struct{ held held }

// Get implements [Store].
func (m *Memory) Get(ctx context.Context, connector string, partitions []connect.Fields) ([]connect.Fields, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return m.held.get(connector, partitions)
}

// List implements [Store].
func (m *Memory) List(ctx context.Context, connector string) ([]connect.PartitionOffset, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return m.held.list(connector), nil
}

// Set implements [Store].
func (m *Memory) Set(ctx context.Context, connector string, entries []connect.PartitionOffset) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.held.mu.Lock()
	defer m.held.mu.Unlock()
	records, err := m.held.table.Encode(connector, entries)
	if err != nil {
		return err
	}
	for _, r := range records {
		_ = m.held.table.Apply(r, 0) // what Encode returns is no garbage
	}
	return nil
}

// held is a table that is shared.
type held struct {
	mu    sync.RWMutex
	table offsetcodec.Table
}

func (h *held) get(connector string, partitions []connect.Fields) ([]connect.Fields, error) {
	found := make([]connect.Fields, len(partitions))
	h.mu.RLock()
	defer h.mu.RUnlock()
	for i, p := range partitions {
		var err error
		if found[i], err = h.table.Get(connector, p); err != nil {
			return nil, err
		}
	}
	return found, nil
}

func (h *held) list(connector string) []connect.PartitionOffset {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.table.List(connector)
}

func (h *held) apply(r offsetcodec.Record, at time.Time) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.table.Apply(r, at.UnixMilli())
}
