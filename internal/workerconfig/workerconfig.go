// Package workerconfig is the configuration of a worker, distributed or standalone, under Kafka Connect's keys.
package workerconfig

import (
	"strings"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/connconfig"
)

// Protocol is the protocol of the group of workers.
type Protocol string

// The protocols.
const (
	ProtocolEager      Protocol = "eager"
	ProtocolCompatible Protocol = "compatible"
	ProtocolSessioned  Protocol = "sessioned"
)

// ExactlyOnce says how far a cluster is with exactly-once delivery for source connectors.
type ExactlyOnce string

// The stages.
const (
	ExactlyOnceDisabled  ExactlyOnce = "disabled"
	ExactlyOncePreparing ExactlyOnce = "preparing"
	ExactlyOnceEnabled   ExactlyOnce = "enabled"
)

// Config is what distributed and standalone workers share.
type Config struct {
	BootstrapServers []string

	// The converters that connectors use that name none.
	KeyConverter, ValueConverter, HeaderConverter connconfig.Plugin

	TaskShutdownTimeout time.Duration
	OffsetFlushInterval time.Duration
	OffsetFlushTimeout  time.Duration

	OverridePolicy     string // class or alias
	TopicCreation      bool
	TopicTracking      bool
	TopicTrackingReset bool
	ConfigProviders    []ConfigProvider

	Listeners          []string
	AdminListeners     []string // nil: those of Listeners; empty: none
	AdvertisedHost     string   // "" if not given
	AdvertisedPort     int      // 0 if not given
	AdvertisedListener string   // "" if not given
	AllowOrigin        string
	AllowMethods       string
	HeaderRules        []HeaderRule

	// Parsed is the whole configuration.
	Parsed *connect.ParsedConfig
}

// ConfigProvider is a provider of config.providers.
type ConfigProvider struct {
	Alias  string
	Class  string         // class or alias; "" if it was not given
	Config connect.Config // config.providers.ALIAS.param.*
}

// Distributed is the configuration of a distributed worker.
type Distributed struct {
	Config
	GroupID                    string
	ClientID                   string
	SessionTimeout             time.Duration
	RebalanceTimeout           time.Duration
	HeartbeatInterval          time.Duration
	SyncTimeout                time.Duration
	UnsyncBackoff              time.Duration
	ScheduledRebalanceMaxDelay time.Duration
	Protocol                   Protocol
	ExactlyOnce                ExactlyOnce

	OffsetTopic, ConfigTopic, StatusTopic InternalTopic

	KeyTTL                 time.Duration
	KeyAlgorithm           string
	KeyBits                int // 0 is the algorithm's default
	SignatureAlgorithm     string
	VerificationAlgorithms []string
}

// InternalTopic is a topic of the worker's own.
type InternalTopic struct {
	Name              string
	Partitions        int32 // -1 is the broker's default; the config topic has 1
	ReplicationFactor int16 // -1 is the broker's default
	// Settings are further settings of the topic when it is created.
	Settings map[string]string
}

// Standalone is the configuration of a standalone worker.
type Standalone struct {
	Config
	OffsetFile string
}

// DistributedDef returns the definition of a distributed worker's keys.
func DistributedDef() *connect.ConfigDef {
	return define(groupKeys(), saslKeys(), storageKeys())
}

// StandaloneDef returns the definition of a standalone worker's keys.
func StandaloneDef() *connect.ConfigDef {
	return define([]connect.ConfigKey{{
		Name: "offset.storage.file.filename", Type: connect.ConfigString, Default: connect.Required, Importance: connect.High,
		Documentation: "The file that source offsets are stored in.",
	}})
}

// SecurityKey returns the definition of a key of TLS or SASL, which clients have too.
func SecurityKey(name string) (connect.ConfigKey, bool) {
	for _, keys := range [][]connect.ConfigKey{tlsKeys(), saslKeys()} {
		for _, key := range keys {
			if key.Name == name {
				return key, true
			}
		}
	}
	if name == "security.protocol" {
		for _, key := range groupKeys() {
			if key.Name == name {
				return key, true
			}
		}
	}
	return connect.ConfigKey{}, false
}

func define(more ...[]connect.ConfigKey) *connect.ConfigDef {
	keys := append(commonKeys(), tlsKeys()...)
	keys = append(keys, restKeys()...)
	for _, m := range more {
		keys = append(keys, m...)
	}
	return connect.MustConfigDef(keys...)
}

// ParseDistributed parses and validates the configuration of a distributed worker. Classes are looked up in the
// registry, unless it is nil. An error is a *[connect.ConfigError] about the first problem.
func ParseDistributed(reg *connect.Registry, cfg connect.Config) (*Distributed, error) {
	p, err := DistributedDef().WithClasses(finder(reg)).Parse(cfg)
	if err != nil {
		return nil, err
	}
	if err := checkKeys(p); err != nil {
		return nil, err
	}
	common, err := parse(p)
	if err != nil {
		return nil, err
	}
	return &Distributed{
		Config:                     *common,
		GroupID:                    p.String("group.id"),
		ClientID:                   p.String("client.id"),
		SessionTimeout:             p.Duration("session.timeout.ms"),
		RebalanceTimeout:           p.Duration("rebalance.timeout.ms"),
		HeartbeatInterval:          p.Duration("heartbeat.interval.ms"),
		SyncTimeout:                p.Duration("worker.sync.timeout.ms"),
		UnsyncBackoff:              p.Duration("worker.unsync.backoff.ms"),
		ScheduledRebalanceMaxDelay: p.Duration("scheduled.rebalance.max.delay.ms"),
		Protocol:                   Protocol(strings.ToLower(p.String("connect.protocol"))),
		ExactlyOnce:                ExactlyOnce(strings.ToLower(p.String("exactly.once.source.support"))),
		OffsetTopic:                topic(p, "offset.storage.", int32(p.Int("offset.storage.partitions"))),
		ConfigTopic:                topic(p, "config.storage.", 1),
		StatusTopic:                topic(p, "status.storage.", int32(p.Int("status.storage.partitions"))),
		KeyTTL:                     p.Duration("inter.worker.key.ttl.ms"),
		KeyAlgorithm:               p.String("inter.worker.key.generation.algorithm"),
		KeyBits:                    p.Int("inter.worker.key.size"),
		SignatureAlgorithm:         p.String("inter.worker.signature.algorithm"),
		VerificationAlgorithms:     p.List("inter.worker.verification.algorithms"),
	}, nil
}

// ParseStandalone is [ParseDistributed] for a standalone worker.
func ParseStandalone(reg *connect.Registry, cfg connect.Config) (*Standalone, error) {
	p, err := StandaloneDef().WithClasses(finder(reg)).Parse(cfg)
	if err != nil {
		return nil, err
	}
	common, err := parse(p)
	if err != nil {
		return nil, err
	}
	return &Standalone{*common, p.String("offset.storage.file.filename")}, nil
}

func parse(p *connect.ParsedConfig) (*Config, error) {
	rules, err := ParseHeaderRules(p.String("response.http.headers.config"))
	if err != nil {
		return nil, err
	}
	c := &Config{
		BootstrapServers:    p.List("bootstrap.servers"),
		TaskShutdownTimeout: p.Duration("task.shutdown.graceful.timeout.ms"),
		OffsetFlushInterval: p.Duration("offset.flush.interval.ms"),
		OffsetFlushTimeout:  p.Duration("offset.flush.timeout.ms"),
		OverridePolicy:      p.String("connector.client.config.override.policy"),
		TopicCreation:       p.Bool("topic.creation.enable"),
		TopicTracking:       p.Bool("topic.tracking.enable"),
		TopicTrackingReset:  p.Bool("topic.tracking.allow.reset"),
		Listeners:           p.List("listeners"),
		AdminListeners:      p.List("admin.listeners"),
		AdvertisedHost:      p.String("rest.advertised.host.name"),
		AdvertisedPort:      p.Int("rest.advertised.port"),
		AdvertisedListener:  p.String("rest.advertised.listener"),
		AllowOrigin:         p.String("access.control.allow.origin"),
		AllowMethods:        p.String("access.control.allow.methods"),
		HeaderRules:         rules,
		Parsed:              p,
	}
	for key, into := range map[string]*connconfig.Plugin{
		"key.converter": &c.KeyConverter, "value.converter": &c.ValueConverter, "header.converter": &c.HeaderConverter,
	} {
		*into = connconfig.Plugin{Class: p.String(key), Version: p.String(key + ".plugin.version"), Config: p.GivenWithPrefix(key + ".")}
	}
	given := p.Given()
	for _, alias := range p.List("config.providers") {
		prefix := "config.providers." + alias + "."
		c.ConfigProviders = append(c.ConfigProviders, ConfigProvider{alias, strings.TrimSpace(given[prefix+"class"]), p.GivenWithPrefix(prefix + "param.")})
	}
	return c, nil
}

// topic returns the internal topic whose keys have the prefix. What else stands there is a setting of the topic, but for
// those that must not be changed.
func topic(p *connect.ParsedConfig, prefix string, partitions int32) InternalTopic {
	settings := p.GivenWithPrefix(prefix)
	for _, key := range [...]string{"topic", "partitions", "replication.factor", "cleanup.policy"} {
		delete(settings, key)
	}
	return InternalTopic{p.String(prefix + "topic"), partitions, int16(p.Int(prefix + "replication.factor")), settings}
}

// finder finds the classes of plugins, and takes those of Kafka and Java for granted: keys for them are accepted and
// have no effect.
func finder(reg *connect.Registry) func(string) (string, bool) {
	find := connconfig.ClassFinder(reg)
	return func(name string) (string, bool) {
		if strings.HasPrefix(name, "org.apache.kafka.common.") {
			return name, true
		}
		return find(name)
	}
}

// SecurityKeys returns the keys of TLS and SASL that clients have too, in Kafka's order.
func SecurityKeys() []connect.ConfigKey { return append(tlsKeys(), saslKeys()...) }
