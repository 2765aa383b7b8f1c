package kafkalog_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/kafkalog"
	"github.com/gokconnect/connect/internal/kafkatest"
)

func TestEnsure(t *testing.T) {
	for _, tt := range []struct {
		name     string
		existing []string // settings of the topic that is there; nil if none is
		parts    int32    // of the topic that is there
		topic    kafkalog.Topic
		want     int32  // partitions afterwards
		err      string // part of the error
	}{
		{name: "absent", topic: kafkalog.Topic{Partitions: 25, ReplicationFactor: 1}, want: 25},
		{name: "broker's defaults", topic: kafkalog.Topic{Partitions: -1, ReplicationFactor: -1}, want: 10},
		{name: "right", existing: []string{"cleanup.policy", "compact"}, parts: 3, topic: kafkalog.Topic{Partitions: 25, ReplicationFactor: 1}, want: 3},
		{name: "in other words", existing: []string{"cleanup.policy", " Compact "}, parts: 3, topic: kafkalog.Topic{Partitions: 25, ReplicationFactor: 1}, want: 3},
		{name: "deleted too", existing: []string{"cleanup.policy", "compact,delete"}, parts: 1, topic: kafkalog.Topic{Partitions: 25, ReplicationFactor: 1}, want: 1,
			err: "but found the topic currently has 'cleanup.policy=compact,delete'. Continuing"},
		{name: "broker's policy", existing: []string{}, parts: 1, topic: kafkalog.Topic{Partitions: 25, ReplicationFactor: 1}, want: 1,
			err: "Topic 't' supplied via the 'offset.storage.topic' property is required to have 'cleanup.policy=compact' to guarantee consistency and durability of source connector offsets, " +
				"but found the topic currently has 'cleanup.policy=delete'. Continuing would likely result in eventually losing source connector offsets and problems restarting this Connect cluster in the future. " +
				"Change the 'offset.storage.topic' property in the Connect worker configurations to use a topic with 'cleanup.policy=compact'."},
		{name: "too many partitions", existing: []string{"cleanup.policy", "compact"}, parts: 2, topic: kafkalog.Topic{Partitions: 1, ReplicationFactor: 1, SinglePartition: true}, want: 2,
			err: "is required to have a single partition in order to guarantee consistency of source connector offsets, but found 2 partitions."},
		{name: "bad setting", topic: kafkalog.Topic{Partitions: 1, ReplicationFactor: 1, Settings: map[string]string{"min.insync.replicas": "abc"}},
			err: "Unable to create topic(s) 't': Invalid value abc for configuration min.insync.replicas: Not a number of type INT"},
		{name: "too few brokers", topic: kafkalog.Topic{Partitions: 1, ReplicationFactor: 3}, err: "Timeout expired while trying to create topic(s)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c := kafkatest.New(t)
				if tt.existing != nil {
					c.MustCreateTopic("t", tt.parts, tt.existing...)
				}
				tt.topic.Name, tt.topic.Property, tt.topic.Content = "t", "offset.storage.topic", "source connector offsets"
				err := kafkalog.Ensure(t.Context(), kadm.NewClient(c.Client()), tt.topic, 5*time.Second)
				if tt.err == "" && err != nil || tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
					t.Errorf("error %v, want %q", err, tt.err)
				}
				if strings.Contains(tt.err, "required") {
					var ce *connect.ConfigError
					if !errors.As(err, &ce) || ce.Key != "offset.storage.topic" {
						t.Errorf("error %v is not a configuration error", err)
					}
				}
				if got := int32(len(c.PartitionInfos("t"))); got != tt.want {
					t.Errorf("%d partitions, want %d", got, tt.want)
				}
				if info := c.TopicInfo("t"); tt.existing == nil && info != nil && *info.Configs["cleanup.policy"] != "compact" {
					t.Errorf("created with settings %v", info.Configs)
				}
			})
		})
	}
}

func TestEnsureWaitsForBrokers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := kafkatest.New(t)
		time.AfterFunc(3*time.Second, func() {
			if _, _, err := c.AddNode(-1, 9100); err != nil {
				t.Error(err)
			}
		})
		topic := kafkalog.Topic{Name: "t", Partitions: 1, ReplicationFactor: 2}
		if err := kafkalog.Ensure(t.Context(), kadm.NewClient(c.Client()), topic, time.Minute); err != nil {
			t.Error(err)
		}
	})
}

func TestEnsureTakesWhatItMayNotSee(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := kafkatest.New(t)
		for _, err := range []*kerr.Error{kerr.ClusterAuthorizationFailed, kerr.TopicAuthorizationFailed} {
			c.Fault(kfakeFault(err))
			if err := kafkalog.Ensure(t.Context(), kadm.NewClient(c.Client()), kafkalog.Topic{Name: "t", Partitions: 1, ReplicationFactor: 1}, time.Minute); err != nil {
				t.Error(err)
			}
		}
	})
}

func kfakeFault(err *kerr.Error) kfake.Fault {
	return kfake.Fault{Keys: []kmsg.Key{kmsg.CreateTopics}, Err: err, Count: 1}
}
