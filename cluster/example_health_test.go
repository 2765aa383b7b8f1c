package cluster_test

import (
	"context"
	"fmt"

	"github.com/gokconnect/connect/cluster"
)

func ExampleRuntime_Health() {
	rt, err := cluster.New(cluster.Config{Brokers: []string{"localhost:9092"}, GroupID: "orders"})
	if err != nil {
		fmt.Println(err)
		return
	}
	h := rt.Health(context.Background()) // before Run
	fmt.Println(h.Live, h.Ready, len(h.Reasons))
	// Output: true false 1
}
