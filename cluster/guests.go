package cluster

import (
	"fmt"
	"sync"

	"github.com/gokconnect/connect"
)

// guests are calls that have something running beside the loop, which ends before Run does. The zero value is ready. Safe
// for concurrent use.
type guests struct {
	mu   sync.Mutex
	over bool
	stop chan struct{}
	here sync.WaitGroup
}

// enter lets a call in. It has to end what it runs when stop is closed, and then to call leave.
func (g *guests) enter() (stop <-chan struct{}, leave func(), err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.over {
		return nil, nil, fmt.Errorf("the runtime is stopping: %w", connect.ErrIllegalState)
	}
	if g.stop == nil {
		g.stop = make(chan struct{})
	}
	g.here.Add(1)
	return g.stop, g.here.Done, nil
}

// ask lets no one in any more, and asks those inside to go.
func (g *guests) ask() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.over && g.stop != nil {
		close(g.stop)
	}
	g.over = true
}

// wait returns when all have gone.
func (g *guests) wait() {
	g.ask()
	g.here.Wait()
}
