package cluster_test

import (
	"context"
	"iter"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/cluster"
	"github.com/gokconnect/connect/internal/kafkatest"
)

// threeTasks is a source with three tasks.
type threeTasks struct{ connect.SourceFunc }

func (threeTasks) TaskConfigs(context.Context, int) ([]connect.Config, error) {
	return []connect.Config{{"n": "0"}, {"n": "1"}, {"n": "2"}}, nil
}

// TestThrottle: the rate is the connector's, whatever its tasks; one that is none is refused.
func TestThrottle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := kafkatest.New(t)
		k.MustCreateTopic("t", 1)
		busy := threeTasks{connect.SourceFunc(func(context.Context, connect.Fields) iter.Seq2[connect.SourceRecord, error] {
			return func(yield func(connect.SourceRecord, error) bool) {
				for yield(connect.SourceRecord{Record: connect.Record{Topic: "t", Value: "x"}, SourceOffset: connect.Fields{"n": int64(1)}}, nil) {
				}
			}
		})}
		rt, err := cluster.New(cluster.Config{Brokers: []string{"127.0.0.1:9092"}, GroupID: "g", Client: k.ClientOpts(), Coordinator: cluster.Standalone()})
		if err != nil {
			t.Fatal(err)
		}
		if err := rt.Add(cluster.Source{Name: "busy", Connector: busy, Tasks: 3, Throttle: cluster.Throttle{RecordsPerSecond: 40}}); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- rt.Run(ctx) }()
		time.Sleep(10 * time.Second)
		before := len(k.Records("t"))
		time.Sleep(time.Minute)
		if n := len(k.Records("t")) - before; n < 2300 || n > 2500 {
			t.Errorf("%d records in a minute", n)
		}
		err = rt.PatchConnector(t.Context(), "busy", map[string]*string{"throttle.bytes.per.second": new("10 MB")})
		if err == nil || !strings.Contains(err.Error(), "throttle.bytes.per.second") || !strings.Contains(err.Error(), "10 MB") {
			t.Errorf("refused with: %v", err)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}
