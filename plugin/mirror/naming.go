package mirror

import (
	"slices"
	"strings"

	"github.com/gokconnect/connect"
)

const heartbeatsTopic = "heartbeats"

// Naming answers what follows from a [ReplicationPolicy]: the names of MirrorMaker's internal topics, and what a topic is
// by its name.
type Naming struct{ ReplicationPolicy }

// separator stands between the parts of the names of internal topics.
func (n Naming) separator() string {
	if s, ok := connect.As[InternalSeparator](n.ReplicationPolicy); ok {
		return s.InternalSeparator()
	}
	return "."
}

// HeartbeatsTopic returns the topic that heartbeats are written to.
func (n Naming) HeartbeatsTopic() string { return heartbeatsTopic }

// OffsetSyncsTopic returns the topic of offset syncs. clusterAlias is the cluster at the other end than where the topic
// is: the target if it is on the source.
func (n Naming) OffsetSyncsTopic(clusterAlias string) string {
	return "mm2-offset-syncs" + n.separator() + clusterAlias + n.separator() + "internal"
}

// CheckpointsTopic returns the topic of checkpoints, by the alias of the cluster that their groups are on.
func (n Naming) CheckpointsTopic(sourceAlias string) string { return sourceAlias + n.checkpoints() }

func (n Naming) checkpoints() string {
	return n.separator() + "checkpoints" + n.separator() + "internal"
}

// OriginalTopic returns the name that a topic had where it was not yet copied.
func (n Naming) OriginalTopic(topic string) string {
	for {
		upstream, ok := n.UpstreamTopic(topic)
		if !ok || upstream == topic {
			return topic
		}
		topic = upstream
	}
}

// IsHeartbeatsTopic reports whether the topic has heartbeats of this or any other cluster.
func (n Naming) IsHeartbeatsTopic(topic string) bool {
	return n.OriginalTopic(topic) == heartbeatsTopic
}

// IsCheckpointsTopic reports whether the topic has checkpoints.
func (n Naming) IsCheckpointsTopic(topic string) bool {
	return strings.HasSuffix(topic, n.checkpoints())
}

// IsMM2InternalTopic reports whether MirrorMaker keeps a state of its own in the topic. Heartbeats are none.
func (n Naming) IsMM2InternalTopic(topic string) bool {
	return strings.HasPrefix(topic, "mm2") && strings.HasSuffix(topic, n.separator()+"internal") || n.IsCheckpointsTopic(topic)
}

// IsInternalTopic reports whether the topic is internal to Kafka or MirrorMaker, and so never copied.
func (n Naming) IsInternalTopic(topic string) bool {
	return strings.HasPrefix(topic, "__") || strings.HasPrefix(topic, ".") || n.IsMM2InternalTopic(topic)
}

// hops returns the clusters that a topic was copied from, the last first, as its name tells. A cluster that comes again
// ends the list: names of a policy such as [IdentityReplicationPolicy] lead to themselves.
func (n Naming) hops(topic string) []string {
	var aliases []string
	for {
		alias, ok := n.TopicSource(topic)
		if !ok || slices.Contains(aliases, alias) {
			return aliases
		}
		aliases = append(aliases, alias)
		if topic, ok = n.UpstreamTopic(topic); !ok {
			return aliases
		}
	}
}
