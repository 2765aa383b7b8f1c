package mirror

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/gokconnect/connect"
)

// job is work that a connector does in the background.
type job struct {
	name string // for messages: "refreshing topics"
	// every is the time between two runs; negative: it runs until it succeeded once.
	every time.Duration
	// wait is the time before the first run.
	wait time.Duration
	run  func(ctx context.Context) error

	next   time.Time
	failed int // how many times in a row
	done   bool
	err    error
}

// errNotYet is returned by a job that has to wait for another one. It is not reported.
var errNotYet = errors.New("it waits for other work")

// The wait after a run that failed grows from one second to half a minute, or to the job's own interval.
const (
	firstRetry = time.Second
	lastRetry  = 30 * time.Second
)

// schedule runs jobs, one at a time, until its context ends.
type schedule struct {
	timeout time.Duration // of one run
	log     *slog.Logger
	ended   chan struct{}

	mu   sync.Mutex
	jobs []*job
}

func startSchedule(ctx context.Context, log *slog.Logger, timeout time.Duration, jobs ...*job) *schedule {
	s := &schedule{timeout: timeout, log: log, ended: make(chan struct{}), jobs: jobs}
	now := time.Now()
	for _, j := range jobs {
		j.next = now.Add(j.wait)
	}
	go s.loop(ctx)
	return s
}

func (s *schedule) loop(ctx context.Context) {
	defer close(s.ended)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		for _, j := range s.jobs {
			if !j.done && !time.Now().Before(j.next) && ctx.Err() == nil {
				s.once(ctx, j)
			}
		}
		next := time.Time{}
		for _, j := range s.jobs {
			if !j.done && (next.IsZero() || j.next.Before(next)) {
				next = j.next
			}
		}
		if next.IsZero() {
			return
		}
		timer.Reset(time.Until(next))
	}
}

// guarded calls f, which may call policies and filters of the program: a panic of theirs must not end it.
func guarded(name string, f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &connect.PanicError{Call: name, Value: v, Stack: debug.Stack()}
		}
	}()
	return f()
}

func (s *schedule) once(ctx context.Context, j *job) {
	bounded, cancel := context.WithTimeoutCause(ctx, s.timeout, fmt.Errorf("it took longer than %v", s.timeout))
	defer cancel()
	err := guarded(j.name, func() error { return j.run(bounded) })
	if ctx.Err() != nil {
		return
	}
	if err != nil && bounded.Err() != nil {
		err = fmt.Errorf("%w: %w", context.Cause(bounded), err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !errors.Is(err, errNotYet) {
		j.err = err
	}
	if err == nil {
		if j.failed > 1 {
			s.log.Info("it works again: " + j.name)
		}
		j.failed = 0
		j.done = j.every < 0
		j.next = time.Now().Add(max(j.every, time.Second))
		return
	}
	wait := min(firstRetry<<min(j.failed, 10), lastRetry)
	if j.every >= 0 {
		wait = min(wait, max(j.every, time.Second))
	}
	j.next = time.Now().Add(wait)
	if errors.Is(err, errNotYet) {
		return
	}
	j.failed++
	s.log.Error("failed: "+j.name+"; it will be tried again", "err", err, "attempt", j.failed, "wait", wait)
}

// health returns what failed last and has not worked since. A schedule that is nil has nothing to do.
func (s *schedule) health() error {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for _, j := range s.jobs {
		if j.err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", j.name, j.err))
		}
	}
	return errors.Join(errs...)
}
