package conformance_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/conformance"
	"github.com/gokconnect/connect/internal/conformance/vec"
)

func TestStruct(t *testing.T) {
	// A slice of a ByteBuffer is as good as its bytes here, but for getBytes, which looks behind it.
	conformance.Run(t, "data/data/struct.jsonl", func(t *testing.T, c conformance.Case) {
		reason := vec.SkipReason(c)
		if reason != "" && reason != vec.ByteBufferSlice {
			t.Skip(reason)
		}
		var in struct {
			Schema json.RawMessage
			Ops    []op
		}
		unmarshal(t, c.In, &in)
		s, err := connect.NewStructValue(vec.Schema(in.Schema))
		vec.CheckError(t, c.Error, err)
		if err != nil || c.Error != nil {
			return
		}
		var out struct{ Results []json.RawMessage }
		unmarshal(t, c.Out, &out)
		for i, o := range in.Ops {
			if reason == vec.ByteBufferSlice && str(t, o[0]) == "getBytes" {
				continue
			}
			if err := structOp(t, s, o, out.Results[i]); err != nil {
				t.Errorf("op %d %s: %v", i, o, err)
			}
		}
	})
}

// structOp runs an operation and says how its outcome differs from the expected one.
func structOp(t *testing.T, s *connect.Struct, o op, result json.RawMessage) error {
	var want struct {
		Value json.RawMessage
		Text  *string
	}
	unmarshal(t, result, &want)
	name := str(t, o[0])
	switch name {
	case "validate":
		return vec.DiffError(vec.Error(result), s.Validate())
	case "toString":
		if want.Text == nil || !vec.MatchText(*want.Text, s.String()) {
			return fmt.Errorf("text is %q, expected %s", s, result)
		}
		return nil
	}
	field := str(t, o[1])
	f, known := s.Schema().Field(field)
	switch name {
	case "put":
		return vec.DiffError(vec.Error(result), s.Put(field, vec.Value(o[2], f.Schema)))
	case "getWithoutDefault":
		if !known {
			_, err := s.Get(field)
			return vec.DiffError(vec.Error(result), err)
		}
		return vec.DiffValue(want.Value, s.RawAt(f.Index), f.Schema)
	}
	v, err := s.Get(field)
	if name != "get" {
		v, err = typedGet(s, name, field)
	}
	if diff := vec.DiffError(vec.Error(result), err); diff != nil || err != nil {
		return diff
	}
	return vec.DiffValue(want.Value, v, f.Schema)
}

func typedGet(s *connect.Struct, name, field string) (any, error) {
	var v any
	var err error
	switch strings.ToLower(strings.TrimPrefix(name, "get")) {
	case "int8":
		v, err = connect.FieldAs[int8](s, field)
	case "int16":
		v, err = connect.FieldAs[int16](s, field)
	case "int32":
		v, err = connect.FieldAs[int32](s, field)
	case "int64":
		v, err = connect.FieldAs[int64](s, field)
	case "float32":
		v, err = connect.FieldAs[float32](s, field)
	case "float64":
		v, err = connect.FieldAs[float64](s, field)
	case "boolean":
		v, err = connect.FieldAs[bool](s, field)
	case "string":
		v, err = connect.FieldAs[string](s, field)
	case "bytes":
		v, err = connect.FieldAs[[]byte](s, field)
	case "array":
		v, err = connect.FieldAs[[]any](s, field)
	case "map":
		v, err = connect.FieldAs[*connect.Map](s, field)
	case "struct":
		v, err = connect.FieldAs[*connect.Struct](s, field)
	default:
		return nil, fmt.Errorf("no such getter: %s", name)
	}
	if err != nil {
		return nil, err
	}
	// Java's typed getters leave defaults out, and give null; ours give the default, or else the zero value.
	f, _ := s.Schema().Field(field)
	if s.RawAt(f.Index) == nil {
		want := f.Schema.Default()
		if want == nil {
			want = reflect.Zero(reflect.TypeOf(v)).Interface()
		}
		if !connect.EqualValues(v, want) {
			return nil, fmt.Errorf("a field that was not set gives %v, expected %v", v, want)
		}
		return nil, nil
	}
	return v, nil
}
