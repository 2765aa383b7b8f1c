// Package connect is what a connector is written against: Kafka Connect's plugin API in Go.
//
// A source connector brings data into Kafka, a sink connector takes it out. A [Connector] divides the work into tasks;
// a [SourceTask] or [SinkTask] does it. Between a task and Kafka stand transformations ([Transformation], optionally
// guarded by a [Predicate]) and a [Converter] for keys, one for values, and a [HeaderConverter] for headers. A runtime,
// in package cluster, runs them, stores the offsets, retries, and spreads the tasks over the instances of a service.
// Package connecttest runs each of them alone in a unit test.
//
// The package imports the standard library only. Every required interface has at most four methods; what is rarer is an
// optional interface with one method, whose documentation says what happens without it. Optional interfaces are looked
// up with [As], once, when the plugin is created.
//
// # Simple connectors
//
// [SinkFunc] and [SourceFunc] make a connector of a function, [Partitioned] makes one of two functions with typed
// partitions and typed offsets that can be resumed from.
//
// # Contexts, errors and panics
//
// Every call into a plugin takes a context first and returns an error last. The context ends when the runtime no
// longer wants the result. A plugin does not retry, skip or log a failure: it returns the error, classified by
// [Retriable], [DataError], [BatchError] or [Fatal] where it knows better than "it failed", and the runtime decides.
// A panic fails the task or connector that it happened in, and nothing else.
package connect

import (
	"context"
	"log/slog"
	"strconv"
	"time"
)

// Config is a configuration as its user wrote it: keys and values as text. Plugins read it through a [ConfigDef] or
// [Bind]. A Config given to a plugin is the plugin's own copy.
type Config map[string]string

// Connector divides the work of one connector configuration into tasks and watches whether the division must change.
// It moves no data itself. The runtime creates one instance for each connector, on one instance of the service at a
// time. Implement [SourceConnector] or [SinkConnector]. The optional interfaces of a Connector are [Validator],
// [ExactlyOnceReporter], [TransactionDefiner], [OffsetAlterer] and [HealthReporter].
//
// The runtime guarantees:
//   - Start, TaskConfigs and Stop are never called concurrently;
//   - TaskConfigs is called only between a successful Start and Stop: after each Start, and after each
//     [ConnectorContext].RequestTaskReconfiguration;
//   - Stop is called once for each successful Start. An instance may be started again after Stop: when a paused or
//     stopped connector is resumed.
type Connector interface {
	// Start prepares the connector. cfg was validated. ctx ends when Start has to give up, not when the connector
	// stops: work in the background ends with cc.Context(). An error makes the connector FAILED.
	Start(ctx context.Context, cc ConnectorContext, cfg Config) error
	// TaskConfigs returns one configuration for each task, at most maxTasks; none is no task. An error is retried
	// with back-off.
	TaskConfigs(ctx context.Context, maxTasks int) ([]Config, error)
	// Stop releases what Start acquired. ctx ends with the grace period; the instance is then abandoned.
	Stop(ctx context.Context) error
}

// Task is what [SourceTask] and [SinkTask] share. A task is created for one run: a restart makes a new one.
type Task interface {
	// Stop releases what Start acquired. It is the last call, made exactly once, also when Start failed or panicked.
	// ctx ends with the grace period (task.shutdown.graceful.timeout.ms).
	Stop(ctx context.Context) error
}

// ConnectorContext is the runtime as a [Connector] sees it. It is safe for concurrent use.
type ConnectorContext interface {
	// Context returns the context of this run of the connector. It ends when the connector is stopped, before Stop is
	// called: goroutines that the connector started end with it.
	Context() context.Context
	// RequestTaskReconfiguration asks the runtime to call TaskConfigs again and, if the result differs, to restart the
	// tasks. It returns at once. It fails with [ErrIllegalState] once the connector was stopped.
	RequestTaskReconfiguration() error
	// RaiseError makes the connector FAILED because of something that happened outside any call. Its tasks run on.
	RaiseError(err error)
	// Info returns the connector's name, its logger and, for a source connector, its stored offsets.
	Info() ConnectorInfo
}

// ConnectorInfo is what a [Connector] may know of its place in the runtime.
type ConnectorInfo struct {
	Name    string
	Logger  *slog.Logger // carries the connector's name; never nil
	Offsets OffsetReader // the connector's stored source offsets; nil for a sink connector
}

// TaskID names a task: the connector's name and the number of the task, from 0.
type TaskID struct {
	Connector string
	Task      int
}

// String returns the id as Connect prints it: orders-0.
func (id TaskID) String() string { return id.Connector + "-" + strconv.Itoa(id.Task) }

// TaskContext is what [SourceTaskContext] and [SinkTaskContext] share.
type TaskContext interface {
	// ID returns the task's id. Safe for concurrent use.
	ID() TaskID
	// Config returns the task's configuration with its secrets resolved anew, so that a task can pick up one that was
	// rotated. Safe for concurrent use.
	Config(ctx context.Context) (Config, error)
	// Logger returns a logger that carries the connector's name and the task's number. Never nil.
	Logger() *slog.Logger
}

// Validator is an optional interface of a [Connector]: checks that go beyond single keys, such as whether the target
// can be reached. Without it the [ConfigDef] alone decides. Validate is called on an instance that is not started,
// possibly concurrently, before a configuration is accepted. Problems are added to the values that they are about with
// [ConfigValues.AddError]; a returned error means that validation itself was not possible.
type Validator interface {
	Validate(ctx context.Context, cfg Config, values ConfigValues) error
}

// OffsetAlterer is an optional interface of a [SourceConnector]: it hears of offsets that an administrator wants to set
// or, with a nil offset, to remove, while the connector is stopped, and may refuse them with an error. Without it every
// alteration is accepted. [errors.ErrUnsupported] is no refusal: it says, as no such method does, that offsets that the
// connector keeps itself stay as they are. It is called on an instance that may not be started, and may be called more than once for
// the same alteration.
type OffsetAlterer interface {
	AlterOffsets(ctx context.Context, cfg Config, offsets []PartitionOffset) error
}

// SinkOffsetAlterer is [OffsetAlterer] for a [SinkConnector]. A negative offset stands for a removed one.
type SinkOffsetAlterer interface {
	AlterSinkOffsets(ctx context.Context, cfg Config, offsets map[TopicPartition]int64) error
}

// HealthReporter is an optional interface of a [Connector] or [Task]: while it runs the runtime asks it every 15 seconds,
// concurrently with other calls, gives it 5 seconds, and shows a non-nil error in status and health. It has no other effect.
// Without it health derives from progress alone.
type HealthReporter interface {
	Health(ctx context.Context) error
}

// Versioned is an optional interface of any plugin value that is not registered under a descriptor with a version, such
// as a connector that is given to a Runtime directly. Without it the version is "unknown".
type Versioned interface {
	Version() string
}

// Defined is an optional interface of a plugin value that is given to a Runtime directly: the definition of its
// configuration. Without it any configuration is accepted.
type Defined interface {
	ConfigDef() *ConfigDef
}

// Record is what source and sink records have in common, and what a [Transformation] works on.
//
// Values are of the Go types that [Type] lists. Struct, Map, slice and schema values that a record refers to are
// shared with other copies of the record, so they are never changed in place.
type Record struct {
	// Topic is the topic that the record goes to, or comes from.
	Topic string
	// Partition is the Kafka partition. Unset in a source record, the producer chooses it by key.
	Partition Partition
	KeySchema *Schema // or nil
	Key       any     // or nil
	// ValueSchema is the schema of Value, or nil.
	ValueSchema *Schema
	// Value is the content; nil is a tombstone.
	Value any
	// Headers are the headers, in order.
	Headers Headers
	// Timestamp is the record's time, to the millisecond. Unset (the zero time) in a source record, the producer sets it.
	Timestamp time.Time

	source *SourceRecord
	sink   *SinkRecord
}

// Source returns the source record that the record was made from, as the task returned it, or nil.
func (r *Record) Source() *SourceRecord { return r.source }

// Sink returns the sink record that the record was made from, as it was consumed, or nil.
func (r *Record) Sink() *SinkRecord { return r.sink }

// Partition is a Kafka partition that may be unset. The zero value is unset.
type Partition struct {
	number int32
	set    bool
}

// ToPartition returns a Partition that is set to n.
func ToPartition(n int32) Partition { return Partition{n, true} }

// Get returns the number and whether it is set.
func (p Partition) Get() (n int32, ok bool) { return p.number, p.set }

// String returns the number, or "null".
func (p Partition) String() string {
	if !p.set {
		return "null"
	}
	return strconv.Itoa(int(p.number))
}

// TopicPartition names a partition of a Kafka topic.
type TopicPartition struct {
	Topic     string
	Partition int32
}

// String returns the name as Kafka prints it: orders-0.
func (tp TopicPartition) String() string { return tp.Topic + "-" + strconv.Itoa(int(tp.Partition)) }

// As finds the optional interface or concrete type T in a plugin value, following Unwrap() any through wrappers. It is
// how the runtime looks for optional interfaces; a wrapper around a plugin must have an Unwrap method, or it hides them.
func As[T any](v any) (T, bool) {
	for v != nil {
		if t, ok := v.(T); ok {
			return t, true
		}
		u, ok := v.(interface{ Unwrap() any })
		if !ok {
			break
		}
		v = u.Unwrap()
	}
	var zero T
	return zero, false
}
