package connecttest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/gokconnect/connect"
)

// SinkHarness is a target that [TestSink] tests a connector with. Its optional interfaces are [SinkReader],
// [SinkBreaker] and [RecordMaker].
type SinkHarness interface {
	// Connector returns a new connector value for the target.
	Connector() connect.SinkConnector
	// Config returns the configuration of the connector.
	Config() connect.Config
}

// SinkReader is an optional interface of a [SinkHarness]. Read returns the values that have arrived in the target, in the
// order of their arrival. They are compared by their text ([connect.FormatValue]). Without it there is no test of
// what arrives.
type SinkReader interface {
	Read(t testing.TB) []any
}

// SinkBreaker is an optional interface of a [SinkHarness]. Break makes the target unreachable, and returns how to make it
// reachable again. Without it there is no test of that.
type SinkBreaker interface {
	Break(t testing.TB) (heal func())
}

// RecordMaker is an optional interface of a [SinkHarness]. Record returns the record with that number, which the sink can
// write; different numbers give different values. Its topic is "t". Without it records are "record 0" and so on, with
// [connect.StringSchema].
type RecordMaker interface {
	Record(n int) connect.Record
}

// TestSink tests a sink connector and its tasks against the contracts of [connect.SinkConnector] and
// [connect.SinkTask]: each subtest is one rule, and gets a fresh target with nothing in it from fresh.
func TestSink(t *testing.T, fresh func(t testing.TB) SinkHarness) {
	t.Helper()
	runChecks(t, fresh, sinkChecks)
}

var sinkChecks = []check[SinkHarness]{
	{"unstarted", "Validate and Health are called on an instance that is not started", sinkUnstarted},
	{"task-configs", "TaskConfigs returns one configuration for each task, at most maxTasks", sinkDivision},
	{"restart", "an instance may be started again after Stop", sinkRestart},
	{"stop-unstarted", "Stop of a task is called exactly once, also when Start failed or panicked", sinkStopUnstarted},
	{"put-empty", "Put is also called when there was nothing to consume", sinkPutEmpty},
	{"put", "after a commit what was put is in the target, in the order of the offsets", sinkPut},
	{"new-task", "a task is created for one run: a restart makes a new one, which adds to what there is", sinkNewTask},
	{"slice", "the slice and the records belong to the task until Put returns", sinkSlice},
	{"values", "values inside records are shared with others, so they are never changed in place", sinkValues},
	{"put-again", "after an error that is retriable the same batch comes again before any other", sinkPutAgain},
	{"pre-commit", "PreCommit returns the offsets behind which everything is durable: none above what it was given", sinkPreCommit},
	{"open-close", "partitions are opened before their records, closed after them, and may come back", sinkOpenClose},
	{"commit-nothing", "offsets are committed now and then, also when nothing was put", sinkCommitNothing},
	{"tombstone", "Value may be nil: it is written, dropped, or refused with an error", sinkTombstone},
	{"committed-offsets", "CommittedOffsets returns the next offset to consume for those of the partitions that the target knows", sinkCommittedOffsets},
	{"unreachable", "records count as delivered only if Put and Flush or PreCommit returned no error", sinkUnreachable},
}

// sinkUnit is a connector with a task.
type sinkUnit struct {
	connector connect.SinkConnector
	cc        *ConnectorContext
	sc        *SinkContext
	task      connect.SinkTask
	put       connect.SinkOffsets
	started   bool
}

var tp0 = connect.TopicPartition{Topic: "t"}

// startSink starts a connector and one task, which is made by another connector value, as on another instance.
func startSink(t testing.TB, h SinkHarness) (*sinkUnit, error) {
	u := &sinkUnit{connector: h.Connector(), cc: NewConnectorContext(t, "test", nil), put: connect.SinkOffsets{}}
	if err := u.connector.Start(t.Context(), u.cc, h.Config()); err != nil {
		return u, fmt.Errorf("Start of the connector: %w", err)
	}
	u.started = true
	configs, err := u.connector.TaskConfigs(t.Context(), 1)
	if err == nil && len(configs) != 1 {
		err = fmt.Errorf("%d configurations, want 1", len(configs))
	}
	if err != nil {
		return u, errors.Join(fmt.Errorf("TaskConfigs: %w", err), u.stop())
	}
	u.sc = NewSinkContext(t, connect.TaskID{Connector: "test"}, configs[0])
	u.task = h.Connector().NewTask()
	if err := u.task.Start(t.Context(), u.sc, maps.Clone(configs[0])); err != nil {
		return u, errors.Join(fmt.Errorf("Start of the task: %w", err), u.stop())
	}
	return u, nil
}

func (u *sinkUnit) stop() error {
	var err error
	if u.task != nil {
		task := u.task
		u.task = nil
		err = soon("Stop", func() error { return task.Stop(context.Background()) })
	}
	u.cc.End()
	if u.started {
		u.started = false
		err = errors.Join(err, soon("Stop", func() error { return u.connector.Stop(context.Background()) }))
	}
	return err
}

// makeRecord returns the record with that number.
func makeRecord(h SinkHarness, n int) connect.Record {
	r := connect.Record{ValueSchema: connect.StringSchema, Value: fmt.Sprintf("record %d", n)}
	if m, ok := h.(RecordMaker); ok {
		r = m.Record(n)
	}
	r.Topic, r.Partition = "t", connect.ToPartition(0)
	if r.Timestamp.IsZero() {
		r.Timestamp = time.UnixMilli(1_700_000_000_000).UTC()
	}
	return r
}

// batch returns the records from..to-1, which have their number as offset.
func batch(h SinkHarness, from, to int) []connect.SinkRecord {
	var out []connect.SinkRecord
	for n := from; n < to; n++ {
		out = append(out, connect.SinkRecord{Record: makeRecord(h, n), TimestampType: connect.CreateTime, Origin: tp0, Offset: int64(n)})
	}
	return out
}

// open tells the task of its partition.
func (u *sinkUnit) open() error {
	u.sc.Consumer().Assign(tp0)
	if o, ok := connect.As[connect.PartitionOpener](u.task); ok {
		return soon("OpenPartitions", func() error { return o.OpenPartitions(context.Background(), []connect.TopicPartition{tp0}) })
	}
	return nil
}

func (u *sinkUnit) close() error {
	defer u.sc.Consumer().Assign()
	if c, ok := connect.As[connect.PartitionCloser](u.task); ok {
		return soon("ClosePartitions", func() error { return c.ClosePartitions(context.Background(), []connect.TopicPartition{tp0}) })
	}
	return nil
}

// write puts records.
func (u *sinkUnit) write(records []connect.SinkRecord) error {
	if err := soon("Put", func() error { return u.task.Put(context.Background(), records) }); err != nil {
		return fmt.Errorf("Put: %w", err)
	}
	for _, r := range records {
		u.put[r.Origin] = r.Offset + 1
	}
	return nil
}

// commit makes what was put durable. A task may answer that only some of it is.
func (u *sinkUnit) commit() (connect.SinkOffsets, error) {
	offsets := maps.Clone(u.put)
	var err error
	if p, ok := connect.As[connect.PreCommitter](u.task); ok {
		err = soon("PreCommit", func() (err error) { offsets, err = p.PreCommit(context.Background(), maps.Clone(u.put)); return err })
	} else if f, ok := connect.As[connect.Flusher](u.task); ok {
		err = soon("Flush", func() error { return f.Flush(context.Background(), maps.Clone(u.put)) })
	}
	if err != nil {
		return nil, fmt.Errorf("commit: %w", err)
	}
	return offsets, nil
}

// session starts a task, opens its partition, runs f, commits, closes and stops.
func session(t testing.TB, h SinkHarness, f func(u *sinkUnit) error) error {
	u, err := startSink(t, h)
	if err != nil {
		return err
	}
	err = u.open()
	if err == nil {
		err = f(u)
	}
	if err == nil {
		_, err = u.commit()
	}
	return errors.Join(err, u.close(), u.stop())
}

// wantRead checks that the target holds the records from..to-1, in order. With repeats a record may come again.
func wantRead(t testing.TB, h SinkHarness, from, to int, repeats bool) error {
	r, ok := h.(SinkReader)
	if !ok {
		return needs("a harness that is a SinkReader")
	}
	var got, want []string
	for _, v := range r.Read(t) {
		text := connect.FormatValue(v)
		if repeats && slices.Contains(got, text) {
			continue
		}
		got = append(got, text)
	}
	for n := from; n < to; n++ {
		want = append(want, connect.FormatValue(makeRecord(h, n).Value))
	}
	if !slices.Equal(got, want) {
		return fmt.Errorf("the target holds %q, want %q", got, want)
	}
	return nil
}

func sinkUnstarted(t testing.TB, h SinkHarness) error {
	return checkUnstarted(t, h.Connector(), h.Config())
}

func sinkDivision(t testing.TB, h SinkHarness) error {
	c, cc := h.Connector(), NewConnectorContext(t, "test", nil)
	if err := c.Start(t.Context(), cc, h.Config()); err != nil {
		return err
	}
	err := checkDivision(t, c)
	cc.End()
	return errors.Join(err, c.Stop(t.Context()))
}

func sinkRestart(t testing.TB, h SinkHarness) error {
	c := h.Connector()
	for range 2 {
		cc := NewConnectorContext(t, "test", nil)
		if err := c.Start(t.Context(), cc, h.Config()); err != nil {
			return fmt.Errorf("Start: %w", err)
		}
		cc.End()
		if err := soon("Stop", func() error { return c.Stop(context.Background()) }); err != nil {
			return err
		}
	}
	return nil
}

func sinkStopUnstarted(_ testing.TB, h SinkHarness) error {
	task := h.Connector().NewTask()
	return soon("Stop", func() error { return task.Stop(context.Background()) })
}

func sinkPutEmpty(t testing.TB, h SinkHarness) error {
	return session(t, h, func(u *sinkUnit) error {
		return errors.Join(u.write(nil), u.write(batch(h, 0, 2)), u.write([]connect.SinkRecord{}))
	})
}

func sinkPut(t testing.TB, h SinkHarness) error {
	err := session(t, h, func(u *sinkUnit) error {
		return errors.Join(u.write(batch(h, 0, 3)), u.write(batch(h, 3, 4)), u.write(batch(h, 4, 20)))
	})
	if err != nil {
		return err
	}
	return wantRead(t, h, 0, 20, false)
}

func sinkNewTask(t testing.TB, h SinkHarness) error {
	for from := range 3 {
		if err := session(t, h, func(u *sinkUnit) error { return u.write(batch(h, from, from+1)) }); err != nil {
			return err
		}
	}
	return wantRead(t, h, 0, 3, false)
}

func sinkSlice(t testing.TB, h SinkHarness) error {
	err := session(t, h, func(u *sinkUnit) error {
		shared := make([]connect.SinkRecord, 1)
		for n := range 5 {
			shared[0] = batch(h, n, n+1)[0]
			if err := u.write(shared); err != nil {
				return err
			}
			shared[0] = connect.SinkRecord{Record: connect.Record{Topic: "t", Value: "reused"}, Origin: tp0, Offset: -1}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return wantRead(t, h, 0, 5, false)
}

func sinkValues(t testing.TB, h SinkHarness) error {
	records := batch(h, 0, 5)
	copies := slices.Clone(records)
	var texts []string
	for i := range copies {
		texts = append(texts, recordText(&copies[i].Record))
	}
	err := session(t, h, func(u *sinkUnit) error { return u.write(records) })
	for i := range copies {
		if text := recordText(&copies[i].Record); text != texts[i] {
			return errors.Join(err, fmt.Errorf("a record was %s, and became %s", texts[i], text))
		}
	}
	return err
}

func sinkPutAgain(t testing.TB, h SinkHarness) error {
	err := session(t, h, func(u *sinkUnit) error {
		return errors.Join(u.write(batch(h, 0, 3)), u.write(batch(h, 0, 3)), u.write(batch(h, 3, 5)))
	})
	if err != nil {
		return err
	}
	return wantRead(t, h, 0, 5, true)
}

func sinkPreCommit(t testing.TB, h SinkHarness) error {
	return session(t, h, func(u *sinkUnit) error {
		for from := 0; from < 9; from += 3 {
			if err := u.write(batch(h, from, from+3)); err != nil {
				return err
			}
			offsets, err := u.commit()
			if err != nil {
				return err
			}
			for tp, offset := range offsets {
				if put, ok := u.put[tp]; !ok || offset > put {
					return fmt.Errorf("PreCommit returned %v for %v; it was given %v", offset, tp, u.put)
				}
			}
		}
		return nil
	})
}

func sinkOpenClose(t testing.TB, h SinkHarness) error {
	err := session(t, h, func(u *sinkUnit) error {
		for n := range 3 {
			if err := u.write(batch(h, n, n+1)); err != nil {
				return err
			}
			if _, err := u.commit(); err != nil {
				return err
			}
			if err := u.close(); err != nil {
				return err
			}
			clear(u.put)
			if err := u.open(); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return wantRead(t, h, 0, 3, false)
}

func sinkCommitNothing(t testing.TB, h SinkHarness) error {
	return session(t, h, func(u *sinkUnit) error {
		_, first := u.commit()
		_, second := u.commit()
		return errors.Join(first, second)
	})
}

func sinkTombstone(t testing.TB, h SinkHarness) error {
	u, err := startSink(t, h)
	if err != nil {
		return err
	}
	err = u.open()
	records := batch(h, 0, 1)
	records[0].ValueSchema, records[0].Value = nil, nil
	err = errors.Join(err, soon("Put", func() error {
		_ = u.task.Put(context.Background(), records) // an error is an answer too, a panic is not
		return nil
	}))
	return errors.Join(err, u.close(), u.stop())
}

func sinkCommittedOffsets(t testing.TB, h SinkHarness) error {
	if _, ok := connect.As[connect.TransactionalSink](h.Connector().NewTask()); !ok {
		return needs("a task that is a TransactionalSink")
	}
	if err := session(t, h, func(u *sinkUnit) error { return u.write(batch(h, 0, 4)) }); err != nil {
		return err
	}
	return session(t, h, func(u *sinkUnit) error {
		s, _ := connect.As[connect.TransactionalSink](u.task)
		unknown := connect.TopicPartition{Topic: "t", Partition: 99}
		offsets, err := s.CommittedOffsets(t.Context(), []connect.TopicPartition{tp0, unknown})
		if err != nil {
			return err
		}
		if want := (connect.SinkOffsets{tp0: 4}); !maps.Equal(offsets, want) {
			return fmt.Errorf("the offsets are %v, want %v", offsets, want)
		}
		return nil
	})
}

func sinkUnreachable(t testing.TB, h SinkHarness) error {
	b, ok := h.(SinkBreaker)
	if !ok {
		return needs("a harness that is a SinkBreaker")
	}
	if err := session(t, h, func(u *sinkUnit) error { return u.write(batch(h, 0, 2)) }); err != nil {
		return err
	}
	heal := b.Break(t)
	next := 2
	u, err := startSink(t, h)
	if err == nil {
		err = u.open()
		if err == nil {
			err = u.write(batch(h, 2, 4))
		}
		var durable connect.SinkOffsets
		if err == nil {
			durable, err = u.commit()
		}
		if err == nil && durable[tp0] > 2 {
			next = int(durable[tp0]) // it says so: the records must be there later
		}
		u.close() // may fail too
		_ = soon("Stop", func() error { u.stop(); return nil })
	}
	heal()
	if err := session(t, h, func(u *sinkUnit) error { return u.write(batch(h, next, 6)) }); err != nil {
		return err
	}
	return wantRead(t, h, 0, 6, true)
}
