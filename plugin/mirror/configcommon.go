package mirror

import "github.com/gokconnect/connect"

// The texts, defaults and orders of the keys are what the REST API shows, so they are those of Kafka Connect 4.3.

// commonKeys are the keys of all three connectors that come before those of TLS and SASL.
func (env *environment) commonKeys() []connect.ConfigKey {
	return []connect.ConfigKey{
		{
			Name: enabledKey, Type: connect.ConfigBoolean, Default: true, Importance: connect.Low,
			Documentation: "Whether to replicate source->target.",
		},
		{
			Name: sourceAliasKey, Type: connect.ConfigString, Default: connect.Required, Importance: connect.High,
			Documentation: "Alias of source cluster",
		},
		{
			Name: targetAliasKey, Type: connect.ConfigString, Default: "target", Importance: connect.High,
			Documentation: "Alias of target cluster. Used in metrics reporting.",
		},
		{
			Name: adminTimeoutKey, Type: connect.ConfigLong, Default: 60000, Importance: connect.Low,
			Documentation: "Timeout for administrative tasks, e.g. detecting new topics.",
		},
		{
			Name: policyClassKey, Type: connect.ConfigClass, Default: DefaultReplicationPolicyClass, Importance: connect.Low,
			Validator:     classIn(DefaultReplicationPolicyClass, IdentityReplicationPolicyClass, env.Policies),
			Documentation: "Class which defines the remote topic naming convention.",
		},
		{
			Name: policySeparatorKey, Type: connect.ConfigString, Default: ".", Importance: connect.Low,
			Documentation: "Separator used in remote topic naming convention.",
		},
		{
			Name: internalSeparatorKey, Type: connect.ConfigBoolean, Default: true, Importance: connect.Low,
			Documentation: "Whether to use replication.policy.separator to control the names of topics used for checkpoints and " +
				"offset syncs. By default, custom separators are used in these topic names; however, if upgrading " +
				"MirrorMaker 2 from older versions that did not allow for these topic names to be customized, it may be " +
				"necessary to set this property to 'false' in order to continue using the same names for those topics.",
		},
		{
			Name: forwardingAdminKey, Type: connect.ConfigClass, Default: forwardingAdminClass, Importance: connect.Low,
			Validator: classIn(forwardingAdminClass, "", env.Admins),
			Documentation: "Class which extends ForwardingAdmin to define custom cluster resource management (topics, configs, etc). " +
				"The class must have a constructor with signature <code>(Map<String, Object> config)</code> that is used " +
				"to configure a KafkaAdminClient and may also be used to configure clients for external systems if " +
				"necessary.",
		},
		{
			Name: metricReportersKey, Type: connect.ConfigList, Default: "org.apache.kafka.common.metrics.JmxReporter", Importance: connect.Low,
			Validator: connect.AnyNonDuplicate(true, false),
			Documentation: "A list of classes to use as metrics reporters. Implementing the " +
				"<code>org.apache.kafka.common.metrics.MetricsReporter</code> interface allows plugging in classes that " +
				"will be notified of new metric creation. When custom reporters are set and " +
				"<code>org.apache.kafka.common.metrics.JmxReporter</code> is needed, it has to be explicitly added to the " +
				"list.",
		},
		{
			Name: securityProtocolKey, Type: connect.ConfigString, Default: "PLAINTEXT", Importance: connect.Medium,
			Validator:     connect.CaseInsensitiveValidString("SASL_SSL", "PLAINTEXT", "SSL", "SASL_PLAINTEXT"),
			Documentation: "Protocol used to communicate with brokers.",
		},
		{
			Name: configProvidersKey, Type: connect.ConfigList, Default: "", Importance: connect.Low,
			Validator: connect.AnyNonDuplicate(true, false),
			Documentation: "Comma-separated alias names for classes implementing the <code>ConfigProvider</code> interface. This " +
				"enables loading configuration data (such as passwords, API keys, and other credentials) from external " +
				"sources. For example, see <a " +
				"href=\"https://kafka.apache.org/documentation/#config_providers\">Configuration Providers</a>.",
		},
	}
}
