package mirror

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// topicCounts are topics with how many partitions they have.
type topicCounts map[string]int32

// listTopics returns the topics of a cluster that are not internal to Kafka. A topic that is known from before and can't
// be looked at for a moment is as it was.
func listTopics(ctx context.Context, cl *kgo.Client, before topicCounts) (topicCounts, error) {
	details, err := kadm.NewClient(cl).ListTopics(ctx)
	if err != nil {
		return nil, err
	}
	counts := make(topicCounts, len(details))
	for topic, d := range details {
		switch known, ok := before[topic]; {
		case d.Err == nil && len(d.Partitions) > 0:
			counts[topic] = int32(len(d.Partitions))
		case d.Err != nil && kerr.IsRetriable(d.Err) && ok:
			counts[topic] = known
		}
	}
	return counts, nil
}

// topicPlan is what has to be done to the topics of the target.
type topicPlan struct {
	create []string    // topics of the source that have none on the target
	grow   topicCounts // topics of the target that have too few partitions
}

// planTopics compares the topics that are copied with those of the target.
func planTopics(source, target topicCounts, remote func(topic string) string) topicPlan {
	plan := topicPlan{grow: make(topicCounts)}
	for _, topic := range slices.Sorted(maps.Keys(source)) {
		name := remote(topic)
		switch have, ok := target[name]; {
		case !ok:
			plan.create = append(plan.create, topic)
		case have < source[topic]:
			plan.grow[name] = source[topic]
		}
	}
	return plan
}

// newTopic is a topic to create.
type newTopic struct {
	name       string
	partitions int32
	settings   []setting
}

// maxPartitionsAtOnce bounds a request that makes partitions: controllers refuse those that make more than 10,000.
const maxPartitionsAtOnce = 2000

// createTopics creates topics and returns the error of each that could not be. One that exists is as good as created.
func createTopics(ctx context.Context, cl kmsg.Requestor, topics []newTopic, replication int16) map[string]error {
	errs := make(map[string]error)
	for len(topics) > 0 {
		n, partitions := 0, int32(0)
		req := kmsg.NewPtrCreateTopicsRequest()
		for n < len(topics) && (n == 0 || partitions+topics[n].partitions <= maxPartitionsAtOnce) {
			t := kmsg.NewCreateTopicsRequestTopic()
			t.Topic, t.NumPartitions, t.ReplicationFactor = topics[n].name, topics[n].partitions, replication
			for _, s := range topics[n].settings {
				c := kmsg.NewCreateTopicsRequestTopicConfig()
				c.Name, c.Value = s.name, s.value
				t.Configs = append(t.Configs, c)
			}
			req.Topics = append(req.Topics, t)
			partitions += t.NumPartitions
			n++
		}
		req.TimeoutMillis = requestTimeoutMillis
		resp, err := req.RequestWith(ctx, cl)
		for _, t := range topics[:n] {
			if err != nil {
				errs[t.name] = err
			}
		}
		if err == nil {
			for _, t := range resp.Topics {
				if err := kerr.ErrorForCode(t.ErrorCode); err != nil && !errors.Is(err, kerr.TopicAlreadyExists) {
					errs[t.Topic] = withMessage(err, t.ErrorMessage)
				}
			}
		}
		topics = topics[n:]
	}
	return errs
}

const requestTimeoutMillis = 30_000

func withMessage(err error, message *string) error {
	if message == nil || *message == "" {
		return err
	}
	return fmt.Errorf("%w (%s)", err, *message)
}

// growTopics gives topics more partitions and returns the error of each that has not got them.
func growTopics(ctx context.Context, cl kmsg.Requestor, counts topicCounts) map[string]error {
	errs := make(map[string]error)
	for batch := range slices.Chunk(slices.Sorted(maps.Keys(counts)), 100) {
		req := kmsg.NewPtrCreatePartitionsRequest()
		for _, topic := range batch {
			t := kmsg.NewCreatePartitionsRequestTopic()
			t.Topic, t.Count = topic, counts[topic]
			req.Topics = append(req.Topics, t)
		}
		req.TimeoutMillis = requestTimeoutMillis
		resp, err := req.RequestWith(ctx, cl)
		if err != nil {
			for _, topic := range batch {
				errs[topic] = err
			}
			continue
		}
		for _, t := range resp.Topics {
			// Invalid: somebody else was faster.
			if err := kerr.ErrorForCode(t.ErrorCode); err != nil && !errors.Is(err, kerr.InvalidPartitions) {
				errs[t.Topic] = withMessage(err, t.ErrorMessage)
			}
		}
	}
	return errs
}

// createCompacted creates an internal topic of one partition unless it exists. That it must not is no error: then
// somebody else has to, and who uses it says so if nobody did. key is where the replication factor comes from.
func createCompacted(ctx context.Context, cl kmsg.Requestor, topic, key string, replication int16) error {
	compact := "compact"
	errs := createTopics(ctx, cl, []newTopic{{topic, 1, []setting{{"cleanup.policy", &compact}}}}, replication)
	err := errs[topic]
	switch {
	case err == nil, errors.Is(err, kerr.TopicAuthorizationFailed), errors.Is(err, kerr.ClusterAuthorizationFailed), errors.Is(err, kerr.UnsupportedVersion):
		return nil
	}
	return fmt.Errorf("creating topic %s with %s=%d: %w", topic, key, replication, err)
}
