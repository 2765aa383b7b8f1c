package connect_test

import (
	"strings"
	"testing"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/connecttest"
)

// builtinConverter is a built-in converter with values, as a harness.
type builtinConverter struct {
	plugin connect.ConverterPlugin
	header connect.HeaderConverterPlugin
	values []connect.SchemaAndValue
}

func (h builtinConverter) Converter(t testing.TB) connect.Converter {
	c, err := h.plugin.New(connect.Config{}, connect.ValueRole)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (h builtinConverter) HeaderConverter(t testing.TB) connect.HeaderConverter {
	c, err := h.header.New(connect.Config{connect.ConverterType: "header"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (h builtinConverter) Values() []connect.SchemaAndValue { return h.values }

func TestBuiltinConvertersContract(t *testing.T) {
	r := new(connect.Registry).MustAdd(connect.BuiltinConverters()...)
	of := func(s *connect.Schema, values ...any) []connect.SchemaAndValue {
		out := []connect.SchemaAndValue{{}}
		for _, v := range values {
			out = append(out, connect.SchemaAndValue{Schema: s, Value: v}, connect.SchemaAndValue{Value: v})
		}
		return out
	}
	for name, values := range map[string][]connect.SchemaAndValue{
		"StringConverter":    of(connect.StringSchema, "", "a", "ä€😀"),
		"ByteArrayConverter": of(connect.BytesSchema, []byte{}, []byte{0, 255}),
		"BooleanConverter":   of(connect.BooleanSchema, true, false),
		"ShortConverter":     of(connect.Int16Schema, int16(-1), int16(300)),
		"IntegerConverter":   of(connect.Int32Schema, int32(-1), int32(1<<20)),
		"LongConverter":      of(connect.Int64Schema, int64(-1), int64(1<<40)),
		"FloatConverter":     of(connect.Float32Schema, float32(0.5), float32(-1)),
		"DoubleConverter":    of(connect.Float64Schema, 0.5, -1e300),
	} {
		t.Run(strings.TrimSuffix(name, "Converter"), func(t *testing.T) {
			h := builtinConverter{values: values}
			var ok bool
			if h.plugin, ok = r.Converter(name); !ok {
				t.Fatalf("there is no converter %s", name)
			}
			if h.header, ok = r.HeaderConverter(name); !ok {
				t.Fatalf("there is no header converter %s", name)
			}
			connecttest.TestConverter(t, func(testing.TB) connecttest.ConverterHarness { return h })
			t.Run("header", func(t *testing.T) {
				connecttest.TestHeaderConverter(t, func(testing.TB) connecttest.HeaderConverterHarness { return h })
			})
		})
	}
}
