package cluster_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/cluster"
	"github.com/gokconnect/connect/connecttest/kafkatest"
	"github.com/gokconnect/connect/internal/tracing/tracingtest"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// flushing is a sink whose spans are children of the runtime's.
type flushing struct {
	tracer trace.Tracer
	fail   chan struct{} // one Put fails for each
}

func (f *flushing) Start(context.Context, connect.SinkTaskContext, connect.Config) error { return nil }
func (f *flushing) Stop(context.Context) error                                           { return nil }
func (f *flushing) Put(ctx context.Context, records []connect.SinkRecord) error {
	if len(records) == 0 {
		return nil
	}
	_, span := f.tracer.Start(ctx, "insert")
	defer span.End()
	select {
	case <-f.fail:
		return connect.Retriable(errors.New("not now"))
	default:
		return nil
	}
}

func (f *flushing) Flush(context.Context, connect.SinkOffsets) error { return nil }

type flushingSink struct {
	connect.SinkFunc
	task connect.SinkTask
}

func (f flushingSink) NewTask() connect.SinkTask { return f.task }

// spansOf returns the spans of a name that ended.
func spansOf(p *tracingtest.Provider, name string) []tracingtest.Span {
	return slices.DeleteFunc(p.Ended(), func(s tracingtest.Span) bool { return s.Name != name })
}

// A batch of a source is one span, with those of its stages; a sink's is linked with it, and a commit with the sink's.
func TestTraces(t *testing.T) {
	for _, exactly := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			k := kafkatest.New(t)
			p := new(tracingtest.Provider)
			cfg := cluster.Config{TracerProvider: p, TraceHeaders: true, Worker: connect.Config{"offset.flush.interval.ms": "3000"}}
			if exactly {
				cfg.GroupID, cfg.Worker["exactly.once.source.support"] = "g", "enabled"
			}
			sink := &flushing{tracer: p.Tracer(""), fail: make(chan struct{}, 1)}
			k.Run(cfg,
				cluster.Source{Name: "src", Connector: counting(nil), Topic: "t"},
				cluster.Sink{Name: "snk", Connector: flushingSink{task: sink}, Topics: []string{"t"}, Config: connect.Config{"consumer.override.auto.offset.reset": "earliest"}})
			k.Await("t", 5)
			sink.fail <- struct{}{}
			time.Sleep(5 * time.Second) // offsets are committed on the interval
			sources := spansOf(p, "source src")
			if len(sources) < 5 {
				t.Fatalf("%d batches of the source", len(sources))
			}
			for _, s := range sources {
				if s.Kind != trace.SpanKindProducer || s.Parent.IsValid() || s.Ends != 1 || s.Status != codes.Unset ||
					s.Attributes["messaging.batch.message_count"].AsInt64() < 1 || s.Attributes["kafka.connect.connector"] != attribute.StringValue("src") || s.Attributes["kafka.connect.task"] != attribute.IntValue(0) {
					t.Fatalf("span %+v", s)
				}
				for _, stage := range []string{"poll src", "process src"} {
					if !slices.ContainsFunc(spansOf(p, stage), func(o tracingtest.Span) bool { return o.Parent.SpanID() == s.Context.SpanID() && o.Ends == 1 }) {
						t.Errorf("span %s has no child %q", s.Context.SpanID(), stage)
					}
				}
			}
			from := func(spans []tracingtest.Span, s tracingtest.Span) bool {
				return len(s.Links) > 0 && !slices.ContainsFunc(s.Links, func(c trace.SpanContext) bool {
					return !slices.ContainsFunc(spans, func(o tracingtest.Span) bool {
						return o.Context.SpanID() == c.SpanID() && o.Context.TraceID() == c.TraceID()
					})
				})
			}
			sinks := spansOf(p, "sink snk")
			failed := 0
			for _, s := range sinks {
				if !from(sources, s) || s.Kind != trace.SpanKindConsumer {
					t.Fatalf("span %+v", s)
				}
			}
			for _, s := range spansOf(p, "put snk") {
				if s.Status == codes.Error {
					failed++
				}
				if !slices.ContainsFunc(spansOf(p, "insert"), func(o tracingtest.Span) bool { return o.Parent.SpanID() == s.Context.SpanID() }) {
					t.Errorf("span %s has no child of the task", s.Context.SpanID())
				}
			}
			if failed != 1 || len(sinks) < 5 {
				t.Errorf("%d batches were put, %d failed", len(sinks), failed)
			}
			for name, of := range map[string][]tracingtest.Span{"flush snk": sinks, "commit snk": sinks} {
				spans := spansOf(p, name)
				if len(spans) == 0 || !from(of, spans[0]) {
					t.Errorf("%s: %+v", name, spans)
				}
			}
			if commits := spansOf(p, "commit src"); exactly && (len(commits) == 0 || !from(sources, commits[0])) {
				t.Errorf("commits of transactions: %+v", commits)
			}
		})
	}
}
