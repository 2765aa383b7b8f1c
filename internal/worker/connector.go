package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/javaerror"
	"github.com/gokconnect/connect/internal/metrics"
)

// ConnectorOptions are what a running connector needs.
type ConnectorOptions struct {
	Name string
	// New makes the instance and what it needs, before its first start.
	New func(ctx context.Context) (*ConnectorParts, error)
	// Grace is how long the connector may take to stop before it is abandoned.
	Grace  time.Duration
	Target State // Running, Paused or Stopped
	Logger *slog.Logger
	// Status is told of each change of state, with the error of a failure. It must not block.
	Status func(State, error)
	// TaskConfigs stores the task configurations after each call that gave them. An error is retried like one of the
	// call itself.
	TaskConfigs func(ctx context.Context, configs []connect.Config) error
	// TaskConfigsFailed is told why there are none; it will be tried again. It must not block. Optional.
	TaskConfigsFailed func(error)
	// Metrics are what the connector reports of itself. Optional.
	Metrics *metrics.ConnectorMetrics
	// AsJava makes the connector's life that of Kafka Connect also where that is worse: one that failed is not stopped.
	AsJava bool
	// HealthChanged is told when [Connector.Health] returns another error. It must not block. Optional.
	HealthChanged func()
}

// ConnectorParts are an instance of a connector and what it needs.
type ConnectorParts struct {
	Connector connect.Connector
	Config    connect.Config
	Offsets   connect.OffsetReader // nil for a sink
	MaxTasks  int
	// EnforceMaxTasks fails the connector when it returns more task configurations than MaxTasks.
	EnforceMaxTasks bool
	// Release gives back what the parts hold. It is called once, last. Optional.
	Release func()
}

// Connector is a connector under supervision. All calls into it are made by one goroutine.
type Connector struct {
	opts      ConnectorOptions
	parts     *ConnectorParts // nil until the first start; the goroutine's own
	activity  Activity
	health    health
	wake      chan struct{} // holds one
	ended     chan struct{}
	released  chan struct{}
	release   sync.Once
	abandoned atomic.Bool
	stopping  context.CancelCauseFunc // ends life
	life      context.Context         // until Stop
	abort     context.CancelCauseFunc // ends work
	work      context.Context         // life and the grace period
	timer     atomic.Pointer[time.Timer]

	mu          sync.Mutex
	target      State
	reconfigure bool
	raised      error
}

// StartConnector starts a connector in its target state.
func StartConnector(o ConnectorOptions) *Connector {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	c := &Connector{opts: o, target: o.Target, wake: make(chan struct{}, 1), ended: make(chan struct{}), released: make(chan struct{})}
	c.life, c.stopping = context.WithCancelCause(context.Background())
	c.work, c.abort = context.WithCancelCause(context.Background())
	go c.loop()
	return c
}

// SetTarget asks for another state: Running, Paused or Stopped. Of several requests the last counts.
func (c *Connector) SetTarget(s State) {
	c.mu.Lock()
	c.target = s
	c.mu.Unlock()
	signal(c.wake)
}

// Stop asks the connector to stop for good, and returns at once. After the grace period it is abandoned.
func (c *Connector) Stop() {
	c.stopping(connect.ErrStopping)
	timer := time.AfterFunc(c.opts.Grace, c.abandon)
	if old := c.timer.Swap(timer); old != nil {
		old.Stop()
	}
	select {
	case <-c.ended:
		timer.Stop()
	default:
	}
}

// Done returns a channel that is closed when the connector has stopped or was abandoned.
func (c *Connector) Done() <-chan struct{} { return c.released }

// Ended returns a channel that is closed when the connector's goroutine has ended.
func (c *Connector) Ended() <-chan struct{} { return c.ended }

// Busy is since when a call into the connector is under way; zero if none is.
func (c *Connector) Busy() time.Time { return busySince(&c.activity) }

// Doing returns the call into the connector that is under way and when it began; "" if none is.
func (c *Connector) Doing() (name string, since time.Time) { return c.activity.Current() }

// Health returns the trouble that the connector reports of itself, as a [connect.HealthReporter], or nil.
func (c *Connector) Health() error { return c.health.get() }

func (c *Connector) abandon() {
	select {
	case <-c.ended:
		return
	default:
	}
	c.abandoned.Store(true)
	c.abort(ErrAbandoned)
	c.release.Do(func() {
		name, since := c.Doing()
		c.opts.Logger.Error("connector abandoned: it did not stop within the grace period", "grace", c.opts.Grace, "call", name, "since", since)
		close(c.released)
	})
}

func (c *Connector) status(s State, err error) {
	if !c.abandoned.Load() {
		c.opts.Status(s, err)
	}
}

// instance is one run of the connector, from Start to Stop.
type instance struct {
	connector *Connector
	ctx       context.Context
	cancel    context.CancelCauseFunc
	unwatch   func() // ends the questions about its health
}

func (i *instance) Context() context.Context { return i.ctx }

func (i *instance) Info() connect.ConnectorInfo {
	c := i.connector
	return connect.ConnectorInfo{Name: c.opts.Name, Logger: c.opts.Logger, Offsets: c.parts.Offsets}
}

// Metrics implements [connect.Metered].
func (i *instance) Metrics() connect.Metrics { return i.connector.opts.Metrics.Plugin() }

func (i *instance) RequestTaskReconfiguration() error {
	if i.ctx.Err() != nil {
		return fmt.Errorf("request of task reconfiguration by connector %s, which was stopped: %w", i.connector.opts.Name, connect.ErrIllegalState)
	}
	i.connector.mu.Lock()
	i.connector.reconfigure = true
	i.connector.mu.Unlock()
	signal(i.connector.wake)
	return nil
}

func (i *instance) RaiseError(err error) {
	if i.ctx.Err() != nil || err == nil {
		return
	}
	i.connector.mu.Lock()
	i.connector.raised = err
	i.connector.mu.Unlock()
	signal(i.connector.wake)
}

// The back-off between two calls of TaskConfigs that failed. From the third wait on it is an error, before it is a warning: the
// leader that stores them may be about to leave.
const (
	firstTaskConfigsDelay = 250 * time.Millisecond
	errorTaskConfigsDelay = 4 * firstTaskConfigsDelay
	lastTaskConfigsDelay  = time.Minute
)

// loop brings the connector to its target state, again and again, until it is stopped.
func (c *Connector) loop() {
	defer func() {
		c.stopping(nil)
		c.abort(nil)
		if t := c.timer.Load(); t != nil {
			t.Stop()
		}
		close(c.ended)
		c.release.Do(func() { close(c.released) })
	}()
	var run *instance // not nil while the connector is started
	var state State
	var retry <-chan time.Time
	var delay time.Duration
	for {
		c.mu.Lock()
		target, reconfigure, raised := c.target, c.reconfigure, c.raised
		c.reconfigure, c.raised = false, nil
		c.mu.Unlock()
		switch {
		case c.life.Err() != nil:
			c.end(run, state)
			return
		case raised != nil && state == Running:
			c.opts.Logger.Error("connector raised an error", "err", raised)
			state = Failed
			c.status(Failed, raised)
			if c.opts.AsJava {
				c.status(Failed, raised) // twice, as Kafka Connect says it
			}
		case state == Failed && target != Stopped, state == target && !reconfigure:
			// A failed connector stays so until it is stopped or made anew.
		case target == Running:
			var err error
			if run == nil {
				if run, err = c.start(); err == nil {
					c.status(Running, nil)
				}
			}
			if state = Running; err != nil {
				if interrupted(c.life, err) {
					state = target
					break
				}
				state = Failed
				c.status(Failed, err)
				break
			}
			delay, retry = c.taskConfigs(&state, delay)
		default:
			err := c.halt(&run, state)
			state, retry, delay = target, nil, 0
			if err != nil && target == Paused {
				state = Failed
			}
			c.status(state, err)
		}
		select {
		case <-c.wake:
		case <-c.life.Done():
		case <-retry:
			c.mu.Lock()
			c.reconfigure = true
			c.mu.Unlock()
			retry = nil
		}
	}
}

func (c *Connector) start() (*instance, error) {
	if c.parts == nil {
		err := c.activity.do(callCreate, func() (err error) { c.parts, err = c.opts.New(c.life); return err })
		if err != nil {
			c.opts.Logger.Error("connector can't be created", "err", err)
			return nil, javaerror.In("create connector", err)
		}
	}
	run := &instance{connector: c}
	run.ctx, run.cancel = context.WithCancelCause(c.life)
	cfg := make(connect.Config, len(c.parts.Config))
	for k, v := range c.parts.Config {
		cfg[k] = v
	}
	if err := c.activity.do(callStart, func() error { return c.parts.Connector.Start(c.life, run, cfg) }); err != nil {
		run.cancel(connect.ErrStopping)
		c.opts.Metrics.EndRun()
		c.opts.Logger.Error("connector failed to start", "err", err)
		return nil, javaerror.In("Start", err)
	}
	run.unwatch = c.health.watch(c.parts.Connector, c.opts.Logger, c.opts.HealthChanged)
	return run, nil
}

// taskConfigs asks for the task configurations. After a failure it returns when to try again.
func (c *Connector) taskConfigs(state *State, last time.Duration) (time.Duration, <-chan time.Time) {
	var configs []connect.Config
	err := c.activity.do(callTaskConfigs, func() (err error) {
		configs, err = c.parts.Connector.TaskConfigs(c.life, c.parts.MaxTasks)
		return err
	})
	if err == nil && len(configs) > c.parts.MaxTasks {
		tooMany := &TooManyTasks{c.opts.Name, len(configs), c.parts.MaxTasks}
		if c.parts.EnforceMaxTasks {
			*state = Failed
			c.status(Failed, tooMany)
			return 0, nil
		}
		c.opts.Logger.Warn("connector returned too many task configurations, which its configuration allows", "err", tooMany)
	}
	if err == nil && !c.abandoned.Load() {
		err = c.opts.TaskConfigs(c.life, configs)
	}
	if err == nil {
		return 0, nil
	}
	if interrupted(c.life, err) {
		return 0, nil
	}
	if c.opts.TaskConfigsFailed != nil && !c.abandoned.Load() {
		c.opts.TaskConfigsFailed(err)
	}
	delay := min(max(2*last, firstTaskConfigsDelay), lastTaskConfigsDelay)
	level := slog.LevelWarn
	if delay >= errorTaskConfigsDelay {
		level = slog.LevelError
	}
	c.opts.Logger.Log(context.Background(), level, "task configurations could not be computed, it will be tried again", "err", err, "wait", delay)
	return delay, time.After(delay)
}

// halt stops the connector, if it is started.
func (c *Connector) halt(run **instance, state State) error {
	if *run == nil {
		return nil
	}
	(*run).cancel(connect.ErrStopping)
	(*run).unwatch()
	*run = nil
	if c.opts.AsJava && state == Failed {
		return nil
	}
	ctx, cancel := deadline(c.work, c.opts.Grace, "Stop")
	defer cancel()
	err := c.activity.do(callStop, func() error { return c.parts.Connector.Stop(ctx) })
	c.opts.Metrics.EndRun()
	if err != nil {
		c.opts.Logger.Error("stop of connector failed", "err", err)
	}
	return err
}

// end stops the connector for good.
func (c *Connector) end(run *instance, state State) {
	defer func() {
		if c.parts != nil && c.parts.Release != nil {
			c.parts.Release()
		}
	}()
	if err := c.halt(&run, state); err != nil {
		c.status(Failed, err)
		return
	}
	if state != Failed || c.opts.AsJava {
		c.status(Unassigned, nil)
	}
}

// TooManyTasks says that a connector returned more task configurations than it was allowed.
type TooManyTasks struct {
	Connector    string
	Tasks, Limit int
}

func (e *TooManyTasks) Error() string {
	return fmt.Sprintf("The connector %s has generated %d tasks, which is greater than %d, the maximum number of tasks it is configured to create. "+
		"This behaviour should be considered a bug and is disallowed. If necessary, it can be permitted by reconfiguring the connector with 'tasks.max.enforce' set to false; "+
		"however, this option will be removed in a future release of Kafka Connect.", e.Connector, e.Tasks, e.Limit)
}

// JavaClass is the class that is shown of it.
func (e *TooManyTasks) JavaClass() string { return javaerror.TooManyTasks }

// JavaMessage is the message that is shown of it.
func (e *TooManyTasks) JavaMessage() string { return e.Error() }

var _ error = (*TooManyTasks)(nil)

// IsTooManyTasks reports whether err says that a connector returned too many task configurations.
func IsTooManyTasks(err error) bool {
	var t *TooManyTasks
	return errors.As(err, &t)
}
