package rawproduce

import (
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// topic is who leads the partitions of a topic, as far as it is known. It belongs to the producer's goroutine.
type topic struct {
	name    string
	id      [16]byte
	err     error
	leaders map[int32]int32
	looks   int // at the metadata, so far
	asking  bool
	fails   int
	again   time.Time // not before
}

// fresh returns how many looks it takes for what is known to be newer than now.
func (t *topic) fresh() int {
	if t.asking {
		return t.looks + 2
	}
	return t.looks + 1
}

// leader returns the broker that leads a partition, below 0 if there is none.
func (t *topic) leader(number int32) (int32, error) {
	if t.err != nil {
		return -1, t.err
	}
	leader, ok := t.leaders[number]
	if !ok {
		return -1, kerr.UnknownTopicOrPartition
	}
	return leader, nil
}

// lookUp asks who leads the partitions of topics. What the client knows may be minutes old.
func (p *Producer) lookUp(topics []*topic) {
	if len(topics) == 0 {
		return
	}
	p.async(func() func() {
		req := kmsg.NewPtrMetadataRequest()
		req.AllowAutoTopicCreation, _ = p.Client.OptValue(kgo.AllowAutoTopicCreation).(bool)
		for _, t := range topics {
			wanted := kmsg.NewMetadataRequestTopic()
			wanted.Topic = kmsg.StringPtr(t.name)
			req.Topics = append(req.Topics, wanted)
		}
		resp, err := req.RequestWith(p.ctx, p.Client)
		return func() { p.lookedUp(topics, resp, err) }
	})
}

func (p *Producer) lookedUp(topics []*topic, resp *kmsg.MetadataResponse, err error) {
	for _, t := range topics {
		t.asking = false
		if err != nil {
			t.fails++
			t.again = time.Now().Add(p.backoff(min(t.fails, 1000)))
			for _, part := range p.waiting {
				if part.topic == t.name {
					part.why = err
				}
			}
			continue
		}
		t.looks++
		t.fails, t.err = 0, kerr.UnknownTopicOrPartition
		for i := range resp.Topics {
			if found := &resp.Topics[i]; found.Topic != nil && *found.Topic == t.name {
				t.found(found)
			}
		}
	}
}

func (t *topic) found(r *kmsg.MetadataResponseTopic) {
	if t.err = kerr.ErrorForCode(r.ErrorCode); t.err != nil {
		return
	}
	t.id, t.leaders = r.TopicID, make(map[int32]int32, len(r.Partitions))
	for i := range r.Partitions {
		t.leaders[r.Partitions[i].Partition] = r.Partitions[i].Leader
	}
}
