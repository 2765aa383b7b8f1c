// Package javaerror shows errors as Kafka Connect shows exceptions: by class and message, each with its cause. Status
// records, the REST API and dead letters have them in this form, and tools read it.
package javaerror

import (
	"errors"
	"strings"

	"github.com/gokconnect/connect"
)

// The classes of exceptions that the runtime raises itself.
const (
	Connect          = "org.apache.kafka.connect.errors.ConnectException"
	IllegalWorker    = "org.apache.kafka.connect.errors.IllegalWorkerStateException"
	IllegalState     = "java.lang.IllegalStateException"
	IllegalArgument  = "java.lang.IllegalArgumentException"
	NullPointer      = "java.lang.NullPointerException"
	Runtime          = "java.lang.RuntimeException"
	Execution        = "java.util.concurrent.ExecutionException"
	InvalidRecord    = "org.apache.kafka.common.InvalidRecordException"
	TooManyTasks     = "org.apache.kafka.connect.runtime.TooManyTasksException"
	NoOffset         = "org.apache.kafka.clients.consumer.NoOffsetForPartitionException"
	RecordTooLarge   = "org.apache.kafka.common.errors.RecordTooLargeException"
	Timeout          = "org.apache.kafka.common.errors.TimeoutException"
	UnknownPartition = "org.apache.kafka.common.errors.UnknownTopicOrPartitionException"
)

// Exception is an error that stands for a Java exception of a class.
type Exception struct {
	Class, Message string
	Cause          error // or nil
}

// New returns an Exception.
func New(class, message string, cause error) error { return &Exception{class, message, cause} }

func (e *Exception) Error() string {
	switch {
	case e.Cause == nil:
		return e.Message
	case e.Message == "":
		return e.Cause.Error()
	}
	return e.Message + ": " + e.Cause.Error()
}

func (e *Exception) Unwrap() error { return e.Cause }

// Is makes exceptions about illegal states [connect.ErrIllegalState].
func (e *Exception) Is(target error) bool {
	return target == connect.ErrIllegalState && (e.Class == IllegalState || e.Class == IllegalWorker)
}

// JavaClass makes the class known to [connect.ErrorClass].
func (e *Exception) JavaClass() string { return e.Class }

// JavaMessage returns the message without the cause's.
func (e *Exception) JavaMessage() string { return e.Message }

// At says in which call an error came up. In a trace it is a stack frame.
type At struct {
	Call string
	Err  error
}

// In returns err with the call that it came up in; nil for nil.
func In(call string, err error) error {
	if err == nil {
		return nil
	}
	return &At{call, err}
}

func (a *At) Error() string { return a.Call + ": " + a.Err.Error() }
func (a *At) Unwrap() error { return a.Err }

// Level is one exception of a trace.
type Level struct {
	Class, Message string
	Frames         []string // calls, the innermost first
	Suppressed     []error
}

// Levels returns the exceptions that err stands for: the error itself, its cause, and so on. It is not empty.
func Levels(err error) []Level {
	var levels []Level
	for err != nil {
		var l Level
		l, err = next(err)
		levels = append(levels, l)
	}
	return levels
}

// next returns the outermost exception of err, and its cause.
func next(err error) (l Level, cause error) {
	for {
		message := err.Error()
		switch e := any(err).(type) { // every level is looked at on its own
		case *At:
			l.Frames = append([]string{e.Call}, l.Frames...)
			err = e.Err
			continue
		case interface {
			JavaClass() string
			JavaMessage() string
		}:
			l.Class, l.Message = e.JavaClass(), e.JavaMessage()
			return l, errors.Unwrap(err)
		case *connect.DataError:
			message, cause = e.Message, e.Err
		case *connect.SchemaBuilderError:
			message, cause = e.Data.Message, e.Data.Err
		case *connect.SchemaProjectorError:
			message, cause = e.Data.Message, e.Data.Err
		case *connect.ConfigError:
			message, cause = e.Message, e.Err
		case *connect.PanicError:
			for line := range strings.Lines(string(e.Stack)) {
				l.Frames = append(l.Frames, strings.TrimSpace(line))
			}
			if inner := e.Unwrap(); inner != nil {
				l.Frames = append([]string{"panic in " + e.Call}, l.Frames...)
				err = inner
				continue
			}
		case interface{ Unwrap() []error }:
			if all := e.Unwrap(); len(all) > 0 && !isBatch(err) {
				l.Suppressed = append(l.Suppressed, all[1:]...)
				err = all[0]
				continue
			}
		}
		l.Class, l.Message = connect.ErrorClass(err), message
		return l, cause
	}
}

func isBatch(err error) bool {
	_, ok := any(err).(*connect.BatchError) // this level alone
	return ok
}

// Message returns the message of the outermost exception, without its causes'.
func Message(err error) string { return Levels(err)[0].Message }

// Class returns the class of the outermost exception.
func Class(err error) string { return Levels(err)[0].Class }

// Trace returns err as Java prints a stack trace: every exception on a line of its own, with calls as frames.
func Trace(err error) string {
	var b strings.Builder
	write(&b, err, "")
	return b.String()
}

func write(b *strings.Builder, err error, indent string) {
	for i, l := range Levels(err) {
		before, message := "", ""
		if i > 0 {
			before = indent + "Caused by: "
		}
		if l.Message != "" {
			message = ": " + l.Message
		}
		b.WriteString(before + l.Class + message + "\n")
		for _, f := range l.Frames {
			b.WriteString(indent + "\tat " + f + "\n")
		}
		for _, s := range l.Suppressed {
			b.WriteString(indent + "\tSuppressed: ")
			write(b, s, indent+"\t")
		}
	}
}
