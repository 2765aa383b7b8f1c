package tools

import (
	"context"
	"errors"
	"maps"
	"strconv"
	"time"

	"github.com/gokconnect/connect"
)

// What mock_mode asks for; anything else asks for nothing.
const (
	connectorFailure = "connector-failure"
	taskFailure      = "task-failure"
)

const (
	defaultFailureDelay = 15 * time.Second
	mockPutInterval     = 250 * time.Millisecond
)

// failureDelay returns after which time a failure is to happen, and whether one is.
func failureDelay(cfg connect.Config, mode string) (delay time.Duration, wanted bool, err error) {
	if cfg["mock_mode"] != mode {
		return 0, false, nil
	}
	text, ok := cfg["delay_ms"]
	if !ok {
		return defaultFailureDelay, true, nil
	}
	ms, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, false, connect.ConfigErrorf("delay_ms", "Invalid value %q for configuration delay_ms: it needs a whole number of milliseconds", text)
	}
	return time.Duration(ms) * time.Millisecond, true, nil
}

// mock is a connector with one task that fails on request.
type mock struct {
	cfg   connect.Config
	timer *time.Timer
}

// Start begins to wait for the failure.
func (m *mock) Start(_ context.Context, cc connect.ConnectorContext, cfg connect.Config) error {
	m.cfg = cfg
	delay, wanted, err := failureDelay(cfg, connectorFailure)
	if err == nil && wanted {
		m.timer = time.AfterFunc(delay, func() {
			cc.RaiseError(errors.New("mock_mode=" + connectorFailure + " asks for this failure"))
		})
	}
	return err
}

// TaskConfigs returns one configuration.
func (m *mock) TaskConfigs(context.Context, int) ([]connect.Config, error) {
	return []connect.Config{maps.Clone(m.cfg)}, nil
}

// Stop ends the waiting.
func (m *mock) Stop(context.Context) error {
	if m.timer != nil {
		m.timer.Stop()
	}
	return nil
}

// mockSource makes no records.
type mockSource struct{ mock }

// NewTask returns a task.
func (*mockSource) NewTask() connect.SourceTask { return new(mockSourceTask) }

// mockSink drops what it is given.
type mockSink struct{ mock }

// NewTask returns a task.
func (*mockSink) NewTask() connect.SinkTask { return new(mockSinkTask) }

// failing is a task that fails on request.
type failing struct {
	wanted bool
	at     time.Time
}

func (f *failing) start(cfg connect.Config) error {
	delay, wanted, err := failureDelay(cfg, taskFailure)
	*f = failing{wanted, time.Now().Add(delay)}
	return err
}

// check returns the failure when it is time for it.
func (f *failing) check() error {
	if f.wanted && !time.Now().Before(f.at) {
		return errors.New("mock_mode=" + taskFailure + " asks for this failure")
	}
	return nil
}

// Stop does nothing.
func (f *failing) Stop(context.Context) error { return nil }

type mockSourceTask struct{ failing }

// Start begins to wait for the failure.
func (t *mockSourceTask) Start(_ context.Context, _ connect.SourceTaskContext, cfg connect.Config) error {
	return t.start(cfg)
}

// Poll waits for the failure, or for the end.
func (t *mockSourceTask) Poll(ctx context.Context) ([]connect.SourceRecord, error) {
	if !t.wanted {
		<-ctx.Done()
		return nil, nil
	}
	if err := sleepUntil(ctx, t.at); err != nil {
		return nil, nil // it is asked to stop
	}
	return nil, t.check()
}

type mockSinkTask struct {
	failing
	tc connect.SinkTaskContext
}

// Start begins to wait for the failure.
func (t *mockSinkTask) Start(_ context.Context, tc connect.SinkTaskContext, cfg connect.Config) error {
	t.tc = tc
	err := t.start(cfg)
	t.again()
	return err
}

// Put fails when it is time.
func (t *mockSinkTask) Put(context.Context, []connect.SinkRecord) error {
	t.again()
	return t.check()
}

// again has Put called when it is time, also if there is nothing to put.
func (t *mockSinkTask) again() {
	if t.wanted {
		t.tc.Timeout(max(min(mockPutInterval, time.Until(t.at)), time.Millisecond))
	}
}
