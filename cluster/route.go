package cluster

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/assign"
	"github.com/gokconnect/connect/internal/configstore"
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
	signed  bool   // the group's protocol has signed requests; that of the configuration before the first round
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

func (r *route) set(leads bool, leader string, owned owners, signed bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.member, r.leads, r.leader, r.owned, r.signed = true, leads, leader, owned, signed
}

// signs reports whether requests between workers have to be signed.
func (r *route) signs() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.signed
}

// isLeader reports whether this instance leads, as far as it knows.
func (r *route) isLeader() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.member && r.leads
}

// distributesKeys reports whether this instance has to see to the session key.
func (r *route) distributesKeys() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.member && r.leads && r.signed
}

func (r *route) lose() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.member, r.leads, r.leader, r.owned = false, false, "", nil
}

// url is where other instances reach this one: empty for one that does not serve requests itself, unless its configuration
// says where they are served.
func (rt *Runtime) url() string {
	switch {
	case rt.cfg.URL != "":
		return strings.TrimSuffix(rt.cfg.URL, "/") + "/"
	case rt.reached():
		return rt.advertisedProtocol() + "://" + rt.workerID() + "/"
	}
	return ""
}

// reached reports whether it is known where other instances reach this one.
func (rt *Runtime) reached() bool {
	return rt.cfg.URL != "" || rt.bound.Load() != nil || rt.settings.AdvertisedHost != "" && rt.settings.AdvertisedPort != 0
}

// workerID returns the worker's address as others know it. Of an instance that has none it is a name that no other has.
func (rt *Runtime) workerID() string {
	switch {
	case rt.cfg.URL != "":
		u, err := url.Parse(rt.cfg.URL)
		if err == nil && u.Port() == "" {
			return net.JoinHostPort(u.Hostname(), map[string]string{"http": "80", "https": "443"}[u.Scheme])
		}
		return u.Host // the configuration was validated
	case !rt.reached() && !rt.standalone():
		return rt.unreached
	}
	host, port := rt.settings.AdvertisedHost, rt.settings.AdvertisedPort
	for _, text := range rt.settings.Listeners {
		l, err := parseListener(text)
		if err != nil {
			continue
		}
		if bound := rt.bound.Load(); bound != nil && l.port == 0 {
			l.port = *bound
		}
		if host == "" {
			host = l.host
		}
		if port == 0 {
			port = l.port
		}
		break
	}
	if host == "" {
		host = hostname()
	}
	return fmt.Sprintf("%s:%d", host, port)
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
	at, err := rt.leader()
	if err == nil && at != "" {
		err = &rest.Elsewhere{URL: at}
	}
	return err
}

// leader returns the URL of the instance that leads; "" if that is this one, or if nobody can reach it and this one is as
// good.
func (rt *Runtime) leader() (string, error) {
	r := &rt.route
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case rt.standalone():
		return "", nil
	case !r.member:
		return "", rest.Conflict()
	case r.leads:
		return "", nil
	}
	return r.leader, nil
}

// askLeader has the leader do what only it may: a signed request to it. Here is true, and nothing was asked, if this
// instance can do it itself.
func (rt *Runtime) askLeader(ctx context.Context, method, path string, body []byte) (here bool, err error) {
	at, err := rt.leader()
	if err != nil || at == "" {
		return err == nil, err
	}
	var signature *rest.Signature
	if key := rt.sessionKey(ctx); key != nil {
		if signature, err = rest.Sign(key.Key, rt.settings.SignatureAlgorithm, body); err != nil {
			return false, err
		}
	} else if rt.route.signs() {
		return false, fmt.Errorf("a request to the leader has to be signed, and there is no session key in topic %s after %v", rt.settings.ConfigTopic.Name, keyWait)
	}
	return false, rt.peers.Ask(ctx, method, at, path, body, signature)
}

// keyWait is how long a request that has to be signed waits for the first key of a group.
const keyWait = 5 * time.Second

// sessionKey returns the key to sign requests with, or nil. A leader writes the first one right after it was elected.
func (rt *Runtime) sessionKey(ctx context.Context) *configstore.SessionKey {
	for end := time.Now().Add(keyWait); ; {
		key := rt.store.Snapshot().SessionKey
		if key != nil || !rt.route.signs() || time.Now().After(end) {
			return key
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return nil
		}
	}
}

// owner returns the URL of the instance to ask that something runs on which does not run here: of a task, or, with task -1,
// of a connector. It is the instance's own on the leader, and the leader's elsewhere; "" if nobody can reach it.
func (rt *Runtime) owner(id connect.TaskID) (string, error) {
	r := &rt.route
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case !r.member:
		return "", rest.Conflict()
	case !r.leads:
		return r.leader, nil
	}
	at, assigned := r.owned[id]
	if !assigned {
		what := "task " + id.String()
		if id.Task < 0 {
			what = "connector " + id.Connector
		}
		return "", rest.Errorf(http.StatusConflict, "Cannot complete request momentarily: %s is not assigned to any worker, likely because a rebalance is underway.", what)
	}
	return at, nil
}

// toOwner is owner as the error of a request that another instance has to answer.
func (rt *Runtime) toOwner(id connect.TaskID) error {
	at, err := rt.owner(id)
	if err == nil && at != "" {
		err = &rest.Elsewhere{URL: at}
	}
	return err
}

// patiently calls f as long as a rebalance keeps it from being done, within bounds.
func (rt *Runtime) patiently(ctx context.Context, f func() error) error {
	return rest.Patiently(ctx, rt.cfg.RebalanceWait, rt.stage.String, f)
}

// hurry has this instance hear of a round soon that another is about to begin.
func (rt *Runtime) hurry() {
	if h, ok := rt.coordinator.(Hurrier); ok {
		h.Hurry()
	}
}
