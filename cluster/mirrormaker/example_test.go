package mirrormaker_test

import (
	"context"
	"fmt"
	"log"
	"log/slog"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/cluster/mirrormaker"
	"github.com/gokconnect/connect/plugin/mirror"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

// kafka is a cluster for the example, which ends with the program.
func kafka() (addr string) {
	k, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "orders"))
	if err != nil {
		log.Fatal(err)
	}
	return k.ListenAddrs()[0]
}

// Records of one cluster are copied to another. In a program the context ends with a signal, and the properties come from
// a file: cluster.LoadProperties reads one.
func Example() {
	east, west := kafka(), kafka()
	flows, err := mirror.Options{}.ParseFlows(connect.Config{
		"clusters":               "east, west",
		"east.bootstrap.servers": east,
		"west.bootstrap.servers": west,
		"east->west.enabled":     "true",
		"east->west.topics":      "orders",

		"replication.factor": "1", "offset-syncs.topic.replication.factor": "1", "checkpoints.topic.replication.factor": "1", "heartbeats.topic.replication.factor": "1",
		"config.storage.replication.factor": "1", "offset.storage.replication.factor": "1", "status.storage.replication.factor": "1",
	})
	if err != nil {
		log.Fatal(err)
	}
	maker, err := mirrormaker.New(mirrormaker.Config{Flows: flows, Clusters: []string{"west"}, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(maker.Flows())

	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	ended := make(chan error, 1)
	go func() { ended <- maker.Run(ctx) }()

	producer, err := kgo.NewClient(kgo.SeedBrokers(east))
	if err != nil {
		log.Fatal(err)
	}
	defer producer.Close()
	if err := producer.ProduceSync(ctx, &kgo.Record{Topic: "orders", Value: []byte("three apples")}).FirstErr(); err != nil {
		log.Fatal(err)
	}
	consumer, err := kgo.NewClient(kgo.SeedBrokers(west), kgo.ConsumeTopics("east.orders"), kgo.MetadataMinAge(10*time.Millisecond), kgo.MetadataMaxAge(100*time.Millisecond))
	if err != nil {
		log.Fatal(err)
	}
	defer consumer.Close()
	for _, r := range consumer.PollFetches(ctx).Records() {
		fmt.Printf("%s: %s\n", r.Topic, r.Value)
	}
	cancel()
	fmt.Println(<-ended)
	// Output:
	// [east->west]
	// east.orders: three apples
	// <nil>
}
