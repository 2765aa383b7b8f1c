package cluster

import (
	"time"

	"github.com/gokconnect/connect"
)

// settings are the parts of the worker's configuration that the runtime itself needs.
type settings struct {
	flushInterval  time.Duration
	flushTimeout   time.Duration
	taskGrace      time.Duration
	connectorGrace time.Duration
	topicCreation  bool
	offsetsTopic   string
	offsetsRF      int16
	offsetsParts   int32
}

// connectorGrace is how long a connector may take to stop; it has no key.
const connectorGrace = 5 * time.Second

var settingsDef = connect.MustConfigDef(
	connect.ConfigKey{Name: "offset.flush.interval.ms", Type: connect.ConfigLong, Default: int64(60_000), Importance: connect.Low},
	connect.ConfigKey{Name: "offset.flush.timeout.ms", Type: connect.ConfigLong, Default: int64(5_000), Importance: connect.Low},
	connect.ConfigKey{Name: "task.shutdown.graceful.timeout.ms", Type: connect.ConfigLong, Default: int64(5_000), Importance: connect.Low},
	connect.ConfigKey{Name: "topic.creation.enable", Type: connect.ConfigBoolean, Default: true, Importance: connect.Low},
	connect.ConfigKey{Name: "offset.storage.topic", Type: connect.ConfigString, Default: nil, Importance: connect.High},
	connect.ConfigKey{Name: "offset.storage.replication.factor", Type: connect.ConfigShort, Default: int16(3), Importance: connect.Low},
	connect.ConfigKey{Name: "offset.storage.partitions", Type: connect.ConfigInt, Default: int32(25), Importance: connect.Low},
)

func parseSettings(cfg Config) (settings, error) {
	p, err := settingsDef.Parse(cfg.Worker)
	if err != nil {
		return settings{}, err
	}
	s := settings{
		flushInterval:  p.Duration("offset.flush.interval.ms"),
		flushTimeout:   p.Duration("offset.flush.timeout.ms"),
		taskGrace:      p.Duration("task.shutdown.graceful.timeout.ms"),
		connectorGrace: connectorGrace,
		topicCreation:  p.Bool("topic.creation.enable"),
		offsetsTopic:   p.String("offset.storage.topic"),
		offsetsRF:      int16(p.Int("offset.storage.replication.factor")),
		offsetsParts:   int32(p.Int("offset.storage.partitions")),
	}
	if s.offsetsTopic == "" {
		s.offsetsTopic = cfg.GroupID + "-offsets"
	}
	return s, nil
}
