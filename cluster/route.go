package cluster

import (
	"context"
	"sync"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/assign"
	"github.com/gokconnect/connect/internal/group"
	"github.com/gokconnect/connect/internal/rest"
)

// route knows which instance answers a request that not every instance can answer. Safe for concurrent use.
type route struct {
	mu      sync.Mutex
	offered string // the URL of this instance that the others know
	member  bool
	leads   bool
	leader  string // its URL, "" if it serves no requests
	owned   owners // the leader's alone
}

// owners are the URLs of the instances that run connectors and tasks; a connector's own stands under task -1.
type owners map[connect.TaskID]string

// ownersOf returns who runs what after a round.
func ownersOf(d *group.Decision) owners {
	all := make(owners)
	each := func(w assign.Work, f func(connect.TaskID)) {
		for _, c := range w.Connectors {
			f(connect.TaskID{Connector: c, Task: -1})
		}
		for _, t := range w.Tasks {
			f(t)
		}
	}
	for id, m := range d.Members {
		if m != nil && m.Held != nil {
			each(m.Held.Assigned, func(t connect.TaskID) { all[t] = m.URL })
			each(d.Plan.Changes[id].Revoked, func(t connect.TaskID) { delete(all, t) })
		}
	}
	for id, m := range d.Members {
		if m != nil {
			each(d.Plan.Changes[id].Assigned, func(t connect.TaskID) { all[t] = m.URL })
		}
	}
	return all
}

func (r *route) offer(url string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.offered = url
	return url
}

func (r *route) set(leads bool, leader string, owned owners) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.member, r.leads, r.leader, r.owned = true, leads, leader, owned
}

func (r *route) lose() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.member, r.leads, r.leader, r.owned = false, false, "", nil
}

// url is where other instances reach this one: empty for one that does not serve requests itself, unless its configuration
// says where they are served.
func (rt *Runtime) url() string {
	if rt.bound.Load() == nil && (rt.settings.AdvertisedHost == "" || rt.settings.AdvertisedPort == 0) {
		return ""
	}
	return rt.advertisedProtocol() + "://" + rt.workerID() + "/"
}

// advertisedProtocol returns http or https, as Kafka Connect chooses it.
func (rt *Runtime) advertisedProtocol() string {
	if p := rt.settings.AdvertisedListener; p != "" {
		return p
	}
	protocol := "https"
	for _, text := range rt.settings.Listeners {
		if l, err := parseListener(text); err == nil && !l.tls {
			protocol = "http"
		}
	}
	return protocol
}

// reachable tells the others where this instance is, if they don't know yet.
func (rt *Runtime) reachable(ctx context.Context) {
	if err := rt.do(ctx, func() error { return nil }); err != nil {
		return // it has ended
	}
	rt.route.mu.Lock()
	known := rt.route.offered == rt.url()
	rt.route.mu.Unlock()
	if !known && !rt.standalone() {
		rt.coordinator.Rejoin("this instance can be reached by requests now")
	}
}

// toLeader returns the error of a request that the leader has to answer, unless that is this instance, or nobody could
// reach it: then it is as good here.
func (rt *Runtime) toLeader(ctx context.Context) error {
	if rt.standalone() {
		return nil
	}
	if err := rt.do(ctx, func() error { return nil }); err != nil {
		return err
	}
	r := &rt.route
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case !r.member:
		return rest.Conflict()
	case r.leads || r.leader == "":
		return nil
	}
	return &rest.Elsewhere{URL: r.leader}
}

// toOwner returns the error of a request that the instance has to answer which runs a task, or with task -1 a connector; nil
// if nobody could reach it.
func (rt *Runtime) toOwner(connector string, task int) error {
	r := &rt.route
	r.mu.Lock()
	defer r.mu.Unlock()
	at := r.leader
	if r.leads {
		at = r.owned[connect.TaskID{Connector: connector, Task: task}]
	}
	switch {
	case rt.standalone():
		return nil
	case !r.member:
		return rest.Conflict()
	case at == "":
		return nil
	}
	return &rest.Elsewhere{URL: at}
}
