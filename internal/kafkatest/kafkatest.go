// Package kafkatest is Kafka in the memory of a test: kfake on a virtual network, with what kfake gets wrong set right.
//
// The network is made of pipes, so a cluster works inside a testing/synctest bubble, where it lives in virtual time, as
// well as outside one. Only tests, and packages that are there for tests, import this package.
//
// What is set right:
//   - OffsetFetch of a group that does not exist answers offsets of -1, as brokers do, not GROUP_ID_NOT_FOUND;
//   - CreateTopics says in the broker's words that there are too few brokers;
//   - CreateTopics refuses topic settings that are not of their type, with the broker's text;
//   - OffsetForLeaderEpoch says that nothing was cut off a log when a leader moved, as nothing was;
//   - a member of a group that died while it waited in JoinGroup is dropped after the times of a round and of a session, not never;
//   - compaction and retention run only when asked for: kfake's compaction drops records of open transactions'
//     keys and applies retention to compacted topics. Call Compact at quiet points only.
//
// What is not, and has to be borne by the code under test: every member is told that it leads when a leader leaves (use
// the assignment to tell), a member that waits in JoinGroup past its session timeout is dropped unless it sends
// heartbeats, and a stale producer epoch is taken back by brokers before transaction.version 2.
package kafkatest

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Cluster is a Kafka cluster in memory. Its kfake methods (Fault, ControlKey, MoveTopicPartition, CreateTopic, Compact
// and others) are there too. It is safe for concurrent use.
type Cluster struct {
	*kfake.Cluster

	t       testing.TB
	dial    func(ctx context.Context, network, address string) (net.Conn, error)
	addrs   []string
	general *Link
}

// Option changes how [New] makes a cluster.
type Option func(*options)

type options struct {
	brokers int
	tcp     bool
	kfake   []kfake.Opt
}

// Brokers sets the number of brokers; it is 1 otherwise.
func Brokers(n int) Option { return func(o *options) { o.brokers = n } }

// TCP makes the brokers listen on ports of the loopback interface in place of the virtual network. Such a cluster does
// not work in a synctest bubble.
func TCP() Option { return func(o *options) { o.tcp = true } }

// Kfake passes options on to kfake.
func Kfake(opts ...kfake.Opt) Option {
	return func(o *options) { o.kfake = append(o.kfake, opts...) }
}

// New starts a cluster. It ends with the test, or, in a synctest bubble, with the bubble.
func New(t testing.TB, opts ...Option) *Cluster {
	t.Helper()
	o := options{brokers: 1}
	for _, opt := range opts {
		opt(&o)
	}
	settings := []kfake.Opt{
		kfake.NumBrokers(o.brokers),
		kfake.BrokerConfigs(map[string]string{"log.cleaner.backoff.ms": strconv.FormatInt(int64(100*365*24*time.Hour/time.Millisecond), 10)}),
	}
	c := &Cluster{t: t, dial: new(net.Dialer).DialContext}
	if !o.tcp {
		var network kfake.VirtualNetwork
		ports := make([]int, o.brokers)
		for i := range ports {
			ports[i] = 9092 + i
		}
		settings = append(settings, kfake.Ports(ports...), kfake.ListenFn(network.Listen))
		c.dial = network.DialContext
	}
	var err error
	if c.Cluster, err = kfake.NewCluster(append(settings, o.kfake...)...); err != nil {
		t.Fatalf("starting the cluster: %v", err)
	}
	t.Cleanup(c.Close)
	c.addrs = c.ListenAddrs()
	c.general = c.NewLink()
	c.answerUnknownGroups()
	c.refuseBadTopicConfigs()
	c.explainReplication()
	c.answerLeaderEpochs()
	c.expelSilentMembers()
	c.endLongRounds()
	return c
}

// Addrs returns the addresses of the brokers, host:port. On the virtual network only the dialer in ClientOpts reaches
// them.
func (c *Cluster) Addrs() []string { return slices.Clone(c.addrs) }

// ClientOpts returns what a client needs to reach the cluster, and to not wait for metadata longer than a test wants to.
func (c *Cluster) ClientOpts() []kgo.Opt { return c.general.ClientOpts() }

// Client returns a client of the cluster that is closed with the test.
func (c *Cluster) Client(opts ...kgo.Opt) *kgo.Client {
	c.t.Helper()
	cl, err := kgo.NewClient(append(c.ClientOpts(), opts...)...)
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(cl.Close)
	return cl
}

// MustCreateTopic creates a topic. Settings are names and values in turn.
func (c *Cluster) MustCreateTopic(topic string, partitions int32, settings ...string) {
	c.t.Helper()
	configs := map[string]string{}
	for pair := range slices.Chunk(settings, 2) {
		if len(pair) != 2 {
			c.t.Fatalf("setting %s has no value", pair[0])
		}
		configs[pair[0]] = pair[1]
	}
	if err := c.CreateTopic(topic, partitions, configs); err != nil {
		c.t.Fatalf("creating topic %s: %v", topic, err)
	}
}

// Produce writes records, to the partition that they name, and waits until they are acknowledged.
func (c *Cluster) Produce(records ...*kgo.Record) {
	c.t.Helper()
	cl := c.Client(kgo.RecordPartitioner(kgo.ManualPartitioner()))
	defer cl.Close()
	if err := cl.ProduceSync(context.Background(), records...).FirstErr(); err != nil {
		c.t.Fatalf("producing: %v", err)
	}
}

// Records returns the committed records of a topic, by partition and offset. It waits for open transactions to end.
func (c *Cluster) Records(topic string) []*kgo.Record {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cl := c.Client(kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords())
	defer cl.Close()
	left := map[int32]int64{}
	if c.TopicInfo(topic) == nil {
		c.t.Fatalf("topic %s does not exist", topic)
	}
	for _, p := range c.PartitionInfos(topic) {
		if p.HighWatermark > p.LogStartOffset {
			left[p.Partition] = p.HighWatermark
		}
	}
	var found []*kgo.Record
	for len(left) > 0 {
		fetches := cl.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			c.t.Fatalf("reading topic %s: %v", topic, err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			if !r.Attrs.IsControl() {
				found = append(found, r)
			}
			if r.Offset+1 >= left[r.Partition] {
				delete(left, r.Partition)
			}
		})
	}
	slices.SortFunc(found, func(a, b *kgo.Record) int {
		if a.Partition != b.Partition {
			return int(a.Partition - b.Partition)
		}
		return int(a.Offset - b.Offset)
	})
	return found
}

// Texts returns the records of a topic as "key=value", by partition and offset; null is a missing key or value.
func (c *Cluster) Texts(topic string) []string {
	c.t.Helper()
	var texts []string
	for _, r := range c.Records(topic) {
		texts = append(texts, fmt.Sprintf("%s=%s", text(r.Key), text(r.Value)))
	}
	return texts
}

func text(b []byte) string {
	if b == nil {
		return "null"
	}
	return string(b)
}
