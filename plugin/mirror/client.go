package mirror

import (
	"slices"

	"github.com/gokconnect/connect"
)

// Client answers what consumers and operators ask about copied topics: which there are, where they came from, and where
// a consumer group goes on. It needs the policy that the connectors have. The zero value has
// [DefaultReplicationPolicy].
type Client struct {
	Policy ReplicationPolicy
}

// NewClient returns a client with the policy that a configuration of Kafka's MirrorClient names
// (replication.policy.class and the keys of the policy). It fails with a *[connect.ConfigError].
func (o Options) NewClient(cfg connect.Config) (*Client, error) {
	env := &environment{o}
	def := only(env.commonKeys(), policyClassKey)
	p, err := def.Parse(cfg)
	if err != nil {
		return nil, err
	}
	policy, err := env.policy(p.String(policyClassKey), cfg)
	if err != nil {
		return nil, err
	}
	return &Client{policy}, nil
}

func (c *Client) naming() Naming {
	if c.Policy == nil {
		return Naming{new(DefaultReplicationPolicy)}
	}
	return Naming{c.Policy}
}

// HeartbeatTopics returns those of a cluster's topics that have heartbeats, its own or others'.
func (c *Client) HeartbeatTopics(topics []string) []string {
	return selected(topics, c.naming().IsHeartbeatsTopic)
}

// CheckpointTopics returns those of a cluster's topics that have checkpoints.
func (c *Client) CheckpointTopics(topics []string) []string {
	return selected(topics, c.naming().IsCheckpointsTopic)
}

// RemoteTopics returns those of a cluster's topics that are copies. With a source, only those that came from that
// cluster without a detour.
func (c *Client) RemoteTopics(topics []string, sourceAlias string) []string {
	n := c.naming()
	return selected(topics, func(topic string) bool {
		source, ok := n.TopicSource(topic)
		return ok && !n.IsInternalTopic(topic) && (sourceAlias == "" || source == sourceAlias)
	})
}

// UpstreamClusters returns the clusters whose heartbeats arrive, directly or by a detour, by the names of topics.
func (c *Client) UpstreamClusters(topics []string) []string {
	n := c.naming()
	var aliases []string
	for _, topic := range c.HeartbeatTopics(topics) {
		aliases = append(aliases, n.hops(topic)...)
	}
	slices.Sort(aliases)
	return slices.Compact(aliases)
}

// ReplicationHops returns over how many flows a cluster's records arrive, by the names of topics with heartbeats, or -1
// if none do.
func (c *Client) ReplicationHops(topics []string, upstreamAlias string) int {
	n := c.naming()
	fewest := -1
	for _, topic := range c.HeartbeatTopics(topics) {
		if i := slices.Index(n.hops(topic), upstreamAlias); i >= 0 && (fewest < 0 || i+1 < fewest) {
			fewest = i + 1
		}
	}
	return fewest
}

func selected(topics []string, wanted func(string) bool) []string {
	list := []string{}
	for _, topic := range topics {
		if wanted(topic) {
			list = append(list, topic)
		}
	}
	slices.Sort(list)
	return list
}
