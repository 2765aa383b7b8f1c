package mirror

import (
	"strings"

	"github.com/gokconnect/connect"
)

// ReplicationPolicy says what a topic is called on the cluster that it is copied to, and finds back. All connectors of a
// flow and all clients that translate offsets need the same one. [DefaultReplicationPolicy] and
// [IdentityReplicationPolicy] are Kafka's; a program can bring another ([Options]). The optional interface is
// [InternalSeparator]. It is used concurrently.
type ReplicationPolicy interface {
	// FormatRemoteTopic returns the name that a topic of the source cluster has on the target.
	FormatRemoteTopic(sourceAlias, topic string) string
	// TopicSource returns the alias of the cluster that a topic was copied from; ok is false if it was not copied, as far
	// as its name tells.
	TopicSource(topic string) (alias string, ok bool)
	// UpstreamTopic returns the name that a copied topic has on the cluster it was copied from.
	UpstreamTopic(topic string) (upstream string, ok bool)
}

// InternalSeparator is an optional interface of a [ReplicationPolicy]: what stands between the parts of the names of
// internal topics, such as mm2-offset-syncs.B.internal. Without it, it is a dot.
type InternalSeparator interface {
	InternalSeparator() string
}

// The names of Kafka's classes in configurations.
const (
	DefaultReplicationPolicyClass    = "org.apache.kafka.connect.mirror.DefaultReplicationPolicy"
	IdentityReplicationPolicyClass   = "org.apache.kafka.connect.mirror.IdentityReplicationPolicy"
	DefaultTopicFilterClass          = "org.apache.kafka.connect.mirror.DefaultTopicFilter"
	DefaultGroupFilterClass          = "org.apache.kafka.connect.mirror.DefaultGroupFilter"
	DefaultConfigPropertyFilterClass = "org.apache.kafka.connect.mirror.DefaultConfigPropertyFilter"
)

// DefaultReplicationPolicy puts the source's alias in front of the topic: orders of eu is eu.orders everywhere else. So
// flows in both directions don't go round in circles. The zero value separates by a dot.
type DefaultReplicationPolicy struct {
	Separator string // replication.policy.separator
	set       bool   // Separator counts although it is empty
	dotted    bool   // internal topics are separated by a dot all the same
}

// NewDefaultReplicationPolicy returns the policy that the keys replication.policy.separator and
// replication.policy.internal.topic.separator.enabled describe. It fails with a *[connect.ConfigError].
func NewDefaultReplicationPolicy(cfg connect.Config) (*DefaultReplicationPolicy, error) {
	p := new(DefaultReplicationPolicy)
	separator, ok := cfg[policySeparatorKey]
	if !ok {
		return p, nil // without it, the other key has no say, as in Kafka
	}
	p.Separator, p.set = separator, true
	if text, ok := cfg[internalSeparatorKey]; ok {
		p.dotted = !strings.EqualFold(text, "true")
	}
	return p, nil
}

func (p *DefaultReplicationPolicy) separator() string {
	if p.Separator == "" && !p.set {
		return "."
	}
	return p.Separator
}

// InternalSeparator implements the interface of that name.
func (p *DefaultReplicationPolicy) InternalSeparator() string {
	if p.dotted {
		return "."
	}
	return p.separator()
}

// FormatRemoteTopic returns alias, separator, topic.
func (p *DefaultReplicationPolicy) FormatRemoteTopic(sourceAlias, topic string) string {
	return sourceAlias + p.separator() + topic
}

// TopicSource returns what stands before the first separator, unless nothing but separators follows.
func (p *DefaultReplicationPolicy) TopicSource(topic string) (alias string, ok bool) {
	parts := splitJava(topic, p.separator())
	if len(parts) < 2 {
		return "", false
	}
	return parts[0], true
}

// UpstreamTopic returns what stands behind the first separator.
func (p *DefaultReplicationPolicy) UpstreamTopic(topic string) (upstream string, ok bool) {
	source, ok := p.TopicSource(topic)
	if !ok {
		return "", false
	}
	return topic[len(source)+len(p.separator()):], true
}

// splitJava splits as Java's String.split does: empty parts at the end don't count.
func splitJava(s, separator string) []string {
	parts := strings.Split(s, separator)
	for len(parts) > 1 && parts[len(parts)-1] == "" {
		parts = parts[:len(parts)-1]
	}
	return parts
}

// IdentityReplicationPolicy keeps the names of topics, so it is for one direction only: a topic's name does not tell
// where it came from, and cycles can't be seen. Heartbeats are named as by [DefaultReplicationPolicy].
type IdentityReplicationPolicy struct {
	DefaultReplicationPolicy
	// SourceAlias is the cluster that every topic is taken to come from (source.cluster.alias); "" is none.
	SourceAlias string
}

// NewIdentityReplicationPolicy returns the policy that the keys of [NewDefaultReplicationPolicy] and
// source.cluster.alias describe.
func NewIdentityReplicationPolicy(cfg connect.Config) (*IdentityReplicationPolicy, error) {
	base, err := NewDefaultReplicationPolicy(cfg)
	if err != nil {
		return nil, err
	}
	return &IdentityReplicationPolicy{*base, cfg[sourceAliasKey]}, nil
}

// isHeartbeat reports whether a topic looks like one of heartbeats.
func (p *IdentityReplicationPolicy) isHeartbeat(topic string) bool {
	return strings.HasSuffix(topic, heartbeatsTopic)
}

// FormatRemoteTopic returns the topic.
func (p *IdentityReplicationPolicy) FormatRemoteTopic(sourceAlias, topic string) string {
	if p.isHeartbeat(topic) {
		return p.DefaultReplicationPolicy.FormatRemoteTopic(sourceAlias, topic)
	}
	return topic
}

// TopicSource returns SourceAlias.
func (p *IdentityReplicationPolicy) TopicSource(topic string) (alias string, ok bool) {
	if p.isHeartbeat(topic) {
		return p.DefaultReplicationPolicy.TopicSource(topic)
	}
	return p.SourceAlias, p.SourceAlias != ""
}

// UpstreamTopic returns the topic.
func (p *IdentityReplicationPolicy) UpstreamTopic(topic string) (upstream string, ok bool) {
	if p.isHeartbeat(topic) {
		return p.DefaultReplicationPolicy.UpstreamTopic(topic)
	}
	return topic, true
}
