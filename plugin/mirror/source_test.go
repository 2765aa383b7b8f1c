package mirror_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/plugin/mirror"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

func TestRecordsAreCopiedUnchanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t)
		p.a.MustCreateTopic("t", 3, "retention.ms", "86400000", "cleanup.policy", "compact")
		at := time.UnixMilli(1729803600000)
		p.a.Produce(
			&kgo.Record{Topic: "t", Partition: 2, Key: []byte{0, 255}, Value: []byte("v"), Timestamp: at,
				Headers: []kgo.RecordHeader{{Key: "h", Value: []byte{1}}, {Key: "h", Value: nil}, {Key: "", Value: []byte{}}}},
			&kgo.Record{Topic: "t", Partition: 2, Value: []byte{}, Timestamp: at},
			&kgo.Record{Topic: "t", Partition: 0, Key: []byte{}, Timestamp: at},
		)
		p.run(map[string]connect.Config{"source": p.config(mirror.SourceClass, "topics", "t", "tasks.max", "2")})
		p.await("3 records", func() bool { return size(p.b, "A.t") == 3 })
		want, got := p.a.Records("t"), p.b.Records("A.t")
		for i, w := range want {
			g := got[i]
			if g.Partition != w.Partition || string(g.Key) != string(w.Key) || string(g.Value) != string(w.Value) || (g.Key == nil) != (w.Key == nil) ||
				(g.Value == nil) != (w.Value == nil) || !g.Timestamp.Equal(w.Timestamp) || len(g.Headers) != len(w.Headers) {
				t.Fatalf("record %d: got %+v, want %+v", i, g, w)
			}
			for j, h := range w.Headers {
				if g.Headers[j].Key != h.Key || string(g.Headers[j].Value) != string(h.Value) || (g.Headers[j].Value == nil) != (h.Value == nil) {
					t.Errorf("record %d, header %d: got %+v, want %+v", i, j, g.Headers[j], h)
				}
			}
		}
		if n := partitions(p.b, "A.t"); n != 3 {
			t.Errorf("A.t has %d partitions, want 3", n)
		}
		if got := p.b.TopicInfo("A.t").Configs["retention.ms"]; got == nil || *got != "86400000" {
			t.Errorf("retention.ms of A.t is %v, want that of the source", got)
		}
	})
}

func TestRestartGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t)
		p.a.MustCreateTopic("t", 3)
		produce(p.a, "t", 3, 0, 300)
		source := map[string]connect.Config{"source": p.config(mirror.SourceClass, "topics", "t", "tasks.max", "2")}
		p.run(source)
		p.awaitValues(p.b, "A.t", 300)
		p.stop()
		produce(p.a, "t", 3, 300, 300)
		p.run(source)
		if got := p.awaitValues(p.b, "A.t", 600); !same(got, numbers(0, 600)) {
			t.Errorf("got %d records, want each of 600 once", len(got))
		}
	})
}

func TestNewTopicsAndPartitions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t)
		p.a.MustCreateTopic("t", 1)
		p.a.MustCreateTopic("other", 1)
		produce(p.a, "t", 1, 0, 10)
		p.run(map[string]connect.Config{"source": p.config(mirror.SourceClass, "topics", "t.*", "tasks.max", "4")})
		p.awaitValues(p.b, "A.t", 10)
		p.a.MustCreateTopic("t2", 2)
		produce(p.a, "t2", 2, 0, 10)
		p.awaitValues(p.b, "A.t2", 10)
		if _, err := kadm.NewClient(p.a.Client()).UpdatePartitions(t.Context(), 3, "t"); err != nil {
			t.Fatal(err)
		}
		produce(p.a, "t", 3, 10, 20)
		if got := p.awaitValues(p.b, "A.t", 30); !same(got, numbers(0, 30)) {
			t.Errorf("A.t has %q", got)
		}
		if n := partitions(p.b, "A.t"); n != 3 {
			t.Errorf("A.t has %d partitions, want 3", n)
		}
		if partitions(p.b, "A.other") != 0 {
			t.Error("a topic was copied that is not to be")
		}
	})
}

func TestOffsetSyncs(t *testing.T) {
	for _, location := range []string{"source", "target"} {
		t.Run(location, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPair(t)
				p.a.MustCreateTopic("t", 1)
				produce(p.a, "t", 1, 0, 250)
				p.run(map[string]connect.Config{"source": p.config(mirror.SourceClass, "topics", "t", "offset-syncs.topic.location", location)})
				on, topic := p.a, "mm2-offset-syncs.B.internal"
				if location == "target" {
					on, topic = p.b, "mm2-offset-syncs.A.internal"
				}
				sync := func(n int64) mirror.OffsetSync {
					return mirror.OffsetSync{TopicPartition: connect.TopicPartition{Topic: "t"}, Upstream: n, Downstream: n}
				}
				// The first, one each 100, and the last.
				want := []mirror.OffsetSync{sync(0), sync(101), sync(202), sync(249)}
				p.await("4 offset syncs", func() bool { return len(syncs(t, on, topic)) >= 4 })
				if got := syncs(t, on, topic); !slices.Equal(got, want) {
					t.Errorf("offset syncs %v, want %v", got, want)
				}
			})
		})
	}
}
