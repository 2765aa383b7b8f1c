package clients

import "github.com/gokconnect/connect"

// commonProperties are the properties that producers, consumers and admin clients share.
func commonProperties() []Property {
	return []Property{
		{Name: "bootstrap.controllers", Clients: KindAdmin, Type: connect.ConfigList, Default: "", Ignored: true, Effect: "clients connect to brokers"},
		{Name: "bootstrap.servers", Clients: everyKind, Type: connect.ConfigList, Default: connect.Required, Validator: connect.AnyNonDuplicate(false, false), Effect: "kgo.SeedBrokers"},
		{Name: "client.dns.lookup", Clients: everyKind, Type: connect.ConfigString, Default: "use_all_dns_ips", Validator: connect.ValidString("use_all_dns_ips", "resolve_canonical_bootstrap_servers_only"), Ignored: true, Effect: "every address of a name is tried"},
		{Name: "client.id", Clients: everyKind, Type: connect.ConfigString, Default: "", Effect: "kgo.ClientID"},
		{Name: "config.providers", Clients: everyKind, Type: connect.ConfigList, Default: "", Ignored: true, Effect: "placeholders are resolved before a client gets its properties"},
		{Name: "connections.max.idle.ms", Clients: everyKind, Type: connect.ConfigLong, Default: "540000", AdminDefault: "300000", Effect: "kgo.ConnIdleTimeout, 100 ms to 15 min"},
		{Name: "default.api.timeout.ms", Clients: KindConsumer | KindAdmin, Type: connect.ConfigInt, Default: "60000", Validator: connect.AtLeast(0), Effect: "kgo.RetryTimeout"},
		{Name: "enable.metrics.push", Clients: everyKind, Type: connect.ConfigBoolean, Default: "true", AdminDefault: "false", Effect: "kgo.DisableClientMetrics if false"},
		{Name: "metadata.max.age.ms", Clients: everyKind, Type: connect.ConfigLong, Default: "300000", Validator: connect.AtLeast(0), Effect: "kgo.MetadataMaxAge, at most 1 h"},
		{Name: "metadata.recovery.rebootstrap.trigger.ms", Clients: everyKind, Type: connect.ConfigLong, Default: "300000", Validator: connect.AtLeast(0), Ignored: true, Effect: "the bootstrap servers are asked now and then anyway"},
		{Name: "metadata.recovery.strategy", Clients: everyKind, Type: connect.ConfigString, Default: "rebootstrap", Validator: connect.CaseInsensitiveValidString("REBOOTSTRAP", "NONE"), Effect: "kgo.OnRebootstrapRequired with the bootstrap servers, if rebootstrap"},
		{Name: "metric.reporters", Clients: everyKind, Type: connect.ConfigList, Default: "org.apache.kafka.common.metrics.JmxReporter", Ignored: true, Effect: "reporters are Java classes; the runtime has its own metrics"},
		{Name: "metrics.num.samples", Clients: everyKind, Type: connect.ConfigInt, Default: "2", Validator: connect.AtLeast(1), Ignored: true, Effect: "the runtime has its own metrics"},
		{Name: "metrics.recording.level", Clients: everyKind, Type: connect.ConfigString, Default: "INFO", Validator: connect.ValidString("INFO", "DEBUG", "TRACE"), Ignored: true, Effect: "the runtime has its own metrics"},
		{Name: "metrics.sample.window.ms", Clients: everyKind, Type: connect.ConfigLong, Default: "30000", Validator: connect.AtLeast(0), Ignored: true, Effect: "the runtime has its own metrics"},
		{Name: "receive.buffer.bytes", Clients: everyKind, Type: connect.ConfigInt, Default: "32768", AdminDefault: "65536", Validator: connect.AtLeast(-1), Ignored: true, Effect: "the operating system sizes the buffers of sockets"},
		{Name: "reconnect.backoff.max.ms", Clients: everyKind, Type: connect.ConfigLong, Default: "1000", Validator: connect.AtLeast(0), Effect: "the longest wait of kgo.RetryBackoffFn, with retry.backoff.max.ms"},
		{Name: "reconnect.backoff.ms", Clients: everyKind, Type: connect.ConfigLong, Default: "50", Validator: connect.AtLeast(0), Effect: "the first wait of kgo.RetryBackoffFn, if longer than retry.backoff.ms"},
		{Name: "request.timeout.ms", Clients: everyKind, Type: connect.ConfigInt, Default: "30000", Validator: connect.AtLeast(0), Effect: "kgo.RequestTimeoutOverhead (100 ms to 15 min); of a producer also kgo.ProduceRequestTimeout"},
		{Name: "retry.backoff.max.ms", Clients: everyKind, Type: connect.ConfigLong, Default: "1000", Validator: connect.AtLeast(0), Effect: "the longest wait of kgo.RetryBackoffFn, with reconnect.backoff.max.ms"},
		{Name: "retry.backoff.ms", Clients: everyKind, Type: connect.ConfigLong, Default: "100", Validator: connect.AtLeast(0), Effect: "the first wait of kgo.RetryBackoffFn, and kgo.MetadataMinAge"},
		{Name: "send.buffer.bytes", Clients: everyKind, Type: connect.ConfigInt, Default: "131072", Validator: connect.AtLeast(-1), Ignored: true, Effect: "the operating system sizes the buffers of sockets"},
		{Name: "socket.connection.setup.timeout.max.ms", Clients: everyKind, Type: connect.ConfigLong, Default: "30000", Ignored: true, Effect: "each attempt to connect takes at most socket.connection.setup.timeout.ms"},
		{Name: "socket.connection.setup.timeout.ms", Clients: everyKind, Type: connect.ConfigLong, Default: "10000", Effect: "kgo.DialTimeout"},
	}
}
