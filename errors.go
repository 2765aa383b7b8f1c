package connect

import (
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"
)

// Errors that callers branch on with [errors.Is].
var (
	// ErrNotFound says that the named connector, task or plugin does not exist.
	ErrNotFound = errors.New("not found")
	// ErrAlreadyExists says that the name is taken.
	ErrAlreadyExists = errors.New("already exists")
	// ErrIllegalState says that the call does not fit the state of its receiver, for example pausing a partition
	// that is not assigned, or using a context after its connector was shut down.
	ErrIllegalState = errors.New("illegal state")
	// ErrStopping is the cause ([context.Cause]) of a context that ended because its connector or task was asked to
	// stop. Returning it, or the context's own error, from a call that was interrupted so is no failure.
	ErrStopping = errors.New("stopping")
)

// DataError says that a record, value or schema is not what it should be. Repeating the operation with the same data
// gives the same error, so the runtime never retries it: errors.tolerance and the dead letter queue decide.
type DataError struct {
	Message string
	Err     error // the cause, or nil
}

func (e *DataError) Error() string { return withCause(e.Message, e.Err) }
func (e *DataError) Unwrap() error { return e.Err }

// DataErrorf returns a *[DataError] without a cause.
func DataErrorf(format string, args ...any) error {
	return &DataError{Message: fmt.Sprintf(format, args...)}
}

// SchemaBuilderError says that a [SchemaBuilder] was used wrongly. [errors.As] finds it as a *[DataError] too.
type SchemaBuilderError struct{ Data DataError }

func (e *SchemaBuilderError) Error() string { return e.Data.Error() }
func (e *SchemaBuilderError) Unwrap() error { return &e.Data }

// SchemaProjectorError says that a value can't be projected from one schema to another; see [Project].
// [errors.As] finds it as a *[DataError] too.
type SchemaProjectorError struct{ Data DataError }

func (e *SchemaProjectorError) Error() string { return e.Data.Error() }
func (e *SchemaProjectorError) Unwrap() error { return &e.Data }

// ConfigError says that a configuration is not valid. Its text is shown to the user who wrote the configuration: it
// names the key and the value that was refused, or hides a value of type PASSWORD.
type ConfigError struct {
	Key     string // the key, or "" when the error is about several
	Message string // the whole message, key and value included
	Err     error  // the cause, or nil
}

func (e *ConfigError) Error() string { return e.Message }
func (e *ConfigError) Unwrap() error { return e.Err }

// ConfigErrorf returns a *[ConfigError] about key, without a cause.
func ConfigErrorf(key, format string, args ...any) error {
	return &ConfigError{Key: key, Message: fmt.Sprintf(format, args...)}
}

// retriableError marks an error as worth another attempt.
type retriableError struct {
	err   error
	after time.Duration
}

func (e *retriableError) Error() string             { return e.err.Error() }
func (e *retriableError) Unwrap() error             { return e.err }
func (e *retriableError) Retriable() bool           { return true }
func (e *retriableError) RetryAfter() time.Duration { return e.after }

// Retriable marks err as worth another attempt of the same call with the same arguments. The runtime then repeats the
// call after a back-off: [SourceTask].Poll and [SinkTask].Put until the task stops, converters and transformations
// within errors.retry.timeout. Return it from Put only if putting the whole batch again is safe; when single
// records failed return a *[BatchError]. Retriable(nil) is nil.
func Retriable(err error) error { return RetryAfter(err, 0) }

// RetryAfter is [Retriable] with the wait before the next attempt, in place of the runtime's back-off.
func RetryAfter(err error, wait time.Duration) error {
	if err == nil {
		return nil
	}
	return &retriableError{err, wait}
}

// IsRetriable reports whether err, or an error that it wraps, says of itself that the call is worth another attempt,
// by a method Retriable() bool. The outermost such error decides.
func IsRetriable(err error) bool {
	var r interface{ Retriable() bool }
	return errors.As(err, &r) && r.Retriable()
}

// RetryDelay returns the wait that err asks for (see [RetryAfter]), or 0.
func RetryDelay(err error) time.Duration {
	var r interface{ RetryAfter() time.Duration }
	if errors.As(err, &r) {
		return r.RetryAfter()
	}
	return 0
}

// fatalError marks an error after which a restart can't help.
type fatalError struct{ err error }

func (e *fatalError) Error() string   { return e.err.Error() }
func (e *fatalError) Unwrap() error   { return e.err }
func (e *fatalError) Retriable() bool { return false }
func (e *fatalError) Fatal() bool     { return true }

// Fatal marks err as one that no retry and no restart can mend, for example a licence that has ended. The task fails at
// once and is not restarted by the runtime. Fatal(nil) is nil.
func Fatal(err error) error {
	if err == nil {
		return nil
	}
	return &fatalError{err}
}

// IsFatal reports whether err, or an error that it wraps, was marked by [Fatal].
func IsFatal(err error) bool {
	var f interface{ Fatal() bool }
	return errors.As(err, &f) && f.Fatal()
}

// BatchError is returned by [SinkTask].Put when some records of the batch were not delivered. Every record that is not
// named in it counts as delivered. The runtime decides what happens to the named ones: an error that [IsRetriable] is
// put again (that record alone, in order), any other goes the way of errors.tolerance and the dead letter queue.
type BatchError struct {
	Failed []RecordError // at least one; in any order, one entry an index
}

// RecordError is one record that a sink could not deliver.
type RecordError struct {
	Index int   // of the record in the slice given to Put, as it was given: a sink that sorts it sorts a copy
	Err   error // why; not nil
}

// Fail adds the record at index to the error.
func (e *BatchError) Fail(index int, err error) { e.Failed = append(e.Failed, RecordError{index, err}) }

// ErrorOrNil returns e, or nil if no record failed.
func (e *BatchError) ErrorOrNil() error {
	if e == nil || len(e.Failed) == 0 {
		return nil
	}
	return e
}

func (e *BatchError) Error() string {
	const shown = 3
	var b strings.Builder
	fmt.Fprintf(&b, "%d records of the batch failed", len(e.Failed))
	for i, f := range e.Failed {
		if i == shown {
			fmt.Fprintf(&b, "; and %d more", len(e.Failed)-shown)
			break
		}
		fmt.Fprintf(&b, "; record %d: %v", f.Index, f.Err)
	}
	return b.String()
}

// Unwrap returns the errors of the records, in the order of their index.
func (e *BatchError) Unwrap() []error {
	failed := slices.Clone(e.Failed)
	sort.SliceStable(failed, func(i, j int) bool { return failed[i].Index < failed[j].Index })
	errs := make([]error, len(failed))
	for i, f := range failed {
		errs[i] = f.Err
	}
	return errs
}

// PanicError is what the runtime makes of a panic in plugin code. It fails the task or connector that panicked.
type PanicError struct {
	Call  string // the call that panicked, for example "SinkTask.Put"
	Value any    // the value of the panic
	Stack []byte // the stack of the goroutine that panicked
}

func (e *PanicError) Error() string { return fmt.Sprintf("panic in %s: %v", e.Call, e.Value) }

// Unwrap returns the value of the panic if it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

func withCause(message string, cause error) string {
	if cause == nil {
		return message
	}
	return message + ": " + cause.Error()
}

// ErrorClass returns the name of the Java exception that stands for err in status traces and dead letter headers, so that tools
// that know Kafka Connect's recognise it. An error, or one that it wraps, may say its own by a method JavaClass() string; the
// outermost decides.
func ErrorClass(err error) string {
	var java interface{ JavaClass() string }
	if errors.As(err, &java) {
		return java.JavaClass()
	}
	const connectErrors = "org.apache.kafka.connect.errors."
	var (
		projector *SchemaProjectorError
		builder   *SchemaBuilderError
		data      *DataError
		config    *ConfigError
		panicked  *PanicError
	)
	switch {
	case IsRetriable(err):
		return connectErrors + "RetriableException"
	case errors.As(err, &projector):
		return connectErrors + "SchemaProjectorException"
	case errors.As(err, &builder):
		return connectErrors + "SchemaBuilderException"
	case errors.As(err, &data):
		return connectErrors + "DataException"
	case errors.As(err, &config):
		return "org.apache.kafka.common.config.ConfigException"
	case errors.As(err, &panicked):
		return "java.lang.RuntimeException"
	case errors.Is(err, ErrNotFound):
		return connectErrors + "NotFoundException"
	case errors.Is(err, ErrAlreadyExists):
		return connectErrors + "AlreadyExistsException"
	case errors.Is(err, ErrIllegalState):
		return connectErrors + "IllegalWorkerStateException"
	}
	return connectErrors + "ConnectException"
}
