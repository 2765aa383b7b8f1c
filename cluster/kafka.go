package cluster

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/clients"
	"github.com/gokconnect/connect/internal/configprovider"
	"github.com/gokconnect/connect/internal/configstore"
	"github.com/gokconnect/connect/internal/connconfig"
	"github.com/gokconnect/connect/internal/group"
	"github.com/gokconnect/connect/internal/javaerror"
	"github.com/gokconnect/connect/internal/javaregexp"
	"github.com/gokconnect/connect/internal/kafkalog"
	"github.com/gokconnect/connect/offsets"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// kafka is what a running instance has open: clients, the offset store, the config providers.
type kafka struct {
	rt        *Runtime
	props     clients.Worker
	options   clients.Options
	pool      clients.Pool
	client    *kgo.Client // admin requests of the runtime itself, and its internal topics
	admin     *kadm.Client
	offsets   offsets.Store
	own       ownStores
	providers *configprovider.Transformer
}

// reachTimeout is how long a start waits for the first answer of a broker.
const reachTimeout = 30 * time.Second

// clientOptions is what every client gets.
func (rt *Runtime) clientOptions() clients.Options {
	return clients.Options{Base: rt.cfg.Client, KeyStores: rt.cfg.KeyStores, Mechanism: clients.MechanismFunc(rt.cfg.Mechanism)}
}

func (rt *Runtime) openKafka(ctx context.Context) (_ *kafka, err error) {
	k := &kafka{rt: rt, options: rt.clientOptions()}
	k.pool = clients.Pool{Options: k.options, ClientID: "connector-producer-" + rt.cfg.GroupID}
	defer func() {
		if err != nil {
			k.close()
		}
	}()
	k.props = clients.Worker{Config: rt.worker}
	if k.providers, err = configprovider.Configure(rt.plugins.Load(), rt.worker); err != nil {
		return nil, err
	}
	k.providers.Lend(rt.cfg.Providers)
	own, warnings, err := k.options.Admin(k.props.StoreAdmin())
	if err != nil {
		return nil, err
	}
	k.warn(warnings.Without(k.props.Config))
	if k.client, err = kgo.NewClient(own...); err != nil {
		return nil, err
	}
	k.admin = kadm.NewClient(k.client)
	if err := k.reach(ctx); err != nil {
		return nil, err
	}
	if rt.coordinator = rt.cfg.Coordinator; rt.coordinator == nil {
		if rt.coordinator, err = k.group(); err != nil {
			return nil, err
		}
	}
	if rt.store, err = k.configStore(ctx); err != nil {
		return nil, err
	}
	return k, nil
}

// startStores makes ready what is kept: what is configured, statuses and offsets, all at once, since each waits for a topic to
// be made and read. The first error ends the other starts, except that of a store of the application.
func (k *kafka) startStores(ctx context.Context) error {
	starting, cancel := context.WithCancel(ctx)
	defer cancel()
	var group sync.WaitGroup
	var once sync.Once
	var first error
	start := func(what string, f func() error) {
		group.Go(func() {
			if err := f(); err != nil {
				once.Do(func() { first = fmt.Errorf("%s: %w", what, err) })
				cancel()
			}
		})
	}
	start("config store", func() error { return k.rt.store.Start(starting) })
	start("status store", func() error { return k.shareStatuses(starting) })
	start("offset store", func() error {
		if k.rt.cfg.Offsets != nil {
			return k.startOffsets(ctx, k.rt.cfg.Offsets) // it may keep the context
		}
		store, err := k.offsetsTopic(starting)
		if err != nil {
			return err
		}
		return k.startOffsets(starting, store)
	})
	group.Go(func() { k.lookForConfigs(starting) })
	group.Wait()
	return first
}

// lookForConfigs finds out whether there is nothing configured yet since there is no topic for it: what requests want to know
// then needs no topic to be made.
func (k *kafka) lookForConfigs(ctx context.Context) {
	if k.rt.cfg.javaDefaults || k.rt.standalone() || len(k.rt.declaredNow()) > 0 {
		return
	}
	if exists, err := topicExists(ctx, k.client, k.rt.settings.ConfigTopic.Name); err == nil && !exists {
		close(k.rt.vacant)
	}
}

// startsVacant waits until it is known, and reports, whether the instance starts and there is nothing configured. It is false
// once the instance has read what is.
func (rt *Runtime) startsVacant(ctx context.Context) bool {
	select {
	case <-rt.vacant:
	case <-rt.started:
	case <-rt.ended:
	case <-ctx.Done():
	}
	select {
	case <-rt.vacant:
	default:
		return false
	}
	select {
	case <-rt.ended:
		return false
	default:
		return !rt.ready.Load() && rt.store.Snapshot().Offset < 0 // another instance may have made the topic
	}
}

// startOffsets makes the store of offsets ready.
func (k *kafka) startOffsets(ctx context.Context, store offsets.Store) error {
	if err := offsets.Start(ctx, store); err != nil {
		return err
	}
	k.offsets = store
	return nil
}

// group returns membership in the Kafka group that all instances share.
func (k *kafka) group() (Coordinator, error) {
	opts, warnings, err := k.options.Admin(k.props.StoreAdmin())
	if err != nil {
		return nil, err
	}
	k.warn(warnings.Without(k.props.Config))
	s := k.rt.settings
	if k.rt.meter != nil {
		opts = append(opts, kgo.WithHooks(groupHook{k.rt.meter}))
	}
	c, err := group.NewCoordinator(group.Config{
		Group: s.GroupID, Client: opts, SessionTimeout: s.SessionTimeout, HeartbeatInterval: s.HeartbeatInterval,
		RebalanceTimeout: s.RebalanceTimeout, Logger: k.rt.log,
	})
	if err != nil {
		return nil, err
	}
	return kafkaGroup{c}, nil
}

// configStore returns where the runtime keeps what is configured: an instance that is alone in memory, others in a topic.
func (k *kafka) configStore(ctx context.Context) (configstore.Store, error) {
	if _, alone := k.rt.coordinator.(*standalone); alone {
		return configstore.NewMemory(k.rt.onConfigured), nil
	}
	props, _ := k.props.ConfigConsumer()
	reader, _, warnings, err := k.options.Consumer(props)
	if err != nil {
		return nil, err
	}
	k.warn(warnings.Without(k.props.Config))
	leader, err := k.leaderProducer()
	if err != nil {
		return nil, err
	}
	topic := k.rt.settings.ConfigTopic
	store := configstore.NewKafka(configstore.KafkaConfig{
		Topic: kafkalog.Topic{
			Name: topic.Name, Property: "config.storage.topic", Content: "connector configurations", Partitions: 1, SinglePartition: true,
			ReplicationFactor: k.replication(ctx, topic.ReplicationFactor), Settings: topic.Settings,
		},
		Client: reader, LoseBatches: k.rt.cfg.javaDefaults, OnEvent: k.rt.onConfigured, Leader: leader, ReadCommitted: readCommitted(props),
		OnError: func(err error) { k.rt.log.Error("trouble with the config topic", "topic", topic.Name, "err", err) },
	})
	if leader != nil {
		return claimedStore{store}, nil
	}
	return store, nil
}

// leaderProducer returns the options of the client that the leader writes what is configured with, in transactions; nil where
// there are none.
func (k *kafka) leaderProducer() ([]kgo.Opt, error) {
	if !k.props.TransactionalLeader() {
		return nil, nil
	}
	props, ignored := k.props.ConfigLeaderProducer()
	for _, w := range ignored {
		k.rt.log.Warn(w)
	}
	opts, _, warnings, err := k.options.Producer(props)
	k.warn(warnings.Without(k.props.Config))
	return opts, err
}

// readCommitted reports whether a consumer with the properties reads what was committed alone.
func readCommitted(props map[string]string) bool {
	return strings.EqualFold(strings.TrimSpace(props["isolation.level"]), "read_committed")
}

func (k *kafka) offsetsTopic(ctx context.Context) (offsets.Store, error) {
	props, _ := k.props.WorkerOffsetsConsumer()
	reader, _, warnings, err := k.options.Consumer(props)
	if err != nil {
		return nil, err
	}
	k.warn(warnings.Without(k.props.Config))
	topic := k.rt.settings.OffsetTopic
	return offsets.NewKafka(offsets.KafkaConfig{
		Topic: topic.Name, Client: reader, Settings: topic.Settings, ReadCommitted: readCommitted(props),
		Partitions: topic.Partitions, ReplicationFactor: k.replication(ctx, topic.ReplicationFactor),
		OnError: func(err error) { k.rt.log.Error("trouble with the offsets topic", "topic", topic.Name, "err", err) },
	}), nil
}

func (k *kafka) warn(warnings clients.Warnings, attrs ...any) {
	for _, w := range warnings {
		k.rt.log.Warn(w.Message, append(attrs, "key", w.Key)...)
	}
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
	if k.rt.status.shared != nil {
		k.rt.status.shared.close()
	}
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

// producer returns the producer of a source task, which it shares with all tasks whose producers are configured alike.
func (k *kafka) producer(ctx context.Context, connector connect.Config, id connect.TaskID) (*clients.Lease, error) {
	return k.lease(ctx, connector, clients.TaskProducerID(id), id)
}

func (k *kafka) lease(ctx context.Context, connector connect.Config, clientID string, id connect.TaskID) (*clients.Lease, error) {
	lease, err := k.pool.Get(ctx, k.idempotent(k.props.Producer(connector, clientID), connector))
	if err != nil {
		return nil, fmt.Errorf("producer: %w", err)
	}
	k.warn(lease.Warnings, "connector", id.Connector, "task", id.Task)
	return lease, nil
}

// idempotent takes out what Kafka Connect sets so that its producers work with every broker, at the price of
// duplicates after a retry and of one request at a time. What the user sets stays.
func (k *kafka) idempotent(props map[string]string, connector connect.Config) map[string]string {
	if k.rt.cfg.javaDefaults {
		return props
	}
	for _, key := range []string{"enable.idempotence", "max.in.flight.requests.per.connection", "acks"} {
		if _, ok := connector[clients.ProducerOverrides+key]; ok {
			return props
		}
		if _, ok := k.props.Config["producer."+key]; ok {
			return props
		}
	}
	delete(props, "enable.idempotence")
	delete(props, "max.in.flight.requests.per.connection")
	return props
}

// consumerOf returns the options of a sink task's member of the connector's group.
func (k *kafka) consumerOf(connector connect.Config, id connect.TaskID) ([]kgo.Opt, clients.ConsumerExtra, error) {
	opts, extra, warnings, err := k.options.Consumer(k.props.Consumer(connector, id.Connector, clients.TaskConsumerID(id)))
	if err != nil {
		return nil, extra, fmt.Errorf("consumer: %w", err)
	}
	k.warn(warnings, "connector", id.Connector, "task", id.Task)
	return append(opts, extra.Group...), extra, nil
}

// topicPattern returns what the names of a sink's topics must match, or nil if it names them.
func topicPattern(s *connconfig.SinkConfig) (*javaregexp.Regexp, error) {
	if s.TopicsRegex == "" {
		return nil, nil
	}
	pattern, err := javaregexp.Compile(s.TopicsRegex)
	if err != nil {
		return nil, connect.ConfigErrorf("topics.regex", "Invalid value %s for configuration topics.regex: %v", s.TopicsRegex, err)
	}
	return pattern, nil
}

// makeDeadLetters makes the topic of dead letters, unless it is there.
func (k *kafka) makeDeadLetters(ctx context.Context, d connconfig.DeadLetters) error {
	exists, err := topicExists(ctx, k.client, d.Topic) // a topic that is there must not need the right to make it
	if err == nil && !exists {
		var made kadm.CreateTopicResponse
		made, err = k.admin.CreateTopic(ctx, 1, d.ReplicationFactor, nil, d.Topic)
		err = clients.JavaError(err, made.ErrMessage)
	}
	if err != nil && !errors.Is(err, kerr.TopicAlreadyExists) {
		wrapped := javaerror.New(javaerror.Execution, javaerror.Class(err)+": "+javaerror.Message(err), err)
		return javaerror.New(javaerror.Connect, "Could not initialize dead letter queue with topic="+d.Topic, wrapped)
	}
	return nil
}

// deadLetters returns the producer for a sink's dead letters, and makes the topic.
func (k *kafka) deadLetters(ctx context.Context, connector connect.Config, d connconfig.DeadLetters, id connect.TaskID) (*clients.Lease, error) {
	if err := k.makeDeadLetters(ctx, d); err != nil {
		return nil, err
	}
	return k.lease(ctx, connector, clients.DeadLetterProducerID(id), id)
}
