//go:build real

package real

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gokconnect/connect/test/kafka"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

// replaceTopic deletes a topic and makes it anew.
func replaceTopic(t *testing.T, c *kafka.Cluster, topic string) {
	t.Helper()
	adm := kadm.NewClient(client(t, c))
	if _, err := adm.DeleteTopic(t.Context(), topic); err != nil {
		t.Fatal(err)
	}
	// Whoever asks a broker for the topic makes it too: consumers and producers may be faster.
	if _, err := adm.CreateTopic(t.Context(), 1, -1, nil, topic); err != nil && !errors.Is(err, kerr.TopicAlreadyExists) {
		t.Fatal(err)
	}
}

// The topic of a source is deleted and made anew: what is read from then on is there.
func TestTopicOfSourceIsRecreated(t *testing.T) {
	c, dir := broker(t), t.TempDir()
	in := filepath.Join(dir, "in")
	topic := makeTopic(t, c, "lines", 1)
	appendLines(t, in, 0, 1000)
	w := newWorker(t, c.Bootstrap(), nil, sourceOf(in, topic))
	start(t, w)
	watchTopic(t, c, topic).until(t, 1000)
	replaceTopic(t, c, topic)
	appendLines(t, in, 1000, 2000)
	lines := watchTopic(t, c, topic).until(t, 1000)
	for i, n := range lines[0] {
		if n != 1000+i {
			t.Fatalf("at %d of the new topic is line %d, want %d", i, n, 1000+i)
		}
	}
	stop(t, w)
}

// The topic of a sink is deleted and made anew: all of the new one is written.
func TestTopicOfSinkIsRecreated(t *testing.T) {
	for _, tt := range []struct {
		name   string
		config properties
	}{
		{"eager", properties{"consumer.override.partition.assignment.strategy": "org.apache.kafka.clients.consumer.RangeAssignor"}},
		{"cooperative", properties{"consumer.override.partition.assignment.strategy": "org.apache.kafka.clients.consumer.CooperativeStickyAssignor"}},
		{"by pattern", properties{"topics": "", "topics.regex": "TestTopicOfSinkIsRecreated-by_pattern.*"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, dir := broker(t), t.TempDir()
			out := filepath.Join(dir, "out")
			topic := makeTopic(t, c, "lines", 1)
			produce(t, c, topic, 1, 0, 1000)
			sink := sinkOf(t, topic, out)
			sink["name"] = strings.ReplaceAll(sink["name"], "/", "-")
			sink["consumer.override.metadata.max.age.ms"] = "1000"
			for k, v := range tt.config {
				if sink[k] = v; v == "" {
					delete(sink, k)
				}
			}
			w := newWorker(t, c.Bootstrap(), nil, sink)
			start(t, w)
			fileUntil(t, out, 1000)
			replaceTopic(t, c, topic)
			produce(t, c, topic, 1, 1000, 3000)
			fileUntil(t, out, 3000).once(t, "file", 3000)
			stop(t, w)
		})
	}
}

// topics.regex takes up a topic that appears later.
func TestTopicMatchesLater(t *testing.T) {
	c, dir := broker(t), t.TempDir()
	out := filepath.Join(dir, "out")
	first := makeTopic(t, c, "lines-1", 1)
	produce(t, c, first, 1, 0, 1000)
	sink := sinkOf(t, "", out)
	delete(sink, "topics")
	sink["topics.regex"] = strings.TrimSuffix(first, "1") + "[0-9]+"
	sink["consumer.override.metadata.max.age.ms"] = "1000"
	w := newWorker(t, c.Bootstrap(), nil, sink)
	start(t, w)
	fileUntil(t, out, 1000)
	makeTopic(t, c, "linesx", 1) // does not match
	produce(t, c, makeTopic(t, c, "linesx-2", 1), 1, 5000, 5001)
	produce(t, c, makeTopic(t, c, "lines-2", 1), 1, 1000, 2000)
	fileUntil(t, out, 2000).once(t, "file", 2000)
	stop(t, w)
}
