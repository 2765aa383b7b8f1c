package cluster_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/cluster"
	"github.com/gokconnect/connect/internal/kafkatest"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func TestDeadLetters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := kafkatest.New(t)
		k.MustCreateTopic("lines", 1)
		k.MustCreateTopic("dead", 1)
		// The topic is there, so that nothing has to be allowed to make it.
		k.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.CreateTopics}, Topic: "dead", Err: kerr.TopicAuthorizationFailed, Count: -1})
		k.Produce(&kgo.Record{Topic: "lines", Value: []byte("bad")}, &kgo.Record{Topic: "lines", Value: []byte("good")})
		var out collector
		check := connect.TransformFunc(func(_ context.Context, r *connect.Record) (*connect.Record, error) {
			if r.Value == "bad" {
				return nil, connect.DataErrorf("refused by db://user:s3cret-pw@host")
			}
			return r, nil
		})
		_, stop := start(t, k, cluster.Config{Providers: map[string]connect.ConfigProvider{"vault": vault{}}},
			cluster.Sink{
				Name: "out", Connector: connect.SinkFunc(out.put), Topics: []string{"lines"}, Transforms: []connect.Transformation{check}, DeadLetters: "dead",
				Config: connect.Config{"password": "${vault:db:pw}", "errors.deadletterqueue.context.headers.enable": "true"},
			},
		)
		time.Sleep(time.Minute)
		stop()
		if got := out.got(); fmt.Sprint(got) != "[good]" {
			t.Errorf("the sink got %q", got)
		}
		c := k.Client(kgo.ConsumeTopics("dead"), kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()))
		letters := c.PollFetches(t.Context()).Records()
		if len(letters) != 1 || string(letters[0].Value) != "bad" {
			t.Fatalf("dead letters %v", letters)
		}
		for _, h := range letters[0].Headers {
			if strings.Contains(string(h.Value), "s3cret") {
				t.Errorf("header %s has a secret in it: %.200s", h.Key, h.Value)
			}
			if want := "refused by db://user:${vault:db:pw}@host"; h.Key == "__connect.errors.exception.message" && string(h.Value) != want {
				t.Errorf("header %s is %s, want %s", h.Key, h.Value, want)
			}
		}
	})
}

// A task that can't be made gives back what was made for it already.
func TestTaskThatCanNotBeMade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := kafkatest.New(t)
		k.MustCreateTopic("lines", 1)
		var made closable
		reg := new(connect.Registry).MustAdd(
			connect.TransformationPlugin{
				PluginInfo: connect.PluginInfo{Class: "example.Closable"},
				New:        func(connect.Config) (connect.Transformation, error) { return &made, nil },
			},
		)
		rt, stop := start(t, k, cluster.Config{Plugins: reg, Restart: cluster.RestartPolicy{Max: -1}},
			cluster.Source{
				Name: "in", Connector: noTask{shards(1, 1)},
				Config: connect.Config{"transforms": "c", "transforms.c.type": "example.Closable"},
			},
		)
		_, err := rt.Await(t.Context(), "in", func(s cluster.ConnectorStatus) bool { return len(s.Tasks) == 1 && s.Tasks[0].State == cluster.Failed })
		if err != nil {
			t.Fatal(err)
		}
		if n := made.closed.Load(); n != 1 {
			t.Errorf("the transformation was closed %d times", n)
		}
		stop() // the bubble ends only if the producer of the task has been closed
	})
}

// noTask is a source that panics when it has to make a task.
type noTask struct{ connect.SourceConnector }

func (noTask) NewTask() connect.SourceTask { panic("no task") }
