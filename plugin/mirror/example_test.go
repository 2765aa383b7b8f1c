package mirror_test

import (
	"context"
	"fmt"
	"log"
	"strings"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/cluster"
	"github.com/gokconnect/connect/plugin/mirror"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// A mirror that is declared in Go: a connector of a worker that stands at the target.
func Example() {
	kafkas := make(map[string]*kfake.Cluster) // in memory
	for alias, topic := range map[string]string{"eu": "orders", "us": "others"} {
		kafka, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, topic))
		if err != nil {
			log.Fatal(err)
		}
		defer kafka.Close()
		kafkas[alias] = kafka
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	produceOrders(ctx, kafkas["eu"])

	options := mirror.Options{
		// For every client of the connectors: dialers, TLS, SASL, hooks.
		Client: func(alias string) []kgo.Opt { return []kgo.Opt{kgo.ClientID("mirror-" + alias)} },
	}
	rt, err := cluster.New(cluster.Config{
		Brokers: kafkas["us"].ListenAddrs(), GroupID: "mirror", // the worker's own, with Config.Client for its clients
		Plugins: new(connect.Registry).MustAdd(mirror.Plugins(options)...),
	})
	if err != nil {
		log.Fatal(err)
	}
	err = rt.Add(cluster.Configured{Name: "eu-us", Config: connect.Config{
		"connector.class":                  mirror.SourceClass,
		"source.cluster.alias":             "eu",
		"target.cluster.alias":             "us",
		"source.cluster.bootstrap.servers": kafkas["eu"].ListenAddrs()[0],
		"target.cluster.bootstrap.servers": kafkas["us"].ListenAddrs()[0],
		"topics":                           "orders",
		"key.converter":                    "ByteArrayConverter",
		"value.converter":                  "ByteArrayConverter",
		"header.converter":                 "ByteArrayConverter",
		// Where there is one broker: without these the topics are to have two and three replicas.
		"replication.factor":                    "1",
		"offset-syncs.topic.replication.factor": "1",
	}})
	if err != nil {
		log.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- rt.Run(ctx) }()

	consumer, err := kgo.NewClient(kgo.SeedBrokers(kafkas["us"].ListenAddrs()...), kgo.ConsumeTopics("eu.orders"),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.UnknownTopicRetries(-1), kgo.MetadataMinAge(100*time.Millisecond))
	if err != nil {
		log.Fatal(err)
	}
	defer consumer.Close()
	for n := 0; n < 3 && ctx.Err() == nil; {
		consumer.PollFetches(ctx).EachRecord(func(r *kgo.Record) {
			fmt.Println(r.Topic, r.Offset, string(r.Value))
			n++
		})
	}
	cancel()
	fmt.Println(<-done)
	// Output:
	// eu.orders 0 order 0
	// eu.orders 1 order 1
	// eu.orders 2 order 2
	// <nil>
}

// produceOrders writes three records.
func produceOrders(ctx context.Context, to *kfake.Cluster) {
	producer, err := kgo.NewClient(kgo.SeedBrokers(to.ListenAddrs()...))
	if err != nil {
		log.Fatal(err)
	}
	defer producer.Close()
	for i := range 3 {
		r := &kgo.Record{Topic: "orders", Value: fmt.Appendf(nil, "order %d", i)}
		if err := producer.ProduceSync(ctx, r).FirstErr(); err != nil {
			log.Fatal(err)
		}
	}
}

func ExamplePlugins() {
	registry := new(connect.Registry).MustAdd(mirror.Plugins(mirror.Options{})...)
	for _, p := range registry.List(connect.KindSource) {
		fmt.Println(p.Class, p.Version)
	}
	// Output:
	// org.apache.kafka.connect.mirror.MirrorCheckpointConnector 4.3.0
	// org.apache.kafka.connect.mirror.MirrorHeartbeatConnector 4.3.0
	// org.apache.kafka.connect.mirror.MirrorSourceConnector 4.3.0
}

// suffixed is a policy of a program's own: orders of eu is orders_at_eu everywhere else.
type suffixed struct{}

func (suffixed) FormatRemoteTopic(source, topic string) string { return topic + "_at_" + source }

func (suffixed) TopicSource(topic string) (string, bool) {
	i := strings.LastIndex(topic, "_at_")
	return topic[max(i+len("_at_"), 0):], i >= 0
}

func (suffixed) UpstreamTopic(topic string) (string, bool) {
	i := strings.LastIndex(topic, "_at_")
	return topic[:max(i, 0)], i >= 0
}

// A program brings a policy of its own, under a name that configurations use.
func ExampleReplicationPolicy() {
	options := mirror.Options{Policies: map[string]func(connect.Config) (mirror.ReplicationPolicy, error){
		"suffix": func(connect.Config) (mirror.ReplicationPolicy, error) { return suffixed{}, nil },
	}}
	flow, err := options.ParseSourceConfig(connect.Config{
		"name": "m", "connector.class": "MirrorSource", "source.cluster.alias": "eu", "target.cluster.alias": "us", "replication.policy.class": "suffix",
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(flow.RemoteTopic("orders"), flow.ShouldReplicate("orders"), flow.ShouldReplicate("orders_at_us"))
	// Output: orders_at_eu true false
}

// service makes topics in place of the brokers' users, who may not.
type service struct{ brokers *kgo.Client }

func (s service) Request(ctx context.Context, req kmsg.Request) (kmsg.Response, error) {
	create, ok := req.(*kmsg.CreateTopicsRequest)
	if !ok {
		return s.brokers.Request(ctx, req) // as without it
	}
	resp := create.ResponseKind().(*kmsg.CreateTopicsResponse)
	for _, t := range create.Topics {
		fmt.Println("please make", t.Topic)
		one := kmsg.NewCreateTopicsResponseTopic()
		one.Topic = t.Topic
		resp.Topics = append(resp.Topics, one)
	}
	return resp, nil
}

// Topics are made by a service of the program's, which forwarding.admin.class = service names.
func ExampleAdmin() {
	options := mirror.Options{Admins: map[string]mirror.MakeAdmin{
		"service": func(_ connect.Config, _ mirror.Side, client *kgo.Client) (mirror.Admin, error) {
			return service{client}, nil
		},
	}}
	_, err := options.ParseSourceConfig(connect.Config{
		"name": "m", "connector.class": "MirrorSource", "source.cluster.alias": "eu", "target.cluster.alias": "us", "forwarding.admin.class": "service",
	})
	fmt.Println(err)

	admin, err := options.Admins["service"](nil, mirror.Target, nil) // as a connector does when it starts
	if err != nil {
		log.Fatal(err)
	}
	req := kmsg.NewPtrCreateTopicsRequest()
	req.Topics = append(req.Topics, kmsg.CreateTopicsRequestTopic{Topic: "eu.orders"})
	resp, err := admin.Request(context.Background(), req)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(resp.(*kmsg.CreateTopicsResponse).Topics), "was made")
	// Output:
	// <nil>
	// please make eu.orders
	// 1 was made
}

func ExampleNaming() {
	names := mirror.Naming{ReplicationPolicy: new(mirror.DefaultReplicationPolicy)}
	topics := []string{"orders", "eu.orders", "eu.heartbeats", "us.eu.heartbeats", "eu.checkpoints.internal"}
	fmt.Println(names.RemoteTopics(topics, ""))
	fmt.Println(names.UpstreamClusters(topics), names.ReplicationHops(topics, "eu"))
	// Output:
	// [eu.heartbeats eu.orders us.eu.heartbeats]
	// [eu us] 1
}

// A consumer group of the cluster eu moves to another cluster: it goes on where checkpoints say.
func ExampleClient_TranslateOffsets() {
	us, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "eu.checkpoints.internal"))
	if err != nil {
		log.Fatal(err)
	}
	defer us.Close()
	ctx := context.Background()
	writeCheckpoint(us, mirror.Checkpoint{Group: "billing", TopicPartition: mirror.TopicPartition{Topic: "eu.orders"}, Upstream: 1000, Downstream: 950})

	client, err := mirror.NewClient(nil, kgo.SeedBrokers(us.ListenAddrs()...))
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	offsets, err := client.TranslateOffsets(ctx, "eu", "billing")
	if err != nil {
		log.Fatal(err)
	}
	for tp, offset := range offsets {
		fmt.Println(tp, offset.Offset)
	}
	// Output: eu.orders-0 950
}

// writeCheckpoint writes what MirrorCheckpointConnector writes.
func writeCheckpoint(to *kfake.Cluster, p mirror.Checkpoint) {
	producer, err := kgo.NewClient(kgo.SeedBrokers(to.ListenAddrs()...))
	if err != nil {
		log.Fatal(err)
	}
	defer producer.Close()
	key, err := p.Key()
	if err != nil {
		log.Fatal(err)
	}
	value, err := p.Value()
	if err != nil {
		log.Fatal(err)
	}
	if err := producer.ProduceSync(context.Background(), &kgo.Record{Topic: "eu.checkpoints.internal", Key: key, Value: value}).FirstErr(); err != nil {
		log.Fatal(err)
	}
}
