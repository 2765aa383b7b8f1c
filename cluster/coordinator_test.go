package cluster_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/cluster"
	"github.com/gokconnect/connect/cluster/coordinatortest"
	"github.com/gokconnect/connect/internal/group"
	"github.com/gokconnect/connect/internal/kafkatest"
)

func TestStandalone(t *testing.T) {
	coordinatortest.Run(t, func(*testing.T) coordinatortest.Group {
		return coordinatortest.Group{Alone: true, Join: func() coordinatortest.Place { return coordinatortest.Place{Coordinator: cluster.Standalone()} }}
	})
}

func TestHub(t *testing.T) {
	coordinatortest.Run(t, func(*testing.T) coordinatortest.Group {
		hub := new(cluster.Hub)
		return coordinatortest.Group{Join: func() coordinatortest.Place { return coordinatortest.Place{Coordinator: hub.Join()} }}
	})
}

func TestKafkaGroup(t *testing.T) {
	coordinatortest.Run(t, func(t *testing.T) coordinatortest.Group {
		k := kafkatest.New(t)
		return coordinatortest.Group{Join: func() coordinatortest.Place {
			link := k.NewLink()
			c, err := cluster.KafkaGroup(group.Config{Group: "test", Client: link.ClientOpts()})
			if err != nil {
				t.Fatal(err)
			}
			return coordinatortest.Place{Coordinator: c, Cut: link.Cut, Heal: link.Heal}
		}}
	})
}

// TestHandOverInHub: instances of one process share the work without a Kafka group, and it moves at once.
func TestHandOverInHub(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := kafkatest.New(t)
		k.MustCreateTopic("parts", 1)
		o := &owners{owner: make(map[string]string)}
		hub := new(cluster.Hub)
		var all []*instance
		for _, name := range []string{"a", "b", "c"} {
			cfg := cluster.Config{Coordinator: hub.Join(), Worker: connect.Config{"offset.flush.interval.ms": "1000"}}
			all = append(all, startConfigured(t, k, name, cfg,
				cluster.Source{Name: "s", Connector: o.parts(t, name, 6), Tasks: 6, Key: connect.StringConverter{}}))
			time.Sleep(10 * time.Second)
		}
		for _, i := range all {
			if n := o.by(i.name); n != 2 {
				t.Errorf("%s has %d of 6 partitions, want 2", i.name, n)
			}
		}
		if err := all[0].stop(); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Second)
		if b, c := o.by("b"), o.by("c"); b != 3 || c != 3 {
			t.Errorf("a second after a left, b has %d partitions and c %d, want 3 and 3", b, c)
		}
		for _, i := range all[1:] {
			if err := i.stop(); err != nil {
				t.Error(err)
			}
		}
		wantParts(t, k, 6, 100, false)
	})
}
