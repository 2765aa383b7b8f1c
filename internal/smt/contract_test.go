package smt_test

import (
	"strings"
	"testing"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/connecttest"
	"github.com/gokconnect/connect/internal/smt"
)

// builtin is a transformation with records, as a harness.
type builtin struct {
	plugin  connect.TransformationPlugin
	cfg     connect.Config
	records func() []*connect.Record
}

func (h builtin) Transformation(t testing.TB) connect.Transformation {
	tr, err := h.plugin.New(h.cfg)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

func (h builtin) Records() []*connect.Record { return h.records() }

// flatRecords are records with and without schema that every transformation below can be applied to.
func flatRecords() []*connect.Record {
	s := connect.NewStruct("order").Field("id", connect.Int64Schema).Field("at", connect.Int64Schema).
		Field("note", connect.OptionalStringSchema).MustBuild()
	structs := connect.StructOf(s, int64(7), int64(1_700_000_000_000), "x")
	maps := connect.MapOf(connect.Entry{Key: "id", Value: int64(7)}, connect.Entry{Key: "at", Value: int64(1_700_000_000_000)},
		connect.Entry{Key: "note", Value: "x"})
	record := func(schema *connect.Schema, value any) *connect.Record {
		return &connect.Record{
			Topic: "orders", Partition: connect.ToPartition(1), Timestamp: time.UnixMilli(1_700_000_000_000).UTC(),
			KeySchema: schema, Key: value, ValueSchema: schema, Value: value,
			Headers: connect.Headers{{Key: "h", Schema: connect.StringSchema, Value: "v"}, {Key: "other"}},
		}
	}
	return []*connect.Record{record(s, structs), record(nil, maps)}
}

func TestContracts(t *testing.T) {
	configs := map[string]connect.Config{
		"Cast":               {"spec": "id:string"},
		"DropHeaders":        {"headers": "h"},
		"ExtractField":       {"field": "id"},
		"Filter":             {},
		"Flatten":            {"delimiter": "_"},
		"HeaderFrom":         {"fields": "id", "headers": "id", "operation": "move"},
		"HoistField":         {"field": "wrapped"},
		"InsertField":        {"static.field": "added", "static.value": "y"},
		"InsertHeader":       {"header": "added", "value.literal": "1"},
		"MaskField":          {"fields": "note"},
		"RegexRouter":        {"regex": "(.*)", "replacement": "$1-x"},
		"ReplaceField":       {"exclude": "note", "renames": "id:key"},
		"SetSchemaMetadata":  {"schema.name": "other", "schema.version": "2"},
		"TimestampConverter": {"field": "at", "target.type": "Timestamp"},
		"TimestampRouter":    {"topic.format": "${topic}-${timestamp}"},
		"ValueToKey":         {"fields": "id"},
	}
	for _, p := range smt.Plugins() {
		plugin := p.(connect.TransformationPlugin)
		class := plugin.Class[strings.LastIndexByte(plugin.Class, '.')+1:]
		kind, _, _ := strings.Cut(class, "$")
		t.Run(class, func(t *testing.T) {
			cfg, ok := configs[kind]
			if !ok {
				t.Fatalf("there is no configuration for %s", kind)
			}
			connecttest.TestTransformation(t, func(testing.TB) connecttest.TransformationHarness {
				records := flatRecords
				if kind == "SetSchemaMetadata" {
					records = func() []*connect.Record { return flatRecords()[:1] } // it needs a schema
				}
				return builtin{plugin, cfg, records}
			})
		})
	}
}
