package kafkalog

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	leastFetchWait      = 5 * time.Second // see Config.Client
	fetchBytes          = 8 << 20         // in one answer
	fetchPartitionBytes = 2 << 20
)

// layout is where the partitions of the topic are.
type layout struct {
	id      [16]byte
	leaders map[int32][]int32 // by node
}

// run reads until ctx ends. A round lasts until the layout of the topic has changed or a broker has failed.
func (l *Log) run(ctx context.Context) {
	var id [16]byte
	var since time.Time // the first of the rounds in a row that failed soon
	reported := ""
	for failures := 0; ctx.Err() == nil; failures++ {
		began := time.Now()
		found, err := l.layout(ctx)
		if err == nil {
			if id != [16]byte{} && id != found.id {
				l.report(fmt.Errorf("topic %s was deleted and created anew: it is read from its beginning", l.cfg.Topic))
				l.rewind()
				l.forget()
			}
			id = found.id
			err = l.round(ctx, found)
		}
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) >= briefTrouble {
			failures, reported = 0, ""
		}
		if failures == 0 {
			since = time.Now()
		}
		l.trouble(err)
		// What passes within a second is not worth a word, such as the time until a topic that was just made has its leaders.
		if err != nil && err.Error() != reported && (!kerr.IsRetriable(err) || time.Since(since) >= briefTrouble) {
			reported = err.Error()
			l.report(fmt.Errorf("reading topic %s: %w", l.cfg.Topic, err))
		}
		if wait(ctx, nil, min(firstPause<<min(failures, 10), retryPause)) != nil {
			return
		}
	}
}

// briefTrouble is how long errors that pass are not reported.
const briefTrouble = time.Second

func (l *Log) layout(ctx context.Context) (layout, error) {
	topic := kmsg.NewMetadataRequestTopic()
	topic.Topic = kmsg.StringPtr(l.cfg.Topic)
	req := kmsg.NewPtrMetadataRequest()
	req.Topics = append(req.Topics, topic)
	resp, err := req.RequestWith(ctx, l.client)
	if err != nil {
		return layout{}, err
	}
	if len(resp.Topics) != 1 {
		return layout{}, fmt.Errorf("asked for one topic, was told of %d", len(resp.Topics))
	}
	if err := kerr.ErrorForCode(resp.Topics[0].ErrorCode); err != nil {
		return layout{}, err
	}
	found := layout{id: resp.Topics[0].TopicID, leaders: map[int32][]int32{}}
	for _, p := range resp.Topics[0].Partitions {
		if err := kerr.ErrorForCode(p.ErrorCode); err != nil && !errors.Is(err, kerr.ReplicaNotAvailable) {
			return layout{}, fmt.Errorf("partition %d: %w", p.Partition, err)
		}
		found.leaders[p.Leader] = append(found.leaders[p.Leader], p.Partition)
	}
	return found, nil
}

// round reads from every leader at once until one of them has an error, which it returns.
func (l *Log) round(ctx context.Context, at layout) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var fetching sync.WaitGroup
	for node, partitions := range at.leaders {
		fetching.Go(func() {
			for ctx.Err() == nil {
				if err := l.fetch(ctx, node, at.id, partitions); err != nil {
					cancel(err)
				}
			}
		})
	}
	fetching.Wait()
	return context.Cause(ctx)
}

// fetch asks one broker once, and applies what it gives.
func (l *Log) fetch(ctx context.Context, node int32, id [16]byte, partitions []int32) error {
	topic := kmsg.NewFetchRequestTopic()
	topic.Topic, topic.TopicID = l.cfg.Topic, id
	l.mu.Lock()
	for _, p := range partitions {
		rp := kmsg.NewFetchRequestTopicPartition()
		rp.Partition, rp.FetchOffset, rp.PartitionMaxBytes = p, l.positions[p], fetchPartitionBytes
		topic.Partitions = append(topic.Partitions, rp)
	}
	l.mu.Unlock()
	req := kmsg.NewPtrFetchRequest()
	req.MaxWaitMillis, req.MinBytes, req.MaxBytes = int32(l.fetchWait.Milliseconds()), 1, fetchBytes
	if l.cfg.ReadCommitted {
		req.IsolationLevel = 1
	}
	req.Topics = append(req.Topics, topic)

	answer, err := l.client.Broker(int(node)).Request(ctx, req)
	if err != nil {
		return err
	}
	resp := answer.(*kmsg.FetchResponse)
	if err := kerr.ErrorForCode(resp.ErrorCode); err != nil {
		return err
	}
	var failed error
	for i := range resp.Topics {
		for j := range resp.Topics[i].Partitions {
			failed = cmp.Or(failed, l.take(ctx, &resp.Topics[i].Partitions[j]))
		}
	}
	if failed == nil {
		l.trouble(nil)
	}
	return failed
}

// take applies the records of one partition in an answer.
func (l *Log) take(ctx context.Context, rp *kmsg.FetchResponseTopicPartition) error {
	l.mu.Lock()
	position := l.positions[rp.Partition]
	l.mu.Unlock()
	if err := kerr.ErrorForCode(rp.ErrorCode); err != nil {
		if !errors.Is(err, kerr.OffsetOutOfRange) {
			return fmt.Errorf("partition %d: %w", rp.Partition, err)
		}
		// The beginning of the partition is gone, or all of it.
		start, err := l.startOffset(ctx, rp.Partition)
		if err != nil {
			return err
		}
		if start == position {
			return fmt.Errorf("partition %d: offset %d is out of range and the first", rp.Partition, position)
		}
		l.move(rp.Partition, start)
		return nil
	}
	isolation := kgo.ReadUncommitted()
	if l.cfg.ReadCommitted {
		isolation = kgo.ReadCommitted()
	}
	part, next := kgo.ProcessFetchPartition(kgo.ProcessFetchPartitionOpts{
		Offset: position, IsolationLevel: isolation, Topic: l.cfg.Topic, Partition: rp.Partition,
	}, rp, kgo.DefaultDecompressor(), nil)
	if len(part.Records) > 0 {
		l.apply(part.Records)
	}
	if next != position {
		l.move(rp.Partition, next)
	}
	if part.Err != nil {
		return fmt.Errorf("partition %d at offset %d: %w", rp.Partition, next, part.Err)
	}
	return nil
}

func (l *Log) apply(records []*kgo.Record) {
	l.applying.Lock()
	defer l.applying.Unlock()
	for _, r := range records {
		if err := l.cfg.Apply(r); err != nil {
			l.cfg.OnError(&RecordError{Topic: r.Topic, Partition: r.Partition, Offset: r.Offset, Err: err})
			if errors.Is(err, ErrSkipBatch) {
				return
			}
		}
	}
}

func (l *Log) startOffset(ctx context.Context, partition int32) (int64, error) {
	const earliest = -2
	rp := kmsg.NewListOffsetsRequestTopicPartition()
	rp.Partition, rp.Timestamp = partition, earliest
	topic := kmsg.NewListOffsetsRequestTopic()
	topic.Topic, topic.Partitions = l.cfg.Topic, append(topic.Partitions, rp)
	req := kmsg.NewPtrListOffsetsRequest()
	req.ReplicaID = -1
	req.Topics = append(req.Topics, topic)
	resp, err := req.RequestWith(ctx, l.client)
	if err != nil {
		return 0, err
	}
	if len(resp.Topics) != 1 || len(resp.Topics[0].Partitions) != 1 {
		return 0, fmt.Errorf("partition %d: no start offset in the answer", partition)
	}
	found := resp.Topics[0].Partitions[0]
	return found.Offset, kerr.ErrorForCode(found.ErrorCode)
}

func (l *Log) move(partition int32, to int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.positions[partition] = to
	close(l.moved)
	l.moved = make(chan struct{})
}

func (l *Log) rewind() {
	l.mu.Lock()
	defer l.mu.Unlock()
	clear(l.positions)
}

// forget makes the producer look the topic up again: it would fail for good.
func (l *Log) forget() {
	l.client.PurgeTopicsFromProducing(l.cfg.Topic)
	if p, ok := l.cfg.Producer.(interface{ PurgeTopicsFromProducing(topics ...string) }); ok {
		p.PurgeTopicsFromProducing(l.cfg.Topic)
	}
}

// trouble keeps what is wrong at the moment.
func (l *Log) trouble(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lastErr = err
}

func (l *Log) report(err error) {
	l.applying.Lock()
	defer l.applying.Unlock()
	l.cfg.OnError(err)
}
