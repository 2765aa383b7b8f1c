package clients

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/gokconnect/connect"
)

// TaskTransactionalID returns the transactional id of a task of an exactly-once source connector. It must be the same in
// each generation of the task and on each worker: zombies are fenced by it.
func TaskTransactionalID(groupID, connector string, task int) string {
	return groupID + "-" + connector + "-" + strconv.Itoa(task)
}

// LeaderTransactionalID returns the transactional id of the worker group's leader, which writes the config topic.
func LeaderTransactionalID(groupID string) string { return "connect-cluster-" + groupID }

// IDBase returns what the client ids of a distributed worker's own clients begin with.
func IDBase(groupID, clientID string) string {
	base := strings.TrimSpace(groupID)
	if id := strings.TrimSpace(clientID); id != "" {
		base += "-" + id
	}
	return base + "-"
}

// SinkGroupID returns the consumer group of a sink connector, unless consumer.override.group.id is set.
func SinkGroupID(connector string) string { return "connect-" + connector }

// The client ids of a connector's and its tasks' clients. Those of the worker's own clients are in [Worker].

// TaskProducerID is the client id of a source task's producer.
func TaskProducerID(id connect.TaskID) string { return "connector-producer-" + id.String() }

// TaskConsumerID is the client id of a sink task's consumer, and of the reader of a source task's own offsets topic.
func TaskConsumerID(id connect.TaskID) string { return "connector-consumer-" + id.String() }

// TaskAdminID is the client id of a source task's admin client.
func TaskAdminID(id connect.TaskID) string { return "connector-adminclient-" + id.String() }

// DeadLetterProducerID is the client id of the producer of a sink task's dead letters.
func DeadLetterProducerID(id connect.TaskID) string { return "connector-dlq-producer-" + id.String() }

// DeadLetterAdminID is the client id of the admin client that makes the dead letter topic.
func DeadLetterAdminID(id connect.TaskID) string { return "connector-dlq-adminclient-" + id.String() }

// ConnectorProducerID, ConnectorConsumerID and ConnectorAdminID are the client ids for a source connector's own offsets.
func ConnectorProducerID(connector string) string { return "connector-producer-" + connector }

// ConnectorConsumerID is described at [ConnectorProducerID].
func ConnectorConsumerID(connector string) string { return "connector-consumer-" + connector }

// ConnectorAdminID is described at [ConnectorProducerID].
func ConnectorAdminID(connector string) string { return "connector-adminclient-" + connector }

// WorkerAdminID is the client id of the admin client for offsets requests and fencing.
func WorkerAdminID(connector string) string { return "connector-worker-adminclient-" + connector }

// OffsetProducerID is the client id of the producer for requests that alter source offsets.
func OffsetProducerID(connector string) string { return "connector-offset-producer-" + connector }

// EnsureProperty sets a property to the value that it must have. The warning, if it was set to another one, is Kafka
// Connect's; because is put behind it and may be empty.
func EnsureProperty(props map[string]string, key, value, because string, caseSensitive bool) (warning string) {
	was, ok := props[key]
	if ok && (was == value || !caseSensitive && strings.EqualFold(was, value)) {
		return ""
	}
	props[key] = value
	if !ok {
		return ""
	}
	if because != "" {
		because = " " + because
	}
	return fmt.Sprintf("The value '%s' for the '%s' property will be ignored as it cannot be overridden%s. The value '%s' will be used instead.", was, key, because, value)
}
