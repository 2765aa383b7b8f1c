package offsets_test

import (
	"context"
	"fmt"

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
