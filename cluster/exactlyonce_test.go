package cluster_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/cluster"
	"github.com/gokconnect/connect/internal/kafkatest"
	"github.com/gokconnect/connect/offsets"
)

func exactlyOnce(more ...string) connect.Config {
	cfg := connect.Config{"exactly.once.source.support": "enabled", "scheduled.rebalance.max.delay.ms": "0", "status.storage.partitions": "1", "offset.storage.partitions": "1"}
	for pair := range slices.Chunk(more, 2) {
		cfg[pair[0]] = pair[1]
	}
	return cfg
}

// wantOnce reports numbers that a reader of committed records sees twice, out of order, or not at all, by key.
func wantOnce(t *testing.T, k *kafkatest.Cluster, topic string, least int) {
	t.Helper()
	last := map[string]int{}
	for _, r := range k.Records(topic) {
		n, err := strconv.Atoi(string(r.Value))
		if err != nil || n != last[string(r.Key)]+1 {
			t.Errorf("partition %d offset %d: %s: %s follows %d", r.Partition, r.Offset, r.Key, r.Value, last[string(r.Key)])
		}
		last[string(r.Key)] = n
	}
	for key, n := range last {
		if n < least {
			t.Errorf("%s: only %d records", key, n)
		}
	}
	if len(last) == 0 {
		t.Error("no records")
	}
}

// fencing returns the values of a connector's records about fencing, with the commits of its tasks between them.
func fencing(k *kafkatest.Cluster, connector string) (out []string) {
	for _, r := range k.Records("test-configs") {
		if key := string(r.Key); key == "commit-"+connector || key == "tasks-fencing-"+connector {
			out = append(out, string(r.Value))
		}
	}
	return out
}

// TestExactlyOnceMoves: tasks that move as instances come, leave and are cut off deliver every record once, be the instances
// reachable for one another or not.
func TestExactlyOnceMoves(t *testing.T) {
	for _, boundary := range []string{"poll", "interval"} {
		t.Run(boundary, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := kafkatest.New(t, kafkatest.Brokers(3))
				k.MustCreateTopic("parts", 3)
				o := &owners{owner: map[string]string{}}
				start := func(name string) *instance {
					return startInstance(t, k, name, exactlyOnce(), cluster.Source{Name: "src", Connector: o.parts(t, name, 4), Tasks: 4,
						Config: connect.Config{"transaction.boundary": boundary, "transaction.boundary.interval.ms": "1000"}})
				}
				a := start("a")
				time.Sleep(10 * time.Second)
				start("b")
				time.Sleep(15 * time.Second)
				c := start("c")
				time.Sleep(15 * time.Second)
				if err := a.stop(); err != nil {
					t.Error(err)
				}
				time.Sleep(15 * time.Second)
				c.link.Cut()
				time.Sleep(60 * time.Second)
				c.link.Heal()
				time.Sleep(30 * time.Second)
				wantOnce(t, k, "parts", 800)
			})
		})
	}
}

// TestExactlyOnceFencing: each generation of tasks is preceded by a round of fencing that is on record.
func TestExactlyOnceFencing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := kafkatest.New(t)
		k.MustCreateTopic("parts", 1)
		o := &owners{owner: map[string]string{}}
		i := startInstance(t, k, "a", exactlyOnce(), cluster.Source{Name: "src", Connector: o.parts(t, "a", 4), Tasks: 2})
		time.Sleep(10 * time.Second)
		for _, tasks := range []string{"4", "1"} {
			if err := i.PatchConnector(t.Context(), "src", map[string]*string{"tasks.max": &tasks}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(10 * time.Second)
		}
		if err := i.Stop(t.Context(), "src"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		if err := i.AlterOffsets(t.Context(), "src", nil); err != nil { // even if nothing is altered
			t.Fatal(err)
		}
		want := []string{`{"tasks":2}`, `{"task-count":2}`, `{"tasks":4}`, `{"task-count":4}`, `{"tasks":1}`, `{"task-count":1}`, `{"tasks":0}`, `{"task-count":0}`}
		if got := fencing(k, "src"); !slices.Equal(got, want) {
			t.Errorf("got %q\nwant %q", got, want)
		}
		wantOnce(t, k, "parts", 100)
	})
}

// TestExactlyOnceAlteredOffsets: offsets are altered in a transaction, and the next run goes on from them.
func TestExactlyOnceAlteredOffsets(t *testing.T) {
	for _, own := range []string{"", "own-offsets"} {
		t.Run("topic "+own, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := kafkatest.New(t)
				k.MustCreateTopic("parts", 1)
				o := &owners{owner: map[string]string{}}
				cfg := connect.Config{}
				if own != "" {
					cfg["offsets.storage.topic"] = own
				}
				i := startInstance(t, k, "a", exactlyOnce(), cluster.Source{Name: "src", Connector: o.parts(t, "a", 1), Config: cfg})
				time.Sleep(10 * time.Second)
				if err := i.Stop(t.Context(), "src"); err != nil {
					t.Fatal(err)
				}
				time.Sleep(5 * time.Second)
				stored, err := i.Offsets(t.Context(), "src")
				if err != nil || len(stored) != 1 {
					t.Fatalf("%v %v", stored, err)
				}
				var field string
				for field = range maps.Keys(stored[0].Offset) {
				}
				stored[0].Offset = connect.Fields{field: int64(5000)}
				if err := i.AlterOffsets(t.Context(), "src", stored); err != nil {
					t.Fatal(err)
				}
				if err := i.Resume(t.Context(), "src"); err != nil {
					t.Fatal(err)
				}
				time.Sleep(10 * time.Second)
				values := k.Texts("parts")
				at := slices.Index(values, "p0=5001")
				if at < 1 || !slices.Contains(values, "p0=5050") || strings.HasPrefix(values[at-1], "p0=5") && len(values[at-1]) == 7 {
					t.Errorf("%v", values)
				}
			})
		})
	}
}

// TestExactlyOnceNeeds: what can't deliver exactly once is refused before anything runs.
func TestExactlyOnceNeeds(t *testing.T) {
	for want, cfg := range map[string]cluster.Config{
		"Offsets must be nil":                {Offsets: new(offsets.Memory)},
		"Coordinator must not be Standalone": {Coordinator: cluster.Standalone()},
	} {
		cfg.Brokers, cfg.GroupID, cfg.Worker = []string{"localhost:9092"}, "test", exactlyOnce()
		if _, err := cluster.New(cfg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// txSource commits and aborts by itself: it counts, and aborts what is divisible by three.
type txSource struct {
	connect.SourceTask
	tc connect.SourceTaskContext
	n  int64
}

func (s *txSource) Start(ctx context.Context, tc connect.SourceTaskContext, _ connect.Config) error {
	s.tc = tc
	found, err := tc.Offsets().Offset(ctx, connect.Fields{"p": "x"})
	if n, ok := found["n"].(int64); ok {
		s.n = n
	}
	return err
}

func (s *txSource) Poll(ctx context.Context) ([]connect.SourceRecord, error) {
	select {
	case <-time.After(100 * time.Millisecond):
	case <-ctx.Done():
		return nil, nil
	}
	s.n++
	if s.n%3 == 0 {
		s.tc.Transactions().AbortBatch()
	} else {
		s.tc.Transactions().CommitBatch()
	}
	return []connect.SourceRecord{{Record: connect.Record{Topic: "tx", Value: fmt.Sprint(s.n)}, SourcePartition: connect.Fields{"p": "x"}, SourceOffset: connect.Fields{"n": s.n}}}, nil
}

func (s *txSource) Stop(context.Context) error { return nil }

type txConnector struct{}

func (txConnector) Start(context.Context, connect.ConnectorContext, connect.Config) error { return nil }
func (txConnector) TaskConfigs(context.Context, int) ([]connect.Config, error) {
	return []connect.Config{{}}, nil
}
func (txConnector) Stop(context.Context) error                                  { return nil }
func (txConnector) NewTask() connect.SourceTask                                 { return &txSource{} }
func (txConnector) CanDefineTransactionBoundaries(connect.Config) (bool, error) { return true, nil }
func (txConnector) ExactlyOnceSupport(connect.Config) (connect.ExactlyOnceSupport, error) {
	return connect.ExactlyOnceSupported, nil
}

func TestExactlyOnceConnectorBoundary(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := kafkatest.New(t)
		k.MustCreateTopic("tx", 1)
		start := func(name string) *instance {
			return startInstance(t, k, name, exactlyOnce(), cluster.Source{Name: "src", Connector: txConnector{},
				Config: connect.Config{"transaction.boundary": "connector", "exactly.once.support": "required"}})
		}
		a := start("a")
		time.Sleep(5 * time.Second)
		if err := a.stop(); err != nil {
			t.Error(err)
		}
		start("b")
		time.Sleep(5 * time.Second)
		n := 0
		for _, r := range k.Records("tx") {
			if n++; n%3 == 0 {
				n++
			}
			if string(r.Value) != fmt.Sprint(n) {
				t.Fatalf("%s, want %d", r.Value, n)
			}
		}
		if n < 60 {
			t.Errorf("only %d records", n)
		}
	})
}

// TestExactlyOnceTroubledBrokers: partitions change their leaders, groups and transactions their coordinators, and connections
// break, again and again while transactions are open and being committed.
func TestExactlyOnceTroubledBrokers(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := kafkatest.New(t, kafkatest.Brokers(3))
				k.MustCreateTopic("parts", 3)
				random := rand.New(rand.NewPCG(seed, 0))
				o := &owners{owner: map[string]string{}}
				var instances []*instance
				for _, name := range []string{"a", "b"} {
					instances = append(instances, startInstance(t, k, name, exactlyOnce(), cluster.Source{Name: "src", Connector: o.parts(t, name, 4), Tasks: 4,
						Config: connect.Config{"transaction.boundary": []string{"poll", "interval"}[seed%2], "transaction.boundary.interval.ms": "700"}}))
				}
				time.Sleep(10 * time.Second)
				for range 60 {
					time.Sleep(time.Duration(random.IntN(2000)) * time.Millisecond)
					switch random.IntN(3) {
					case 0:
						k.ShufflePartitionLeaders()
					case 1:
						k.RehashCoordinators()
					case 2:
						instances[random.IntN(2)].link.Drop()
					}
				}
				time.Sleep(2 * time.Minute)
				wantOnce(t, k, "parts", 800)
			})
		})
	}
}

// TestExactlyOnceStart: instances that start together all write what is declared, and take the right to from each other. None
// ends because of that, and all gets to run.
func TestExactlyOnceStart(t *testing.T) {
	for seed := range 4 {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := kafkatest.New(t, kafkatest.Brokers(3))
				k.MustCreateTopic("parts", 1)
				var all []*instance
				for _, name := range []string{"a", "b", "c"} {
					var sources []cluster.Declaration
					for n := range 5 {
						o := &owners{owner: map[string]string{}}
						// Some agree on the configuration, some don't.
						cfg := connect.Config{"errors.log.enable": fmt.Sprint(n%2 == 0 && name == "a")}
						sources = append(sources, cluster.Source{Name: fmt.Sprint("src", n), Connector: o.parts(t, name, 1), Config: cfg})
					}
					all = append(all, startInstance(t, k, name, exactlyOnce(), sources...))
				}
				time.Sleep(30 * time.Second)
				for _, i := range all {
					for n := range 5 {
						await(t, i.Runtime, fmt.Sprint("src", n), cluster.Running, cluster.Running)
					}
				}
				for _, i := range all {
					if err := i.stop(); err != nil {
						t.Errorf("%s: %v", i.name, err)
					}
				}
			})
		})
	}
}
