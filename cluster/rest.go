package cluster

import (
	"context"
	"fmt"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/logging"
	"github.com/gokconnect/connect/internal/rest"
)

// runtimeLogger is the name of the runtime's own logger. Those of plugins are named by their classes.
const runtimeLogger = "org.apache.kafka.connect.runtime"

// basicAuth is the REST extension that asks for credentials.
const basicAuth = "org.apache.kafka.connect.rest.basic.auth.extension.BasicAuthSecurityRestExtension"

// Handler returns the REST API of Kafka Connect, to serve wherever the application likes: below a path too, with
// [http.StripPrefix]. Before [Runtime.Run] requests wait until it has started. The paths below /admin are there unless the
// worker's configuration gives them listeners of their own (admin.listeners): see [Runtime.AdminHandler].
func (rt *Runtime) Handler() http.Handler {
	return rt.extended(rt.api().Handler(rt.settings.AdminListeners == nil))
}

// AdminHandler returns the paths below /admin alone: the levels of loggers.
func (rt *Runtime) AdminHandler() http.Handler { return rt.extended(rt.api().AdminHandler()) }

// api returns what answers requests. It is made when a program asks for a handler, so that one that does not ask doesn't link it.
func (rt *Runtime) api() *rest.Server {
	rt.serveOnce.Do(func() { rt.server = rt.newServer() })
	return rt.server
}

func (rt *Runtime) newServer() *rest.Server {
	s := rt.settings
	o := rest.Options{
		Connectors: apiConnectors{rt}, Tasks: apiTasks{rt}, Offsets: apiOffsets{rt}, Plugins: apiPlugins{rt}, Loggers: apiLoggers{rt}, Worker: apiWorker{rt},
		Tracking: s.TopicTracking, TrackingReset: s.TopicTrackingReset, AllowOrigin: s.AllowOrigin, AllowMethods: s.AllowMethods,
		Authenticate: rt.cfg.Authenticate, Logger: rt.log, Wait: rt.cfg.RebalanceWait, JavaErrors: rt.cfg.javaDefaults, Peers: rt.peers,
	}
	if !rt.cfg.javaDefaults {
		o.DeadLetters, o.Taps = apiDeadLetters{rt}, apiTaps{rt}
	}
	for _, r := range s.HeaderRules {
		o.Headers = append(o.Headers, rest.HeaderRule(r))
	}
	return rest.New(o)
}

// newPeers returns how other instances are asked.
func (rt *Runtime) newPeers() (rest.Peers, error) {
	peers := http.DefaultTransport.(*http.Transport).Clone()
	for _, text := range rt.settings.Listeners {
		if l, err := parseListener(text); err == nil && l.tls {
			config, err := rt.clientOptions().PeerTLS(rt.worker, listenersTLS)
			if err != nil {
				return rest.Peers{}, err
			}
			peers.TLSClientConfig = config
		}
	}
	peers.DisableKeepAlives = true // requests to other instances are rare
	var transport http.RoundTripper = peers
	if rt.cfg.Peers != nil {
		transport = rt.cfg.Peers
	}
	refuse := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return rest.Peers{Client: &http.Client{Transport: transport, CheckRedirect: refuse}}, nil
}

// standalone reports whether requests are answered as a standalone worker of Kafka Connect does.
func (rt *Runtime) standalone() bool {
	_, alone := rt.cfg.Coordinator.(*standalone) // what Run makes itself is a group
	return alone
}

// stage is what the runtime does, for those who wait for it. Safe for concurrent use.
type stage struct {
	mu    sync.Mutex
	text  string
	began time.Time
}

func (s *stage) set(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text, s.began = text, time.Now()
}

func (s *stage) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.text == "" {
		return ""
	}
	return fmt.Sprintf("The worker is currently %s, which began at %s.", s.text, s.began.UTC().Format("2006-01-02T15:04:05.000000Z"))
}

// What an instance does before and after it has joined its group, and at its end.
const (
	stageJoining  = "ensuring membership in the cluster"
	stageServing  = "waiting for requests and changes"
	stageStopping = "stopping"
	stageStopped  = "stopped"
)

// apiWorker is the runtime as the REST API sees the worker.
type apiWorker struct{ rt *Runtime }

var _ rest.Worker = apiWorker{}

func (a apiWorker) Root(ctx context.Context) (rest.Root, error) {
	rt := a.rt
	if err := rt.do(ctx, func() error { return nil }); err != nil {
		return rest.Root{}, err
	}
	id := rt.clusterID.Load()
	if id == nil {
		metadata, err := rt.kafka.admin.BrokerMetadata(ctx)
		if err != nil {
			return rest.Root{}, err
		}
		id = &metadata.Cluster
		rt.clusterID.Store(id)
	}
	return rest.Root{Version: connect.BuiltinVersion, Commit: commit(), ClusterID: *id}, nil
}

// commit returns the version of the program's source.
var commit = sync.OnceValue(func() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				return s.Value[:min(len(s.Value), 16)]
			}
		}
	}
	return "unknown"
})

// healthPoll is the time between two looks at a worker that is not able yet.
const healthPoll = 100 * time.Millisecond

// Health reports an instance as ready once it has read what is configured, and as able while it is a member of its group
// and can read what changes.
func (a apiWorker) Health(ctx context.Context) (ready, able bool) {
	for {
		able, err := a.rt.serves(ctx)
		ready = a.rt.ready.Load()
		if err != nil || able {
			return ready, err == nil
		}
		select {
		case <-time.After(healthPoll):
		case <-ctx.Done():
			return ready, false
		}
	}
}

func (a apiWorker) Stage() string { return a.rt.stage.String() }

// apiLoggers is the runtime as the REST API sees its loggers.
type apiLoggers struct{ rt *Runtime }

var _ rest.Loggers = apiLoggers{}

func loggerOf(s logging.State) rest.Logger {
	l := rest.Logger{Name: s.Name, Level: s.Level}
	if !s.Modified.IsZero() {
		l.LastModified = s.Modified.UnixMilli()
	}
	return l
}

func (a apiLoggers) Loggers() []rest.Logger {
	var all []rest.Logger
	for _, s := range a.rt.levels.All() {
		all = append(all, loggerOf(s))
	}
	return all
}

func (a apiLoggers) Logger(name string) (rest.Logger, bool) {
	s, ok := a.rt.levels.Get(name)
	return loggerOf(s), ok
}

func (a apiLoggers) SetLevel(ctx context.Context, name, level string, everywhere bool) ([]string, error) {
	given := level
	level = strings.TrimFunc(level, func(r rune) bool { return r <= ' ' }) // as Java's String.trim
	l, ok := logging.ParseLevel(level)
	if !ok {
		return nil, rest.NotFoundf("invalid log level '%s'.", given)
	}
	if everywhere && !a.rt.standalone() {
		if err := a.rt.do(ctx, func() error { return nil }); err != nil {
			return nil, err
		}
		level = strings.ToUpper(level)
		if err := a.rt.store.PutLoggerLevel(ctx, name, &level); err != nil {
			return nil, err
		}
		return nil, a.rt.refreshed(ctx) // here at least it holds when the request is answered
	}
	return a.rt.levels.Set(name, l)
}

// sortedKeys returns the keys of a map in order.
func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
