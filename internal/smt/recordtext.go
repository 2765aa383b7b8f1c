package smt

import (
	"strconv"

	"github.com/gokconnect/connect"
)

// recordText returns the text that a record has in Java.
func recordText(r *connect.Record) string {
	var b []byte
	text := func(s string) { b = append(b, s...) }
	value := func(v any) { b = connect.AppendValue(b, v) }
	if s := r.Source(); s != nil {
		text("SourceRecord{sourcePartition=")
		value(fieldsValue(s.SourcePartition))
		text(", sourceOffset=")
		if s.SourceOffset == nil {
			value(nil)
		} else {
			value(fieldsValue(s.SourceOffset.Fields()))
		}
		text("} ")
	}
	if s := r.Sink(); s != nil {
		offset := strconv.FormatInt(s.Offset, 10)
		text("SinkRecord{kafkaOffset=" + offset + ", timestampType=" + s.TimestampType.String() +
			", originalTopic=" + s.Origin.Topic + ", originalKafkaPartition=" + strconv.Itoa(int(s.Origin.Partition)) +
			", originalKafkaOffset=" + offset + "} ")
	}
	text("ConnectRecord{topic='" + r.Topic + "', kafkaPartition=" + r.Partition.String() + ", key=")
	value(r.Key)
	text(", keySchema=" + r.KeySchema.String() + ", value=")
	value(r.Value)
	text(", valueSchema=" + r.ValueSchema.String() + ", timestamp=")
	if r.Timestamp.IsZero() {
		value(nil)
	} else {
		value(r.Timestamp.UnixMilli())
	}
	text(", headers=ConnectHeaders(headers=")
	for i, h := range r.Headers { // without headers Java has no list to print
		if i == 0 {
			text("[")
		} else {
			text(", ")
		}
		text(h.String())
	}
	if len(r.Headers) > 0 {
		text("]")
	}
	text(")}")
	return string(b)
}

// fieldsValue returns the fields of a source partition or offset as a value.
func fieldsValue(f connect.Fields) any {
	if f == nil {
		return nil
	}
	return map[string]any(f)
}
