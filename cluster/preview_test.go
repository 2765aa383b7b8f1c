package cluster_test

import (
	"testing"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/cluster"
	"github.com/gokconnect/connect/connecttest"
)

func previewRuntime(t *testing.T) *cluster.Runtime {
	t.Helper()
	reg := new(connect.Registry).MustAdd(
		connect.SourcePlugin{PluginInfo: connect.PluginInfo{Class: "FakeSource"}, New: func() connect.SourceConnector { return &connecttest.FakeSource{} }},
		connect.SinkPlugin{PluginInfo: connect.PluginInfo{Class: "FakeSink"}, New: func() connect.SinkConnector { return &connecttest.FakeSink{} }},
	)
	rt, err := cluster.New(cluster.Config{Brokers: []string{"nowhere:9092"}, GroupID: "preview", Plugins: reg})
	if err != nil {
		t.Fatal(err)
	}
	return rt
}

func TestPreviewSource(t *testing.T) {
	rt := previewRuntime(t)
	cfg := connect.Config{
		"connector.class": "FakeSource",
		"transforms":      "route,drop,mask", "predicates": "noise",
		"transforms.route.type": "org.apache.kafka.connect.transforms.RegexRouter", "transforms.route.regex": "raw-(.*)", "transforms.route.replacement": "$1",
		"transforms.drop.type": "org.apache.kafka.connect.transforms.Filter", "transforms.drop.predicate": "noise",
		"predicates.noise.type": "org.apache.kafka.connect.transforms.predicates.TopicNameMatches", "predicates.noise.pattern": "noise",
		"transforms.mask.type": "org.apache.kafka.connect.transforms.MaskField$Value", "transforms.mask.fields": "card",
	}
	schema := connect.NewStruct("order").Field("card", connect.StringSchema).MustBuild()
	sample := func(topic string, schema *connect.Schema, value any) connect.SourceRecord {
		return connect.SourceRecord{Record: connect.Record{Topic: topic, ValueSchema: schema, Value: value}}
	}
	order := connect.StructOf(schema, "4711")
	got, err := rt.PreviewSource(t.Context(), cfg, []connect.SourceRecord{
		sample("raw-orders", schema, order),
		sample("raw-noise", connect.StringSchema, "x"),
		sample("orders", connect.StringSchema, "not a struct"),
	})
	if err != nil {
		t.Fatal(err)
	}
	want := [][]cluster.StageResult{
		{{Stage: "transforms.route", Outcome: cluster.Changed}, {Stage: "transforms.drop", Outcome: cluster.Passed}, {Stage: "transforms.mask", Outcome: cluster.Changed},
			{Stage: "key.converter", Outcome: cluster.Changed}, {Stage: "value.converter", Outcome: cluster.Changed}},
		{{Stage: "transforms.route", Outcome: cluster.Changed}, {Stage: "transforms.drop", Outcome: cluster.Dropped}},
		{{Stage: "transforms.route", Outcome: cluster.Passed}, {Stage: "transforms.drop", Outcome: cluster.Passed}, {Stage: "transforms.mask", Outcome: cluster.Refused}},
	}
	compareStages(t, got, want)
	if b := got[0][4].Bytes; string(b) != "Struct{card=}" {
		t.Errorf("the value became %q", b)
	}
	if order.Value("card") != "4711" {
		t.Error("the sample was changed")
	}
	if got[2][2].Err == nil {
		t.Error("a refusal without an error")
	}
}

func TestPreviewSink(t *testing.T) {
	rt := previewRuntime(t)
	cfg := connect.Config{
		"name": "p", "connector.class": "FakeSink", "topics": "t",
		"value.converter": "org.apache.kafka.connect.json.JsonConverter", "value.converter.schemas.enable": "false",
		"transforms": "x", "transforms.x.type": "org.apache.kafka.connect.transforms.ExtractField$Value", "transforms.x.field": "a",
	}
	got, err := rt.PreviewSink(t.Context(), cfg, []cluster.RawRecord{
		{Topic: "t", Value: []byte(`{"a":"b"}`)},
		{Topic: "t", Value: []byte(`{"a"`)},
	})
	if err != nil {
		t.Fatal(err)
	}
	compareStages(t, got, [][]cluster.StageResult{
		{{Stage: "key.converter", Outcome: cluster.Changed}, {Stage: "value.converter", Outcome: cluster.Changed}, {Stage: "transforms.x", Outcome: cluster.Changed}},
		{{Stage: "key.converter", Outcome: cluster.Changed}, {Stage: "value.converter", Outcome: cluster.Refused}},
	})
	if v := got[0][2].After.Value; v != "b" {
		t.Errorf("the value became %v", v)
	}
}

func compareStages(t *testing.T, got, want [][]cluster.StageResult) {
	t.Helper()
	for i := range want {
		if len(got[i]) != len(want[i]) {
			t.Errorf("sample %d: %d stages, want %d: %+v", i, len(got[i]), len(want[i]), got[i])
			continue
		}
		for k, w := range want[i] {
			if g := got[i][k]; g.Stage != w.Stage || g.Outcome != w.Outcome {
				t.Errorf("sample %d, stage %d: %s %s (%v), want %s %s", i, k, g.Stage, g.Outcome, g.Err, w.Stage, w.Outcome)
			}
		}
	}
}
