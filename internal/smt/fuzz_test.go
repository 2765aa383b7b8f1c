package smt

import (
	"context"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/gokconnect/connect"
)

// fuzzConfigs are configurations that touch the fields that generated records have.
var fuzzConfigs = []struct {
	class string
	cfg   connect.Config
}{
	{"Cast$Value", connect.Config{"spec": "a:int8,b:string,c:float32,zz:boolean"}},
	{"Cast$Value", connect.Config{"spec": "a:int64,b:float64,c:int16,d:int32,e:boolean", "replace.null.with.default": "false"}},
	{"Cast$Value", connect.Config{"spec": "int32"}},
	{"Cast$Value", connect.Config{"spec": "string"}},
	{"DropHeaders", connect.Config{"headers": "a,c"}},
	{"ExtractField$Value", connect.Config{"field": "b"}},
	{"ExtractField$Value", connect.Config{"field": "a.b.c", "field.syntax.version": "V2", "replace.null.with.default": "false"}},
	{"ExtractField$Value", connect.Config{"field": "", "field.syntax.version": "V2"}},
	{"Filter", nil},
	{"Flatten$Value", nil},
	{"Flatten$Value", connect.Config{"delimiter": ""}},
	{"HeaderFrom$Value", connect.Config{"fields": "a,b,a", "headers": "x,y,z", "operation": "copy"}},
	{"HeaderFrom$Value", connect.Config{"fields": "a,b,a", "headers": "x,y,z", "operation": "move", "replace.null.with.default": "false"}},
	{"HoistField$Value", connect.Config{"field": "a"}},
	{"InsertField$Value", connect.Config{"topic.field": "a", "static.field": "s!", "static.value": "v"}},
	{"InsertField$Value", connect.Config{"partition.field": "p!", "offset.field": "o", "timestamp.field": "t?", "replace.null.with.default": "false"}},
	{"InsertHeader", connect.Config{"header": "h", "value.literal": "[1,2]"}},
	{"MaskField$Value", connect.Config{"fields": "a,b,c,zz"}},
	{"MaskField$Value", connect.Config{"fields": "a,b,c,zz", "replacement": "1e3", "replace.null.with.default": "false"}},
	{"RegexRouter", connect.Config{"regex": "(.)(.*)", "replacement": "$2$1"}},
	{"ReplaceField$Value", connect.Config{"exclude": "a", "renames": "b:a,c:b"}},
	{"ReplaceField$Value", connect.Config{"include": "a,b,c", "renames": "a:c", "replace.null.with.default": "false"}},
	{"SetSchemaMetadata$Value", connect.Config{"schema.name": "", "schema.version": "7"}},
	{"TimestampConverter$Value", connect.Config{"target.type": "string", "format": "yyyy-MM-dd"}},
	{"TimestampConverter$Value", connect.Config{"target.type": "Date", "field": "a"}},
	{"TimestampConverter$Value", connect.Config{"target.type": "unix", "field": "b", "unix.precision": "nanoseconds", "format": "yyyy"}},
	{"TimestampConverter$Value", connect.Config{"target.type": "Time", "unix.precision": "seconds"}},
	{"TimestampRouter", nil},
	{"ValueToKey", connect.Config{"fields": "a,b"}},
}

// generator makes records: of many shapes, some that no converter would make.
type generator struct{ *rand.Rand }

func newGenerator(seed uint64) generator { return generator{rand.New(rand.NewPCG(seed, seed))} }

func (g generator) name() string {
	return []string{"a", "b", "c", "d", "e", "a.b", "", "null", "\xff"}[min(g.IntN(12), 8)]
}

func (g generator) schema(depth int) *connect.Schema {
	if g.IntN(8) == 0 {
		return nil
	}
	var b *connect.SchemaBuilder
	t := connect.Type(1 + g.IntN(12))
	if depth > 3 && t > connect.TypeBytes {
		t = connect.TypeString
	}
	if depth == 0 && g.IntN(2) == 0 {
		t = connect.TypeStruct
	}
	switch t {
	case connect.TypeArray:
		b = connect.NewArray(g.schema(depth + 1))
	case connect.TypeMap:
		b = connect.NewMap(g.schema(depth+1), g.schema(depth+1))
	default:
		b = connect.NewSchema(t)
	}
	if t == connect.TypeStruct {
		for range g.IntN(6) {
			if s := g.schema(depth + 1); s != nil {
				if _, err := b.Build(); err != nil {
					break
				}
				b.Field(g.name()+[]string{"", "", "2"}[g.IntN(3)], s)
			}
		}
	}
	if g.IntN(3) == 0 {
		b.Optional()
	}
	if g.IntN(4) == 0 {
		b.Name([]string{connect.TimestampName, connect.DateName, connect.TimeName, connect.DecimalName, "n", ""}[g.IntN(6)]).Version(1)
	}
	s, err := b.Build()
	if err != nil {
		return connect.OptionalInt64Schema
	}
	if g.IntN(4) == 0 {
		if with, err := b.Default(g.value(s, depth+1)).Build(); err == nil {
			return with
		}
	}
	return s
}

// value returns a value for the schema, or now and then any other.
func (g generator) value(s *connect.Schema, depth int) any {
	if g.IntN(8) == 0 {
		return nil
	}
	if s == nil || g.IntN(12) == 0 {
		return g.any(depth)
	}
	switch s.Type() {
	case connect.TypeStruct:
		values := make([]any, len(s.Fields()))
		for i, f := range s.Fields() {
			values[i] = g.value(f.Schema, depth+1)
		}
		return connect.StructOf(s, values...)
	case connect.TypeArray:
		list := []any{}
		for range g.IntN(4) {
			list = append(list, g.value(s.Value(), depth+1))
		}
		return list
	case connect.TypeMap:
		m := connect.NewMapValue(0)
		for range g.IntN(4) {
			m.Set(g.value(s.Key(), depth+1), g.value(s.Value(), depth+1))
		}
		return m
	}
	switch s.Name() {
	case connect.TimestampName, connect.DateName, connect.TimeName:
		return g.time()
	case connect.DecimalName:
		return g.decimal()
	}
	return g.primitive(s.Type())
}

func (g generator) time() time.Time {
	return time.UnixMilli([]int64{0, -1, 5, 86_400_000, math.MaxInt64, math.MinInt64, g.Int64()}[g.IntN(7)]).UTC()
}

func (g generator) decimal() connect.Decimal {
	return connect.Decimal{
		Unscaled: []*big.Int{nil, big.NewInt(-7), big.NewInt(math.MaxInt64), new(big.Int).Lsh(big.NewInt(1), 200)}[g.IntN(4)],
		Scale:    []int32{0, 2, -3, math.MaxInt32, math.MinInt32, 100}[g.IntN(6)],
	}
}

func (g generator) primitive(t connect.Type) any {
	switch t {
	case connect.TypeInt8:
		return int8(g.Int32())
	case connect.TypeInt16:
		return int16(g.Int32())
	case connect.TypeInt32:
		return g.Int32()
	case connect.TypeInt64:
		return []int64{0, math.MaxInt64, math.MinInt64, g.Int64()}[g.IntN(4)]
	case connect.TypeFloat32:
		return float32(g.NormFloat64() * 1e30)
	case connect.TypeFloat64:
		return []float64{math.NaN(), math.Inf(1), math.Inf(-1), g.NormFloat64() * 1e300}[g.IntN(4)]
	case connect.TypeBoolean:
		return g.IntN(2) == 0
	case connect.TypeBytes:
		return [][]byte{nil, {}, {1, 0xff}}[g.IntN(3)]
	}
	return []string{"", "1", "-1.5", "0x1p3", "2024-02-29", "true", "\xff\xfe", "NaN", "٣", "1e999999999"}[g.IntN(10)]
}

func (g generator) any(depth int) any {
	switch n := g.IntN(20); {
	case n < 9:
		return g.primitive(connect.Type(1 + n))
	case n == 9:
		return g.time()
	case n == 10:
		return g.decimal()
	case n == 11:
		return map[string]any{"a": int64(1), "b": nil}
	case n == 12:
		return map[string]string{"b": "1"}
	case n == 13:
		return map[any]any{int8(1): "x", "a": map[string]any{"b": nil}}
	case n == 14:
		return []any{int8(1), nil}
	case n == 15:
		return big.NewInt(5)
	case n == 16:
		return struct{ X int }{1}
	}
	m := connect.NewMapValue(0)
	if depth < 4 {
		for range g.IntN(20) {
			var key any = g.name()
			if g.IntN(20) == 0 {
				key = g.any(depth + 1)
			}
			m.Set(key, g.any(depth+1))
		}
	}
	return m
}

func (g generator) record() *connect.Record {
	r := connect.Record{Topic: g.name(), KeySchema: g.schema(0), ValueSchema: g.schema(0)}
	r.Key, r.Value = g.value(r.KeySchema, 0), g.value(r.ValueSchema, 0)
	switch g.IntN(6) {
	case 0, 1:
		r.ValueSchema, r.Value = nil, g.any(0)
	case 2:
		r.ValueSchema = g.schema(0) // not the value's own
	}
	if g.IntN(2) == 0 {
		r.Timestamp, r.Partition = g.time(), connect.ToPartition(g.Int32())
	}
	for range g.IntN(3) {
		r.Headers = append(r.Headers, connect.Header{Key: g.name(), Value: g.any(2)})
	}
	switch g.IntN(3) {
	case 0:
		return (&connect.SinkRecord{Record: r, Offset: g.Int64()}).Base()
	case 1:
		return (&connect.SourceRecord{Record: r}).Base()
	}
	return &r
}

// checkTransformations runs two records through every transformation and checks what holds for all.
func checkTransformations(t *testing.T, seed uint64) {
	g := newGenerator(seed)
	first, second := g.record(), g.record()
	g = newGenerator(seed)
	firstCopy, secondCopy := g.record(), g.record()
	for _, c := range fuzzConfigs {
		tr := newTransformation(t, c.class, c.cfg)
		for _, pair := range [][2]*connect.Record{{first, firstCopy}, {second, secondCopy}, {first, firstCopy}} {
			r := *pair[0]
			out, err := tr.Apply(context.Background(), &r)
			if err != nil && out != nil {
				t.Errorf("%s %v: a record and the error %v", c.class, c.cfg, err)
			}
			want := pair[1]
			if !connect.EqualValues(pair[0].Key, want.Key) || !connect.EqualValues(pair[0].Value, want.Value) ||
				!pair[0].ValueSchema.Equal(want.ValueSchema) || fmt.Sprint(pair[0].Headers) != fmt.Sprint(want.Headers) {
				t.Fatalf("%s %v changed what the record refers to", c.class, c.cfg)
			}
			if err != nil && (!connect.EqualValues(r.Key, want.Key) || !connect.EqualValues(r.Value, want.Value) ||
				r.ValueSchema != pair[0].ValueSchema || r.Topic != want.Topic || len(r.Headers) != len(want.Headers)) {
				t.Fatalf("%s %v failed and changed the record: %v", c.class, c.cfg, err)
			}
		}
	}
}

func TestTransformationsOfAnyRecord(t *testing.T) {
	for seed := range uint64(3000) {
		checkTransformations(t, seed)
	}
}

func FuzzTransformations(f *testing.F) {
	f.Add(uint64(1))
	f.Fuzz(checkTransformations)
}
