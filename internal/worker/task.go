// Package worker runs connectors and tasks: their life cycle, the loop that moves records, the offsets, restarts.
// It makes all calls into connector code.
package worker

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/javaerror"
	"github.com/gokconnect/connect/internal/metrics"
	"github.com/gokconnect/connect/internal/pipeline"
	"github.com/gokconnect/connect/internal/tolerance"
	"github.com/gokconnect/connect/internal/tracing"
)

// State is the state of a connector or task, as the REST API spells it.
type State string

// The states.
const (
	Unassigned State = "UNASSIGNED"
	Running    State = "RUNNING"
	Paused     State = "PAUSED"
	Stopped    State = "STOPPED"
	Failed     State = "FAILED"
	Restarting State = "RESTARTING"
)

// RestartPolicy says how a task that failed is restarted, unless its error is one that a restart can't help with.
type RestartPolicy struct {
	// Max is how many restarts in a row are made before the task is FAILED for good; 0 turns restarts off.
	Max int
	// First is the wait before the first restart. It doubles each time, up to Limit.
	First, Limit time.Duration
	// Healthy is how long a task must run for its failures to be forgotten.
	Healthy time.Duration
	// Classes have policies of their own: the first that matches an error decides.
	Classes []RestartClass
}

// DefaultRestart is the policy unless another is configured.
var DefaultRestart = RestartPolicy{Max: 10, First: time.Second, Limit: time.Minute, Healthy: 5 * time.Minute}

// delay returns the wait before the n-th restart in a row, n from 1. It varies by a tenth, so that tasks that failed
// together don't stay together.
func (p RestartPolicy) delay(n int) time.Duration {
	wait := p.First
	for ; n > 1 && wait < p.Limit; n-- {
		wait *= 2
	}
	wait = max(min(wait, p.Limit), 0)
	return wait + rand.N(wait/10+1)
}

// helps reports whether a restart may help with err.
func (p RestartPolicy) helps(err error) bool {
	var data *connect.DataError
	var config *connect.ConfigError
	var exceeded *tolerance.Exceeded
	switch {
	case p.Max <= 0, connect.IsFatal(err), errors.As(err, &data), errors.As(err, &config), errors.As(err, &exceeded):
		return false
	}
	return true
}

// ErrAbandoned is the cause of a task's context when it did not stop within the grace period.
var ErrAbandoned = errors.New("abandoned: it did not stop within the grace period")

// runner is one run of a task, from Start to Stop. poll ends when the task is to stop; work outlives it by the grace
// period, for what has to be finished.
type runner interface {
	run(poll, work context.Context) error
	// doing returns the call into the plugin that is under way, "" if none is.
	doing() (name string, since time.Time)
	// plugin is the task itself.
	plugin() any
}

// TaskOptions are what every task needs.
type TaskOptions struct {
	ID      connect.TaskID
	Logger  *slog.Logger
	Restart RestartPolicy
	// Grace is how long a task may take to stop before it is abandoned.
	Grace time.Duration
	// AsJava makes the task do what Kafka Connect does also where that is worse: see cluster.KafkaConnectDefaults.
	AsJava bool
	// Paused creates the task paused.
	Paused bool
	// Status is told of each change of state, with the error of a failure. It is called on the task's goroutine, must
	// not block, and is not called any more once the task was abandoned.
	Status func(State, error)
	// ActiveTopic is told of the topics that the task sends to or consumes from, often more than once. It must not block.
	// Optional.
	ActiveTopic func(topic string)
	// Taps watch records on their way. Optional.
	Taps *pipeline.Taps
	// Metrics takes the task's metrics. Optional.
	Metrics *metrics.Task
	// Tracing makes the spans of the task's batches. Optional.
	Tracing *tracing.Task
	// HealthChanged is told when [Task.Health] returns another error. It must not block. Optional.
	HealthChanged func()
}

// Task is a task under supervision. Make one with [StartSource] or [StartSink].
type Task struct {
	opts    TaskOptions
	control *control
	build   func(*Task) (runner, error)

	stop      context.CancelCauseFunc // ends poll
	abort     context.CancelCauseFunc // ends work
	poll      context.Context
	work      context.Context
	current   atomic.Pointer[runner]
	creating  Activity
	health    health
	abandoned atomic.Bool
	ended     chan struct{} // closed when the goroutine has ended
	released  chan struct{} // closed when it has ended or was abandoned
	release   sync.Once
	timer     atomic.Pointer[time.Timer]
}

func startTask(opts TaskOptions, build func(*Task) (runner, error)) *Task {
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	t := &Task{opts: opts, control: newControl(opts.Paused), build: build, ended: make(chan struct{}), released: make(chan struct{})}
	t.poll, t.stop = context.WithCancelCause(context.Background())
	t.work, t.abort = context.WithCancelCause(context.Background())
	go t.loop()
	return t
}

// ID returns the task's id.
func (t *Task) ID() connect.TaskID { return t.opts.ID }

// Pause pauses or resumes the task. It returns at once.
func (t *Task) Pause(paused bool) { t.control.set(paused) }

// Stop asks the task to stop, and returns at once. After the grace period the task is abandoned: from then on nothing
// that it does has an effect, though its goroutine lives until the call that hangs returns.
func (t *Task) Stop() {
	t.stop(connect.ErrStopping)
	timer := time.AfterFunc(t.opts.Grace, t.abandon)
	if old := t.timer.Swap(timer); old != nil {
		old.Stop()
	}
	select {
	case <-t.ended:
		timer.Stop()
	default:
	}
}

// Done returns a channel that is closed when the task has ended or was abandoned.
func (t *Task) Done() <-chan struct{} { return t.released }

// Ended returns a channel that is closed when the task's goroutines have ended.
func (t *Task) Ended() <-chan struct{} { return t.ended }

// Abandoned reports whether the task was given up because it did not stop in time.
func (t *Task) Abandoned() bool { return t.abandoned.Load() }

// Doing returns the call into the plugin that is under way and when it began; "" if none is.
func (t *Task) Doing() (name string, since time.Time) {
	if r := t.current.Load(); r != nil {
		return (*r).doing()
	}
	return t.creating.Current()
}

// Health returns the trouble that the task reports of itself, as a [connect.HealthReporter], or nil.
func (t *Task) Health() error { return t.health.get() }

func (t *Task) abandon() {
	select {
	case <-t.ended:
		return
	default:
	}
	t.abandoned.Store(true)
	t.abort(ErrAbandoned)
	t.release.Do(func() {
		attrs := []any{"grace", t.opts.Grace}
		if name, since := t.Doing(); name != "" {
			attrs = append(attrs, "call", name, "since", since)
		}
		t.opts.Logger.Error("task abandoned: it did not stop within the grace period", attrs...)
		close(t.released)
	})
}

func (t *Task) status(s State, err error) {
	if !t.abandoned.Load() {
		t.opts.Metrics.State(strings.ToLower(string(s)))
		t.opts.Status(s, err)
	}
}

// loop runs the task, again and again as the policy allows.
func (t *Task) loop() {
	defer func() {
		t.stop(nil)
		t.abort(nil)
		if timer := t.timer.Load(); timer != nil {
			timer.Stop()
		}
		close(t.ended)
		t.release.Do(func() { close(t.released) })
	}()
	budget := newBudget(t.opts.Restart)
	for {
		began := time.Now()
		err := t.once()
		if t.poll.Err() != nil {
			if err != nil && !t.abandoned.Load() {
				t.opts.Logger.Warn("task failed while it was stopping", "err", err)
			}
			t.status(Unassigned, nil)
			return
		}
		if err == nil {
			err = errors.New("the task ended without an error and without having been asked to")
		}
		failures, wait, restart := budget.fail(err, time.Since(began))
		if !restart {
			t.opts.Logger.Error("task failed", "err", err, "failures", failures)
			t.status(Failed, err)
			return
		}
		t.opts.Logger.Error("task failed, it will be restarted", "err", err, "failures", failures, "wait", wait)
		t.status(Restarting, err)
		if sleep(t.poll, wait) != nil {
			t.status(Unassigned, nil)
			return
		}
	}
}

// once makes the task and runs it once.
func (t *Task) once() error {
	if paused, _ := t.control.get(); paused {
		t.status(Paused, nil)
		if err := t.control.awaitResume(t.poll); err != nil || t.poll.Err() != nil {
			return nil
		}
	}
	var r runner
	err := t.creating.do(callCreate, func() (err error) { r, err = t.build(t); return err })
	if err != nil {
		return javaerror.In("create task", err)
	}
	t.current.Store(&r)
	defer t.current.Store(nil)
	if o, ok := r.(observed); ok {
		defer t.opts.Metrics.Begin(o.observe())()
	}
	defer t.health.watch(r.plugin(), t.opts.Logger, t.opts.HealthChanged)()
	return r.run(t.poll, t.work)
}

// sleep waits for d, or returns the cause of ctx when that ends.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
