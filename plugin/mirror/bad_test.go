package mirror_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/cluster"
	"github.com/gokconnect/connect/plugin/mirror"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// awaitError waits until a task has an error with all of these texts.
func (p *pair) awaitError(connector string, texts ...string) {
	p.t.Helper()
	last := "none"
	p.await("an error of a task of "+connector+" with "+strings.Join(texts, ", "), func() bool {
		s, err := p.rt.Status(p.t.Context(), connector)
		if err != nil {
			return false
		}
		for _, task := range s.Tasks {
			if task.Err == nil {
				continue
			}
			last = task.Err.Error()
			all := true
			for _, text := range texts {
				all = all && strings.Contains(last, text)
			}
			if all {
				return true
			}
		}
		return false
	})
	p.t.Log("the error:", last)
}

func TestSourceIsUnreachableAtFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t)
		p.a.MustCreateTopic("t", 2)
		produce(p.a, "t", 2, 0, 100)
		commitOffset(t, p.a, "g", "t", 0, 50, "")
		p.linkA.Cut()
		p.run(map[string]connect.Config{"source": p.config(mirror.SourceClass, "topics", "t"), "check": p.config(mirror.CheckpointClass, "topics", "t")})
		p.await("a report", func() bool { return p.logged("source cluster A can't be reached") })
		time.Sleep(10 * time.Minute)
		p.linkA.Heal()
		if got := p.awaitValues(p.b, "A.t", 100); !same(got, numbers(0, 100)) {
			t.Errorf("got %d records", len(got))
		}
		p.awaitCheckpoint(checkpoint("g", 50, 50, ""))
	})
}

func TestSourceVanishes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t)
		p.a.MustCreateTopic("t", 2)
		produce(p.a, "t", 2, 0, 100)
		p.run(map[string]connect.Config{"source": p.config(mirror.SourceClass, "topics", "t")})
		p.awaitValues(p.b, "A.t", 100)
		p.linkA.Cut()
		produce(p.a, "t", 2, 100, 100)
		p.await("a report", func() bool { return p.logged("there is trouble with the source cluster A") })
		time.Sleep(time.Hour)
		p.linkA.Heal()
		began := time.Now()
		if got := p.awaitValues(p.b, "A.t", 200); !same(got, numbers(0, 200)) {
			t.Errorf("got %d records, want each of 200 once", len(got))
		}
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("it took %v to go on", took)
		}
	})
}

func TestTargetVanishes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t)
		p.a.MustCreateTopic("t", 2)
		p.linkB.Cut() // not the worker's own
		p.run(map[string]connect.Config{"source": p.config(mirror.SourceClass, "topics", "t")})
		p.await("a report", func() bool { return p.logged("target cluster B can't be reached") })
		produce(p.a, "t", 2, 0, 100)
		p.linkB.Heal()
		p.awaitValues(p.b, "A.t", 100)
	})
}

func TestReadingIsForbiddenForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t)
		p.a.MustCreateTopic("t", 1)
		p.a.MustCreateTopic("open", 1)
		produce(p.a, "t", 1, 0, 10)
		fault := p.a.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Topic: "t", Err: kerr.TopicAuthorizationFailed})
		p.run(map[string]connect.Config{"source": p.config(mirror.SourceClass, "topics", "t,open")})
		produce(p.a, "open", 1, 0, 10)
		p.awaitValues(p.b, "A.open", 10)
		p.await("a report", func() bool { return p.logged("TOPIC_AUTHORIZATION_FAILED") })
		time.Sleep(time.Minute)
		fault.Remove()
		if got := p.awaitValues(p.b, "A.t", 10); !same(got, numbers(0, 10)) {
			t.Errorf("got %q", got)
		}
	})
}

func TestTopicIsMadeAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t)
		p.a.MustCreateTopic("t", 2)
		p.a.MustCreateTopic("other", 1)
		produce(p.a, "t", 2, 0, 100)
		p.run(map[string]connect.Config{"source": p.config(mirror.SourceClass, "topics", "t,other")})
		p.awaitValues(p.b, "A.t", 100)
		if err := p.a.DeleteTopic("t"); err != nil {
			t.Fatal(err)
		}
		p.a.MustCreateTopic("t", 2)
		produce(p.a, "t", 2, 1000, 300) // more than before: the old position is one of the new topic too
		got := p.awaitValues(p.b, "A.t", 400)
		if want := append(numbers(0, 100), numbers(1000, 300)...); !same(got, want) {
			t.Errorf("got %d records, want each of 400 once", len(got))
		}
		produce(p.a, "other", 1, 0, 10)
		p.awaitValues(p.b, "A.other", 10)
	})
}

func TestTopicIsMadeAnewWhileNobodyLooks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t)
		p.a.MustCreateTopic("t", 1)
		produce(p.a, "t", 1, 0, 100)
		source := map[string]connect.Config{"source": p.config(mirror.SourceClass, "topics", "t")}
		p.run(source)
		p.awaitValues(p.b, "A.t", 100)
		p.stop()
		if err := p.a.DeleteTopic("t"); err != nil {
			t.Fatal(err)
		}
		p.a.MustCreateTopic("t", 1)
		produce(p.a, "t", 1, 1000, 30) // fewer than before
		p.run(source)
		if got, want := p.awaitValues(p.b, "A.t", 130), append(numbers(0, 100), numbers(1000, 30)...); !same(got, want) {
			t.Errorf("got %d records, want each of 130 once", len(got))
		}
		p.await("a report", func() bool { return p.logged("the source has a shorter log than when records were copied last") })
	})
}

func TestTopicIsDeleted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t)
		p.a.MustCreateTopic("t", 2)
		p.a.MustCreateTopic("other", 1)
		produce(p.a, "t", 2, 0, 100)
		p.run(map[string]connect.Config{"source": p.config(mirror.SourceClass, "topics", "t,other")})
		p.awaitValues(p.b, "A.t", 100)
		if err := p.a.DeleteTopic("t"); err != nil {
			t.Fatal(err)
		}
		p.await("the change is seen", func() bool { return p.logged("what is to be copied has changed") })
		produce(p.a, "other", 1, 0, 10)
		p.awaitValues(p.b, "A.other", 10)
		if partitions(p.b, "A.t") != 2 {
			t.Error("a topic of the target was deleted")
		}
	})
}

func TestLogIsCutShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t)
		p.a.MustCreateTopic("t", 1)
		produce(p.a, "t", 1, 0, 100)
		source := map[string]connect.Config{"source": p.config(mirror.SourceClass, "topics", "t")}
		p.run(source)
		p.awaitValues(p.b, "A.t", 100)
		p.stop()
		produce(p.a, "t", 1, 100, 100)
		if err := p.a.DeleteRecords("t", 0, 150); err != nil {
			t.Fatal(err)
		}
		p.run(source)
		got := p.awaitValues(p.b, "A.t", 150)
		if want := append(numbers(0, 100), numbers(150, 50)...); !same(got, want) {
			t.Errorf("got %q", got)
		}
		p.await("the gap is reported", func() bool {
			return p.logged("records were deleted in the source before they could be copied") && p.logged("missing=50")
		})
	})
}

func TestLogIsCutShortAndNoResetIsWanted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t)
		p.a.MustCreateTopic("t", 1)
		produce(p.a, "t", 1, 0, 100)
		p.run(map[string]connect.Config{"source": p.config(mirror.SourceClass, "topics", "t")})
		p.awaitValues(p.b, "A.t", 100)
		if err := p.rt.Stop(t.Context(), "source"); err != nil {
			t.Fatal(err)
		}
		if _, err := p.rt.Await(t.Context(), "source", func(s cluster.ConnectorStatus) bool { return s.State == cluster.Stopped && len(s.Tasks) == 0 }); err != nil {
			t.Fatal(err)
		}
		produce(p.a, "t", 1, 100, 100)
		if err := p.a.DeleteRecords("t", 0, 150); err != nil {
			t.Fatal(err)
		}
		if err := p.rt.PutConnector(t.Context(), "source", p.config(mirror.SourceClass, "topics", "t", "source.consumer.auto.offset.reset", "none")); err != nil {
			t.Fatal(err)
		}
		if err := p.rt.Resume(t.Context(), "source"); err != nil {
			t.Fatal(err)
		}
		p.awaitError("source", "t-0", "offset 100", "OFFSET_OUT_OF_RANGE", "auto.offset.reset")
		if n := size(p.b, "A.t"); n != 100 {
			t.Errorf("%d records, want 100", n)
		}
	})
}

func TestNewRecordsOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t)
		p.a.MustCreateTopic("t", 1)
		produce(p.a, "t", 1, 0, 100)
		p.run(map[string]connect.Config{"source": p.config(mirror.SourceClass, "topics", "t", "source.consumer.auto.offset.reset", "latest")})
		p.await("the task runs", func() bool { return p.logged("copying partitions") })
		time.Sleep(5 * time.Second)
		produce(p.a, "t", 1, 100, 10)
		if got := p.awaitValues(p.b, "A.t", 10); !same(got, numbers(100, 10)) {
			t.Errorf("got %q", got)
		}
		if err := p.rt.PutConnector(t.Context(), "never", p.config(mirror.SourceClass, "topics", "t", "source.consumer.auto.offset.reset", "none")); err != nil {
			t.Fatal(err)
		}
		p.awaitError("never", "t-0", "no stored offset")
	})
}

func TestTargetHasFewerPartitions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t)
		p.a.MustCreateTopic("t", 3)
		p.b.MustCreateTopic("A.t", 1)
		produce(p.a, "t", 3, 0, 30)
		fault := p.b.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.CreatePartitions}, Err: kerr.PolicyViolation})
		p.run(map[string]connect.Config{"source": p.config(mirror.SourceClass, "topics", "t", "tasks.max", "3")})
		p.await("a report", func() bool {
			return p.logged("can't add partitions to topic A.t on target cluster B: POLICY_VIOLATION")
		})
		p.awaitValues(p.b, "A.t", 10) // of the partition that there is
		fault.Remove()
		p.await("the topic grows", func() bool { return partitions(p.b, "A.t") == 3 })
		if got := p.awaitValues(p.b, "A.t", 30); !same(got, numbers(0, 30)) {
			t.Errorf("got %d records, want each of 30 once", len(got))
		}
	})
}

// TestTargetCantCreateATopic: the other topics are copied meanwhile, also records that come later, and no task fails.
func TestTargetCantCreateATopic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t)
		p.a.MustCreateTopic("good", 1)
		produce(p.a, "good", 1, 0, 10)
		config := p.config(mirror.SourceClass, "topics", "good,refused", "refresh.topics.interval.seconds", "5")
		p.run(map[string]connect.Config{"source": config})
		p.awaitValues(p.b, "A.good", 10)
		fault := p.b.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.CreateTopics}, Err: kerr.PolicyViolation})
		p.a.MustCreateTopic("refused", 1)
		produce(p.a, "refused", 1, 0, 10)
		p.await("a report", func() bool { return p.logged("can't create topic A.refused on target cluster B: POLICY_VIOLATION") })
		time.Sleep(10 * time.Minute)
		produce(p.a, "good", 1, 10, 10)
		p.awaitValues(p.b, "A.good", 20)
		s, err := p.rt.Status(t.Context(), "source")
		if err != nil || s.State != cluster.Running || len(s.Tasks) != 1 || s.Tasks[0].State != cluster.Running {
			t.Errorf("the connector is %+v, %v", s, err)
		}
		fault.Remove()
		if got := p.awaitValues(p.b, "A.refused", 10); !same(got, numbers(0, 10)) {
			t.Errorf("got %q", got)
		}
	})
}

// tooLarge returns a pair whose source has a record that is larger than producers send.
func tooLarge(t *testing.T) *pair {
	p := newPair(t)
	p.a.MustCreateTopic("t", 1, "max.message.bytes", "10000000")
	p.b.MustCreateTopic("A.t", 1, "max.message.bytes", "10000000")
	produce(p.a, "t", 1, 0, 10)
	cl := p.a.Client(kgo.ProducerBatchMaxBytes(5<<20), kgo.ProducerBatchCompression(kgo.NoCompression()))
	if err := cl.ProduceSync(t.Context(), &kgo.Record{Topic: "t", Value: make([]byte, 2<<20)}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	produce(p.a, "t", 1, 11, 10)
	return p
}

func TestRecordIsTooLarge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := tooLarge(t)
		p.run(map[string]connect.Config{"source": p.config(mirror.SourceClass, "topics", "t")})
		p.awaitError("source", "A.t", "cluster=A", "topic=t", "offset=10", "max.request.size")
		time.Sleep(time.Minute)
		p.stop()
		p.run(map[string]connect.Config{"source": p.config(mirror.SourceClass, "topics", "t", "producer.override.max.request.size", "5000000")})
		p.await("the large record and those behind it", func() bool {
			seen := map[string]bool{}
			large := false
			if partitions(p.b, "A.t") > 0 {
				for _, r := range p.b.Records("A.t") {
					seen[string(r.Value)] = true
					large = large || len(r.Value) == 2<<20
				}
			}
			for _, n := range append(numbers(0, 10), numbers(11, 10)...) {
				if !seen[n] {
					return false
				}
			}
			return large
		})
	})
}

func TestRecordsThatAreTooLargeAreTolerated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := tooLarge(t)
		p.run(map[string]connect.Config{"source": p.config(mirror.SourceClass, "topics", "t", "errors.tolerance", "all", "errors.log.enable", "true")})
		if got, want := p.awaitValues(p.b, "A.t", 20), append(numbers(0, 10), numbers(11, 10)...); !same(got, want) {
			t.Errorf("got %q", got)
		}
		p.await("the skip is reported", func() bool { return p.logged("max.request.size") })
	})
}

// TestTooFewBrokers: the error names the key that has to be another.
func TestTooFewBrokers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t)
		p.a.MustCreateTopic("t", 1)
		keys := []string{"replication.factor", "offset-syncs.topic.replication.factor", "checkpoints.topic.replication.factor", "heartbeats.topic.replication.factor"}
		more := []string{"topics", "t"}
		for _, key := range keys {
			more = append(more, key, "9")
		}
		p.run(map[string]connect.Config{
			"source": p.config(mirror.SourceClass, more...), "check": p.config(mirror.CheckpointClass, more...), "beat": p.config(mirror.HeartbeatClass, more...),
		})
		for _, key := range keys {
			p.await("an error with "+key, func() bool { return p.logged("with " + key + "=9: INVALID_REPLICATION_FACTOR") })
		}
	})
}
