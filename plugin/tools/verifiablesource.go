package tools

import (
	"context"
	"strings"
	"time"

	"github.com/gokconnect/connect"
)

// verifiableSource makes numbered records, and prints each when it is made and when it is acknowledged.
type verifiableSource struct {
	numbered
	out *printer
}

// NewTask returns a task.
func (s *verifiableSource) NewTask() connect.SourceTask { return &verifiableSourceTask{out: s.out} }

// ExactlyOnceSupport reports that the records are numbered by their offsets.
func (s *verifiableSource) ExactlyOnceSupport(connect.Config) (connect.ExactlyOnceSupport, error) {
	return connect.ExactlyOnceSupported, nil
}

// verifiableSchema is that of a value with complete.record.data.
var verifiableSchema = connect.NewStruct("").
	Field("name", connect.StringSchema).
	Field("task", connect.Int32Schema).
	Field("topic", connect.StringSchema).
	Field("time_ms", connect.Int64Schema).
	Field("seqno", connect.Int64Schema).
	MustBuild()

type verifiableSourceTask struct {
	sequence
	out      *printer
	name     string
	complete bool
}

// Start goes on behind the stored number.
func (t *verifiableSourceTask) Start(ctx context.Context, tc connect.SourceTaskContext, cfg connect.Config) error {
	t.name, t.complete = cfg["name"], strings.EqualFold(cfg["complete.record.data"], "true")
	return t.start(ctx, tc, cfg)
}

// Poll makes one record.
func (t *verifiableSourceTask) Poll(ctx context.Context) ([]connect.SourceRecord, error) {
	if err := t.pace.await(ctx); err != nil {
		return nil, nil // it is asked to stop
	}
	now, seqno := time.Now().UnixMilli(), t.next
	r := t.record()
	r.KeySchema, r.Key = connect.Int32Schema, t.id
	r.ValueSchema, r.Value = connect.Int64Schema, seqno
	if t.complete {
		r.ValueSchema = verifiableSchema
		r.Value = connect.StructOf(verifiableSchema, t.name, t.id, t.topic, now, seqno)
	}
	err := t.out.line(object(member{"task", t.id}, member{"seqno", seqno}, member{"time_ms", now}, member{"name", t.name}, member{"topic", t.topic}))
	return []connect.SourceRecord{r}, err
}

// CommitRecord prints what was acknowledged. Like Java's, it doesn't look whether the record was written or given up.
func (t *verifiableSourceTask) CommitRecord(_ context.Context, r *connect.SourceRecord, _ *connect.RecordMetadata) error {
	return t.out.line(object(member{"committed", true}, member{"task", t.id}, member{"seqno", r.Value}, member{"time_ms", time.Now().UnixMilli()},
		member{"name", t.name}, member{"topic", t.topic}))
}

// Stop does nothing.
func (t *verifiableSourceTask) Stop(context.Context) error { return nil }
