package probe

import (
	"errors"
	"fmt"
	"strings"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/javaerror"
)

// retriable is an exception that the runtime may retry.
type retriable struct{ *javaerror.Exception }

func (retriable) Retriable() bool { return true }

const errorClass = "java.lang.Error"

// exception returns the error of a kind: connect, retriable, data, config, runtime, state, error; a+b has a cause of kind b.
func exception(kind, message string) error {
	kind, causeKind, caused := strings.Cut(kind, "+")
	var cause error
	if caused {
		cause = exception(causeKind, "cause of "+message)
	}
	of := func(class string) error { return javaerror.New(class, message, cause) }
	switch kind {
	case "connect":
		return of(javaerror.Connect)
	case "retriable":
		return retriable{&javaerror.Exception{Class: "org.apache.kafka.connect.errors.RetriableException", Message: message, Cause: cause}}
	case "data":
		return &connect.DataError{Message: message, Err: cause}
	case "config":
		return &connect.ConfigError{Message: message, Err: cause}
	case "runtime":
		return of(javaerror.Runtime)
	case "state":
		return of(javaerror.IllegalState)
	case "error":
		return of(errorClass)
	}
	return fmt.Errorf("the probe knows no kind of exception %q", kind)
}

// raise ends a call: Java's errors, which no handler of exceptions catches, are panics in Go.
func raise(err error) error {
	var e *javaerror.Exception
	if errors.As(err, &e) && e.Class == errorClass && javaerror.Class(err) == errorClass {
		panic(err)
	}
	return err
}

// thrown returns an error as events show it.
func thrown(err error) map[string]any {
	var out map[string]any
	levels := javaerror.Levels(err)
	for i := len(levels) - 1; i >= 0; i-- {
		l := map[string]any{"class": levels[i].Class, "message": levels[i].Message}
		if out != nil {
			l["cause"] = out
		}
		out = l
	}
	return out
}
