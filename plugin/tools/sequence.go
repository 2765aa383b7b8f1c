package tools

import (
	"context"
	"fmt"
	"time"

	"github.com/gokconnect/connect"
)

// sequence is what the sources that number their records have in common: the task goes on behind the stored number.
type sequence struct {
	id        int32
	topic     string
	partition connect.Fields
	next      int64 // the number of the next record
	pace      pace
}

// number is a source offset.
type number int64

// Fields returns the offset as it is stored.
func (n number) Fields() connect.Fields { return connect.Fields{"seqno": int64(n)} }

func (s *sequence) start(ctx context.Context, tc connect.SourceTaskContext, cfg connect.Config) error {
	id, err := integer(cfg, "id", 32)
	if err != nil {
		return err
	}
	throughput, err := integer(cfg, "throughput", 64)
	if err != nil {
		return err
	}
	*s = sequence{id: int32(id), topic: cfg["topic"], partition: connect.Fields{"id": id}}
	stored, err := tc.Offsets().Offset(ctx, s.partition)
	if err != nil {
		return fmt.Errorf("stored offset: %w", err)
	}
	if stored != nil {
		n, ok := stored["seqno"].(int64)
		if !ok {
			return connect.DataErrorf("stored offset %v of task %v has no whole number seqno", stored, tc.ID())
		}
		s.next = n + 1
	}
	s.pace = pace{perSecond: throughput, began: time.Now()}
	tc.Logger().Info("started", "topic", s.topic, "seqno", s.next)
	return nil
}

// record returns the next record, with neither key nor value.
func (s *sequence) record() connect.SourceRecord {
	r := connect.SourceRecord{Record: connect.Record{Topic: s.topic}, SourcePartition: s.partition, SourceOffset: number(s.next)}
	s.next++
	return r
}
