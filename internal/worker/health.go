package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gokconnect/connect"
)

const (
	healthEvery = 15 * time.Second // the wait between two calls of Health
	healthTime  = 5 * time.Second  // how long one may take
	healthGrace = time.Second      // how long the end of a run waits for one that is under way
)

// health is what a connector or task says of itself. The zero value is that of one that says nothing.
type health struct{ trouble atomic.Pointer[error] }

// get returns the trouble that there is, or nil.
func (h *health) get() error {
	if err := h.trouble.Load(); err != nil {
		return *err
	}
	return nil
}

// healthWatch asks a plugin how it is. Each call has a goroutine of its own, between two calls there is none.
type healthWatch struct {
	of      connect.HealthReporter
	into    *health
	log     *slog.Logger
	changed func() // or nil
	ctx     context.Context
	cancel  context.CancelFunc

	mu    sync.Mutex
	ended bool
	timer *time.Timer
	busy  chan struct{} // closed when the call under way returns; nil if none is
}

// watch asks a plugin how it is, if it is a [connect.HealthReporter], until the function that it returns is called. changed
// is told when the answer is another one.
func (h *health) watch(plugin any, log *slog.Logger, changed func()) (end func()) {
	of, ok := connect.As[connect.HealthReporter](plugin)
	if !ok {
		return func() {}
	}
	w := &healthWatch{of: of, into: h, log: log, changed: changed}
	w.ctx, w.cancel = context.WithCancel(context.Background())
	w.mu.Lock()
	w.timer = time.AfterFunc(healthEvery, w.ask)
	w.mu.Unlock()
	return w.end
}

// ask makes one call, and sees to the next.
func (w *healthWatch) ask() {
	w.mu.Lock()
	if w.ended {
		w.mu.Unlock()
		return
	}
	busy := make(chan struct{})
	w.busy = busy
	w.mu.Unlock()

	ctx, cancel := deadline(w.ctx, healthTime, "Health")
	late := time.AfterFunc(healthTime+healthGrace, func() { w.tell(fmt.Errorf("call of Health has not returned within %v", healthTime)) })
	err := w.call(ctx)
	late.Stop()
	cancel()
	w.tell(err)

	w.mu.Lock()
	defer w.mu.Unlock()
	close(busy)
	w.busy = nil
	if !w.ended {
		w.timer.Reset(healthEvery)
	}
}

func (w *healthWatch) call(ctx context.Context) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &connect.PanicError{Call: "Health", Value: v, Stack: debug.Stack()}
		}
	}()
	return w.of.Health(ctx)
}

// tell takes note of an answer, unless it is the one of before, or the run has ended.
func (w *healthWatch) tell(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	before := w.into.get()
	if w.ended || (before == nil) == (err == nil) && (err == nil || before.Error() == err.Error()) {
		return
	}
	if err == nil {
		w.into.trouble.Store(nil)
		w.log.Info("in good health again", "was", before)
	} else {
		w.into.trouble.Store(&err)
		var panicked *connect.PanicError
		if errors.As(err, &panicked) {
			w.log.Error("Health panicked", "err", err, "stack", string(panicked.Stack))
		} else {
			w.log.Warn("reports trouble", "err", err)
		}
	}
	if w.changed != nil {
		w.changed()
	}
}

func (w *healthWatch) end() {
	w.cancel()
	w.mu.Lock()
	w.ended = true
	w.timer.Stop()
	busy, was := w.busy, w.into.get()
	w.into.trouble.Store(nil)
	w.mu.Unlock()
	if was != nil && w.changed != nil {
		w.changed()
	}
	if busy == nil {
		return
	}
	timer := time.NewTimer(healthGrace)
	defer timer.Stop()
	select {
	case <-busy:
	case <-timer.C:
		w.log.Error("a call of Health does not return, its goroutine is left behind")
	}
}
