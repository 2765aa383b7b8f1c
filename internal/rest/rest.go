// Package rest is the REST API of Kafka Connect 4.3.0, to the byte: paths, status codes, messages, JSON, and the answers of
// the HTTP server below it. What it shows and changes stands behind small interfaces.
package rest

import (
	"context"
	"encoding/json"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/connconfig"
)

// Connectors is what the API asks of connectors. Its methods are safe for concurrent use and end with their context. An
// error that is not an [*Error] gets the status that its kind has: see [Error].
type Connectors interface {
	// Names returns the names, in the order of the answer.
	Names(ctx context.Context) ([]string, error)
	Connector(ctx context.Context, name string) (*ConnectorInfo, error)
	// Create makes a connector that must not be there yet. An initial state of "" leaves the choice.
	Create(ctx context.Context, name string, cfg Config, initial State) (*ConnectorInfo, error)
	// Put makes a connector or changes it.
	Put(ctx context.Context, name string, cfg Config) (info *ConnectorInfo, created bool, err error)
	// Patch changes single keys; a nil value removes the key.
	Patch(ctx context.Context, name string, changes Config) (*ConnectorInfo, error)
	Delete(ctx context.Context, name string) error
	// SetState asks for another state, and does not wait for it.
	SetState(ctx context.Context, name string, state State) error
	// Restart restarts the connector's instance alone, and returns nil, or, by a plan, what the plan names.
	Restart(ctx context.Context, name string, plan RestartPlan) (*Status, error)
}

// Tasks is what the API asks of tasks and of the states of connectors.
type Tasks interface {
	Status(ctx context.Context, name string) (*Status, error)
	// FirstStatus is Status, but waits a while for a connector that no worker has begun with yet.
	FirstStatus(ctx context.Context, name string) (*Status, error)
	TaskStatus(ctx context.Context, id connect.TaskID) (*TaskStatus, error)
	Tasks(ctx context.Context, name string) ([]TaskInfo, error)
	RestartTask(ctx context.Context, id connect.TaskID) error
	// Topics returns the topics that a connector has used; none for one that is not there.
	Topics(ctx context.Context, name string) ([]string, error)
	ResetTopics(ctx context.Context, name string) error
	// PutTasks and Fence are requests between workers. Signature is nil if the request is not signed.
	PutTasks(ctx context.Context, name string, configs []Config, body []byte, s *Signature) error
	Fence(ctx context.Context, name string, body []byte, s *Signature) error
}

// Offsets is what the API asks of offsets.
type Offsets interface {
	Offsets(ctx context.Context, name string) ([]PartitionOffset, error)
	// AlterOffsets and ResetOffsets return the message of the answer.
	AlterOffsets(ctx context.Context, name string, changes []OffsetChange) (string, error)
	ResetOffsets(ctx context.Context, name string) (string, error)
	// PreviewOffsets returns what AlterOffsets would do, or, without changes, what ResetOffsets would.
	PreviewOffsets(ctx context.Context, name string, changes []OffsetChange) ([]OffsetPreview, error)
}

// Plugins is what the API asks of plugins.
type Plugins interface {
	// Plugins returns connectors, or plugins of all kinds, in the order of the answer.
	Plugins(ctx context.Context, connectorsOnly bool) ([]Plugin, error)
	PluginConfig(ctx context.Context, name string) ([]*connconfig.Definition, error)
	Validate(ctx context.Context, cfg Config) (*connconfig.Result, error)
}

// Loggers is what the API asks of loggers.
type Loggers interface {
	// Loggers returns every logger, sorted by name.
	Loggers() []Logger
	// Logger returns one of them; false if there is none.
	Logger(name string) (Logger, bool)
	// SetLevel sets the level of a logger and of those whose names begin like it, on this worker or on all, and returns the
	// names of those that changed, sorted.
	SetLevel(ctx context.Context, name, level string, everywhere bool) ([]string, error)
}

// Worker is what the API asks of the worker.
type Worker interface {
	Root(ctx context.Context) (Root, error)
	// Health reports whether the worker has started and whether it could handle this request.
	Health(ctx context.Context) (ready, able bool)
	// Stage says what the worker is doing, or did last, for those who wait for it; "" if nothing is known.
	Stage() string
}

// State is a state that can be asked for.
type State string

// The states.
const (
	Running State = "RUNNING"
	Paused  State = "PAUSED"
	Stopped State = "STOPPED"
)

// RestartPlan says what a restart is about. The zero value is the connector's instance alone.
type RestartPlan struct{ IncludeTasks, OnlyFailed bool }

// Entry is a key of a configuration. A nil value is JSON's null.
type Entry struct {
	Key   string
	Value *string
}

// Config is a configuration in the order of its JSON. Keys are unique. Nil is JSON's null.
type Config []Entry

// Map returns the configuration without its order.
func (c Config) Map() map[string]*string {
	m := make(map[string]*string, len(c))
	for _, e := range c {
		m[e.Key] = e.Value
	}
	return m
}

// Keys returns the keys in order.
func (c Config) Keys() []string {
	keys := make([]string, len(c))
	for i, e := range c {
		keys[i] = e.Key
	}
	return keys
}

// Ordered returns a configuration in the order of keys.
func Ordered(m map[string]*string, keys []string) Config {
	c := make(Config, 0, len(keys))
	for _, k := range keys {
		if v, ok := m[k]; ok {
			c = append(c, Entry{k, v})
		}
	}
	return c
}

// ConnectorInfo describes a connector.
type ConnectorInfo struct {
	Name   string
	Config Config
	Tasks  []connect.TaskID
	Type   string // source, sink or unknown
}

// TaskInfo describes a task.
type TaskInfo struct {
	ID     connect.TaskID
	Config Config
}

// Status is how a connector and its tasks are.
type Status struct {
	Name      string
	Connector Instance
	Tasks     []TaskStatus
	Type      string
}

// TaskStatus is how a task is.
type TaskStatus struct {
	ID int
	Instance
}

// Instance is how a connector or task is, and where.
type Instance struct {
	State, WorkerID string
	Version         string // "" is JSON's null
	Trace           string // why it failed; left out if ""
}

// PartitionOffset is the offset of a partition, both as JSON.
type PartitionOffset struct{ Partition, Offset json.RawMessage }

// OffsetChange is an entry of a request to alter offsets. The values are those of JSON: nil, bool, int64, *big.Int,
// float64, string, []any or map[string]any.
type OffsetChange struct{ Partition, Offset map[string]any }

// OffsetPreview says what would become of the offset of a partition. All are JSON; an offset may be null.
type OffsetPreview struct{ Partition, From, To json.RawMessage }

// Plugin is an entry of the list of plugins.
type Plugin struct{ Class, Type, Version string }

// Logger is a logger with its effective level.
type Logger struct {
	Name, Level  string
	LastModified int64 // ms since 1970; 0 is never
}

// Root is what the worker says of itself.
type Root struct{ Version, Commit, ClusterID string }
