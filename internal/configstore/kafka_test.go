package configstore_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/configstore"
	"github.com/gokconnect/connect/internal/herder"
	"github.com/gokconnect/connect/internal/kafkalog"
	"github.com/gokconnect/connect/internal/kafkatest"
)

// instance is a store with what it told.
type instance struct {
	*configstore.Kafka
	link *kafkatest.Link

	mu     sync.Mutex
	events []string
	errors []error
}

func newInstance(t *testing.T, c *kafkatest.Cluster, change ...func(*configstore.KafkaConfig)) *instance {
	t.Helper()
	i := &instance{link: c.NewLink()}
	cfg := configstore.KafkaConfig{
		Topic: kafkalog.Topic{Name: "configs", ReplicationFactor: -1}, Client: i.link.ClientOpts(),
		OnEvent: func(e configstore.Event) {
			i.mu.Lock()
			defer i.mu.Unlock()
			i.events = append(i.events, fmt.Sprintf("%T%v", e, e)[len("configstore."):])
		},
		OnError: func(err error) {
			i.mu.Lock()
			defer i.mu.Unlock()
			i.errors = append(i.errors, err)
		},
	}
	for _, f := range change {
		f(&cfg)
	}
	i.Kafka = configstore.NewKafka(cfg)
	return i
}

func start(t *testing.T, c *kafkatest.Cluster, change ...func(*configstore.KafkaConfig)) *instance {
	t.Helper()
	i := newInstance(t, c, change...)
	if err := i.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(i.Stop)
	return i
}

// leads makes the leader write in transactions.
func leads(c *kafkatest.Cluster) func(*configstore.KafkaConfig) {
	return func(cfg *configstore.KafkaConfig) {
		cfg.Leader = append(c.ClientOpts(), kgo.TransactionalID("connect-cluster-g"))
		cfg.ReadCommitted = true
	}
}

func (i *instance) told(t *testing.T, want ...string) {
	t.Helper()
	i.mu.Lock()
	defer i.mu.Unlock()
	if !slices.Equal(i.events, want) {
		t.Errorf("told %q, want %q", i.events, want)
	}
}

func config(pairs ...string) configstore.Properties {
	p := configstore.Properties{}
	for pair := range slices.Chunk(pairs, 2) {
		p = append(p, configstore.Property{Name: pair[0], Value: &pair[1]})
	}
	return p
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestInstancesSeeEachOthersWritesInOrder(t *testing.T) {
	for _, mode := range []string{"plain", "transactions"} {
		t.Run(mode, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := kafkatest.New(t)
				var change []func(*configstore.KafkaConfig)
				if mode != "plain" {
					change = append(change, leads(c))
				}
				a, b := start(t, c, change...), start(t, c, change...)
				ctx := t.Context()
				must(t, a.Claim(ctx))
				must(t, a.PutConnector(ctx, "c", config("name", "c"), herder.Paused))
				must(t, b.PutTarget(ctx, "c", herder.Started))
				must(t, a.PutTasks(ctx, "c", []configstore.Properties{config("n", "0"), config("n", "1")}))
				must(t, a.PutFencingCount(ctx, "c", 2))
				must(t, a.PutSessionKey(ctx, configstore.SessionKey{Key: []byte("secret"), Algorithm: "HmacSHA256", Created: 7}))
				must(t, a.PutRestart(ctx, configstore.RestartRequested{Connector: "c", IncludeTasks: true}))
				must(t, b.PutLoggerLevel(ctx, "root", new("DEBUG")))
				must(t, b.Refresh(ctx))
				must(t, a.Refresh(ctx))
				want := []string{
					"ConnectorChanged{c}", "TargetChanged{c}", "TasksChanged{c [c-0 c-1]}", "SessionKeyChanged{session key for HmacSHA256 of 7}",
					"RestartRequestedrestart request for {connectorName='c', onlyFailed=false, includeTasks=true}", "LoggerLevelChanged{root DEBUG}",
				}
				a.told(t, want...)
				b.told(t, want...)
				s := b.Snapshot()
				if k := s.Connectors["c"]; len(k.Tasks) != 2 || k.Tasks[1]["n"] != "1" || *k.Applied["name"] != "c" || k.Target != herder.Started {
					t.Errorf("b has %+v", k)
				}
				if s.FencingCounts["c"] != 2 || s.PendingFencing["c"] || string(s.SessionKey.Key) != "secret" || s.Offset != a.Snapshot().Offset {
					t.Errorf("b has %+v", s)
				}
				must(t, a.DeleteConnector(ctx, "c"))
				must(t, b.Refresh(ctx))
				if len(b.Snapshot().Connectors) != 0 || len(s.Connectors) != 1 {
					t.Error("a snapshot changed, or the new one did not")
				}
				// One that comes later is told nothing of the past.
				late := start(t, c, change...)
				late.told(t)
				if got, want := late.Snapshot().Offset, b.Snapshot().Offset; got != want {
					t.Errorf("offset %d, want %d", got, want)
				}
			})
		})
	}
}

func TestANewLeaderFencesTheOldOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := kafkatest.New(t)
		a, b := start(t, c, leads(c)), start(t, c, leads(c))
		ctx := t.Context()
		if err := a.PutConnector(ctx, "c", config(), ""); !errors.Is(err, configstore.ErrNotClaimed) {
			t.Fatalf("error %v", err)
		}
		must(t, a.Claim(ctx))
		must(t, a.PutConnector(ctx, "c", config("by", "a"), ""))
		must(t, b.Claim(ctx))
		must(t, b.PutConnector(ctx, "c", config("by", "b"), ""))
		var lost *configstore.PrivilegeError
		if err := a.PutConnector(ctx, "c", config("by", "a again"), ""); !errors.As(err, &lost) {
			t.Fatalf("error %v", err)
		}
		if err := a.PutTasks(ctx, "c", nil); !errors.Is(err, configstore.ErrNotClaimed) {
			t.Fatalf("error %v", err)
		}
		must(t, a.PutTarget(ctx, "c", herder.Paused)) // which any instance may
		must(t, b.Refresh(ctx))
		if k := b.Snapshot().Connectors["c"]; *k.Config["by"] != "b" || k.Target != herder.Paused {
			t.Errorf("configured by %s, %s", *k.Config["by"], k.Target)
		}
		must(t, a.Claim(ctx))
		must(t, a.PutConnector(ctx, "c", config("by", "a"), ""))
	})
}

func TestAnInstanceThatWasCutOffCatchesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := kafkatest.New(t)
		a, b := start(t, c), start(t, c)
		b.link.Cut()
		must(t, a.PutConnector(t.Context(), "c", config(), ""))
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if err := b.Refresh(ctx); err == nil {
			t.Error("refreshed without a network")
		}
		if err := b.PutTarget(ctx, "c", herder.Paused); err == nil {
			t.Error("wrote without a network")
		}
		if len(b.Snapshot().Connectors) != 0 {
			t.Error("it knows what it can't")
		}
		b.link.Heal()
		must(t, b.Refresh(t.Context()))
		if b.Snapshot().Connectors["c"] == nil {
			t.Error("not caught up")
		}
	})
}

func TestATopicThatIsMadeAnewKeepsWhatIsConfigured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := kafkatest.New(t)
		a, b := start(t, c), start(t, c)
		must(t, a.PutConnector(t.Context(), "old", config(), ""))
		must(t, b.Refresh(t.Context()))
		must(t, c.DeleteTopic("configs"))
		c.MustCreateTopic("configs", 1, "cleanup.policy", "compact")
		time.Sleep(time.Minute) // virtual: until they have noticed
		must(t, a.PutConnector(t.Context(), "new", config(), ""))
		must(t, b.Refresh(t.Context()))
		if s := b.Snapshot().Connectors; s["old"] == nil || s["new"] == nil {
			t.Errorf("b has %v", s)
		}
	})
}

func TestGarbageIsReportedAndSkippedAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := kafkatest.New(t)
		c.MustCreateTopic("configs", 1, "cleanup.policy", "compact")
		record := func(key, value string) *kgo.Record {
			return &kgo.Record{Topic: "configs", Key: []byte(key), Value: []byte(value)}
		}
		c.Produce(record("connector-c", `{"properties":{}}`), record("commit-c", `{"tasks":"x"}`), record("session-key", `{"key":"!","algorithm":"A","creation-timestamp":1}`),
			&kgo.Record{Topic: "configs", Value: []byte("{}")}, record("connector-d", "{"), record("connector-e", `{"properties":{"password":5}}`))
		i := start(t, c)
		if s := i.Snapshot().Connectors; len(s) != 2 || *s["e"].Config["password"] != "5" {
			t.Errorf("configured: %v", s)
		}
		var offsets []int64
		for _, err := range i.errors {
			var bad *kafkalog.RecordError
			if !errors.As(err, &bad) {
				t.Fatalf("reported %v", err)
			}
			offsets = append(offsets, bad.Offset)
		}
		if !slices.Equal(offsets, []int64{1, 2, 3, 4}) {
			t.Errorf("reported %v", i.errors)
		}
	})
}

func TestATopicOfTwoPartitionsIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := kafkatest.New(t)
		c.MustCreateTopic("configs", 2, "cleanup.policy", "compact")
		var refused *connect.ConfigError
		if err := newInstance(t, c).Start(t.Context()); !errors.As(err, &refused) || refused.Key != "config.storage.topic" {
			t.Errorf("error %v", err)
		}
	})
}
