package mirror_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/cluster"
	"github.com/gokconnect/connect/internal/kafkatest"
	"github.com/gokconnect/connect/internal/metrics/metricstest"
	"github.com/gokconnect/connect/plugin/mirror"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// pair are two clusters in memory: records are copied from a to b, by a worker on b.
type pair struct {
	t            testing.TB
	a, b         *kafkatest.Cluster
	linkA, linkB *kafkatest.Link // of the connectors; the worker has its own
	rt           *cluster.Runtime
	stop         func()
	log          *logs
	opts         *mirror.Options       // in place of options(), or nil
	meters       *metricstest.Provider // of the worker, or nil
}

// logs are what was logged, and shown if the test fails.
type logs struct {
	to   io.Writer
	mu   sync.Mutex
	text []byte
}

func (l *logs) Write(b []byte) (int, error) {
	l.mu.Lock()
	l.text = append(l.text, b...)
	l.mu.Unlock()
	return l.to.Write(b)
}

// logged reports whether a text was logged.
func (p *pair) logged(text string) bool {
	p.log.mu.Lock()
	defer p.log.mu.Unlock()
	return bytes.Contains(p.log.text, []byte(text))
}

func newPair(t testing.TB) *pair {
	p := &pair{t: t, a: kafkatest.New(t), b: kafkatest.New(t), log: &logs{to: t.Output()}}
	p.linkA, p.linkB = p.a.NewLink(), p.b.NewLink()
	return p
}

func (p *pair) options() mirror.Options {
	if p.opts != nil {
		return *p.opts
	}
	return mirror.Options{Client: func(alias string) []kgo.Opt {
		switch alias {
		case "A":
			return p.linkA.ClientOpts()
		case "B":
			return p.linkB.ClientOpts()
		}
		p.t.Errorf("a client of cluster %q was asked for", alias)
		return nil
	}}
}

// measured returns the sum of a metric of the connectors.
func (p *pair) measured(name string) (sum float64) {
	for _, point := range p.meters.Collect() {
		if point.Name == "kafka.connect.plugins."+name {
			sum += point.Value
		}
	}
	return sum
}

// config returns the configuration of a connector of the flow A->B.
func (p *pair) config(class string, more ...string) connect.Config {
	cfg := connect.Config{
		"connector.class":      class,
		"source.cluster.alias": "A", "target.cluster.alias": "B",
		"source.cluster.bootstrap.servers": p.a.Addrs()[0], "target.cluster.bootstrap.servers": p.b.Addrs()[0],
		"replication.factor": "1", "offset-syncs.topic.replication.factor": "1", "checkpoints.topic.replication.factor": "1", "heartbeats.topic.replication.factor": "1",
		"key.converter": "ByteArrayConverter", "value.converter": "ByteArrayConverter", "header.converter": "ByteArrayConverter",
		"refresh.topics.interval.seconds": "5", "refresh.groups.interval.seconds": "5", "emit.checkpoints.interval.seconds": "1", "sync.group.offsets.interval.seconds": "1",
	}
	for pair := range slices.Chunk(more, 2) {
		cfg[pair[0]] = pair[1]
	}
	return cfg
}

// run runs a worker with connectors by their names.
func (p *pair) run(connectors map[string]connect.Config, worker ...connect.Config) {
	p.t.Helper()
	cfg := cluster.Config{
		Brokers: p.b.Addrs(), Client: p.b.ClientOpts(), GroupID: "mirror", Logger: slog.New(slog.NewTextHandler(p.log, nil)),
		Plugins: new(connect.Registry).MustAdd(mirror.Plugins(p.options())...),
		Worker:  connect.Config{"offset.flush.interval.ms": "1000"},
		Restart: cluster.RestartPolicy{First: 100 * time.Millisecond, Limit: time.Second},
	}
	if p.meters != nil {
		cfg.MeterProvider = p.meters
	}
	for _, w := range worker {
		maps.Copy(cfg.Worker, w)
	}
	rt, err := cluster.New(cfg)
	if err != nil {
		p.t.Fatal(err)
	}
	for name, c := range connectors {
		if err := rt.Add(cluster.Configured{Name: name, Config: c}); err != nil {
			p.t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(p.t.Context()))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := rt.Run(ctx); err != nil {
			p.t.Errorf("Run: %v", err)
		}
	}()
	p.rt = rt
	p.stop = func() { cancel(); <-ended }
	p.t.Cleanup(p.stop)
}

// produce writes n records to a topic, spread over its partitions, whose values are the numbers from first on.
func produce(c *kafkatest.Cluster, topic string, partitions, first, n int) {
	records := make([]*kgo.Record, n)
	for i := range records {
		records[i] = &kgo.Record{Topic: topic, Partition: int32((first + i) % partitions), Key: []byte("k" + strconv.Itoa(first+i)), Value: []byte(strconv.Itoa(first + i))}
	}
	c.Produce(records...)
}

// await waits until ok, in virtual time.
func (p *pair) await(what string, ok func() bool) {
	p.t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(2 * time.Minute); !ok(); <-tick.C {
		if time.Now().After(end) {
			p.t.Fatalf("it did not happen: %s", what)
		}
	}
}

// awaitValues waits until a topic has so many records, and returns their values, those of each partition in order.
func (p *pair) awaitValues(c *kafkatest.Cluster, topic string, n int) []string {
	p.t.Helper()
	p.await(fmt.Sprintf("%s has %d records", topic, n), func() bool { return size(c, topic) >= int64(n) })
	var values []string
	for _, r := range c.Records(topic) {
		values = append(values, string(r.Value))
	}
	return values
}

func size(c *kafkatest.Cluster, topic string) (n int64) {
	if c.TopicInfo(topic) == nil {
		return 0
	}
	for _, p := range c.PartitionInfos(topic) {
		n += p.HighWatermark
	}
	return n
}

// partitions returns how many partitions a topic has; none if there is no such topic.
func partitions(c *kafkatest.Cluster, topic string) int {
	if c.TopicInfo(topic) == nil {
		return 0
	}
	return len(c.PartitionInfos(topic))
}

// numbers returns the texts of numbers.
func numbers(first, n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = strconv.Itoa(first + i)
	}
	return list
}

// same reports whether two lists have the same texts, each as often, in whatever order.
func same(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

// commitOffset commits an offset of a group.
func commitOffset(t testing.TB, c *kafkatest.Cluster, group, topic string, partition int32, offset int64, metadata string) {
	t.Helper()
	cl := c.Client()
	defer cl.Close()
	var os kadm.Offsets
	os.Add(kadm.Offset{Topic: topic, Partition: partition, At: offset, LeaderEpoch: -1, Metadata: metadata})
	if err := kadm.NewClient(cl).CommitAllOffsets(context.Background(), group, os); err != nil {
		t.Fatal(err)
	}
}

// committed returns a committed offset of a group, or -1.
func committed(t testing.TB, c *kafkatest.Cluster, group, topic string, partition int32) int64 {
	t.Helper()
	cl := c.Client()
	defer cl.Close()
	os, err := kadm.NewClient(cl).FetchOffsets(context.Background(), group)
	if err != nil {
		t.Fatal(err)
	}
	if o, ok := os.Lookup(topic, partition); ok {
		return o.At
	}
	return -1
}

// syncs returns the offset syncs of a topic, in order.
func syncs(t testing.TB, c *kafkatest.Cluster, topic string) (list []mirror.OffsetSync) {
	t.Helper()
	if c.TopicInfo(topic) == nil {
		return nil
	}
	for _, r := range c.Records(topic) {
		s, err := mirror.DecodeOffsetSync(r.Key, r.Value)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, s)
	}
	return list
}
