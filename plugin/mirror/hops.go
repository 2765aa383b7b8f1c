package mirror

import "slices"

// What the names of a cluster's topics tell.

// HeartbeatTopics returns those of a cluster's topics that have heartbeats, its own or others'.
func (n Naming) HeartbeatTopics(topics []string) []string {
	return selected(topics, n.IsHeartbeatsTopic)
}

// CheckpointTopics returns those of a cluster's topics that have checkpoints.
func (n Naming) CheckpointTopics(topics []string) []string {
	return selected(topics, n.IsCheckpointsTopic)
}

// RemoteTopics returns those of a cluster's topics that are copies. With a source, only those that came from that
// cluster without a detour.
func (n Naming) RemoteTopics(topics []string, sourceAlias string) []string {
	return selected(topics, func(topic string) bool {
		source, ok := n.TopicSource(topic)
		return ok && !n.IsInternalTopic(topic) && (sourceAlias == "" || source == sourceAlias)
	})
}

// UpstreamClusters returns the clusters whose heartbeats arrive, directly or by a detour, by the names of topics.
func (n Naming) UpstreamClusters(topics []string) []string {
	var aliases []string
	for _, topic := range n.HeartbeatTopics(topics) {
		aliases = append(aliases, n.hops(topic)...)
	}
	slices.Sort(aliases)
	return slices.Compact(aliases)
}

// ReplicationHops returns over how many flows a cluster's records arrive, by the names of topics with heartbeats, or -1
// if none do.
func (n Naming) ReplicationHops(topics []string, upstreamAlias string) int {
	fewest := -1
	for _, topic := range n.HeartbeatTopics(topics) {
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
