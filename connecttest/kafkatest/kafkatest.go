// Package kafkatest is a Kafka in the memory of a test, and connectors that run against it as they will in production:
//
//	func TestOrders(t *testing.T) {
//		synctest.Test(t, func(t *testing.T) {
//			k := kafkatest.New(t)
//			k.Run(cluster.Config{}, cluster.Source{Name: "orders", Connector: orders.New(db), Topic: "orders"})
//			for _, r := range k.Await("orders", 3) {
//				t.Logf("%s", r.Value)
//			}
//		})
//	}
//
// A [Cluster] is several instances of a service, to be killed, paused, cut off and deployed anew.
//
// Inside [testing/synctest] time is virtual: a minute of back-off takes no time. It works outside as well. Don't compress with
// zstd inside: the library that does so ends a test process that collects its decoders as garbage. The package
// is one of its own, apart from connecttest, because it needs a Kafka client; what is tested without a Kafka needs
// nothing but the standard library.
package kafkatest

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/gokconnect/connect/cluster"
	"github.com/gokconnect/connect/internal/kafkatest"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Timeout is how long [Kafka.Await] waits for records before it fails the test. Inside [testing/synctest] it costs no
// time.
const Timeout = time.Minute

// Kafka is a Kafka cluster of one broker in memory: a topic that the runtime or a connector makes with more replicas is refused,
// such as one of dead letters without errors.deadletterqueue.topic.replication.factor=1, or those of a mirror. Only clients with ClientOpts reach it, since it has no network. Its
// methods fail the test in place of returning an error, so they must be called on the test's goroutine.
type Kafka struct {
	t testing.TB
	c *kafkatest.Cluster
}

// New starts a Kafka that ends with the test, or, inside [testing/synctest], with the bubble. It has no topics and
// creates none by itself. A cluster.Source creates those it needs; for what sinks consume, and for sources that are
// cluster.Configured without topic.creation keys, there is CreateTopic.
func New(t testing.TB) *Kafka {
	t.Helper()
	return &Kafka{t, kafkatest.New(t)}
}

// Brokers returns the addresses of the brokers, for [cluster.Config].Brokers.
func (k *Kafka) Brokers() []string { return k.c.Addrs() }

// ClientOpts returns what a client needs to reach the Kafka, for [cluster.Config].Client and [kgo.NewClient].
func (k *Kafka) ClientOpts() []kgo.Opt { return k.c.ClientOpts() }

// CreateTopic creates a topic.
func (k *Kafka) CreateTopic(topic string, partitions int32) {
	k.t.Helper()
	k.c.MustCreateTopic(topic, partitions)
}

// Produce writes records, each to the partition that it names, and waits until Kafka has them. A topic that does not
// exist is created with one partition.
func (k *Kafka) Produce(records ...*kgo.Record) {
	k.t.Helper()
	for _, r := range records {
		if k.c.TopicInfo(r.Topic) == nil {
			k.c.MustCreateTopic(r.Topic, 1)
		}
	}
	k.c.Produce(records...)
}

// Records returns the committed records of a topic, by partition and offset: none if it does not exist.
func (k *Kafka) Records(topic string) []*kgo.Record {
	k.t.Helper()
	if k.c.TopicInfo(topic) == nil {
		return nil
	}
	return k.c.Records(topic)
}

// Await waits until a topic has at least n records, and returns all it has, by partition and offset.
func (k *Kafka) Await(topic string, n int) []*kgo.Record {
	k.t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(Timeout); ; <-tick.C {
		if k.size(topic) >= int64(n) { // may count what is not committed, such as transaction markers
			if records := k.Records(topic); len(records) >= n {
				return records
			}
		}
		if time.Now().After(end) {
			k.t.Fatalf("topic %s has %d records after %v, want %d", topic, len(k.Records(topic)), Timeout, n)
		}
	}
}

// size returns how many offsets of a topic are in use.
func (k *Kafka) size(topic string) (n int64) {
	if k.c.TopicInfo(topic) == nil {
		return 0
	}
	for _, p := range k.c.PartitionInfos(topic) {
		n += p.HighWatermark - p.LogStartOffset
	}
	return n
}

// Run runs a [cluster.Runtime] until the test ends, or stop is called, and fails the test if it did not run well. What cfg
// says of Kafka is set; GroupID and Logger are if they are not. Offsets are kept in this Kafka, so that a second Run with the
// same GroupID goes on where the first one stopped.
func (k *Kafka) Run(cfg cluster.Config, declarations ...cluster.Declaration) (rt *cluster.Runtime, stop func()) {
	k.t.Helper()
	cfg.Brokers, cfg.Client = k.Brokers(), slices.Concat(cfg.Client, k.ClientOpts())
	if cfg.GroupID == "" {
		cfg.GroupID = "test"
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.NewTextHandler(k.t.Output(), nil))
	}
	rt, err := cluster.New(cfg)
	if err == nil {
		err = rt.Add(declarations...)
	}
	if err != nil {
		k.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(k.t.Context()))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := rt.Run(ctx); err != nil {
			k.t.Errorf("Runtime.Run: %v", err)
		}
	}()
	stop = func() {
		cancel()
		<-ended
	}
	k.t.Cleanup(stop)
	return rt, stop
}
