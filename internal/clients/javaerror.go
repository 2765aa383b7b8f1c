package clients

import (
	"errors"
	"strings"

	"github.com/gokconnect/connect/internal/javaerror"
	"github.com/twmb/franz-go/pkg/kerr"
)

// JavaError returns an error of a broker as the exception that Java's clients make of it, with the broker's message if it
// is known. Other errors are returned as they are.
func JavaError(err error, message string) error {
	var broker *kerr.Error
	if !errors.As(err, &broker) {
		return err
	}
	var class strings.Builder
	for word := range strings.SplitSeq(broker.Message, "_") {
		if word != "" {
			class.WriteString(word[:1] + strings.ToLower(word[1:]))
		}
	}
	if message == "" {
		message = broker.Description
	}
	name := class.String()
	switch {
	case errors.Is(err, kerr.MessageTooLarge):
		name = "RecordTooLarge"
	case errors.Is(err, kerr.RecordListTooLarge):
		name = "RecordBatchTooLarge"
	case errors.Is(err, kerr.CoordinatorNotAvailable):
		name = "CoordinatorNotAvailable"
	case errors.Is(err, kerr.RequestTimedOut):
		name = "Timeout"
	case errors.Is(err, kerr.InvalidTopicException):
		name = "InvalidTopic"
	}
	return &brokerError{javaerror.Exception{Class: "org.apache.kafka.common.errors." + name + "Exception", Message: message}, err}
}

// brokerError is a broker's error in Java's words.
type brokerError struct {
	javaerror.Exception
	err error
}

// Is keeps the error what it was.
func (e *brokerError) Is(target error) bool { return errors.Is(e.err, target) }
