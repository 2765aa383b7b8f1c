package worker

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/javaerror"
	"github.com/gokconnect/connect/internal/tolerance"
	"github.com/twmb/franz-go/pkg/kgo"
)

// sinkContext is a run as its task sees it. Its methods are called by the task, which has the turn then.
type sinkContext sinkRun

var (
	_ connect.SinkTaskContext      = (*sinkContext)(nil)
	_ connect.SinkPartitions       = (*sinkContext)(nil)
	_ connect.ErrantRecordReporter = (*sinkContext)(nil)
)

func (c *sinkContext) ID() connect.TaskID   { return c.TaskOptions.ID }
func (c *sinkContext) Logger() *slog.Logger { return c.TaskOptions.Logger }
func (c *sinkContext) Config(ctx context.Context) (connect.Config, error) {
	return c.Context.Config(ctx)
}

// Metrics implements [connect.Metered].
func (c *sinkContext) Metrics() connect.Metrics { return c.TaskOptions.Metrics.Plugin() }

func (c *sinkContext) Partitions() connect.SinkPartitions { return c }

func (c *sinkContext) Timeout(d time.Duration) {
	if d > 0 {
		c.timeout = d
	}
}

func (c *sinkContext) RequestCommit() {
	c.mu.Lock()
	c.wantsCommit = true
	c.mu.Unlock()
	(*sinkRun)(c).wake()
}

func (c *sinkContext) Assigned() []connect.TopicPartition {
	return sortedPartitions(maps.Keys(c.parts))
}

func (c *sinkContext) Seek(offsets map[connect.TopicPartition]int64) {
	r := (*sinkRun)(c)
	for tp, offset := range offsets {
		if p := c.parts[tp]; p != nil {
			r.seek(p, offset)
		} else if c.AsJava {
			r.badSeek = notAssigned(tp)
		} else {
			c.TaskOptions.Logger.Warn("seek in a partition that the task does not have, which is ignored", "partition", tp.String(), "offset", offset)
		}
	}
}

func (c *sinkContext) Pause(partitions ...connect.TopicPartition) error {
	if err := c.mustHave("pause", partitions); err != nil {
		return err
	}
	for _, tp := range partitions {
		c.parts[tp].paused = true
	}
	if len(partitions) > 0 && c.client != nil {
		c.client.PauseFetchPartitions(unflatten(partitions))
	}
	return nil
}

func (c *sinkContext) Resume(partitions ...connect.TopicPartition) error {
	if err := c.mustHave("resume", partitions); err != nil {
		return err
	}
	for _, tp := range partitions {
		c.parts[tp].paused = false
	}
	if len(partitions) > 0 && c.client != nil && !c.paused {
		c.client.ResumeFetchPartitions(unflatten(partitions))
	}
	return nil
}

func (c *sinkContext) mustHave(verb string, partitions []connect.TopicPartition) error {
	for _, tp := range partitions {
		if c.parts[tp] == nil {
			return javaerror.New(javaerror.IllegalWorker, "SinkTasks may not "+verb+" partitions that are not currently assigned to them.", notAssigned(tp))
		}
	}
	return nil
}

func notAssigned(tp connect.TopicPartition) error {
	return javaerror.New(javaerror.IllegalState, "No current assignment for partition "+tp.String(), nil)
}

func (c *sinkContext) ErrantRecordReporter() connect.ErrantRecordReporter {
	if !c.Operator.Reports() {
		return nil
	}
	return c
}

// Report implements [connect.ErrantRecordReporter].
func (c *sinkContext) Report(ctx context.Context, rec *connect.SinkRecord, cause error) (connect.Report, error) {
	f := &tolerance.Failure{Stage: tolerance.TaskPut, Class: sinkTaskClass, Err: cause, Attempts: 1}
	raw, ok := rec.Consumed.(*kgo.Record)
	if !ok {
		return nil, fmt.Errorf("report of a record at %v offset %d, which is none that Put was given: its field Consumed is not set: %w", rec.Origin, rec.Offset, connect.ErrIllegalState)
	}
	in := (*sinkRun)(c).consumed(raw)
	f.Consumed = &in
	if err := c.Operator.Failed(ctx, f); err != nil {
		(*sinkRun)(c).failWith(err) // also when the task goes on as if nothing had happened
		return nil, err
	}
	return report{c.DeadLetters}, nil
}

// report waits for everything that was reported so far.
type report struct{ letters *DeadLetters }

func (r report) Wait(ctx context.Context) error {
	if r.letters == nil {
		return nil
	}
	return r.letters.Await(ctx)
}
