// Package tracing makes the spans of the batches that tasks move. It knows OpenTelemetry's API alone. docs/traces.md says
// which spans there are.
package tracing

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/gokconnect/connect"
)

// Tracer makes those of a runtime. A nil *Tracer makes none.
type Tracer struct {
	tracer  trace.Tracer
	headers bool
	hide    func(string) string
}

// New returns a Tracer, nil without a provider. headers has records that sources send carry the context of their batch;
// hide takes secrets out of the texts of errors.
func New(p trace.TracerProvider, version string, headers bool, hide func(string) string) *Tracer {
	if p == nil {
		return nil
	}
	return &Tracer{p.Tracer("github.com/gokconnect/connect", trace.WithInstrumentationVersion(version)), headers, hide}
}

// Task returns what makes the spans of a task, nil if t is.
func (t *Tracer) Task(id connect.TaskID) *Task {
	if t == nil {
		return nil
	}
	return &Task{t, id.Connector, trace.WithAttributes(
		attribute.String("kafka.connect.connector", id.Connector), attribute.Int("kafka.connect.task", id.Task))}
}

// Task makes the spans of one task. A nil *Task makes none. It is safe for concurrent use.
type Task struct {
	*Tracer
	connector string
	who       trace.SpanStartEventOption
}

// Source makes the span of a batch that a source task has returned, from a Poll that began then, and that of the Poll. There
// is none of a Poll that returns nothing, which is why both are made when it has ended.
func (t *Task) Source(ctx context.Context, began time.Time, err error) *Batch {
	if t == nil {
		return nil
	}
	b := t.begin(ctx, "source", trace.SpanKindProducer, trace.WithTimestamp(began))
	_, poll := t.tracer.Start(b.Context(ctx), "poll "+t.connector, t.who, trace.WithTimestamp(began))
	t.failed(poll, err)
	poll.End()
	if t.headers {
		b.parent = format(b.span.SpanContext())
	}
	return b
}

// Sink begins the span of a batch that was consumed, with links to where its records come from.
func (t *Task) Sink(ctx context.Context, origins *Origins) *Batch {
	if t == nil {
		return nil
	}
	return t.begin(ctx, "sink", trace.SpanKindConsumer, trace.WithLinks(origins.links...))
}

// Flush begins the span of making durable what was put, with links to the batches.
func (t *Task) Flush(ctx context.Context, batches *Origins) *Batch {
	return t.link(ctx, "flush", batches)
}

// Commit begins the span of a commit, with links to the batches that it commits.
func (t *Task) Commit(ctx context.Context, batches *Origins) *Batch {
	return t.link(ctx, "commit", batches)
}

func (t *Task) link(ctx context.Context, what string, batches *Origins) *Batch {
	if t == nil {
		return nil
	}
	return t.begin(ctx, what, trace.SpanKindInternal, trace.WithLinks(batches.links...))
}

func (t *Task) begin(ctx context.Context, what string, kind trace.SpanKind, opts ...trace.SpanStartOption) *Batch {
	b := &Batch{t: t}
	_, b.span = t.tracer.Start(ctx, what+" "+t.connector, append(opts, trace.WithSpanKind(kind), t.who)...)
	b.left = 1
	return b
}

// Batch is the span of one batch. A nil *Batch is one that nobody traces. Its methods are not for concurrent use.
type Batch struct {
	t      *Task
	span   trace.Span
	parent []byte // the traceparent header of its records, or nil
	left   int    // parts that are not done
}

// Context returns ctx with the span, so that spans of plugins are its children.
func (b *Batch) Context(ctx context.Context) context.Context {
	if b == nil {
		return ctx
	}
	return trace.ContextWithSpan(ctx, b.span)
}

// Stage begins the span of a stage of the batch. The function that it returns ends it.
func (b *Batch) Stage(ctx context.Context, name string) (context.Context, func(error)) {
	if b == nil {
		return ctx, func(error) {}
	}
	ctx, span := b.t.tracer.Start(b.Context(ctx), name+" "+b.t.connector, b.t.who)
	return ctx, func(err error) {
		b.t.failed(span, err)
		span.End()
	}
}

// Records says how many records the batch has.
func (b *Batch) Records(n int) {
	if b != nil {
		b.span.SetAttributes(attribute.Int("messaging.batch.message_count", n))
	}
}

// Failed says that something of the batch failed.
func (b *Batch) Failed(err error) {
	if b != nil {
		b.t.failed(b.span, err)
	}
}

// Add says that one part more has to be done before the batch is. It has one at first.
func (b *Batch) Add() {
	if b != nil {
		b.left++
	}
}

// Done says that a part is done. With the last one, the span ends.
func (b *Batch) Done() {
	if b == nil {
		return
	}
	if b.left--; b.left == 0 {
		b.span.End()
	}
}

// Abandon ends the span of a batch of which something will never be done.
func (b *Batch) Abandon(reason string) {
	if b != nil && b.left > 0 {
		b.left = 0
		b.span.SetStatus(codes.Error, reason)
		b.span.End()
	}
}

// Parent returns the value of the header [Header] for records of the batch; nil if they get none.
func (b *Batch) Parent() []byte {
	if b == nil {
		return nil
	}
	return b.parent
}

func (t *Task) failed(span trace.Span, err error) {
	if err != nil {
		span.SetStatus(codes.Error, t.hide(err.Error()))
	}
}

// Header is the header by which a record carries the context that it was sent in: https://www.w3.org/TR/trace-context.
const Header = "traceparent"

// format returns the value of the header for a context; nil for one that is not valid.
func format(c trace.SpanContext) []byte {
	if !c.IsValid() {
		return nil
	}
	return fmt.Appendf(nil, "00-%s-%s-%s", c.TraceID(), c.SpanID(), c.TraceFlags()&trace.FlagsSampled)
}

// parse returns the context that the header says.
func parse(header []byte) (trace.SpanContext, bool) {
	const length = 55 // of version 00, and the least of later ones
	s := string(header)
	if len(s) < length || s[2] != '-' || s[35] != '-' || s[52] != '-' || s[:2] == "ff" || (s[:2] == "00" && len(s) != length) {
		return trace.SpanContext{}, false
	}
	traceID, err := trace.TraceIDFromHex(s[3:35])
	if err != nil {
		return trace.SpanContext{}, false
	}
	spanID, err := trace.SpanIDFromHex(s[36:52])
	if err != nil {
		return trace.SpanContext{}, false
	}
	flags, err := strconv.ParseUint(s[53:55], 16, 8)
	if err != nil {
		return trace.SpanContext{}, false
	}
	return trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: traceID, SpanID: spanID, TraceFlags: trace.TraceFlags(flags) & trace.FlagsSampled, Remote: true,
	}), true
}

// maxLinks is how many links a span has at most.
const maxLinks = 32

// Origins are the contexts that records come from, each once. The zero value has none.
type Origins struct{ links []trace.Link }

// Full reports whether more would not be kept.
func (o *Origins) Full() bool { return len(o.links) >= maxLinks }

// Header adds what the header of a record says, if that is a context.
func (o *Origins) Header(value []byte) {
	if c, ok := parse(value); ok {
		o.add(c)
	}
}

// Batch adds a batch.
func (o *Origins) Batch(b *Batch) {
	if b != nil {
		o.add(b.span.SpanContext())
	}
}

// Reset forgets them.
func (o *Origins) Reset() { o.links = nil }

func (o *Origins) add(c trace.SpanContext) {
	if o.Full() || !c.IsValid() {
		return
	}
	for _, l := range o.links {
		if l.SpanContext.SpanID() == c.SpanID() && l.SpanContext.TraceID() == c.TraceID() {
			return
		}
	}
	o.links = append(o.links, trace.Link{SpanContext: c})
}
