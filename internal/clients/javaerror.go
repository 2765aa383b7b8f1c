package clients

import (
	"errors"

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
	if message == "" {
		message = broker.Description
	}
	var name string
	switch broker { // those that Java calls something else than the protocol does
	case kerr.MessageTooLarge:
		name = "RecordTooLarge"
	case kerr.RecordListTooLarge:
		name = "RecordBatchTooLarge"
	case kerr.RequestTimedOut:
		name = "Timeout"
	case kerr.InvalidTopicException:
		name = "InvalidTopic"
	default:
		upper := true
		for _, c := range []byte(broker.Message) {
			if c != '_' {
				if !upper && 'A' <= c && c <= 'Z' {
					c += 'a' - 'A'
				}
				name += string(rune(c))
			}
			upper = c == '_'
		}
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
