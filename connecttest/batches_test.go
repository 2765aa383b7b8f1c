package connecttest

import (
	"context"
	"encoding/binary"
	"hash/crc32"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gokconnect/connect"
)

// batchSource is a source whose task returns a record, then a batch of two and one of three, if it is told that it may, or ignores that.
type batchSource struct {
	ignores   bool
	change    func(*connect.SourceRecord)
	committed []*connect.RecordMetadata
}

func (*batchSource) Start(context.Context, connect.ConnectorContext, connect.Config) error {
	return nil
}
func (*batchSource) Stop(context.Context) error { return nil }
func (*batchSource) TaskConfigs(context.Context, int) ([]connect.Config, error) {
	return []connect.Config{{}}, nil
}
func (s *batchSource) NewTask() connect.SourceTask { return &batchSourceTask{batchSource: s} }

type batchSourceTask struct {
	*batchSource
	forwarder connect.BatchForwarder
	polls     int
}

func (t *batchSourceTask) Start(_ context.Context, tc connect.SourceTaskContext, _ connect.Config) error {
	t.forwarder, _ = connect.As[connect.BatchForwarder](tc)
	return nil
}

func (t *batchSourceTask) Poll(ctx context.Context) ([]connect.SourceRecord, error) {
	r := connect.SourceRecord{Record: connect.Record{Topic: "t", Value: "single", Timestamp: time.UnixMilli(7)}, SourcePartition: connect.Fields{"p": 0}, SourceOffset: connect.Fields{"n": 1}}
	if !t.forwarder.ForwardsBatches(true) && !t.ignores || t.polls > 0 {
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
		return nil, nil
	}
	t.polls++
	records := []connect.SourceRecord{r}
	for n := int64(2); n <= 3; n++ {
		r.Partition, r.Value, r.SourceOffset = connect.ToPartition(0), recordBatch(int(n)), connect.Fields{"n": 2*n - 1}
		if n == 3 && t.change != nil {
			t.change(&r)
		}
		records = append(records, r)
	}
	return records, nil
}

func (t *batchSourceTask) CommitRecord(_ context.Context, _ *connect.SourceRecord, m *connect.RecordMetadata) error {
	t.committed = append(t.committed, m)
	return nil
}

// recordBatch returns the header of a batch.
func recordBatch(records int) connect.RecordBatch {
	b := make([]byte, 61)
	b[16] = 2
	binary.BigEndian.PutUint32(b[8:], uint32(len(b)-12))
	binary.BigEndian.PutUint64(b[35:], 1234)
	binary.BigEndian.PutUint32(b[57:], uint32(records))
	binary.BigEndian.PutUint32(b[17:], crc32.Checksum(b[21:], crc32.MakeTable(crc32.Castagnoli)))
	return connect.RecordBatch{Bytes: b, Records: records}
}

// TestBatches: tasks are told what the test says, at any time, and what they return then is delivered.
func TestBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := new(batchSource)
		run := RunSource(t, s, nil)
		time.Sleep(10 * time.Second)
		if n := len(run.Pending()); n > 0 {
			t.Errorf("%d records before batches are allowed", n)
		}
		run.Batches.Allow(true)
		records := run.Take(3)
		if b, ok := records[2].Value.(connect.RecordBatch); !ok || b.Records != 3 {
			t.Errorf("the last one is %v", records[2].Value)
		}
		run.Stop()
		if got := run.Offsets.All(); len(got) != 1 || got[0].Offset["n"] != int64(5) {
			t.Errorf("stored %v", got)
		}
		var times []int64
		for _, m := range s.committed {
			times = append(times, m.Timestamp.UnixMilli())
		}
		if !slices.Equal(times, []int64{7, 1234, 1234}) {
			t.Errorf("times %v", times)
		}
	})
}

// TestBatchesThatMayNotBe fail the task as they do in a runtime; what came before them is delivered.
func TestBatchesThatMayNotBe(t *testing.T) {
	for _, c := range []struct {
		name, says string
		allow      bool
		before     int
		change     func(*connect.SourceRecord)
	}{
		{"not allowed", "record 1 of Poll is a batch of records, and no BatchForwarder said that it may be one", false, 1, nil},
		{"a pointer", "not a pointer", true, 2, func(r *connect.SourceRecord) {
			b := r.Value.(connect.RecordBatch)
			r.Value = &b
		}},
		{"corrupt", "record 2 of Poll, a batch of records for topic t: the batch is corrupt", true, 2, func(r *connect.SourceRecord) { r.Value.(connect.RecordBatch).Bytes[40] ^= 1 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				run := RunSource(t, &batchSource{ignores: !c.allow, change: c.change}, nil)
				if c.allow {
					run.Batches.Allow(true)
				}
				if err := run.AwaitError(); !strings.Contains(err.Error(), c.says) || connect.IsFatal(err) == (c.name == "corrupt") {
					t.Errorf("got %v", err)
				}
				if got := run.Pending(); len(got) != c.before {
					t.Errorf("%d records before it", len(got))
				}
			})
		})
	}
}

// TestSourceContextForwards: the context answers as its Batches say, and no without them.
func TestSourceContextForwards(t *testing.T) {
	c := NewSourceContext(t, connect.TaskID{}, nil, nil)
	forwarder, ok := connect.As[connect.BatchForwarder](connect.SourceTaskContext(c))
	if !ok {
		t.Fatal("it is no BatchForwarder")
	}
	want := func(plain, headers bool, least int) {
		t.Helper()
		if got := forwarder.ForwardsBatches(false); got != plain {
			t.Errorf("without headers: %v", got)
		}
		if got := forwarder.ForwardsBatches(true); got != headers {
			t.Errorf("with headers: %v", got)
		}
		if got := forwarder.LeastBatch(); got != least {
			t.Errorf("least %d", got)
		}
	}
	want(false, false, 0)
	c.Batches.Allow(false)
	c.Batches.SetLeast(10)
	want(true, false, 10)
	c.Batches.Allow(true)
	want(true, true, 10)
	c.Batches.Forbid()
	want(false, false, 10)
	c.Batches = nil
	want(false, false, 0)
}
