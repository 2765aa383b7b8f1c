package mirror_test

import (
	"testing"
	"testing/synctest"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/plugin/mirror"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Under exactly-once delivery each committed record of the source is copied once, and none that was aborted.
func TestExactlyOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t)
		p.a.MustCreateTopic("t", 2)
		produce(p.a, "t", 2, 0, 100)
		tx := p.a.Client(kgo.TransactionalID("x"), kgo.DefaultProduceTopic("t"))
		if err := tx.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		if err := tx.ProduceSync(t.Context(), kgo.StringRecord("aborted")).FirstErr(); err != nil {
			t.Fatal(err)
		}
		if err := tx.EndTransaction(t.Context(), kgo.TryAbort); err != nil {
			t.Fatal(err)
		}
		source := map[string]connect.Config{"source": p.config(mirror.SourceClass, "topics", "t", "tasks.max", "2", "exactly.once.support", "required",
			"source.consumer.isolation.level", "read_committed")}
		worker := connect.Config{"exactly.once.source.support": "enabled"}
		p.run(source, worker)
		p.await("100 records", func() bool { return size(p.b, "A.t") >= 100 && len(p.b.Records("A.t")) >= 100 })
		p.stop()
		produce(p.a, "t", 2, 100, 100)
		p.run(source, worker)
		p.await("200 records", func() bool { return len(p.b.Records("A.t")) >= 200 })
		var got []string
		for _, r := range p.b.Records("A.t") {
			got = append(got, string(r.Value))
		}
		if !same(got, numbers(0, 200)) {
			t.Errorf("got %d records, want each of 200 once", len(got))
		}
		p.await("an offset sync of the end", func() bool {
			for _, s := range syncs(t, p.a, "mm2-offset-syncs.B.internal") {
				if s.Upstream >= 99 {
					return true
				}
			}
			return false
		})
	})
}
