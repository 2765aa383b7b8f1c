package cluster_test

import (
	"context"
	"fmt"
	"iter"
	"slices"
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

// Records that a source's transformations refuse go to its dead letters, unless it is to do as Kafka Connect does.
func TestSourceDeadLetters(t *testing.T) {
	for _, mode := range []string{"", "exactly once", "as java"} {
		t.Run(mode, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := kafkatest.New(t)
				k.MustCreateTopic("lines", 1)
				check := connect.TransformFunc(func(_ context.Context, r *connect.Record) (*connect.Record, error) {
					if r.Value == "line 1" {
						return nil, connect.DataErrorf("refused by db://user:s3cret-pw@host")
					}
					return r, nil
				})
				cfg := cluster.Config{Providers: map[string]connect.ConfigProvider{"vault": vault{}}}
				switch mode {
				case "exactly once":
					cfg.Worker = connect.Config{"exactly.once.source.support": "enabled"}
				case "as java":
					cfg = cluster.KafkaConnectDefaults(cfg)
				}
				three := connect.SourceFunc(func(ctx context.Context, from connect.Fields) iter.Seq2[connect.SourceRecord, error] {
					return func(yield func(connect.SourceRecord, error) bool) {
						n, _ := from["n"].(int64)
						for ; n < 3; n++ {
							r := connect.SourceRecord{Record: connect.Record{Key: "k", Value: fmt.Sprint("line ", n)}, SourceOffset: connect.Fields{"n": n + 1}}
							if !yield(r, nil) {
								return
							}
						}
						<-ctx.Done()
					}
				})
				rt, stop := start(t, k, cfg, cluster.Source{
					Name: "in", Connector: three, Topic: "lines", Transforms: []connect.Transformation{check}, DeadLetters: "dead",
					Config: connect.Config{"password": "${vault:db:pw}", "errors.deadletterqueue.context.headers.enable": "true", "errors.deadletterqueue.topic.replication.factor": "1"},
				})
				time.Sleep(3 * time.Minute)
				stored, err := rt.Offsets(t.Context(), "in")
				if mode != "as java" && (err != nil || len(stored) != 1 || stored[0].Offset["n"] != int64(3)) { // there it waits for Poll
					t.Errorf("offsets %v, %v", stored, err)
				}
				stop()
				if got := k.Texts("lines"); len(got) != 2 {
					t.Errorf("records %q", got)
				}
				if mode == "as java" {
					if k.TopicInfo("dead") != nil {
						t.Error("there is a topic of dead letters")
					}
					return
				}
				letters := k.Records("dead")
				if len(letters) != 1 {
					t.Fatalf("dead letters %v", letters)
				}
				const want = `{"schema":null,"payload":"line 1"}`
				if string(letters[0].Key) != `{"schema":null,"payload":"k"}` || string(letters[0].Value) != want {
					t.Errorf("dead letter %s: %s", letters[0].Key, letters[0].Value)
				}
				got := map[string]string{}
				for _, h := range letters[0].Headers {
					got[strings.TrimPrefix(h.Key, "__connect.errors.")] = string(h.Value)
				}
				if got["source.offset"] != `{"n":2}` || got["stage"] != "TRANSFORMATION" || got["exception.message"] != "refused by db://user:${vault:db:pw}@host" {
					t.Errorf("headers %q", got)
				}
			})
		})
	}
}

// unspeakable is a type of a connector's own whose nil has no text.
type unspeakable struct{ text string }

func (u *unspeakable) String() string { return u.text }

// TestSourceDeadLettersKeepValues: bytes whose schema is what is wrong are not lost, and what has no text fails nothing.
func TestSourceDeadLettersKeepValues(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := kafkatest.New(t)
		k.MustCreateTopic("lines", 1)
		source := connect.SourceFunc(func(ctx context.Context, from connect.Fields) iter.Seq2[connect.SourceRecord, error] {
			return func(yield func(connect.SourceRecord, error) bool) {
				n, _ := from["n"].(int64)
				for ; n < 2; n++ {
					value := []any{[]byte("precious"), (*unspeakable)(nil)}[n]
					if !yield(connect.SourceRecord{Record: connect.Record{ValueSchema: connect.StringSchema, Value: value}, SourceOffset: connect.Fields{"n": n + 1}}, nil) {
						return
					}
				}
				<-ctx.Done()
			}
		})
		_, stop := start(t, k, cluster.Config{}, cluster.Source{Name: "in", Connector: source, Topic: "lines", DeadLetters: "dead",
			Config: connect.Config{"value.converter": "org.apache.kafka.connect.json.JsonConverter", "errors.deadletterqueue.topic.replication.factor": "1"}})
		time.Sleep(time.Minute)
		stop()
		var got []string
		for _, r := range k.Records("dead") {
			for _, h := range r.Headers {
				if strings.HasSuffix(h.Key, "value.format") {
					got = append(got, string(h.Value)+" "+string(r.Value))
				}
			}
		}
		if want := []string{`json {"schema":null,"payload":"cHJlY2lvdXM="}`, "text <nil>"}; !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

// A source's dead letters are validated, but not if it is to do as Kafka Connect does.
func TestSourceDeadLettersValidation(t *testing.T) {
	for _, java := range []bool{false, true} {
		cfg := cluster.Config{Brokers: []string{"none:1"}, GroupID: "g", Plugins: new(connect.Registry).MustAdd(connect.SourcePlugin{
			PluginInfo: connect.PluginInfo{Class: "example.Source"}, New: func() connect.SourceConnector { return shards(1, 1) },
		})}
		if java {
			cfg = cluster.KafkaConnectDefaults(cfg)
		}
		rt, err := cluster.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		values, err := rt.Validate(t.Context(), connect.Config{"name": "in", "connector.class": "example.Source",
			"errors.deadletterqueue.topic.name": "dead", "errors.deadletterqueue.topic.replication.factor": "many"})
		if err != nil {
			t.Fatal(err)
		}
		wrong := 0
		for _, v := range values {
			if strings.HasPrefix(v.Name, "errors.deadletterqueue.") {
				wrong += len(v.Errors)
			}
		}
		if java && wrong != 0 || !java && wrong != 1 {
			t.Errorf("as java: %v, errors: %d", java, wrong)
		}
	}
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
