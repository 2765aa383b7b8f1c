package clients

import (
	"slices"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/workerconfig"
)

// describe sets the importance and documentation that Kafka gives a property, as the REST API shows them. What has no text
// here is documented by its effect.
func (p Property) describe(kind Kind, key *connect.ConfigKey) {
	if security, ok := workerconfig.SecurityKey(p.Name); ok {
		key.Importance, key.Documentation = security.Importance, security.Documentation
		return
	}
	switch {
	case slices.Contains(important(kind), p.Name):
		key.Importance = connect.High
	case slices.Contains(unimportant(kind), p.Name):
		key.Importance = connect.Low
	}
	if text, ok := documentation(kind, p.Name); ok {
		key.Documentation = text
	}
}

// important returns the properties that Kafka deems of high importance.
func important(kind Kind) []string {
	switch kind {
	case KindProducer:
		return []string{"bootstrap.servers", "buffer.memory", "compression.type", "key.serializer", "retries", "value.serializer"}
	case KindConsumer:
		return []string{
			"bootstrap.servers", "fetch.min.bytes", "group.id", "group.protocol", "heartbeat.interval.ms", "key.deserializer",
			"max.partition.fetch.bytes", "session.timeout.ms", "value.deserializer",
		}
	}
	return []string{"bootstrap.servers", "bootstrap.controllers"}
}

// unimportant returns the properties that Kafka deems of low importance.
func unimportant(kind Kind) []string {
	names := []string{
		"config.providers", "enable.metrics.push", "interceptor.classes", "metadata.max.age.ms", "metadata.recovery.rebootstrap.trigger.ms",
		"metadata.recovery.strategy", "metric.reporters", "metrics.num.samples", "metrics.recording.level", "metrics.sample.window.ms",
		"reconnect.backoff.max.ms", "reconnect.backoff.ms", "retry.backoff.max.ms", "retry.backoff.ms", "security.providers",
	}
	switch kind {
	case KindProducer:
		return append(names, "acks", "enable.idempotence", "max.in.flight.requests.per.connection", "metadata.max.idle.ms",
			"partitioner.adaptive.partitioning.enable", "partitioner.availability.timeout.ms", "transaction.timeout.ms",
			"transaction.two.phase.commit.enable", "transactional.id")
	case KindConsumer:
		return append(names, "auto.commit.interval.ms", "check.crcs", "client.id", "client.rack", "fetch.max.wait.ms")
	}
	return append(names, "retries")
}

// documentation returns Kafka's text on a property.
func documentation(kind Kind, name string) (string, bool) {
	switch {
	case kind == KindProducer && name == "acks":
		return "The number of acknowledgments the producer requires the leader to have received before considering a request " +
			"complete. This controls the  durability of records that are sent. The following settings are allowed:  <ul> " +
			"<li><code>acks=0</code> If set to zero then the producer will not wait for any acknowledgment from the server " +
			"at all. The record will be immediately added to the socket buffer and considered sent. No guarantee can be " +
			"made that the server has received the record in this case, and the <code>retries</code> configuration will " +
			"not take effect (as the client won't generally know of any failures). The offset given back for each record " +
			"will always be set to <code>-1</code>. <li><code>acks=1</code> This will mean the leader will write the " +
			"record to its local log but will respond without awaiting full acknowledgement from all followers. In this " +
			"case should the leader fail immediately after acknowledging the record but before the followers have " +
			"replicated it then the record will be lost. <li><code>acks=all</code> This means the leader will wait for the " +
			"full set of in-sync replicas to acknowledge the record. This guarantees that the record will not be lost as " +
			"long as at least one in-sync replica remains alive. This is the strongest available guarantee. This is " +
			"equivalent to the acks=-1 setting.</ul><p>Note that enabling idempotence requires this config value to be " +
			"'all'. If conflicting configurations are set and idempotence is not explicitly enabled, idempotence is " +
			"disabled.", true
	case kind == KindProducer && name == "linger.ms":
		return "The producer groups together any records that arrive in between request transmissions into a single batched " +
			"request. Normally this occurs only under load when records arrive faster than they can be sent out. However " +
			"in some circumstances the client may want to reduce the number of requests even under moderate load. This " +
			"setting accomplishes this by adding a small amount of artificial delay&mdash;that is, rather than immediately " +
			"sending out a record, the producer will wait for up to the given delay to allow other records to be sent so " +
			"that the sends can be batched together. This can be thought of as analogous to Nagle's algorithm in TCP. This " +
			"setting gives the upper bound on the delay for batching: once we get <code>batch.size</code> worth of records " +
			"for a partition it will be sent immediately regardless of this setting, however if we have fewer than this " +
			"many bytes accumulated for this partition we will 'linger' for the specified time waiting for more records to " +
			"show up. This setting defaults to 5 (i.e. 5ms delay). Increasing <code>linger.ms=50</code>, for example, " +
			"would have the effect of reducing the number of requests sent but would add up to 50ms of latency to records " +
			"sent in the absence of load.The default changed from 0 to 5 in Apache Kafka 4.0 as the efficiency gains from " +
			"larger batches typically result in similar or lower producer latency despite the increased linger.", true
	case kind == KindConsumer && name == "max.poll.records":
		return "The maximum number of records returned in a single call to poll(). Note, that <code>max.poll.records</code> " +
			"does not impact the underlying fetching behavior. The consumer will cache the records from each fetch request " +
			"and returns them incrementally from each poll.", true
	case kind == KindAdmin && name == "retries":
		return "It is recommended to set the value to either <code>MAX_VALUE</code> or zero, and use corresponding timeout " +
			"parameters to control how long a client should retry a request. Setting a value greater than zero will cause " +
			"the client to resend any request that fails with a potentially transient error. Setting a value of zero will " +
			"lead to transient errors not being retried, and they will be propagated to the application to be handled.", true
	}
	return "", false
}
