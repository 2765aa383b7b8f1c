//go:build synctests

package simulation

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/cluster"
	"github.com/gokconnect/connect/internal/kafkatest"
	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	sourceParts = 4 // partitions of the source
	outParts    = 3 // partitions of the topic between source and sink
	offsetParts = 2
	outTopic    = "out"
	offsetTopic = "sim-offsets"
)

// world is what one schedule happens to.
type world struct {
	t     testing.TB
	plan  plan
	k     *kafkatest.Cluster
	log   *slog.Logger
	begin time.Time

	mu         sync.Mutex
	rng        *rand.Rand // for what instances do; the schedule has its own
	instances  []*instance
	quiet      bool // nothing fails any more, and nobody waits
	lives      int  // of readers and sink tasks
	readers    map[string]*life
	superseded map[*life]struct{} // readers in whose place another has begun
	holders    map[int32]*life
	births     map[int]*life
	delivered  map[int32]map[int64]string // what the sink's target has, by partition and offset
	problems   []string
	leftBehind int // goroutines, for longer than Run
	overlaps   overlaps
	refusing   time.Time // until when commits are refused
	spins      int       // of clients
	trace      []string
}

// life is one reader of a source partition, or one sink task.
type life struct {
	id         int
	in         *instance
	partition  string
	superseded time.Time // when another reader of its partition began
	told       bool      // that it goes on
	putting    time.Time // since when a Put runs; zero if none does
	longPut    time.Time // when one ended last that ran for as long as its group waits
}

// overlaps count how often a sink task began with a partition that another had not closed.
type overlaps struct {
	put    int // because the other was in a call of Put
	commit int // because the other could not commit
	fault  int // because the other's instance was cut off, or frozen, a short time before
}

// instance is one of the runtimes.
type instance struct {
	*cluster.Runtime
	name   string
	link   *kafkatest.Link
	cancel context.CancelFunc
	ended  chan struct{}
	err    error
	killed bool // guarded by the world's lock
	// faulted: it was cut off or frozen, so that others may take over while a call into one of its sink tasks goes on.
	faulted bool
	trouble time.Time // until when it is, or was, cut off or frozen
	gone    bool      // stopped or killed; the schedule's own
}

func newWorld(t testing.TB, p plan) *world {
	w := &world{
		t: t, plan: p, k: kafkatest.New(t, kafkatest.Brokers(3)), begin: time.Now(), rng: rand.New(rand.NewPCG(p.seed, 2)),
		readers: map[string]*life{}, superseded: map[*life]struct{}{}, holders: map[int32]*life{}, births: map[int]*life{}, delivered: map[int32]map[int64]string{},
	}
	w.log = slog.New(&recorder{w: w})
	w.stopSpinning()
	// The brokers' time says in which order things arrived.
	w.k.MustCreateTopic(outTopic, outParts, "message.timestamp.type", "LogAppendTime")
	w.k.MustCreateTopic(offsetTopic, offsetParts, "cleanup.policy", "compact", "message.timestamp.type", "LogAppendTime")
	return w
}

func (w *world) problem(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.problemLocked(format, args...)
}

func (w *world) problemLocked(format string, args ...any) {
	text := fmt.Sprintf("%v: ", time.Since(w.begin)) + fmt.Sprintf(format, args...)
	if len(w.problems) < 20 && !slices.Contains(w.problems, text) {
		w.problems = append(w.problems, text)
		w.trace = append(w.trace, "PROBLEM "+text)
	}
}

func (w *world) note(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.trace = append(w.trace, fmt.Sprintf("%v: ", time.Since(w.begin))+fmt.Sprintf(format, args...))
}

// recorder keeps what the runtimes log, for failures.
type recorder struct {
	w     *world
	attrs string
}

func (r *recorder) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelInfo }
func (r *recorder) Handle(_ context.Context, rec slog.Record) error {
	var b strings.Builder
	rec.Attrs(func(a slog.Attr) bool { fmt.Fprintf(&b, " %s=%v", a.Key, a.Value); return true })
	r.w.note("  log %s%s%s", rec.Message, r.attrs, b.String())
	return nil
}
func (r *recorder) WithAttrs(attrs []slog.Attr) slog.Handler {
	text := r.attrs
	for _, a := range attrs {
		text += fmt.Sprintf(" %s=%v", a.Key, a.Value)
	}
	return &recorder{r.w, text}
}
func (r *recorder) WithGroup(string) slog.Handler { return r }

// start starts an instance.
func (w *world) start() *instance {
	i := &instance{name: fmt.Sprintf("i%d", len(w.instances)), link: w.k.NewLink(), ended: make(chan struct{})}
	reg := new(connect.Registry).MustAdd(
		connect.SourcePlugin{PluginInfo: connect.PluginInfo{Class: "sim.Source", Version: "1"}, New: func() connect.SourceConnector { return w.source(i) }},
		connect.SinkPlugin{PluginInfo: connect.PluginInfo{Class: "sim.Sink", Version: "1"}, New: func() connect.SinkConnector { return &sink{w: w, in: i} }},
	)
	rt, err := cluster.New(cluster.Config{
		Brokers: w.k.Addrs(), GroupID: "sim", Client: i.link.ClientOpts(), Worker: w.plan.worker, Plugins: reg, Logger: w.log.With("instance", i.name),
		Restart: cluster.RestartPolicy{Max: 1000, First: 100 * time.Millisecond, Limit: 5 * time.Second},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	i.Runtime = rt
	var ctx context.Context
	ctx, i.cancel = context.WithCancel(context.Background())
	w.mu.Lock()
	w.instances = append(w.instances, i)
	w.mu.Unlock()
	go func() {
		defer close(i.ended)
		i.err = rt.Run(ctx)
		w.mu.Lock()
		killed := i.killed
		w.mu.Unlock()
		switch {
		case i.err == nil || killed:
		case strings.Contains(i.err.Error(), "have not returned"):
			// A consumer that leaves its group first waits for the round that is under way, and that waits for members
			// that are cut off or frozen; the Kafka in memory never answers it.
			w.mu.Lock()
			w.leftBehind++
			w.mu.Unlock()
		default:
			w.problem("%s: Run returned %v", i.name, i.err)
		}
	}()
	return i
}

// fault notes that an instance is cut off or frozen for so long.
func (w *world) fault(i *instance, lasts time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	i.faulted = true
	if end := time.Now().Add(lasts); end.After(i.trouble) {
		i.trouble = end
	}
}

// kill is kill -9: nothing arrives any more, and what its connectors do does not count.
func (w *world) kill(i *instance) {
	w.mu.Lock()
	i.killed, i.gone = true, true
	w.mu.Unlock()
	i.link.Cut()
	i.cancel()
}

func (w *world) live() (live []*instance) {
	for _, i := range w.instances {
		if !i.gone {
			live = append(live, i)
		}
	}
	return live
}

// chance is true once in n times, unless nothing is to fail any more.
func (w *world) chance(n int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return !w.quiet && w.rng.IntN(n) == 0
}

// upTo returns a random duration, or none if nobody is to wait any more.
func (w *world) upTo(d time.Duration) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.quiet {
		return 0
	}
	return time.Duration(w.rng.Int64N(int64(d)))
}

func (w *world) records(topic string) []*kgo.Record { return w.k.Records(topic) }
