package connecttest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"testing"

	"github.com/gokconnect/connect"
)

// sourceUnit is a connector with its tasks.
type sourceUnit struct {
	t         testing.TB
	connector connect.SourceConnector
	cc        *ConnectorContext
	tasks     []connect.SourceTask
	started   bool
}

// startSource starts a connector and tasks. The tasks are made by another connector value, as on another instance.
func startSource(t testing.TB, h SourceHarness, offsets *Offsets) (*sourceUnit, error) {
	u := &sourceUnit{t: t, connector: h.Connector(), cc: NewConnectorContext(t, "test", offsets)}
	if err := u.connector.Start(t.Context(), u.cc, h.Config()); err != nil {
		return u, fmt.Errorf("Start of the connector: %w", err)
	}
	u.started = true
	configs, err := u.connector.TaskConfigs(t.Context(), 2)
	if err != nil {
		return u, errors.Join(fmt.Errorf("TaskConfigs: %w", err), u.stop())
	}
	elsewhere := h.Connector()
	for i, cfg := range configs {
		task := elsewhere.NewTask()
		u.tasks = append(u.tasks, task)
		tc := NewSourceContext(t, connect.TaskID{Connector: "test", Task: i}, cfg, offsets)
		if err := task.Start(t.Context(), tc, maps.Clone(cfg)); err != nil {
			return u, errors.Join(fmt.Errorf("Start of task %d: %w", i, err), u.stop())
		}
	}
	return u, nil
}

// stop stops the tasks and the connector.
func (u *sourceUnit) stop() error {
	var errs []error
	for i, task := range u.tasks {
		if err := soon("Stop", func() error { return task.Stop(context.Background()) }); err != nil {
			errs = append(errs, fmt.Errorf("Stop of task %d: %w", i, err))
		}
	}
	u.tasks = nil
	u.cc.End()
	if u.started {
		u.started = false
		if err := soon("Stop", func() error { return u.connector.Stop(context.Background()) }); err != nil {
			errs = append(errs, fmt.Errorf("Stop of the connector: %w", err))
		}
	}
	return errors.Join(errs...)
}

// take polls all tasks until they have returned n records, and then ends the polls. each, if not nil, is called for
// each batch on the goroutine that polled it, before the next poll.
func (u *sourceUnit) take(n int, each func(connect.SourceTask, []connect.SourceRecord) error) ([]connect.SourceRecord, error) {
	if len(u.tasks) == 0 && n > 0 {
		return nil, fmt.Errorf("the connector was divided into no task, and %d records are expected", n)
	}
	ctx, cancel := context.WithTimeoutCause(context.Background(), Timeout, errTimeout)
	defer cancel()
	var mu sync.Mutex
	var taken []connect.SourceRecord
	var errs []error
	var polls sync.WaitGroup
	for _, task := range u.tasks {
		polls.Go(func() {
			for ctx.Err() == nil {
				err := guard("Poll", func() error {
					batch, err := task.Poll(ctx)
					if each != nil && len(batch) > 0 {
						err = errors.Join(err, each(task, batch))
					}
					mu.Lock()
					defer mu.Unlock()
					if taken = append(taken, batch...); len(taken) >= n {
						cancel()
					}
					return err
				})
				if err != nil && ctx.Err() == nil {
					mu.Lock()
					errs = append(errs, fmt.Errorf("Poll: %w", err))
					mu.Unlock()
					cancel()
				}
			}
		})
	}
	if err := within(2*Timeout, "Poll", func() error { polls.Wait(); return nil }); err != nil {
		return nil, err // its context is done for half of that time
	}
	if len(errs) > 0 {
		return taken, errors.Join(errs...)
	}
	if len(taken) != n {
		return taken, fmt.Errorf("got %d records, want %d", len(taken), n)
	}
	return taken, nil
}

// runSource starts a source, takes n records, and stops it.
func runSource(t testing.TB, h SourceHarness, offsets *Offsets, n int, each func(connect.SourceTask, []connect.SourceRecord) error) ([]connect.SourceRecord, error) {
	u, err := startSource(t, h, offsets)
	if err != nil {
		return nil, err
	}
	records, err := u.take(n, each)
	return records, errors.Join(err, u.stop())
}
