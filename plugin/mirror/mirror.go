// Package mirror has the connectors of MirrorMaker 2: they copy topics, their configurations and access rules, and the
// progress of consumer groups from one Kafka cluster to another.
//
//   - MirrorSourceConnector copies records. It creates the topics of the target, lets them grow with those of the source, and
//     notes which offset of the source became which offset of the target ([OffsetSync]).
//   - MirrorCheckpointConnector translates the offsets of consumer groups by those notes ([Checkpoint]), and on request
//     commits them on the target, so that consumers can move.
//   - MirrorHeartbeatConnector writes a [Heartbeat] now and then. Where heartbeats arrive, the way to there works.
//
// Names, configuration, records of internal topics and stored offsets are those of Kafka Connect 4.3: a flow of a Java
// worker can be stopped here and go on there. They are added to a runtime by
//
//	registry.MustAdd(mirror.Plugins(mirror.Options{})...)
//
// # What a program can bring
//
// A [ReplicationPolicy] says what a topic is called on the other side. A [TopicFilter], [GroupFilter] or
// [ConfigPropertyFilter] says what is copied. An [Admin] makes topics and access rules where only a service may. Each can be a Go value of the program's, under a name of its choice: see
// [Options].
//
// # The clients
//
// A connector talks to two clusters, by the client properties in its own configuration: source.cluster.* and
// target.cluster.* name a cluster and its security; producer.*, consumer.* and admin.* are properties of all clients of
// a kind, source.producer.*, target.consumer.* and so on those of one. What [Options] says of clients is added to
// them; the settings of the worker's own clients are not.
package mirror

import (
	"crypto/tls"
	"crypto/x509"

	"github.com/gokconnect/connect"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Version is the version of Kafka Connect whose connectors these are.
const Version = connect.BuiltinVersion

// The names of the connectors in configurations. MirrorSource, MirrorCheckpoint and MirrorHeartbeat are their short ones.
const (
	SourceClass     = "org.apache.kafka.connect.mirror.MirrorSourceConnector"
	CheckpointClass = "org.apache.kafka.connect.mirror.MirrorCheckpointConnector"
	HeartbeatClass  = "org.apache.kafka.connect.mirror.MirrorHeartbeatConnector"
)

// Options are what a program brings besides configuration. The zero value brings nothing.
type Options struct {
	// Policies, TopicFilters, GroupFilters and ConfigFilters make what the keys replication.policy.class,
	// topic.filter.class, group.filter.class and config.property.filter.class name, by that name. They get the whole
	// configuration of the connector. They are called for each connector and task, and when a configuration is
	// validated; an error is one of the configuration. What they return is used concurrently.
	Policies      map[string]func(connect.Config) (ReplicationPolicy, error)
	TopicFilters  map[string]func(connect.Config) (TopicFilter, error)
	GroupFilters  map[string]func(connect.Config) (GroupFilter, error)
	ConfigFilters map[string]func(connect.Config) (ConfigPropertyFilter, error)

	// Admins make what the key forwarding.admin.class names, by that name: what makes and changes topics, settings and
	// access rules. See [Admin].
	Admins map[string]MakeAdmin

	// Client returns options for every client of a cluster, by the cluster's alias: a dialer, hooks, a logger. They go
	// after those of the client's properties. Nil adds none.
	Client func(clusterAlias string) []kgo.Opt
	// KeyStores opens JKS and PKCS#12 stores that ssl.* keys name: package plugin/keystore. Default: PEM only.
	KeyStores KeyStores
}

// KeyStores opens key and trust stores that are not PEM. storeType is JKS or PKCS12.
type KeyStores interface {
	Certificates(storeType string, content []byte, password string) ([]*x509.Certificate, error)
	Keys(storeType string, content []byte, password, keyPassword string) ([]tls.Certificate, error)
}

// Plugins returns the descriptors of the three connectors.
func Plugins(o Options) []connect.Plugin {
	env := &environment{o}
	return []connect.Plugin{
		connect.SourcePlugin{
			PluginInfo: connect.PluginInfo{Class: SourceClass, Version: Version, Config: env.sourceDef()},
			New:        func() connect.SourceConnector { return &sourceConnector{env: env} },
		},
		connect.SourcePlugin{
			PluginInfo: connect.PluginInfo{Class: CheckpointClass, Version: Version, Config: env.checkpointDef()},
			New:        func() connect.SourceConnector { return &checkpointConnector{env: env} },
		},
		connect.SourcePlugin{
			PluginInfo: connect.PluginInfo{Class: HeartbeatClass, Version: Version, Config: env.heartbeatDef()},
			New:        func() connect.SourceConnector { return &heartbeatConnector{env: env} },
		},
	}
}

// environment is what connectors and tasks have of the program.
type environment struct{ Options }
