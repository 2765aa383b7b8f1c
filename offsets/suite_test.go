package offsets_test

import (
	"path/filepath"
	"testing"
	"testing/synctest"

	"github.com/gokconnect/connect/internal/kafkatest"
	"github.com/gokconnect/connect/offsets"
	"github.com/gokconnect/connect/offsets/offsetstest"
)

func TestMemory(t *testing.T) {
	offsetstest.Run(t, func(t *testing.T) offsetstest.Backend {
		m := &offsets.Memory{}
		return offsetstest.Backend{Open: func() offsets.Store { return m }}
	})
}

func TestFile(t *testing.T) {
	offsetstest.Run(t, func(t *testing.T) offsetstest.Backend {
		path := filepath.Join(t.TempDir(), "offsets")
		return offsetstest.Backend{Durable: true, Open: func() offsets.Store { return &offsets.File{Path: path} }}
	})
}

func bubble(t *testing.T, run func(t *testing.T)) { t.Helper(); synctest.Test(t, run) }

func kafkaStore(c *kafkatest.Cluster, topic string) *offsets.Kafka {
	return offsets.NewKafka(offsets.KafkaConfig{Topic: topic, Client: c.ClientOpts(), Partitions: 3, ReplicationFactor: 1})
}

func TestKafka(t *testing.T) {
	offsetstest.Suite{Around: bubble, New: func(t *testing.T) offsetstest.Backend {
		c := kafkatest.New(t)
		return offsetstest.Backend{Durable: true, Shared: true, Open: func() offsets.Store { return kafkaStore(c, "offsets") }}
	}}.Run(t)
}

func TestKafkaCommitted(t *testing.T) {
	offsetstest.Suite{Around: bubble, New: func(t *testing.T) offsetstest.Backend {
		c := kafkatest.New(t)
		return offsetstest.Backend{Durable: true, Shared: true, Open: func() offsets.Store {
			return offsets.NewKafka(offsets.KafkaConfig{Topic: "offsets", Client: c.ClientOpts(), ReplicationFactor: 1, ReadCommitted: true})
		}}
	}}.Run(t)
}

func TestPerConnector(t *testing.T) {
	offsetstest.Run(t, func(t *testing.T) offsetstest.Backend {
		p := &offsets.PerConnector{Own: &offsets.Memory{}, Worker: &offsets.Memory{}}
		return offsetstest.Backend{Open: func() offsets.Store { return p }}
	})
}

func TestPerConnectorMasked(t *testing.T) {
	offsetstest.Run(t, func(t *testing.T) offsetstest.Backend {
		p := &offsets.PerConnector{Own: &offsets.Memory{}, Worker: &offsets.Memory{}, Mask: true}
		return offsetstest.Backend{Open: func() offsets.Store { return p }}
	})
}
