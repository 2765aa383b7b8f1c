package workerconfig

import "github.com/gokconnect/connect"

// groupKeys are the further keys of a distributed worker, up to those of SASL.
func groupKeys() []connect.ConfigKey {
	return []connect.ConfigKey{
		{
			Name: "group.id", Type: connect.ConfigString, Default: connect.Required, Importance: connect.High,
			Documentation: "The name of the group of workers that share connectors and tasks. It must not be that of a consumer group.",
		},
		{
			Name: "session.timeout.ms", Type: connect.ConfigInt, Default: 10000, Importance: connect.High,
			Documentation: "How long a worker may be silent before the group goes on without it.",
		},
		{
			Name: "rebalance.timeout.ms", Type: connect.ConfigInt, Default: 60000, Importance: connect.High,
			Documentation: "How long workers have to join the group once a rebalance has begun.",
		},
		{
			Name: "heartbeat.interval.ms", Type: connect.ConfigInt, Default: 3000, Importance: connect.High,
			Documentation: "The interval between a worker's heartbeats. It should be at most a third of session.timeout.ms.",
		},
		{
			Name: "exactly.once.source.support", Type: connect.ConfigString, Default: "disabled", Importance: connect.High,
			Validator: connect.CaseInsensitiveValidString("DISABLED", "ENABLED", "PREPARING"),
			Documentation: "Whether source connectors may deliver exactly once: disabled, preparing or enabled. To enable it in a running " +
				"cluster set all workers to preparing first, then to enabled.",
		},
		{
			Name: "metadata.max.age.ms", Type: connect.ConfigLong, Default: 300000, Importance: connect.Low,
			Validator:     connect.AtLeast(0),
			Documentation: "After how long metadata is refreshed though nothing is known to have changed.",
		},
		{
			Name: "client.id", Type: connect.ConfigString, Default: "", Importance: connect.Low,
			Documentation: "The name of the worker's clients in the logs and metrics of brokers.",
		},
		{
			Name: "send.buffer.bytes", Type: connect.ConfigInt, Default: 131072, Importance: connect.Medium,
			Validator:     connect.AtLeast(-1),
			Documentation: "The size of the TCP send buffer; -1 for the system's default.",
		},
		{
			Name: "receive.buffer.bytes", Type: connect.ConfigInt, Default: 32768, Importance: connect.Medium,
			Validator:     connect.AtLeast(-1),
			Documentation: "The size of the TCP receive buffer; -1 for the system's default.",
		},
		{
			Name: "reconnect.backoff.ms", Type: connect.ConfigLong, Default: 50, Importance: connect.Low,
			Validator:     connect.AtLeast(0),
			Documentation: "The wait before the first attempt to connect again.",
		},
		{
			Name: "reconnect.backoff.max.ms", Type: connect.ConfigLong, Default: 1000, Importance: connect.Low,
			Validator:     connect.AtLeast(0),
			Documentation: "The longest wait between attempts to connect again.",
		},
		{
			Name: "socket.connection.setup.timeout.ms", Type: connect.ConfigLong, Default: 10000, Importance: connect.Low,
			Validator:     connect.AtLeast(0),
			Documentation: "How long the first attempt to set up a connection may take.",
		},
		{
			Name: "socket.connection.setup.timeout.max.ms", Type: connect.ConfigLong, Default: 30000, Importance: connect.Low,
			Validator:     connect.AtLeast(0),
			Documentation: "How long an attempt to set up a connection may take at most.",
		},
		{
			Name: "retry.backoff.ms", Type: connect.ConfigLong, Default: 100, Importance: connect.Low,
			Validator:     connect.AtLeast(0),
			Documentation: "The wait before the first attempt to repeat a failed request.",
		},
		{
			Name: "retry.backoff.max.ms", Type: connect.ConfigLong, Default: 1000, Importance: connect.Low,
			Validator:     connect.AtLeast(0),
			Documentation: "The longest wait between attempts to repeat a failed request.",
		},
		{
			Name: "request.timeout.ms", Type: connect.ConfigInt, Default: 40000, Importance: connect.Medium,
			Validator:     connect.AtLeast(0),
			Documentation: "How long a request may take before it is repeated or fails.",
		},
		{
			Name: "connections.max.idle.ms", Type: connect.ConfigLong, Default: 540000, Importance: connect.Medium,
			Documentation: "After how long idle connections are closed.",
		},
		{
			Name: "security.protocol", Type: connect.ConfigString, Default: "PLAINTEXT", Importance: connect.Medium,
			Validator:     connect.CaseInsensitiveValidString("SASL_SSL", "PLAINTEXT", "SSL", "SASL_PLAINTEXT"),
			Documentation: "Protocol used to communicate with brokers.",
		},
	}
}

// storageKeys are the further keys of a distributed worker that come after those of SASL.
func storageKeys() []connect.ConfigKey {
	return []connect.ConfigKey{
		{
			Name: "worker.sync.timeout.ms", Type: connect.ConfigInt, Default: 3000, Importance: connect.Medium,
			Documentation: "How long a worker that has fallen behind waits for the others' configurations before it leaves the group.",
		},
		{
			Name: "worker.unsync.backoff.ms", Type: connect.ConfigInt, Default: 300000, Importance: connect.Medium,
			Documentation: "How long a worker that could not catch up stays out of the group.",
		},
		{
			Name: "offset.storage.topic", Type: connect.ConfigString, Default: connect.Required, Importance: connect.High,
			Documentation: "The topic that source offsets are stored in.",
		},
		{
			Name: "offset.storage.partitions", Type: connect.ConfigInt, Default: 25, Importance: connect.Low,
			Validator:     partitions(),
			Documentation: "The number of partitions of the offsets topic when it is created.",
		},
		{
			Name: "offset.storage.replication.factor", Type: connect.ConfigShort, Default: 3, Importance: connect.Low,
			Validator:     replicationFactor(),
			Documentation: "The replication factor of the offsets topic when it is created.",
		},
		{
			Name: "config.storage.topic", Type: connect.ConfigString, Default: connect.Required, Importance: connect.High,
			Documentation: "The topic that configurations are stored in.",
		},
		{
			Name: "config.storage.replication.factor", Type: connect.ConfigShort, Default: 3, Importance: connect.Low,
			Validator:     replicationFactor(),
			Documentation: "The replication factor of the config topic when it is created.",
		},
		{
			Name: "status.storage.topic", Type: connect.ConfigString, Default: connect.Required, Importance: connect.High,
			Documentation: "The topic that states of connectors and tasks are stored in.",
		},
		{
			Name: "status.storage.partitions", Type: connect.ConfigInt, Default: 5, Importance: connect.Low,
			Validator:     partitions(),
			Documentation: "The number of partitions of the status topic when it is created.",
		},
		{
			Name: "status.storage.replication.factor", Type: connect.ConfigShort, Default: 3, Importance: connect.Low,
			Validator:     replicationFactor(),
			Documentation: "The replication factor of the status topic when it is created.",
		},
		{
			Name: "connect.protocol", Type: connect.ConfigString, Default: "sessioned", Importance: connect.Low,
			Validator:     knownProtocol(),
			Documentation: "The protocol of the group of workers: eager, compatible or sessioned.",
		},
		{
			Name: "scheduled.rebalance.max.delay.ms", Type: connect.ConfigInt, Default: 300000, Importance: connect.Low,
			Validator:     connect.Between(0, 2147483647),
			Documentation: "How long the connectors and tasks of a worker that left wait for its return before others get them.",
		},
		{
			Name: "inter.worker.key.ttl.ms", Type: connect.ConfigInt, Default: 3600000, Importance: connect.Low,
			Validator:     connect.Between(0, 2147483647),
			Documentation: "After how long a new key for requests between workers is made.",
		},
		{
			Name: "inter.worker.key.generation.algorithm", Type: connect.ConfigString, Default: "HmacSHA256", Importance: connect.Low,
			Validator:     supportedAlgorithm("Any KeyGenerator algorithm supported by the worker JVM"),
			Documentation: "The algorithm that keys for requests between workers are made with.",
		},
		{
			Name: "inter.worker.key.size", Type: connect.ConfigInt, Default: nil, Importance: connect.Low,
			Documentation: "The size of keys for requests between workers in bits; the algorithm's default if not given.",
		},
		{
			Name: "inter.worker.signature.algorithm", Type: connect.ConfigString, Default: "HmacSHA256", Importance: connect.Low,
			Validator:     supportedAlgorithm("Any MAC algorithm supported by the worker JVM"),
			Documentation: "The algorithm that requests between workers are signed with.",
		},
		{
			Name: "inter.worker.verification.algorithms", Type: connect.ConfigList, Default: "HmacSHA256", Importance: connect.Low,
			Validator: supportedAlgorithms(),
			Documentation: "The algorithms that signatures of requests between workers may have. It must contain " +
				"inter.worker.signature.algorithm.",
		},
		{
			Name: "metadata.recovery.strategy", Type: connect.ConfigString, Default: "rebootstrap", Importance: connect.Low,
			Validator: connect.CaseInsensitiveValidString("REBOOTSTRAP", "NONE"),
			Documentation: "What the client does when none of the known brokers can be reached: rebootstrap begins again with " +
				"bootstrap.servers, none goes on trying.",
		},
		{
			Name: "metadata.recovery.rebootstrap.trigger.ms", Type: connect.ConfigLong, Default: 300000, Importance: connect.Low,
			Validator:     connect.AtLeast(0),
			Documentation: "After how long without metadata the client begins again with bootstrap.servers.",
		},
	}
}
