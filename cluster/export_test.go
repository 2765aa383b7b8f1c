package cluster

import "github.com/gokconnect/connect/internal/group"

// KafkaGroup returns membership in a Kafka group, for tests.
func KafkaGroup(cfg group.Config) (Coordinator, error) {
	c, err := group.NewCoordinator(cfg)
	if err != nil {
		return nil, err
	}
	return kafkaGroup{c}, nil
}
