package worker

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/gokconnect/connect"
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
		if errors.Is(err, errDeadLetter) {
			return err
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
		if p := r.parts[tp]; p != nil && p.current >= 0 && !r.lost.Load() {
			current[tp] = p.current
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
	given := maps.Clone(current)
	var done connect.SinkOffsets
	var err error
	switch {
	case r.preCommit != nil:
		err = r.activity.do(callPreCommit, func() (err error) { done, err = r.preCommit.PreCommit(r.work, given); return err })
	case r.flusher != nil:
		done = current
		err = r.activity.do(callFlush, func() error { return r.flusher.Flush(r.work, given) })
	default:
		done = current
	}
	if err != nil {
		return nil, err
	}
	out := make(connect.SinkOffsets, len(done))
	for tp, offset := range done {
		at, ok := current[tp]
		switch {
		case !ok:
			r.Logger.Warn("PreCommit returned a partition that the task does not have, which is ignored", "partition", tp.String(), "offset", offset)
		case offset < 0 || offset > at:
			r.Logger.Warn("PreCommit returned an offset behind what was put, or below 0, which is ignored", "partition", tp.String(), "offset", offset, "put", at)
		case offset != r.parts[tp].committed:
			out[tp] = offset
		}
	}
	return out, nil
}

// store commits offsets to Kafka. What can't be committed is committed the next time.
func (r *sinkRun) store(cl *kgo.Client, offsets connect.SinkOffsets) error {
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
	ctx, cancel := deadline(r.work, r.CommitTimeout, "committing offsets")
	defer cancel()
	began := time.Now()
	r.Metrics.SinkCommit()
	var failed error
	defer func() { r.observeCommit(began, failed) }()
	cl.CommitOffsetsSync(ctx, commits, func(_ *kgo.Client, _ *kmsg.OffsetCommitRequest, resp *kmsg.OffsetCommitResponse, err error) {
		if failed = err; err != nil {
			r.Logger.Error("offsets could not be committed, they are kept for the next commit", "err", err, "took", time.Since(began))
			return
		}
		for _, t := range resp.Topics {
			for _, p := range t.Partitions {
				tp := connect.TopicPartition{Topic: t.Topic, Partition: p.Partition}
				if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
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
func (r *sinkRun) closePartitions(cl *kgo.Client, partitions []connect.TopicPartition, commit bool) error {
	if len(partitions) == 0 {
		return nil
	}
	var done connect.SinkOffsets
	if commit {
		var err error
		if done, err = r.durable(partitions); err != nil {
			r.Logger.Warn("flush failed while closing partitions, their offsets are not committed", "err", err)
		}
	}
	if r.closer != nil {
		cerr := r.activity.do(callClose, func() error { return r.closer.ClosePartitions(r.work, slices.Clone(partitions)) })
		if cerr != nil {
			return fmt.Errorf("close %d partitions: %w", len(partitions), cerr) // nothing is committed
		}
	}
	return r.store(cl, done)
}

var errDeadLetter = errors.New("a record could not be written to the dead letter topic")
