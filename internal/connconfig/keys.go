package connconfig

import "github.com/gokconnect/connect"

// The texts and orders of the keys are what the REST API shows, so they are those of Kafka Connect 4.3.

// commonKeys are the keys of every connector.
func commonKeys() []connect.ConfigKey {
	return []connect.ConfigKey{
		{
			Name: "name", Type: connect.ConfigString, Default: connect.Required, Importance: connect.High,
			Group: "Common", Order: 1, Width: connect.WidthMedium, DisplayName: "Connector name",
			Validator:     connect.NonEmptyStringWithoutControlChars(),
			Documentation: "Globally unique name to use for this connector.",
		},
		{
			Name: "connector.class", Type: connect.ConfigString, Default: connect.Required, Importance: connect.High,
			Group: "Common", Order: 2, Width: connect.WidthLong, DisplayName: "Connector class",
			Documentation: "Name or alias of the class for this connector. Must be a subclass of " +
				"org.apache.kafka.connect.connector.Connector. If the connector is " +
				"org.apache.kafka.connect.file.FileStreamSinkConnector, you can either specify this full name,  or " +
				"use \"FileStreamSink\" or \"FileStreamSinkConnector\" to make the configuration a bit shorter",
		},
		{
			Name: "connector.plugin.version", Type: connect.ConfigString, Default: nil, Importance: connect.Medium,
			Group: "Common", Order: 3, Width: connect.WidthMedium, DisplayName: "Connector version",
			Validator:     validVersion(),
			Documentation: "Version of the connector.",
		},
		{
			Name: "tasks.max", Type: connect.ConfigInt, Default: 1, Importance: connect.High,
			Group: "Common", Order: 4, Width: connect.WidthShort, DisplayName: "Tasks max",
			Validator:     connect.AtLeast(1),
			Documentation: "Maximum number of tasks to use for this connector.",
		},
		{
			Name: "tasks.max.enforce", Type: connect.ConfigBoolean, Default: true, Importance: connect.Low,
			Group: "Common", Order: 5, Width: connect.WidthShort, DisplayName: "Enforce tasks max",
			Documentation: "(Deprecated) Whether to enforce that the tasks.max property is respected by the connector. By " +
				"default, connectors that generate too many tasks will fail, and existing sets of tasks that exceed " +
				"the tasks.max property will also be failed. If this property is set to false, then connectors will " +
				"be allowed to generate more than the maximum number of tasks, and existing sets of tasks that " +
				"exceed the tasks.max property will be allowed to run. This property is deprecated and will be " +
				"removed in an upcoming major release.",
		},
		{
			Name: "key.converter", Type: connect.ConfigClass, Default: nil, Importance: connect.Low,
			Group: "Common", Order: 6, Width: connect.WidthShort, DisplayName: "Key converter class",
			Documentation: "Converter class used to convert between Kafka Connect format and the serialized form that is " +
				"written to Kafka. This controls the format of the keys in messages written to or read from Kafka, " +
				"and since this is independent of connectors it allows any connector to work with any serialization " +
				"format. Examples of common formats include JSON and Avro.",
		},
		{
			Name: "key.converter.plugin.version", Type: connect.ConfigString, Default: nil, Importance: connect.Low,
			Group: "Common", Order: 7, Width: connect.WidthShort, DisplayName: "Key converter version",
			Validator:     validVersion(),
			Documentation: "Version of the key converter.",
		},
		{
			Name: "value.converter", Type: connect.ConfigClass, Default: nil, Importance: connect.Low,
			Group: "Common", Order: 8, Width: connect.WidthShort, DisplayName: "Value converter class",
			Documentation: "Converter class used to convert between Kafka Connect format and the serialized form that is " +
				"written to Kafka. This controls the format of the values in messages written to or read from Kafka, " +
				"and since this is independent of connectors it allows any connector to work with any serialization " +
				"format. Examples of common formats include JSON and Avro.",
		},
		{
			Name: "value.converter.plugin.version", Type: connect.ConfigString, Default: nil, Importance: connect.Low,
			Group: "Common", Order: 9, Width: connect.WidthShort, DisplayName: "Value converter version",
			Validator:     validVersion(),
			Documentation: "Version of the value converter.",
		},
		{
			Name: "header.converter", Type: connect.ConfigClass, Default: nil, Importance: connect.Low,
			Group: "Common", Order: 10, Width: connect.WidthShort, DisplayName: "Header converter class",
			Documentation: "HeaderConverter class used to convert between Kafka Connect format and the serialized form that is " +
				"written to Kafka. This controls the format of the header values in messages written to or read from " +
				"Kafka, and since this is independent of connectors it allows any connector to work with any " +
				"serialization format. Examples of common formats include JSON and Avro. By default, the " +
				"SimpleHeaderConverter is used to serialize header values to strings and deserialize them by " +
				"inferring the schemas.",
		},
		{
			Name: "header.converter.plugin.version", Type: connect.ConfigString, Default: nil, Importance: connect.Low,
			Group: "Common", Order: 11, Width: connect.WidthShort, DisplayName: "Header converter version",
			Validator:     validVersion(),
			Documentation: "Version of the header converter.",
		},
		{
			Name: "transforms", Type: connect.ConfigList, Default: "", Importance: connect.Low,
			Group: "Transforms", Order: 12, Width: connect.WidthLong, DisplayName: "Transforms",
			Validator:     uniqueAliases("unique transformation aliases"),
			Documentation: "Aliases for the transformations to be applied to records.",
		},
		{
			Name: "predicates", Type: connect.ConfigList, Default: "", Importance: connect.Low,
			Group: "Predicates", Order: 13, Width: connect.WidthLong, DisplayName: "Predicates",
			Validator:     uniqueAliases("unique predicate aliases"),
			Documentation: "Aliases for the predicates used by transformations.",
		},
		{
			Name: "config.action.reload", Type: connect.ConfigString, Default: "restart", Importance: connect.Low,
			Group: "Common", Order: 14, Width: connect.WidthMedium, DisplayName: "Reload Action",
			Validator: connect.ValidString("none", "restart"),
			Documentation: "The action that Connect should take on the connector when changes in external configuration " +
				"providers result in a change in the connector's configuration properties. A value of 'none' " +
				"indicates that Connect will do nothing. A value of 'restart' indicates that Connect should " +
				"restart/reload the connector with the updated configuration properties.The restart may actually be " +
				"scheduled in the future if the external configuration provider indicates that a configuration value " +
				"will expire in the future.",
		},
		{
			Name: "errors.retry.timeout", Type: connect.ConfigLong, Default: 0, Importance: connect.Medium,
			Group: "Error Handling", Order: 1, Width: connect.WidthMedium, DisplayName: "Retry Timeout for Errors",
			Documentation: "The maximum duration in milliseconds that a failed operation will be reattempted. The default is 0, " +
				"which means no retries will be attempted. Use -1 for infinite retries.",
		},
		{
			Name: "errors.retry.delay.max.ms", Type: connect.ConfigLong, Default: 60000, Importance: connect.Medium,
			Group: "Error Handling", Order: 2, Width: connect.WidthMedium, DisplayName: "Maximum Delay Between Retries for Errors",
			Documentation: "The maximum duration in milliseconds between consecutive retry attempts. Jitter will be added to " +
				"the delay once this limit is reached to prevent thundering herd issues.",
		},
		{
			Name: "errors.tolerance", Type: connect.ConfigString, Default: "none", Importance: connect.Medium,
			Group: "Error Handling", Order: 3, Width: connect.WidthShort, DisplayName: "Error Tolerance",
			Validator: connect.ValidString("none", "all"),
			Documentation: "Behavior for tolerating errors during connector operation. 'none' is the default value and signals " +
				"that any error will result in an immediate connector task failure; 'all' changes the behavior to " +
				"skip over problematic records.",
		},
		{
			Name: "errors.log.enable", Type: connect.ConfigBoolean, Default: false, Importance: connect.Medium,
			Group: "Error Handling", Order: 4, Width: connect.WidthShort, DisplayName: "Log Errors",
			Documentation: "If true, write each error and the details of the failed operation and problematic record to the " +
				"Connect application log. This is 'false' by default, so that only errors that are not tolerated are " +
				"reported.",
		},
		{
			Name: "errors.log.include.messages", Type: connect.ConfigBoolean, Default: false, Importance: connect.Medium,
			Group: "Error Handling", Order: 5, Width: connect.WidthShort, DisplayName: "Log Error Details",
			Documentation: "Whether to include in the log the Connect record that resulted in a failure. For sink records, the " +
				"topic, partition, offset, and timestamp will be logged. For source records, the key and value (and " +
				"their schemas), all headers, and the timestamp, Kafka topic, Kafka partition, source partition, and " +
				"source offset will be logged. This is 'false' by default, which will prevent record keys, values, " +
				"and headers from being written to log files.",
		},
	}
}

// sourceKeys are the further keys of a source connector.
func sourceKeys() []connect.ConfigKey {
	return []connect.ConfigKey{
		{
			Name: "topic.creation.groups", Type: connect.ConfigList, Default: "", Importance: connect.Low,
			Group: "Topic Creation", Order: 1, Width: connect.WidthLong, DisplayName: "Topic Creation Groups",
			Validator:     uniqueAliases("unique topic creation groups"),
			Documentation: "Groups of configurations for topics created by source connectors",
		},
		{
			Name: "exactly.once.support", Type: connect.ConfigString, Default: "requested", Importance: connect.Medium,
			Group: "Exactly Once Support", Order: 2, Width: connect.WidthShort, DisplayName: "Exactly once support",
			Validator: connect.CaseInsensitiveValidString("REQUESTED", "REQUIRED"),
			Documentation: "Permitted values are requested, required. If set to \"required\", forces a preflight check for the " +
				"connector to ensure that it can provide exactly-once semantics with the given configuration. Some " +
				"connectors may be capable of providing exactly-once semantics but not signal to Connect that they " +
				"support this; in that case, documentation for the connector should be consulted carefully before " +
				"creating it, and the value for this property should be set to \"requested\". Additionally, if the " +
				"value is set to \"required\" but the worker that performs preflight validation does not have " +
				"exactly-once support enabled for source connectors, requests to create or validate the connector " +
				"will fail.",
		},
		{
			Name: "transaction.boundary", Type: connect.ConfigString, Default: "poll", Importance: connect.Medium,
			Group: "Exactly Once Support", Order: 3, Width: connect.WidthShort, DisplayName: "Transaction Boundary",
			Validator: connect.CaseInsensitiveValidString("POLL", "CONNECTOR", "INTERVAL"),
			Documentation: "Permitted values are: poll, interval, connector. If set to 'poll', a new producer transaction will " +
				"be started and committed for every batch of records that each task from this connector provides to " +
				"Connect. If set to 'connector', relies on connector-defined transaction boundaries; note that not " +
				"all connectors are capable of defining their own transaction boundaries, and in that case, attempts " +
				"to instantiate a connector with this value will fail. Finally, if set to 'interval', commits " +
				"transactions only after a user-defined time interval has passed.",
		},
		{
			Name: "transaction.boundary.interval.ms", Type: connect.ConfigLong, Default: nil, Importance: connect.Low,
			Group: "Exactly Once Support", Order: 4, Width: connect.WidthShort, DisplayName: "Transaction boundary interval",
			Validator: connect.OrNull(connect.AtLeast(0)),
			Documentation: "If 'transaction.boundary' is set to 'interval', determines the interval for producer transaction " +
				"commits by connector tasks. If unset, defaults to the value of the worker-level " +
				"'offset.flush.interval.ms' property. It has no effect if a different transaction.boundary is " +
				"specified.",
		},
		{
			Name: "offsets.storage.topic", Type: connect.ConfigString, Default: nil, Importance: connect.Low,
			Group: "offsets.topic", Order: 1, Width: connect.WidthLong, DisplayName: "Offsets topic",
			Validator: connect.NonEmptyString(),
			Documentation: "The name of a separate offsets topic to use for this connector. If empty or not specified, the " +
				"worker’s global offsets topic name will be used. If specified, the offsets topic will be created if " +
				"it does not already exist on the Kafka cluster targeted by this connector (which may be different " +
				"from the one used for the worker's global offsets topic if the bootstrap.servers property of the " +
				"connector's producer has been overridden from the worker's). Only applicable in distributed mode; " +
				"in standalone mode, setting this property will have no effect.",
		},
	}
}

// sinkKeys are the further keys of a sink connector.
func sinkKeys() []connect.ConfigKey {
	return []connect.ConfigKey{
		{
			Name: "topics", Type: connect.ConfigList, Default: "", Importance: connect.High,
			Group: "Common", Order: 4, Width: connect.WidthLong, DisplayName: "Topics",
			Validator:     connect.AnyNonDuplicate(true, false),
			Documentation: "List of topics to consume, separated by commas",
		},
		{
			Name: "topics.regex", Type: connect.ConfigString, Default: "", Importance: connect.High,
			Group: "Common", Order: 4, Width: connect.WidthLong, DisplayName: "Topics regex",
			Validator: validRegex(),
			Documentation: "Regular expression giving topics to consume. Under the hood, the regex is compiled to a " +
				"<code>java.util.regex.Pattern</code>. Only one of topics or topics.regex should be specified.",
		},
		{
			Name: "errors.deadletterqueue.topic.name", Type: connect.ConfigString, Default: "", Importance: connect.Medium,
			Group: "Error Handling", Order: 6, Width: connect.WidthMedium, DisplayName: "Dead Letter Queue Topic Name",
			Documentation: "The name of the topic to be used as the dead letter queue (DLQ) for messages that result in an " +
				"error when processed by this sink connector, or its transformations or converters. The topic name " +
				"is blank by default, which means that no messages are to be recorded in the DLQ.",
		},
		{
			Name: "errors.deadletterqueue.topic.replication.factor", Type: connect.ConfigShort, Default: 3, Importance: connect.Medium,
			Group: "Error Handling", Order: 7, Width: connect.WidthMedium, DisplayName: "Dead Letter Queue Topic Replication Factor",
			Documentation: "Replication factor used to create the dead letter queue topic when it doesn't already exist.",
		},
		{
			Name: "errors.deadletterqueue.context.headers.enable", Type: connect.ConfigBoolean, Default: false, Importance: connect.Medium,
			Group: "Error Handling", Order: 8, Width: connect.WidthMedium, DisplayName: "Enable Error Context Headers",
			Documentation: "If true, add headers containing error context to the messages written to the dead letter queue. To " +
				"avoid clashing with headers from the original record, all error context header keys, all error " +
				"context header keys will start with <code>__connect.errors.</code>",
		},
	}
}
