package connecttest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/gokconnect/connect"
)

// SourceHarness is a source that [TestSource] tests a connector with. Its optional interface is [SourceBreaker].
type SourceHarness interface {
	// Connector returns a new connector value for the source.
	Connector() connect.SourceConnector
	// Config returns the configuration of the connector.
	Config() connect.Config
	// Add makes the source give n more records. What it adds while tasks run, they have to find without being
	// divided anew.
	Add(t testing.TB, n int)
}

// SourceBreaker is an optional interface of a [SourceHarness]. Break makes the source unreachable, and returns how to make
// it reachable again. Without it there is no test of that.
type SourceBreaker interface {
	Break(t testing.TB) (heal func())
}

// TestSource tests a source connector and its tasks against the contracts of [connect.SourceConnector] and
// [connect.SourceTask]: each subtest is one rule, and gets a fresh source with nothing in it from fresh.
func TestSource(t *testing.T, fresh func(t testing.TB) SourceHarness) {
	t.Helper()
	runChecks(t, fresh, sourceChecks)
}

var sourceChecks = []check[SourceHarness]{
	{"unstarted", "Validate, Health, ExactlyOnceSupport and CanDefineTransactionBoundaries are called on an instance that is not started", sourceUnstarted},
	{"task-configs", "TaskConfigs returns one configuration for each task, at most maxTasks", sourceDivision},
	{"restart", "an instance may be started again after Stop", sourceRestart},
	{"stop-unstarted", "Stop of a task is called exactly once, also when Start failed or panicked", sourceStopUnstarted},
	{"stop-after-failed-start", "Stop of a task is called exactly once, also when Start failed or panicked", sourceStopFailed},
	{"new-task", "NewTask is called possibly on a connector value that was never started, and its tasks return all records", sourceAll},
	{"poll-ends", "Poll returns soon after ctx is done, with or without an error", sourcePollEnds},
	{"poll-done", "records that Poll returns after ctx is done are still delivered: none may be lost", sourcePollDone},
	{"records-given-up", "what the records refer to belongs to the runtime for ever", sourceGivenUp},
	{"records-valid", "Topic is required; keys, values and headers match their schemas; no record is a batch of records while that is not allowed", sourceValid},
	{"fields-primitive", "a source partition and a source offset hold primitive values only", sourcePrimitive},
	{"offset-fixed", "Fields is called on another goroutine than Poll, so the offset must not change", sourceOffsetFixed},
	{"resume", "SourceOffset is where to go on after the record", sourceResume},
	{"commit", "CommitRecord and Commit may be called concurrently with Poll; metadata is nil for a record that was filtered", sourceCommit},
	{"alter-offsets", "AlterOffsets hears of offsets while the connector is stopped, and may be called more than once for the same alteration", sourceAlter},
	{"unreachable", "an error of Poll or Start leaves the source where it was: nothing is lost when it can be reached again", sourceUnreachable},
}

// byPartition returns the records' text, by source partition.
func byPartition(records []connect.SourceRecord) (map[string][]string, error) {
	out := make(map[string][]string)
	for i := range records {
		partition, err := stored(records[i].SourcePartition)
		if err != nil {
			return nil, err
		}
		r := records[i].Record
		r.Timestamp = time.Time{} // may be when it was read
		out[fieldsKey(partition)] = append(out[fieldsKey(partition)], recordText(&r))
	}
	return out, nil
}

// storeOffsets stores the offsets of records, in order.
func storeOffsets(offsets *Offsets, records []connect.SourceRecord) error {
	for i := range records {
		if records[i].SourceOffset == nil {
			return needs("records with a source offset")
		}
		if err := offsets.Set(records[i].SourcePartition, records[i].SourceOffset.Fields()); err != nil {
			return err
		}
	}
	return nil
}

func sourceUnstarted(t testing.TB, h SourceHarness) error {
	c := h.Connector()
	if err := checkUnstarted(t, c, h.Config()); err != nil {
		return err
	}
	if e, ok := connect.As[connect.ExactlyOnceReporter](c); ok {
		if _, err := e.ExactlyOnceSupport(h.Config()); err != nil {
			return fmt.Errorf("ExactlyOnceSupport: %w", err)
		}
	}
	if d, ok := connect.As[connect.TransactionDefiner](c); ok {
		if _, err := d.CanDefineTransactionBoundaries(h.Config()); err != nil {
			return fmt.Errorf("CanDefineTransactionBoundaries: %w", err)
		}
	}
	return nil
}

func sourceDivision(t testing.TB, h SourceHarness) error {
	c, cc := h.Connector(), NewConnectorContext(t, "test", new(Offsets))
	if err := c.Start(t.Context(), cc, h.Config()); err != nil {
		return err
	}
	err := checkDivision(t, c)
	cc.End()
	return errors.Join(err, c.Stop(t.Context()))
}

func sourceRestart(t testing.TB, h SourceHarness) error {
	c := h.Connector()
	for range 2 {
		cc := NewConnectorContext(t, "test", new(Offsets))
		if err := c.Start(t.Context(), cc, h.Config()); err != nil {
			return fmt.Errorf("Start: %w", err)
		}
		if _, err := c.TaskConfigs(t.Context(), 1); err != nil {
			return fmt.Errorf("TaskConfigs: %w", err)
		}
		cc.End()
		if err := soon("Stop", func() error { return c.Stop(context.Background()) }); err != nil {
			return err
		}
	}
	return nil
}

func sourceStopUnstarted(_ testing.TB, h SourceHarness) error {
	task := h.Connector().NewTask()
	return soon("Stop", func() error { return task.Stop(context.Background()) })
}

func sourceStopFailed(t testing.TB, h SourceHarness) error {
	h.Add(t, 1) // a source with nothing in it may have no task
	c, offsets := h.Connector(), new(Offsets)
	cc := NewConnectorContext(t, "test", offsets)
	if err := c.Start(t.Context(), cc, h.Config()); err != nil {
		return err
	}
	configs, err := c.TaskConfigs(t.Context(), 1)
	if err != nil {
		return err
	}
	if len(configs) == 0 {
		return needs("a task")
	}
	offsets.Fail(errors.New("offsets can't be read"))
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	task := h.Connector().NewTask()
	// Whether Start fails with this is its own business.
	tc := NewSourceContext(t, connect.TaskID{Connector: "test"}, configs[0], offsets)
	if err := soon("Start", func() error { _ = task.Start(ended, tc, configs[0]); return nil }); err != nil {
		return err
	}
	err = soon("Stop", func() error { return task.Stop(context.Background()) })
	cc.End()
	return errors.Join(err, c.Stop(t.Context()))
}

func sourceAll(t testing.TB, h SourceHarness) error {
	h.Add(t, 20)
	_, err := runSource(t, h, new(Offsets), 20, nil)
	return err
}

func sourcePollEnds(t testing.TB, h SourceHarness) error {
	u, err := startSource(t, h, new(Offsets))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	var polls sync.WaitGroup
	for _, task := range u.tasks {
		polls.Go(func() {
			for ctx.Err() == nil {
				if _, err := task.Poll(ctx); err != nil && ctx.Err() == nil {
					return
				}
			}
		})
	}
	cancel(connect.ErrStopping)
	err = soon("Poll", func() error { polls.Wait(); return nil })
	return errors.Join(err, u.stop())
}

func sourcePollDone(t testing.TB, h SourceHarness) error {
	const n = 10
	h.Add(t, n)
	offsets := new(Offsets)
	u, err := startSource(t, h, offsets)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(connect.ErrStopping)
	var got []connect.SourceRecord
	for _, task := range u.tasks {
		err = errors.Join(err, soon("Poll", func() error {
			batch, _ := task.Poll(ctx)
			got = append(got, batch...)
			return nil
		}))
	}
	if err = errors.Join(err, u.stop()); err != nil {
		return err
	}
	if err := storeOffsets(offsets, got); err != nil {
		return err
	}
	_, err = runSource(t, h, offsets, n-len(got), nil)
	if err != nil {
		return fmt.Errorf("of %d records %d came from a Poll whose context was done; after a restart: %w", n, len(got), err)
	}
	return nil
}

func sourceGivenUp(t testing.TB, h SourceHarness) error {
	h.Add(t, 5) // first, since a source with nothing in it may have no task
	u, err := startSource(t, h, new(Offsets))
	if err != nil {
		return err
	}
	var kept []connect.SourceRecord
	var texts []string
	for i := range 5 {
		if i > 0 {
			h.Add(t, 5)
		}
		records, err := u.take(5, func(_ connect.SourceTask, batch []connect.SourceRecord) error { return nil })
		if err != nil {
			return errors.Join(err, u.stop())
		}
		for _, r := range records {
			kept = append(kept, r)
			texts = append(texts, recordText(&r.Record)+fmt.Sprint(r.SourcePartition))
		}
	}
	err = u.stop()
	for i := range kept {
		if text := recordText(&kept[i].Record) + fmt.Sprint(kept[i].SourcePartition); text != texts[i] {
			return errors.Join(err, fmt.Errorf("record %d was %s, and became %s", i, texts[i], text))
		}
	}
	return err
}

func sourceValid(t testing.TB, h SourceHarness) error {
	h.Add(t, 10)
	records, err := runSource(t, h, new(Offsets), 10, nil)
	if err != nil {
		return err
	}
	if _, err := permitted(records, false); err != nil {
		return err
	}
	for i, r := range records {
		if r.Topic == "" {
			return fmt.Errorf("record %d has no topic", i)
		}
		err := errors.Join(checkSchema("the key", r.KeySchema, r.Key), checkSchema("the value", r.ValueSchema, r.Value))
		for _, header := range r.Headers {
			err = errors.Join(err, checkSchema("header "+header.Key, header.Schema, header.Value))
		}
		if err != nil {
			return fmt.Errorf("record %d: %w", i, err)
		}
	}
	return nil
}

func sourcePrimitive(t testing.TB, h SourceHarness) error {
	h.Add(t, 3)
	records, err := runSource(t, h, new(Offsets), 3, nil)
	if err != nil {
		return err
	}
	for i, r := range records {
		if _, err := stored(r.SourcePartition); err != nil {
			return fmt.Errorf("source partition of record %d: %w", i, err)
		}
		if r.SourceOffset == nil {
			continue
		}
		if _, err := stored(r.SourceOffset.Fields()); err != nil {
			return fmt.Errorf("source offset of record %d: %w", i, err)
		}
	}
	return nil
}

func sourceOffsetFixed(t testing.TB, h SourceHarness) error {
	h.Add(t, 30)
	var mu sync.Mutex
	var offsets []connect.SourceOffset
	var first []connect.Fields
	var readers sync.WaitGroup
	_, err := runSource(t, h, new(Offsets), 30, func(_ connect.SourceTask, batch []connect.SourceRecord) error {
		mu.Lock()
		defer mu.Unlock()
		for _, r := range batch {
			if r.SourceOffset != nil {
				offsets, first = append(offsets, r.SourceOffset), append(first, maps.Clone(r.SourceOffset.Fields()))
				readers.Go(func() { _ = r.SourceOffset.Fields() }) // the race detector sees what is wrong
			}
		}
		return nil
	})
	readers.Wait()
	for i := range offsets {
		if now := offsets[i].Fields(); !reflect.DeepEqual(now, first[i]) {
			return errors.Join(err, fmt.Errorf("an offset was %v, and became %v", first[i], now))
		}
	}
	return err
}

func sourceResume(t testing.TB, h SourceHarness) error {
	const n = 7
	h.Add(t, n)
	all, err := runSource(t, h, new(Offsets), n, nil)
	if err != nil {
		return err
	}
	for k := range n {
		offsets := new(Offsets)
		if err := storeOffsets(offsets, all[:k]); err != nil {
			return err
		}
		want, err := byPartition(all[k:])
		if err != nil {
			return err
		}
		records, err := runSource(t, h, offsets, n-k, nil)
		if err != nil {
			return fmt.Errorf("resumed behind record %d of %d: %w", k, n, err)
		}
		got, err := byPartition(records)
		if err != nil {
			return err
		}
		if !maps.EqualFunc(got, want, slices.Equal) {
			return fmt.Errorf("resumed behind record %d of %d: got %v, want %v", k, n, got, want)
		}
	}
	offsets := new(Offsets)
	if err := storeOffsets(offsets, all); err != nil {
		return err
	}
	h.Add(t, 2)
	if _, err := runSource(t, h, offsets, 2, nil); err != nil {
		return fmt.Errorf("resumed behind all %d records, with 2 new ones: %w", n, err)
	}
	return nil
}

func sourceCommit(t testing.TB, h SourceHarness) error {
	h.Add(t, 20)
	var committing sync.WaitGroup
	var turn, mu sync.Mutex
	var errs []error
	filtered := false
	_, err := runSource(t, h, new(Offsets), 20, func(task connect.SourceTask, batch []connect.SourceRecord) error {
		records, _ := connect.As[connect.RecordCommitter](task)
		commits, _ := connect.As[connect.BatchCommitter](task)
		batch = slices.Clone(batch)
		turn.Lock()
		defer turn.Unlock()
		committing.Wait() // the two are not called concurrently with themselves
		committing.Go(func() {
			err := guard("CommitRecord", func() error {
				for i := range batch {
					if records == nil {
						break
					}
					m := &connect.RecordMetadata{Topic: batch[i].Topic, Offset: int64(i)}
					if filtered = !filtered; filtered {
						m = nil
					}
					if err := records.CommitRecord(context.Background(), &batch[i], m); err != nil {
						return fmt.Errorf("CommitRecord: %w", err)
					}
				}
				if commits != nil {
					return commits.Commit(context.Background())
				}
				return nil
			})
			mu.Lock()
			defer mu.Unlock()
			errs = append(errs, err)
		})
		return nil
	})
	committing.Wait()
	return errors.Join(append(errs, err)...)
}

func sourceAlter(t testing.TB, h SourceHarness) error {
	a, ok := connect.As[connect.OffsetAlterer](h.Connector())
	if !ok {
		return needs("a connector that is an OffsetAlterer")
	}
	h.Add(t, 3)
	records, err := runSource(t, h, new(Offsets), 3, nil)
	if err != nil {
		return err
	}
	offsets := new(Offsets)
	if err := storeOffsets(offsets, records); err != nil {
		return err
	}
	all := offsets.All()
	for range 2 {
		if err := a.AlterOffsets(t.Context(), h.Config(), all); err != nil {
			return fmt.Errorf("the offsets that it gave itself: %w", err)
		}
	}
	for i := range all {
		all[i].Offset = nil
	}
	if err := a.AlterOffsets(t.Context(), h.Config(), all); err != nil {
		return fmt.Errorf("removal of all offsets: %w", err)
	}
	return nil
}

func sourceUnreachable(t testing.TB, h SourceHarness) error {
	b, ok := h.(SourceBreaker)
	if !ok {
		return needs("a harness that is a SourceBreaker")
	}
	h.Add(t, 6)
	offsets := new(Offsets)
	heal := b.Break(t)
	var got []connect.SourceRecord
	if u, err := startSource(t, h, offsets); err == nil {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		for _, task := range u.tasks {
			err = errors.Join(err, soon("Poll", func() error {
				batch, _ := task.Poll(ctx)
				got = append(got, batch...)
				return nil
			}))
		}
		if err = errors.Join(err, u.stop()); err != nil {
			return err
		}
	}
	heal()
	if err := storeOffsets(offsets, got); err != nil {
		return err
	}
	_, err := runSource(t, h, offsets, 6-len(got), nil)
	return err
}
