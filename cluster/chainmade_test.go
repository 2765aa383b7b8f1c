package cluster_test

import (
	"context"
	"testing"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/cluster"
	"github.com/gokconnect/connect/internal/connconfig"
	"github.com/gokconnect/connect/internal/pipeline"
	"github.com/gokconnect/connect/internal/tolerance"
	"github.com/gokconnect/connect/plugin/jsonconv"
)

// onlyStruct is a converter that gives the same struct for everything.
type onlyStruct struct {
	connect.Converter
	value *connect.Struct
}

func (c onlyStruct) ToConnect(context.Context, string, connect.RawHeaders, []byte) (connect.SchemaAndValue, error) {
	return connect.SchemaAndValue{Schema: c.value.Schema(), Value: c.value}, nil
}

// makesStructs is a converter that says that its structs are its caller's.
type makesStructs struct {
	onlyStruct
	schema *connect.Schema
}

func (c makesStructs) ToConnect(context.Context, string, connect.RawHeaders, []byte) (connect.SchemaAndValue, error) {
	return connect.SchemaAndValue{Schema: c.schema, Value: c.value}, nil
}

func (makesStructs) MakesStructs(connect.Converter) bool { return true }

// keeper is a transformation and a predicate that keeps what it saw, and how that was then.
type keeper struct{ seen, was []*connect.Struct }

func (k *keeper) keep(r *connect.Record) {
	s := r.Value.(*connect.Struct)
	k.seen, k.was = append(k.seen, s), append(k.was, s.Clone())
}

func (k *keeper) Apply(_ context.Context, r *connect.Record) (*connect.Record, error) {
	k.keep(r)
	return r, nil
}

func (k *keeper) Test(r *connect.Record) (bool, error) {
	k.keep(r)
	return true, nil
}

// TestStructsThatOthersHave: transformations change structs in place only if nobody else can have them.
func TestStructsThatOthersHave(t *testing.T) {
	schema := connect.NewSchema(connect.TypeStruct).Field("id", connect.Int64Schema).Field("created", connect.TimestampSchema).
		Field("card", connect.OptionalStringSchema).MustBuild()
	reg := new(connect.Registry).MustAdd(cluster.Builtins()...)
	reg.MustAdd(connect.SinkPlugin{PluginInfo: connect.PluginInfo{Class: "S"}, New: func() connect.SinkConnector {
		return connect.SinkFunc(func(context.Context, []connect.SinkRecord) error { return nil })
	}})
	const smt = "org.apache.kafka.connect.transforms."
	cfg, err := connconfig.ParseSink(reg, connect.Config{
		"name": "c", "connector.class": "S", "topics": "t", "transforms": "one,two,three,four,five",
		"transforms.one.type": smt + "ReplaceField$Value", "transforms.one.renames": "id:number",
		"transforms.two.type": smt + "ReplaceField$Value", "transforms.two.renames": "number:no",
		"transforms.three.type": smt + "TimestampConverter$Value", "transforms.three.field": "created", "transforms.three.target.type": "unix",
		"transforms.four.type": smt + "InsertField$Value", "transforms.four.topic.field": "topic",
		"transforms.five.type": smt + "MaskField$Value", "transforms.five.fields": "card",
	})
	if err != nil {
		t.Fatal(err)
	}
	const want = "Struct{no=7,created=1000,card=,topic=t}"
	for at := -1; at <= 10; at++ { // nobody, a transformation before step at, a predicate of step at-5
		steps, err := pipeline.Steps(reg, &cfg.Common)
		if err != nil {
			t.Fatal(err)
		}
		k := new(keeper)
		switch {
		case at >= 0 && at <= 5:
			steps = append(steps[:at:at], append([]pipeline.Step{{Transformation: k}}, steps[at:]...)...)
		case at > 5:
			steps[at-6].Predicate = k
		}
		given := connect.StructOf(schema, int64(7), time.Unix(1, 0).UTC(), "4111")
		was := given.Clone()
		p := pipeline.NewSink(steps, pipeline.Converters{Key: connect.StringConverter{}, Value: onlyStruct{value: given}}, tolerance.New(tolerance.Policy{}))
		var batch []connect.SinkRecord
		for range 3 {
			if batch, err = p.Process(t.Context(), &tolerance.Consumed{Topic: "t", Value: []byte("x")}, batch); err != nil {
				t.Fatal(err)
			}
		}
		for i, r := range batch {
			if got := connect.FormatValue(r.Value); got != want || r.Value.(*connect.Struct).Schema() != r.ValueSchema {
				t.Errorf("%d: record %d is %s, want %s", at, i, got, want)
			}
			if r.Topic != "t" || i > 0 && r.Value == batch[0].Value {
				t.Errorf("%d: record %d of topic %q shares its value", at, i, r.Topic)
			}
		}
		if !given.Equal(was) {
			t.Errorf("%d: what was consumed became %v", at, given)
		}
		if at >= 0 && len(k.seen) != 3 {
			t.Errorf("%d: %d records were seen", at, len(k.seen))
		}
		for i := range k.seen {
			if !k.seen[i].Equal(k.was[i]) {
				t.Errorf("%d: what others had, %v, became %v", at, k.was[i], k.seen[i])
			}
		}
	}
}

// TestStructsOfConverters: what a converter makes is changed in place, unless a transformation of somebody else is in the chain, or
// it is the schema's default.
func TestStructsOfConverters(t *testing.T) {
	reg := new(connect.Registry).MustAdd(cluster.Builtins()...)
	schema := connect.NewSchema(connect.TypeStruct).Field("id", connect.Int64Schema).MustBuild()
	withDefault := connect.NewSchema(connect.TypeStruct).Field("id", connect.Int64Schema).Default(connect.StructOf(schema, int64(7))).MustBuild()
	mask, err := connconfig.ParseSink(reg.MustAdd(connect.SinkPlugin{PluginInfo: connect.PluginInfo{Class: "S"}, New: func() connect.SinkConnector {
		return connect.SinkFunc(func(context.Context, []connect.SinkRecord) error { return nil })
	}}), connect.Config{
		"name": "c", "connector.class": "S", "topics": "t", "transforms": "mask",
		"transforms.mask.type": "org.apache.kafka.connect.transforms.MaskField$Value", "transforms.mask.fields": "id",
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		schema          *connect.Schema
		made            *connect.Struct
		keeper, changed bool
	}{
		"made":    {schema, connect.StructOf(schema, int64(7)), false, true},
		"seen":    {schema, connect.StructOf(schema, int64(7)), true, false},
		"default": {withDefault, withDefault.Default().(*connect.Struct), false, false},
	} {
		steps, err := pipeline.Steps(reg, &mask.Common)
		if err != nil {
			t.Fatal(err)
		}
		if test.keeper {
			steps = append(steps, pipeline.Step{Transformation: new(keeper)})
		}
		value := makesStructs{onlyStruct{value: test.made}, test.schema}
		p := pipeline.NewSink(steps, pipeline.Converters{Key: connect.StringConverter{}, Value: value}, tolerance.New(tolerance.Policy{}))
		batch, err := p.Process(t.Context(), &tolerance.Consumed{Topic: "t", Value: []byte("x")}, nil)
		if err != nil {
			t.Fatal(err)
		}
		got := batch[0].Value.(*connect.Struct)
		if got.At(0) != int64(0) || (got == test.made) != test.changed || (test.made.At(0) == int64(7)) == test.changed {
			t.Errorf("%s: %v became %v", name, test.made, got)
		}
	}
	var c connect.Converter = jsonconv.New(jsonconv.Options{})
	if !c.(*jsonconv.Converter).MakesStructs(c) || c.(*jsonconv.Converter).MakesStructs(struct{ connect.Converter }{c}) {
		t.Error("the converter says of others what it does")
	}
}
