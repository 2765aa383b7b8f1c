package cluster_test

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/cluster"
	"github.com/gokconnect/connect/internal/kafkatest"
	"github.com/twmb/franz-go/pkg/kgo"
)

// written counts the records of the config topic with a key.
func written(k *kafkatest.Cluster, key string) (n int) {
	for _, r := range k.Records("test-configs") {
		if string(r.Key) == key {
			n++
		}
	}
	return n
}

// TestRollingDeploy: old and new instances declare a connector differently. The configuration moves to the new one with its
// first instance, and stays there while old ones run on, are restarted, and go.
func TestRollingDeploy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := kafkatest.New(t)
		k.MustCreateTopic("t", 1)
		s := new(starts)
		declare := func(version string) cluster.Declaration {
			return cluster.Source{Name: "s", Connector: s.connector(), Topic: "t", Tasks: 2, Config: connect.Config{"version": version}}
		}
		var old []*instance
		for _, name := range []string{"old-1", "old-2", "old-3"} {
			old = append(old, startInstance(t, k, name, nil, declare("1")))
			time.Sleep(10 * time.Second)
		}
		if n := written(k, "connector-s"); n != 1 {
			t.Fatalf("three instances that declare the same wrote it %d times, want once", n)
		}
		for i, o := range old {
			n := startInstance(t, k, fmt.Sprint("new-", i), nil, declare("2"))
			time.Sleep(10 * time.Second)
			if err := o.stop(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(10 * time.Second)
			if cfg, err := n.Connector(t.Context(), "s"); err != nil || cfg["version"] != "2" {
				t.Errorf("with %d new instances the configuration is %v, %v", i+1, cfg, err)
			}
			await(t, n.Runtime, "s", cluster.Running, cluster.Running, cluster.Running)
		}
		if n := written(k, "connector-s"); n != 2 {
			t.Errorf("the configuration was written %d times, want twice: it must not go back and forth", n)
		}
	})
}

// TestNoOp: a configuration that is the same restarts nothing, writes nothing and begins no round.
func TestNoOp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := kafkatest.New(t)
		s := new(starts)
		a := startInstance(t, k, "a", nil, cluster.Source{Name: "s", Connector: s.connector(), Topic: "t", Tasks: 4})
		b := startInstance(t, k, "b", nil, cluster.Source{Name: "s", Connector: s.connector(), Topic: "t", Tasks: 4})
		time.Sleep(30 * time.Second)
		before, records := s.all(), len(k.Records("test-configs"))
		cfg, err := a.Connector(t.Context(), "s")
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range []*instance{a, b} {
			if err := i.PutConnector(t.Context(), "s", cfg); err != nil {
				t.Fatal(err)
			}
			if err := i.PatchConnector(t.Context(), "s", map[string]*string{"tasks.max": new("4")}); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Minute)
		if after := s.all(); after != before {
			t.Errorf("tasks were started anew: %v, before %v", after, before)
		}
		if n := len(k.Records("test-configs")); n != records {
			t.Errorf("%d records were written", n-records)
		}
	})
}

// TestCapabilities: work goes to instances that have its class alone, and stays unassigned if none has.
func TestCapabilities(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := kafkatest.New(t)
		k.MustCreateTopic("t", 1)
		var elsewhere atomic.Int64
		special := func(instance string) cluster.Declaration {
			read := func(ctx context.Context, _ connect.Fields) iter.Seq2[connect.SourceRecord, error] {
				return func(func(connect.SourceRecord, error) bool) {
					if !strings.HasPrefix(instance, "able") {
						elsewhere.Add(1)
					}
					<-ctx.Done()
				}
			}
			return cluster.Source{Name: "special", Connector: connect.SourceFunc(read), Topic: "t"}
		}
		startInstance(t, k, "plain-1", nil)
		able := startInstance(t, k, "able-1", nil, special("able-1"))
		plain := startInstance(t, k, "plain-2", nil)
		time.Sleep(30 * time.Second)
		status := await(t, plain.Runtime, "special", cluster.Running, cluster.Running)
		first := status.Worker
		if err := able.stop(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(30 * time.Second)
		if status, err := plain.Status(t.Context(), "special"); err != nil || status.State != cluster.Unassigned {
			t.Errorf("without an able instance: %+v, %v", status, err)
		}
		startInstance(t, k, "able-2", nil, special("able-2"))
		time.Sleep(30 * time.Second)
		if status := await(t, plain.Runtime, "special", cluster.Running, cluster.Running); status.Worker == first {
			t.Errorf("it runs on %s again, which has gone", first)
		}
		if n := elsewhere.Load(); n > 0 {
			t.Errorf("it was started %d times on instances that don't have it", n)
		}
	})
}

// TestInternalTopicsAreChecked: an instance refuses internal topics that would lose what is in them, and says which, why
// and by which key.
func TestInternalTopicsAreChecked(t *testing.T) {
	for _, tt := range []struct {
		topic      string
		partitions int32
		policy     string
		want       []string
	}{
		{"test-configs", 1, "delete", []string{"test-configs", "config.storage.topic", "compact", "delete"}},
		{"test-configs", 3, "compact", []string{"test-configs", "config.storage.topic", "single partition"}},
		{"test-offsets", 25, "delete", []string{"test-offsets", "offset.storage.topic", "compact", "delete"}},
		{"test-status", 5, "delete,compact", []string{"test-status", "status.storage.topic", "compact"}},
	} {
		t.Run(tt.topic+" "+tt.policy, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := kafkatest.New(t)
				k.MustCreateTopic(tt.topic, tt.partitions, "cleanup.policy", tt.policy)
				err := startInstance(t, k, "a", nil).wait(time.Minute)
				if err == nil {
					t.Fatal("it runs")
				}
				for _, want := range tt.want {
					if !strings.Contains(err.Error(), want) {
						t.Errorf("%v: does not name %q", err, want)
					}
				}
			})
		})
	}
}

// wait returns the error that the instance ends with by itself, nil if it has not ended in time.
func (i *instance) wait(limit time.Duration) error {
	done := make(chan error, 1)
	time.AfterFunc(limit, func() { done <- nil })
	go func() { done <- <-i.ended }()
	return <-done
}

// TestGarbageInInternalTopics: records that nobody can read keep no instance from starting or working, whenever they come.
func TestGarbageInInternalTopics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := kafkatest.New(t)
		k.MustCreateTopic("t", 1)
		for topic, partitions := range map[string]int32{"test-configs": 1, "test-offsets": 25, "test-status": 5} {
			k.MustCreateTopic(topic, partitions, "cleanup.policy", "compact")
		}
		garbage := func() {
			for _, topic := range []string{"test-configs", "test-offsets", "test-status"} {
				for _, key := range []string{"connector-s", "task-s-0", "commit-s", "session-key", "target-state-s", "status-task-s-0", "status-connector-s", `["s",{"a":1}]`, "\xff", ""} {
					for _, value := range []string{"{", "[]", `{"key":"?","algorithm":"x","creation-timestamp":1}`, `{"tasks":"many"}`, `{"state":5}`, "\xff\xfe"} {
						k.Produce(&kgo.Record{Topic: topic, Key: []byte(key), Value: []byte(value)})
					}
				}
			}
		}
		garbage()
		s := new(starts)
		a := startInstance(t, k, "a", nil, cluster.Source{Name: "s", Connector: s.connector(), Topic: "t", Tasks: 2})
		time.Sleep(30 * time.Second)
		await(t, a.Runtime, "s", cluster.Running, cluster.Running, cluster.Running)
		garbage()
		b := startInstance(t, k, "b", nil, cluster.Source{Name: "s", Connector: s.connector(), Topic: "t", Tasks: 2})
		time.Sleep(30 * time.Second)
		if err := b.PatchConnector(t.Context(), "s", map[string]*string{"tasks.max": new("4")}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(30 * time.Second)
		await(t, a.Runtime, "s", cluster.Running, cluster.Running, cluster.Running, cluster.Running, cluster.Running)
	})
}
