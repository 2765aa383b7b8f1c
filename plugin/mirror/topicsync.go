package mirror

import (
	"github.com/gokconnect/connect"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// TopicConfig is a setting of a topic, as its cluster describes it.
type TopicConfig struct {
	Name                string
	Value               *string
	Source              kmsg.ConfigSource
	ReadOnly, Sensitive bool
}

// IsDefault reports whether the topic has the setting from the defaults of Kafka.
func (t TopicConfig) IsDefault() bool { return t.Source == kmsg.ConfigSourceDefaultConfig }

// TargetConfigs returns the settings of a topic that its copy gets too. Those that the cluster does not let change, keeps
// secret, or has from the files of its brokers are left out, and those that the filter excludes. Settings with Kafka's
// defaults are left out too, unless the filter wants the source's; with withDefaults they are kept, so that the copy's can
// be set back.
func (c *SourceConfig) TargetConfigs(source []TopicConfig, withDefaults bool) []TopicConfig {
	var target []TopicConfig
	for _, t := range source {
		if t.ReadOnly || t.Sensitive || t.Source == kmsg.ConfigSourceStaticBrokerConfig ||
			!withDefaults && t.IsDefault() && !c.CopiesDefault(t.Name) || !c.ConfigProperties.ShouldReplicateConfigProperty(t.Name) {
			continue
		}
		target = append(target, t)
	}
	return target
}

// CopiesDefault reports whether a setting that has the source's default is set on the target.
func (c *SourceConfig) CopiesDefault(name string) bool {
	d, ok := connect.As[SourceDefaults](c.ConfigProperties)
	return ok && d.ShouldReplicateSourceDefault(name)
}

// TopicACL is a rule of who may do what with the topic of that name.
type TopicACL struct {
	Topic           string
	Principal, Host string
	Operation       kmsg.ACLOperation
	Permission      kmsg.ACLPermissionType
}

// TargetACL returns the rule for a topic's copy. Nobody but the connector may write there, so that what is allowed to
// all becomes allowed to read, and what allows to write is not copied; ok is then false.
func (c *SourceConfig) TargetACL(a TopicACL) (target TopicACL, ok bool) {
	target = a
	target.Topic = c.RemoteTopic(a.Topic)
	if a.Operation == kmsg.ACLOperationAny || a.Permission == kmsg.ACLPermissionTypeAny {
		return target, false // a filter, not a rule
	}
	if a.Permission == kmsg.ACLPermissionTypeAllow {
		switch a.Operation {
		case kmsg.ACLOperationAll:
			target.Operation = kmsg.ACLOperationRead
		case kmsg.ACLOperationWrite:
			return target, false
		}
	}
	return target, true
}
