package cluster

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/gokconnect/connect/internal/clients"
	"github.com/gokconnect/connect/internal/javaerror"
	"github.com/gokconnect/connect/internal/topiccreation"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// topicMaker makes sure that the topics of one source task exist. It is used by one goroutine.
type topicMaker struct {
	admin  *kadm.Client
	groups *topiccreation.Groups // nil leaves it to the broker
	client *kgo.Client
	// await waits for a topic that the broker may make, and for a partition of it, for as long as block says (max.block.ms); nil
	// leaves that to the producer.
	await func(ctx context.Context, cl *kgo.Client, topic string, partition int32, block time.Duration) (partitions int32, err error)
	block time.Duration
}

// maxBlock and maxRequest are what a producer's properties say of a record whose topic is not there yet, and of a large one.
func maxBlock(props map[string]string) time.Duration {
	ms, err := strconv.ParseInt(props["max.block.ms"], 10, 64)
	if err != nil || ms < 0 || ms > math.MaxInt64/int64(time.Millisecond) {
		return math.MaxInt64
	}
	return time.Duration(ms) * time.Millisecond
}

func maxRequest(props map[string]string) int {
	if n, err := strconv.Atoi(props["max.request.size"]); err == nil {
		return n
	}
	return 1 << 20
}

// awaitTopic waits until the broker has a topic, which it may make because it is asked for, and that partition of it. It returns
// how many there are.
func awaitTopic(ctx context.Context, cl *kgo.Client, topic string, partition int32, block time.Duration) (partitions int32, err error) {
	bounded, cancel := context.WithTimeout(ctx, block)
	defer cancel()
	for {
		req := kmsg.NewPtrMetadataRequest()
		req.AllowAutoTopicCreation = true
		one := kmsg.NewMetadataRequestTopic()
		one.Topic = &topic
		req.Topics = append(req.Topics, one)
		resp, err := req.RequestWith(bounded, cl)
		if err == nil && len(resp.Topics) == 1 && resp.Topics[0].ErrorCode == 0 {
			if partitions = int32(len(resp.Topics[0].Partitions)); partition < partitions {
				return partitions, nil
			}
		}
		timer := time.NewTimer(100 * time.Millisecond)
		select {
		case <-timer.C:
		case <-bounded.Done():
			timer.Stop()
			if ctx.Err() != nil {
				return 0, context.Cause(ctx)
			}
			missing := javaerror.New(javaerror.Timeout, fmt.Sprintf("Topic %s not present in metadata after %d ms.", topic, block.Milliseconds()),
				clients.JavaError(kerr.UnknownTopicOrPartition, ""))
			if partitions > 0 {
				missing = javaerror.New(javaerror.Timeout, fmt.Sprintf("Partition %d of topic %s with partition count %d is not present in metadata after %d ms.",
					partition, topic, partitions, block.Milliseconds()), nil)
			}
			return 0, javaerror.New(javaerror.Connect, "Unrecoverable exception from producer send callback", missing)
		}
	}
}

// topicTimeout bounds one attempt to look up or make a topic.
const topicTimeout = 30 * time.Second

// Ensure implements worker.Topics. What can pass is tried again until ctx ends.
func (m *topicMaker) Ensure(ctx context.Context, topic string) error {
	switch {
	case m.groups != nil:
	case m.await != nil:
		_, err := m.await(ctx, m.client, topic, 0, m.block)
		return err
	default:
		return nil
	}
	for wait := 100 * time.Millisecond; ; wait = min(2*wait, 10*time.Second) {
		err := m.once(ctx, topic)
		if err == nil || !(kerr.IsRetriable(err) || errors.Is(err, context.DeadlineExceeded)) {
			return err
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return errors.Join(context.Cause(ctx), err)
		}
	}
}

// AwaitPartition implements worker.PartitionAwaiter.
func (m *topicMaker) AwaitPartition(ctx context.Context, topic string, partition int32) (int32, error) {
	if m.await == nil {
		return math.MaxInt32, nil
	}
	return m.await(ctx, m.client, topic, partition, m.block)
}

func (m *topicMaker) once(ctx context.Context, topic string) error {
	ctx, cancel := context.WithTimeout(ctx, topicTimeout)
	defer cancel()
	if exists, err := topicExists(ctx, m.client, topic); exists || err != nil {
		return err
	}
	group, err := m.groups.Find(topic)
	if err != nil {
		return err
	}
	spec := group.NewTopic(topic)
	settings := make(map[string]*string, len(spec.Configs))
	for k, v := range spec.Configs {
		settings[k] = &v
	}
	made, err := m.admin.CreateTopic(ctx, spec.Partitions, spec.ReplicationFactor, settings, topic)
	if err != nil && !errors.Is(err, kerr.TopicAlreadyExists) {
		cause := clients.JavaError(err, made.ErrMessage)
		return javaerror.In(fmt.Sprintf("create topic with %d partitions and replication factor %d: the task must have the right to, or the topic must exist", spec.Partitions, spec.ReplicationFactor),
			javaerror.New(javaerror.Connect, fmt.Sprintf("Unable to create topic(s) '%s': %s", topic, javaerror.Message(cause)), cause))
	}
	return nil
}

// topicExists reports whether there is a topic of that name.
func topicExists(ctx context.Context, cl kmsg.Requestor, topic string) (bool, error) {
	asked := kmsg.NewMetadataRequestTopic()
	asked.Topic = &topic
	req := kmsg.NewPtrMetadataRequest() // not the client's, which may have the broker make what it asks for
	req.Topics = append(req.Topics, asked)
	resp, err := req.RequestWith(ctx, cl)
	if err != nil {
		return false, err
	}
	for _, found := range resp.Topics {
		if err := kerr.ErrorForCode(found.ErrorCode); !errors.Is(err, kerr.UnknownTopicOrPartition) {
			return err == nil, err
		}
	}
	return false, nil
}
