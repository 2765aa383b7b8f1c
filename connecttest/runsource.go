package connecttest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"runtime/debug"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/gokconnect/connect"
)

// SourceRun is a source connector that runs with its tasks: see [RunSource].
type SourceRun struct {
	// Offsets are the stored offsets. They stay when the run is restarted.
	Offsets *Offsets
	// Batches says which batches of records the tasks may return: none before [Batches.Allow].
	Batches *Batches

	t         testing.TB
	connector connect.SourceConnector
	config    connect.Config
	maxTasks  int

	stop func() error // stops the run; nil while it is stopped

	mu      sync.Mutex
	records []connect.SourceRecord // not taken yet
	failed  error
	configs []connect.Config
	arrived chan struct{} // holds a signal that something above changed
}

// RunSource starts a source connector with its tasks, as a runtime would do it with that configuration; the key
// tasks.max counts, and is 1 without it. Every record counts as acknowledged as soon as a task returned it: its offset
// is stored, and the task's optional interfaces are called. When the connector asks for it the tasks are configured
// anew. A batch of records is one record, and fails its task where it would in a runtime: see [connect.RecordBatch]. The run stops with the test.
//
//	run := connecttest.RunSource(t, orders.New(db), connect.Config{"topic": "orders"})
//	records := run.Take(3)
//	run.Restart() // goes on behind the third record
func RunSource(t testing.TB, c connect.SourceConnector, cfg connect.Config) *SourceRun {
	t.Helper()
	r := &SourceRun{Offsets: new(Offsets), Batches: new(Batches), t: t, connector: c, config: cfg, maxTasks: maxTasks(t, cfg), arrived: make(chan struct{}, 1)}
	t.Cleanup(r.Stop)
	r.Start()
	return r
}

// Start starts the run again after [SourceRun.Stop]. It fails the test if the connector can't be started.
func (r *SourceRun) Start() {
	r.t.Helper()
	if err := r.TryStart(); err != nil {
		r.t.Fatalf("start connector: %v", err)
	}
}

// TryStart is Start for tests of a connector that can't be started: it returns the error.
func (r *SourceRun) TryStart() error {
	if r.stop != nil {
		return connect.ErrIllegalState
	}
	r.mu.Lock()
	r.failed = nil
	r.mu.Unlock()
	cc := NewConnectorContext(r.t, "test", r.Offsets)
	cc.raised = func(err error) { r.fail(fmt.Errorf("raised by the connector: %w", err)) }
	if err := guard("Connector.Start", func() error { return r.connector.Start(r.t.Context(), cc, maps.Clone(r.config)) }); err != nil {
		cc.End()
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- r.supervise(cc) }()
	r.stop = func() error {
		cc.End()
		return <-ended
	}
	return nil
}

// Stop stops the tasks and the connector. It does nothing if they are stopped.
func (r *SourceRun) Stop() {
	r.t.Helper()
	if r.stop == nil {
		return
	}
	if err := r.stop(); err != nil {
		r.t.Errorf("stop connector: %v", err)
	}
	r.stop = nil
}

// Restart stops the run and starts it again. Records that were not taken yet stay to be taken.
func (r *SourceRun) Restart() {
	r.t.Helper()
	r.Stop()
	r.Start()
}

// Take waits for n records, and returns them in the order of their arrival. It fails the test if a task fails before, or
// if they don't come within [Timeout].
func (r *SourceRun) Take(n int) []connect.SourceRecord {
	r.t.Helper()
	var taken []connect.SourceRecord
	err := r.await(func() (bool, error) {
		if len(r.records) < n {
			return false, r.failed
		}
		taken = slices.Clone(r.records[:n])
		r.records = slices.Clone(r.records[n:])
		return true, nil
	})
	if err != nil {
		r.mu.Lock()
		got := len(r.records)
		r.mu.Unlock()
		r.t.Fatalf("wait for %d records, got %d: %v", n, got, err)
	}
	return taken
}

// Pending returns the records that arrived and were not taken yet, and leaves them.
func (r *SourceRun) Pending() []connect.SourceRecord {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.records)
}

// AwaitError waits until the connector or one of its tasks fails, and returns why. It fails the test if nothing fails
// within [Timeout].
func (r *SourceRun) AwaitError() error {
	r.t.Helper()
	var failed error
	if err := r.await(func() (bool, error) { failed = r.failed; return failed != nil, nil }); err != nil {
		r.t.Fatalf("wait for an error: %v", err)
	}
	return failed
}

// AwaitTasks waits until the connector has been divided into n tasks, and returns their configurations.
func (r *SourceRun) AwaitTasks(n int) []connect.Config {
	r.t.Helper()
	var configs []connect.Config
	if err := r.await(func() (bool, error) { configs = r.configs; return len(configs) == n, r.failed }); err != nil {
		r.t.Fatalf("wait for %d tasks, have %d: %v", n, len(configs), err)
	}
	return configs
}

var errTimeout = fmt.Errorf("nothing within %v", Timeout)

// await waits until done, called under the lock, reports that it is, or an error.
func (r *SourceRun) await(done func() (bool, error)) error {
	timer := time.NewTimer(Timeout)
	defer timer.Stop()
	for {
		r.mu.Lock()
		ok, err := done()
		r.mu.Unlock()
		if ok || err != nil {
			return err
		}
		select {
		case <-r.arrived:
		case <-timer.C:
			return errTimeout
		}
	}
}

func (r *SourceRun) change(f func()) {
	r.mu.Lock()
	f()
	r.mu.Unlock()
	select {
	case r.arrived <- struct{}{}:
	default: // who waits has a signal already
	}
}

func (r *SourceRun) fail(err error) { r.change(func() { r.failed = errors.Join(r.failed, err) }) }

// supervise runs the tasks, and configures them anew when the connector asks for it, until cc ends.
func (r *SourceRun) supervise(cc *ConnectorContext) error {
	var running []connect.Config
	stopTasks := func() {}
	for {
		var configs []connect.Config
		err := guard("Connector.TaskConfigs", func() (err error) {
			configs, err = r.connector.TaskConfigs(cc.Context(), r.maxTasks)
			return err
		})
		switch {
		case cc.Context().Err() != nil:
		case err != nil:
			r.fail(fmt.Errorf("task configurations: %w", err))
		case len(configs) > r.maxTasks:
			r.fail(fmt.Errorf("the connector returned %d task configurations, more than the %d allowed", len(configs), r.maxTasks))
		case running == nil || !reflect.DeepEqual(running, configs):
			stopTasks()
			stopTasks = r.startTasks(configs)
			running = append([]connect.Config{}, configs...)
			r.change(func() { r.configs = running })
		}
		select {
		case <-cc.changed:
			continue
		case <-cc.Context().Done():
		}
		stopTasks()
		return guard("Connector.Stop", func() error { return r.connector.Stop(context.Background()) })
	}
}

// startTasks starts the tasks, and returns how to stop them.
func (r *SourceRun) startTasks(configs []connect.Config) (stop func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	var tasks sync.WaitGroup
	for i, cfg := range configs {
		tasks.Go(func() {
			if err := r.runTask(ctx, connect.TaskID{Connector: "test", Task: i}, maps.Clone(cfg)); err != nil {
				r.fail(fmt.Errorf("task %d: %w", i, err))
			}
		})
	}
	return func() {
		cancel(connect.ErrStopping)
		tasks.Wait()
	}
}

func (r *SourceRun) runTask(ctx context.Context, id connect.TaskID, cfg connect.Config) (err error) {
	task := r.connector.NewTask()
	defer func() {
		err = errors.Join(err, guard("SourceTask.Stop", func() error { return task.Stop(context.Background()) }))
	}()
	sc := NewSourceContext(r.t, id, cfg, r.Offsets)
	sc.Batches = r.Batches
	if err := guard("SourceTask.Start", func() error { return task.Start(ctx, sc, cfg) }); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return fmt.Errorf("start: %w", err)
	}
	for ctx.Err() == nil {
		var batch []connect.SourceRecord
		err := guard("SourceTask.Poll", func() (err error) { batch, err = task.Poll(ctx); return err })
		batch, refused := permitted(batch, sc.allowed.Load())
		if sent := r.deliver(task, batch); sent != nil || refused != nil {
			return errors.Join(refused, sent)
		}
		switch {
		case err == nil || ctx.Err() != nil:
		case connect.IsRetriable(err):
			wait := time.NewTimer(max(connect.RetryDelay(err), time.Second))
			select {
			case <-wait.C:
			case <-ctx.Done():
			}
			wait.Stop()
		default:
			return fmt.Errorf("poll: %w", err)
		}
	}
	return nil
}

// deliver acknowledges a batch and stores its offsets.
func (r *SourceRun) deliver(task connect.SourceTask, batch []connect.SourceRecord) error {
	if len(batch) == 0 {
		return nil
	}
	committer, _ := connect.As[connect.RecordCommitter](task)
	for i := range batch {
		if committer != nil {
			meta := &connect.RecordMetadata{Topic: batch[i].Topic, Offset: int64(i), Timestamp: timeOf(&batch[i])}
			if err := guard("CommitRecord", func() error { return committer.CommitRecord(context.Background(), &batch[i], meta) }); err != nil {
				return err
			}
		}
		if batch[i].SourcePartition != nil && batch[i].SourceOffset != nil {
			if err := r.Offsets.Set(batch[i].SourcePartition, batch[i].SourceOffset.Fields()); err != nil {
				return err
			}
		}
	}
	if c, ok := connect.As[connect.BatchCommitter](task); ok {
		if err := guard("Commit", func() error { return c.Commit(context.Background()) }); err != nil {
			return err
		}
	}
	r.change(func() { r.records = append(r.records, batch...) })
	return nil
}

// guard makes an error of a panic.
func guard(call string, f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &connect.PanicError{Call: call, Value: v, Stack: debug.Stack()}
		}
	}()
	return f()
}
