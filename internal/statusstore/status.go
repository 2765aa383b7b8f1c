package statusstore

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/storejson"
)

// State is what a connector or task is in, as the status topic spells it.
type State string

// The states. Destroyed is written as a tombstone.
const (
	Unassigned State = "UNASSIGNED"
	Running    State = "RUNNING"
	Paused     State = "PAUSED"
	Failed     State = "FAILED"
	Destroyed  State = "DESTROYED"
	Restarting State = "RESTARTING"
	Stopped    State = "STOPPED"
)

// Status is how a connector or task is. A nil field is null.
type Status struct {
	State State
	// Trace says why it failed.
	Trace *string
	// WorkerID is the instance that wrote it.
	WorkerID *string
	// Generation is that of the group in which it was written.
	Generation int32
	// Version is that of the plugin.
	Version *string
}

// Topic is a topic that a connector uses.
type Topic struct {
	Name, Connector string
	// Task is the one that discovered it, Discovered when, in milliseconds since 1970.
	Task       int32
	Discovered int64
}

// Record is a record of the status topic. A nil value is a tombstone.
type Record struct {
	Key   string
	Value []byte
}

const (
	connectorKey   = "status-connector-"
	taskKey        = "status-task-"
	topicKey       = "status-topic-"
	topicSeparator = ":connector-"
)

func appendNullable(dst []byte, s *string) []byte {
	if s == nil {
		return append(dst, "null"...)
	}
	return storejson.AppendString(dst, *s)
}

func (s Status) encode() []byte {
	if s.State == Destroyed {
		return nil
	}
	dst := append(make([]byte, 0, 128), `{"state":`...)
	dst = storejson.AppendString(dst, string(s.State))
	dst = append(dst, `,"trace":`...)
	dst = appendNullable(dst, s.Trace)
	dst = append(dst, `,"worker_id":`...)
	dst = appendNullable(dst, s.WorkerID)
	dst = append(dst, `,"generation":`...)
	dst = strconv.AppendInt(dst, int64(s.Generation), 10)
	dst = append(dst, `,"version":`...)
	return append(appendNullable(dst, s.Version), '}')
}

// decodeObject decodes a value that is no tombstone.
func decodeObject(value []byte) (connect.Fields, error) {
	v, err := storejson.Decode(value)
	if err != nil {
		return nil, fmt.Errorf("the value is not JSON: %w", err)
	}
	fields, ok := v.(connect.Fields)
	if !ok {
		return nil, errors.New("the value is not an object")
	}
	return fields, nil
}

func nullable(fields connect.Fields, name string) (*string, error) {
	switch v := fields[name].(type) {
	case nil:
		return nil, nil
	case string:
		return &v, nil
	}
	return nil, fmt.Errorf("the field %s must be text or null", name)
}

func integer(fields connect.Fields, name string) (int64, error) {
	n, ok := fields[name].(int64)
	if !ok {
		return 0, fmt.Errorf("the field %s must be an integer", name)
	}
	return n, nil
}

func decodeStatus(value []byte) (Status, error) {
	fields, err := decodeObject(value)
	if err != nil {
		return Status{}, err
	}
	text, _ := fields["state"].(string)
	s := Status{State: State(text)}
	switch s.State {
	case Unassigned, Running, Paused, Failed, Destroyed, Restarting, Stopped:
	default:
		return Status{}, errors.New("the field state must be a state")
	}
	if s.Trace, err = nullable(fields, "trace"); err != nil {
		return Status{}, err
	}
	if s.WorkerID, err = nullable(fields, "worker_id"); err != nil {
		return Status{}, err
	}
	if s.Version, err = nullable(fields, "version"); err != nil {
		return Status{}, err
	}
	generation, err := integer(fields, "generation")
	if err != nil {
		return Status{}, err
	}
	s.Generation = int32(generation)
	return s, nil
}

func (t Topic) key() string { return topicKey + t.Name + topicSeparator + t.Connector }

func (t Topic) encode() []byte {
	dst := append(make([]byte, 0, 128), `{"topic":{"name":`...)
	dst = storejson.AppendString(dst, t.Name)
	dst = append(dst, `,"connector":`...)
	dst = storejson.AppendString(dst, t.Connector)
	return fmt.Appendf(dst, `,"task":%d,"discoverTimestamp":%d}}`, t.Task, t.Discovered)
}

func decodeTopic(value []byte) (Topic, error) {
	fields, err := decodeObject(value)
	if err != nil {
		return Topic{}, err
	}
	fields, ok := fields["topic"].(connect.Fields)
	if !ok {
		return Topic{}, errors.New("the field topic must be an object")
	}
	var t Topic
	if t.Name, ok = fields["name"].(string); !ok {
		return Topic{}, errors.New("the field name must be text")
	}
	if t.Connector, ok = fields["connector"].(string); !ok {
		return Topic{}, errors.New("the field connector must be text")
	}
	task, err := integer(fields, "task")
	if err != nil {
		return Topic{}, err
	}
	t.Task = int32(task)
	t.Discovered, err = integer(fields, "discoverTimestamp")
	return t, err
}
