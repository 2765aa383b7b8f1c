package kafkalog

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/gokconnect/connect"
)

// Topic is what a log needs its topic to be.
type Topic struct {
	Name string
	// Partitions and ReplicationFactor of a topic that has to be created; -1 leaves them to the broker.
	Partitions        int32
	ReplicationFactor int16
	// Settings of a topic that has to be created, in addition to cleanup.policy=compact.
	Settings map[string]string
	// SinglePartition says that a topic with more than one partition can't be used.
	SinglePartition bool
	// Property is the worker's key that names the topic, and Content what is stored there, for errors: for example
	// offset.storage.topic and "source connector offsets".
	Property, Content string
}

const (
	cleanupPolicy = "cleanup.policy"
	compact       = "compact"
)

// Ensure creates the topic if it is absent, and otherwise checks that it is compacted and has the number of partitions
// that it must have. While the cluster lacks brokers for the replication factor, or is slow, it keeps trying for the
// time given. What it is not allowed to see or to create counts as right. A topic that can't be used is a
// *[connect.ConfigError].
func Ensure(ctx context.Context, admin *kadm.Client, t Topic, timeout time.Duration) error {
	created, err := create(ctx, admin, t, timeout)
	if err != nil {
		return err
	}
	if !created {
		if err := checkPolicy(ctx, admin, t); err != nil {
			return err
		}
	}
	if !t.SinglePartition {
		return nil
	}
	topics, err := admin.ListTopics(ctx, t.Name)
	if err != nil {
		return fmt.Errorf("describing topic %s: %w", t.Name, err)
	}
	if n := len(topics[t.Name].Partitions); n > 1 {
		return connect.ConfigErrorf(t.Property, "Topic '%s' supplied via the '%s' property is required to have a single partition in order to guarantee consistency of "+
			"%s, but found %d partitions.", t.Name, t.Property, t.Content, n)
	}
	return nil
}

// create reports whether the topic was created by this call.
func create(ctx context.Context, admin *kadm.Client, t Topic, timeout time.Duration) (bool, error) {
	settings := map[string]*string{}
	for name, value := range t.Settings {
		settings[name] = &value
	}
	settings[cleanupPolicy] = kadm.StringPtr(compact)
	deadline := time.Now().Add(timeout)
	for {
		resp, err := admin.CreateTopic(ctx, t.Partitions, t.ReplicationFactor, settings, t.Name)
		switch {
		case err == nil:
			return true, nil
		case ctx.Err() != nil:
			return false, fmt.Errorf("creating topic %s: %w", t.Name, context.Cause(ctx))
		case errors.Is(err, kerr.TopicAlreadyExists), errors.Is(err, kerr.UnsupportedVersion),
			errors.Is(err, kerr.ClusterAuthorizationFailed), errors.Is(err, kerr.TopicAuthorizationFailed):
			return false, nil
		case errors.Is(err, kerr.InvalidReplicationFactor), kerr.IsRetriable(err):
			if !time.Now().Add(retryPause).Before(deadline) {
				return false, fmt.Errorf("Timeout expired while trying to create topic(s): topic '%s' with replication factor %d: %w", t.Name, t.ReplicationFactor, err)
			}
			if err := pause(ctx, nil); err != nil {
				return false, fmt.Errorf("creating topic %s: %w", t.Name, err)
			}
		default:
			reason := resp.ErrMessage
			if reason == "" {
				reason = err.Error()
			}
			return false, &createError{fmt.Sprintf("Unable to create topic(s) '%s': %s", t.Name, reason), err}
		}
	}
}

// createError is a topic that the broker refuses to create.
type createError struct {
	message string
	err     error
}

func (e *createError) Error() string { return e.message }
func (e *createError) Unwrap() error { return e.err }

func checkPolicy(ctx context.Context, admin *kadm.Client, t Topic) error {
	described, err := admin.DescribeTopicConfigs(ctx, t.Name)
	if err != nil {
		return fmt.Errorf("describing topic %s: %w", t.Name, err)
	}
	found, err := described.On(t.Name, nil)
	if err != nil || found.Err != nil {
		return nil // not allowed to see it, or not there yet
	}
	at := slices.IndexFunc(found.Configs, func(c kadm.Config) bool { return c.Key == cleanupPolicy })
	if at < 0 {
		return nil
	}
	var policies []string
	for p := range strings.SplitSeq(found.Configs[at].MaybeValue(), ",") {
		if p = strings.ToLower(strings.TrimSpace(p)); p != "" && !slices.Contains(policies, p) {
			policies = append(policies, p)
		}
	}
	if len(policies) == 0 || slices.Equal(policies, []string{compact}) {
		return nil
	}
	return connect.ConfigErrorf(t.Property, "Topic '%s' supplied via the '%s' property is required to have '%s=%s' to guarantee consistency and durability of %s, "+
		"but found the topic currently has '%s=%s'. Continuing would likely result in eventually losing %s and problems restarting this Connect cluster in the future. "+
		"Change the '%s' property in the Connect worker configurations to use a topic with '%s=%s'.",
		t.Name, t.Property, cleanupPolicy, compact, t.Content, cleanupPolicy, strings.Join(policies, ","), t.Content, t.Property, cleanupPolicy, compact)
}
