package jsonconv

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/gokconnect/connect"
)

// orderSchema has n fields: a quarter each of texts, int64, float64 and booleans.
func orderSchema(n int) *connect.Schema {
	b := connect.NewStruct("com.acme.Order")
	for i := range n {
		s := []*connect.Schema{connect.StringSchema, connect.Int64Schema, connect.OptionalFloat64Schema, connect.BooleanSchema}[i%4]
		b.Field(fmt.Sprintf("field_%d", i), s)
	}
	return b.MustBuild()
}

func order(s *connect.Schema) *connect.Struct {
	v, _ := connect.NewStructValue(s)
	for _, f := range s.Fields() {
		v = v.With(f.Name, orderValue(f.Index))
	}
	return v
}

func orderValue(i int) any {
	return []any{fmt.Sprintf("some text %d", i), int64(1000000 + i), float64(i) * 1.25, i%8 == 3}[i%4]
}

func orderMap(n int) *connect.Map {
	m := connect.NewMapValue(n)
	for i := range n {
		m.Set(fmt.Sprintf("field_%d", i), orderValue(i))
	}
	return m
}

// envelope is how a Go program would read the same with encoding/json.
type envelope struct {
	Schema  any `json:"schema"`
	Payload any `json:"payload"`
}

func BenchmarkDecodeStruct(b *testing.B) {
	for _, n := range []int{4, 50} {
		doc := mustEncode(b, New(Options{}), orderSchema(n), order(orderSchema(n)))
		c := New(Options{})
		run(b, fmt.Sprintf("fields=%d/connect", n), len(doc), func() error {
			_, err := c.ToConnect(b.Context(), "t", nil, doc)
			return err
		})
		run(b, fmt.Sprintf("fields=%d/encoding-json", n), len(doc), func() error {
			var e envelope
			return json.Unmarshal(doc, &e)
		})
	}
}

func BenchmarkDecodePayloadFirst(b *testing.B) {
	s := orderSchema(4)
	doc := mustEncode(b, New(Options{}), s, order(s))
	var parts struct{ Schema, Payload json.RawMessage }
	if err := json.Unmarshal(doc, &parts); err != nil {
		b.Fatal(err)
	}
	doc = fmt.Appendf(nil, `{"payload":%s,"schema":%s}`, parts.Payload, parts.Schema)
	c := New(Options{})
	run(b, "connect", len(doc), func() error {
		_, err := c.ToConnect(b.Context(), "t", nil, doc)
		return err
	})
}

func BenchmarkDecodeMap(b *testing.B) {
	for _, n := range []int{4, 50} {
		doc := mustEncode(b, New(Options{NoSchemas: true}), nil, orderMap(n))
		c := New(Options{NoSchemas: true})
		run(b, fmt.Sprintf("fields=%d/connect", n), len(doc), func() error {
			_, err := c.ToConnect(b.Context(), "t", nil, doc)
			return err
		})
		run(b, fmt.Sprintf("fields=%d/encoding-json", n), len(doc), func() error {
			var v any
			return json.Unmarshal(doc, &v)
		})
	}
}

func BenchmarkEncodeStruct(b *testing.B) {
	for _, n := range []int{4, 50} {
		s := orderSchema(n)
		v := order(s)
		c := New(Options{})
		doc := mustEncode(b, c, s, v)
		var buf []byte
		run(b, fmt.Sprintf("fields=%d/connect", n), len(doc), func() error {
			var err error
			buf, _, err = c.AppendFromConnect(b.Context(), buf[:0], "t", nil, s, v)
			return err
		})
		// The payload as a map, the schema rendered already, as a fair match.
		var parts struct{ Schema json.RawMessage }
		if err := json.Unmarshal(doc, &parts); err != nil {
			b.Fatal(err)
		}
		m := make(map[string]any, n)
		for _, f := range s.Fields() {
			m[f.Name] = v.At(f.Index)
		}
		run(b, fmt.Sprintf("fields=%d/encoding-json", n), len(doc), func() error {
			_, err := json.Marshal(envelope{parts.Schema, m})
			return err
		})
	}
}

func BenchmarkEncodeMap(b *testing.B) {
	const n = 50
	v := orderMap(n)
	c := New(Options{NoSchemas: true})
	var buf []byte
	run(b, "fields=50/connect", 0, func() error {
		var err error
		buf, _, err = c.AppendFromConnect(b.Context(), buf[:0], "t", nil, nil, v)
		return err
	})
	m := make(map[string]any, n)
	for k, v := range v.All() {
		m[k.(string)] = v
	}
	run(b, "fields=50/encoding-json", 0, func() error {
		_, err := json.Marshal(m)
		return err
	})
}

func run(b *testing.B, name string, size int, f func() error) {
	b.Run(name, func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(size))
		for b.Loop() {
			if err := f(); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func mustEncode(t testing.TB, c *Converter, s *connect.Schema, v any) []byte {
	t.Helper()
	b, err := c.FromConnect(t.Context(), "t", nil, s, v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
