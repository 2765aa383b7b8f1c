package tools

import (
	"context"
	"time"

	"github.com/gokconnect/connect"
)

// verifiableSink prints each record when it is put and when it is flushed.
type verifiableSink struct {
	numbered
	out *printer
}

// NewTask returns a task.
func (s *verifiableSink) NewTask() connect.SinkTask { return &verifiableSinkTask{out: s.out} }

type verifiableSinkTask struct {
	out       *printer
	name      string
	id        int64
	unflushed map[connect.TopicPartition][]putRecord
}

// putRecord is a record that was put and not flushed.
type putRecord struct {
	key, value any
	topic      string
	offset     int64
}

// Start takes name and number.
func (t *verifiableSinkTask) Start(_ context.Context, _ connect.SinkTaskContext, cfg connect.Config) (err error) {
	t.name, t.unflushed = cfg["name"], make(map[connect.TopicPartition][]putRecord)
	t.id, err = integer(cfg, "id", 32)
	return err
}

// Put prints the records.
func (t *verifiableSinkTask) Put(_ context.Context, records []connect.SinkRecord) error {
	now := time.Now().UnixMilli()
	for i := range records {
		r := &records[i]
		put := putRecord{r.Key, r.Value, r.Topic, r.Offset}
		if err := t.out.line(object(t.members(put, now)...)); err != nil {
			return err
		}
		// Java looks under the partition of the record as transformations left it, so that records of another topic are never flushed.
		t.unflushed[r.Origin] = append(t.unflushed[r.Origin], put)
	}
	return nil
}

func (t *verifiableSinkTask) members(r putRecord, now int64) []member {
	return []member{{"task", r.key}, {"seqno", r.value}, {"offset", r.offset}, {"time_ms", now}, {"name", t.name}, {"topic", r.topic}, {"sinkTask", t.id}}
}

// Flush prints the records of the partitions that are committed.
func (t *verifiableSinkTask) Flush(_ context.Context, offsets connect.SinkOffsets) error {
	now := time.Now().UnixMilli()
	for tp := range offsets {
		for _, r := range t.unflushed[tp] {
			if err := t.out.line(object(append(t.members(r, now), member{"flushed", true})...)); err != nil {
				return err
			}
		}
		delete(t.unflushed, tp)
	}
	return nil
}

// Stop does nothing.
func (t *verifiableSinkTask) Stop(context.Context) error { return nil }
