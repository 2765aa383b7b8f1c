package cluster

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/configprovider"
	"github.com/gokconnect/connect/internal/javaregexp"
	"github.com/gokconnect/connect/internal/worker"
	"github.com/gokconnect/connect/offsets"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// kafka is what a running instance has open: clients, the offset store, the config providers.
type kafka struct {
	rt        *Runtime
	client    *kgo.Client // admin requests, and the producer that tasks share
	admin     *kadm.Client
	offsets   offsets.Store
	providers *configprovider.Transformer
}

// reachTimeout is how long a start waits for the first answer of a broker.
const reachTimeout = 30 * time.Second

func (rt *Runtime) openKafka(ctx context.Context) (_ *kafka, err error) {
	k := &kafka{rt: rt}
	defer func() {
		if err != nil {
			k.close()
		}
	}()
	if k.providers, err = configprovider.Configure(rt.plugins, rt.cfg.Worker); err != nil {
		return nil, err
	}
	if k.client, err = kgo.NewClient(k.options(
		kgo.ClientID(rt.cfg.GroupID), kgo.RecordPartitioner(worker.Partitioner()),
		kgo.MaxBufferedRecords(1_000_000), kgo.MaxBufferedBytes(256<<20), // every task has a bound of its own
	)...); err != nil {
		return nil, err
	}
	k.admin = kadm.NewClient(k.client)
	if err := k.reach(ctx); err != nil {
		return nil, err
	}
	k.offsets = rt.cfg.Offsets
	if k.offsets == nil {
		k.offsets = offsets.NewKafka(offsets.KafkaConfig{
			Topic: rt.settings.offsetsTopic, Client: k.options(), Producer: k.client,
			Partitions: rt.settings.offsetsParts, ReplicationFactor: k.replication(ctx, rt.settings.offsetsRF),
			OnError: func(err error) {
				rt.log.Error("trouble with the offsets topic", "topic", rt.settings.offsetsTopic, "err", err)
			},
		})
	}
	if err := offsets.Start(ctx, k.offsets); err != nil {
		k.offsets = nil
		return nil, fmt.Errorf("offset store: %w", err)
	}
	return k, nil
}

// reach waits for a broker, and says which could not be reached.
func (k *kafka) reach(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, reachTimeout)
	defer cancel()
	var last error
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, 2*time.Second) {
		if last = k.client.Ping(ctx); last == nil {
			return nil
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return fmt.Errorf("none of the brokers %v can be reached: %w", k.rt.cfg.Brokers, last)
		}
	}
}

// replication returns the wanted replication factor, or the number of brokers if that is smaller and no factor was
// asked for.
func (k *kafka) replication(ctx context.Context, wanted int16) int16 {
	if _, asked := k.rt.cfg.Worker["offset.storage.replication.factor"]; asked {
		return wanted
	}
	brokers, err := k.admin.ListBrokers(ctx)
	if err != nil || len(brokers) == 0 {
		return wanted
	}
	return min(wanted, int16(len(brokers)))
}

func (k *kafka) close() {
	if k.offsets != nil {
		if err := offsets.Close(k.offsets); err != nil {
			k.rt.log.Error("offset store could not be closed", "err", err)
		}
	}
	if k.client != nil {
		k.client.Close()
	}
	if k.providers != nil {
		if err := k.providers.Close(); err != nil {
			k.rt.log.Error("config providers could not be closed", "err", err)
		}
	}
}

// options are those of every client, and more.
func (k *kafka) options(more ...kgo.Opt) []kgo.Opt {
	base := []kgo.Opt{kgo.SeedBrokers(k.rt.cfg.Brokers...), kgo.DisableClientMetrics(), kgo.MaxDecompressBatchBytes(1 << 30)}
	return append(append(base, more...), k.rt.cfg.Client...)
}

// producer returns the producer of a source task.
func (k *kafka) producer(connect.Config, connect.TaskID) (worker.Producer, func(), error) {
	return k.client, func() {}, nil
}

// maxPollRecords is how many records Put gets at most.
func (k *kafka) maxPollRecords(connect.Config) int { return 500 }

// consumer returns a sink task's member of the connector's group.
func (k *kafka) consumer(_ connect.Config, s connectorSettings, id connect.TaskID, more []kgo.Opt) (*kgo.Client, error) {
	opts := []kgo.Opt{
		kgo.ClientID("connector-consumer-" + id.String()),
		kgo.ConsumerGroup("connect-" + id.Connector),
		kgo.Balancers(kgo.RangeBalancer(), kgo.CooperativeStickyBalancer()),
		kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchMaxBytes(8 << 20), kgo.FetchMaxPartitionBytes(1 << 20), kgo.MaxConcurrentFetches(2), kgo.FetchMaxWait(500 * time.Millisecond),
	}
	if s.topicsRegex != "" {
		pattern, err := javaregexp.Compile(s.topicsRegex)
		if err != nil {
			return nil, err
		}
		_ = pattern
		opts = append(opts, kgo.ConsumeRegex(), kgo.ConsumeTopics("^(?:"+s.topicsRegex+")$"))
	} else {
		opts = append(opts, kgo.ConsumeTopics(s.topics...))
	}
	return kgo.NewClient(k.options(append(opts, more...)...)...)
}

// deadLetters returns the producer for dead letters, and makes the topic.
func (k *kafka) deadLetters(ctx context.Context, _ connect.Config, s connectorSettings, _ connect.TaskID) (worker.Producer, func(), error) {
	_, err := k.admin.CreateTopic(ctx, 1, s.deadRF, nil, s.deadLetters)
	if err != nil && !errors.Is(err, kerr.TopicAlreadyExists) {
		return nil, nil, fmt.Errorf("Could not initialize dead letter queue with topic=%s: %w", s.deadLetters, err)
	}
	return k.client, func() {}, nil
}
