package mirror

import (
	"context"
	"errors"
	"strings"

	"github.com/gokconnect/connect"
)

const (
	exactlyOnceKey = "exactly.once.support"
	readCommitted  = "read_committed"
)

// Validate checks what goes beyond single keys: the topics and filters that a program brings are made, exactly-once
// delivery needs a consumer that skips aborted transactions, offset syncs are configured or switched off, not both, and
// the key that is ours alone has a value of its type.
func (c *sourceConnector) Validate(_ context.Context, cfg connect.Config, values connect.ConfigValues) error {
	c.env.validatePlugins(cfg, values)
	bad := new(connect.ConfigError)
	if _, err := forwardsBatches(cfg); errors.As(err, &bad) {
		values.AddError(bad.Key, bad.Message)
	}
	if cfg[exactlyOnceKey] == "required" && !readsCommitted(cfg) {
		values.AddError(exactlyOnceKey, "MirrorSourceConnector can only provide exactly-once guarantees when its source consumer is configured with "+
			"isolation.level set to '"+readCommitted+"'; otherwise, records from aborted and uncommitted transactions will be replicated "+
			"from the source cluster to the target cluster.")
	}
	if cfg[emitOffsetSyncsKey] == "false" {
		for key := range cfg {
			if strings.HasPrefix(key, offsetSyncsPrefix+"-") || strings.HasPrefix(key, offsetSyncsPrefix+".topic.") {
				values.AddError(emitOffsetSyncsKey, "MirrorSourceConnector can't setup offset-syncs feature while "+emitOffsetSyncsKey+" set to false")
				break
			}
		}
	}
	return nil
}

// ExactlyOnceSupport says that exactly-once delivery is supported if the source consumer reads what is committed only.
func (c *sourceConnector) ExactlyOnceSupport(cfg connect.Config) (connect.ExactlyOnceSupport, error) {
	if readsCommitted(cfg) {
		return connect.ExactlyOnceSupported, nil
	}
	return connect.ExactlyOnceUnsupported, nil
}

func readsCommitted(cfg connect.Config) bool {
	c := Config{given: cfg}
	return c.ConsumerProperties(Source, "")["isolation.level"] == readCommitted
}

// Validate checks that what checkpoints need is not switched off.
func (c *checkpointConnector) Validate(_ context.Context, cfg connect.Config, values connect.ConfigValues) error {
	c.env.validatePlugins(cfg, values)
	if cfg[enabledKey] == "false" {
		return nil
	}
	if cfg[emitCheckpointsKey+enabledSuffix] == "false" {
		values.AddError(emitCheckpointsKey+enabledSuffix, "MirrorCheckpointConnector can't run with "+emitCheckpointsKey+enabledSuffix+" set to false")
	}
	if cfg[emitOffsetSyncsKey] == "false" {
		values.AddError(emitOffsetSyncsKey, "MirrorCheckpointConnector can't run without offset syncs")
	}
	return nil
}

// Validate checks what the program brings.
func (c *heartbeatConnector) Validate(_ context.Context, cfg connect.Config, values connect.ConfigValues) error {
	c.env.validatePlugins(cfg, values)
	return nil
}

// validatePlugins makes the policy and filters that the connector has keys for. What is wrong with a key alone is
// known already.
func (env *environment) validatePlugins(cfg connect.Config, values connect.ConfigValues) {
	check := func(key string, make func(class string) error) {
		if v := values[key]; v == nil || len(v.Errors) > 0 {
			return
		}
		class, ok := values[key].Value.(string)
		if !ok {
			return
		}
		err := make(class)
		bad := new(connect.ConfigError)
		switch {
		case err == nil:
		case !errors.As(err, &bad):
			values.AddError(key, err.Error())
		case key != policyClassKey && bad.Key != key:
			// A pattern of a filter that is none is found when the connector starts, as in Kafka Connect.
		default:
			if v := values[bad.Key]; v != nil && len(v.Errors) == 0 {
				values.AddError(bad.Key, bad.Message)
			}
		}
	}
	check(policyClassKey, func(class string) error { _, err := env.policy(class, cfg); return err })
	check(topicFilterKey, func(class string) error { _, err := env.topicFilter(class, cfg); return err })
	check(groupFilterKey, func(class string) error { _, err := env.groupFilter(class, cfg); return err })
	check(configFilterKey, func(class string) error { _, err := env.configFilter(class, cfg); return err })
}
