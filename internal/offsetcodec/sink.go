package offsetcodec

import (
	"fmt"
	"strconv"

	"github.com/gokconnect/connect"
)

// Names of the fields by which the REST API speaks of a sink's offsets.
const (
	SinkTopic     = "kafka_topic"
	SinkPartition = "kafka_partition"
	SinkOffset    = "kafka_offset"
)

// RequestError is offsets in a request that are not what they must be: status 400.
type RequestError struct {
	Message string
	Err     error // the cause, or nil
}

func (e *RequestError) Error() string { return e.Message }
func (e *RequestError) Unwrap() error { return e.Err }

func requestErrorf(format string, args ...any) error {
	return &RequestError{Message: fmt.Sprintf(format, args...)}
}

// SinkOffsetChange is the offset that a consumed partition is to have; without Set it is to have none.
type SinkOffsetChange struct {
	Partition connect.TopicPartition
	Offset    int64
	Set       bool
}

// ParseSinkOffset reads one entry of a request that alters the offsets of a sink: partition and offset are maps, as
// parsed from JSON, or nil. The error is a *[RequestError] in Kafka Connect's words.
func ParseSinkOffset(partition, offset any) (SinkOffsetChange, error) {
	var change SinkOffsetChange
	if partition == nil {
		return change, requestErrorf("The partition for a sink connector offset cannot be null or missing")
	}
	topic, hasTopic := member(partition, SinkTopic)
	number, hasNumber := member(partition, SinkPartition)
	if !hasTopic || !hasNumber {
		return change, requestErrorf("The partition for a sink connector offset must contain the keys '%s' and '%s'", SinkTopic, SinkPartition)
	}
	if topic == nil {
		return change, requestErrorf("Kafka topic names must be valid strings and may not be null")
	}
	if number == nil {
		return change, requestErrorf("Kafka partitions must be valid numbers and may not be null")
	}
	n, err := strconv.ParseInt(connect.FormatValue(number), 10, 32)
	if err != nil {
		return change, &RequestError{fmt.Sprintf("Failed to parse the following Kafka partition value in the provided offsets: '%s'. Partition values for sink connectors need to be integers.",
			connect.FormatValue(number)), err}
	}
	change.Partition = connect.TopicPartition{Topic: connect.FormatValue(topic), Partition: int32(n)}
	if offset == nil {
		return change, nil
	}
	at, ok := member(offset, SinkOffset)
	if !ok {
		return change, requestErrorf("The offset for a sink connector should either be null or contain the key '%s'", SinkOffset)
	}
	if change.Offset, err = strconv.ParseInt(connect.FormatValue(at), 10, 64); err != nil {
		return change, &RequestError{fmt.Sprintf("Failed to parse the following Kafka offset value in the provided offsets: '%s'. Offset values for sink connectors need to be integers.",
			connect.FormatValue(at)), err}
	}
	change.Set = true
	return change, nil
}

func member(v any, name string) (any, bool) {
	switch v := v.(type) {
	case connect.Fields:
		m, ok := v[name]
		return m, ok
	case map[string]any:
		m, ok := v[name]
		return m, ok
	}
	if m, ok := connect.AsMap(v); ok {
		return m.Get(name)
	}
	return nil, false
}

// SinkPartitionOffset returns how the REST API shows the committed offset of a partition.
func SinkPartitionOffset(tp connect.TopicPartition, offset int64) connect.PartitionOffset {
	return connect.PartitionOffset{
		Partition: connect.Fields{SinkTopic: tp.Topic, SinkPartition: tp.Partition},
		Offset:    connect.Fields{SinkOffset: offset},
	}
}
