package connect

import (
	"context"
	"testing"
	"time"
)

// order is a struct as connectors send it: flat, but for a list and a map.
func order() (*Schema, *Struct) {
	s := NewStruct("com.acme.Order").
		Field("id", Int64Schema).
		Field("customer", StringSchema).
		Field("note", OptionalStringSchema).
		Field("paid", BooleanSchema).
		Field("total", DecimalSchema(2)).
		Field("placed", TimestampSchema).
		Field("tags", NewArray(StringSchema).MustBuild()).
		Field("attributes", NewMap(StringSchema, Int32Schema).MustBuild()).
		MustBuild()
	return s, StructOf(s, int64(1_000_000), "Ada", nil, true, NewDecimal(9999, 2), time.UnixMilli(1700000000000).UTC(),
		[]any{"new", "gift"}, MapOf(Entry{"weight", int32(1200)}, Entry{"parcels", int32(2)}))
}

func TestValidateAllocations(t *testing.T) {
	s, v := order()
	if n := testing.AllocsPerRun(100, func() {
		if err := s.Validate(v); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("a valid value costs %v allocations", n)
	}
}

func BenchmarkValidate(b *testing.B) {
	s, v := order()
	b.ReportAllocs()
	for b.Loop() {
		if err := s.Validate(v); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkProject(b *testing.B) {
	s, v := order()
	target := NewStruct("com.acme.Order").Field("customer", StringSchema).Field("id", Float64Schema).
		Field("state", NewSchema(TypeString).Default("open").MustBuild()).MustBuild()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Project(s, v, target); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkStringConverter(b *testing.B) {
	ctx := context.Background()
	var c StringConverter
	text := any("a line of a file, about as long as lines of a log use to be: a hundred bytes or so, not many more.")
	_, st := order()
	for _, bench := range []struct {
		name  string
		value any
	}{{"text", text}, {"long", any(int64(1234567890123))}, {"double", any(1234.5678)}, {"struct", any(st)}} {
		b.Run("append/"+bench.name, func(b *testing.B) {
			buf := make([]byte, 0, 1024)
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := c.AppendFromConnect(ctx, buf[:0], "t", nil, nil, bench.value); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	bytes := []byte(text.(string))
	b.Run("to", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := c.ToConnect(ctx, "t", nil, bytes); err != nil {
				b.Fatal(err)
			}
		}
	})
}
