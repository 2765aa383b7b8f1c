package cluster_test

import (
	"context"
	"iter"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/cluster"
	"github.com/gokconnect/connect/internal/kafkatest"
	"github.com/gokconnect/connect/offsets"
)

// One value can't serve two topics: the records of one connector would go to the topic of the other.
func TestPartitionedOfTwoConnectors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := kafkatest.New(t)
		k.MustCreateTopic("a", 1)
		k.MustCreateTopic("b", 1)
		p := shards(2, 1)
		rt, stop := start(t, k, cluster.Config{Offsets: new(offsets.Memory)}, cluster.Source{Name: "a", Connector: p, Topic: "a"})
		time.Sleep(time.Minute)
		if err := rt.Add(cluster.Source{Name: "b", Connector: p, Topic: "b"}); err != nil {
			t.Fatal(err)
		}
		s, err := rt.Await(t.Context(), "b", func(s cluster.ConnectorStatus) bool { return s.State == cluster.Failed || len(s.Tasks) > 0 })
		if err != nil || s.State != cluster.Failed || !strings.Contains(s.Err.Error(), "each connector needs one of its own") {
			t.Errorf("status %+v, %v", s, err)
		}
		if err := rt.PutConnector(t.Context(), "a", connect.Config{"connector.class": "go:a", "topic": "b"}); err != nil {
			t.Errorf("a connector can't change its topic: %v", err)
		}
		time.Sleep(time.Minute)
		if s, err := rt.Status(t.Context(), "a"); err != nil || s.State != cluster.Running {
			t.Errorf("status %+v, %v", s, err)
		}
		stop()
	})
}

// Offsets are given as Go values are written, and reach the connector as they are read back.
func TestAlterOffsetsWithInts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := kafkatest.New(t)
		k.MustCreateTopic("p", 1)
		p := &connect.Partitioned[string, int]{Read: func(ctx context.Context, _ string, from *int) iter.Seq2[connect.Emit[int], error] {
			return func(yield func(connect.Emit[int], error) bool) {
				at := 1
				if from != nil {
					at = *from + 1
				}
				yield(connect.Emit[int]{Record: connect.Record{Value: strconv.Itoa(at)}, Offset: at}, nil)
				<-ctx.Done()
			}
		}}
		rt, _ := start(t, k, cluster.Config{Offsets: new(offsets.Memory)}, cluster.Source{Name: "p", Connector: p, Topic: "p"})
		time.Sleep(time.Minute)
		if err := rt.Stop(t.Context(), "p"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		given := []connect.PartitionOffset{{Partition: connect.Fields{"value": ""}, Offset: connect.Fields{"value": 100}}}
		if err := rt.AlterOffsets(t.Context(), "p", given); err != nil {
			t.Fatal(err)
		}
		if got, err := rt.Offsets(t.Context(), "p"); err != nil || len(got) != 1 || got[0].Offset["value"] != int64(100) || given[0].Offset["value"] != 100 {
			t.Errorf("offsets %v, %v", got, err)
		}
		given[0].Offset["value"] = []int{1}
		if err := rt.AlterOffsets(t.Context(), "p", given); err == nil || !strings.Contains(err.Error(), "partition map[value:]") {
			t.Errorf("an offset that can't be stored: %v", err)
		}
		if err := rt.Resume(t.Context(), "p"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if got := k.Records("p"); len(got) != 2 || string(got[1].Value) != "101" {
			t.Errorf("records %v", got)
		}
	})
}
