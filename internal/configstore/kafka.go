package configstore

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/gokconnect/connect/internal/javatext"
	"github.com/gokconnect/connect/internal/kafkalog"
)

// KafkaConfig says which topic a [Kafka] store uses.
type KafkaConfig struct {
	// Topic is config.storage.topic: created if it is absent, refused if it is not compacted or has more than one
	// partition. Its Name is required; Partitions are always 1.
	Topic kafkalog.Topic
	// CreateTimeout is how long to wait for enough brokers to create the topic; 0 is a minute.
	CreateTimeout time.Duration
	// Client are the options of the client that reads the topic.
	Client []kgo.Opt
	// Producer writes what needs no transaction. It may be shared, and outlives the store. Nil, and the reading client
	// does.
	Producer kafkalog.Producer
	// Leader are the options of the client that the leader writes with, its transactional id among them. Nil, and there
	// are no transactions: every instance can write.
	Leader []kgo.Opt
	// ReadCommitted must be set where the leader writes in transactions.
	ReadCommitted bool
	// LoseBatches makes records that can't be used do what they do to a worker of Kafka Connect: see [Effect]. Otherwise
	// each is skipped alone.
	LoseBatches bool
	// OnEvent is told what changed after Start, in order and never concurrently. It must return soon, and not wait for
	// the store. Nil ignores it.
	OnEvent func(Event)
	// OnError is told of records that can't be used, and of trouble with the cluster while the store keeps trying. Never
	// concurrently. Nil ignores them.
	OnError func(error)
}

// Kafka is a [Store] in Kafka Connect's config topic. If the topic is deleted and created anew, what was configured
// stays, and what is in the new topic comes on top.
type Kafka struct {
	held
	*Writer
	cfg KafkaConfig
	log *kafkalog.Log

	mu    sync.Mutex
	fatal error // what keeps the store from starting
}

// NewKafka returns a store that is not started.
func NewKafka(cfg KafkaConfig) *Kafka {
	if cfg.CreateTimeout == 0 {
		cfg.CreateTimeout = time.Minute
	}
	if cfg.OnEvent == nil {
		cfg.OnEvent = func(Event) {}
	}
	cfg.Topic.Partitions, cfg.Topic.SinglePartition = 1, true
	cfg.Topic.Property, cfg.Topic.Content = "config.storage.topic", "connector configurations"
	k := &Kafka{held: held{state: NewState()}, cfg: cfg}
	k.log = kafkalog.New(kafkalog.Config{
		Topic: cfg.Topic.Name, Client: cfg.Client, Producer: cfg.Producer, ReadCommitted: cfg.ReadCommitted, OnError: cfg.OnError, Apply: k.take,
	})
	var claim func(context.Context) (Transactor, error)
	if cfg.Leader != nil {
		claim = k.newTransactor
	}
	k.Writer = NewWriter(k, claim)
	return k
}

func (k *Kafka) take(r *kgo.Record) error {
	if r.Key == nil {
		return errors.New("the record has no key")
	}
	key := javatext.DecodeUTF8(r.Key)
	err := k.apply(r.Offset, key, r.Value, k.cfg.OnEvent)
	if err == nil {
		return nil
	}
	var bad *BadRecord
	if k.cfg.LoseBatches && errors.As(err, &bad) && bad.Effect != Skipped {
		if bad.Effect == StopsReader {
			k.fail(err)
		}
		return fmt.Errorf("key %q: %w: %w", key, err, kafkalog.ErrSkipBatch)
	}
	return fmt.Errorf("key %q: %w", key, err)
}

func (k *Kafka) fail(err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.fatal == nil {
		k.fatal = err
	}
}

// Start implements [Store]: it creates or checks the topic and reads it to its end. A topic that can't be used is a
// *[connect.ConfigError].
func (k *Kafka) Start(ctx context.Context) error {
	client, err := kgo.NewClient(k.cfg.Client...)
	if err != nil {
		return err
	}
	defer client.Close()
	if err := kafkalog.Ensure(ctx, kadm.NewClient(client), k.cfg.Topic, k.cfg.CreateTimeout); err != nil {
		return err
	}
	if err := k.log.Start(ctx); err != nil {
		return err
	}
	k.mu.Lock()
	fatal := k.fatal
	k.mu.Unlock()
	if fatal != nil {
		k.log.Stop()
		return fmt.Errorf("reading topic %s: %w", k.cfg.Topic.Name, fatal)
	}
	k.start()
	return nil
}

// Stop implements [Store]. No goroutine of the store is left when it returns. It waits for a write that is under way: end
// its context first.
func (k *Kafka) Stop() {
	k.log.Stop()
	k.Release()
}

// Refresh implements [Store].
func (k *Kafka) Refresh(ctx context.Context) error { return k.log.ReadToEnd(ctx) }

// ReadToEnd implements [Topic].
func (k *Kafka) ReadToEnd(ctx context.Context) error { return k.log.ReadToEnd(ctx) }

// Send implements [Topic].
func (k *Kafka) Send(ctx context.Context, records ...Record) error {
	return k.log.Append(ctx, kafkaRecords(k.cfg.Topic.Name, records)...)
}

func kafkaRecords(topic string, records []Record) []*kgo.Record {
	made := make([]*kgo.Record, len(records))
	for i, r := range records {
		made[i] = &kgo.Record{Topic: topic, Key: []byte(r.Key), Value: r.Value}
	}
	return made
}

// transactor is the leader's client. It is thrown away after the first error: whatever went wrong, a new one knows
// how matters stand.
type transactor struct {
	client *kgo.Client
	topic  string
}

func (k *Kafka) newTransactor(ctx context.Context) (Transactor, error) {
	client, err := kgo.NewClient(k.cfg.Leader...)
	if err != nil {
		return nil, err
	}
	if _, _, err := client.ProducerID(ctx); err != nil { // this fences the leader before
		client.Close()
		return nil, err
	}
	return &transactor{client, k.cfg.Topic.Name}, nil
}

func (t *transactor) Transact(ctx context.Context, records ...Record) error {
	if err := t.client.BeginTransaction(); err != nil {
		return err
	}
	if err := kafkalog.Produce(ctx, t.client, kafkaRecords(t.topic, records)...); err != nil {
		return err // the transaction ends when somebody claims, or after its timeout
	}
	if err := kafkalog.AwaitTopic(ctx, t.client, t.topic); err != nil {
		return err
	}
	return t.client.EndTransaction(ctx, kgo.TryCommit)
}

func (t *transactor) Close() { t.client.Close() }
