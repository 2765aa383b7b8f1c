package conformance_test

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the zones of the cases, wherever the test runs

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/conformance"
	"github.com/gokconnect/connect/internal/conformance/vec"
	"github.com/gokconnect/connect/internal/values"
)

// valuesIn is the input of the cases below data/values.
type valuesIn struct {
	Zone   string          `json:"zone"`
	To     string          `json:"to"`
	Text   json.RawMessage `json:"text"`
	Schema json.RawMessage `json:"schema"`
	Value  json.RawMessage `json:"value"`
	Topic  string          `json:"topic"`
	Header string          `json:"header"`
}

func decodeValues(t *testing.T, c conformance.Case) valuesIn {
	t.Helper()
	var in valuesIn
	if err := json.Unmarshal(c.In, &in); err != nil {
		t.Fatal(err)
	}
	return in
}

func TestValuesParse(t *testing.T) {
	vec.Run(t, "data/values/parse*.jsonl", func(t *testing.T, c conformance.Case) {
		checkParse(t, values.New(time.UTC), decodeValues(t, c), c)
	})
}

func checkParse(t *testing.T, codec *values.Codec, in valuesIn, c conformance.Case) {
	t.Helper()
	var sv connect.SchemaAndValue
	var err error
	if text, ok := vec.Value(in.Text, nil).(string); ok { // a null text is null
		sv, err = codec.Parse(text)
	}
	vec.CheckError(t, c.Error, err)
	if c.Error != nil || err != nil {
		return
	}
	out := c.Out
	if string(out) == "null" {
		out = json.RawMessage(`{"schema":null,"value":null}`)
	}
	if err := vec.DiffSchemaAndValue(out, sv); err != nil {
		t.Error(err)
	}
}

func TestValuesToString(t *testing.T) {
	vec.Run(t, "data/values/tostring*.jsonl", func(t *testing.T, c conformance.Case) {
		checkToString(t, values.New(time.UTC), decodeValues(t, c), c)
	})
}

func checkToString(t *testing.T, codec *values.Codec, in valuesIn, c conformance.Case) {
	t.Helper()
	text, null, err := codec.ConvertToString(vec.Value(in.Value, vec.Schema(in.Schema)))
	vec.CheckError(t, c.Error, err)
	if c.Error != nil || err != nil {
		return
	}
	var got any
	if !null {
		got = text
	}
	checkValue(t, c.Out, got)
}

func checkValue(t *testing.T, out json.RawMessage, got any) {
	t.Helper()
	var want struct{ Value json.RawMessage }
	if err := json.Unmarshal(out, &want); err != nil {
		t.Fatal(err)
	}
	if err := vec.DiffValue(want.Value, got, nil); err != nil {
		t.Error(err)
	}
}

func TestValuesInferSchema(t *testing.T) {
	vec.Run(t, "data/values/infer*.jsonl", func(t *testing.T, c conformance.Case) {
		in := decodeValues(t, c)
		s, err := values.InferSchema(vec.Value(in.Value, nil))
		vec.CheckError(t, c.Error, err)
		if c.Error != nil || err != nil {
			return
		}
		var want struct{ Schema json.RawMessage }
		if err := json.Unmarshal(c.Out, &want); err != nil {
			t.Fatal(err)
		}
		if err := vec.DiffSchema(want.Schema, s); err != nil {
			t.Error(err)
		}
	})
}

func TestValuesConvert(t *testing.T) {
	vec.Run(t, "data/values/convert*.jsonl", func(t *testing.T, c conformance.Case) {
		checkConvert(t, values.New(time.UTC), decodeValues(t, c), c)
	})
}

// target returns the schema that a case converts to.
func target(t *testing.T, name string) *connect.Schema {
	t.Helper()
	switch name {
	case "list":
		return connect.NewSchema(connect.TypeArray).MustBuild()
	case "map":
		return connect.NewSchema(connect.TypeMap).MustBuild()
	case "time":
		return connect.TimeSchema
	case "date":
		return connect.DateSchema
	case "timestamp":
		return connect.TimestampSchema
	}
	if scale, ok := strings.CutPrefix(name, "decimal-scale-"); ok {
		n, err := strconv.ParseInt(scale, 10, 32)
		if err != nil {
			t.Fatal(err)
		}
		return connect.DecimalSchema(int32(n))
	}
	typ, ok := connect.ParseType(name)
	if !ok {
		t.Fatalf("unknown target %q", name)
	}
	return connect.NewSchema(typ).MustBuild()
}

func checkConvert(t *testing.T, codec *values.Codec, in valuesIn, c conformance.Case) {
	t.Helper()
	from := vec.Schema(in.Schema)
	got, err := codec.Convert(target(t, in.To), from, vec.Value(in.Value, from))
	vec.CheckError(t, c.Error, err)
	if c.Error == nil && err == nil {
		checkValue(t, c.Out, got)
	}
}

func TestValuesTimeZone(t *testing.T) {
	vec.Run(t, "data/values/timezone*.jsonl", func(t *testing.T, c conformance.Case) {
		in := decodeValues(t, c)
		loc, err := time.LoadLocation(in.Zone)
		if err != nil {
			t.Fatal(err)
		}
		codec := values.New(loc)
		switch {
		case in.To != "":
			checkConvert(t, codec, in, c)
		case in.Text != nil:
			checkParse(t, codec, in, c)
		default:
			checkToString(t, codec, in, c)
		}
	})
}

func TestSimpleHeaderConverter(t *testing.T) {
	converter, err := values.SimpleHeaderConverter().New(nil)
	if err != nil {
		t.Fatal(err)
	}
	vec.Run(t, "data/values/simpleheader*.jsonl", func(t *testing.T, c conformance.Case) {
		in := decodeValues(t, c)
		if in.Schema == nil && in.Value == nil {
			sv, err := converter.ToConnectHeader(t.Context(), in.Topic, in.Header, vec.Bytes(c.In))
			vec.CheckError(t, c.Error, err)
			if c.Error == nil && err == nil {
				out := c.Out
				if string(out) == "null" {
					out = json.RawMessage(`{"schema":null,"value":null}`)
				}
				if err := vec.DiffSchemaAndValue(out, sv); err != nil {
					t.Error(err)
				}
			}
			return
		}
		s := vec.Schema(in.Schema)
		b, err := converter.FromConnectHeader(t.Context(), in.Topic, in.Header, s, vec.Value(in.Value, s))
		vec.CheckError(t, c.Error, err)
		if c.Error == nil && err == nil {
			if err := vec.DiffBytes(c.Out, b); err != nil {
				t.Error(err)
			}
		}
	})
}
