package mirror

import (
	"strconv"
	"strings"
	"time"

	"github.com/gokconnect/connect"
)

// Config is what the configurations of the three connectors and their tasks have in common.
type Config struct {
	Name                     string // of the connector
	Enabled                  bool
	SourceAlias, TargetAlias string
	AdminTimeout             time.Duration // of an administrative request
	Naming                   Naming

	given  connect.Config
	parsed *connect.ParsedConfig
	label  string
	env    *environment
}

// parse reads what the configurations have in common. It fails with a *[connect.ConfigError].
func (env *environment) parse(def *connect.ConfigDef, cfg connect.Config) (Config, error) {
	p, err := def.Parse(cfg)
	if err != nil {
		return Config{}, err
	}
	policy, err := env.policy(p.String(policyClassKey), cfg)
	if err != nil {
		return Config{}, err
	}
	c := Config{
		Name: p.String(nameKey), Enabled: p.Bool(enabledKey), SourceAlias: p.String(sourceAliasKey), TargetAlias: p.String(targetAliasKey),
		AdminTimeout: time.Duration(p.Long(adminTimeoutKey)) * time.Millisecond, Naming: Naming{policy},
		given: cfg, parsed: p, env: env,
	}
	c.label = c.SourceAlias + "->" + c.TargetAlias + "|" + c.Name
	return c, nil
}

// forwardsBatches returns whether record batches may be copied without being decoded. Kafka's connectors don't have that
// key, so it is not defined: what they list is the same.
func forwardsBatches(cfg connect.Config) (bool, error) {
	text, ok := cfg[forwardBatchesKey]
	if !ok {
		return true, nil
	}
	switch strings.ToLower(strings.TrimSpace(text)) {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, connect.InvalidValue(forwardBatchesKey, text, "Expected value to be either true or false")
}

// interval returns the interval of something that goes on in the background; a negative one means that it does not.
func (c *Config) interval(key string) time.Duration {
	if !c.parsed.Bool(key + enabledSuffix) {
		return -time.Millisecond
	}
	return time.Duration(c.parsed.Long(key+intervalSuffix)) * time.Second
}

// ofTask makes c the configuration of a task.
func (c *Config) ofTask() {
	index := "?"
	if c.parsed.Has(taskIndexKey) {
		index = strconv.Itoa(c.parsed.Int(taskIndexKey))
	}
	c.label += "-" + index
}

// Label names the flow and the connector, and for a task its number: A->B|MirrorSourceConnector-0.
func (c *Config) Label() string { return c.label }

func (env *environment) policy(class string, cfg connect.Config) (ReplicationPolicy, error) {
	if make, ok := env.Policies[class]; ok {
		return madeBy(policyClassKey, class, cfg, make)
	}
	if class == IdentityReplicationPolicyClass {
		return NewIdentityReplicationPolicy(cfg)
	}
	return NewDefaultReplicationPolicy(cfg)
}

func (env *environment) topicFilter(class string, cfg connect.Config) (TopicFilter, error) {
	if make, ok := env.TopicFilters[class]; ok {
		return madeBy(topicFilterKey, class, cfg, make)
	}
	return NewDefaultTopicFilter(cfg)
}

func (env *environment) groupFilter(class string, cfg connect.Config) (GroupFilter, error) {
	if make, ok := env.GroupFilters[class]; ok {
		return madeBy(groupFilterKey, class, cfg, make)
	}
	return NewDefaultGroupFilter(cfg)
}

func (env *environment) configFilter(class string, cfg connect.Config) (ConfigPropertyFilter, error) {
	if make, ok := env.ConfigFilters[class]; ok {
		return madeBy(configFilterKey, class, cfg, make)
	}
	return NewDefaultConfigPropertyFilter(cfg)
}

// madeBy calls what the program brings.
func madeBy[T any](key, class string, cfg connect.Config, make func(connect.Config) (T, error)) (T, error) {
	v, err := make(cfg)
	if err != nil {
		err = &connect.ConfigError{Key: key, Message: "Invalid value " + class + " for configuration " + key + ": " + err.Error(), Err: err}
	}
	return v, err
}

// SourceConfig is the configuration of MirrorSourceConnector or one of its tasks.
type SourceConfig struct {
	Config
	Topics              TopicFilter
	ConfigProperties    ConfigPropertyFilter
	ReplicateHeartbeats bool // heartbeats whatever Topics says

	PollTimeout time.Duration
	// What goes on in the background; a negative interval means that it does not.
	RefreshTopics, SyncTopicConfigs, SyncTopicACLs time.Duration

	ReplicationFactor int // of remote topics; -1 is the broker's default
	MetricNames       []string

	OffsetSyncs     OffsetSyncsTopic
	EmitOffsetSyncs bool
	MaxOffsetLag    int64            // how far a partition may go on without an offset sync
	Partitions      []TopicPartition // of a task
	// ForwardBatches lets record batches be copied without being decoded, where nothing else is in the way.
	ForwardBatches bool
}

// TopicPartition names a partition.
type TopicPartition = connect.TopicPartition

// OffsetSyncsTopic is the topic of offset syncs.
type OffsetSyncsTopic struct {
	Name              string
	OnTarget          bool  // and not on the source
	ReplicationFactor int16 // -1 is the broker's default
}

// ParseSourceConfig reads the configuration of a MirrorSourceConnector. It fails with a *[connect.ConfigError].
func (o Options) ParseSourceConfig(cfg connect.Config) (*SourceConfig, error) {
	env := &environment{o}
	return env.sourceConfig(env.sourceDef(), cfg)
}

// ParseSourceTaskConfig reads the configuration of one of its tasks.
func (o Options) ParseSourceTaskConfig(cfg connect.Config) (*SourceConfig, error) {
	env := &environment{o}
	c, err := env.sourceConfig(env.sourceTaskDef(), cfg)
	if err != nil {
		return nil, err
	}
	c.ofTask()
	for _, text := range c.parsed.List(taskPartitionsKey) {
		tp, err := DecodeTopicPartition(text)
		if err != nil {
			return nil, &connect.ConfigError{Key: taskPartitionsKey, Message: "Invalid value " + text + " for configuration " + taskPartitionsKey + ": " + err.Error(), Err: err}
		}
		c.Partitions = append(c.Partitions, tp)
	}
	return c, nil
}

func (env *environment) sourceConfig(def *connect.ConfigDef, cfg connect.Config) (*SourceConfig, error) {
	base, err := env.parse(def, cfg)
	if err != nil {
		return nil, err
	}
	p := base.parsed
	c := &SourceConfig{
		Config: base, ReplicateHeartbeats: p.Bool(replicateHeartbeatsKey), PollTimeout: time.Duration(p.Long(pollTimeoutKey)) * time.Millisecond,
		RefreshTopics: base.interval(refreshTopicsKey), SyncTopicConfigs: base.interval(syncConfigsKey), SyncTopicACLs: base.interval(syncACLsKey),
		ReplicationFactor: p.Int(replicationFactorKey), MetricNames: p.List(metricNamesKey),
		OffsetSyncs: base.offsetSyncs(int16(p.Int(offsetSyncsFactorKey))), EmitOffsetSyncs: p.Bool(emitOffsetSyncsKey), MaxOffsetLag: p.Long(offsetLagMaxKey),
	}
	if c.ForwardBatches, err = forwardsBatches(cfg); err != nil {
		return nil, err
	}
	if c.Topics, err = env.topicFilter(p.String(topicFilterKey), cfg); err != nil {
		return nil, err
	}
	c.ConfigProperties, err = env.configFilter(p.String(configFilterKey), cfg)
	return c, err
}

// offsetSyncs names the topic of offset syncs by the cluster at the other end.
func (c *Config) offsetSyncs(factor int16) OffsetSyncsTopic {
	if c.parsed.String(offsetSyncsLocationKey) == targetSide {
		return OffsetSyncsTopic{c.Naming.OffsetSyncsTopic(c.SourceAlias), true, factor}
	}
	return OffsetSyncsTopic{c.Naming.OffsetSyncsTopic(c.TargetAlias), false, factor}
}

// CheckpointConfig is the configuration of MirrorCheckpointConnector or one of its tasks.
type CheckpointConfig struct {
	Config
	Topics      TopicFilter
	Groups      GroupFilter
	PollTimeout time.Duration
	// What goes on in the background; a negative interval means that it does not.
	RefreshGroups, EmitCheckpoints, SyncGroupOffsets time.Duration

	ReplicationFactor int16 // of the topic of checkpoints; -1 is the broker's default
	OffsetSyncs       OffsetSyncsTopic
	MetricNames       []string
	AssignedGroups    []string // of a task
}

// ParseCheckpointConfig reads the configuration of a MirrorCheckpointConnector. It fails with a *[connect.ConfigError].
func (o Options) ParseCheckpointConfig(cfg connect.Config) (*CheckpointConfig, error) {
	env := &environment{o}
	return env.checkpointConfig(env.checkpointDef(), cfg)
}

// ParseCheckpointTaskConfig reads the configuration of one of its tasks.
func (o Options) ParseCheckpointTaskConfig(cfg connect.Config) (*CheckpointConfig, error) {
	env := &environment{o}
	c, err := env.checkpointConfig(env.checkpointTaskDef(), cfg)
	if err != nil {
		return nil, err
	}
	c.ofTask()
	c.AssignedGroups = c.parsed.List(taskGroupsKey)
	return c, nil
}

func (env *environment) checkpointConfig(def *connect.ConfigDef, cfg connect.Config) (*CheckpointConfig, error) {
	base, err := env.parse(def, cfg)
	if err != nil {
		return nil, err
	}
	p := base.parsed
	c := &CheckpointConfig{
		Config: base, PollTimeout: time.Duration(p.Long(pollTimeoutKey)) * time.Millisecond,
		RefreshGroups: base.interval(refreshGroupsKey), EmitCheckpoints: base.interval(emitCheckpointsKey), SyncGroupOffsets: base.interval(syncGroupOffsetsKey),
		ReplicationFactor: int16(p.Int(checkpointsFactorKey)), OffsetSyncs: base.offsetSyncs(0), MetricNames: p.List(metricNamesKey),
	}
	if c.Topics, err = env.topicFilter(p.String(topicFilterKey), cfg); err != nil {
		return nil, err
	}
	c.Groups, err = env.groupFilter(p.String(groupFilterKey), cfg)
	return c, err
}

// HeartbeatConfig is the configuration of MirrorHeartbeatConnector or its task.
type HeartbeatConfig struct {
	Config
	Interval          time.Duration // negative: none
	ReplicationFactor int16         // of the topic; -1 is the broker's default
}

// ParseHeartbeatConfig reads the configuration of a MirrorHeartbeatConnector. It fails with a *[connect.ConfigError].
func (o Options) ParseHeartbeatConfig(cfg connect.Config) (*HeartbeatConfig, error) {
	env := &environment{o}
	base, err := env.parse(env.heartbeatDef(), cfg)
	if err != nil {
		return nil, err
	}
	return &HeartbeatConfig{base, base.interval(emitHeartbeatsKey), int16(base.parsed.Int(heartbeatsFactorKey))}, nil
}
