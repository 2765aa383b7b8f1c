package tools

import (
	"context"
	"fmt"
	"strings"

	"github.com/gokconnect/connect"
)

// schemaSource makes records of one schema, or of two in turn.
type schemaSource struct {
	numbered
	out *printer
}

// NewTask returns a task.
func (s *schemaSource) NewTask() connect.SourceTask { return &schemaSourceTask{out: s.out} }

var (
	recordSchema  = recordFields(1).Field("id", connect.Int32Schema).Field("seqno", connect.Int64Schema).MustBuild()
	recordSchema2 = recordFields(2).Field("string", connect.NewSchema(connect.TypeString).Default("abc").MustBuild()).
			Field("id", connect.Int32Schema).Field("seqno", connect.Int64Schema).MustBuild()
)

// recordFields begins a schema with what both have.
func recordFields(version int32) *connect.SchemaBuilder {
	return connect.NewStruct("record").Version(version).
		Field("boolean", connect.BooleanSchema).
		Field("int", connect.Int32Schema).
		Field("long", connect.Int64Schema).
		Field("float", connect.Float32Schema).
		Field("double", connect.Float64Schema).
		Field("partitioning", connect.Int32Schema)
}

type schemaSourceTask struct {
	sequence
	out        *printer
	left       int64 // records that it may still make
	partitions int64
	both       bool // schemas
	second     bool // the next record has the second schema
}

// Start goes on behind the stored number.
func (t *schemaSourceTask) Start(ctx context.Context, tc connect.SourceTaskContext, cfg connect.Config) (err error) {
	if t.left, err = integer(cfg, "num.messages", 64); err != nil {
		return err
	}
	t.partitions = 1
	if _, ok := cfg["partition.count"]; ok {
		if t.partitions, err = integer(cfg, "partition.count", 32); err != nil {
			return err
		}
		if t.partitions <= 0 {
			return connect.ConfigErrorf("partition.count", "Invalid value %d for configuration partition.count: it needs at least 1", t.partitions)
		}
	}
	t.both = strings.EqualFold(cfg["multiple.schema"], "true")
	return t.start(ctx, tc, cfg)
}

// Poll makes one record, until there are num.messages.
func (t *schemaSourceTask) Poll(ctx context.Context) ([]connect.SourceRecord, error) {
	if t.left <= 0 {
		<-ctx.Done()
		return nil, nil
	}
	if err := t.pace.await(ctx); err != nil {
		return nil, nil // it is asked to stop
	}
	seqno := t.next
	r := t.record()
	r.Partition = connect.ToPartition(t.id)
	r.KeySchema, r.Key = connect.StringSchema, "key"
	values := []any{true, int32(12), int64(12), float32(12.2), 12.2, int32(seqno % t.partitions)}
	r.ValueSchema = recordSchema
	if t.second {
		r.ValueSchema = recordSchema2
		values = append(values, "def")
	}
	r.Value = connect.StructOf(r.ValueSchema, append(values, t.id, seqno)...)
	t.left--
	t.second = t.both && !t.second
	return []connect.SourceRecord{r}, t.out.line(fmt.Appendf(nil, `{"task": %d, "seqno": %d}`, t.id, seqno))
}

// Stop does nothing.
func (t *schemaSourceTask) Stop(context.Context) error { return nil }
