package mirror

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// sourceTopic is a topic that a task copies partitions of.
type sourceTopic struct {
	id     [16]byte  // of the topic as records came from it; zero if that is not known
	missed int       // how many times in a row the source did not know the topic
	check  time.Time // when to look what became of it; zero unless it is missing
}

// missingPause is the time between two looks at what became of a topic that the source does not know.
const missingPause = time.Second

// surelyAnew is after how many misses a topic that seems to be the same counts as a new one.
const surelyAnew = 30

// missing takes note that the source does not know a topic, for the moment, or any more.
func (t *sourceTask) missing(topic string) {
	if s := t.topics[topic]; s != nil && s.check.IsZero() {
		s.missed++
		s.check = time.Now().Add(missingPause)
	}
}

// checkMissing looks what became of topics that were missing. Those that were made anew are copied from their beginning.
func (t *sourceTask) checkMissing(ctx context.Context) {
	now := time.Now()
	for topic, s := range t.topics {
		if s.check.IsZero() || now.Before(s.check) {
			continue
		}
		s.check = time.Time{}
		id := t.topicIDs(ctx, topic)[topic]
		if id != [16]byte{} && (id != s.id && s.id != [16]byte{} || s.missed >= surelyAnew) {
			s.id, s.missed = id, 0
			t.startOver(topic)
		}
	}
}

// found takes note that records came from a topic.
func (t *sourceTask) found(topic string) {
	if s := t.topics[topic]; s != nil {
		s.missed, s.check = 0, time.Time{}
		if s.id == [16]byte{} {
			t.unidentified = true
		}
	}
}

// identify learns the ids of topics that records came from. They tell a topic that was made anew from one that a
// broker does not know for a moment.
func (t *sourceTask) identify(ctx context.Context) {
	if !t.unidentified {
		return
	}
	t.unidentified = false
	var topics []string
	for topic, s := range t.topics {
		if s.id == [16]byte{} {
			topics = append(topics, topic)
		}
	}
	for topic, id := range t.topicIDs(ctx, topics...) {
		t.topics[topic].id = id
	}
}

// topicIDs returns the ids of topics, as far as the source tells.
func (t *sourceTask) topicIDs(ctx context.Context, topics ...string) map[string][16]byte {
	ctx, cancel := context.WithTimeout(ctx, reachTimeout)
	defer cancel()
	req := kmsg.NewPtrMetadataRequest()
	for _, topic := range topics {
		r := kmsg.NewMetadataRequestTopic()
		r.Topic = &topic
		req.Topics = append(req.Topics, r)
	}
	resp, err := req.RequestWith(ctx, t.client)
	if err != nil {
		t.fails(fmt.Errorf("topics of source cluster %s can't be looked at: %w", t.cfg.SourceAlias, err))
		return nil
	}
	ids := make(map[string][16]byte)
	for _, r := range resp.Topics {
		if r.Topic != nil && r.ErrorCode == 0 {
			ids[*r.Topic] = r.TopicID
		}
	}
	return ids
}

// startOver copies a topic from its beginning that was deleted and made anew.
func (t *sourceTask) startOver(topic string) {
	from := make(map[int32]kgo.Offset)
	for _, p := range t.parts {
		if p.Topic == topic {
			t.lane.leave(p)
			p.next = noOffset
			from[p.Partition] = kgo.NewOffset().AtStart()
		}
	}
	t.log.Warn("a topic of the source was deleted and made anew; the new one is copied from its beginning, to the same topic of the target", "topic", topic)
	t.client.PurgeTopicsFromConsuming(topic)
	t.client.AddConsumePartitions(map[string]map[int32]kgo.Offset{topic: from})
}
