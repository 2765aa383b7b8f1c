package cluster_test

import (
	"context"
	"fmt"
	"iter"
	"sync/atomic"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/cluster"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

// A source whose records are checked on their way. What is refused is kept in a topic of its own, and the source goes on.
func ExampleSource_deadLetters() {
	kafka, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer kafka.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()

	sent := false
	prices := connect.SourceFunc(func(context.Context, connect.Fields) iter.Seq2[connect.SourceRecord, error] {
		return func(yield func(connect.SourceRecord, error) bool) {
			for i, price := range []string{"3.50", "free", "2.20"} {
				if sent || !yield(connect.SourceRecord{Record: connect.Record{Value: price}, SourceOffset: connect.Fields{"line": i + 1}}, nil) {
					return
				}
			}
			sent = true
		}
	})
	check := connect.TransformFunc(func(_ context.Context, r *connect.Record) (*connect.Record, error) {
		if r.Value == "free" {
			return nil, connect.DataErrorf("no price: %v", r.Value)
		}
		return r, nil
	})
	rt, err := cluster.New(cluster.Config{Brokers: kafka.ListenAddrs(), GroupID: "shop"})
	if err == nil {
		err = rt.Add(cluster.Source{
			Name: "prices", Connector: prices, Topic: "prices", Create: cluster.TopicSettings{Partitions: 1},
			Transforms: []connect.Transformation{check}, DeadLetters: "prices-dead",
			Config: connect.Config{"errors.deadletterqueue.topic.replication.factor": "1", "errors.deadletterqueue.context.headers.enable": "true"},
		})
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	go func() {
		defer cancel()
		dead, err := kgo.NewClient(kgo.SeedBrokers(kafka.ListenAddrs()...), kgo.ConsumeTopics("prices-dead"), kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()),
			kgo.UnknownTopicRetries(-1), kgo.MetadataMinAge(10*time.Millisecond))
		if err != nil {
			fmt.Println(err)
			return
		}
		defer dead.Close()
		for _, r := range dead.PollRecords(ctx, 1).Records() {
			fmt.Printf("%s\n", r.Value)
			for _, h := range r.Headers {
				if h.Key == "__connect.errors.exception.message" || h.Key == "__connect.errors.source.offset" {
					fmt.Printf("%s: %s\n", h.Key, h.Value)
				}
			}
		}
	}()
	if err := rt.Run(ctx); err != nil {
		fmt.Println(err)
	}
	// Output:
	// {"schema":null,"payload":"free"}
	// __connect.errors.exception.message: no price: free
	// __connect.errors.source.offset: {"line":2}
}

// A sink whose database was broken for one record. When it is mended, one call puts what is in the topic of dead letters.
func ExampleRuntime_ReplayDeadLetters() {
	kafka, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "orders"))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer kafka.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()

	var mended atomic.Bool
	failed := make(chan struct{}, 1)
	database := connect.SinkFunc(func(_ context.Context, records []connect.SinkRecord) error {
		errs := new(connect.BatchError)
		for i, r := range records {
			if r.Value == "7 pairs" && !mended.Load() {
				errs.Fail(i, connect.DataErrorf("no such article"))
				failed <- struct{}{}
				continue
			}
			fmt.Println("stored", r.Value)
		}
		return errs.ErrorOrNil()
	})
	rt, err := cluster.New(cluster.Config{Brokers: kafka.ListenAddrs(), GroupID: "shop"})
	if err == nil {
		err = rt.Add(cluster.Sink{
			Name: "store", Connector: database, Topics: []string{"orders"}, DeadLetters: "orders-dead",
			Config: connect.Config{"errors.deadletterqueue.topic.replication.factor": "1", "errors.deadletterqueue.context.headers.enable": "true"},
		})
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	go func() {
		defer cancel()
		client, err := kgo.NewClient(kgo.SeedBrokers(kafka.ListenAddrs()...))
		if err != nil {
			fmt.Println(err)
			return
		}
		defer client.Close()
		if err := client.ProduceSync(ctx, &kgo.Record{Topic: "orders", Value: []byte("7 pairs")}).FirstErr(); err != nil {
			fmt.Println(err)
			return
		}
		<-failed
		mended.Store(true)
		for { // until the letter is written
			r, err := rt.ReplayDeadLetters(ctx, "store", cluster.ReplayOptions{})
			if err != nil || r.Replayed > 0 {
				fmt.Println("replayed", r.Replayed, err)
				return
			}
		}
	}()
	if err := rt.Run(ctx); err != nil {
		fmt.Println(err)
	}
	// Output:
	// stored 7 pairs
	// replayed 1 <nil>
}
