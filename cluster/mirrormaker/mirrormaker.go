// Package mirrormaker runs the flows of a MirrorMaker configuration in one process, or in several that share the work:
// what Kafka's connect-mirror-maker does, as a value. Each flow has a worker of its own at its target cluster, with the
// three connectors of package plugin/mirror.
//
//	flows, err := mirror.Options{}.ParseFlows(properties)
//	…
//	maker, err := mirrormaker.New(mirrormaker.Config{Flows: flows, Logger: log})
//	…
//	err = maker.Run(ctx)
//
// Processes with the same configuration find each other by the groups of the workers, SOURCE-mm2 on each target, and
// spread the connectors and tasks. With dedicated.mode.enable.internal.rest they also talk to each other, which is needed
// where a connector's tasks change while another process leads the group, and for exactly-once delivery.
package mirrormaker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/cluster"
	"github.com/gokconnect/connect/plugin/mirror"
)

// Config is what a [Maker] needs. Only Flows is required.
type Config struct {
	// Flows are the clusters and what flows between them.
	Flows *mirror.Flows
	// Clusters limits the flows to those into these clusters, by their aliases: the ones that are near. Default: all.
	Clusters []string
	// Worker changes the configuration of the worker of a flow before it is made: coordinator, store of offsets, further
	// plugins, a meter provider, options of the worker's own clients (those of the connectors are in mirror.Options). Default: it is taken as the flows say.
	Worker func(flow mirror.Flow, cfg *cluster.Config)
	// URL is where the other processes reach [Maker.Handler] if the program serves it itself: "http://10.0.0.7:8080/".
	// Default: what the keys listeners and rest.advertised.* of the flows say; Run then listens itself. It has no effect
	// unless the flows have dedicated.mode.enable.internal.rest=true.
	URL string
	// Logger gets what the workers and connectors have to say. Default: nothing is logged.
	Logger *slog.Logger
}

// Waits before a worker that failed is made anew.
const (
	firstWait = time.Second
	maxWait   = time.Minute
)

// Maker runs flows. It is made by [New], and safe for concurrent use.
type Maker struct {
	cfg   Config
	flows []mirror.Flow
	log   *slog.Logger

	mu      sync.Mutex
	workers map[mirror.Flow]*cluster.Runtime
}

// New returns a Maker that is not running yet. It fails if there is nothing to run, or a cluster is unknown.
func New(cfg Config) (*Maker, error) {
	if cfg.Flows == nil {
		return nil, errors.New("mirrormaker.Config: Flows is nil")
	}
	known := cfg.Flows.Clusters()
	for _, alias := range cfg.Clusters {
		if !slices.Contains(known, alias) {
			return nil, fmt.Errorf("mirrormaker.Config: Clusters has %q, which is none of the clusters %q", alias, known)
		}
	}
	flows := cfg.Flows.To(cfg.Clusters...)
	if len(flows) == 0 {
		return nil, fmt.Errorf("mirrormaker: nothing flows between the clusters %q, or into %q: a flow has SOURCE->TARGET.enabled=true", known, cfg.Clusters)
	}
	m := &Maker{cfg: cfg, flows: flows, log: cfg.Logger, workers: make(map[mirror.Flow]*cluster.Runtime)}
	if m.log == nil {
		m.log = slog.New(slog.DiscardHandler)
	}
	return m, nil
}

// Flows returns the flows that are run.
func (m *Maker) Flows() []mirror.Flow { return slices.Clone(m.flows) }

// Runtime returns the worker of a flow, or nil while there is none. Its connectors are called MirrorSourceConnector,
// MirrorCheckpointConnector and MirrorHeartbeatConnector. A worker that fails is replaced, so the result is not for keeping.
func (m *Maker) Runtime(flow mirror.Flow) *cluster.Runtime {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.workers[flow]
}

// Run runs the flows until ctx ends, and returns nil when all have stopped. A worker that fails, for example because
// its target cluster can't be reached, is made anew after a growing wait, while the others go on; a configuration that can't be right
// ends all, and is returned.
func (m *Maker) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var group sync.WaitGroup
	errs := make([]error, len(m.flows)+1)
	if m.cfg.Flows.InternalREST() && m.cfg.URL == "" {
		server, err := m.listen(ctx)
		if err != nil {
			return err
		}
		m.cfg.URL = server.url
		group.Go(func() {
			if errs[len(m.flows)] = server.serve(ctx); errs[len(m.flows)] != nil {
				cancel()
			}
		})
	}
	for i, flow := range m.flows {
		group.Go(func() {
			if err := m.runFlow(ctx, flow); err != nil {
				errs[i] = fmt.Errorf("flow %s: %w", flow, err)
				cancel()
			}
		})
	}
	group.Wait()
	return errors.Join(errs...)
}

// runFlow runs a flow until ctx ends or its configuration turns out to be wrong.
func (m *Maker) runFlow(ctx context.Context, flow mirror.Flow) error {
	defer m.setWorker(flow, nil)
	for wait := firstWait; ; wait = min(2*wait, maxWait) {
		rt, err := m.newWorker(flow)
		if err != nil {
			return err
		}
		m.setWorker(flow, rt)
		started := time.Now()
		err = rt.Run(ctx)
		m.setWorker(flow, nil)
		if _, wrong := errors.AsType[*connect.ConfigError](err); wrong || ctx.Err() != nil {
			return err
		}
		if time.Since(started) > maxWait {
			wait = firstWait
		}
		m.log.Error("the worker of a flow failed; it is made anew", "flow", flow.String(), "wait", wait, "err", err)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
	}
}

func (m *Maker) setWorker(flow mirror.Flow, rt *cluster.Runtime) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.workers[flow] = rt
}

// newWorker makes the worker of a flow, with its connectors.
func (m *Maker) newWorker(flow mirror.Flow) (*cluster.Runtime, error) {
	flows := m.cfg.Flows
	worker := flows.Worker(flow)
	maps.Copy(worker, flows.Properties("listeners.https.")) // requests to the others are made with it
	cfg, err := cluster.ConfigFromWorker(worker)
	if err != nil {
		return nil, err
	}
	o := flows.Options()
	if o.Client != nil {
		cfg.Client = o.Client(flow.Target)
	}
	if o.KeyStores != nil {
		cfg.KeyStores = o.KeyStores
	}
	cfg.Plugins = new(connect.Registry).MustAdd(mirror.Plugins(o)...)
	cfg.Logger = m.log.With("flow", flow.String())
	if flows.InternalREST() {
		cfg.URL = flowURL(m.cfg.URL, flow)
	}
	if m.cfg.Worker != nil {
		m.cfg.Worker(flow, &cfg)
	}
	rt, err := cluster.New(cfg)
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(mirror.Connectors)) {
		connector := flows.Connector(flow, name)
		connector["name"] = name // whatever the flow says: its three connectors can't have one name
		if err := rt.Add(cluster.Configured{Name: name, Config: connector}); err != nil {
			return nil, err
		}
	}
	return rt, nil
}

// Handler returns what the other processes ask of this one, below /SOURCE/TARGET/. [Maker.Run] serves it itself unless
// [Config].URL says that the program does. Requests are signed with a key that the workers share through Kafka.
func (m *Maker) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		flow, rest, ok := splitPath(r.URL.EscapedPath())
		if !ok {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		if !slices.Contains(m.flows, flow) {
			answerError(w, http.StatusNotFound, fmt.Sprintf("No replication flow found for source '%s' and target '%s'", flow.Source, flow.Target))
			return
		}
		rt := m.Runtime(flow)
		if rt == nil {
			answerError(w, http.StatusServiceUnavailable, "The worker of the flow "+flow.String()+" is not running")
			return
		}
		inner := r.Clone(r.Context())
		inner.URL.RawPath, inner.URL.Path = rest.escaped, rest.plain
		inner.RequestURI = strings.TrimSuffix(rest.escaped+"?"+r.URL.RawQuery, "?")
		rt.Handler().ServeHTTP(w, inner)
	})
}
