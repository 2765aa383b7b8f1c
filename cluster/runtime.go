// Package cluster runs connectors: a [Runtime] is one instance of a Kafka Connect cluster inside your program.
//
//	rt, err := cluster.New(cluster.Config{Brokers: brokers, GroupID: "orders"})
//	err = rt.Add(cluster.Source{Name: "orders", Connector: orders.New(db), Topic: "orders"})
//	err = rt.Run(ctx)
//
// Connectors are Go values ([Runtime.Add]), or configurations that name a plugin, as in Kafka Connect
// ([Runtime.PutConnector]).
package cluster

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/configstore"
	"github.com/gokconnect/connect/internal/fencing"
	"github.com/gokconnect/connect/internal/herder"
	"github.com/gokconnect/connect/internal/logging"
	"github.com/gokconnect/connect/internal/metrics"
	"github.com/gokconnect/connect/internal/pipeline"
	"github.com/gokconnect/connect/internal/rest"
	"github.com/gokconnect/connect/internal/tracing"
	"github.com/gokconnect/connect/internal/worker"
	"github.com/gokconnect/connect/internal/workerconfig"
)

// Runtime is one instance of a cluster. Make it with [New], and run it once. All methods are safe for concurrent use.
// Two runtimes in one process share nothing.
type Runtime struct {
	cfg      Config
	worker   connect.Config // all keys of the worker
	settings *workerconfig.Distributed
	plugins  atomic.Pointer[connect.Registry] // with the declared connectors; replaced, never changed
	policy   connect.OverridePolicy
	log      *slog.Logger
	events   chan func()   // what the loop has to do; closed never, guarded by ended
	ended    chan struct{} // closed when the loop has ended
	vacant   chan struct{} // closed when it is known that there was no config topic at the start
	started  chan struct{} // closed when requests can be served
	kafka    *kafka
	secrets  *secrets
	reloads  *reloads
	rounds   *fencing.Rounds
	keys     *sessionKeys

	store configstore.Store
	// coordinator is that of the configuration, or the Kafka group.
	coordinator Coordinator
	writes      chan struct{} // held by whoever looks at what is configured and then writes
	joined      chan struct{} // closed when the instance was assigned work for the first time

	mu       sync.Mutex
	running  bool
	declared map[string]*declared

	// Below is the loop's own.
	snapshot   herder.Snapshot
	generation map[string]int32 // of the tasks in it
	member     *groupMember
	core       *herder.Core
	connectors map[string]*worker.Connector
	tasks      map[connect.TaskID]*worker.Task
	abandoned  []<-chan struct{} // goroutines of what was abandoned
	status     *statuses
	stopping   bool
	runs       map[string]*connectorRun // the instances of connectors
	doomed     map[string][]int         // connectors that were deleted and may still run here, with their tasks here
	// doomedTasks are tasks that their connectors have no more and that may still run here, plans the last restarts.
	doomedTasks map[connect.TaskID]bool
	plans       map[string]*restartPlan

	metrics    *metrics.Set // nil: nothing is measured
	meter      *metrics.WorkerMetrics
	tracer     *tracing.Tracer
	measured   measured // the loop's own
	topics     activeTopics
	levels     *logging.Levels
	stage      stage
	ready      atomic.Bool // what is configured was read
	peers      rest.Peers
	serveOnce  sync.Once
	server     *rest.Server // once it was asked for
	extensions []RESTExtension
	bound      atomic.Pointer[int]    // the port of the first listener, once it is open
	clusterID  atomic.Pointer[string] // of Kafka, once it was asked for
	unreached  string                 // the worker's name while nobody can reach it
	guests     guests
	taps       tapsByName
	route      route
}

// New returns a Runtime. It connects to nothing yet. Its error names the fields that are not right, or the first key of
// Worker.
func New(cfg Config) (_ *Runtime, err error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	reg := withBuiltins(cfg.Plugins)
	hidden := new(secrets)
	defer func() { err = hidden.hideIn(err) }()
	properties, err := resolveWorker(reg, cfg, hidden)
	if err != nil {
		return nil, err
	}
	settings, err := parseWorker(reg, properties)
	if err != nil {
		return nil, err
	}
	if err := checkExactlyOnce(cfg, settings); err != nil {
		return nil, err
	}
	policy, ok := reg.OverridePolicy(settings.OverridePolicy)
	if !ok {
		return nil, fmt.Errorf("cluster.Config: Worker: %w", pipeline.ClassNotFound("connector.client.config.override.policy", settings.OverridePolicy))
	}
	rt := &Runtime{
		cfg: cfg, worker: properties, settings: settings, secrets: hidden, levels: logging.New(cfg.Logger.Handler()),
		runs: make(map[string]*connectorRun), doomed: make(map[string][]int), doomedTasks: make(map[connect.TaskID]bool),
		plans:  make(map[string]*restartPlan),
		events: make(chan func()), ended: make(chan struct{}), started: make(chan struct{}),
		writes: make(chan struct{}, 1), vacant: make(chan struct{}), joined: make(chan struct{}),
		declared: make(map[string]*declared), snapshot: make(herder.Snapshot), core: herder.New(),
		connectors: make(map[string]*worker.Connector), tasks: make(map[connect.TaskID]*worker.Task), status: newStatuses(hidden),
	}
	rt.log = logging.Named(slog.New(rt.levels.Handler(&hidingHandler{cfg.Logger.Handler(), hidden})), runtimeLogger)
	if rt.policy, err = policy.New(properties); err != nil {
		return nil, fmt.Errorf("cluster.Config: Worker: connector.client.config.override.policy: %w", err)
	}
	rt.reloads = newReloads(rt.reload)
	rt.keys = newSessionKeys(settings)
	rt.unreached = hostname() + "-" + strings.ToLower(rand.Text()[:8])
	rt.member = newMember(rt)
	rt.plugins.Store(reg)
	if rt.peers, err = rt.newPeers(); err != nil {
		return nil, err
	}
	if rt.extensions, err = chooseExtensions(rt.cfg, settings.Parsed.List("rest.extension.classes")); err != nil {
		return nil, err
	}
	if err := rt.measure(); err != nil {
		return nil, err
	}
	rt.stage.set("initializing and reading to the end of internal topics")
	return rt, nil
}

// Add declares connectors that are Go values. Declared before Run, they begin with it; declared while it runs, at once.
// A declaration with the name of another takes its place, on
// this instance: what runs of it is made anew.
func (rt *Runtime) Add(declarations ...Declaration) error {
	var all []*declared
	for _, d := range declarations {
		one, err := d.declare()
		if err != nil {
			return fmt.Errorf("declare connector: %w", err)
		}
		all = append(all, one)
	}
	replaced, running, err := rt.declareAll(all)
	if err != nil || !running {
		return err
	}
	if err := rt.checkDeclared(context.Background(), all); err != nil {
		if _, _, back := rt.declareAll(replaced); back != nil { // what runs goes on with what it was declared as
			err = errors.Join(err, back)
		}
		return err
	}
	if err := rt.putDeclared(context.Background(), all); err != nil {
		return err
	}
	return rt.do(context.Background(), func() error {
		for _, old := range replaced {
			rt.renew(old.name)
			rt.reconcile(old.name)
		}
		return nil
	})
}

// renew has a connector and its tasks made anew where they run on this instance: the Go value behind the same
// configuration may be another one. It runs on the loop.
func (rt *Runtime) renew(name string) {
	rt.core.RestartConnector(name)
	if k := rt.snapshot[name]; k != nil {
		for task := range k.Tasks {
			rt.core.RestartTask(connect.TaskID{Connector: name, Task: task})
		}
	}
}

// declareAll takes note of declarations. It returns those in whose place they are, and whether the runtime runs.
func (rt *Runtime) declareAll(all []*declared) (replaced []*declared, running bool, err error) {
	rt.mu.Lock()
	defer rt.mu.Unlock()
	reg := new(connect.Registry)
	reg.Merge(rt.plugins.Load())
	for _, d := range all {
		own := new(connect.Registry)
		if err := own.Add(d.plugin()); err != nil {
			return nil, false, fmt.Errorf("declare connector: %w", err)
		}
		reg.Merge(own)
	}
	for _, d := range all {
		if old := rt.declared[d.name]; old != nil {
			replaced = append(replaced, old)
		}
		rt.declared[d.name] = d
	}
	rt.plugins.Store(reg)
	return replaced, rt.running, nil
}

// Run runs the instance until ctx ends, and then stops it: connectors and tasks finish what they have begun, within
// task.shutdown.graceful.timeout.ms, and offsets are stored. It returns nil after that, when every goroutine that the
// runtime started has ended, or an error that says why the instance can't go on, or which call into a connector did
// not return.
func (rt *Runtime) Run(ctx context.Context) error { return rt.secrets.hideIn(rt.run(ctx)) }

func (rt *Runtime) run(ctx context.Context) error {
	rt.mu.Lock()
	if rt.running {
		rt.mu.Unlock()
		return fmt.Errorf("a Runtime can be run once only: %w", connect.ErrIllegalState)
	}
	rt.running = true
	rt.mu.Unlock()
	defer rt.stage.set(stageStopped)
	var group sync.WaitGroup
	defer group.Wait()
	defer rt.reloads.stop()
	defer rt.unmeasure()
	end := sync.OnceFunc(func() { close(rt.ended) }) // it releases goroutines that have something for the loop
	defer end()                                      // before the wait for them

	k, err := rt.openKafka(ctx)
	if err != nil {
		return unlessStopped(ctx, err)
	}
	rt.kafka = k
	defer k.close()
	all := slices.Collect(maps.Values(rt.declaredNow()))
	if err := rt.checkDeclared(ctx, all); err != nil {
		return unlessStopped(ctx, err)
	}

	defer rt.store.Stop()
	defer end() // before the store stops: it may be telling of a change
	if err := k.startStores(ctx); err != nil {
		return unlessStopped(ctx, err)
	}
	defer rt.guests.wait()
	rt.rounds = rt.newRounds()
	rt.look(rt.store.Snapshot())
	rt.status.begin(rt.snapshot)
	rt.stage.set(stageJoining)
	rt.ready.Store(true)
	inside, leave := context.WithCancel(context.WithoutCancel(ctx)) // ends when the loop has
	defer leave()
	coordinated, declared := make(chan error, 1), make(chan error, 1)
	group.Go(func() { coordinated <- rt.coordinator.Run(inside, rt.member) })
	if _, alone := rt.coordinator.(*standalone); !alone {
		group.Go(func() { rt.distributeKeys(inside) })
	}
	if rt.cfg.StallAfter > 0 {
		group.Go(func() { rt.watchStalls(inside) })
	}
	declaring, undeclare := context.WithCancel(ctx) // ends with Run too: an instance that can't join declares nothing
	defer undeclare()
	group.Go(func() { declared <- rt.begin(declaring, all) })

	done := ctx.Done()
	for {
		select {
		case f := <-rt.events:
			f()
		case failed := <-coordinated:
			if failed == nil {
				failed = errors.New("the coordinator ended without having been asked to")
			}
			err = errors.Join(err, fmt.Errorf("membership in group %s: %w", rt.cfg.GroupID, failed))
			coordinated = nil
		case failed := <-declared:
			err = errors.Join(err, failed)
			declared = nil
		case <-done:
		}
		if (err != nil || ctx.Err() != nil) && !rt.stopping {
			rt.stopping, done = true, nil
			rt.stage.set(stageStopping)
			rt.guests.ask()
			rt.reassign()
		}
		if rt.stopping && rt.core.Idle() {
			if coordinated != nil {
				rt.handOver()
			}
			return errors.Join(err, rt.awaitAbandoned())
		}
	}
}

// handOverTimeout is how long an instance that leaves waits for the round that gives its work to others: they hear of it
// with a heartbeat, and with the next one if a round was under way when the instance began to leave.
func (rt *Runtime) handOverTimeout() time.Duration {
	return max(5*time.Second, 3*rt.settings.HeartbeatInterval)
}

// handOver lets the group know that the instance has stopped its work and leaves, and serves the loop until it does.
func (rt *Runtime) handOver() {
	if _, alone := rt.coordinator.(*standalone); alone {
		return
	}
	timeout := rt.handOverTimeout()
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	done := rt.member.drain()
	for {
		select {
		case f := <-rt.events:
			f()
		case <-done:
			return
		case <-timer.C:
			rt.log.Warn("the group did not take over the work of this instance in time", "timeout", timeout)
			return
		}
	}
}

// begin writes what was declared, once the instance has joined, and then lets requests in.
func (rt *Runtime) begin(ctx context.Context, all []*declared) error {
	select {
	case <-rt.joined:
	case <-ctx.Done():
		return nil
	}
	if err := rt.putDeclared(ctx, all); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	close(rt.started)
	return nil
}

// unlessStopped returns the error of a start, or nil if the start ended because Run was asked to stop. A deadline that
// has passed is an error: it says how long a start may take.
func unlessStopped(ctx context.Context, err error) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return nil
	}
	return err
}

func (rt *Runtime) declaredNow() map[string]*declared {
	rt.mu.Lock()
	defer rt.mu.Unlock()
	return maps.Clone(rt.declared)
}

// abandonedGrace is how much longer Run waits for calls that did not return within the grace period.
const abandonedGrace = time.Second

// awaitAbandoned waits a little for calls into connectors that did not return, and returns an error if they still don't.
func (rt *Runtime) awaitAbandoned() error {
	timer := time.NewTimer(abandonedGrace)
	defer timer.Stop()
	for i, ended := range rt.abandoned {
		select {
		case <-ended:
		case <-timer.C:
			return fmt.Errorf("%d calls into connectors have not returned (the log names them); their goroutines are left behind", len(rt.abandoned)-i)
		}
	}
	return nil
}

// do runs f on the loop and returns its error.
func (rt *Runtime) do(ctx context.Context, f func() error) error {
	select {
	case <-rt.started:
	case <-rt.ended:
	case <-ctx.Done():
		return fmt.Errorf("the runtime has not started: %w", context.Cause(ctx))
	}
	result := make(chan error, 1)
	select {
	case rt.events <- func() { result <- f() }:
		return <-result
	case <-rt.ended:
		return fmt.Errorf("the runtime has stopped: %w", connect.ErrIllegalState)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// post runs f on the loop some time. Connectors and tasks use it, which end before the loop does; what a task that was
// abandoned posts is dropped.
func (rt *Runtime) post(f func()) {
	select {
	case rt.events <- f:
	case <-rt.ended:
	}
}
