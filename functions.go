package connect

import (
	"context"
	"iter"
	"maps"
)

// SinkFunc is a function as a [SinkConnector]: it is [SinkTask].Put. The connector has as many tasks as tasks.max
// says, so that several calls may run at the same time; those of one task do not. What was put counts as durable when
// the function returns nil.
type SinkFunc func(ctx context.Context, records []SinkRecord) error

// Start does nothing.
func (f SinkFunc) Start(context.Context, ConnectorContext, Config) error { return nil }

// TaskConfigs returns maxTasks empty configurations.
func (f SinkFunc) TaskConfigs(_ context.Context, maxTasks int) ([]Config, error) {
	configs := make([]Config, maxTasks)
	for i := range configs {
		configs[i] = Config{}
	}
	return configs, nil
}

// Stop does nothing.
func (f SinkFunc) Stop(context.Context) error { return nil }

// NewTask returns a task that calls the function.
func (f SinkFunc) NewTask() SinkTask { return sinkFuncTask{f} }

type sinkFuncTask struct{ f SinkFunc }

func (t sinkFuncTask) Start(context.Context, SinkTaskContext, Config) error { return nil }
func (t sinkFuncTask) Put(ctx context.Context, records []SinkRecord) error {
	if len(records) == 0 {
		return nil
	}
	return t.f(ctx, records)
}
func (t sinkFuncTask) Stop(context.Context) error { return nil }
func (t sinkFuncTask) Unwrap() any                { return t.f }

// SourceFunc is a function as a [SourceConnector] with one task. Use [Partitioned] for more tasks and typed offsets.
//
// The function returns an iterator over the records behind an offset, which is that of the last record that was
// yielded or, at first, the one that was stored last; it is nil when there is none. A record needs a SourceOffset if
// the source is to go on behind it; its SourcePartition is set for it. A record without a Topic goes to the one
// that the pipeline was declared with.
//
// The iterator runs on its own goroutine, ahead of what was delivered by about a thousand records. It waits for
// data as long as it likes and ends soon after ctx does. When it ends by itself the function is called again a minute
// later. An error ends it: one that [IsRetriable] makes the function be called again after a back-off, any other
// makes the task FAILED.
type SourceFunc func(ctx context.Context, from Fields) iter.Seq2[SourceRecord, error]

// functionPartition is the source partition of every SourceFunc.
const functionPartition = "function"

// Start does nothing.
func (f SourceFunc) Start(context.Context, ConnectorContext, Config) error { return nil }

// TaskConfigs returns one empty configuration.
func (f SourceFunc) TaskConfigs(context.Context, int) ([]Config, error) { return []Config{{}}, nil }

// Stop does nothing.
func (f SourceFunc) Stop(context.Context) error { return nil }

// NewTask returns a task that runs the iterator.
func (f SourceFunc) NewTask() SourceTask { return &sourceFuncTask{f: f} }

type sourceFuncTask struct {
	readAhead
	f SourceFunc
}

func (t *sourceFuncTask) Unwrap() any { return t.f }

func (t *sourceFuncTask) Start(ctx context.Context, tc SourceTaskContext, _ Config) error {
	partition := Fields{"source": functionPartition}
	stored, err := tc.Offsets().Offset(ctx, partition)
	if err != nil {
		return err
	}
	var last SourceOffset
	if stored != nil {
		last = stored
	}
	read := func(ctx context.Context, emit func(SourceRecord) bool) error {
		var from Fields
		if last != nil {
			from = maps.Clone(last.Fields())
		}
		for r, err := range t.f(ctx, from) {
			if err != nil {
				return err
			}
			r.SourcePartition = partition
			last = r.SourceOffset
			if !emit(r) {
				return nil
			}
		}
		return nil
	}
	t.start(ctx, 0, 0, []reader{{"source function", read}})
	return nil
}
