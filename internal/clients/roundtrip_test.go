package clients

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/kafkatest"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// client makes a client of the cluster with the properties, and with the group's options if it is a consumer.
func client(t testing.TB, kafka *kafkatest.Cluster, kind Kind, props map[string]string, more ...kgo.Opt) *kgo.Client {
	t.Helper()
	o := Options{Base: kafka.ClientOpts()}
	var opts []kgo.Opt
	var err error
	if kind == KindProducer {
		opts, _, _, err = o.Producer(props)
	} else {
		var extra ConsumerExtra
		opts, extra, _, err = o.Consumer(props)
		opts = append(opts, extra.Group...)
	}
	if err != nil {
		t.Fatal(err)
	}
	cl, err := kgo.NewClient(append(opts, more...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cl.CloseAllowingRebalance)
	return cl
}

// TestRoundTrip writes and reads with the properties that Connect gives source and sink tasks.
func TestRoundTrip(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kafka := kafkatest.New(t)
		kafka.MustCreateTopic("t", 2)
		w := Worker{Config: connect.Config{"bootstrap.servers": "b:1"}}
		id := connect.TaskID{Connector: "c"}
		sent := 0
		for _, codec := range []string{"none", "gzip", "snappy", "lz4", "zstd"} {
			connector := connect.Config{ProducerOverrides + "compression.type": codec, ProducerOverrides + "compression.zstd.level": "22", ProducerOverrides + "compression.lz4.level": "17"}
			cl := client(t, kafka, KindProducer, w.Producer(connector, TaskProducerID(id)))
			for range 10 {
				if err := cl.ProduceSync(t.Context(), &kgo.Record{Topic: "t", Value: fmt.Append(nil, codec), Partition: AnyPartition}).FirstErr(); err != nil {
					t.Fatalf("%s: %v", codec, err)
				}
				sent++
			}
		}
		sink := client(t, kafka, KindConsumer, w.Consumer(nil, "c", TaskConsumerID(id)), kgo.ConsumeTopics("t"))
		got := map[string]int{}
		for n := 0; n < sent; {
			fetches := sink.PollRecords(t.Context(), 7)
			if err := fetches.Err(); err != nil {
				t.Fatal(err)
			}
			for _, r := range fetches.Records() {
				got[string(r.Value)]++
				n++
			}
		}
		for codec, n := range got {
			if n != 10 {
				t.Errorf("%s: %d records", codec, n)
			}
		}
	})
}

// TestTransactionalRoundTrip aborts and commits with the properties of an exactly-once task.
func TestTransactionalRoundTrip(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kafka := kafkatest.New(t)
		kafka.MustCreateTopic("t", 1)
		w := Worker{Config: connect.Config{"bootstrap.servers": "b:1", "group.id": "g"}}
		id := connect.TaskID{Connector: "c"}
		props, _ := w.TransactionalProducer(nil, id, TaskProducerID(id))
		cl := client(t, kafka, KindProducer, props)
		for _, end := range []kgo.TransactionEndTry{kgo.TryAbort, kgo.TryCommit} {
			if err := cl.BeginTransaction(); err != nil {
				t.Fatal(err)
			}
			if err := cl.ProduceSync(t.Context(), &kgo.Record{Topic: "t", Value: fmt.Append(nil, end), Partition: AnyPartition}).FirstErr(); err != nil {
				t.Fatal(err)
			}
			if err := cl.EndTransaction(t.Context(), end); err != nil {
				t.Fatal(err)
			}
		}
		reader, _ := w.OffsetsConsumer(nil, "c", "id", true)
		delete(reader, "group.id") // as who reads a topic directly
		consumer := client(t, kafka, KindConsumer, reader, kgo.ConsumeTopics("t"))
		fetches := consumer.PollFetches(t.Context())
		if n := fetches.NumRecords(); n != 1 || string(fetches.Records()[0].Value) != fmt.Sprint(kgo.TryCommit) {
			t.Errorf("%d records", n)
		}
	})
}

// TestUnknownTopic shows that a record does not wait for ever, whatever max.block.ms and delivery.timeout.ms say.
func TestUnknownTopic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kafka := kafkatest.New(t)
		cl := client(t, kafka, KindProducer, Worker{Config: connect.Config{"bootstrap.servers": "b:1"}}.Producer(nil, "id"))
		started := time.Now()
		err := cl.ProduceSync(t.Context(), &kgo.Record{Topic: "none", Partition: AnyPartition}).FirstErr()
		if !errors.Is(err, kerr.UnknownTopicOrPartition) {
			t.Errorf("got %v", err)
		}
		if waited := time.Since(started); waited < longestUnknown/2 || waited > 4*longestUnknown {
			t.Errorf("after %v", waited)
		}
	})
}

func TestResetNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kafka := kafkatest.New(t)
		kafka.MustCreateTopic("t", 1)
		props := Worker{Config: connect.Config{"bootstrap.servers": "b:1"}}.Consumer(connect.Config{ConsumerOverrides + "auto.offset.reset": "none"}, "c", "id")
		sink := client(t, kafka, KindConsumer, props, kgo.ConsumeTopics("t"))
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := sink.PollFetches(ctx).Err(); err == nil || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a group without offsets: %v", err)
		}
	})
}

func BenchmarkProduce(b *testing.B) {
	kafka := kafkatest.New(b, kafkatest.TCP())
	kafka.MustCreateTopic("t", 1)
	connectDefault := Worker{Config: connect.Config{"bootstrap.servers": "b:1"}}.Producer(nil, "id")
	idempotent := Worker{Config: connect.Config{"bootstrap.servers": "b:1"}}.Producer(connect.Config{ProducerOverrides + "enable.idempotence": "true", ProducerOverrides + "max.in.flight.requests.per.connection": "5"}, "id")
	value := make([]byte, 100)
	for _, bb := range []struct {
		name  string
		props map[string]string
	}{{"connect", connectDefault}, {"idempotent", idempotent}} {
		b.Run(bb.name, func(b *testing.B) {
			cl := client(b, kafka, KindProducer, bb.props)
			b.SetBytes(100)
			b.ReportAllocs()
			for b.Loop() {
				cl.Produce(b.Context(), &kgo.Record{Topic: "t", Value: value, Partition: AnyPartition}, nil)
			}
			if err := cl.Flush(b.Context()); err != nil {
				b.Fatal(err)
			}
		})
	}
	b.Run("franz-go", func(b *testing.B) {
		cl := kafka.Client(kgo.ProducerBatchCompression(kgo.NoCompression()))
		b.SetBytes(100)
		b.ReportAllocs()
		for b.Loop() {
			cl.Produce(b.Context(), &kgo.Record{Topic: "t", Value: value}, nil)
		}
		if err := cl.Flush(b.Context()); err != nil {
			b.Fatal(err)
		}
	})
}
