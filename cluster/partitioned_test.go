package cluster_test

import (
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
