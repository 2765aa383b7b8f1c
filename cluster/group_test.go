package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/cluster"
	"github.com/gokconnect/connect/internal/kafkatest"
)

// instance is one of several runtimes of a group.
type instance struct {
	*cluster.Runtime
	link  *kafkatest.Link
	stop  func() error
	ended <-chan error // what Run returns
	name  string
}

// startInstance starts a runtime with connections of its own.
func startInstance(t *testing.T, k *kafkatest.Cluster, name string, worker connect.Config, declarations ...cluster.Declaration) *instance {
	t.Helper()
	return startConfigured(t, k, name, cluster.Config{Worker: worker}, declarations...)
}

// startConfigured is startInstance with more of a configuration than the worker's.
func startConfigured(t *testing.T, k *kafkatest.Cluster, name string, cfg cluster.Config, declarations ...cluster.Declaration) *instance {
	t.Helper()
	link := k.NewLink()
	cfg.Brokers, cfg.GroupID, cfg.Client = k.Addrs(), "test", append(link.ClientOpts(), cfg.Client...)
	cfg.Logger = slog.New(slog.NewTextHandler(testWriter{t}, nil)).With("instance", name)
	rt, err := cluster.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := rt.Add(declarations...); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- rt.Run(ctx); close(done) }()
	i := &instance{Runtime: rt, link: link, ended: done, name: name}
	i.stop = sync.OnceValue(func() error { cancel(); return <-done })
	t.Cleanup(func() { _ = i.stop() })
	return i
}

// owners tracks which instance runs the readers of a partitioned source: two at once is a bug.
type owners struct {
	mu    sync.Mutex
	owner map[string]string
	moves []string
}

// parts is a source of n partitions, each of which counts up, ten numbers a second.
func (o *owners) parts(t *testing.T, instance string, n int) connect.SourceConnector {
	return &connect.Partitioned[string, int64]{
		Topic: "parts",
		Partitions: func(context.Context) (names []string, _ error) {
			for i := range n {
				names = append(names, "p"+strconv.Itoa(i))
			}
			return names, nil
		},
		Read: func(ctx context.Context, p string, from *int64) iter.Seq2[connect.Emit[int64], error] {
			return func(yield func(connect.Emit[int64], error) bool) {
				o.mu.Lock()
				if other := o.owner[p]; other != "" {
					t.Errorf("partition %s is read by %s while %s still does", p, instance, other)
				}
				o.owner[p] = instance
				o.moves = append(o.moves, p+"@"+instance)
				o.mu.Unlock()
				defer func() {
					o.mu.Lock()
					o.owner[p] = ""
					o.mu.Unlock()
				}()
				var n int64
				if from != nil {
					n = *from
				}
				for {
					select {
					case <-time.After(100 * time.Millisecond):
					case <-ctx.Done():
						return
					}
					n++
					if !yield(connect.Emit[int64]{Record: connect.Record{Key: p, Value: fmt.Sprint(n)}, Offset: n}, nil) {
						return
					}
				}
			}
		},
	}
}

func (o *owners) by(instance string) (n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, i := range o.owner {
		if i == instance {
			n++
		}
	}
	return n
}

// wantParts checks that every partition counts up without a gap; a number may come again after a crash.
func wantParts(t *testing.T, k *kafkatest.Cluster, parts, least int, again bool) {
	t.Helper()
	last := make(map[string]int)
	for _, text := range k.Texts("parts") {
		p, value, _ := strings.Cut(text, "=")
		n, err := strconv.Atoi(value)
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case n == last[p]+1:
			last[p] = n
		case n <= last[p] && again:
		default:
			t.Fatalf("partition %s: %d after %d", p, n, last[p])
		}
	}
	if len(last) != parts {
		t.Errorf("records of %d partitions, want %d", len(last), parts)
	}
	for p, n := range last {
		if n < least {
			t.Errorf("partition %s: %d records, want at least %d", p, n, least)
		}
	}
}

// longestGap returns the longest time between two records of a partition, after the first so much of the test.
func longestGap(t *testing.T, k *kafkatest.Cluster, after time.Duration) (longest time.Duration) {
	t.Helper()
	records := k.Records("parts")
	last := make(map[string]time.Time)
	for _, r := range records {
		p := string(r.Key)
		if at, ok := last[p]; ok && at.Sub(records[0].Timestamp) > after {
			longest = max(longest, r.Timestamp.Sub(at))
		}
		last[p] = r.Timestamp
	}
	return longest
}

// TestHandOver: the work spreads over three instances, and moves at once when one of them leaves, with nothing lost and
// nothing twice.
func TestHandOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := kafkatest.New(t)
		k.MustCreateTopic("parts", 1)
		o := &owners{owner: make(map[string]string)}
		var all []*instance
		for _, name := range []string{"a", "b", "c"} {
			all = append(all, startInstance(t, k, name, connect.Config{"offset.flush.interval.ms": "1000"},
				cluster.Source{Name: "s", Connector: o.parts(t, name, 6), Tasks: 6, Key: connect.StringConverter{}}))
			time.Sleep(10 * time.Second)
		}
		time.Sleep(20 * time.Second)
		for _, i := range all {
			if n := o.by(i.name); n != 2 {
				t.Errorf("%s has %d of 6 partitions, want 2", i.name, n)
			}
		}
		for _, i := range all {
			run := cluster.Running // every instance knows of every task
			await(t, i.Runtime, "s", run, run, run, run, run, run, run)
		}
		before := len(k.Texts("parts"))
		time.Sleep(1200 * time.Millisecond) // somewhere between two heartbeats
		if err := all[0].stop(); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Second) // their heartbeats are 3 s apart, and don't wait
		if b, c := o.by("b"), o.by("c"); b+c != 6 || b != 3 {
			t.Errorf("after a left, b has %d partitions and c %d, want 3 and 3", b, c)
		}
		time.Sleep(10 * time.Second)
		if after := len(k.Texts("parts")); after-before < 6*100 {
			t.Errorf("%d records in 12 s around the hand-over, want about 700", after-before)
		}
		if gap := longestGap(t, k, 5*time.Second); gap > time.Second {
			t.Errorf("a partition stood still for %v while instances came and left", gap)
		} else {
			t.Logf("no partition stood still for more than %v", gap)
		}
		for n, i := range all[1:] {
			if err := i.stop(); err != nil {
				t.Error(err)
			}
			if n == 0 {
				time.Sleep(10*time.Second + 700*time.Millisecond)
			}
		}
		if gap := longestGap(t, k, 5*time.Second); gap > time.Second { // with that of an instance without a connector
			t.Errorf("a partition stood still for %v while instances left", gap)
		}
		wantParts(t, k, 6, 200, false)
		t.Log(slices.Clone(o.moves))
	})
}

// TestCrash: the work of an instance that is cut off is taken over when its session and the delay are over, and it does not
// go on with it.
func TestCrash(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := kafkatest.New(t)
		k.MustCreateTopic("parts", 1)
		o := &owners{owner: make(map[string]string)}
		worker := connect.Config{"offset.flush.interval.ms": "1000", "scheduled.rebalance.max.delay.ms": "60000"}
		var all []*instance
		for _, name := range []string{"a", "b", "c"} {
			all = append(all, startInstance(t, k, name, worker,
				cluster.Source{Name: "s", Connector: o.parts(t, name, 6), Tasks: 6, Key: connect.StringConverter{}}))
			time.Sleep(10 * time.Second)
		}
		time.Sleep(20 * time.Second)
		all[1].link.Cut()
		time.Sleep(30 * time.Second)
		if n := o.by("b"); n != 0 {
			t.Errorf("b was cut off half a minute ago and still reads %d partitions", n)
		}
		time.Sleep(2 * time.Minute)
		if a, c := o.by("a"), o.by("c"); a+c != 6 {
			t.Errorf("a has %d partitions and c %d, want 6 together", a, c)
		}
		all[1].link.Heal()
		time.Sleep(2 * time.Minute)
		for _, i := range all {
			if n := o.by(i.name); n != 2 {
				t.Errorf("%s has %d of 6 partitions, want 2", i.name, n)
			}
		}
		for _, i := range all {
			if err := i.stop(); err != nil {
				t.Error(err)
			}
		}
		wantParts(t, k, 6, 500, true)
	})
}

// failingCoordinator can't be a member.
type failingCoordinator struct{ err error }

func (c failingCoordinator) Run(context.Context, cluster.Member) error { return c.err }
func (failingCoordinator) Rejoin(string)                               {}
func (failingCoordinator) Leave(string)                                {}

// TestMembershipImpossible: Run returns, with the reason, when the instance can't join.
func TestMembershipImpossible(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := kafkatest.New(t)
		foreign := errors.New("it is in use by a group of another type")
		rt, err := cluster.New(cluster.Config{Brokers: k.Addrs(), Client: k.ClientOpts(), GroupID: "test", Coordinator: failingCoordinator{foreign}})
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() { done <- rt.Run(t.Context()) }()
		select {
		case err := <-done:
			if !errors.Is(err, foreign) {
				t.Errorf("Run returned %v, want the coordinator's error", err)
			}
		case <-time.After(time.Minute):
			t.Fatal("Run does not return")
		}
	})
}
