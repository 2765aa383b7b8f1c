package cluster_test

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/cluster"
	"github.com/twmb/franz-go/pkg/kfake"
)

// What becomes of a record, stage by stage, while the connector runs.
func ExampleRuntime_Tap() {
	kafka, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer kafka.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()

	hello := connect.SourceFunc(func(ctx context.Context, _ connect.Fields) iter.Seq2[connect.SourceRecord, error] {
		return func(yield func(connect.SourceRecord, error) bool) {
			for ctx.Err() == nil && yield(connect.SourceRecord{Record: connect.Record{Value: "hello"}, SourceOffset: connect.Fields{}}, nil) {
				select {
				case <-time.After(10 * time.Millisecond):
				case <-ctx.Done():
				}
			}
		}
	})
	shout := connect.TransformFunc(func(_ context.Context, r *connect.Record) (*connect.Record, error) {
		r.Value = strings.ToUpper(r.Value.(string))
		return r, nil
	})
	rt, err := cluster.New(cluster.Config{Brokers: kafka.ListenAddrs(), GroupID: "hello"})
	if err == nil {
		err = rt.Add(cluster.Source{Name: "hello", Connector: hello, Topic: "hello", Transforms: []connect.Transformation{shout}})
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	go func() {
		defer cancel()
		for s, err := range rt.Tap(ctx, "hello", cluster.TapOptions{PerSecond: 1}) {
			if err != nil {
				fmt.Println(err)
				return
			}
			fmt.Println(s.Stage, *s.Value)
			if s.Stage == "converters" {
				return
			}
		}
	}()
	if err := rt.Run(ctx); err != nil {
		fmt.Println(err)
	}
	// Output:
	// poll hello
	// Topic hello
	// Transforms[0] HELLO
	// converters HELLO
}
