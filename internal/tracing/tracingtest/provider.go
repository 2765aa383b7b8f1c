// Package tracingtest has a tracer provider for tests, which keeps the spans that ended.
package tracingtest

import (
	"context"
	"encoding/binary"
	"sync"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

// Provider is a [trace.TracerProvider]. The zero Provider is ready. It is safe for concurrent use.
type Provider struct {
	noop.TracerProvider
	mu    sync.Mutex
	made  uint64
	ended []*Span
}

// Span is one that was made.
type Span struct {
	noop.Span
	p *Provider

	Name       string
	Kind       trace.SpanKind
	Context    trace.SpanContext
	Parent     trace.SpanContext
	Links      []trace.SpanContext
	Attributes map[attribute.Key]attribute.Value
	Status     codes.Code
	Reason     string
	Ends       int
}

// Ended returns the spans that ended, in that order.
func (p *Provider) Ended() []Span {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := make([]Span, len(p.ended))
	for i, s := range p.ended {
		out[i] = *s
	}
	return out
}

// Tracer implements [trace.TracerProvider].
func (p *Provider) Tracer(string, ...trace.TracerOption) trace.Tracer { return tracer{p: p} }

type tracer struct {
	noop.Tracer
	p *Provider
}

// Start implements [trace.Tracer].
func (t tracer) Start(ctx context.Context, name string, opts ...trace.SpanStartOption) (context.Context, trace.Span) {
	c := trace.NewSpanStartConfig(opts...)
	t.p.mu.Lock()
	defer t.p.mu.Unlock()
	t.p.made++
	s := &Span{p: t.p, Name: name, Kind: c.SpanKind(), Parent: trace.SpanContextFromContext(ctx), Attributes: make(map[attribute.Key]attribute.Value)}
	var traceID trace.TraceID
	var spanID trace.SpanID
	binary.BigEndian.PutUint64(spanID[:], t.p.made)
	if traceID = s.Parent.TraceID(); !s.Parent.IsValid() {
		binary.BigEndian.PutUint64(traceID[:], t.p.made)
	}
	s.Context = trace.NewSpanContext(trace.SpanContextConfig{TraceID: traceID, SpanID: spanID, TraceFlags: trace.FlagsSampled})
	for _, a := range c.Attributes() {
		s.Attributes[a.Key] = a.Value
	}
	for _, l := range c.Links() {
		s.Links = append(s.Links, l.SpanContext)
	}
	return trace.ContextWithSpan(ctx, s), s
}

// SpanContext implements [trace.Span].
func (s *Span) SpanContext() trace.SpanContext { return s.Context }

// IsRecording implements [trace.Span].
func (s *Span) IsRecording() bool { return true }

// SetStatus implements [trace.Span].
func (s *Span) SetStatus(code codes.Code, reason string) {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	s.Status, s.Reason = code, reason
}

// SetAttributes implements [trace.Span].
func (s *Span) SetAttributes(attributes ...attribute.KeyValue) {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	for _, a := range attributes {
		s.Attributes[a.Key] = a.Value
	}
}

// End implements [trace.Span].
func (s *Span) End(...trace.SpanEndOption) {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	if s.Ends++; s.Ends == 1 {
		s.p.ended = append(s.p.ended, s)
	}
}
