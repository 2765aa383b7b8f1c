package cluster_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/cluster"
	"github.com/gokconnect/connect/internal/kafkatest"
	"github.com/twmb/franz-go/pkg/kgo"
)

// A topic that is deleted and made anew under a sink is consumed from its beginning, without a restart of the task.
func TestTopicIsRecreatedUnderSink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := kafkatest.New(t)
		produce := func(from, to int) {
			t.Helper()
			cl, err := kgo.NewClient(append(k.ClientOpts(), kgo.SeedBrokers(k.Addrs()...))...)
			if err != nil {
				t.Fatal(err)
			}
			defer cl.Close()
			for n := from; n < to; n++ {
				if err := cl.ProduceSync(t.Context(), &kgo.Record{Topic: "lines", Value: fmt.Appendf(nil, "line %d", n)}).FirstErr(); err != nil {
					t.Fatal(err)
				}
			}
		}
		k.MustCreateTopic("lines", 1)
		produce(0, 20)
		var out collector
		rt, _ := start(t, k, cluster.Config{Restart: cluster.RestartPolicy{Max: -1}},
			cluster.Sink{Name: "out", Connector: connect.SinkFunc(out.put), Topics: []string{"lines"}})
		time.Sleep(2 * time.Minute) // offsets are committed
		if err := k.DeleteTopic("lines"); err != nil {
			t.Fatal(err)
		}
		k.MustCreateTopic("lines", 1)
		produce(20, 50)
		time.Sleep(2 * time.Minute)
		got := out.got()
		if len(got) != 50 || got[19] != "line 19" || got[20] != "line 20" || got[49] != "line 49" {
			t.Errorf("got %d records: %q", len(got), got)
		}
		if s, err := rt.Status(context.Background(), "out"); err != nil || s.Tasks[0].State != cluster.Running {
			t.Errorf("status %v, error %v", s, err)
		}
	})
}
