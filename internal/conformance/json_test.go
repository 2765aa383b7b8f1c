package conformance_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/conformance"
	"github.com/gokconnect/connect/internal/conformance/vec"
	"github.com/gokconnect/connect/internal/connconfig"
	"github.com/gokconnect/connect/plugin/jsonconv"
)

// jsonCase is the input of a case of JsonConverter.
type jsonCase struct {
	Topic  string  `json:"topic"`
	Header *string `json:"header"` // as a header converter
	IsKey  *bool   `json:"isKey"`
	Schema json.RawMessage
	Value  json.RawMessage
}

func readJSONCase(t *testing.T, c conformance.Case) jsonCase {
	t.Helper()
	var in jsonCase
	if err := json.Unmarshal(c.In, &in); err != nil {
		t.Fatal(err)
	}
	return in
}

func TestJSONFrom(t *testing.T) {
	for _, pattern := range []string{"data/json/from.jsonl", "data/json/schema-content.jsonl", "data/json/header.jsonl"} {
		vec.Run(t, pattern, func(t *testing.T, c conformance.Case) {
			if !bytes.Contains(c.In, []byte(`"value"`)) {
				return // the other direction
			}
			in := readJSONCase(t, c)
			sv := vec.SchemaAndValue(c.In)
			b, err := fromJSONCase(t, c, in, sv)
			vec.CheckError(t, c.Error, err)
			if c.Error == nil {
				if err := vec.DiffBytes(c.Out, b); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

func fromJSONCase(t *testing.T, c conformance.Case, in jsonCase, sv connect.SchemaAndValue) ([]byte, error) {
	if in.Header != nil {
		h, err := jsonconv.HeaderPlugin().New(vec.Config(c.In))
		if err != nil {
			return nil, err
		}
		return h.FromConnectHeader(t.Context(), in.Topic, *in.Header, sv.Schema, sv.Value)
	}
	conv, err := jsonconv.Plugin().New(vec.Config(c.In), connect.ValueRole)
	if err != nil {
		return nil, err
	}
	b, err := conv.FromConnect(t.Context(), in.Topic, nil, sv.Schema, sv.Value)
	if err != nil {
		return nil, err
	}
	// Appending gives the same, behind what is there.
	out, null, err := conv.(connect.AppendConverter).AppendFromConnect(t.Context(), []byte("x"), in.Topic, nil, sv.Schema, sv.Value)
	if err != nil || null != (b == nil) || string(out) != "x"+string(b) {
		t.Errorf("AppendFromConnect: %q, %v, %v; FromConnect: %q", out, null, err, b)
	}
	return b, nil
}

func TestJSONTo(t *testing.T) {
	for _, pattern := range []string{"data/json/to.jsonl", "data/json/schema-content.jsonl", "data/json/header.jsonl"} {
		vec.Run(t, pattern, func(t *testing.T, c conformance.Case) {
			if bytes.Contains(c.In, []byte(`"value":`)) {
				return // the other direction
			}
			in := readJSONCase(t, c)
			got, err := toJSONCase(t, c, in)
			vec.CheckError(t, c.Error, err)
			if c.Error != nil || err != nil || bytes.Equal(c.Out, []byte(`{"ok":true}`)) {
				return
			}
			if err := vec.DiffSchemaAndValue(c.Out, got); err != nil {
				t.Error(err)
			}
		})
	}
}

func toJSONCase(t *testing.T, c conformance.Case, in jsonCase) (sv connect.SchemaAndValue, err error) {
	b := vec.Bytes(c.In)
	if in.Header != nil {
		h, err := jsonconv.HeaderPlugin().New(vec.Config(c.In))
		if err != nil {
			return sv, err
		}
		return h.ToConnectHeader(t.Context(), in.Topic, *in.Header, b)
	}
	conv, err := jsonconv.Plugin().New(vec.Config(c.In), connect.ValueRole)
	if err != nil {
		return sv, err
	}
	sv, err = conv.ToConnect(t.Context(), in.Topic, nil, b)
	if err != nil {
		return sv, err
	}
	// The second time the schema is known.
	again, err := conv.ToConnect(t.Context(), in.Topic, nil, b)
	if err != nil || !again.Schema.Equal(sv.Schema) || !connect.EqualValues(again.Value, sv.Value) {
		t.Errorf("the second time it is %v %v, %v", again.Schema, again.Value, err)
	}
	return again, nil
}

func TestJSONConfig(t *testing.T) {
	vec.Run(t, "data/json/config.jsonl", func(t *testing.T, c conformance.Case) {
		var raw struct{ Config map[string]*string }
		if err := json.Unmarshal(c.In, &raw); err != nil {
			t.Fatal(err)
		}
		in := readJSONCase(t, c)
		err := refuseNulls(raw.Config)
		switch {
		case err != nil:
		case in.IsKey == nil:
			_, err = jsonconv.HeaderPlugin().New(vec.Config(c.In))
		case *in.IsKey:
			_, err = jsonconv.Plugin().New(vec.Config(c.In), connect.KeyRole)
		default:
			_, err = jsonconv.Plugin().New(vec.Config(c.In), connect.ValueRole)
		}
		vec.CheckError(t, c.Error, err)
	})
}

// refuseNulls fails for a null, as the validation of a connector does before a converter is made.
func refuseNulls(cfg map[string]*string) error {
	given := map[string]*string{"name": new("c"), "connector.class": new("FileStreamSource"), "topic": new("t"), "value.converter": new("JsonConverter")}
	for key, v := range cfg {
		if v == nil {
			given["value.converter."+key] = nil
		}
	}
	result, err := connconfig.Validate(context.Background(), kafkaRegistry(), connconfig.Worker{
		KeyConverter: connconfig.ConverterChoice{Class: "JsonConverter"}, ValueConverter: connconfig.ConverterChoice{Class: "JsonConverter"},
		HeaderConverter: connconfig.ConverterChoice{Class: "SimpleHeaderConverter"},
	}, given)
	if err != nil {
		return err
	}
	for _, message := range result.Errors() {
		err = errors.Join(err, errors.New(message))
	}
	return err
}
