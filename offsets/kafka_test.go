package offsets_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/kafkatest"
	"github.com/gokconnect/connect/offsets"
)

func startKafka(t *testing.T, s *offsets.Kafka) *offsets.Kafka {
	t.Helper()
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func set(t *testing.T, s offsets.Store, partition, offset connect.Fields) {
	t.Helper()
	if err := s.Set(t.Context(), "c", []connect.PartitionOffset{{Partition: partition, Offset: offset}}); err != nil {
		t.Fatal(err)
	}
}

func want(t *testing.T, s offsets.Store, partition, offset connect.Fields) {
	t.Helper()
	got, err := s.Get(t.Context(), "c", []connect.Fields{partition})
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got[0], offset) {
		t.Errorf("the offset of %v is %v, want %v", partition, got[0], offset)
	}
}

func wantTopic(t *testing.T, c *kafkatest.Cluster, want ...string) {
	t.Helper()
	got := c.Texts("offsets")
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("the topic holds %q, want %q", got, want)
	}
}

func TestKafkaCreatesItsTopic(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := kafkatest.New(t)
		startKafka(t, offsets.NewKafka(offsets.KafkaConfig{Topic: "offsets", Client: c.ClientOpts(), ReplicationFactor: -1, Settings: map[string]string{"segment.bytes": "1048576"}}))
		if n := len(c.PartitionInfos("offsets")); n != 25 {
			t.Errorf("%d partitions", n)
		}
		configs := c.TopicInfo("offsets").Configs
		if *configs["cleanup.policy"] != "compact" || *configs["segment.bytes"] != "1048576" {
			t.Errorf("settings %v", configs)
		}
	})
}

func TestKafkaRefusesATopicThatIsNotCompacted(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := kafkatest.New(t)
		c.MustCreateTopic("offsets", 1, "cleanup.policy", "delete")
		err := offsets.NewKafka(offsets.KafkaConfig{Topic: "offsets", Client: c.ClientOpts()}).Start(t.Context())
		var ce *connect.ConfigError
		if !errors.As(err, &ce) || ce.Key != "offset.storage.topic" {
			t.Errorf("error %v", err)
		}
	})
}

func TestKafkaKeepsTheKeyThatIsThere(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := kafkatest.New(t)
		c.MustCreateTopic("offsets", 3, "cleanup.policy", "compact")
		// The order of a LinkedHashMap, not that of a HashMap.
		c.Produce(&kgo.Record{Topic: "offsets", Partition: 1, Key: []byte(`["c",{"topic":"t","partition":3,"cluster":"A"}]`), Value: []byte(`{"position":42}`)})
		s := startKafka(t, kafkaStore(c, "offsets"))
		partition := connect.Fields{"cluster": "A", "partition": 3, "topic": "t"}
		want(t, s, partition, connect.Fields{"position": int64(42)})
		set(t, s, partition, connect.Fields{"position": 43})
		set(t, s, connect.Fields{"topic": "u", "partition": 3, "cluster": "A"}, connect.Fields{"position": 1})
		wantTopic(t, c, `["c",{"topic":"t","partition":3,"cluster":"A"}]={"position":42}`, `["c",{"topic":"t","partition":3,"cluster":"A"}]={"position":43}`,
			`["c",{"cluster":"A","partition":3,"topic":"u"}]={"position":1}`)
	})
}

func TestKafkaJoinsSeveralKeysOfOnePartition(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := kafkatest.New(t)
		c.MustCreateTopic("offsets", 2, "cleanup.policy", "compact")
		for key, value := range map[string]string{`["c",{"b":2,"a":1}]`: `{"p":1}`, `["c",{"a":1,"b":2}]`: `{"p":2}`} {
			at := time.Now().Add(-time.Minute)
			if value == `{"p":1}` {
				at = at.Add(-time.Minute)
			}
			r := &kgo.Record{Topic: "offsets", Key: []byte(key), Value: []byte(value), Timestamp: at}
			if err := c.Client().ProduceSync(t.Context(), r).FirstErr(); err != nil { // to the partition of its key
				t.Fatal(err)
			}
		}
		s := startKafka(t, kafkaStore(c, "offsets"))
		partition := connect.Fields{"a": 1, "b": 2}
		want(t, s, partition, connect.Fields{"p": int64(2)})
		set(t, s, partition, connect.Fields{"p": 3})
		wantTopic(t, c, `["c",{"b":2,"a":1}]={"p":1}`, `["c",{"a":1,"b":2}]={"p":2}`, `["c",{"a":1,"b":2}]={"p":3}`, `["c",{"b":2,"a":1}]=null`)
		want(t, startKafka(t, kafkaStore(c, "offsets")), partition, connect.Fields{"p": int64(3)})
	})
}

func TestKafkaReportsGarbageWithItsOffset(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := kafkatest.New(t)
		c.MustCreateTopic("offsets", 1, "cleanup.policy", "compact")
		for _, kv := range [][2]string{{`["c",{"f":"a"}]`, `{"p":1}`}, {"nojson", "{}"}, {`["c",{"f":"b"}]`, "nojson"}, {`["c",{"f":"d"}]`, `{"p":[]}`}, {`["c",{"f":"e"}]`, `{"p":2}`}} {
			c.Produce(&kgo.Record{Topic: "offsets", Key: []byte(kv[0]), Value: []byte(kv[1])})
		}
		var reported []string
		s := startKafka(t, offsets.NewKafka(offsets.KafkaConfig{Topic: "offsets", Client: c.ClientOpts(), OnError: func(err error) { reported = append(reported, err.Error()) }}))
		want(t, s, connect.Fields{"f": "a"}, connect.Fields{"p": int64(1)})
		want(t, s, connect.Fields{"f": "b"}, nil)
		want(t, s, connect.Fields{"f": "e"}, connect.Fields{"p": int64(2)})
		listed, err := s.List(t.Context(), "c")
		if err != nil || len(listed) != 2 {
			t.Errorf("listed %v, error %v", listed, err)
		}
		for i, offset := range []string{"offset 1 ", "offset 2 ", "offset 3 "} {
			if len(reported) != 3 || !strings.Contains(reported[i], offset) {
				t.Fatalf("reported %q", reported)
			}
		}
	})
}

func TestKafkaHidesAbortedOffsets(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := kafkatest.New(t)
		s := startKafka(t, offsets.NewKafka(offsets.KafkaConfig{Topic: "offsets", Client: c.ClientOpts(), ReplicationFactor: 1, ReadCommitted: true}))
		task := c.Client(kgo.TransactionalID("task"))
		for n, end := range []kgo.TransactionEndTry{kgo.TryCommit, kgo.TryAbort} {
			records, err := s.Records("c", []connect.PartitionOffset{{Partition: connect.Fields{"f": "a"}, Offset: connect.Fields{"p": n}}})
			if err != nil {
				t.Fatal(err)
			}
			if err := task.BeginTransaction(); err != nil {
				t.Fatal(err)
			}
			if err := task.ProduceSync(t.Context(), records...).FirstErr(); err != nil {
				t.Fatal(err)
			}
			if err := task.EndTransaction(t.Context(), end); err != nil {
				t.Fatal(err)
			}
		}
		want(t, s, connect.Fields{"f": "a"}, connect.Fields{"p": int64(0)})
	})
}

func TestKafkaSetFails(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := kafkatest.New(t)
		s := startKafka(t, kafkaStore(c, "offsets"))
		c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.TopicAuthorizationFailed, Count: 1})
		if err := s.Set(t.Context(), "c", []connect.PartitionOffset{{Partition: connect.Fields{"f": "a"}, Offset: connect.Fields{"p": 1}}}); !errors.Is(err, kerr.TopicAuthorizationFailed) {
			t.Errorf("error %v", err)
		}
		c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.NotEnoughReplicas, Count: -1})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := s.Set(ctx, "c", []connect.PartitionOffset{{Partition: connect.Fields{"f": "a"}, Offset: connect.Fields{"p": 1}}}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
	})
}

func BenchmarkKafkaReplay(b *testing.B) {
	const records = 100_000
	c := kafkatest.New(b, kafkatest.TCP())
	c.MustCreateTopic("offsets", 25, "cleanup.policy", "compact")
	batch := make([]*kgo.Record, records)
	for i := range batch {
		batch[i] = &kgo.Record{Topic: "offsets", Partition: int32(i % 25), Key: fmt.Appendf(nil, `["connector",{"filename":"file-%d"}]`, i/2), Value: fmt.Appendf(nil, `{"position":%d}`, i)}
	}
	c.Produce(batch...)
	b.ReportAllocs()
	for b.Loop() {
		s := kafkaStore(c, "offsets")
		if err := s.Start(b.Context()); err != nil {
			b.Fatal(err)
		}
		s.Close()
	}
}
