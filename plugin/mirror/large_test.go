package mirror

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/connecttest"
	"github.com/gokconnect/connect/internal/kafkatest"
	"github.com/twmb/franz-go/pkg/kgo"
)

// unmetered hides that a runtime keeps metrics, which take memory of their own.
type unmetered struct{ connect.SourceTaskContext }

// A connector with 10,000 partitions starts, looks at its topics again and copies them, in bounded time and memory.
func TestTenThousandPartitions(t *testing.T) {
	const topics, each = 100, 100
	a, b := kafkatest.New(t, kafkatest.TCP()), kafkatest.New(t, kafkatest.TCP())
	var records []*kgo.Record
	for i := range topics {
		topic := fmt.Sprintf("topic-%03d", i)
		a.MustCreateTopic(topic, each)
		for p := range int32(each) {
			records = append(records, &kgo.Record{Topic: topic, Partition: p, Value: make([]byte, 100)})
		}
	}
	a.Produce(records...)
	env := &environment{Options{Client: func(alias string) []kgo.Opt {
		return map[string]*kafkatest.Cluster{"A": a, "B": b}[alias].ClientOpts()
	}}}
	cfg := connect.Config{
		"name": "m", "connector.class": SourceClass, "source.cluster.alias": "A", "target.cluster.alias": "B", "source.cluster.bootstrap.servers": a.Addrs()[0], "target.cluster.bootstrap.servers": b.Addrs()[0],
		"replication.factor": "1", "offset-syncs.topic.replication.factor": "1", "sync.topic.configs.enabled": "false", "sync.topic.acls.enabled": "false",
	}
	measure := func(what string, most time.Duration, f func()) {
		t.Helper()
		began := time.Now()
		f()
		took := time.Since(began)
		t.Logf("%s: %v", what, took)
		if took > most {
			t.Errorf("%s took %v, at most %v was expected", what, took, most)
		}
	}
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}

	c := &sourceConnector{env: env}
	offsets := new(connecttest.Offsets)
	cc := connecttest.NewConnectorContext(t, "m", offsets)
	var configs []connect.Config
	measure("start, with the topics of the target created", time.Minute, func() {
		if err := c.Start(t.Context(), cc, cfg); err != nil {
			t.Fatal(err)
		}
		var err error
		if configs, err = c.TaskConfigs(t.Context(), 1); err != nil || len(configs) != 1 {
			t.Fatalf("%d tasks, error %v", len(configs), err)
		}
	})
	cc.End()
	measure("looking at the topics again", 10*time.Second, func() {
		if err := c.refresh(t.Context()); err != nil && len(*c.partitions.Load()) != topics*each {
			t.Fatal(err)
		}
	})
	if n := partitionsOf(b); n < topics*each {
		t.Errorf("the target has %d partitions", n)
	}
	if err := c.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}

	before := heap()
	task := c.NewTask()
	measure("copying a record of each partition", time.Minute, func() {
		if err := task.Start(t.Context(), unmetered{connecttest.NewSourceContext(t, connect.TaskID{Connector: "m"}, configs[0], offsets)}, configs[0]); err != nil {
			t.Fatal(err)
		}
		for n := 0; n < topics*each; {
			batch, err := task.Poll(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			n += len(batch)
		}
	})
	taken := heap() - before
	t.Logf("memory of the task: %.1f MiB", float64(taken)/(1<<20))
	if most := uint64(64 << 20); taken > most && taken < 1<<60 {
		t.Errorf("the task takes %d bytes, at most %d were expected", taken, most)
	}
	if err := task.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func partitionsOf(c *kafkatest.Cluster) (n int) {
	for i := range 100 {
		n += len(c.PartitionInfos(fmt.Sprintf("A.topic-%03d", i)))
	}
	return n
}
