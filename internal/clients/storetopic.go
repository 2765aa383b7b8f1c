package clients

import (
	"github.com/gokconnect/connect"
)

// StoreTopic is an internal topic as a worker's configuration wants it.
type StoreTopic struct {
	Name              string
	Partitions        int32             // -1 = the broker's default
	ReplicationFactor int16             // -1 = the broker's default
	Settings          map[string]string // topic configurations; cleanup.policy=compact comes on top
}

// StoreKeys defines the keys of a worker's configuration that this package reads beyond the properties of clients.
func StoreKeys() []connect.ConfigKey {
	positive := func(description, complaint string) connect.ConfigValidator {
		return connect.ConfigCheck(description, func(key string, value any) error {
			var n int32
			switch v := value.(type) {
			case int32:
				n = v
			case int16:
				n = int32(v)
			}
			if n != -1 && n < 1 {
				return connect.InvalidValue(key, value, complaint)
			}
			return nil
		})
	}
	partitions := positive("Positive number, or -1 to use the broker's default",
		"Number of partitions must be positive, or -1 to use the broker's default")
	replicas := positive("Positive number not larger than the number of brokers in the Kafka cluster, or -1 to use the broker's default",
		"Replication factor must be positive and not larger than the number of brokers in the Kafka cluster, or -1 to use the broker's default")
	return []connect.ConfigKey{
		{Name: exactlyOnceKey, Type: connect.ConfigString, Default: "disabled", Importance: connect.High,
			Validator: connect.CaseInsensitiveValidString("DISABLED", "ENABLED", "PREPARING")},
		{Name: rebalanceTimeoutKey, Type: connect.ConfigInt, Default: "60000", Importance: connect.High},
		{Name: "offset.storage.partitions", Type: connect.ConfigInt, Default: "25", Importance: connect.Low, Validator: partitions},
		{Name: "offset.storage.replication.factor", Type: connect.ConfigShort, Default: "3", Importance: connect.Low, Validator: replicas},
		{Name: "config.storage.replication.factor", Type: connect.ConfigShort, Default: "3", Importance: connect.Low, Validator: replicas},
		{Name: "status.storage.partitions", Type: connect.ConfigInt, Default: "5", Importance: connect.Low, Validator: partitions},
		{Name: "status.storage.replication.factor", Type: connect.ConfigShort, Default: "3", Importance: connect.Low, Validator: replicas},
	}
}

func (w Worker) parsed() (*connect.ParsedConfig, error) {
	def, err := connect.NewConfigDef(StoreKeys()...)
	if err != nil {
		return nil, err
	}
	return def.Parse(w.Config)
}

// StoreTopic returns the worker's internal topic of a store: "config", "offset" or "status". The warnings name settings
// that have no effect; the error is a *[connect.ConfigError].
func (w Worker) StoreTopic(store string) (topic StoreTopic, warnings []string, err error) {
	cfg, err := w.parsed()
	if err != nil {
		return StoreTopic{}, nil, err
	}
	prefix := store + ".storage."
	topic = StoreTopic{Name: w.storeName(store), Partitions: 1, ReplicationFactor: int16(cfg.Int(prefix + "replication.factor")), Settings: map[string]string{}}
	withPrefix(topic.Settings, w.Config, prefix)
	switch value, ok := topic.Settings["partitions"]; {
	case store != "config":
		topic.Partitions = int32(cfg.Int(prefix + "partitions"))
	case ok:
		warnings = append(warnings, "Ignoring '"+prefix+"partitions="+value+"' setting, since config topic partitions is always 1")
	}
	if value, ok := topic.Settings["cleanup.policy"]; ok {
		warnings = append(warnings, "Ignoring '"+prefix+"cleanup.policy="+value+"' setting, since compaction is always used")
	}
	for _, key := range []string{"topic", "partitions", "replication.factor", "cleanup.policy"} {
		delete(topic.Settings, key)
	}
	return topic, warnings, nil
}
