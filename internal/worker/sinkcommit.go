package worker

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/javaerror"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func (r *sinkRun) all() []connect.TopicPartition { return sortedPartitions(maps.Keys(r.parts)) }

// commit asks the task what is durable and commits it. closing says that the partitions are given up: a failure of the
// task is then only logged, since there is no going back. The error fails the task. The caller has the turn.
func (r *sinkRun) commit(cl *kgo.Client, partitions []connect.TopicPartition, closing bool) error {
	done, err := r.durable(partitions)
	if err != nil {
		var null errNull
		switch {
		case errors.Is(err, errDeadLetter):
			return err
		case errors.As(err, &null):
			return null.error
		}
		r.Metrics.Committed(0, err)
		if closing {
			r.Logger.Warn("flush failed while closing partitions, their offsets are not committed", "err", err)
			return nil
		}
		r.Logger.Error("flush failed, records behind the last commit will be consumed again", "err", err)
		r.rewind(partitions)
		return nil
	}
	return r.store(cl, done)
}

// durable returns the offsets that may be committed.
func (r *sinkRun) durable(partitions []connect.TopicPartition) (connect.SinkOffsets, error) {
	current := make(connect.SinkOffsets, len(partitions))
	for _, tp := range partitions {
		if p := r.parts[tp]; p != nil && p.current >= 0 && (!r.lost.Load() || r.AsJava) {
			current[tp] = p.current
		} else if at, ok := r.stale[tp]; ok && p == nil {
			current[tp] = at
		}
	}
	if len(current) == 0 {
		return nil, nil
	}
	if r.DeadLetters != nil {
		if err := r.DeadLetters.Await(r.work); err != nil {
			return nil, err
		}
	}
	done, err := r.flush(current)
	if err != nil {
		return nil, err
	}
	if r.AsJava {
		if err := javaOffsets(done); err != nil {
			return nil, err
		}
	}
	out, changed := make(connect.SinkOffsets, len(done)), false
	for tp, offset := range done {
		at, ok := current[tp]
		switch {
		case !ok:
			r.Logger.Warn("PreCommit returned a partition that the task does not have, which is ignored", "partition", tp.String(), "offset", offset)
		case offset < 0 || offset > at:
			r.Logger.Warn("PreCommit returned an offset behind what was put, or below 0, which is ignored", "partition", tp.String(), "offset", offset, "put", at)
		case r.parts[tp] != nil:
			out[tp] = offset
			changed = changed || offset != r.parts[tp].committed
		}
	}
	if !changed {
		return nil, nil
	}
	return out, nil
}

// flush has the task make durable what it was given, and returns what is.
func (r *sinkRun) flush(current connect.SinkOffsets) (done connect.SinkOffsets, err error) {
	if r.preCommit == nil && r.flusher == nil {
		return current, nil
	}
	span := r.Tracing.Flush(r.work, &r.spans)
	defer func() {
		span.Failed(err)
		span.Done()
	}()
	ctx, given := span.Context(r.work), maps.Clone(current)
	if r.preCommit != nil {
		err = r.activity.do(callPreCommit, func() (err error) { done, err = r.preCommit.PreCommit(ctx, given); return err })
		return done, err
	}
	return current, r.activity.do(callFlush, func() error { return r.flusher.Flush(ctx, given) })
}

// javaOffsets returns what Kafka Connect runs into where a task returns no map of offsets, or no offset for a partition.
func javaOffsets(done connect.SinkOffsets) error {
	if done == nil {
		return errNull{javaerror.New(javaerror.NullPointer, `Cannot invoke "java.util.Map.isEmpty()" because "taskProvidedOffsets" is null`, nil)}
	}
	for _, offset := range done {
		if offset < 0 {
			return errNull{javaerror.New(javaerror.NullPointer, `Cannot invoke "org.apache.kafka.clients.consumer.OffsetAndMetadata.offset()" because "taskProvidedOffset" is null`, nil)}
		}
	}
	return nil
}

// errNull fails the task, and not only the commit.
type errNull struct{ error }

func (e errNull) Unwrap() error { return e.error }

// store commits offsets to Kafka. What can't be committed is committed the next time.
func (r *sinkRun) store(cl *kgo.Client, offsets connect.SinkOffsets) error {
	if r.lost.Load() || r.t.abandoned.Load() {
		return nil
	}
	if len(offsets) == 0 {
		if offsets != nil { // there is nothing new
			r.Metrics.SinkCommit()
			r.observeCommit(time.Now(), nil)
		}
		return nil
	}
	commits := make(map[string]map[int32]kgo.EpochOffset)
	for tp, offset := range offsets {
		if commits[tp.Topic] == nil {
			commits[tp.Topic] = make(map[int32]kgo.EpochOffset)
		}
		commits[tp.Topic][tp.Partition] = kgo.EpochOffset{Epoch: -1, Offset: offset}
	}
	span := r.Tracing.Commit(r.work, &r.spans)
	ctx, cancel := deadline(span.Context(r.work), r.CommitTimeout, "committing offsets")
	defer cancel()
	began := time.Now()
	r.Metrics.SinkCommit()
	var failed error
	defer func() {
		r.observeCommit(began, failed)
		span.Failed(failed)
		span.Done()
		if failed == nil {
			r.spans.Reset()
		}
	}()
	cl.CommitOffsetsSync(r.replayPositions(ctx), commits, func(_ *kgo.Client, _ *kmsg.OffsetCommitRequest, resp *kmsg.OffsetCommitResponse, err error) {
		if failed = err; err != nil {
			r.replayNotCommitted(err)
			r.Logger.Error("offsets could not be committed, they are kept for the next commit", "err", err, "took", time.Since(began))
			return
		}
		r.fresh = false
		for _, t := range resp.Topics {
			for _, p := range t.Partitions {
				tp := connect.TopicPartition{Topic: t.Topic, Partition: p.Partition}
				err := kerr.ErrorForCode(p.ErrorCode)
				r.replayCommitted(tp, offsets[tp], err)
				if err != nil {
					failed = err
					r.Logger.Error("offset could not be committed, it is kept for the next commit", "partition", tp.String(), "offset", offsets[tp], "err", err)
				} else if part := r.parts[tp]; part != nil {
					part.committed = offsets[tp]
				}
			}
		}
	})
	return nil
}

// rewind goes back to the last commit: what came after it is consumed again.
func (r *sinkRun) rewind(partitions []connect.TopicPartition) {
	for _, tp := range partitions {
		p := r.parts[tp]
		if p == nil {
			continue
		}
		to := p.committed
		if to < 0 {
			to = p.first
		}
		if to < 0 {
			continue // nothing was consumed
		}
		r.seek(p, to)
		r.dropFromBatch(func(o connect.TopicPartition) bool { return o == tp })
	}
	r.applySeeks()
}

// seek notes where a partition goes on.
func (r *sinkRun) seek(p *assigned, to int64) { p.seek = &to }

// applySeeks makes the client go on where it was asked to, for the partitions where it honours that: those with a
// committed offset, or with records polled. It passes over others without a word, so for them the request waits.
func (r *sinkRun) applySeeks() {
	var honoured map[string]map[int32]kgo.EpochOffset
	set := make(map[string]map[int32]kgo.EpochOffset)
	for tp, p := range r.parts {
		if p.seek == nil {
			continue
		}
		if honoured == nil {
			honoured = r.client.CommittedOffsets() // which have an entry exactly for those
		}
		if _, ok := honoured[tp.Topic][tp.Partition]; !ok {
			continue
		}
		if set[tp.Topic] == nil {
			set[tp.Topic] = make(map[int32]kgo.EpochOffset)
		}
		set[tp.Topic][tp.Partition] = kgo.EpochOffset{Epoch: -1, Offset: *p.seek}
		p.moved()
	}
	if len(set) > 0 {
		r.client.SetOffsets(set)
	}
}

// moved takes note that the client goes on where the partition was asked to.
func (p *assigned) moved() {
	p.polled, p.current, p.committed = *p.seek, *p.seek, *p.seek
	p.seek = nil
}

// dropFromBatch takes records out of the batch that waits to be put again.
func (r *sinkRun) dropFromBatch(drop func(connect.TopicPartition) bool) {
	n := 0
	for i := range r.batch {
		if !drop(r.batch[i].Origin) {
			r.batch[n] = r.batch[i]
			n++
		}
	}
	clear(r.batch[n:])
	r.batch = r.batch[:n]
}

// closePartitions gives partitions up: flush and commit what is done, unless they are lost; tell the task. The error
// fails the task. The caller has the turn.
func (r *sinkRun) closePartitions(cl *kgo.Client, partitions []connect.TopicPartition, commit bool) (cerr error) {
	if len(partitions) == 0 {
		return nil
	}
	var done connect.SinkOffsets
	if commit {
		var err error
		var null errNull
		if done, err = r.durable(partitions); errors.As(err, &null) {
			defer func() { cerr = errors.Join(null.error, cerr) }()
		} else if err != nil {
			r.Logger.Warn("flush failed while closing partitions, their offsets are not committed", "err", err)
		}
	}
	partitions = sortedPartitions(func(yield func(connect.TopicPartition) bool) {
		for _, tp := range partitions {
			if p, ok := r.parts[tp]; (ok && p.opened || !ok) && !yield(tp) {
				return
			}
		}
	})
	if r.closer != nil && len(partitions) > 0 {
		cerr = r.activity.do(callClose, func() error { return r.closer.ClosePartitions(r.work, slices.Clone(partitions)) })
		if cerr != nil {
			return javaerror.In(fmt.Sprintf("ClosePartitions of %d", len(partitions)), cerr) // nothing is committed
		}
	}
	return r.store(cl, done)
}

var errDeadLetter = errors.New("a record could not be written to the dead letter topic")
