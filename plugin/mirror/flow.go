package mirror

// RemoteTopic returns the name of a topic's copy on the target.
func (c *Config) RemoteTopic(topic string) string {
	return c.Naming.FormatRemoteTopic(c.SourceAlias, topic)
}

// IsCycle reports whether a topic of the source is, directly or by a detour, a copy of one of the target.
func (c *Config) IsCycle(topic string) bool {
	for {
		source, ok := c.Naming.TopicSource(topic)
		switch {
		case !ok:
			return false
		case source == c.TargetAlias:
			return true
		}
		upstream, ok := c.Naming.UpstreamTopic(topic)
		if !ok || upstream == topic {
			return false
		}
		topic = upstream
	}
}

// ShouldReplicate reports whether a topic of the source is copied: the filter wants it or it has heartbeats, it is not
// internal, and it did not come from the target.
func (c *SourceConfig) ShouldReplicate(topic string) bool {
	return (c.Topics.ShouldReplicateTopic(topic) || c.ReplicateHeartbeats && c.Naming.IsHeartbeatsTopic(topic)) &&
		!c.Naming.IsInternalTopic(topic) && !c.IsCycle(topic)
}

// TargetTopic returns the topic on the target that has the records of a topic of the source: its copy, or, if it came from
// the target itself, the original.
func (c *CheckpointConfig) TargetTopic(topic string) string {
	if source, ok := c.Naming.TopicSource(topic); ok && source == c.TargetAlias {
		return c.Naming.OriginalTopic(topic)
	}
	return c.RemoteTopic(topic)
}
