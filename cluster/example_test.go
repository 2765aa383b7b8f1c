package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/cluster"
	"github.com/twmb/franz-go/pkg/kfake"
)

// A source, a transformation and a sink in one program, against a Kafka in memory.
func Example() {
	kafka, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer kafka.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()

	greetings := connect.SourceFunc(func(ctx context.Context, from connect.Fields) iter.Seq2[connect.SourceRecord, error] {
		return func(yield func(connect.SourceRecord, error) bool) {
			next, _ := from["next"].(int64) // nil at the first run
			for ; next < 3; next++ {
				r := connect.SourceRecord{
					Record:       connect.Record{Value: fmt.Sprintf("hello %d", next)},
					SourceOffset: connect.Fields{"next": next + 1},
				}
				if !yield(r, nil) {
					return
				}
			}
		}
	})
	shout := connect.TransformFunc(func(_ context.Context, r *connect.Record) (*connect.Record, error) {
		r.Value = strings.ToUpper(r.Value.(string))
		return r, nil
	})
	show := connect.SinkFunc(func(_ context.Context, records []connect.SinkRecord) error {
		for _, r := range records {
			fmt.Println(r.Origin, r.Offset, r.Value)
			if r.Offset == 2 {
				cancel() // that was the last one
			}
		}
		return nil
	})

	rt, err := cluster.New(cluster.Config{Brokers: kafka.ListenAddrs(), GroupID: "hello"})
	if err == nil {
		err = rt.Add(
			cluster.Source{Name: "greetings", Connector: greetings, Topic: "hello", Create: cluster.TopicSettings{Partitions: 1}},
			cluster.Sink{Name: "show", Connector: show, Topics: []string{"hello"}, Transforms: []connect.Transformation{shout}},
		)
	}
	if err == nil {
		err = rt.Run(ctx)
	}
	fmt.Println(err)
	// Output:
	// hello-0 0 HELLO 0
	// hello-0 1 HELLO 1
	// hello-0 2 HELLO 2
	// <nil>
}

// The configuration of a runtime is checked as a whole, and its error names everything that is wrong.
func ExampleNew() {
	_, err := cluster.New(cluster.Config{})
	fmt.Println(err)
	// Output:
	// cluster.Config: Brokers is empty: it needs the address of at least one Kafka broker, HOST:PORT
	// GroupID is empty: it names the cluster and its internal topics
}

// Connectors can be created, looked at and stopped while a runtime runs.
func ExampleRuntime_PutConnector() {
	kafka, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer kafka.Close()
	plugins := new(connect.Registry).MustAdd(connect.SinkPlugin{
		PluginInfo: connect.PluginInfo{Class: "example.NullSink"},
		New: func() connect.SinkConnector {
			return connect.SinkFunc(func(context.Context, []connect.SinkRecord) error { return nil })
		},
	})
	rt, err := cluster.New(cluster.Config{Brokers: kafka.ListenAddrs(), GroupID: "demo", Plugins: plugins})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- rt.Run(ctx) }()

	err = rt.PutConnector(ctx, "null", connect.Config{"connector.class": "NullSink", "topics": "t"}) // waits until Run serves it
	fmt.Println(err)
	status, err := rt.Await(ctx, "null", func(s cluster.ConnectorStatus) bool {
		return s.State == cluster.Running && len(s.Tasks) == 1 && s.Tasks[0].State == cluster.Running
	})
	fmt.Println(status.Kind, status.State, err)
	_, err = rt.Status(ctx, "another")
	fmt.Println(errors.Is(err, connect.ErrNotFound))
	cancel()
	fmt.Println(<-done)
	// Output:
	// <nil>
	// sink RUNNING <nil>
	// true
	// <nil>
}

// Two instances in one process share the tasks, without a Kafka group.
func ExampleHub() {
	var hub cluster.Hub
	for range 2 {
		rt, err := cluster.New(cluster.Config{Brokers: []string{"localhost:9092"}, GroupID: "orders", Coordinator: hub.Join()})
		if err != nil {
			fmt.Println(err)
			return
		}
		_ = rt // add connectors and run it
	}
	fmt.Println("two instances")
	// Output: two instances
}
