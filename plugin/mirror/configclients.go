package mirror

import (
	"slices"
	"strings"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/clients"
	"github.com/gokconnect/connect/internal/workerconfig"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Side is an end of a flow.
type Side string

// The ends of a flow.
const (
	Source Side = sourceSide
	Target Side = targetSide
)

// clusterKeys are the client properties that can be given with source.cluster. or target.cluster. before them.
var clusterKeys = func() map[string]bool {
	keys := map[string]bool{"bootstrap.servers": true, securityProtocolKey: true}
	for _, k := range workerconfig.SecurityKeys() {
		keys[k.Name] = true
	}
	return keys
}()

// clientProperties returns the properties of a client: those of the cluster, those of all clients of its kind, those of
// the clients of its kind on that side. The client's id says which connector it belongs to, and what it is for.
func (c *Config) clientProperties(side Side, kind clients.Kind, role string) map[string]string {
	props := make(map[string]string)
	add := func(prefix string, wanted func(key string) bool) {
		for key, value := range c.given {
			if rest, ok := strings.CutPrefix(key, prefix); ok && rest != "" && (wanted == nil || wanted(rest)) {
				props[rest] = value
			}
		}
	}
	add(string(side)+".cluster.", func(key string) bool { return clusterKeys[key] })
	add(kind.String()+".", nil)
	add(string(side)+"."+kind.String()+".", nil)
	if kind == clients.KindConsumer {
		props["enable.auto.commit"] = "false"
		if _, ok := props["auto.offset.reset"]; !ok {
			props["auto.offset.reset"] = "earliest"
		}
	}
	id := c.label + "|" + role
	if own := props["client.id"]; own != "" {
		id = own + "|" + id
	}
	props["client.id"] = id
	return props
}

// ConsumerProperties returns the properties of a consumer on that side. The role ends its client id.
func (c *Config) ConsumerProperties(side Side, role string) map[string]string {
	return c.clientProperties(side, clients.KindConsumer, role)
}

// ProducerProperties returns the properties of a producer on that side. The role ends its client id.
func (c *Config) ProducerProperties(side Side, role string) map[string]string {
	return c.clientProperties(side, clients.KindProducer, role)
}

// AdminProperties returns the properties of an administrative client on that side. The role ends its client id.
func (c *Config) AdminProperties(side Side, role string) map[string]string {
	return c.clientProperties(side, clients.KindAdmin, role)
}

// The roles of clients, as their ids end. A role of offset syncs is made by [OffsetSyncsTopic.Role].
const (
	roleReplicationConsumer = "replication-consumer"
	roleSourceAdmin         = "replication-source-admin"
	roleTargetAdmin         = "replication-target-admin"
	roleCheckpointSource    = "checkpoint-source-admin"
	roleCheckpointTarget    = "checkpoint-target-admin"
	roleCheckpointsConsumer = "checkpoints-target-consumer"
	roleHeartbeatsAdmin     = "heartbeats-target-admin"
)

// Side returns where the topic is.
func (t OffsetSyncsTopic) Side() Side {
	if t.OnTarget {
		return Target
	}
	return Source
}

// Role returns the role of a client of the topic; kind is producer, consumer or admin.
func (t OffsetSyncsTopic) Role(kind string) string {
	return "offset-syncs-" + string(t.Side()) + "-" + kind
}

// alias returns the alias of the cluster on that side.
func (c *Config) alias(side Side) string {
	if side == Source {
		return c.SourceAlias
	}
	return c.TargetAlias
}

// clientOptions are how clients of a side are made beyond their properties.
func (c *Config) clientOptions(side Side) clients.Options {
	o := clients.Options{KeyStores: c.env.KeyStores}
	if c.env.Client != nil {
		o.Base = slices.Clone(c.env.Client(c.alias(side)))
	}
	return o
}

// consumer returns the options of a consumer that reads partitions directly, without a group.
func (c *Config) consumer(side Side, role string) ([]kgo.Opt, clients.ConsumerExtra, error) {
	opts, extra, _, err := c.clientOptions(side).Consumer(c.ConsumerProperties(side, role))
	return opts, extra, onSide(side, "consumer", err)
}

// producer returns the options of a producer.
func (c *Config) producer(side Side, role string) ([]kgo.Opt, clients.ProducerExtra, error) {
	opts, extra, _, err := c.clientOptions(side).Producer(c.ProducerProperties(side, role))
	return opts, extra, onSide(side, "producer", err)
}

// admin returns the options of an administrative client.
func (c *Config) admin(side Side, role string) ([]kgo.Opt, error) {
	opts, _, err := c.clientOptions(side).Admin(c.AdminProperties(side, role))
	return opts, onSide(side, "admin", err)
}

// onSide says which client an error is about: its key lacks the prefix that the user wrote.
func onSide(side Side, kind string, err error) error {
	if err == nil {
		return nil
	}
	return connect.ConfigErrorf(string(side)+".", "the %s cluster's %s: %v", side, kind, err)
}
