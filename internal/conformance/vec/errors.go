package vec

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/conformance"
)

// CheckError fails the test unless err is the expected error, or nil if none is expected.
func CheckError(t testing.TB, want *conformance.Error, err error) {
	t.Helper()
	if diff := DiffError(want, err); diff != nil {
		t.Error(diff)
	}
}

// Error returns the member error of an object; nil if there is none.
func Error(raw json.RawMessage) *conformance.Error {
	return decode[struct{ Error *conformance.Error }](raw).Error
}

// DiffError compares an error with the expected one: the kind by its class, and the message exactly. Of a java.* class
// only that there is an error.
func DiffError(want *conformance.Error, err error) error {
	if want == nil {
		if err != nil {
			return fmt.Errorf("unexpected error: %w", err)
		}
		return nil
	}
	if err == nil {
		return fmt.Errorf("no error, expected %s: %s", want.Class, want.Message)
	}
	if !strings.HasPrefix(want.Class, "org.apache.kafka.") {
		return nil
	}
	var message string
	ok := true
	switch want.Class[strings.LastIndexByte(want.Class, '.')+1:] {
	case "DataException":
		var e *connect.DataError
		if ok = errors.As(err, &e); ok {
			message = e.Message
		}
	case "SchemaBuilderException":
		var e *connect.SchemaBuilderError
		if ok = errors.As(err, &e); ok {
			message = e.Data.Message
		}
	case "SchemaProjectorException":
		var e *connect.SchemaProjectorError
		if ok = errors.As(err, &e); ok {
			message = e.Data.Message
		}
	case "ConfigException":
		var e *connect.ConfigError
		if ok = errors.As(err, &e); ok {
			message = e.Message
		}
	case "RetriableException":
		ok, message = connect.IsRetriable(err), err.Error()
	case "NotFoundException":
		ok, message = errors.Is(err, connect.ErrNotFound), err.Error()
	case "AlreadyExistsException":
		ok, message = errors.Is(err, connect.ErrAlreadyExists), err.Error()
	default: // ConnectException and whatever has no type of its own in Go
		message = err.Error()
		if cause := errors.Unwrap(err); cause != nil && want.Cause != nil {
			message = strings.TrimSuffix(message, ": "+cause.Error())
		}
	}
	if !ok {
		return fmt.Errorf("error is %T %q, expected %s: %s", err, err, want.Class, want.Message)
	}
	if !MatchText(want.Message, message) {
		return fmt.Errorf("error says\n%q, expected\n%q", message, want.Message)
	}
	return nil
}

var (
	identityHash = regexp.MustCompile(`@[0-9a-f]+`)
	byteArray    = regexp.MustCompile(`\[B@[0-9a-f]+`)
	byteBuffer   = regexp.MustCompile(`java\.nio\.HeapByteBuffer\[pos=\d+ lim=\d+ cap=\d+\]`)
	becauseNull  = regexp.MustCompile(`because .* is null$`)
)

// MatchText compares a text of Java's with ours. What no other implementation can know matches anything: identity
// hashes, the list of the JVM's algorithms, texts of the JVM and of its parsers. A ByteBuffer is a byte[] in Go.
func MatchText(want, got string) bool {
	if becauseNull.MatchString(want) {
		return true
	}
	if i := strings.Index(want, "Invalid regex: "); i >= 0 {
		return strings.HasPrefix(got, want[:i+len("Invalid regex: ")])
	}
	want = byteBuffer.ReplaceAllString(want, "[B@<hash>")
	want = strings.ReplaceAll(want, "java.nio.HeapByteBuffer", "[B")
	want = byteArray.ReplaceAllString(want, "[B@<hash>")
	if strings.Contains(want, "@<hash>") {
		got = identityHash.ReplaceAllString(got, "@<hash>")
	}
	if before, after, ok := strings.Cut(want, "<algorithms>"); ok {
		return strings.HasPrefix(got, before) && strings.HasSuffix(got, after)
	}
	return want == got
}
