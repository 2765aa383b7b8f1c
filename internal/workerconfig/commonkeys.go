package workerconfig

import "github.com/gokconnect/connect"

// commonKeys are the keys of every worker, up to those of TLS.
func commonKeys() []connect.ConfigKey {
	return []connect.ConfigKey{
		{
			Name: "bootstrap.servers", Type: connect.ConfigList, Default: connect.Required, Importance: connect.High,
			Validator:     connect.AnyNonDuplicate(false, false),
			Documentation: "Host and port of some of the Kafka cluster's brokers, from which the others are found.",
		},
		{
			Name: "client.dns.lookup", Type: connect.ConfigString, Default: "use_all_dns_ips", Importance: connect.Medium,
			Validator: connect.ValidString("use_all_dns_ips", "resolve_canonical_bootstrap_servers_only"),
			Documentation: "How the client looks up the addresses of brokers: use_all_dns_ips tries each address of a name in turn, " +
				"resolve_canonical_bootstrap_servers_only first expands the bootstrap names to canonical ones.",
		},
		{
			Name: "key.converter", Type: connect.ConfigClass, Default: connect.Required, Importance: connect.High,
			Documentation: "The converter of record keys, unless a connector names its own.",
		},
		{
			Name: "key.converter.plugin.version", Type: connect.ConfigString, Default: nil, Importance: connect.Low,
			Documentation: "The version of the key converter; the latest if not given.",
		},
		{
			Name: "value.converter", Type: connect.ConfigClass, Default: connect.Required, Importance: connect.High,
			Documentation: "The converter of record values, unless a connector names its own.",
		},
		{
			Name: "value.converter.plugin.version", Type: connect.ConfigString, Default: nil, Importance: connect.Low,
			Documentation: "The version of the value converter; the latest if not given.",
		},
		{
			Name: "task.shutdown.graceful.timeout.ms", Type: connect.ConfigLong, Default: 5000, Importance: connect.Low,
			Documentation: "How long tasks have to shut down. This is for all tasks together, not for each.",
		},
		{
			Name: "offset.flush.interval.ms", Type: connect.ConfigLong, Default: 60000, Importance: connect.Low,
			Documentation: "The interval between attempts to commit the offsets of tasks.",
		},
		{
			Name: "offset.flush.timeout.ms", Type: connect.ConfigLong, Default: 5000, Importance: connect.Low,
			Documentation: "How long a commit of offsets may take before it is cancelled and tried again later. It has no effect on " +
				"source connectors with exactly-once support.",
		},
		{
			Name: "plugin.path", Type: connect.ConfigList, Default: nil, Importance: connect.Low,
			Validator:     connect.AnyNonDuplicate(false, true),
			Documentation: "Folders with plugins. Plugins are compiled in here, so the value has no effect.",
		},
		{
			Name: "plugin.discovery", Type: connect.ConfigString, Default: "hybrid_warn", Importance: connect.Low,
			Validator:     connect.CaseInsensitiveValidString("ONLY_SCAN", "SERVICE_LOAD", "HYBRID_WARN", "HYBRID_FAIL"),
			Documentation: "How plugins are found in plugin.path. Plugins are compiled in here, so the value has no effect.",
		},
		{
			Name: "metrics.sample.window.ms", Type: connect.ConfigLong, Default: 30000, Importance: connect.Low,
			Validator:     connect.AtLeast(0),
			Documentation: "The window of time that a sample of metrics is computed over.",
		},
		{
			Name: "metrics.num.samples", Type: connect.ConfigInt, Default: 2, Importance: connect.Low,
			Validator:     connect.AtLeast(1),
			Documentation: "The number of samples that metrics are computed from.",
		},
		{
			Name: "metrics.recording.level", Type: connect.ConfigString, Default: "INFO", Importance: connect.Low,
			Validator:     connect.ValidString("INFO", "DEBUG"),
			Documentation: "The highest level of metrics that are recorded.",
		},
		{
			Name: "metric.reporters", Type: connect.ConfigList, Default: "org.apache.kafka.common.metrics.JmxReporter", Importance: connect.Low,
			Validator:     connect.AnyNonDuplicate(true, false),
			Documentation: "Classes that report metrics. Metrics go through OpenTelemetry here, so the value has no effect.",
		},
		{
			Name: "header.converter", Type: connect.ConfigClass, Default: "org.apache.kafka.connect.storage.SimpleHeaderConverter", Importance: connect.Low,
			Documentation: "The converter of record headers, unless a connector names its own.",
		},
		{
			Name: "header.converter.plugin.version", Type: connect.ConfigString, Default: nil, Importance: connect.Low,
			Documentation: "The version of the header converter; the latest if not given.",
		},
		{
			Name: "config.providers", Type: connect.ConfigList, Default: "", Importance: connect.Low,
			Validator: connect.AnyNonDuplicate(true, false),
			Documentation: "Aliases of the config providers that resolve placeholders. Each has the keys config.providers.ALIAS.class and " +
				"config.providers.ALIAS.param.*.",
		},
		{
			Name: "connector.client.config.override.policy", Type: connect.ConfigString, Default: "All", Importance: connect.Medium,
			Documentation: "The policy that decides which client properties connectors may override: All, None, Principal, Allowlist, or " +
				"a class.",
		},
		{
			Name: "topic.creation.enable", Type: connect.ConfigBoolean, Default: true, Importance: connect.Low,
			Documentation: "Whether topics are created for source connectors that have keys topic.creation.*.",
		},
	}
}

// restKeys are the keys of every worker that come after those of TLS.
func restKeys() []connect.ConfigKey {
	return []connect.ConfigKey{
		{
			Name: "topic.tracking.enable", Type: connect.ConfigBoolean, Default: true, Importance: connect.Low,
			Documentation: "Whether the topics that connectors use are recorded in the status topic.",
		},
		{
			Name: "topic.tracking.allow.reset", Type: connect.ConfigBoolean, Default: true, Importance: connect.Low,
			Documentation: "Whether the record of topics that a connector uses may be reset.",
		},
		{
			Name: "listeners", Type: connect.ConfigList, Default: "http://:8083", Importance: connect.Low,
			Validator: listenerURLs(),
			Documentation: "The URLs that the REST API listens on. Without a host it listens on the default interface; with 0.0.0.0 on " +
				"all.",
		},
		{
			Name: "rest.advertised.host.name", Type: connect.ConfigString, Default: nil, Importance: connect.Low,
			Documentation: "The host name that other workers reach this one by.",
		},
		{
			Name: "rest.advertised.port", Type: connect.ConfigInt, Default: nil, Importance: connect.Low,
			Documentation: "The port that other workers reach this one by.",
		},
		{
			Name: "rest.advertised.listener", Type: connect.ConfigString, Default: nil, Importance: connect.Low,
			Documentation: "The listener, http or https, that other workers reach this one by.",
		},
		{
			Name: "access.control.allow.origin", Type: connect.ConfigString, Default: "", Importance: connect.Low,
			Documentation: "The origins that browsers may call the REST API from; * for all. Empty leaves cross-origin calls refused.",
		},
		{
			Name: "access.control.allow.methods", Type: connect.ConfigString, Default: "", Importance: connect.Low,
			Documentation: "The methods of cross-origin requests that are allowed: GET, POST and HEAD if empty.",
		},
		{
			Name: "response.http.headers.config", Type: connect.ConfigString, Default: "", Importance: connect.Low,
			Validator:     headerRules(),
			Documentation: "Rules for headers of the REST API's responses.",
		},
		{
			Name: "ssl.client.auth", Type: connect.ConfigString, Default: "none", Importance: connect.Low,
			Validator:     connect.ValidString("required", "requested", "none"),
			Documentation: "Whether HTTPS clients must authenticate themselves: required, requested or none.",
		},
		{
			Name: "rest.extension.classes", Type: connect.ConfigList, Default: "", Importance: connect.Low,
			Validator:     connect.AnyNonDuplicate(true, false),
			Documentation: "Classes that extend the REST API. Extensions are compiled in here, so the value has no effect.",
		},
		{
			Name: "admin.listeners", Type: connect.ConfigList, Default: nil, Importance: connect.Low,
			Validator:     connect.AnyNonDuplicate(true, true),
			Documentation: "The URLs of the admin endpoints. If not given they are those of listeners; empty turns the endpoints off.",
		},
	}
}
