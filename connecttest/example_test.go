package connecttest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/connecttest"
)

func ExampleRunSource() {
	t := newT() // in a test: its *testing.T
	defer t.end()

	numbers := new(connecttest.FakeSource)
	run := connecttest.RunSource(t, numbers, connect.Config{"topic": "numbers"})
	for _, r := range run.Take(2) {
		fmt.Println(r.Topic, r.Value)
	}
	fmt.Println(run.Offsets.All()[0].Partition)
	// Output:
	// numbers 0
	// numbers 1
	// map[task:0]
}

func ExampleRunSink() {
	t := newT() // in a test: its *testing.T
	defer t.end()

	sink := connect.SinkFunc(func(_ context.Context, records []connect.SinkRecord) error {
		for _, r := range records {
			fmt.Println(r.Origin, r.Offset, r.Value)
		}
		return nil
	})
	run := connecttest.RunSink(t, sink, connect.Config{"topics": "orders"})
	run.Put(
		connect.Record{Topic: "orders", Value: "first"},
		connect.Record{Topic: "orders", Value: "second"},
	)
	run.Commit()
	fmt.Println(run.Committed)
	// Output:
	// orders-0 0 first
	// orders-0 1 second
	// map[orders-0:2]
}

func ExampleApply() {
	t := newT() // in a test: its *testing.T
	defer t.end()

	shout := connect.TransformFunc(func(_ context.Context, r *connect.Record) (*connect.Record, error) {
		if r.Value == nil {
			return nil, nil // drop tombstones
		}
		r.Value = strings.ToUpper(r.Value.(string))
		return r, nil
	})
	for _, r := range connecttest.Apply(t, shout, &connect.Record{Value: "hello"}, &connect.Record{}) {
		fmt.Println(r.Value)
	}
	// Output: HELLO
}

func ExampleRoundTrip() {
	t := newT() // in a test: its *testing.T
	defer t.end()

	b, back := connecttest.RoundTrip(t, connect.LongConverter{}, "topic", connect.SchemaAndValue{Value: int64(258)})
	fmt.Println(b, back.Value)
	// Output: [0 0 0 0 0 0 1 2] 258
}

func ExampleFakeSink() {
	t := newT() // in a test: its *testing.T
	defer t.end()

	sink := new(connecttest.FakeSink)
	run := connecttest.RunSink(t, sink, connect.Config{connecttest.FailOn: "put#2", connecttest.FailWith: "retriable"})
	run.Put(connect.Record{Topic: "t", Value: "a"})
	err := run.TryPut(connect.Record{Topic: "t", Value: "b"})
	fmt.Println(err, connect.IsRetriable(err), errors.Is(err, connecttest.ErrScripted))
	run.Put(connect.Record{Topic: "t", Value: "b"})
	fmt.Println(len(sink.Records()), sink.Count("put"))
	// Output:
	// put#2: scripted failure true true
	// 2 3
}
