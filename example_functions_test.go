package connect_test

import (
	"context"
	"fmt"
	"iter"

	"github.com/gokconnect/connect"
)

func ExampleSinkFunc() {
	audit := connect.SinkFunc(func(ctx context.Context, records []connect.SinkRecord) error {
		for _, r := range records {
			fmt.Println(r.Origin, r.Offset, r.Value)
		}
		return nil
	})
	// A runtime makes a task, starts it and puts records into it.
	err := audit.NewTask().Put(context.Background(), []connect.SinkRecord{
		{Record: connect.Record{Topic: "orders", Value: "one"}, Origin: connect.TopicPartition{Topic: "orders"}, Offset: 7},
	})
	fmt.Println(err)
	// Output:
	// orders-0 7 one
	// <nil>
}

func ExamplePartitioned() {
	type Shard struct{ ID int }
	type Cursor struct{ Row int }

	rows := map[Shard][]string{{1}: {"a", "b"}, {2}: {"c"}}

	orders := &connect.Partitioned[Shard, Cursor]{
		Topic: "orders",
		Partitions: func(ctx context.Context) ([]Shard, error) {
			return []Shard{{1}, {2}}, nil
		},
		Read: func(ctx context.Context, s Shard, from *Cursor) iter.Seq2[connect.Emit[Cursor], error] {
			return func(yield func(connect.Emit[Cursor], error) bool) {
				next := 0
				if from != nil {
					next = from.Row + 1
				}
				for ; next < len(rows[s]); next++ {
					r := connect.Record{ValueSchema: connect.StringSchema, Value: rows[s][next]}
					if !yield(connect.Emit[Cursor]{Record: r, Offset: Cursor{next}}, nil) {
						return
					}
				}
			}
		},
	}

	// A runtime asks how to divide the work.
	tasks, err := orders.TaskConfigs(context.Background(), 5)
	fmt.Println(tasks, err)
	// Output: [map[partitions:[{"ID":1}]] map[partitions:[{"ID":2}]]] <nil>
}

func ExampleSourceFunc() {
	numbers := connect.SourceFunc(func(ctx context.Context, from connect.Fields) iter.Seq2[connect.SourceRecord, error] {
		return func(yield func(connect.SourceRecord, error) bool) {
			n, _ := from["n"].(int64) // integers are read back as int64
			for ; ctx.Err() == nil; n++ {
				r := connect.SourceRecord{
					Record:       connect.Record{Topic: "numbers", ValueSchema: connect.Int64Schema, Value: n},
					SourceOffset: connect.Fields{"n": n + 1},
				}
				if !yield(r, nil) {
					return
				}
			}
		}
	})
	for r := range numbers(context.Background(), connect.Fields{"n": int64(5)}) {
		fmt.Println(r.Value)
		break
	}
	// Output: 5
}
