// Package vec reads and compares the typed values, schemas, records and errors of the data plane vectors; their form is
// described in conformance/data/README.md. It serves tests only: what is malformed makes it panic.
package vec

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"strconv"
	"time"

	"github.com/gokconnect/connect"
)

// Java is a value of a Java class that Connect's data model lacks. Code under test must refuse it.
type Java struct{ Class, Text string }

// String returns what the object's toString gave.
func (j Java) String() string { return j.Text }

// Class is the value of a configuration key of type CLASS.
type Class string

type rawSchema struct {
	Type        string          `json:"type"`
	Optional    bool            `json:"optional"`
	Name        *string         `json:"name"`
	Version     *int32          `json:"version"`
	Doc         *string         `json:"doc"`
	Parameters  json.RawMessage `json:"parameters"`
	Default     json.RawMessage `json:"default"`
	Fields      []rawField      `json:"fields"`
	KeySchema   json.RawMessage `json:"keySchema"`
	ValueSchema json.RawMessage `json:"valueSchema"`
	Builder     bool            `json:"builder"`
}

type rawField struct {
	Name   string          `json:"name"`
	Schema json.RawMessage `json:"schema"`
}

type rawValue struct {
	T      string          `json:"t"`
	V      json.RawMessage `json:"v"`
	UTF16  *string         `json:"utf16"`
	Order  string          `json:"order"`
	Schema json.RawMessage `json:"schema"`
	Scale  int32           `json:"scale"`
	Class  string          `json:"class"`
}

// null reports whether the member is absent or null.
func null(raw json.RawMessage) bool {
	raw = bytes.TrimSpace(raw)
	return len(raw) == 0 || bytes.Equal(raw, []byte("null"))
}

func decode[T any](raw json.RawMessage) T {
	var v T
	if err := json.Unmarshal(raw, &v); err != nil {
		panic(fmt.Sprintf("vec: %v in %.200s", err, raw))
	}
	return v
}

// Schema returns the schema; nil for null.
func Schema(raw json.RawMessage) *connect.Schema {
	if null(raw) {
		return nil
	}
	r := decode[rawSchema](raw)
	t, ok := connect.ParseType(r.Type)
	if !ok {
		panic(fmt.Sprintf("vec: no such type: %.200s", raw))
	}
	var b *connect.SchemaBuilder
	switch {
	case t == connect.TypeArray && !null(r.ValueSchema):
		b = connect.NewArray(Schema(r.ValueSchema))
	case t == connect.TypeMap && !null(r.ValueSchema):
		b = connect.NewMap(Schema(r.KeySchema), Schema(r.ValueSchema))
	default:
		b = connect.NewSchema(t)
	}
	if r.Optional {
		b.Optional()
	}
	if r.Name != nil {
		b.Name(*r.Name)
	}
	if r.Version != nil {
		b.Version(*r.Version)
	}
	if r.Doc != nil {
		b.Doc(*r.Doc)
	}
	for _, p := range members(r.Parameters) {
		b.Parameter(p.name, text(p.value))
	}
	for _, f := range r.Fields {
		b.Field(f.Name, Schema(f.Schema))
	}
	if !null(r.Default) {
		self, err := b.Build()
		if err != nil {
			panic(fmt.Sprintf("vec: %v in %.200s", err, raw))
		}
		b.Default(Value(r.Default, self))
	}
	s, err := b.Build()
	if err != nil {
		panic(fmt.Sprintf("vec: %v in %.200s", err, raw))
	}
	return s
}

// Value returns the value. declared is the schema that stands next to it, or nil.
func Value(raw json.RawMessage, declared *connect.Schema) any {
	if null(raw) {
		return nil
	}
	r := decode[rawValue](raw)
	switch r.T {
	case "boolean":
		return decode[bool](r.V)
	case "int8":
		return decode[int8](r.V)
	case "int16":
		return decode[int16](r.V)
	case "int32":
		return decode[int32](r.V)
	case "int64":
		n, err := strconv.ParseInt(decode[string](r.V), 10, 64)
		return must(n, err)
	case "float32":
		f, err := strconv.ParseFloat(decode[string](r.V), 32)
		return float32(must(f, err))
	case "float64":
		f, err := strconv.ParseFloat(decode[string](r.V), 64)
		return must(f, err)
	case "string":
		if r.UTF16 != nil {
			return utf16Text(*r.UTF16)
		}
		return decode[string](r.V)
	case "bytes":
		b, err := base64.StdEncoding.DecodeString(decode[string](r.V))
		return must(b, err)
	case "array":
		list := []any{}
		for _, e := range decode[[]json.RawMessage](r.V) {
			list = append(list, Value(e, elementSchema(declared)))
		}
		return list
	case "map":
		m := connect.NewMapValue(0)
		for _, e := range decode[[][2]json.RawMessage](r.V) {
			m.Set(Value(e[0], keySchema(declared)), Value(e[1], elementSchema(declared)))
		}
		return m
	case "struct":
		return structValue(r, declared)
	case "decimal":
		d, err := connect.ParseDecimal(decode[string](r.V))
		if must(d, err); d.Scale != r.Scale {
			panic(fmt.Sprintf("vec: %s has scale %d, expected %d", r.V, d.Scale, r.Scale))
		}
		return d
	case "date":
		n, err := strconv.ParseInt(decode[string](r.V), 10, 64)
		return time.UnixMilli(must(n, err)).UTC()
	case "bigint":
		n, ok := new(big.Int).SetString(decode[string](r.V), 10)
		if !ok {
			panic(fmt.Sprintf("vec: not a number: %s", r.V))
		}
		return n
	case "password":
		return connect.NewPassword(decode[string](r.V))
	case "class":
		return Class(decode[string](r.V))
	case "java":
		return Java{r.Class, decode[string](r.V)}
	}
	panic(fmt.Sprintf("vec: no such type of value: %.200s", raw))
}

func structValue(r rawValue, declared *connect.Schema) *connect.Struct {
	s := declared
	if name := text(r.Schema); name != "declared" && name != "self" {
		s = Schema(r.Schema)
	}
	if s == nil || s.Type() != connect.TypeStruct {
		panic(fmt.Sprintf("vec: a struct of the schema %v", s))
	}
	values := make([]any, len(s.Fields()))
	for _, e := range decode[[][2]json.RawMessage](r.V) {
		f, ok := s.Field(decode[string](e[0]))
		if !ok {
			panic(fmt.Sprintf("vec: no field %s in %v", e[0], s))
		}
		values[f.Index] = Value(e[1], f.Schema)
	}
	return connect.StructOf(s, values...)
}

// SchemaAndValue returns the members schema and value of an object.
func SchemaAndValue(raw json.RawMessage) connect.SchemaAndValue {
	r := decode[struct{ Schema, Value json.RawMessage }](raw)
	s := Schema(r.Schema)
	return connect.SchemaAndValue{Schema: s, Value: Value(r.Value, s)}
}

// Bytes returns the raw bytes of an object, from its member bytes or bytesText; nil for null.
func Bytes(raw json.RawMessage) []byte {
	r := decode[struct {
		Bytes     *string `json:"bytes"`
		BytesText *string `json:"bytesText"`
	}](raw)
	switch {
	case r.BytesText != nil:
		return []byte(*r.BytesText)
	case r.Bytes != nil:
		b, err := base64.StdEncoding.DecodeString(*r.Bytes)
		return must(b, err)
	}
	return nil
}

// Config returns the member config of an object, with the keys whose value is null left out, as plugins see it.
func Config(raw json.RawMessage) connect.Config {
	cfg := connect.Config{}
	for k, v := range decode[struct{ Config map[string]*string }](raw).Config {
		if v != nil {
			cfg[k] = *v
		}
	}
	return cfg
}

func elementSchema(s *connect.Schema) *connect.Schema {
	if s == nil {
		return nil
	}
	return s.Value()
}

func keySchema(s *connect.Schema) *connect.Schema {
	if s == nil {
		return nil
	}
	return s.Key()
}

type member struct {
	name  string
	value json.RawMessage
}

// members returns the members of an object in order.
func members(raw json.RawMessage) []member {
	if null(raw) {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	must(d.Token())
	var list []member
	for d.More() {
		m := member{name: must(d.Token()).(string)}
		if err := d.Decode(&m.value); err != nil {
			panic(fmt.Sprintf("vec: %v in %.200s", err, raw))
		}
		list = append(list, m)
	}
	return list
}

// text returns the string, or "" for anything else.
func text(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(fmt.Sprintf("vec: %v", err))
	}
	return v
}
