package clients

import (
	"slices"
	"strings"
	"testing"

	"github.com/gokconnect/connect"
)

func TestForcedProperties(t *testing.T) {
	w := Worker{Config: connect.Config{"bootstrap.servers": "b:1", "group.id": "g", "exactly.once.source.support": "enabled", "isolation.level": "read_uncommitted"}}
	connector := connect.Config{
		ProducerOverrides + "enable.idempotence": "false", ProducerOverrides + "transactional.id": "mine", ConsumerOverrides + "isolation.level": "READ_COMMITTED",
	}
	_, warnings := w.TransactionalProducer(connector, connect.TaskID{Connector: "c", Task: 1}, "id")
	if want := []string{
		"The value 'false' for the 'enable.idempotence' property will be ignored as it cannot be overridden for connectors when exactly-once source support is enabled. The value 'true' will be used instead.",
		"The value 'mine' for the 'transactional.id' property will be ignored as it cannot be overridden for connectors when exactly-once source support is enabled. The value 'g-c-1' will be used instead.",
	}; !slices.Equal(warnings, want) {
		t.Errorf("got %q", warnings)
	}
	if _, warning := w.OffsetsConsumer(connector, "c", "id", true); warning != "" {
		t.Errorf("a value that differs in case alone: %s", warning)
	}
	if _, warning := w.ConfigConsumer(); !strings.HasPrefix(warning, "The value 'read_uncommitted' for the 'isolation.level' property") {
		t.Errorf("got %q", warning)
	}
}

// TestEveryClientOfAWorker makes options of the properties of each client, which must neither fail nor warn about what
// Connect itself puts there.
func TestEveryClientOfAWorker(t *testing.T) {
	w := Worker{ClusterID: "id", Config: connect.Config{
		"bootstrap.servers": "b:1, b:2", "group.id": "g", "key.converter": "x", "value.converter": "x", "config.storage.topic": "c",
		"offset.storage.topic": "o", "status.storage.topic": "s", "offset.flush.interval.ms": "1000", "session.timeout.ms": "10000",
	}}
	id := connect.TaskID{Connector: "c", Task: 0}
	transactional, _ := w.TransactionalProducer(nil, id, TaskProducerID(id))
	offsets, _ := w.OffsetsConsumer(nil, "c", TaskConsumerID(id), true)
	leader, _ := w.ConfigLeaderProducer()
	configs, _ := w.ConfigConsumer()
	workerOffsets, _ := w.WorkerOffsetsConsumer()
	for name, tt := range map[string]struct {
		kind  Kind
		props map[string]string
	}{
		"producer": {KindProducer, w.Producer(nil, TaskProducerID(id))}, "transactional": {KindProducer, transactional},
		"dead letters": {KindProducer, w.Producer(nil, DeadLetterProducerID(id))}, "sink": {KindConsumer, w.Consumer(nil, "c", TaskConsumerID(id))},
		"offsets": {KindConsumer, offsets}, "admin": {KindAdmin, w.Admin(nil, TaskAdminID(id))}, "store admin": {KindAdmin, w.StoreAdmin()},
		"config producer": {KindProducer, w.ConfigProducer()}, "config leader": {KindProducer, leader}, "config consumer": {KindConsumer, configs},
		"offsets producer": {KindProducer, w.OffsetsProducer()}, "worker offsets": {KindConsumer, workerOffsets},
		"status producer": {KindProducer, w.StatusProducer()}, "status consumer": {KindConsumer, w.StatusConsumer()},
	} {
		var warnings Warnings
		var err error
		switch tt.kind {
		case KindProducer:
			_, _, warnings, err = Producer(tt.props)
		case KindConsumer:
			_, _, warnings, err = Consumer(tt.props)
		case KindAdmin:
			_, warnings, err = Admin(tt.props)
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, warning := range warnings.Without(w.Config) {
			t.Errorf("%s: %s", name, warning.Message)
		}
	}
}

func TestStoreTopic(t *testing.T) {
	w := Worker{Config: connect.Config{"config.storage.topic": " cfg ", "config.storage.partitions": "7", "config.storage.cleanup.policy": "delete", "config.storage.segment.bytes": "9"}}
	topic, warnings, err := w.StoreTopic("config")
	if err != nil {
		t.Fatal(err)
	}
	if topic.Name != "cfg" || topic.Partitions != 1 || topic.ReplicationFactor != 3 || len(topic.Settings) != 1 || topic.Settings["segment.bytes"] != "9" {
		t.Errorf("got %+v", topic)
	}
	if want := []string{
		"Ignoring 'config.storage.partitions=7' setting, since config topic partitions is always 1",
		"Ignoring 'config.storage.cleanup.policy=delete' setting, since compaction is always used",
	}; !slices.Equal(warnings, want) {
		t.Errorf("got %q", warnings)
	}
}

func TestViolationHidesSecrets(t *testing.T) {
	err := CheckOverrides(t.Context(), policy{"None", func(string) bool { return false }}, connect.Config{
		ConsumerOverrides + "sasl.jaas.config": "hunter2", ConsumerOverrides + "group.id": "g", ProducerOverrides + "acks": "0",
	}, KindConsumer, connect.OverrideRequest{Connector: "c", Kind: connect.KindSink})
	const want = "Client Config Overrides not allowed [[group.id,g,[],[The 'None' policy does not allow 'group.id' to be overridden in the connector configuration.],true], " +
		"[sasl.jaas.config,[hidden],[],[The 'None' policy does not allow 'sasl.jaas.config' to be overridden in the connector configuration.],true]]"
	if err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
}
