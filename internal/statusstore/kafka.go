package statusstore

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/javatext"
	"github.com/gokconnect/connect/internal/kafkalog"
)

// KafkaConfig says which topic a [Kafka] store uses.
type KafkaConfig struct {
	// Topic is status.storage.topic: created if it is absent, refused if it is not compacted. Its Name is required;
	// Partitions of 0 are 5.
	Topic kafkalog.Topic
	// CreateTimeout is how long to wait for enough brokers to create the topic; 0 is a minute.
	CreateTimeout time.Duration
	// Client are the options of the client that reads the topic.
	Client []kgo.Opt
	// Producer writes. It may be shared, and outlives the store.
	Producer kafkalog.Producer
	// OnEvent is told what changed after Start, in order for one connector, task or topic and never concurrently. It must
	// return soon, and not wait for the store. Nil ignores it.
	OnEvent func(Event)
	// OnOutdated is told of statuses that could not be written for so long that they are not any more: a newer generation has begun, or
	// what they are of was removed. For a connector the task is -1. It is called on a goroutine of the store, and may put. Nil ignores it.
	OnOutdated func(connect.TaskID, Status)
	// OnError is told of records that can't be used, of statuses that could not be written, and of trouble with the
	// cluster while the store keeps trying. Perhaps concurrently. Nil ignores them.
	OnError func(error)
}

// Kafka is a [Store] in Kafka Connect's status topic.
type Kafka struct {
	held
	cfg KafkaConfig
	log *kafkalog.Log

	stop      context.CancelFunc
	resending sync.WaitGroup
	wake      chan struct{} // holds one

	mu      sync.Mutex
	failed  []*Put        // to be written again
	waiting int           // puts that are neither written nor given up
	drained chan struct{} // closed when waiting is 0, nil when nobody asked
}

// NewKafka returns a store that is not started.
func NewKafka(cfg KafkaConfig) *Kafka {
	if cfg.CreateTimeout == 0 {
		cfg.CreateTimeout = time.Minute
	}
	if cfg.Topic.Partitions == 0 {
		cfg.Topic.Partitions = 5
	}
	if cfg.OnEvent == nil {
		cfg.OnEvent = func(Event) {}
	}
	if cfg.OnOutdated == nil {
		cfg.OnOutdated = func(connect.TaskID, Status) {}
	}
	if cfg.OnError == nil {
		cfg.OnError = func(error) {}
	}
	cfg.Topic.Property, cfg.Topic.Content = "status.storage.topic", "connector and task statuses"
	k := &Kafka{held: held{cache: NewCache()}, cfg: cfg, wake: make(chan struct{}, 1)}
	k.log = kafkalog.New(kafkalog.Config{
		Topic: cfg.Topic.Name, Client: cfg.Client, Producer: cfg.Producer, OnError: cfg.OnError,
		Apply: func(r *kgo.Record) error {
			if r.Key == nil {
				return errors.New("the record has no key")
			}
			key := javatext.DecodeUTF8(r.Key)
			event, err := k.apply(key, r.Value)
			if err != nil {
				return fmt.Errorf("key %q: %w", key, err)
			}
			if event != nil {
				k.cfg.OnEvent(*event)
			}
			return nil
		},
	})
	return k
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
	k.start()
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	k.stop = stop
	k.resending.Go(func() { k.resend(run) })
	return nil
}

// Stop implements [Store]. No goroutine of the store is left when it returns.
func (k *Kafka) Stop() {
	if k.stop != nil {
		k.stop()
	}
	k.resending.Wait()
	k.log.Stop()
}

// Refresh implements [Store].
func (k *Kafka) Refresh(ctx context.Context) error { return k.log.ReadToEnd(ctx) }

// Flush implements [Store].
func (k *Kafka) Flush(ctx context.Context) error {
	k.mu.Lock()
	if k.waiting == 0 {
		k.mu.Unlock()
		return nil
	}
	if k.drained == nil {
		k.drained = make(chan struct{})
	}
	drained := k.drained
	k.mu.Unlock()
	select {
	case <-drained:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("waiting for statuses to be written: %w", context.Cause(ctx))
	}
}

// PutConnector implements [Store].
func (k *Kafka) PutConnector(name string, s Status, safe bool) {
	k.put(k.putConnector(name, s, safe))
}

// PutTask implements [Store].
func (k *Kafka) PutTask(id connect.TaskID, s Status, safe bool) { k.put(k.putTask(id, s, safe)) }

// PutTopic implements [Store].
func (k *Kafka) PutTopic(t Topic) { k.put(PutTopic(t)) }

// DeleteTopic implements [Store].
func (k *Kafka) DeleteTopic(connector, topic string) { k.put(DeleteTopic(connector, topic)) }

func (k *Kafka) put(p *Put) {
	if p == nil {
		return
	}
	k.mu.Lock()
	k.waiting++
	k.mu.Unlock()
	k.send(p)
}

func (k *Kafka) send(p *Put) {
	k.log.Produce(&kgo.Record{Key: []byte(p.Record.Key), Value: p.Record.Value}, func(_ *kgo.Record, err error) {
		switch {
		case err == nil:
			k.done()
		case retriable(err):
			k.mu.Lock()
			k.failed = append(k.failed, p)
			k.mu.Unlock()
			select {
			case k.wake <- struct{}{}:
			default:
			}
		default:
			k.cfg.OnError(fmt.Errorf("writing status %s: %w", p.Record.Key, err))
			k.done()
		}
	})
}

func retriable(err error) bool {
	var network net.Error
	return kerr.IsRetriable(err) || errors.Is(err, kgo.ErrRecordTimeout) || errors.Is(err, kgo.ErrRecordRetries) || errors.Is(err, kgo.ErrMaxBuffered) || errors.As(err, &network)
}

// done counts a put that was written or given up.
func (k *Kafka) done() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.waiting--; k.waiting == 0 && k.drained != nil {
		close(k.drained)
		k.drained = nil
	}
}

// resendPause is the wait before what failed is written again.
const resendPause = 100 * time.Millisecond

// resend writes again what failed, unless it is outdated by then.
func (k *Kafka) resend(ctx context.Context) {
	for {
		select {
		case <-k.wake:
		case <-ctx.Done():
			return
		}
		select {
		case <-time.After(resendPause):
		case <-ctx.Done():
			return
		}
		k.mu.Lock()
		failed := k.failed
		k.failed = nil
		k.mu.Unlock()
		for _, p := range failed {
			if k.outdated(p) {
				k.done()
				k.cfg.OnOutdated(p.id, p.status)
			} else {
				k.send(p)
			}
		}
	}
}
