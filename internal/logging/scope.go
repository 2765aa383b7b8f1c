package logging

import (
	"github.com/gokconnect/connect"
)

// ContextKey is the attribute that says which connector or task a message is about, as Kafka Connect's logs do.
const ContextKey = "connector.context"

// ConnectorContext is the [ContextKey] of what a connector itself does.
func ConnectorContext(connector string) string { return "[" + connector + "|worker] " }

// TaskContext is the [ContextKey] of what a task does, or of what is done to commit its offsets.
func TaskContext(id connect.TaskID, offsets bool) string {
	scope := "|task-" + id.String()[len(id.Connector)+1:]
	if offsets {
		scope += "|offsets"
	}
	return "[" + id.Connector + scope + "] "
}
