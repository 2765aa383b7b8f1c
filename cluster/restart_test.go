package cluster_test

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/gokconnect/connect/cluster"
)

// A connection that ends is tried again for long; any other failure is restarted three times.
func ExampleRestartPolicy() {
	cfg := cluster.Config{Brokers: []string{"localhost:9092"}, GroupID: "orders", Restart: cluster.RestartPolicy{
		Max: 3,
		Classes: []cluster.RestartClass{{
			Match:  func(err error) bool { return errors.Is(err, io.ErrUnexpectedEOF) },
			Policy: cluster.RestartPolicy{Max: 1000, Limit: 5 * time.Minute},
		}},
	}}
	fmt.Println(cfg.Restart.Max, cfg.Restart.Classes[0].Policy.Max)
	fmt.Println(len(cluster.KafkaConnectDefaults(cfg).Restart.Classes))
	// Output:
	// 3 1000
	// 0
}
