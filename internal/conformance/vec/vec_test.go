package vec

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/conformance"
)

const point = `{"type":"struct","name":"Point","version":2,"doc":"d","parameters":{"a":"1","b":"2"},"fields":[` +
	`{"name":"x","schema":{"type":"int32"}},{"name":"y","schema":{"type":"float64","optional":true,"default":{"t":"float64","v":"1.5"}}}]}`

func TestDiffSchema(t *testing.T) {
	got := Schema(json.RawMessage(point))
	if err := DiffSchema(json.RawMessage(point), got); err != nil {
		t.Fatal(err)
	}
	for _, change := range [][2]string{
		{`"struct"`, `"array"`}, {`"Point"`, `"point"`}, {`"version":2`, `"version":3`}, {`"doc":"d"`, `"doc":""`}, {`,"doc":"d"`, ``},
		{`"a":"1"`, `"a":"2"`}, {`"a":"1",`, ``}, {`"x"`, `"z"`}, {`int32`, `int64`}, {`,"optional":true`, ``}, {`"1.5"`, `"1.25"`},
	} {
		want := strings.Replace(point, change[0], change[1], 1)
		if want == point {
			t.Fatalf("%s is not there", change[0])
		}
		if DiffSchema(json.RawMessage(want), got) == nil {
			t.Errorf("%s is taken for %s", change[0], change[1])
		}
	}
	if DiffSchema(nil, got) == nil || DiffSchema(json.RawMessage(point), nil) == nil || DiffSchema(json.RawMessage("null"), nil) != nil {
		t.Error("null")
	}
}

func TestDiffValue(t *testing.T) {
	values := []string{
		`null`, `{"t":"boolean","v":true}`, `{"t":"int8","v":1}`, `{"t":"int16","v":1}`, `{"t":"int32","v":1}`, `{"t":"int64","v":"1"}`,
		`{"t":"bigint","v":"1"}`, `{"t":"float32","v":"1.0"}`, `{"t":"float64","v":"1.0"}`, `{"t":"float64","v":"NaN"}`,
		`{"t":"float64","v":"0.0"}`, `{"t":"float64","v":"-0.0"}`, `{"t":"string","v":"1"}`, `{"t":"bytes","v":"AQ=="}`, `{"t":"bytes","v":""}`,
		`{"t":"array","v":[]}`, `{"t":"array","v":[null]}`, `{"t":"map","v":[]}`,
		`{"t":"map","v":[[{"t":"string","v":"a"},null],[{"t":"string","v":"b"},null]]}`,
		`{"t":"map","v":[[{"t":"string","v":"b"},null],[{"t":"string","v":"a"},null]]}`,
		`{"t":"decimal","v":"1.0","scale":1}`, `{"t":"decimal","v":"1.00","scale":2}`, `{"t":"date","v":"1"}`,
		`{"t":"password","v":"1"}`, `{"t":"class","v":"1"}`, `{"t":"java","class":"java.lang.Character","v":"1"}`,
		`{"t":"struct","schema":` + point + `,"v":[["x",{"t":"int32","v":1}],["y",null]]}`,
		`{"t":"struct","schema":` + point + `,"v":[["x",null],["y",null]]}`,
	}
	for i, want := range values {
		for j, other := range values {
			err := DiffValue(json.RawMessage(want), Value(json.RawMessage(other), nil), nil)
			if (err == nil) != (i == j) {
				t.Errorf("%s against %s: %v", want, other, err)
			}
		}
	}
	hash := strings.Replace(values[18], `"t":"map"`, `"t":"map","order":"hash"`, 1)
	if err := DiffValue(json.RawMessage(hash), Value(json.RawMessage(values[19]), nil), nil); err != nil {
		t.Errorf("the order of a HashMap counts: %v", err)
	}
}

func TestDiffError(t *testing.T) {
	kafka := func(class, message string) *conformance.Error {
		return &conformance.Error{Class: "org.apache.kafka.connect.errors." + class, Message: message}
	}
	cause := &connect.DataError{Message: "a", Err: errors.New("b")}
	for _, test := range []struct {
		want *conformance.Error
		err  error
		same bool
	}{
		{nil, nil, true}, {nil, cause, false}, {kafka("DataException", "a"), nil, false},
		{kafka("DataException", "a"), cause, true}, {kafka("DataException", "a: b"), cause, false},
		{kafka("DataException", "a"), fmt.Errorf("a"), false}, {kafka("ConnectException", "a"), fmt.Errorf("a"), true},
		{kafka("SchemaBuilderException", "a"), cause, false},
		{kafka("SchemaBuilderException", "a"), &connect.SchemaBuilderError{Data: *cause}, true},
		{kafka("RetriableException", "x"), connect.Retriable(errors.New("x")), true},
		{kafka("RetriableException", "x"), errors.New("x"), false},
		{&conformance.Error{Class: "java.lang.NullPointerException", Message: "x"}, errors.New("y"), true},
		{kafka("DataException", "The value [B@<hash> is bad"), connect.DataErrorf("The value [B@1f is bad"), true},
		{kafka("DataException", "class java.nio.HeapByteBuffer for value"), connect.DataErrorf("class [B for value"), true},
	} {
		if err := DiffError(test.want, test.err); (err == nil) != test.same {
			t.Errorf("%+v against %v: %v", test.want, test.err, err)
		}
	}
}

func TestDiffResult(t *testing.T) {
	in := json.RawMessage(`{"kind":"sink","topic":"t","partition":3,"value":{"t":"int32","v":1},"timestamp":"5","offset":"42","timestampType":"CREATE_TIME"}`)
	for i, test := range []struct {
		want   string
		change func(*connect.Record) *connect.Record
		same   bool
	}{
		{`{"unchanged":true}`, func(r *connect.Record) *connect.Record { return r }, true},
		{`{"unchanged":true}`, func(r *connect.Record) *connect.Record { r.Topic = "u"; return r }, false},
		{`{"changed":{"topic":"u"}}`, func(r *connect.Record) *connect.Record { r.Topic = "u"; return r }, true},
		{`{"changed":{"topic":"u","originalTopic":"t"}}`, func(r *connect.Record) *connect.Record { r.Topic = "u"; return r }, true},
		{`{"changed":{"value":null}}`, func(r *connect.Record) *connect.Record { r.Value = nil; return r }, true},
		{`{"unchanged":true}`, func(r *connect.Record) *connect.Record { r.Value = int64(1); return r }, false},
		{`{"unchanged":true}`, func(r *connect.Record) *connect.Record { r.Sink().Offset++; return r }, false},
		{`{"unchanged":true}`, func(r *connect.Record) *connect.Record { r.Headers.AddString("k", "v"); return r }, false},
		{`{"dropped":true}`, func(*connect.Record) *connect.Record { return nil }, true},
		{`{"dropped":true}`, func(r *connect.Record) *connect.Record { return r }, false},
		{`{"unchanged":true}`, func(*connect.Record) *connect.Record { return nil }, false},
	} {
		if err := DiffResult(in, json.RawMessage(test.want), test.change(Record(in))); (err == nil) != test.same {
			t.Errorf("%d: %s: %v", i, test.want, err)
		}
	}
}

func TestSkipReason(t *testing.T) {
	for in, skip := range map[string]bool{
		`{"value":{"t":"string","utf16":"d83d"}}`: true, `{"value":{"t":"string","v":"x"}}`: false,
		`{"ops":[["a",{"t":"java","class":"C","v":""}]]}`:                 true,
		`{"v":{"t":"bytes","v":"","buffer":true}}`:                        false,
		`{"v":{"t":"bytes","v":"","buffer":true,"position":1,"limit":1}}`: true,
	} {
		if got := SkipReason(conformance.Case{ID: "x", In: json.RawMessage(in)}); (got != "") != skip {
			t.Errorf("%s: %q", in, got)
		}
	}
}
