package cluster

import (
	"sync"
	"time"
)

// reloads are the restarts that are due when values from config providers have come to the end of their life. Safe for
// concurrent use: tasks resolve their configurations in goroutines of their own.
type reloads struct {
	restart func(connector string)

	mu      sync.Mutex
	timers  map[reloadKey]*time.Timer
	stopped bool
}

// reloadKey is a path of a provider as one connector uses it: a newer time to live takes the place of an older one.
type reloadKey struct{ connector, path string }

func newReloads(restart func(connector string)) *reloads {
	return &reloads{restart: restart, timers: make(map[reloadKey]*time.Timer)}
}

// schedule plans restarts of a connector after times to live, by path.
func (r *reloads) schedule(connector string, ttls map[string]time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stopped {
		return
	}
	for path, ttl := range ttls {
		key := reloadKey{connector, path}
		if old := r.timers[key]; old != nil {
			old.Stop()
		}
		var timer *time.Timer
		timer = time.AfterFunc(ttl, func() {
			r.mu.Lock()
			current := r.timers[key] == timer
			if current {
				delete(r.timers, key)
			}
			r.mu.Unlock()
			if current {
				r.restart(connector)
			}
		})
		r.timers[key] = timer
	}
}

// stop forgets all plans, and takes no more.
func (r *reloads) stop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stopped = true
	for _, t := range r.timers {
		t.Stop()
	}
	clear(r.timers)
}

// reload restarts a connector, if it runs on this instance, so that it gets the values anew. Its tasks stay as they are.
func (rt *Runtime) reload(connector string) {
	rt.post(func() {
		if rt.connectors[connector] == nil {
			return
		}
		rt.log.Info("a value from a config provider has come to the end of its life, the connector is restarted", "connector", connector)
		rt.core.RestartConnector(connector)
		rt.reconcile(connector)
	})
}
