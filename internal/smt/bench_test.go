package smt

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/gokconnect/connect"
)

var registry = sync.OnceValue(func() *connect.Registry { return new(connect.Registry).MustAdd(Plugins()...) })

// newTransformation makes a transformation as a configuration does.
func newTransformation(t testing.TB, class string, cfg connect.Config) connect.Transformation {
	t.Helper()
	p, ok := registry().Transformation(classPrefix + class)
	if !ok {
		t.Fatalf("no transformation %s", class)
	}
	tr, err := p.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// wideRecord returns a record whose value has n fields: a struct or a map. f0 is a number, f1 a text, f2 a time, f3 a
// struct or map of its own, and so on around.
func wideRecord(n int, schemaless bool) *connect.Record {
	inner := connect.NewStruct("Inner").Field("a", connect.Int32Schema).Field("b", connect.OptionalStringSchema).MustBuild()
	b := connect.NewStruct("Wide")
	m := connect.NewMapValue(n)
	var values []any
	for i := range n {
		name := fmt.Sprintf("f%d", i)
		var s *connect.Schema
		var v any
		switch i % 4 {
		case 0:
			s, v = connect.Int64Schema, int64(1_700_000_000_000+i)
		case 1:
			s, v = connect.StringSchema, "some text"
		case 2:
			s, v = connect.TimestampSchema, time.UnixMilli(1_700_000_000_000).UTC()
		case 3:
			s, v = inner, connect.StructOf(inner, int32(i), "b")
		}
		b.Field(name, s)
		values = append(values, v)
		if i%4 == 3 {
			v = connect.MapOf(connect.Entry{Key: "a", Value: int32(i)}, connect.Entry{Key: "b", Value: "b"})
		} else if i%4 == 2 {
			v = int64(i)
		}
		m.Set(name, v)
	}
	r := &connect.SinkRecord{Offset: 42, Record: connect.Record{
		Topic: "orders", Partition: connect.ToPartition(3), Timestamp: time.UnixMilli(1_700_000_000_000).UTC(),
		Headers: connect.Headers{{Key: "trace", Schema: connect.StringSchema, Value: "x"}, {Key: "drop", Value: int32(1)}},
		Value:   m,
	}}
	if !schemaless {
		s := b.MustBuild()
		r.ValueSchema, r.Value = s, connect.StructOf(s, values...)
	}
	return r.Base()
}

var benchmarked = []struct {
	class string
	cfg   connect.Config
}{
	{"Cast$Value", connect.Config{"spec": "f0:int32"}},
	{"Cast$Value", connect.Config{"spec": "f0:string"}},
	{"DropHeaders", connect.Config{"headers": "drop"}},
	{"ExtractField$Value", connect.Config{"field": "f3"}},
	{"ExtractField$Value", connect.Config{"field": "f3.a", "field.syntax.version": "V2"}},
	{"Filter", nil},
	{"Flatten$Value", nil},
	{"HeaderFrom$Value", connect.Config{"fields": "f0", "headers": "h", "operation": "copy"}},
	{"HeaderFrom$Value", connect.Config{"fields": "f0", "headers": "h", "operation": "move"}},
	{"HoistField$Value", connect.Config{"field": "w"}},
	{"InsertField$Value", connect.Config{"topic.field": "topic", "static.field": "s", "static.value": "v"}},
	{"InsertField$Value", connect.Config{"partition.field": "p", "offset.field": "o", "timestamp.field": "t"}},
	{"InsertHeader", connect.Config{"header": "h", "value.literal": "7"}},
	{"MaskField$Value", connect.Config{"fields": "f1"}},
	{"RegexRouter", connect.Config{"regex": "(ord)(.*)", "replacement": "$2-$1"}},
	{"ReplaceField$Value", connect.Config{"exclude": "f1", "renames": "f0:id"}},
	{"SetSchemaMetadata$Value", connect.Config{"schema.name": "n"}},
	{"TimestampConverter$Value", connect.Config{"field": "f0", "target.type": "Timestamp"}},
	{"TimestampConverter$Value", connect.Config{"field": "f0", "target.type": "string", "format": "yyyy-MM-dd HH:mm:ss"}},
	{"TimestampRouter", nil},
	{"ValueToKey", connect.Config{"fields": "f0,f1"}},
}

// BenchmarkTransformations measures each on structs and on maps of 5 and of 50 fields.
func BenchmarkTransformations(b *testing.B) {
	for _, m := range benchmarked {
		for _, schemaless := range []bool{false, true} {
			for _, fields := range []int{5, 50} {
				if schemaless && m.class == "SetSchemaMetadata$Value" {
					continue
				}
				kind := "struct"
				if schemaless {
					kind = "map"
				}
				b.Run(fmt.Sprintf("%s/%v/%s-%d", m.class, m.cfg, kind, fields), func(b *testing.B) {
					tr := newTransformation(b, m.class, m.cfg)
					r := wideRecord(fields, schemaless)
					ctx := context.Background()
					var c connect.Record
					b.ReportAllocs()
					for b.Loop() {
						c = *r
						if _, err := tr.Apply(ctx, &c); err != nil {
							b.Fatal(err)
						}
					}
				})
			}
		}
	}
}
