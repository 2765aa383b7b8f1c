package kafkatest

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/cluster"
	"github.com/gokconnect/connect/internal/kafkatest"
)

// ClusterTimeout is how long the methods of a [Cluster] wait for something that should happen, before they fail the
// test. It is longer than the five minutes after which work of an instance that died moves. Inside [testing/synctest] it
// costs no time.
const ClusterTimeout = 20 * time.Minute

// Cluster is several instances of a service in one process, which share the work as copies of a service in several
// processes do: by membership in a group of the Kafka in memory. Its methods fail the test in place of returning an
// error, so they must be called on the test's goroutine.
//
//	func TestFailOver(t *testing.T) {
//		synctest.Test(t, func(t *testing.T) {
//			c := kafkatest.NewCluster(t, 3, cluster.Source{Name: "orders", Connector: orders.New(db), Topic: "orders"})
//			c.Kill(c.Owner("orders", 0))
//			c.AwaitRunning("orders")
//		})
//	}
type Cluster struct {
	*Kafka
	cfg          cluster.Config
	declarations []cluster.Declaration

	mu        sync.Mutex
	instances []*Instance // all there ever were
}

// Instance is one of the instances of a [Cluster].
type Instance struct {
	// Name is "instance-0" for the first one, and so on. A name is not used again.
	Name string
	// Runtime is the instance itself, for its admin methods. It is run by the cluster.
	Runtime *cluster.Runtime

	link   *kafkatest.Link
	cancel context.CancelFunc
	ended  chan struct{}
	err    error // once ended is closed

	mu          sync.Mutex
	dead        bool // killed, or stopped
	killed      bool
	paused      bool
	partitioned bool
}

// NewCluster starts a Kafka in memory and n instances with the declared connectors. See [Kafka.Cluster] for one with a
// configuration.
func NewCluster(t testing.TB, n int, declarations ...cluster.Declaration) *Cluster {
	t.Helper()
	return New(t).Cluster(n, cluster.Config{}, declarations...)
}

// Cluster starts n instances with the declared connectors, waits until all are members of one group, and stops them when
// the test ends: those that were not killed have to end without an error. What cfg says of Kafka, URL and Peers are set;
// GroupID and Logger are if they are not. The instances forward requests to each other without a network.
func (k *Kafka) Cluster(n int, cfg cluster.Config, declarations ...cluster.Declaration) *Cluster {
	k.t.Helper()
	c := &Cluster{Kafka: k, cfg: cfg, declarations: declarations}
	for range n {
		c.launch(c.declarations)
	}
	for _, i := range c.Instances() {
		c.joined(i)
	}
	return c
}

// Instances returns those that run, in the order in which they were started; those that are paused or partitioned too.
func (c *Cluster) Instances() []*Instance {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(c.instances), (*Instance).gone)
}

// Start starts one more instance, and returns it when it is a member of the group.
func (c *Cluster) Start() *Instance {
	c.t.Helper()
	i := c.launch(c.declarations)
	c.joined(i)
	return i
}

func (c *Cluster) launch(declarations []cluster.Declaration) *Instance {
	c.t.Helper()
	c.mu.Lock()
	i := &Instance{Name: fmt.Sprintf("instance-%d", len(c.instances)), link: c.c.NewLink(), ended: make(chan struct{})}
	c.instances = append(c.instances, i)
	c.mu.Unlock()
	cfg := c.cfg
	cfg.Brokers, cfg.Client = c.Brokers(), slices.Concat(cfg.Client, i.link.ClientOpts())
	cfg.GroupID = cmp.Or(cfg.GroupID, "test")
	// A fetch is answered at once when there is something: asking rarely makes hours cheap.
	worker := connect.Config{"fetch.max.wait.ms": "60000", "consumer.fetch.max.wait.ms": "20000"}
	maps.Copy(worker, cfg.Worker)
	cfg.Worker = worker
	cfg.URL, cfg.Peers = "http://"+i.Name+":8083/", peers{c, i}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.NewTextHandler(c.t.Output(), nil))
	}
	cfg.Logger = cfg.Logger.With("instance", i.Name)
	var err error
	if i.Runtime, err = cluster.New(cfg); err == nil {
		err = i.Runtime.Add(declarations...)
	}
	if err != nil {
		c.t.Fatal(err)
	}
	var ctx context.Context
	ctx, i.cancel = context.WithCancel(context.WithoutCancel(c.t.Context()))
	go func() {
		defer close(i.ended)
		i.err = i.Runtime.Run(ctx)
	}()
	c.t.Cleanup(func() { c.end(i) })
	return i
}

// joined waits until an instance is a member.
func (c *Cluster) joined(i *Instance) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), ClusterTimeout)
	defer cancel()
	if _, err := i.Runtime.Connectors(ctx); err != nil {
		c.t.Fatalf("%s did not become a member of the group: %v", i.Name, err)
	}
}

// end stops an instance and waits for it.
func (c *Cluster) end(i *Instance) {
	i.mu.Lock()
	killed, paused := i.killed, i.paused
	i.dead, i.paused = true, false
	i.mu.Unlock()
	if paused {
		i.link.Thaw()
	}
	i.cancel()
	<-i.ended
	if i.err != nil && !killed {
		c.t.Errorf("%s: Runtime.Run: %v", i.Name, i.err)
	}
}

// Stop stops an instance as a deploy does: it finishes what it has begun, hands its work over, and leaves.
func (c *Cluster) Stop(i *Instance) {
	c.t.Helper()
	c.end(i)
}

// Kill ends an instance as kill -9 does, as far as others can see: from now on nothing that it sends arrives anywhere,
// and its group hears of it when its session has ended. Within this process its connectors are told to stop, since their
// goroutines have to end.
func (c *Cluster) Kill(i *Instance) {
	i.mu.Lock()
	i.dead, i.killed = true, true
	i.mu.Unlock()
	i.link.Cut()
	i.cancel()
}

// Pause freezes an instance, as others see it: nothing that it sends arrives, nothing that is sent to it does, and no
// connection breaks. Its own clock goes on, other than that of a process that is stopped.
func (c *Cluster) Pause(i *Instance) { i.set(&i.paused, true, i.link.Freeze) }

// Resume ends Pause. What was held back goes on.
func (c *Cluster) Resume(i *Instance) { i.set(&i.paused, false, i.link.Thaw) }

// Partition cuts an instance off from Kafka: its connections break, and it gets no new ones. Other instances reach it.
func (c *Cluster) Partition(i *Instance) { i.set(&i.partitioned, true, i.link.Cut) }

// Heal ends Partition.
func (c *Cluster) Heal(i *Instance) { i.set(&i.partitioned, false, i.link.Heal) }

func (i *Instance) set(what *bool, to bool, do func()) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.killed {
		return // it stays dead
	}
	*what = to
	do()
}

// gone reports whether an instance was killed or stopped.
func (i *Instance) gone() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.dead
}

// well reports whether an instance runs and can be reached.
func (i *Instance) well() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return !i.dead && !i.paused && !i.partitioned
}

// Deploy replaces all instances, one after the other, by ones with other declarations: as a rolling deploy does, that
// starts a new instance, waits until it is a member, and stops an old one. Start then uses the new declarations.
func (c *Cluster) Deploy(declarations ...cluster.Declaration) {
	c.t.Helper()
	c.declarations = declarations
	for _, old := range c.Instances() {
		c.Start()
		c.Stop(old)
	}
}

// Advance lets time pass: inside [testing/synctest], hours of it in no time.
func (c *Cluster) Advance(d time.Duration) { <-time.After(d) }

// Owner returns the instance that runs a task. It waits until one does that is reachable and not paused.
func (c *Cluster) Owner(connector string, task int) (owner *Instance) {
	c.t.Helper()
	c.until(fmt.Sprintf("task %s-%d runs", connector, task), func() bool {
		s, _ := c.status(connector)
		for _, t := range s.Tasks {
			if t.ID.Task == task && t.State == cluster.Running {
				owner = c.at(t.Worker)
			}
		}
		return owner != nil
	})
	return owner
}

// AwaitRunning waits until connectors and all of their tasks run, on instances that are reachable and not paused.
func (c *Cluster) AwaitRunning(connectors ...string) {
	c.t.Helper()
	for _, name := range connectors {
		var s cluster.ConnectorStatus
		describe := func() string { return fmt.Sprintf("connector %s and all its tasks run; it is %+v", name, s) }
		c.untilDescribed(describe, func() bool {
			var tasks int
			s, tasks = c.status(name)
			if tasks == 0 || len(s.Tasks) != tasks || s.State != cluster.Running || c.at(s.Worker) == nil {
				return false
			}
			return !slices.ContainsFunc(s.Tasks, func(t cluster.TaskStatus) bool { return t.State != cluster.Running || c.at(t.Worker) == nil })
		})
	}
}

// status returns what the first reachable instance knows of a connector, and how many tasks it is to have.
func (c *Cluster) status(connector string) (s cluster.ConnectorStatus, tasks int) {
	for _, i := range c.Instances() {
		if !i.well() {
			continue
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		configs, err := i.Runtime.Tasks(ctx, connector)
		if err == nil {
			s, err = i.Runtime.Status(ctx, connector)
		}
		cancel()
		if err == nil {
			return s, len(configs)
		}
	}
	return s, 0
}

// at returns the instance of an address, if it is well.
func (c *Cluster) at(address string) *Instance {
	if u, err := url.Parse("http://" + strings.TrimPrefix(address, "http://")); err == nil {
		for _, i := range c.Instances() {
			if i.Name == u.Hostname() && i.well() {
				return i
			}
		}
	}
	return nil
}

// until waits for a condition.
func (c *Cluster) until(what string, condition func() bool) {
	c.t.Helper()
	c.untilDescribed(func() string { return what }, condition)
}

func (c *Cluster) untilDescribed(what func() string, condition func() bool) {
	c.t.Helper()
	pause := 50 * time.Millisecond
	for end := time.Now().Add(ClusterTimeout); !condition(); c.Advance(pause) {
		pause = min(pause+pause/10, 2*time.Second)
		if time.Now().After(end) {
			c.t.Fatalf("not within %v: %s", ClusterTimeout, what())
		}
	}
}
