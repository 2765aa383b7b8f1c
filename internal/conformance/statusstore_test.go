package conformance_test

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/conformance"
	"github.com/gokconnect/connect/internal/conformance/vec"
	"github.com/gokconnect/connect/internal/javatext"
	"github.com/gokconnect/connect/internal/kafkalog"
	"github.com/gokconnect/connect/internal/kafkatest"
	"github.com/gokconnect/connect/internal/statusstore"
)

type statusVector struct {
	State      string  `json:"state"`
	WorkerID   *string `json:"workerId"`
	Generation int32   `json:"generation"`
	Trace      *string `json:"trace"`
	Version    *string `json:"version"`
}

func (s statusVector) status() statusstore.Status {
	return statusstore.Status{State: statusstore.State(s.State), Trace: s.Trace, WorkerID: s.WorkerID, Generation: s.Generation, Version: s.Version}
}

func statusTree(s *statusstore.Status) any {
	if s == nil {
		return nil
	}
	return statusVector{string(s.State), s.WorkerID, s.Generation, s.Trace, s.Version}
}

// statusCache is a cache with what was written, each of which it reads back at once.
type statusCache struct {
	*statusstore.Cache
	ops  []any
	keys []string // of all records
}

func (c *statusCache) apply(key string, value []byte) {
	c.keys = append(c.keys, key)
	_, _ = c.Apply(key, value) // what can't be used must leave the cache as it is
}

func (c *statusCache) write(p *statusstore.Put) {
	if p == nil {
		return
	}
	op := map[string]any{"op": "send", "keyText": p.Record.Key, "valueText": nil}
	if p.Record.Value != nil {
		op["valueText"] = string(p.Record.Value)
	}
	c.ops = append(c.ops, op)
	c.apply(p.Record.Key, p.Record.Value)
}

func (c *statusCache) put(t *testing.T, key string, s statusstore.Status, safe bool) {
	t.Helper()
	if name, ok := strings.CutPrefix(key, "status-connector-"); ok {
		c.write(c.PutConnector(name, s, safe))
		return
	}
	c.write(c.PutTask(taskOf(t, strings.TrimPrefix(key, "status-task-")), s, safe))
}

func taskOf(t *testing.T, text string) connect.TaskID {
	t.Helper()
	name, task, ok := javatext.SplitTask(text)
	if !ok {
		t.Fatalf("no task: %q", text)
	}
	return connect.TaskID{Connector: name, Task: int(task)}
}

func (c *statusCache) tree() map[string]any {
	connectors, tasks, topics := map[string]any{}, map[string]any{}, map[string]any{}
	for _, name := range c.Connectors() {
		connectors[name] = statusTree(c.Connector(name))
	}
	for _, key := range c.keys { // the cache has no list of what it knows no connector of
		if rest, ok := strings.CutPrefix(key, "status-task-"); ok {
			if name, _, ok := javatext.SplitTask(rest); ok {
				for task, s := range c.Tasks(name) {
					tasks[taskName(name, int32(task))] = statusTree(s)
				}
			}
		}
		if at := strings.IndexByte(key, ':'); at >= 0 && len(key) >= at+len(":connector-") {
			connector := key[at+len(":connector-"):]
			for topic, s := range c.Topics(connector) {
				topics[topic+":"+connector] = map[string]any{"topic": s.Name, "connector": s.Connector, "task": s.Task, "discoverTimestamp": strconv.FormatInt(s.Discovered, 10)}
			}
		}
	}
	tree := map[string]any{"connectors": connectors, "tasks": tasks}
	if len(topics) > 0 {
		tree["topics"] = topics
	}
	return tree
}

// operation is what the steps of random scripts, and those with topics, do.
func (c *statusCache) operation(t *testing.T, raw json.RawMessage) {
	t.Helper()
	var op struct {
		statusVector
		PutConnector, PutTask, PutSafeConnector, PutSafeTask, PutTopic, DeleteTopic, Record *string

		ValueText *string
		Connector string
		Task      int32
		Timestamp string
		Flush     bool
	}
	unmarshal(t, raw, &op)
	switch {
	case op.PutConnector != nil:
		c.write(c.PutConnector(*op.PutConnector, op.status(), false))
	case op.PutSafeConnector != nil:
		c.write(c.PutConnector(*op.PutSafeConnector, op.status(), true))
	case op.PutTask != nil:
		c.write(c.PutTask(taskOf(t, *op.PutTask), op.status(), false))
	case op.PutSafeTask != nil:
		c.write(c.PutTask(taskOf(t, *op.PutSafeTask), op.status(), true))
	case op.PutTopic != nil:
		timestamp, err := strconv.ParseInt(op.Timestamp, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		c.write(statusstore.PutTopic(statusstore.Topic{Name: *op.PutTopic, Connector: op.Connector, Task: op.Task, Discovered: timestamp}))
	case op.DeleteTopic != nil:
		c.write(statusstore.DeleteTopic(op.Connector, *op.DeleteTopic))
	case op.Record != nil:
		var value []byte
		if op.ValueText != nil {
			value = []byte(*op.ValueText)
		}
		c.apply(*op.Record, value)
	case op.Flush:
		c.ops = append(c.ops, map[string]any{"op": "flush"}) // what is written is written at once here
	default:
		t.Fatalf("unknown operation %s", raw)
	}
}

// TestStatusStore reads records of the status topic, and compares what is written to it.
func TestStatusStore(t *testing.T) {
	vec.Run(t, "control/status-store.jsonl", func(t *testing.T, c conformance.Case) {
		var raw struct {
			Ops, Cache json.RawMessage
			Steps      []struct {
				In, Ops, Cache json.RawMessage
				Key            string
				ValueText      *string
			}
		}
		unmarshal(t, c.Raw, &raw)
		cache := &statusCache{Cache: statusstore.NewCache()}
		switch kind := strings.Split(strings.TrimPrefix(c.ID, "control.status-store."), ".")[0]; kind {
		case "read", "random":
			for i, step := range raw.Steps {
				cache.ops = nil
				if kind == "random" {
					cache.operation(t, step.In)
					sameMembers(t, cache.ops, step.Ops)
				} else {
					var value []byte
					if step.ValueText != nil {
						value = []byte(*step.ValueText)
					}
					cache.apply(step.Key, value)
				}
				sameMembers(t, cache.tree(), step.Cache)
				if t.Failed() {
					t.Fatalf("at step %d: %s", i, step.In)
				}
			}
			return
		case "put":
			var in struct {
				statusVector
				Connector string
			}
			unmarshal(t, c.In, &in)
			cache.write(cache.PutConnector(in.Connector, in.status(), false))
			cache.write(cache.PutTask(connect.TaskID{Connector: in.Connector, Task: 3}, in.status(), false))
		case "put-topic":
			var in []json.RawMessage
			unmarshal(t, c.In, &in)
			for _, op := range in {
				cache.operation(t, op)
			}
		case "put-safe":
			var in struct {
				Key    string
				Cached *statusVector
				Put    statusVector
			}
			unmarshal(t, c.In, &in)
			if in.Cached != nil {
				in.Cached.Version = new("1.0")
				cache.put(t, in.Key, in.Cached.status(), false)
				cache.ops = nil
			}
			cache.put(t, in.Key, in.Put.status(), true)
		case "send-failure":
			statusSendFailure(t, c)
			return
		default:
			t.Fatal("unknown kind of case")
		}
		sameMembers(t, cache.ops, raw.Ops)
		sameMembers(t, cache.tree(), raw.Cache)
	})
}

// failingProducer keeps the first record until it is told to fail it, and notes those that come after.
type failingProducer struct {
	*kgo.Client

	mu     sync.Mutex
	fail   func(error)
	failed bool
	ops    []any
}

func (p *failingProducer) Produce(ctx context.Context, r *kgo.Record, promise func(*kgo.Record, error)) {
	p.mu.Lock()
	if p.fail == nil {
		p.fail = func(err error) { promise(r, err) }
		p.mu.Unlock()
		return
	}
	if p.failed {
		op := map[string]any{"op": "send", "keyText": string(r.Key), "valueText": nil}
		if r.Value != nil {
			op["valueText"] = string(r.Value)
		}
		p.ops = append(p.ops, op)
	}
	p.mu.Unlock()
	p.Client.Produce(ctx, r, promise)
}

func statusSendFailure(t *testing.T, c conformance.Case) {
	var in struct {
		Key                string
		Safe               bool
		Put                statusVector
		Meanwhile, Failure string
	}
	var raw struct {
		Resent bool
		Ops    json.RawMessage
	}
	unmarshal(t, c.In, &in)
	unmarshal(t, c.Raw, &raw)
	synctest.Test(t, func(t *testing.T) {
		kafka := kafkatest.New(t)
		producer := &failingProducer{Client: kafka.Client()}
		store := statusstore.NewKafka(statusstore.KafkaConfig{Topic: kafkalog.Topic{Name: "status", ReplicationFactor: -1}, Client: kafka.ClientOpts(), Producer: producer})
		if err := store.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		defer store.Stop()
		put := func(s statusVector, safe bool) {
			if name, ok := strings.CutPrefix(in.Key, "status-connector-"); ok {
				store.PutConnector(name, s.status(), safe)
				return
			}
			store.PutTask(taskOf(t, strings.TrimPrefix(in.Key, "status-task-")), s.status(), safe)
		}
		put(in.Put, in.Safe)
		newer := in.Put
		switch in.Meanwhile {
		case "none":
		case "deleted":
			kafka.Produce(&kgo.Record{Topic: "status", Key: []byte(in.Key)})
		case "newer-generation":
			newer.Generation++
			store.PutConnector("another", newer.status(), false)
		case "newer-put":
			newer.State = "RUNNING"
			put(newer, false)
		case "other-worker-record":
			kafka.Produce(&kgo.Record{Topic: "status", Key: []byte(in.Key), Value: []byte(`{"state":"RUNNING","trace":null,"worker_id":"other","generation":` +
				strconv.Itoa(int(in.Put.Generation)+1) + `,"version":null}`)})
		default:
			t.Fatalf("unknown %q", in.Meanwhile)
		}
		if err := store.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		producer.mu.Lock()
		producer.failed = true
		producer.mu.Unlock()
		if in.Failure == "retriable" {
			producer.fail(kerr.RequestTimedOut)
		} else {
			producer.fail(kerr.MessageTooLarge)
		}
		time.Sleep(time.Minute) // of virtual time
		if err := store.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := len(producer.ops) > 0; got != raw.Resent {
			t.Errorf("resent: %t", got)
		}
		sameMembers(t, producer.ops, raw.Ops)
	})
}
