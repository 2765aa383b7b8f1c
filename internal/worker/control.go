package worker

import (
	"context"
	"errors"
	"sync"
)

// control is whether a task is to be paused. Safe for concurrent use.
type control struct {
	mu      sync.Mutex
	paused  bool
	changed chan struct{} // closed and replaced at each change
	onSet   func()        // called after each change, or nil
}

func newControl(paused bool) *control { return &control{paused: paused, changed: make(chan struct{})} }

// set pauses or resumes.
func (c *control) set(paused bool) {
	c.mu.Lock()
	if c.paused == paused {
		c.mu.Unlock()
		return
	}
	c.paused = paused
	close(c.changed)
	c.changed = make(chan struct{})
	onSet := c.onSet
	c.mu.Unlock()
	if onSet != nil {
		onSet()
	}
}

// notify calls f after each change, until the function that it returns is called.
func (c *control) notify(f func()) (stop func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.onSet = f
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.onSet = nil
	}
}

// get returns the state and a channel that is closed when it changes.
func (c *control) get() (paused bool, changed <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.paused, c.changed
}

// awaitResume waits until it is not paused, and returns the cause of ctx if that ends first.
func (c *control) awaitResume(ctx context.Context) error {
	for {
		paused, changed := c.get()
		if !paused {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			if paused, _ := c.get(); !paused {
				return nil
			}
			return context.Cause(ctx)
		}
	}
}

func isAny(err error, targets ...error) bool {
	for _, t := range targets {
		if t != nil && errors.Is(err, t) {
			return true
		}
	}
	return false
}
