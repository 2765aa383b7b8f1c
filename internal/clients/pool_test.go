package clients

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/kafkatest"
	"github.com/twmb/franz-go/pkg/kgo"
)

func taskProps(task int) map[string]string {
	w := Worker{Config: connect.Config{"bootstrap.servers": "b:1"}, ClusterID: "c"}
	return w.Producer(nil, TaskProducerID(connect.TaskID{Connector: "orders", Task: task}))
}

func TestKey(t *testing.T) {
	base := Key(KindProducer, taskProps(0))
	for _, tt := range []struct {
		name, key, value string
		same             bool
	}{
		{"another task", "client.id", "connector-producer-orders-7", true},
		{"dead letters", "client.id", "connector-dlq-producer-orders-7", true},
		{"a client id of one's own", "client.id", "mine", false},
		{"metrics", "metrics.context.x", "y", true},
		{"a property without effect", "send.buffer.bytes", "1", true},
		{"an unknown property", "some.thing", "1", true},
		{"white space", "acks", " all ", true},
		{"linger", "linger.ms", "1", false},
		{"a password", "sasl.jaas.config", "x", false},
		{"servers", "bootstrap.servers", "c:1", false},
	} {
		props := taskProps(0)
		props[tt.key] = tt.value
		if got := Key(KindProducer, props) == base; got != tt.same {
			t.Errorf("%s: same %v", tt.name, got)
		}
	}
}

func TestPool(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // fails if a goroutine is left
		kafka := kafkatest.New(t)
		kafka.MustCreateTopic("t", 1)
		pool := &Pool{ClientID: "worker-producer", Options: Options{Base: kafka.ClientOpts()}}
		const tasks = 20
		leases := make([]*Lease, tasks)
		var wg sync.WaitGroup
		for i := range tasks {
			wg.Go(func() {
				lease, err := pool.Get(t.Context(), taskProps(i))
				if err != nil {
					t.Error(err)
					return
				}
				leases[i] = lease
				if err := lease.Client.ProduceSync(t.Context(), &kgo.Record{Topic: "t", Value: []byte("v"), Partition: AnyPartition}).FirstErr(); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if t.Failed() {
			return
		}
		for _, lease := range leases {
			if lease.Client != leases[0].Client {
				t.Error("tasks have clients of their own")
			}
		}
		if id := leases[0].Client.OptValue(kgo.ClientID); id != "worker-producer" {
			t.Errorf("client id %v", id)
		}
		own := taskProps(1)
		own["linger.ms"] = "1"
		other, err := pool.Get(t.Context(), own)
		if err != nil {
			t.Fatal(err)
		}
		if other.Client == leases[0].Client || pool.Len() != 2 {
			t.Errorf("%d clients", pool.Len())
		}
		other.Release()
		for i, lease := range leases {
			lease.Release()
			lease.Release() // counts once
			if open := pool.Len() == 1; open != (i < tasks-1) {
				t.Errorf("after %d releases open: %v", i+1, open)
			}
		}
		if err := leases[0].Client.ProduceSync(t.Context(), &kgo.Record{Topic: "t"}).FirstErr(); !errors.Is(err, kgo.ErrClientClosed) {
			t.Errorf("after the last release: %v", err)
		}
		again, err := pool.Get(t.Context(), taskProps(0))
		if err != nil {
			t.Fatal(err)
		}
		again.Release()
		if got := len(kafka.Records("t")); got != tasks {
			t.Errorf("%d records", got)
		}
	})
}

func TestPoolOfAdmins(t *testing.T) {
	pool := &Pool{}
	w := Worker{Config: connect.Config{"bootstrap.servers": "b:1", "group.id": "g"}}
	var leases []*Lease
	for _, props := range []map[string]string{
		w.Admin(nil, WorkerAdminID("a")), w.Admin(nil, DeadLetterAdminID(connect.TaskID{Connector: "b"})),
		w.Admin(connect.Config{AdminOverrides + "retries": "1"}, WorkerAdminID("c")),
	} {
		lease, err := pool.Admin(t.Context(), props)
		if err != nil {
			t.Fatal(err)
		}
		leases = append(leases, lease)
	}
	if leases[0].Client != leases[1].Client || leases[0].Client == leases[2].Client {
		t.Errorf("%d clients", pool.Len())
	}
	for _, lease := range leases {
		lease.Release()
	}
	if pool.Len() != 0 {
		t.Errorf("%d clients are left", pool.Len())
	}
}

func TestPoolErrors(t *testing.T) {
	pool := &Pool{}
	bad := taskProps(0)
	bad["acks"] = "many"
	if _, err := pool.Get(t.Context(), bad); err == nil {
		t.Error("bad properties make a client")
	}
	bad = taskProps(0)
	bad["transactional.id"] = "x"
	if _, err := pool.Get(t.Context(), bad); err == nil {
		t.Error("a transactional producer is shared")
	}
	if pool.Len() != 0 {
		t.Errorf("%d clients are left", pool.Len())
	}
	lease, err := pool.Get(context.Background(), taskProps(0))
	if err != nil {
		t.Fatal(err)
	}
	lease.Release()
}

func TestPartitioner(t *testing.T) {
	for _, class := range []string{"", "org.apache.kafka.clients.producer.RoundRobinPartitioner"} {
		synctest.Test(t, func(t *testing.T) {
			kafka := kafkatest.New(t)
			kafka.MustCreateTopic("t", 8)
			props := taskProps(0)
			if class != "" {
				props["partitioner.class"] = class
			}
			opts, _, _, err := Options{Base: kafka.ClientOpts()}.Producer(props)
			if err != nil {
				t.Fatal(err)
			}
			cl, err := kgo.NewClient(opts...)
			if err != nil {
				t.Fatal(err)
			}
			defer cl.Close()
			produce := func(r *kgo.Record) (int32, error) {
				r.Topic = "t"
				r, err := cl.ProduceSync(t.Context(), r).First()
				return r.Partition, err
			}
			if n, err := produce(&kgo.Record{Partition: 3, Key: []byte("foobar")}); n != 3 || err != nil {
				t.Errorf("partition 3: got %d, %v", n, err)
			}
			n, err := produce(&kgo.Record{Partition: AnyPartition, Key: []byte("foobar")})
			if err != nil || class == "" && n != 6 { // murmur2, as Java
				t.Errorf("by key: got %d, %v", n, err)
			}
			if _, err := produce(&kgo.Record{Partition: AnyPartition}); err != nil {
				t.Errorf("without a key: %v", err)
			}
			if n, err := produce(&kgo.Record{Partition: 8}); err == nil {
				t.Errorf("partition 8 of 8: got %d", n)
			}
		})
	}
}

func BenchmarkPoolGet(b *testing.B) {
	pool := &Pool{}
	keep, err := pool.Get(b.Context(), taskProps(0))
	if err != nil {
		b.Fatal(err)
	}
	defer keep.Release()
	props := taskProps(1)
	b.ReportAllocs()
	for b.Loop() {
		lease, err := pool.Get(b.Context(), props)
		if err != nil {
			b.Fatal(err)
		}
		lease.Release()
	}
}
