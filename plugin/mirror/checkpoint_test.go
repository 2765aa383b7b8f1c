package mirror_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/kafkatest"
	"github.com/gokconnect/connect/plugin/mirror"
	"github.com/twmb/franz-go/pkg/kgo"
)

// checkpoints returns the checkpoints on b, in order.
func (p *pair) checkpoints() (list []mirror.Checkpoint) {
	p.t.Helper()
	if p.b.TopicInfo("A.checkpoints.internal") == nil {
		return nil
	}
	for _, r := range p.b.Records("A.checkpoints.internal") {
		c, err := mirror.DecodeCheckpoint(r.Key, r.Value)
		if err != nil {
			p.t.Fatal(err)
		}
		list = append(list, c)
	}
	return list
}

func (p *pair) awaitCheckpoint(want mirror.Checkpoint) {
	p.t.Helper()
	p.await("checkpoint "+want.String(), func() bool { return slices.Contains(p.checkpoints(), want) })
}

func checkpoint(group string, upstream, downstream int64, metadata string) mirror.Checkpoint {
	return mirror.Checkpoint{Group: group, TopicPartition: connect.TopicPartition{Topic: "A.t"}, Upstream: upstream, Downstream: downstream, Metadata: metadata}
}

// filled returns a pair whose a has 1000 records in t, of which the first 100 are gone, so that offsets differ.
func filled(t *testing.T) *pair {
	p := newPair(t)
	p.a.MustCreateTopic("t", 1)
	produce(p.a, "t", 1, 0, 1000)
	if err := p.a.DeleteRecords("t", 0, 100); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestCheckpoints(t *testing.T) {
	for _, location := range []string{"source", "target"} {
		t.Run(location, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := filled(t)
				commitOffset(t, p.a, "g", "t", 0, 1000, "m")
				commitOffset(t, p.a, "h", "t", 0, 500, "")
				commitOffset(t, p.a, "console-consumer-1", "t", 0, 500, "")
				both := map[string]connect.Config{
					"source": p.config(mirror.SourceClass, "topics", "t", "offset-syncs.topic.location", location),
					"check":  p.config(mirror.CheckpointClass, "topics", "t", "offset-syncs.topic.location", location, "tasks.max", "2"),
				}
				p.run(both)
				// The last offset sync is 999 to 899. What is further behind is translated more roughly.
				p.awaitCheckpoint(checkpoint("g", 1000, 900, "m"))
				p.await("a checkpoint of h", func() bool {
					return slices.ContainsFunc(p.checkpoints(), func(c mirror.Checkpoint) bool {
						return c.Group == "h" && c.Upstream == 500 && c.Downstream > 0 && c.Downstream <= 400
					})
				})
				before := p.checkpoints()
				p.stop()
				p.run(both)
				commitOffset(t, p.a, "later", "t", 0, 1000, "")
				p.awaitCheckpoint(checkpoint("later", 1000, 900, ""))
				if after := p.checkpoints(); len(after) != len(before)+1 {
					t.Errorf("after a restart: checkpoints %v, before: %v", after, before)
				}
			})
		})
	}
}

func TestGroupOffsetsAreSynced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := filled(t)
		for _, group := range []string{"new", "behind", "ahead", "used"} {
			commitOffset(t, p.a, group, "t", 0, 1000, "m")
		}
		source := p.config(mirror.SourceClass, "topics", "t")
		p.run(map[string]connect.Config{"source": source})
		p.awaitValues(p.b, "A.t", 900)
		commitOffset(t, p.b, "behind", "A.t", 0, 10, "")
		commitOffset(t, p.b, "ahead", "A.t", 0, 905, "")
		commitOffset(t, p.b, "used", "A.t", 0, 10, "")
		member := consume(p.b, "used", "A.t", kgo.DisableAutoCommit())
		defer member.Close()
		p.await("the group is in use", func() bool { return member.PollFetches(t.Context()).NumRecords() > 0 })
		if err := p.rt.PutConnector(t.Context(), "check", p.config(mirror.CheckpointClass, "topics", "t", "sync.group.offsets.enabled", "true")); err != nil {
			t.Fatal(err)
		}
		p.await("a group is made", func() bool { return committed(t, p.b, "new", "A.t", 0) == 900 })
		p.await("a group that is behind moves", func() bool { return committed(t, p.b, "behind", "A.t", 0) == 900 })
		time.Sleep(10 * time.Second)
		if got := committed(t, p.b, "ahead", "A.t", 0); got != 905 {
			t.Errorf("a group went back from 905 to %d", got)
		}
		if got := committed(t, p.b, "used", "A.t", 0); got != 10 {
			t.Errorf("the offset of a group in use was changed from 10 to %d", got)
		}
		member.Close()
		p.await("a group that is not in use any more moves", func() bool { return committed(t, p.b, "used", "A.t", 0) == 900 })
	})
}

// consume returns a member of a group.
func consume(c *kafkatest.Cluster, group, topic string, opts ...kgo.Opt) *kgo.Client {
	return c.Client(append(opts, kgo.ConsumerGroup(group), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))...)
}

// A consumer that moves to the other cluster goes on without a gap.
func TestFailover(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := filled(t)
		p.run(map[string]connect.Config{
			"source": p.config(mirror.SourceClass, "topics", "t"),
			"check":  p.config(mirror.CheckpointClass, "topics", "t", "sync.group.offsets.enabled", "true"),
		})
		before := consume(p.a, "app", "t", kgo.DisableAutoCommit())
		seen := map[string]int{}
		for len(seen) < 350 {
			before.PollRecords(t.Context(), 50).EachRecord(func(r *kgo.Record) { seen[string(r.Value)]++ })
		}
		if err := before.CommitUncommittedOffsets(t.Context()); err != nil {
			t.Fatal(err)
		}
		before.Close()
		p.await("the offset is on the target", func() bool { return committed(t, p.b, "app", "A.t", 0) >= 0 })
		after := consume(p.b, "app", "A.t", kgo.DisableAutoCommit())
		defer after.Close()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		for len(seen) < 900 && ctx.Err() == nil {
			after.PollFetches(ctx).EachRecord(func(r *kgo.Record) { seen[string(r.Value)]++ })
		}
		again := 0
		for _, value := range numbers(100, 900) {
			if seen[value] == 0 {
				t.Fatalf("record %s was not read on either cluster", value)
			}
			again += seen[value] - 1
		}
		t.Logf("%d records were read twice", again)
		if again > 350 {
			t.Errorf("%d records were read twice", again)
		}
	})
}

func TestHeartbeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t)
		p.run(map[string]connect.Config{"beat": p.config(mirror.HeartbeatClass, "tasks.max", "4")})
		p.await("3 heartbeats", func() bool { return size(p.b, "heartbeats") >= 3 })
		for i, r := range p.b.Records("heartbeats")[:3] {
			h, err := mirror.DecodeHeartbeat(r.Key, r.Value)
			if err != nil || h.SourceAlias != "A" || h.TargetAlias != "B" || !h.Time.Equal(r.Timestamp) {
				t.Errorf("heartbeat %d: %v at %v, error %v", i, h, r.Timestamp, err)
			}
		}
		if got := p.b.TopicInfo("heartbeats").Configs["cleanup.policy"]; got == nil || *got != "compact" {
			t.Error("the topic of heartbeats is not compacted")
		}
	})
}
