package mirror

import "github.com/gokconnect/connect"

// checkpointKeys are the keys of MirrorCheckpointConnector alone.
func (env *environment) checkpointKeys() []connect.ConfigKey {
	return []connect.ConfigKey{
		{
			Name: pollTimeoutKey, Type: connect.ConfigLong, Default: 1000, Importance: connect.Low,
			Documentation: "Timeout when polling source cluster.",
		},
		{
			Name: groupsKey, Type: connect.ConfigList, Default: ".*", Importance: connect.High,
			Validator:     connect.AnyNonDuplicate(true, false),
			Documentation: "Consumer groups to replicate. Supports comma-separated group IDs and regexes.",
		},
		{
			Name: groupsExcludeKey, Type: connect.ConfigList, Default: "console-consumer-.*,connect-.*,__.*", Importance: connect.High,
			Validator:     connect.AnyNonDuplicate(true, false),
			Documentation: "Exclude groups. Supports comma-separated group IDs and regexes. Excludes take precedence over includes.",
		},
		{
			Name: groupFilterKey, Type: connect.ConfigClass, Default: DefaultGroupFilterClass, Importance: connect.Low,
			Validator:     classIn(DefaultGroupFilterClass, "", env.GroupFilters),
			Documentation: "GroupFilter to use. Selects consumer groups to replicate.",
		},
		{
			Name: refreshGroupsKey + enabledSuffix, Type: connect.ConfigBoolean, Default: true, Importance: connect.Low,
			Documentation: "Whether to periodically check for new consumer groups.",
		},
		{
			Name: refreshGroupsKey + intervalSuffix, Type: connect.ConfigLong, Default: 600, Importance: connect.Low,
			Documentation: "Frequency of group refresh.",
		},
		{
			Name: emitCheckpointsKey + enabledSuffix, Type: connect.ConfigBoolean, Default: true, Importance: connect.Low,
			Documentation: "Whether to replicate consumer offsets to target cluster.",
		},
		{
			Name: emitCheckpointsKey + intervalSuffix, Type: connect.ConfigLong, Default: 60, Importance: connect.Low,
			Documentation: "Frequency of checkpoints.",
		},
		{
			Name: syncGroupOffsetsKey + enabledSuffix, Type: connect.ConfigBoolean, Default: false, Importance: connect.Low,
			Documentation: "Whether to periodically write the translated offsets to __consumer_offsets topic in target cluster, as " +
				"long as no active consumers in that group are connected to the target cluster",
		},
		{
			Name: syncGroupOffsetsKey + intervalSuffix, Type: connect.ConfigLong, Default: 60, Importance: connect.Low,
			Documentation: "Frequency of consumer group offset sync.",
		},
		{
			Name: checkpointsFactorKey, Type: connect.ConfigShort, Default: 3, Importance: connect.Low,
			Documentation: "Replication factor for checkpoints topic.",
		},
		{
			Name: offsetSyncsLocationKey, Type: connect.ConfigString, Default: "source", Importance: connect.Low,
			Validator:     connect.ValidString(sourceSide, targetSide),
			Documentation: "The location (source/target) of the offset-syncs topic.",
		},
		{
			Name: topicFilterKey, Type: connect.ConfigClass, Default: DefaultTopicFilterClass, Importance: connect.Low,
			Validator:     classIn(DefaultTopicFilterClass, "", env.TopicFilters),
			Documentation: "TopicFilter to use. Selects topics to replicate.",
		},
		{
			Name: metricNamesKey, Type: connect.ConfigList, Default: "legacy", Importance: connect.Low,
			Validator: connect.ValidListNonEmpty(metricNamesLegacy, metricNamesNew),
			Documentation: "Deprecated. The formats in which metrics are emitted. Valid values are legacy and new. When set to " +
				"legacy, the metrics have the following name " +
				"\"kafka.connect.mirror:type=MirrorCheckpointConnector,source={SOURCE},target={TARGET},group={GROUP},topic={TOPIC},partition={PARTITION}\". " +
				"When set to new, the metrics have the following name " +
				"\"kafka.connect:type=plugins,connector={CONNECTOR},task={TASK},source={SOURCE},target={TARGET},group={GROUP},topic={TOPIC},partition={PARTITION}\". " +
				"When set to \"legacy,new\" the connector will emit metrics with both names, this can be useful when " +
				"migrating to the new format but it doubles the amount of metrics that are emitted.\nIn Kafka 5.0 the " +
				"legacy format and this configuration will be removed and the metrics will always use the new names.",
		},
	}
}

// heartbeatKeys are the keys of MirrorHeartbeatConnector alone.
func (env *environment) heartbeatKeys() []connect.ConfigKey {
	return []connect.ConfigKey{
		{
			Name: emitHeartbeatsKey + enabledSuffix, Type: connect.ConfigBoolean, Default: true, Importance: connect.Low,
			Documentation: "Whether to emit heartbeats to target cluster.",
		},
		{
			Name: emitHeartbeatsKey + intervalSuffix, Type: connect.ConfigLong, Default: 1, Importance: connect.Low,
			Documentation: "Frequency of heartbeats.",
		},
		{
			Name: heartbeatsFactorKey, Type: connect.ConfigShort, Default: 3, Importance: connect.Low,
			Documentation: "Replication factor for heartbeats topic.",
		},
	}
}
