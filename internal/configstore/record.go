package configstore

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/herder"
	"github.com/gokconnect/connect/internal/storejson"
)

// Record is a record of the config topic. A nil value is a tombstone.
type Record struct {
	Key   string
	Value []byte
}

// The keys of the records: prefixes, except for the session key.
const (
	targetKey    = "target-state-"
	connectorKey = "connector-"
	taskKey      = "task-"
	commitKey    = "commit-"
	restartKey   = "restart-connector-"
	fencingKey   = "tasks-fencing-"
	sessionKey   = "session-key"
	loggerKey    = "logger-cluster-"

	taskRestartKey = "restart-task-" // ours
)

// SessionKey is the secret that the instances sign their requests to one another with.
type SessionKey struct {
	Key       []byte
	Algorithm string
	// Created is when it was made, in milliseconds since 1970.
	Created int64
}

// String tells of the key what is no secret.
func (k SessionKey) String() string {
	return fmt.Sprintf("session key for %s of %d", k.Algorithm, k.Created)
}

// GoString is String.
func (k SessionKey) GoString() string { return k.String() }

// errEmptyKey is Java's refusal of a key without bytes.
var errEmptyKey = errors.New("Empty key")

func (k SessionKey) encode() ([]byte, error) {
	if len(k.Key) == 0 {
		return nil, errEmptyKey
	}
	dst := append([]byte(nil), `{"key":"`...)
	dst = base64.StdEncoding.AppendEncode(dst, k.Key)
	dst = append(dst, `","algorithm":`...)
	dst = storejson.AppendString(dst, k.Algorithm)
	dst = append(dst, `,"creation-timestamp":`...)
	return append(strconv.AppendInt(dst, k.Created, 10), '}'), nil
}

// decodeKey decodes the text of a key, which need not be padded.
func decodeKey(text string) ([]byte, error) {
	if strings.ContainsAny(text, "\r\n") {
		return nil, errors.New("the key has line breaks in its base64")
	}
	encoding := base64.StdEncoding
	if len(text)%4 != 0 {
		encoding = base64.RawStdEncoding
	}
	key, err := encoding.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("the key is not base64: %w", err)
	}
	if len(key) == 0 {
		return nil, errEmptyKey
	}
	return key, nil
}

func targetRecord(connector string, t herder.Target) Record {
	old := t
	if t == herder.Stopped { // what workers without that state are to do
		old = herder.Paused
	}
	return Record{targetKey + connector, fmt.Appendf(nil, `{"state":"%s","state.v2":"%s"}`, old, t)}
}

func connectorRecord(connector string, config Properties) (Record, error) {
	value, err := config.encode()
	return Record{connectorKey + connector, value}, err
}

func taskRecord(id connect.TaskID, config Properties) (Record, error) {
	value, err := config.encode()
	return Record{taskKey + id.Connector + "-" + strconv.Itoa(id.Task), value}, err
}

func commitRecord(connector string, tasks int) Record {
	return Record{commitKey + connector, fmt.Appendf(nil, `{"tasks":%d}`, tasks)}
}

func fencingRecord(connector string, tasks int) Record {
	return Record{fencingKey + connector, fmt.Appendf(nil, `{"task-count":%d}`, tasks)}
}

func restartRecord(r RestartRequested) Record {
	return Record{restartKey + r.Connector, fmt.Appendf(nil, `{"include-tasks":%t,"only-failed":%t}`, r.IncludeTasks, r.OnlyFailed)}
}

func taskRestartRecord(id connect.TaskID) Record {
	return Record{taskRestartKey + id.Connector + "-" + strconv.Itoa(id.Task), []byte(`{"restart":true}`)}
}

func loggerRecord(namespace string, level *string) (Record, error) {
	if level == nil {
		return Record{}, connect.DataErrorf(`Invalid value: null used for required field: "level", schema type: STRING`)
	}
	return Record{loggerKey + namespace, append(storejson.AppendString([]byte(`{"level":`), *level), '}')}, nil
}
