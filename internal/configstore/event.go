package configstore

import (
	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/herder"
)

// Event is something that a record of the config topic changed: a [ConnectorChanged], [ConnectorRemoved], [TasksChanged],
// [TargetChanged], [SessionKeyChanged], [RestartRequested], [TaskRestartRequested] or [LoggerLevelChanged].
type Event interface{ event() }

// The events. The new state is in the snapshot by the time an event is told.
type (
	// ConnectorChanged says that a configuration was written, be it the same as before.
	ConnectorChanged struct{ Connector string }
	// ConnectorRemoved says that a connector was removed, be it one that was not there.
	ConnectorRemoved struct{ Connector string }
	// TasksChanged says that the configurations of a connector's tasks were committed. Tasks are those that were written,
	// in order; none if the commit was not complete.
	TasksChanged struct {
		Connector string
		Tasks     []connect.TaskID
	}
	// TargetChanged says that a connector is to be in another state.
	TargetChanged struct{ Connector string }
	// SessionKeyChanged brings a new session key.
	SessionKeyChanged struct{ Key SessionKey }
	// RestartRequested asks for a restart of a connector, and of its tasks.
	RestartRequested struct {
		Connector                string
		OnlyFailed, IncludeTasks bool
	}
	// TaskRestartRequested asks for a restart of one task, on an instance that no request reaches. Kafka Connect has no
	// such record, and its workers leave it alone.
	TaskRestartRequested struct{ ID connect.TaskID }
	// LoggerLevelChanged asks for a level of a logger and those below it. The level is as somebody wrote it.
	LoggerLevelChanged struct{ Namespace, Level string }
)

func (ConnectorChanged) event()     {}
func (ConnectorRemoved) event()     {}
func (TasksChanged) event()         {}
func (TargetChanged) event()        {}
func (SessionKeyChanged) event()    {}
func (RestartRequested) event()     {}
func (TaskRestartRequested) event() {}
func (LoggerLevelChanged) event()   {}

func (r RestartRequested) String() string { return herder.RestartRequest(r).String() }
