package kafkalog

import (
	"context"
	"time"
)

// Leaders is what a *kgo.Client knows of the topics that it produces to.
type Leaders interface {
	PartitionLeader(topic string, partition int32) (leader, epoch int32, err error)
}

// AwaitTopic waits until a client has taken in a topic that it produced to for the first time, before a transaction ends in
// which it did. franz-go 1.22 sends the records that wait for such a topic a moment before it takes note of the topic's
// partitions. A transaction that ends in that moment does so without them: they are aborted, and it reports a commit.
func AwaitTopic(ctx context.Context, client Leaders, topic string) error {
	for {
		leader, _, err := client.PartitionLeader(topic, 0)
		if leader >= 0 || err != nil { // with an error it has partitions too: records were acknowledged
			return nil
		}
		select {
		case <-time.After(100 * time.Microsecond):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
