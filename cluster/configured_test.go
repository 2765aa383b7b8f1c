package cluster_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/cluster"
	"github.com/gokconnect/connect/internal/kafkatest"
	"github.com/twmb/franz-go/pkg/kgo"
)

func TestConfiguredDeclaration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := kafkatest.New(t)
		k.MustCreateTopic("lines", 1)
		k.Produce(&kgo.Record{Topic: "lines", Value: []byte("a")})
		var out collector
		plugins := new(connect.Registry).MustAdd(connect.SinkPlugin{
			PluginInfo: connect.PluginInfo{Class: "test.CollectorSink"},
			New:        func() connect.SinkConnector { return connect.SinkFunc(out.put) },
		})
		rt, stop := start(t, k, cluster.Config{Plugins: plugins}, cluster.Configured{Name: "out", Config: connect.Config{
			"connector.class": "CollectorSink", "topics": "lines",
		}})
		time.Sleep(time.Minute)
		cfg, err := rt.Connector(t.Context(), "out")
		if err != nil || cfg["connector.class"] != "CollectorSink" || cfg["name"] != "out" {
			t.Errorf("configuration %v, error %v", cfg, err)
		}
		stop()
		if got := out.got(); len(got) != 1 || got[0] != "a" {
			t.Errorf("got %q", got)
		}
	})
}

func TestConfiguredDeclarationThatIsWrong(t *testing.T) {
	for _, tt := range []struct {
		name string
		c    cluster.Configured
		add  string // the error of Add, or
		run  string // that of Run
	}{
		{"no class", cluster.Configured{Name: "x"}, `connector "x" has no connector.class`, ""},
		{"no name", cluster.Configured{Config: connect.Config{"connector.class": "A"}}, "has no Name", ""},
		{"unknown class", cluster.Configured{Name: "x", Config: connect.Config{"connector.class": "Nothing"}}, "", "Nothing"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := kafkatest.New(t)
				rt, err := cluster.New(cluster.Config{Brokers: k.Addrs(), Client: k.ClientOpts(), GroupID: "g"})
				if err != nil {
					t.Fatal(err)
				}
				if err = rt.Add(tt.c); tt.add != "" {
					if err == nil || !strings.Contains(err.Error(), tt.add) {
						t.Errorf("Add: %v, want %q", err, tt.add)
					}
					return
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				if err := rt.Run(ctx); err == nil || !strings.Contains(err.Error(), tt.run) {
					t.Errorf("Run: %v, want %q", err, tt.run)
				}
			})
		})
	}
}
