package cluster_test

import (
	"context"
	"maps"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/cluster"
	"github.com/gokconnect/connect/internal/kafkatest"
)

// asking is a source whose task asks whether it may return batches.
type asking struct{ answer *atomic.Int32 }

func (asking) Start(context.Context, connect.ConnectorContext, connect.Config) error { return nil }
func (asking) Stop(context.Context) error                                            { return nil }
func (asking) TaskConfigs(context.Context, int) ([]connect.Config, error) {
	return []connect.Config{{}}, nil
}
func (a asking) NewTask() connect.SourceTask { return &askingTask{answer: a.answer} }

type askingTask struct {
	answer    *atomic.Int32 // 0 none, 1 no, 2 yes, 3 without headers
	forwarder connect.BatchForwarder
}

func (t *askingTask) Start(_ context.Context, tc connect.SourceTaskContext, _ connect.Config) error {
	t.forwarder, _ = connect.As[connect.BatchForwarder](tc)
	return nil
}

func (t *askingTask) Poll(context.Context) ([]connect.SourceRecord, error) {
	switch {
	case t.forwarder == nil || !t.forwarder.ForwardsBatches(false):
		t.answer.Store(1)
	case t.forwarder.ForwardsBatches(true):
		t.answer.Store(2)
	default:
		t.answer.Store(3)
	}
	time.Sleep(100 * time.Millisecond)
	return nil, nil
}

func (t *askingTask) Stop(context.Context) error { return nil }

// TestForwardsBatches: batches pass as they are only where the configuration has nothing to do with their records.
func TestForwardsBatches(t *testing.T) {
	const bytes = "org.apache.kafka.connect.converters.ByteArrayConverter"
	upper := connect.TransformFunc(func(_ context.Context, r *connect.Record) (*connect.Record, error) { return r, nil })
	for _, c := range []struct {
		name   string
		source cluster.Source
		set    connect.Config
		cfg    cluster.Config
		want   int32
	}{
		{name: "nothing to do", want: 2},
		{name: "another value converter", set: connect.Config{"value.converter": "org.apache.kafka.connect.storage.StringConverter"}, want: 1},
		{name: "another key converter", set: connect.Config{"key.converter": "org.apache.kafka.connect.storage.StringConverter"}, want: 1},
		{name: "another header converter", set: connect.Config{"header.converter": "org.apache.kafka.connect.storage.SimpleHeaderConverter"}, want: 3},
		{name: "a transformation", source: cluster.Source{Transforms: []connect.Transformation{upper}}, want: 1},
		{name: "a transformation of the configuration", set: connect.Config{"transforms": "f", "transforms.f.type": "org.apache.kafka.connect.transforms.Flatten$Value"}, want: 1},
		{name: "a topic", source: cluster.Source{Topic: "t"}, want: 2},
		{name: "declared converters", source: cluster.Source{Key: connect.ByteArrayConverter{}, Value: connect.ByteArrayConverter{}, Header: connect.ByteArrayConverter{}}, want: 2},
		{name: "pointers to converters", source: cluster.Source{Key: &connect.ByteArrayConverter{}, Value: &connect.ByteArrayConverter{}, Header: &connect.ByteArrayConverter{}}, want: 2},
		{name: "tolerance", set: connect.Config{"errors.tolerance": "all"}, want: 1},
		{name: "a throttle", source: cluster.Source{Throttle: cluster.Throttle{RecordsPerSecond: 1000}}, want: 1},
		{name: "headers of traces", cfg: cluster.Config{TraceHeaders: true}, want: 1},
		{name: "compression by the connector", set: connect.Config{"producer.override.compression.type": "zstd"}, want: 1},
		{name: "none by the worker", cfg: cluster.Config{Worker: connect.Config{"producer.compression.type": "none"}}, want: 1},
		{name: "as Kafka Connect", cfg: cluster.KafkaConnectDefaults(cluster.Config{}), want: 1},
		{name: "acks", set: connect.Config{"producer.override.acks": "1"}, want: 1},
		{name: "all acks", set: connect.Config{"producer.override.acks": "-1"}, want: 2},
		{name: "not idempotent", set: connect.Config{"producer.override.enable.idempotence": "false"}, want: 2},
		{name: "exactly once", cfg: cluster.Config{Worker: connect.Config{"exactly.once.source.support": "enabled"}}, want: 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := kafkatest.New(t)
				var answer atomic.Int32
				s := c.source
				s.Name, s.Connector = "s", asking{&answer}
				s.Config = connect.Config{}
				if s.Value == nil {
					s.Config = connect.Config{"key.converter": bytes, "value.converter": bytes, "header.converter": bytes}
				}
				maps.Copy(s.Config, c.set)
				rt, stop := start(t, k, c.cfg, s)
				time.Sleep(20 * time.Second)
				if got := answer.Load(); got != c.want {
					t.Errorf("the answer is %d, want %d", got, c.want)
				}
				if c.want == 2 {
					ctx, detach := context.WithCancel(t.Context())
					done := make(chan struct{})
					go func() {
						defer close(done)
						for range rt.Tap(ctx, "s", cluster.TapOptions{}) {
						}
					}()
					time.Sleep(time.Second)
					if got := answer.Load(); got != 1 {
						t.Errorf("with a tap the answer is %d", got)
					}
					detach()
					<-done
					time.Sleep(time.Second)
					if got := answer.Load(); got != 2 {
						t.Errorf("after the tap the answer is %d", got)
					}
				}
				stop()
			})
		})
	}
}
