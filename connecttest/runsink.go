package connecttest

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/gokconnect/connect"
)

// SinkRun is a sink connector that runs with one task: see [RunSink]. Its methods are called from one goroutine, and
// call the task on it.
type SinkRun struct {
	// Context is the context of the task that runs.
	Context *SinkContext
	// Committed are the offsets that were committed. They stay when the run is restarted.
	Committed connect.SinkOffsets

	t         testing.TB
	connector connect.SinkConnector
	config    connect.Config
	cc        *ConnectorContext
	task      connect.SinkTask
	put       connect.SinkOffsets // behind the last record that was put, by partition
	next      connect.SinkOffsets // the offset of the next record that has none
}

// RunSink starts a sink connector with its first task, as a runtime would do it with that configuration. It stops
// with the test.
//
//	run := connecttest.RunSink(t, audit.New(db), connect.Config{"topics": "orders"})
//	run.Put(connect.Record{Topic: "orders", Value: "x"})
//	run.Commit()
func RunSink(t testing.TB, c connect.SinkConnector, cfg connect.Config) *SinkRun {
	t.Helper()
	r := &SinkRun{t: t, connector: c, config: cfg, Committed: connect.SinkOffsets{}, next: connect.SinkOffsets{}}
	t.Cleanup(r.Stop)
	r.Start()
	return r
}

// Start starts the run again after [SinkRun.Stop]. It fails the test if the connector or task can't be started.
func (r *SinkRun) Start() {
	r.t.Helper()
	if err := r.TryStart(); err != nil {
		r.t.Fatalf("start sink: %v", err)
	}
}

// TryStart is Start for tests of a connector that can't be started: it returns the error, with everything stopped.
func (r *SinkRun) TryStart() error {
	if r.task != nil {
		return connect.ErrIllegalState
	}
	ctx := context.Background()
	cc := NewConnectorContext(r.t, "test", nil)
	if err := guard("Connector.Start", func() error { return r.connector.Start(ctx, cc, maps.Clone(r.config)) }); err != nil {
		cc.End()
		return err
	}
	var configs []connect.Config
	err := guard("Connector.TaskConfigs", func() (err error) {
		configs, err = r.connector.TaskConfigs(ctx, maxTasks(r.t, r.config))
		return err
	})
	if err == nil && len(configs) == 0 {
		err = errors.New("the connector has no tasks")
	}
	r.cc, r.put = cc, connect.SinkOffsets{}
	if err == nil {
		r.Context = NewSinkContext(r.t, connect.TaskID{Connector: "test"}, configs[0])
		r.task = r.connector.NewTask()
		err = guard("SinkTask.Start", func() error { return r.task.Start(ctx, r.Context, maps.Clone(configs[0])) })
	}
	if err != nil {
		return errors.Join(err, r.stop())
	}
	return nil
}

// Put puts records into the task, and fails the test if it fails. A record's Partition is 0 unless it is set; offsets
// count from 0 in each partition. Partitions are opened when they first come.
func (r *SinkRun) Put(records ...connect.Record) {
	r.t.Helper()
	if err := r.TryPut(records...); err != nil {
		r.t.Fatalf("put: %v", err)
	}
}

// TryPut is Put for tests of a task that fails: it returns the error. The offsets of the records then don't count as
// put, so that they can be put again with the same offsets.
func (r *SinkRun) TryPut(records ...connect.Record) error {
	r.t.Helper()
	next := maps.Clone(r.next)
	batch := make([]connect.SinkRecord, len(records))
	var opened []connect.TopicPartition
	for i, rec := range records {
		n, _ := rec.Partition.Get()
		rec.Partition = connect.ToPartition(n)
		tp := connect.TopicPartition{Topic: rec.Topic, Partition: n}
		if rec.Timestamp.IsZero() {
			rec.Timestamp = time.UnixMilli(time.Now().UnixMilli()).UTC()
		}
		batch[i] = connect.SinkRecord{Record: rec, TimestampType: connect.CreateTime, Origin: tp, Offset: next[tp]}
		next[tp]++
		if _, ok := r.put[tp]; !ok && !slices.Contains(opened, tp) {
			opened = append(opened, tp)
		}
	}
	if err := r.open(opened); err != nil {
		return err
	}
	if err := guard("SinkTask.Put", func() error { return r.task.Put(context.Background(), batch) }); err != nil {
		return err
	}
	for i := range records {
		n, _ := records[i].Partition.Get()
		tp := connect.TopicPartition{Topic: records[i].Topic, Partition: n}
		r.next[tp] = next[tp]
		r.put[tp] = next[tp]
	}
	return nil
}

// open makes partitions the task's.
func (r *SinkRun) open(partitions []connect.TopicPartition) error {
	if len(partitions) == 0 {
		return nil
	}
	slices.SortFunc(partitions, comparePartitions)
	for _, tp := range partitions {
		r.put[tp] = r.next[tp]
	}
	r.Context.Consumer().Assign(slices.Collect(maps.Keys(r.put))...)
	if o, ok := connect.As[connect.PartitionOpener](r.task); ok {
		return guard("OpenPartitions", func() error { return o.OpenPartitions(context.Background(), partitions) })
	}
	return nil
}

// Commit commits offsets as a runtime does, and fails the test if the task can't.
func (r *SinkRun) Commit() {
	r.t.Helper()
	if err := r.TryCommit(); err != nil {
		r.t.Fatalf("commit: %v", err)
	}
}

// TryCommit is Commit for tests of a task that fails: it returns the error, with nothing committed.
func (r *SinkRun) TryCommit() error {
	ctx := context.Background()
	offsets := maps.Clone(r.put)
	var err error
	if p, ok := connect.As[connect.PreCommitter](r.task); ok {
		err = guard("PreCommit", func() error { offsets, err = p.PreCommit(ctx, maps.Clone(r.put)); return err })
	} else if f, ok := connect.As[connect.Flusher](r.task); ok {
		err = guard("Flush", func() error { return f.Flush(ctx, maps.Clone(r.put)) })
	}
	if err != nil {
		return err
	}
	for tp, offset := range offsets {
		if put, ok := r.put[tp]; ok && offset <= put {
			r.Committed[tp] = offset
		}
	}
	return nil
}

// Stop commits, closes the partitions and stops the task and the connector. It does nothing if they are stopped.
func (r *SinkRun) Stop() {
	r.t.Helper()
	if r.task == nil {
		return
	}
	partitions := slices.SortedFunc(maps.Keys(r.put), comparePartitions)
	var err error
	if len(partitions) > 0 {
		err = r.TryCommit()
		if c, ok := connect.As[connect.PartitionCloser](r.task); ok {
			err = errors.Join(err, guard("ClosePartitions", func() error { return c.ClosePartitions(context.Background(), partitions) }))
		}
	}
	if err = errors.Join(err, r.stop()); err != nil {
		r.t.Errorf("stop sink: %v", err)
	}
}

func (r *SinkRun) stop() error {
	var err error
	if task := r.task; task != nil {
		err = guard("SinkTask.Stop", func() error { return task.Stop(context.Background()) })
	}
	r.task = nil
	r.cc.End()
	return errors.Join(err, guard("Connector.Stop", func() error { return r.connector.Stop(context.Background()) }))
}

// Restart stops the run and starts it again.
func (r *SinkRun) Restart() {
	r.t.Helper()
	r.Stop()
	r.Start()
}

// maxTasks returns the value of tasks.max, or 1.
func maxTasks(t testing.TB, cfg connect.Config) int {
	t.Helper()
	text, ok := cfg["tasks.max"]
	if !ok {
		return 1
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("tasks.max is %q: want a number from 1 on", text)
	}
	return n
}
