package smt

import (
	"context"
	"strings"
	"testing"

	"github.com/gokconnect/connect"
)

func TestPluginsCanBeRegistered(t *testing.T) {
	r := new(connect.Registry).MustAdd(Plugins()...)
	list := r.List(connect.KindTransformation)
	if len(list) != 26 { // ten of them twice
		t.Errorf("%d classes, expected 26", len(list))
	}
	for _, name := range []string{classPrefix + "Cast$Value", classPrefix + "Cast$Key", "RegexRouter", classPrefix + "ValueToKey"} {
		if p, ok := r.Transformation(name); !ok || p.Version != "4.3.0" || p.Config == nil {
			t.Errorf("%s: %v %+v", name, ok, p.PluginInfo)
		}
	}
	// Kafka Connect has no such alias: the simple name of the class is Value, which is that of many.
	for _, name := range []string{"Cast$Value", "Value"} {
		if _, ok := r.Transformation(name); ok {
			t.Errorf("%s is an alias", name)
		}
	}
}

// A connector may use Go maps in the place of a *connect.Map.
func TestGoMaps(t *testing.T) {
	for _, v := range []any{
		map[string]any{"a": "1", "b": "x"},
		map[string]string{"a": "1", "b": "x"},
		map[any]any{"a": "1", "b": "x"},
	} {
		tr := newTransformation(t, "Cast$Value", connect.Config{"spec": "a:int32"})
		want := connect.MapOf(connect.Entry{Key: "a", Value: int32(1)}, connect.Entry{Key: "b", Value: "x"})
		if got := apply(t, tr, nil, v).Value; !connect.EqualValues(got, want) {
			t.Errorf("%T: %v, expected %v", v, got, want)
		}
	}
}

// A record may pair a struct with a schema that is not the struct's own: fields are then taken by name.
func TestStructWithAnotherSchema(t *testing.T) {
	own := connect.NewStruct("").Field("b", connect.StringSchema).Field("a", connect.Int64Schema).MustBuild()
	schema := connect.NewStruct("").Field("a", connect.Int64Schema).Field("b", connect.StringSchema).Field("c", connect.OptionalInt8Schema).MustBuild()
	v := connect.StructOf(own, "x", int64(7))
	tr := newTransformation(t, "Cast$Value", connect.Config{"spec": "a:string"})
	r := apply(t, tr, schema, v)
	if got := r.Value.(*connect.Struct).String(); got != "Struct{a=7,b=x}" {
		t.Error(got)
	}
	less := connect.NewStruct("").Field("b", connect.StringSchema).MustBuild()
	for _, class := range []string{"Cast$Value", "Flatten$Value", "TimestampConverter$Value", "SetSchemaMetadata$Value"} {
		cfg := connect.Config{"spec": "b:string", "field": "b", "target.type": "Date", "schema.name": "n"}
		r := &connect.Record{ValueSchema: less, Value: v}
		_, err := newTransformation(t, class, cfg).Apply(context.Background(), r)
		if err == nil || err.Error() != "a is not a valid field name" {
			t.Errorf("%s: error %v", class, err)
		}
	}
}

func TestHostileNestingFails(t *testing.T) {
	var v any = int8(1)
	for range 1_000_000 {
		v = connect.MapOf(connect.Entry{Key: "k", Value: v})
	}
	tr := newTransformation(t, "Flatten$Value", nil)
	_, err := tr.Apply(context.Background(), &connect.Record{Value: v})
	if err == nil || !strings.Contains(err.Error(), "deeper than 1000 levels") {
		t.Errorf("error %v", err)
	}
}

// The default of a struct schema takes part in what is done to the schema.
func TestStructDefaults(t *testing.T) {
	b := connect.NewStruct("n").Field("ts", connect.Int64Schema)
	plain := b.MustBuild()
	s := b.Default(connect.StructOf(plain, int64(86_400_000))).MustBuild()

	tr := newTransformation(t, "TimestampConverter$Value", connect.Config{"field": "ts", "target.type": "string", "format": "yyyy-MM-dd"})
	def := apply(t, tr, s, nil).ValueSchema.Default()
	if got := connect.FormatValue(def); got != "Struct{ts=1970-01-02}" {
		t.Errorf("TimestampConverter: default %s", got)
	}
	tr = newTransformation(t, "SetSchemaMetadata$Value", connect.Config{"schema.name": "m"})
	def = apply(t, tr, s, nil).ValueSchema.Default()
	if got := def.(*connect.Struct); got.Schema().Name() != "m" || got.String() != "Struct{ts=86400000}" {
		t.Errorf("SetSchemaMetadata: default %v of %v", got, got.Schema())
	}
	outer := connect.NewStruct("").Field("in", s).MustBuild()
	r := apply(t, newTransformation(t, "Flatten$Value", nil), outer, connect.StructOf(outer, nil))
	if got := connect.FormatValue(r.Value.(*connect.Struct).At(0)); got != "86400000" {
		t.Errorf("Flatten: default %s", got)
	}
}

// TestAllocations holds what each transformation may allocate: what its output consists of.
func TestAllocations(t *testing.T) {
	const aStruct, aMap = 2, 2 // the value and its fields or entries
	most := []struct {
		class     string
		cfg       connect.Config
		ofStruct  float64
		ofMap     float64
		indexed50 float64 // of a map of 50, with the index of its keys
	}{
		{"Cast$Value", connect.Config{"spec": "f0:int32"}, aStruct + 1, aMap + 1, aMap + 2},
		{"DropHeaders", connect.Config{"headers": "drop"}, 1, 1, 1},
		{"ExtractField$Value", connect.Config{"field": "f3.a", "field.syntax.version": "V2"}, 0, 0, 0},
		{"Filter", nil, 0, 0, 0},
		{"Flatten$Value", nil, aStruct, aMap + 1, aMap + 2}, // a map grows once
		{"HeaderFrom$Value", connect.Config{"fields": "f0", "headers": "h", "operation": "copy"}, 1, 1, 1},
		{"HeaderFrom$Value", connect.Config{"fields": "f0", "headers": "h", "operation": "move"}, aStruct + 1, aMap + 1, aMap + 2},
		{"HoistField$Value", connect.Config{"field": "w"}, aStruct, aMap + 1, aMap + 1},
		{"InsertField$Value", connect.Config{"offset.field": "o", "static.field": "s", "static.value": "v"}, aStruct, aMap, aMap + 2},
		{"InsertHeader", connect.Config{"header": "h", "value.literal": "7"}, 1, 1, 1},
		{"MaskField$Value", connect.Config{"fields": "f1"}, aStruct, aMap, aMap + 1},
		{"RegexRouter", connect.Config{"regex": "(ord)(.*)", "replacement": "$2-$1"}, 0, 0, 0},
		{"ReplaceField$Value", connect.Config{"exclude": "f1", "renames": "f0:id"}, aStruct, aMap, aMap + 1},
		{"TimestampConverter$Value", connect.Config{"field": "f0", "target.type": "Timestamp"}, aStruct + 1, aMap + 1, aMap + 2},
		{"TimestampRouter", nil, 0, 0, 0},
		{"ValueToKey", connect.Config{"fields": "f0,f1"}, aStruct, aMap, aMap},
	}
	ctx := context.Background()
	for _, m := range most {
		for _, c := range []struct {
			name string
			r    *connect.Record
			most float64
		}{
			{"struct of 5", wideRecord(5, false), m.ofStruct},
			{"struct of 50", wideRecord(50, false), m.ofStruct},
			{"map of 5", wideRecord(5, true), m.ofMap},
			{"map of 50", wideRecord(50, true), m.indexed50},
		} {
			tr := newTransformation(t, m.class, m.cfg)
			var r connect.Record
			got := testing.AllocsPerRun(100, func() {
				r = *c.r
				if _, err := tr.Apply(ctx, &r); err != nil {
					t.Fatal(err)
				}
			})
			if got > c.most {
				t.Errorf("%s %v, %s: %v allocations, expected at most %v", m.class, m.cfg, c.name, got, c.most)
			}
		}
	}
}
