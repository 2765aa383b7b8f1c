package vec

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/gokconnect/connect"
)

type rawHeader struct {
	Key    string          `json:"key"`
	Schema json.RawMessage `json:"schema"`
	Value  json.RawMessage `json:"value"`
}

type rawRecord struct {
	Kind              string                     `json:"kind"`
	Topic             string                     `json:"topic"`
	Partition         *int32                     `json:"partition"`
	KeySchema         json.RawMessage            `json:"keySchema"`
	Key               json.RawMessage            `json:"key"`
	ValueSchema       json.RawMessage            `json:"valueSchema"`
	Value             json.RawMessage            `json:"value"`
	Timestamp         *string                    `json:"timestamp"`
	Headers           []rawHeader                `json:"headers"`
	Offset            string                     `json:"offset"`
	TimestampType     string                     `json:"timestampType"`
	OriginalTopic     *string                    `json:"originalTopic"`
	OriginalPartition *int32                     `json:"originalPartition"`
	SourcePartition   map[string]json.RawMessage `json:"sourcePartition"`
	SourceOffset      map[string]json.RawMessage `json:"sourceOffset"`
}

// Record returns the record as a transformation gets it; its Source or Sink method leads to the whole.
func Record(raw json.RawMessage) *connect.Record {
	r := decode[rawRecord](raw)
	rec := connect.Record{
		Topic:       r.Topic,
		KeySchema:   Schema(r.KeySchema),
		ValueSchema: Schema(r.ValueSchema),
		Headers:     headers(r.Headers),
	}
	rec.Key = Value(r.Key, rec.KeySchema)
	rec.Value = Value(r.Value, rec.ValueSchema)
	if r.Partition != nil {
		rec.Partition = connect.ToPartition(*r.Partition)
	}
	if r.Timestamp != nil {
		rec.Timestamp = time.UnixMilli(must(strconv.ParseInt(*r.Timestamp, 10, 64))).UTC()
	}
	if r.Kind == "source" {
		source := &connect.SourceRecord{Record: rec, SourcePartition: fields(r.SourcePartition)}
		if offset := fields(r.SourceOffset); offset != nil {
			source.SourceOffset = offset
		}
		return source.Base()
	}
	partition, _ := rec.Partition.Get()
	sink := &connect.SinkRecord{Record: rec, Origin: connect.TopicPartition{Topic: rec.Topic, Partition: partition}}
	if r.Offset != "" {
		sink.Offset = must(strconv.ParseInt(r.Offset, 10, 64))
	}
	if r.OriginalTopic != nil {
		sink.Origin.Topic = *r.OriginalTopic
	}
	if r.OriginalPartition != nil {
		sink.Origin.Partition = *r.OriginalPartition
	}
	switch strings.ReplaceAll(strings.ToLower(r.TimestampType), "_", "") {
	case "createtime":
		sink.TimestampType = connect.CreateTime
	case "logappendtime":
		sink.TimestampType = connect.LogAppendTime
	}
	return sink.Base()
}

// Headers returns the headers of a list.
func Headers(raw json.RawMessage) connect.Headers {
	if null(raw) {
		return nil
	}
	return headers(decode[[]rawHeader](raw))
}

func headers(raw []rawHeader) connect.Headers {
	var list connect.Headers
	for _, h := range raw {
		s := Schema(h.Schema)
		list = append(list, connect.Header{Key: h.Key, Schema: s, Value: Value(h.Value, s)})
	}
	return list
}

// fields returns plain JSON as a source partition or offset: whole numbers as int64, others as float64.
func fields(raw map[string]json.RawMessage) connect.Fields {
	if raw == nil {
		return nil
	}
	f := connect.Fields{}
	for k, v := range raw {
		switch e := decode[any](v).(type) {
		case float64:
			if e == math.Trunc(e) && math.Abs(e) < 1<<53 {
				f[k] = int64(e)
			} else {
				f[k] = e
			}
		default:
			f[k] = e
		}
	}
	return f
}

// DiffHeaders compares headers with the expected list.
func DiffHeaders(want json.RawMessage, got connect.Headers) error {
	var w []rawHeader
	if !null(want) {
		w = decode[[]rawHeader](want)
	}
	if len(w) != len(got) {
		return fmt.Errorf("%d headers, expected %d: %.300s", len(got), len(w), want)
	}
	for i, h := range w {
		if got[i].Key != h.Key {
			return fmt.Errorf("header %d is %q, expected %q", i, got[i].Key, h.Key)
		}
		if err := DiffSchema(h.Schema, got[i].Schema); err != nil {
			return fmt.Errorf("header %s: %w", h.Key, err)
		}
		if err := DiffValue(h.Value, got[i].Value, got[i].Schema); err != nil {
			return fmt.Errorf("header %s: %w", h.Key, err)
		}
	}
	return nil
}

// DiffResult compares the outcome of a transformation of the record in with the expected one: {"changed":{…}},
// {"unchanged":true} or {"dropped":true}. A dropped record is nil.
func DiffResult(in, want json.RawMessage, got *connect.Record) error {
	w := decode[struct {
		Changed   map[string]json.RawMessage
		Unchanged bool
		Dropped   bool
	}](want)
	if w.Dropped || got == nil {
		if !w.Dropped || got != nil {
			return fmt.Errorf("record dropped: %v, expected %v", got == nil, w.Dropped)
		}
		return nil
	}
	all := decode[map[string]json.RawMessage](in)
	for name, v := range w.Changed {
		all[name] = v
	}
	for _, m := range []struct {
		name string
		diff func(json.RawMessage) error
	}{
		{"topic", func(w json.RawMessage) error { return same(text(w), got.Topic) }},
		{"partition", func(w json.RawMessage) error {
			if null(w) {
				return same("null", got.Partition.String())
			}
			return same(string(w), got.Partition.String())
		}},
		{"keySchema", func(w json.RawMessage) error { return DiffSchema(w, got.KeySchema) }},
		{"key", func(w json.RawMessage) error { return DiffValue(w, got.Key, got.KeySchema) }},
		{"valueSchema", func(w json.RawMessage) error { return DiffSchema(w, got.ValueSchema) }},
		{"value", func(w json.RawMessage) error { return DiffValue(w, got.Value, got.ValueSchema) }},
		{"timestamp", func(w json.RawMessage) error {
			if null(w) || got.Timestamp.IsZero() {
				return same(null(w), got.Timestamp.IsZero())
			}
			return same(text(w), strconv.FormatInt(got.Timestamp.UnixMilli(), 10))
		}},
		{"headers", func(w json.RawMessage) error { return DiffHeaders(w, got.Headers) }},
	} {
		if err := m.diff(all[m.name]); err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
	}
	return diffOrigin(in, w.Changed, got)
}

// diffOrigin compares where a sink record was consumed, and with what timestamp type. The expectation names the origin
// only where it differs from the record's topic and partition.
func diffOrigin(in json.RawMessage, changed map[string]json.RawMessage, got *connect.Record) error {
	sink, before := got.Sink(), Record(in).Sink()
	if (sink == nil) != (before == nil) {
		return fmt.Errorf("sink record: %v, expected %v", sink != nil, before != nil)
	}
	if sink == nil {
		return nil
	}
	if sink.Origin != before.Origin || sink.Offset != before.Offset || sink.TimestampType != before.TimestampType {
		return fmt.Errorf("consumed at %v %d %v, expected %v %d %v", sink.Origin, sink.Offset, sink.TimestampType,
			before.Origin, before.Offset, before.TimestampType)
	}
	if w, ok := changed["originalTopic"]; ok && !null(w) {
		return same(text(w), sink.Origin.Topic)
	}
	return nil
}

func same[T comparable](want, got T) error {
	if want != got {
		return fmt.Errorf("is %v, expected %v", got, want)
	}
	return nil
}
