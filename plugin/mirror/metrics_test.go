package mirror_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/connecttest"
	"github.com/gokconnect/connect/plugin/mirror"
	"github.com/twmb/franz-go/pkg/kgo"
)

func TestMetrics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t)
		p.a.MustCreateTopic("t", 1)
		p.a.Produce(
			&kgo.Record{Topic: "t", Value: []byte("12345"), Timestamp: time.Now().Add(-2 * time.Second)},
			&kgo.Record{Topic: "t", Value: []byte("123"), Timestamp: time.Now().Add(-4 * time.Second)},
		)
		reg := new(connect.Registry).MustAdd(mirror.Plugins(p.options())...)
		plugin, ok := reg.Source(mirror.SourceClass)
		if !ok {
			t.Fatal("no such connector")
		}
		cfg := p.config(mirror.SourceClass, "name", "m", "emit.offset-syncs.enabled", "false", "task.assigned.partitions", "t-0", "task.index", "0")
		tc := connecttest.NewSourceContext(t, connect.TaskID{Connector: "m"}, cfg, new(connecttest.Offsets))
		task := plugin.New().NewTask()
		if err := task.Start(t.Context(), tc, cfg); err != nil {
			t.Fatal(err)
		}
		var batch []connect.SourceRecord
		for len(batch) < 2 {
			polled, err := task.Poll(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			batch = append(batch, polled...)
		}
		time.Sleep(time.Second)
		committer := task.(connect.RecordCommitter)
		for i := range batch {
			if err := committer.CommitRecord(t.Context(), &batch[i], &connect.RecordMetadata{Topic: "A.t", Offset: int64(i)}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := task.Poll(t.Context()); err != nil { // long before Commit
			t.Fatal(err)
		}
		tags := []connect.MetricTag{{Key: "source", Value: "A"}, {Key: "target", Value: "B"}, {Key: "topic", Value: "A.t"}, {Key: "partition", Value: "0"}}
		for name, want := range map[string]float64{
			"record-count": 2, "byte-count": 8,
			"record-age-ms-min": 2000, "record-age-ms-max": 4000, "record-age-ms-avg": 3000, "record-age-ms": 4000,
			"replication-latency-ms-min": 3000, "replication-latency-ms-max": 5000,
		} {
			got, ok := tc.PluginMetrics().Value(name, tags...)
			if !ok || got < want || got > want+200 {
				t.Errorf("%s is %v (%v), want %v", name, got, ok, want)
			}
		}
		if err := committer.CommitRecord(t.Context(), &batch[1], &connect.RecordMetadata{Topic: "A.t", Offset: 2}); err != nil {
			t.Fatal(err)
		}
		if err := task.(connect.BatchCommitter).Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n, _ := tc.PluginMetrics().Value("record-count", tags...); n != 3 {
			t.Errorf("after Commit record-count is %v, want 3", n)
		}
		if err := task.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
}
