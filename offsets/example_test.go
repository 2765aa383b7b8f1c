package offsets_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/offsets"
)

func ExampleMemory() {
	ctx := context.Background()
	var store offsets.Memory
	partition := connect.Fields{"filename": "orders.txt"}
	err := store.Set(ctx, "orders", []connect.PartitionOffset{{Partition: partition, Offset: connect.Fields{"position": 42}}})
	if err != nil {
		fmt.Println(err)
		return
	}
	offset, err := offsets.NewReader(&store, "orders", nil).Offset(ctx, partition)
	fmt.Println(offset, err)
	// Output: map[position:42] <nil>
}

// A file in place of a topic suits a runtime that is alone.
func ExampleFile() {
	dir, err := os.MkdirTemp("", "offsets")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()
	partition := connect.Fields{"filename": "orders.txt"}
	for _, position := range []int{42, 99} {
		store := &offsets.File{Path: filepath.Join(dir, "connect.offsets")} // in a service: cluster.Config.Offsets
		if err := offsets.Start(ctx, store); err != nil {
			fmt.Println(err)
			return
		}
		before, err := offsets.NewReader(store, "orders", nil).Offset(ctx, partition)
		fmt.Println(before, err)
		err = store.Set(ctx, "orders", []connect.PartitionOffset{{Partition: partition, Offset: connect.Fields{"position": position}}})
		fmt.Println(errors.Join(err, offsets.Close(store)))
	}
	// Output:
	// map[] <nil>
	// <nil>
	// map[position:42] <nil>
	// <nil>
}
