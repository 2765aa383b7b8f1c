package mirror

import (
	"slices"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/connconfig"
	"github.com/gokconnect/connect/internal/workerconfig"
)

// The keys.
const (
	nameKey              = "name"
	enabledKey           = "enabled"
	sourceAliasKey       = "source.cluster.alias"
	targetAliasKey       = "target.cluster.alias"
	adminTimeoutKey      = "admin.timeout.ms"
	policyClassKey       = "replication.policy.class"
	policySeparatorKey   = "replication.policy.separator"
	internalSeparatorKey = "replication.policy.internal.topic.separator.enabled"
	forwardingAdminKey   = "forwarding.admin.class"
	metricReportersKey   = "metric.reporters"
	securityProtocolKey  = "security.protocol"
	configProvidersKey   = "config.providers"

	topicsKey              = "topics"
	topicsExcludeKey       = "topics.exclude"
	configExcludeKey       = "config.properties.exclude"
	useDefaultsKey         = "use.defaults.from"
	topicFilterKey         = "topic.filter.class"
	configFilterKey        = "config.property.filter.class"
	pollTimeoutKey         = "consumer.poll.timeout.ms"
	forwardBatchesKey      = "forward.batches.enabled"
	refreshTopicsKey       = "refresh.topics"
	syncConfigsKey         = "sync.topic.configs"
	syncACLsKey            = "sync.topic.acls"
	replicationFactorKey   = "replication.factor"
	offsetSyncsPrefix      = "offset-syncs"
	offsetSyncsFactorKey   = "offset-syncs.topic.replication.factor"
	offsetLagMaxKey        = "offset.lag.max"
	offsetSyncsLocationKey = "offset-syncs.topic.location"
	emitOffsetSyncsKey     = "emit.offset-syncs.enabled"
	replicateHeartbeatsKey = "heartbeats.replication.enabled"
	metricNamesKey         = "metric.names.formats"

	groupsKey            = "groups"
	groupsExcludeKey     = "groups.exclude"
	groupFilterKey       = "group.filter.class"
	refreshGroupsKey     = "refresh.groups"
	emitCheckpointsKey   = "emit.checkpoints"
	syncGroupOffsetsKey  = "sync.group.offsets"
	checkpointsFactorKey = "checkpoints.topic.replication.factor"

	emitHeartbeatsKey   = "emit.heartbeats"
	heartbeatsFactorKey = "heartbeats.topic.replication.factor"

	taskPartitionsKey = "task.assigned.partitions"
	taskGroupsKey     = "task.assigned.groups"
	taskIndexKey      = "task.index"

	enabledSuffix  = ".enabled"
	intervalSuffix = ".interval.seconds"

	// where the offset syncs topic is
	sourceSide = "source"
	targetSide = "target"

	forwardingAdminClass = "org.apache.kafka.clients.admin.ForwardingAdmin"

	metricNamesLegacy = "legacy"
	metricNamesNew    = "new"
)

// define returns the definition of a connector: the keys of every connector, those of MirrorMaker's, its own.
func (env *environment) define(own []connect.ConfigKey) *connect.ConfigDef {
	keys := slices.Concat(env.commonKeys(), workerconfig.SecurityKeys(), own)
	def, err := connconfig.WithCommonKeys(connect.MustConfigDef(keys...))
	if err != nil {
		panic("mirror: " + err.Error())
	}
	return def
}

func (env *environment) sourceDef() *connect.ConfigDef     { return env.define(env.sourceKeys()) }
func (env *environment) checkpointDef() *connect.ConfigDef { return env.define(env.checkpointKeys()) }
func (env *environment) heartbeatDef() *connect.ConfigDef  { return env.define(env.heartbeatKeys()) }

// sourceTaskDef and checkpointTaskDef define what a task's configuration has besides.
func (env *environment) sourceTaskDef() *connect.ConfigDef {
	return env.define(append(env.sourceKeys(), taskKeys(taskPartitionsKey, "Topic-partitions assigned to this task to replicate.")...))
}

func (env *environment) checkpointTaskDef() *connect.ConfigDef {
	return env.define(append(env.checkpointKeys(), taskKeys(taskGroupsKey, "Consumer groups assigned to this task to replicate.")...))
}

func taskKeys(assigned, documentation string) []connect.ConfigKey {
	return []connect.ConfigKey{
		{Name: assigned, Type: connect.ConfigList, Default: nil, Importance: connect.Low, Validator: connect.AnyNonDuplicate(false, true), Documentation: documentation},
		{Name: taskIndexKey, Type: connect.ConfigInt, Default: nil, Importance: connect.Low, Documentation: "The index of the task"},
	}
}

// topicFilterDef, groupFilterDef and configFilterDef define the keys of the filters alone.
func topicFilterDef() *connect.ConfigDef {
	return only(new(environment).sourceKeys(), topicsKey, topicsExcludeKey)
}

func groupFilterDef() *connect.ConfigDef {
	return only(new(environment).checkpointKeys(), groupsKey, groupsExcludeKey)
}

func configFilterDef() *connect.ConfigDef {
	def, err := only(new(environment).sourceKeys(), configExcludeKey).With(connect.ConfigKey{
		Name: useDefaultsKey, Type: connect.ConfigString, Default: targetSide, Importance: connect.Medium,
		Documentation: "Which cluster's defaults (source or target) to use when syncing topic configurations that have default values.",
	})
	if err != nil {
		panic("mirror: " + err.Error())
	}
	return def
}

func only(keys []connect.ConfigKey, names ...string) *connect.ConfigDef {
	return connect.MustConfigDef(slices.DeleteFunc(keys, func(k connect.ConfigKey) bool { return !slices.Contains(names, k.Name) })...)
}

// classIn accepts the names of Kafka's classes and of the program's. A Java class can't be loaded.
func classIn[T any](class, other string, own map[string]T) connect.ConfigValidator {
	return connect.ConfigCheck("", func(key string, value any) error {
		name, _ := value.(string)
		if _, ok := own[name]; ok || name == class || name == other && other != "" {
			return nil
		}
		return connect.InvalidValue(key, value, "Class "+name+" could not be found.")
	})
}
