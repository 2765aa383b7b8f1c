package smt

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/gokconnect/connect"
)

const insertion = "field insertion"

// insertField adds fields with properties of the record, or a fixed text, to the key or value.
type insertField struct {
	made
	part                                part
	topic, partition, offset, timestamp *insertedField
	static                              *insertedField
	staticValue                         any // a string
	nulls                               nulls
	count                               int // of the fields that may be inserted
	plans                               plans[insertPlan]
	lastTopic                           any // a string
	lastTime                            any // a time.Time
}

type insertedField struct {
	name     string
	key      any // the name
	optional bool
}

// parseInserted parses NAME, NAME? or NAME!, the last being a field that is not optional.
func parseInserted(spec string) *insertedField {
	if name, ok := strings.CutSuffix(spec, "!"); ok {
		return &insertedField{name, name, false}
	}
	name := strings.TrimSuffix(spec, "?")
	return &insertedField{name, name, true}
}

func (f *insertedField) schema(required, optional *connect.Schema) *connect.Schema {
	if f.optional {
		return optional
	}
	return required
}

var optionalTimestamp = connect.NewSchema(connect.TypeInt64).Name(connect.TimestampName).Version(1).Optional().MustBuild()

type insertPlan struct {
	out    *connect.Schema
	copied int // the fields of the original schema; the inserted ones follow
	err    error
}

func (t *insertField) prepare(hasStaticValue bool) (*insertField, error) {
	for _, f := range []*insertedField{t.topic, t.partition, t.offset, t.timestamp, t.static} {
		if f != nil {
			t.count++
		}
	}
	switch {
	case t.count == 0:
		return nil, connect.ConfigErrorf("", "No field insertion configured")
	case t.static != nil && !hasStaticValue:
		return nil, connect.InvalidValue("static.value", nil, fmt.Sprintf(
			"No value specified for static field: org.apache.kafka.connect.transforms.InsertField$InsertionSpec@%x", len(t.static.name)))
	}
	t.plans.compile = t.compile
	return t, nil
}

func (t *insertField) compile(s *connect.Schema) (p insertPlan) {
	b := copyStruct(s)
	for _, f := range s.Fields() {
		b.Field(f.Name, f.Schema)
	}
	if f := t.topic; f != nil {
		b.Field(f.name, f.schema(connect.StringSchema, connect.OptionalStringSchema))
	}
	if f := t.partition; f != nil {
		b.Field(f.name, f.schema(connect.Int32Schema, connect.OptionalInt32Schema))
	}
	if f := t.offset; f != nil {
		b.Field(f.name, f.schema(connect.Int64Schema, connect.OptionalInt64Schema))
	}
	if f := t.timestamp; f != nil {
		b.Field(f.name, f.schema(connect.TimestampSchema, optionalTimestamp))
	}
	if f := t.static; f != nil {
		b.Field(f.name, f.schema(connect.StringSchema, connect.OptionalStringSchema))
	}
	p.copied = len(s.Fields())
	p.out, p.err = b.Build()
	return p
}

func (t *insertField) Apply(_ context.Context, r *connect.Record) (*connect.Record, error) {
	schema, value := t.part.of(r)
	if isNil(value) {
		return r, nil
	}
	if schema == nil {
		m, err := requireMap(value, insertion)
		if err != nil {
			return nil, err
		}
		out := copyMap(m, t.count)
		if err := t.intoMap(out, r); err != nil {
			return nil, err
		}
		return t.part.set(r, nil, out), nil
	}
	s, err := requireStruct(value, insertion)
	if err != nil {
		return nil, err
	}
	p := t.plans.of(s.Schema())
	if p.err != nil {
		return nil, p.err
	}
	if t.mine(t.part, s) {
		values := make([]any, len(p.out.Fields()))
		if err := t.nulls.copyFields(values, s, p.out); err != nil {
			return nil, err
		}
		if err := t.intoStruct(values[p.copied:], r); err != nil {
			return nil, err
		}
		become(s, p.out, values)
		return t.part.set(r, p.out, s), nil
	}
	out, values := connect.StructFor(p.out)
	if err := t.nulls.copyFields(values, s, p.out); err != nil {
		return nil, err
	}
	if err := t.intoStruct(values[p.copied:], r); err != nil {
		return nil, err
	}
	t.add(t.part, out)
	return t.part.set(r, p.out, out), nil
}

func (t *insertField) intoMap(m *connect.Map, r *connect.Record) error {
	if t.topic != nil {
		m.Set(t.topic.key, t.topicOf(r))
	}
	if t.partition != nil {
		if n, ok := r.Partition.Get(); ok {
			m.Set(t.partition.key, n)
		}
	}
	if t.offset != nil {
		sink, err := requireSink(r)
		if err != nil {
			return err
		}
		m.Set(t.offset.key, sink.Offset)
	}
	if t.timestamp != nil && !r.Timestamp.IsZero() {
		m.Set(t.timestamp.key, r.Timestamp.UnixMilli())
	}
	if t.static != nil {
		m.Set(t.static.key, t.staticValue)
	}
	return nil
}

// topicOf returns the record's topic, which is mostly that of the record before.
func (t *insertField) topicOf(r *connect.Record) any {
	if last, ok := t.lastTopic.(string); !ok || last != r.Topic {
		t.lastTopic = r.Topic
	}
	return t.lastTopic
}

// timeOf returns the record's timestamp. Of many records a second it is often that of the record before.
func (t *insertField) timeOf(r *connect.Record) any {
	if last, ok := t.lastTime.(time.Time); !ok || last != r.Timestamp {
		t.lastTime = r.Timestamp
	}
	return t.lastTime
}

// intoStruct sets the inserted fields, in the order in which compile adds them.
func (t *insertField) intoStruct(values []any, r *connect.Record) error {
	i := 0
	if t.topic != nil {
		values[i] = t.topicOf(r)
		i++
	}
	if t.partition != nil {
		if n, ok := r.Partition.Get(); ok {
			values[i] = n
		}
		i++
	}
	if t.offset != nil {
		sink, err := requireSink(r)
		if err != nil {
			return err
		}
		values[i] = sink.Offset
		i++
	}
	if t.timestamp != nil {
		if !r.Timestamp.IsZero() {
			values[i] = t.timeOf(r)
		}
		i++
	}
	if t.static != nil {
		values[i] = t.staticValue
	}
	return nil
}

func requireSink(r *connect.Record) (*connect.SinkRecord, error) {
	if s := r.Sink(); s != nil {
		return s, nil
	}
	return nil, connect.DataErrorf("Only SinkRecord supported for [%s], found: org.apache.kafka.connect.source.SourceRecord", insertion)
}

func insertFieldKind() kind {
	const suffixes = "Suffix with <code>!</code> to make this a required field, or <code>?</code> to keep it optional (the default)."
	key := func(name, doc string) connect.ConfigKey {
		return connect.ConfigKey{Name: name, Type: connect.ConfigString, Importance: connect.Medium, Documentation: doc}
	}
	return kind{
		name: "InsertField", parts: bothParts,
		def: connect.MustConfigDef(
			key("topic.field", "Field name for Kafka topic. "+suffixes),
			key("partition.field", "Field name for Kafka partition. "+suffixes),
			key("offset.field", "Field name for Kafka offset - only applicable to sink connectors.<br/>"+suffixes),
			key("timestamp.field", "Field name for record timestamp. "+suffixes),
			key("static.field", "Field name for static data field. "+suffixes),
			key("static.value", "Static field value, if field name configured."),
			replaceNullKey,
		),
		make: func(p part, c *connect.ParsedConfig) (connect.Transformation, error) {
			field := func(key string) *insertedField {
				if !c.Has(key) {
					return nil
				}
				return parseInserted(c.String(key))
			}
			t := &insertField{
				part: p, nulls: nullsOf(c),
				topic: field("topic.field"), partition: field("partition.field"), offset: field("offset.field"),
				timestamp: field("timestamp.field"), static: field("static.field"), staticValue: c.String("static.value"),
			}
			return t.prepare(c.Has("static.value"))
		},
	}
}
