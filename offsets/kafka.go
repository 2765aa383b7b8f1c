package offsets

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/kafkalog"
	"github.com/gokconnect/connect/internal/offsetcodec"
)

// KafkaConfig says which topic a [Kafka] store uses. Topic and Client are required.
type KafkaConfig struct {
	// Topic is the offsets topic (offset.storage.topic). It is created if it is absent; one that is not compacted is
	// refused.
	Topic string
	// Client are the options of the client that reads the topic, and writes it if Producer is nil.
	Client []kgo.Opt
	// Producer writes. It may be shared, and outlives the store. Its acknowledgements must be those of all replicas.
	Producer Producer
	// Partitions of the topic if it is created; 0 is 25, -1 the broker's default.
	Partitions int32
	// ReplicationFactor of the topic if it is created; 0 is 3, -1 the broker's default.
	ReplicationFactor int16
	// Settings of the topic if it is created, besides cleanup.policy=compact.
	Settings map[string]string
	// ReadCommitted must be set where tasks with exactly-once support store their offsets in transactions. Reading then
	// waits for transactions that are open.
	ReadCommitted bool
	// CreateTimeout is how long to wait for enough brokers to create the topic; 0 is a minute.
	CreateTimeout time.Duration
	// Property is the configuration key that names the topic, for errors; "" is offset.storage.topic.
	Property string
	// OnError is told of records of the topic that can't be used, which are skipped, and of trouble with the cluster
	// while the store keeps trying. Never concurrently. Nil ignores them.
	OnError func(error)
}

// Producer is what a [Kafka] store writes with: a *kgo.Client, or something that guards one.
type Producer interface {
	Produce(ctx context.Context, r *kgo.Record, promise func(*kgo.Record, error))
}

// Kafka is a [Store] in a compacted topic, for many instances: the offsets topic of Kafka Connect's distributed worker.
// It holds the content of the topic in memory. A Kafka must be started.
//
// A Set is not one transaction: it fails as a whole when one record fails, but the others may be written.
type Kafka struct {
	cfg  KafkaConfig
	log  *kafkalog.Log
	held held
}

// NewKafka returns a store that is not started.
func NewKafka(cfg KafkaConfig) *Kafka {
	if cfg.Partitions == 0 {
		cfg.Partitions = 25
	}
	if cfg.ReplicationFactor == 0 {
		cfg.ReplicationFactor = 3
	}
	if cfg.CreateTimeout == 0 {
		cfg.CreateTimeout = time.Minute
	}
	if cfg.Property == "" {
		cfg.Property = "offset.storage.topic"
	}
	k := &Kafka{cfg: cfg}
	k.log = kafkalog.New(kafkalog.Config{
		Topic: cfg.Topic, Client: cfg.Client, Producer: cfg.Producer, ReadCommitted: cfg.ReadCommitted, StartStable: cfg.ReadCommitted, OnError: cfg.OnError,
		Apply: func(r *kgo.Record) error {
			return k.held.apply(offsetcodec.Record{Key: r.Key, Value: r.Value}, r.Timestamp)
		},
	})
	return k
}

// Start implements [Starter]: it creates or checks the topic and reads it to its end. A topic that can't be used is a
// *[connect.ConfigError].
func (k *Kafka) Start(ctx context.Context) error {
	if err := k.ensure(ctx); err != nil {
		return err
	}
	return k.log.Start(ctx)
}

func (k *Kafka) ensure(ctx context.Context) error {
	client, err := kgo.NewClient(k.cfg.Client...)
	if err != nil {
		return err
	}
	defer client.Close()
	return kafkalog.Ensure(ctx, kadm.NewClient(client), kafkalog.Topic{
		Name: k.cfg.Topic, Partitions: k.cfg.Partitions, ReplicationFactor: k.cfg.ReplicationFactor, Settings: k.cfg.Settings,
		Property: k.cfg.Property, Content: "source connector offsets",
	}, k.cfg.CreateTimeout)
}

// Close implements [io.Closer]. No goroutine of the store is left when it returns.
func (k *Kafka) Close() error {
	k.log.Stop()
	return nil
}

// Get implements [Store]. It reads the topic to its end first.
func (k *Kafka) Get(ctx context.Context, connector string, partitions []connect.Fields) ([]connect.Fields, error) {
	if err := k.log.ReadToEnd(ctx); err != nil {
		return nil, err
	}
	return k.held.get(connector, partitions)
}

// List implements [Store]. It reads the topic to its end first.
func (k *Kafka) List(ctx context.Context, connector string) ([]connect.PartitionOffset, error) {
	if err := k.log.ReadToEnd(ctx); err != nil {
		return nil, err
	}
	return k.held.list(connector), nil
}

// Set implements [Store].
func (k *Kafka) Set(ctx context.Context, connector string, entries []connect.PartitionOffset) error {
	records, err := k.Records(connector, entries)
	if err != nil {
		return err
	}
	return k.log.Append(ctx, records...)
}

// Topic returns the name of the topic.
func (k *Kafka) Topic() string { return k.cfg.Topic }

// Records returns the records that Set would write, for one who writes them in a transaction. A partition that the
// store knows keeps the key that it has in the topic.
func (k *Kafka) Records(connector string, entries []connect.PartitionOffset) ([]*kgo.Record, error) {
	k.held.mu.RLock()
	encoded, err := k.held.table.Encode(connector, entries)
	k.held.mu.RUnlock()
	if err != nil {
		return nil, err
	}
	now := time.Now() // the same for all: see offsetcodec.Table.Apply
	records := make([]*kgo.Record, len(encoded))
	for i, r := range encoded {
		records[i] = &kgo.Record{Topic: k.cfg.Topic, Key: r.Key, Value: r.Value, Timestamp: now}
	}
	return records, nil
}
