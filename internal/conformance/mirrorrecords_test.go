package conformance_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/conformance"
	"github.com/gokconnect/connect/internal/conformance/vec"
	"github.com/gokconnect/connect/plugin/mirror"
	"github.com/twmb/franz-go/pkg/kgo"
)

// vectorFields returns a map of the vectors as the fields of a source partition or offset.
func vectorFields(raw json.RawMessage) connect.Fields {
	m, _ := vec.Value(raw, nil).(*connect.Map)
	if m == nil {
		return nil
	}
	f := connect.Fields{}
	for key, value := range m.All() {
		f[key.(string)] = value
	}
	return f
}

func mirrorUnwrapOffset(t *testing.T, c conformance.Case) {
	var want string
	decodeCase(t, c.Out, &want)
	got, err := mirror.SourceOffset(vectorFields(c.In))
	if (err != nil) != (c.Error != nil) || err == nil && got != parseOffset(t, want) {
		t.Errorf("got %d, %v, want %s, %v", got, err, want, c.Error)
	}
}

// wantFields compares fields with the text of a Java map.
func wantFields(t *testing.T, what string, got connect.Fields, want string) {
	t.Helper()
	var tree any
	decodeCase(t, json.RawMessage(want), &tree)
	sameJSONTree(t, what, got, tree)
}

func mirrorWrap(t *testing.T, c conformance.Case) {
	var in []any
	decodeCase(t, c.In, &in)
	var want struct{ Text, Offset string }
	decodeCase(t, c.Raw, &want)
	r := sourceConfig(t, flowConfig(in[2].(string)+"->B", nil)).SourceRecord(&kgo.Record{Topic: in[0].(string), Partition: int32(in[1].(float64)), Offset: 5})
	wantFields(t, "partition", r.SourcePartition, want.Text)
	wantFields(t, "offset", r.SourceOffset.Fields(), want.Offset)
}

func mirrorConvertRecord(t *testing.T, c conformance.Case) {
	var in struct {
		Topic             string
		Partition         int32
		Offset, Timestamp json.Number
		Key, Value        *[]byte
	}
	decodeCase(t, c.In, &in)
	var want struct {
		Topic                         string
		KafkaPartition                int32
		SourcePartition, SourceOffset string
		Key, Value                    json.RawMessage
		KeySchema, ValueSchema        string
		Timestamp                     json.Number
		Headers                       [][3]json.RawMessage
	}
	decodeCase(t, c.Out, &want)
	offset, _ := in.Offset.Int64()
	ms, _ := in.Timestamp.Int64()
	from := &kgo.Record{Topic: in.Topic, Partition: in.Partition, Offset: offset, Timestamp: time.UnixMilli(ms)}
	if in.Key != nil {
		from.Key = *in.Key
	}
	if in.Value != nil {
		from.Value = *in.Value
	}
	bytesOf := func(raw json.RawMessage) []byte {
		b, _ := vec.Value(raw, nil).([]byte)
		return b
	}
	for _, h := range want.Headers { // the input is not written down: it is what comes out
		var key string
		decodeCase(t, h[0], &key)
		from.Headers = append(from.Headers, kgo.RecordHeader{Key: key, Value: bytesOf(h[1])})
	}
	got := sourceConfig(t, flowConfig("A->B", nil)).SourceRecord(from)
	partition, _ := got.Partition.Get()
	wantMS, _ := want.Timestamp.Int64()
	if got.Topic != want.Topic || partition != want.KafkaPartition || got.Timestamp.UnixMilli() != wantMS {
		t.Errorf("got %s-%d at %v, want %+v", got.Topic, partition, got.Timestamp, want)
	}
	wantFields(t, "partition", got.SourcePartition, want.SourcePartition)
	wantFields(t, "offset", got.SourceOffset.Fields(), want.SourceOffset)
	sameBytes(t, "key", got.Key, bytesOf(want.Key), got.KeySchema, want.KeySchema)
	sameBytes(t, "value", got.Value, bytesOf(want.Value), got.ValueSchema, want.ValueSchema)
	if len(got.Headers) != len(want.Headers) {
		t.Fatalf("got %d headers, want %d", len(got.Headers), len(want.Headers))
	}
	for i, h := range got.Headers {
		var schema string
		decodeCase(t, want.Headers[i][2], &schema)
		sameBytes(t, "header "+h.Key, h.Value, bytesOf(want.Headers[i][1]), h.Schema, schema)
	}
}

func sameBytes(t *testing.T, what string, got any, want []byte, schema *connect.Schema, wantSchema string) {
	t.Helper()
	b, _ := got.([]byte)
	if string(b) != string(want) || (got == nil) != (want == nil) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
	if (wantSchema == "bytes?") != schema.Optional() || schema.Type() != connect.TypeBytes {
		t.Errorf("%s: got the schema %v, want %s", what, schema, wantSchema)
	}
}
