package mirror

import "github.com/gokconnect/connect"

// sourceKeys are the keys of MirrorSourceConnector alone.
func (env *environment) sourceKeys() []connect.ConfigKey {
	return []connect.ConfigKey{
		{
			Name: topicsKey, Type: connect.ConfigList, Default: ".*", Importance: connect.High,
			Validator:     connect.AnyNonDuplicate(true, false),
			Documentation: "Topics to replicate. Supports comma-separated topic names and regexes.",
		},
		{
			Name: topicsExcludeKey, Type: connect.ConfigList, Default: "mm2.*\\.internal,.*\\.replica,__.*", Importance: connect.High,
			Validator: connect.AnyNonDuplicate(true, false),
			Documentation: "Excluded topics. Supports comma-separated topic names and regexes. Excludes take precedence over " +
				"includes.",
		},
		{
			Name: configExcludeKey, Type: connect.ConfigList, Default: "follower.replication.throttled.replicas,leader.replication.throttled.replicas,message.timestamp.difference.max.ms,log.message.timestamp.before.max.ms,log.message.timestamp.after.max.ms,message.timestamp.type,unclean.leader.election.enable,min.insync.replicas", Importance: connect.High,
			Validator: connect.AnyNonDuplicate(true, false),
			Documentation: "Topic config properties that should not be replicated. Supports comma-separated property names and " +
				"regexes.",
		},
		{
			Name: topicFilterKey, Type: connect.ConfigClass, Default: DefaultTopicFilterClass, Importance: connect.Low,
			Validator:     classIn(DefaultTopicFilterClass, "", env.TopicFilters),
			Documentation: "TopicFilter to use. Selects topics to replicate.",
		},
		{
			Name: configFilterKey, Type: connect.ConfigClass, Default: DefaultConfigPropertyFilterClass, Importance: connect.Low,
			Validator:     classIn(DefaultConfigPropertyFilterClass, "", env.ConfigFilters),
			Documentation: "ConfigPropertyFilter to use. Selects topic config  properties to replicate.",
		},
		{
			Name: pollTimeoutKey, Type: connect.ConfigLong, Default: 1000, Importance: connect.Low,
			Documentation: "Timeout when polling source cluster.",
		},
		{
			Name: refreshTopicsKey + enabledSuffix, Type: connect.ConfigBoolean, Default: true, Importance: connect.Low,
			Documentation: "Whether to periodically check for new topics and partitions.",
		},
		{
			Name: refreshTopicsKey + intervalSuffix, Type: connect.ConfigLong, Default: 600, Importance: connect.Low,
			Documentation: "Frequency of topic refresh.",
		},
		{
			Name: syncConfigsKey + enabledSuffix, Type: connect.ConfigBoolean, Default: true, Importance: connect.Low,
			Documentation: "Whether to periodically configure remote topics to match their corresponding upstream topics.",
		},
		{
			Name: syncConfigsKey + intervalSuffix, Type: connect.ConfigLong, Default: 600, Importance: connect.Low,
			Documentation: "Frequency of topic config sync.",
		},
		{
			Name: syncACLsKey + enabledSuffix, Type: connect.ConfigBoolean, Default: true, Importance: connect.Low,
			Documentation: "Whether to periodically configure remote topic ACLs to match their corresponding upstream topics.",
		},
		{
			Name: syncACLsKey + intervalSuffix, Type: connect.ConfigLong, Default: 600, Importance: connect.Low,
			Documentation: "Frequency of topic ACL sync.",
		},
		{
			Name: replicationFactorKey, Type: connect.ConfigInt, Default: 2, Importance: connect.Low,
			Documentation: "Replication factor for newly created remote topics.",
		},
		{
			Name: offsetSyncsFactorKey, Type: connect.ConfigShort, Default: 3, Importance: connect.Low,
			Documentation: "Replication factor for offset-syncs topic.",
		},
		{
			Name: offsetLagMaxKey, Type: connect.ConfigLong, Default: 100, Importance: connect.Low,
			Documentation: "How out-of-sync a remote partition can be before it is resynced.",
		},
		{
			Name: offsetSyncsLocationKey, Type: connect.ConfigString, Default: "source", Importance: connect.Low,
			Validator:     connect.ValidString(sourceSide, targetSide),
			Documentation: "The location (source/target) of the offset-syncs topic.",
		},
		{
			Name: emitOffsetSyncsKey, Type: connect.ConfigBoolean, Default: true, Importance: connect.Low,
			Documentation: "Whether to store the new offset of the replicated records in offset-syncs topic or not. " +
				"MirrorCheckpointConnector will not be able to sync group offsets or emit checkpoints if " +
				"emit.checkpoints.enabled and/or sync.group.offsets.enabled are enabled while emit.offset-syncs.enabled is " +
				"disabled.",
		},
		{
			Name: replicateHeartbeatsKey, Type: connect.ConfigBoolean, Default: true, Importance: connect.Low,
			Documentation: "Whether to replicate the heartbeats topics even when the topic filter does not include them. If set to " +
				"true, heartbeats topics identified by the replication policy will always be replicated, regardless of the " +
				"topic filter configuration. If set to false, heartbeats topics will only be replicated if the topic " +
				"filter allows.",
		},
		{
			Name: metricNamesKey, Type: connect.ConfigList, Default: "legacy", Importance: connect.Low,
			Validator: connect.ValidListNonEmpty(metricNamesLegacy, metricNamesNew),
			Documentation: "Deprecated. The formats in which metrics are emitted. Valid values are legacy and new. When set to " +
				"legacy, the metrics have the following name " +
				"\"kafka.connect.mirror:type=MirrorSourceConnector,source={SOURCE},target={TARGET},topic={TOPIC},partition={PARTITION}\". " +
				"When set to new, the metrics have the following name " +
				"\"kafka.connect:type=plugins,connector={CONNECTOR},task={TASK},source={SOURCE},target={TARGET},topic={TOPIC},partition={PARTITION}\". " +
				"When set to \"legacy,new\" the connector will emit metrics with both names, this can be useful when " +
				"migrating to the new format but it doubles the amount of metrics that are emitted.\nIn Kafka 5.0 the " +
				"legacy format and this configuration will be removed and the metrics will always use the new names.",
		},
	}
}
