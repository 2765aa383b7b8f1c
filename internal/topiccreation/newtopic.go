package topiccreation

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// NewTopic says how a topic is to be created.
type NewTopic struct {
	Name              string
	Partitions        int32             // or BrokerDefault
	ReplicationFactor int16             // or BrokerDefault
	Configs           map[string]string // the topic's own configuration
}

// String returns the topic as Kafka prints it, its configuration in order of the keys.
func (n NewTopic) String() string {
	var configs []string
	for _, key := range slices.Sorted(maps.Keys(n.Configs)) {
		configs = append(configs, key+"="+n.Configs[key])
	}
	return fmt.Sprintf("(name=%s, numPartitions=%d, replicationFactor=%d, replicasAssignments=null, configs={%s})",
		n.Name, n.Partitions, n.ReplicationFactor, strings.Join(configs, ", "))
}

// Broker returns a topic that is left to the broker's defaults.
func Broker(name string) NewTopic {
	return NewTopic{Name: name, Partitions: BrokerDefault, ReplicationFactor: BrokerDefault, Configs: map[string]string{}}
}

// With returns the topic with further configuration; what was set before under the same key is replaced.
func (n NewTopic) With(configs map[string]string) NewTopic {
	all := maps.Clone(n.Configs)
	if all == nil {
		all = make(map[string]string, len(configs))
	}
	maps.Copy(all, configs)
	n.Configs = all
	return n
}

// Compacted returns the topic with cleanup.policy=compact.
func (n NewTopic) Compacted() NewTopic { return n.With(map[string]string{"cleanup.policy": "compact"}) }
