package mirror_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/kafkatest"
	"github.com/gokconnect/connect/plugin/mirror"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

func mirrorClient(t *testing.T, k *kafkatest.Cluster) *mirror.Client {
	t.Helper()
	c, err := mirror.NewClient(nil, k.ClientOpts()...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func TestTranslateOffsets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := kafkatest.New(t)
		c := mirrorClient(t, k)
		if _, err := c.TranslateOffsets(t.Context(), "eu", "g"); !errors.Is(err, kerr.UnknownTopicOrPartition) {
			t.Errorf("without checkpoints: %v", err)
		}
		k.MustCreateTopic("eu.checkpoints.internal", 1)
		time.Sleep(10 * time.Second) // the client remembers for a while that there is none
		if got, err := c.TranslateOffsets(t.Context(), "eu", "g"); err != nil || len(got) != 0 {
			t.Errorf("empty: %v, %v", got, err)
		}
		write := func(group, topic string, downstream int64, metadata string) {
			p := mirror.Checkpoint{Group: group, TopicPartition: mirror.TopicPartition{Topic: topic, Partition: 2}, Upstream: 1, Downstream: downstream, Metadata: metadata}
			key, err := p.Key()
			if err != nil {
				t.Fatal(err)
			}
			value, err := p.Value()
			if err != nil {
				t.Fatal(err)
			}
			k.Produce(&kgo.Record{Topic: "eu.checkpoints.internal", Key: key, Value: value})
		}
		write("g", "eu.a", 5, "old")
		write("other", "eu.a", 6, "")
		k.Produce(&kgo.Record{Topic: "eu.checkpoints.internal", Key: []byte{1}, Value: []byte("garbage")}, &kgo.Record{Topic: "eu.checkpoints.internal", Key: []byte{1}})
		write("g", "eu.b", 7, "")
		write("g", "eu.a", 8, "new")
		got, err := c.TranslateOffsets(t.Context(), "eu", "g")
		if err != nil || fmt.Sprint(got) != "map[eu.a-2:{8 new} eu.b-2:{7 }]" {
			t.Errorf("got %v, %v", got, err)
		}
	})
}

func TestClientAsksOfTopics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := kafkatest.New(t)
		for _, topic := range []string{"orders", "eu.orders", "eu.heartbeats", "ap.eu.heartbeats", "heartbeats"} {
			k.MustCreateTopic(topic, 1)
		}
		c := mirrorClient(t, k)
		if got, err := c.UpstreamClusters(t.Context()); err != nil || fmt.Sprint(got) != "[ap eu]" {
			t.Errorf("upstream clusters %v, %v", got, err)
		}
		for alias, want := range map[string]int{"eu": 1, "ap": 1, "us": -1} {
			if got, err := c.ReplicationHops(t.Context(), alias); err != nil || got != want {
				t.Errorf("hops from %s: %d, %v, want %d", alias, got, err, want)
			}
		}
		flow := mirror.Flow{Source: "eu", Target: "us"}
		if _, ok, err := c.LastHeartbeat(t.Context(), "eu.heartbeats", flow); ok || err != nil {
			t.Errorf("without heartbeats: %v, %v", ok, err)
		}
		for i := range 3 {
			for _, target := range []string{"us", "ap"} {
				h := mirror.Heartbeat{SourceAlias: "eu", TargetAlias: target, Time: time.UnixMilli(int64(1000 + i))}
				key, err := h.Key()
				if err != nil {
					t.Fatal(err)
				}
				k.Produce(&kgo.Record{Topic: "eu.heartbeats", Key: key, Value: h.Value()})
			}
		}
		h, ok, err := c.LastHeartbeat(t.Context(), "eu.heartbeats", flow)
		if err != nil || !ok || h.Time.UnixMilli() != 1002 || h.TargetAlias != "us" {
			t.Errorf("heartbeat %v, %v, %v", h, ok, err)
		}
	})
}

func TestClientConfig(t *testing.T) {
	for _, tt := range []struct {
		cfg  connect.Config
		want string
	}{
		{connect.Config{}, "bootstrap.servers"},
		{connect.Config{"bootstrap.servers": "a:1", "replication.policy.class": "Nope"}, "Class Nope could not be found."},
		{connect.Config{"bootstrap.servers": "a:1", "security.protocol": "x"}, "security.protocol"},
	} {
		if _, err := (mirror.Options{}).ParseClientConfig(tt.cfg); err == nil || !contains(err.Error(), tt.want) {
			t.Errorf("%v: %v, want %q", tt.cfg, err, tt.want)
		}
	}
	cfg, err := mirror.Options{}.ParseClientConfig(connect.Config{"bootstrap.servers": "a:1", "replication.policy.separator": "_"})
	if err != nil || cfg.Naming.FormatRemoteTopic("A", "t") != "A_t" {
		t.Fatalf("%v, %v", cfg, err)
	}
	c, err := cfg.NewClient()
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
}

func TestUnknownClasses(t *testing.T) {
	base := func(key string) connect.Config {
		return connect.Config{"name": "m", "connector.class": "x", "source.cluster.alias": "A", "target.cluster.alias": "B", key: "com.example.Mine"}
	}
	for _, key := range []string{"replication.policy.class", "topic.filter.class", "config.property.filter.class", "forwarding.admin.class"} {
		if _, err := (mirror.Options{}).ParseSourceConfig(base(key)); err == nil || err.Error() != "Invalid value com.example.Mine for configuration "+key+": Class com.example.Mine could not be found." {
			t.Errorf("%s: %v", key, err)
		}
	}
	failing := mirror.Options{TopicFilters: map[string]func(connect.Config) (mirror.TopicFilter, error){
		"com.example.Mine": func(connect.Config) (mirror.TopicFilter, error) { return nil, errors.New("no list of topics") },
	}}
	_, err := failing.ParseSourceConfig(base("topic.filter.class"))
	if bad := new(connect.ConfigError); !errors.As(err, &bad) || bad.Key != "topic.filter.class" || !contains(err.Error(), "no list of topics") {
		t.Errorf("a filter that can't be made: %v", err)
	}
}
