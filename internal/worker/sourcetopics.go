package worker

import (
	"context"
	"fmt"

	"github.com/gokconnect/connect/internal/javaerror"
)

// Topics makes sure that topics exist before the first record is sent to them.
type Topics interface {
	Ensure(ctx context.Context, topic string) error
}

// PartitionAwaiter is implemented by [Topics] that wait, as Kafka's producer does, for a partition that a record names.
type PartitionAwaiter interface {
	// AwaitPartition returns how many partitions the topic has, once it has that one.
	AwaitPartition(ctx context.Context, topic string, partition int32) (int32, error)
}

// awaitPartition waits for a partition that a record names, after what came before the record was sent.
func (r *sourceRun) awaitPartition(work context.Context, topic string, partition int32) error {
	if err := r.ensure(work, topic); err != nil {
		return err
	}
	n, err := r.partitions.AwaitPartition(work, topic, partition)
	if err != nil {
		return javaerror.In(fmt.Sprintf("partition %d of topic %q", partition, topic), err)
	}
	r.has[topic] = n
	return nil
}

func (r *sourceRun) ensure(work context.Context, topic string) error {
	if _, ok := r.known[topic]; ok {
		return nil
	}
	if r.Topics != nil {
		if err := r.Topics.Ensure(work, topic); err != nil {
			return javaerror.In(fmt.Sprintf("topic %q", topic), err)
		}
	}
	r.known[topic] = struct{}{}
	return nil
}
