package cluster

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gokconnect/connect/internal/topiccreation"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

// topicMaker makes sure that the topics of one source task exist. It is used by one goroutine.
type topicMaker struct {
	admin  *kadm.Client
	groups *topiccreation.Groups // nil leaves it to the broker
}

// topicTimeout bounds one attempt to look up or make a topic.
const topicTimeout = 30 * time.Second

// Ensure implements worker.Topics. What can pass is tried again until ctx ends.
func (m *topicMaker) Ensure(ctx context.Context, topic string) error {
	if m.groups == nil {
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

func (m *topicMaker) once(ctx context.Context, topic string) error {
	ctx, cancel := context.WithTimeout(ctx, topicTimeout)
	defer cancel()
	if exists, err := topicExists(ctx, m.admin, topic); exists || err != nil {
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
	_, err = m.admin.CreateTopic(ctx, spec.Partitions, spec.ReplicationFactor, settings, topic)
	if err != nil && !errors.Is(err, kerr.TopicAlreadyExists) {
		return fmt.Errorf("Task failed to create new topic %s with %d partitions and replication factor %d. Ensure that the task is authorized to create topics or that the topic exists: %w",
			topic, spec.Partitions, spec.ReplicationFactor, err)
	}
	return nil
}

// topicExists reports whether there is a topic of that name.
func topicExists(ctx context.Context, admin *kadm.Client, topic string) (bool, error) {
	found, err := admin.ListTopics(ctx, topic)
	if err != nil {
		return false, err
	}
	err = found[topic].Err
	if errors.Is(err, kerr.UnknownTopicOrPartition) {
		return false, nil
	}
	return err == nil, err
}
