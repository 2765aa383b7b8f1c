package clients

import (
	"maps"
	"strings"
	"time"

	"github.com/gokconnect/connect"
)

// Worker is what of a worker decides on the properties of clients. Its methods return the properties of one client, each
// time a new map; overrides must have passed the policy, see [CheckOverrides].
type Worker struct {
	// Config is the worker's configuration, as it was given.
	Config connect.Config
	// ClusterID is the id of the Kafka cluster.
	ClusterID string
}

// Prefixes of client properties in the configurations of connectors.
const (
	ProducerOverrides = "producer.override."
	ConsumerOverrides = "consumer.override."
	AdminOverrides    = "admin.override."
)

const (
	serializerPackage = "org.apache.kafka.common.serialization."
	bytesSerializer   = serializerPackage + "ByteArraySerializer"
	bytesDeserializer = serializerPackage + "ByteArrayDeserializer"
	textSerializer    = serializerPackage + "StringSerializer"
	textDeserializer  = serializerPackage + "StringDeserializer"

	longestBlock    = "9223372036854775807"
	longestDelivery = "2147483647"
)

// GroupID returns the worker's group.id, or "" for a standalone worker.
func (w Worker) GroupID() string { return strings.TrimSpace(w.Config["group.id"]) }

// bootstrap returns the worker's bootstrap servers, without white space between them.
func (w Worker) bootstrap() string {
	var servers []string
	for server := range strings.SplitSeq(w.Config["bootstrap.servers"], ",") {
		servers = append(servers, strings.TrimSpace(server))
	}
	return strings.Join(servers, ",")
}

// withPrefix copies the properties with a prefix, without it.
func withPrefix(into, from map[string]string, prefix string) {
	for key, value := range from {
		if name, ok := strings.CutPrefix(key, prefix); ok && name != "" {
			into[name] = value
		}
	}
}

// addMetricsContext adds what tells the metrics of the worker's clients apart. A client here has no use for it; it is
// passed on for those who read the properties.
func (w Worker) addMetricsContext(props map[string]string) {
	const prefix = "metrics.context."
	for key, value := range w.Config {
		if strings.HasPrefix(key, prefix) && key != prefix {
			props[key] = value
		}
	}
	props[prefix+"connect.kafka.cluster.id"] = w.ClusterID
	if id, ok := w.Config["group.id"]; ok {
		props[prefix+"connect.group.id"] = id
	}
}

// Producer returns the properties of a connector's producer: of a source task, of dead letters, or of offsets. clientID
// is its client id unless the user gave another.
func (w Worker) Producer(connector connect.Config, clientID string) map[string]string {
	props := map[string]string{
		"bootstrap.servers":                     w.bootstrap(),
		"key.serializer":                        bytesSerializer,
		"value.serializer":                      bytesSerializer,
		"max.block.ms":                          longestBlock,
		"enable.idempotence":                    "false",
		"acks":                                  "all",
		"max.in.flight.requests.per.connection": "1",
		"delivery.timeout.ms":                   longestDelivery,
		"client.id":                             clientID,
	}
	withPrefix(props, w.Config, "producer.")
	w.addMetricsContext(props)
	withPrefix(props, connector, ProducerOverrides)
	return props
}

// TransactionalProducer returns the properties of the producer of a task of an exactly-once source connector. The
// warnings say which of the user's properties can't be heeded.
func (w Worker) TransactionalProducer(connector connect.Config, id connect.TaskID, clientID string) (props map[string]string, warnings []string) {
	const idempotence, because = "enable.idempotence", "for connectors when exactly-once source support is enabled"
	props = w.Producer(connector, clientID)
	_, byConnector := connector[ProducerOverrides+idempotence]
	_, byWorker := w.Config["producer."+idempotence]
	if !byConnector && !byWorker {
		delete(props, idempotence)
	}
	if warning := EnsureProperty(props, idempotence, "true", because, false); warning != "" {
		warnings = append(warnings, warning)
	}
	transactionalID := TaskTransactionalID(w.GroupID(), id.Connector, id.Task)
	if warning := EnsureProperty(props, "transactional.id", transactionalID, because, true); warning != "" {
		warnings = append(warnings, warning)
	}
	return props, warnings
}

// Consumer returns the properties of a sink task's consumer. name is the connector's.
func (w Worker) Consumer(connector connect.Config, name, clientID string) map[string]string {
	props := map[string]string{
		"group.id":           SinkGroupID(name),
		"client.id":          clientID,
		"enable.auto.commit": "false",
		"auto.offset.reset":  "earliest",
		"key.deserializer":   bytesDeserializer,
		"value.deserializer": bytesDeserializer,
		"bootstrap.servers":  w.bootstrap(),
	}
	withPrefix(props, w.Config, "consumer.")
	w.addMetricsContext(props)
	withPrefix(props, connector, ConsumerOverrides)
	return props
}

// OffsetsConsumer returns the properties of the reader of a source connector's own offsets topic. Under exactly-once it
// reads committed records alone, and the warning says if the user wanted otherwise; else that is but the default.
func (w Worker) OffsetsConsumer(connector connect.Config, name, clientID string, exactlyOnce bool) (props map[string]string, warning string) {
	const isolation, committed = "isolation.level", "read_committed"
	props = w.Consumer(connector, name, clientID)
	if exactlyOnce {
		return props, EnsureProperty(props, isolation, committed, "for source connectors' offset consumers when exactly-once source support is enabled", false)
	}
	if _, ok := props[isolation]; !ok {
		props[isolation] = committed
	}
	return props, ""
}

// Admin returns the properties of a connector's admin client. It inherits the worker's whole configuration but what is
// for other clients.
func (w Worker) Admin(connector connect.Config, clientID string) map[string]string {
	props := map[string]string{"bootstrap.servers": w.bootstrap(), "client.id": clientID}
	for key, value := range w.Config {
		if !strings.HasPrefix(key, "admin.") && !strings.HasPrefix(key, "producer.") && !strings.HasPrefix(key, "consumer.") {
			props[key] = value
		}
	}
	withPrefix(props, w.Config, "admin.")
	withPrefix(props, connector, AdminOverrides)
	w.addMetricsContext(props)
	return props
}

// store returns the properties that the clients of an internal topic have in common: the worker's whole configuration.
func (w Worker) store(extra map[string]string) map[string]string {
	props := maps.Clone(map[string]string(w.Config))
	if props == nil {
		props = map[string]string{}
	}
	w.addMetricsContext(props)
	maps.Copy(props, extra)
	return props
}

// IDBase returns what the client ids of the worker's own clients begin with.
func (w Worker) IDBase() string { return IDBase(w.GroupID(), w.Config["client.id"]) }

// ConfigProducer returns the properties of the producer of the config topic.
func (w Worker) ConfigProducer() map[string]string {
	return w.store(map[string]string{
		"key.serializer": textSerializer, "value.serializer": bytesSerializer, "delivery.timeout.ms": longestDelivery,
		"client.id": w.IDBase() + "configs", "enable.idempotence": "false",
	})
}

// ConfigLeaderProducer returns the properties of the transactional producer of the config topic, which the leader has if
// exactly-once source support is enabled or being prepared.
func (w Worker) ConfigLeaderProducer() (props map[string]string, warnings []string) {
	const because = "for the worker's config topic producer when exactly-once source support is enabled or in preparation to be enabled"
	props = w.store(map[string]string{
		"key.serializer": textSerializer, "value.serializer": bytesSerializer, "delivery.timeout.ms": longestDelivery,
		"client.id": w.IDBase() + "configs-leader", "acks": "all",
		"max.in.flight.requests.per.connection": "5", // keeps the order: the producer is idempotent
	})
	for _, must := range []struct {
		key, value    string
		caseSensitive bool
	}{{"enable.idempotence", "true", false}, {"transactional.id", LeaderTransactionalID(w.GroupID()), true}} {
		if warning := EnsureProperty(props, must.key, must.value, because, must.caseSensitive); warning != "" {
			warnings = append(warnings, warning)
		}
	}
	return props, warnings
}

// ConfigConsumer returns the properties of the reader of the config topic.
func (w Worker) ConfigConsumer() (props map[string]string, warning string) {
	return w.committed("configs", textDeserializer, "for the worker's config topic consumer when exactly-once source support is enabled")
}

// OffsetsProducer returns the properties of the producer of the worker's offsets topic.
func (w Worker) OffsetsProducer() map[string]string {
	return w.store(map[string]string{
		"key.serializer": bytesSerializer, "value.serializer": bytesSerializer, "delivery.timeout.ms": longestDelivery,
		"client.id": w.IDBase() + "offsets", "enable.idempotence": "false",
	})
}

// WorkerOffsetsConsumer returns the properties of the reader of the worker's offsets topic.
func (w Worker) WorkerOffsetsConsumer() (props map[string]string, warning string) {
	return w.committed("offsets", bytesDeserializer, "for the worker offsets topic consumer when exactly-once source support is enabled")
}

// StatusProducer returns the properties of the producer of the status topic. It does not retry: the status store does,
// if the status is still the one to write.
func (w Worker) StatusProducer() map[string]string {
	return w.store(map[string]string{
		"key.serializer": textSerializer, "value.serializer": bytesSerializer, "retries": "0",
		"client.id": w.IDBase() + "statuses", "enable.idempotence": "false",
	})
}

// StatusConsumer returns the properties of the reader of the status topic.
func (w Worker) StatusConsumer() map[string]string {
	return w.store(map[string]string{
		"key.deserializer": textDeserializer, "value.deserializer": bytesDeserializer, "client.id": w.IDBase() + "statuses",
	})
}

// StoreAdmin returns the properties of the admin client that makes and checks the internal topics.
func (w Worker) StoreAdmin() map[string]string {
	return w.store(map[string]string{"client.id": w.IDBase() + "shared-admin"})
}

func (w Worker) committed(store, keyDeserializer, because string) (props map[string]string, warning string) {
	props = w.store(map[string]string{
		"key.deserializer": keyDeserializer, "value.deserializer": bytesDeserializer, "client.id": w.IDBase() + store,
	})
	if w.ExactlyOnce() {
		warning = EnsureProperty(props, "isolation.level", "read_committed", because, false)
	}
	return props, warning
}

const (
	exactlyOnceKey      = "exactly.once.source.support"
	rebalanceTimeoutKey = "rebalance.timeout.ms"
)

// ExactlyOnce reports whether exactly-once source support is enabled.
func (w Worker) ExactlyOnce() bool {
	return strings.EqualFold(strings.TrimSpace(w.Config[exactlyOnceKey]), "enabled")
}

// TransactionalLeader reports whether the leader writes the config topic in transactions.
func (w Worker) TransactionalLeader() bool {
	return w.ExactlyOnce() || strings.EqualFold(strings.TrimSpace(w.Config[exactlyOnceKey]), "preparing")
}

func (w Worker) storeName(store string) string {
	return strings.TrimSpace(w.Config[store+".storage.topic"])
}

// OffsetStores says where a source connector's offsets are.
type OffsetStores struct {
	Connector bool   // in a topic of its own, or in the worker's topic by clients of its own
	Worker    bool   // in the worker's store; with Connector: that is read where the connector's has nothing
	Topic     string // the topic that is written to; empty for a worker with a file
}

// OffsetStores returns where the offsets of a source connector are. exactlyOnce is whether its tasks are. producer are
// the properties of the connector's producer, whose bootstrap servers tell whether it writes to the worker's cluster.
func (w Worker) OffsetStores(connector connect.Config, producer map[string]string, exactlyOnce bool) (OffsetStores, error) {
	const key = "offsets.storage.topic"
	own, ok := connector[key]
	own = strings.TrimSpace(own)
	if ok && own == "" {
		return OffsetStores{}, connect.InvalidValue(key, "", "String must be non-empty")
	}
	workerTopic := w.storeName("offset")
	if workerTopic == "" || !ok && !exactlyOnce {
		return OffsetStores{Worker: true, Topic: workerTopic}, nil
	}
	if !ok {
		own = workerTopic
	}
	same := own == workerTopic && sameServers(w.Config["bootstrap.servers"], producer["bootstrap.servers"])
	return OffsetStores{Connector: true, Worker: !same, Topic: own}, nil
}

func sameServers(a, b string) bool {
	set := func(list string) map[string]struct{} {
		servers := map[string]struct{}{}
		for server := range strings.SplitSeq(list, ",") {
			servers[strings.TrimSpace(server)] = struct{}{}
		}
		return servers
	}
	return maps.Equal(set(a), set(b))
}

// RebalanceTimeout returns the worker's rebalance.timeout.ms. The error is a *[connect.ConfigError].
func (w Worker) RebalanceTimeout() (time.Duration, error) {
	cfg, err := w.parsed()
	if err != nil {
		return 0, err
	}
	return cfg.Duration(rebalanceTimeoutKey), nil
}
