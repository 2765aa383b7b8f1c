// Package metrics keeps the metrics of a runtime: those of Kafka Connect, by a rule under the names of OpenTelemetry, and some
// more. What runs records once for each batch; values are computed when a reader of the meter provider collects.
package metrics

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// Scope is the name of the instrumentation scope.
const Scope = "github.com/gokconnect/connect"

// Set is the metrics of one runtime. A nil Set, and what comes from it, takes everything and keeps nothing. Safe for
// concurrent use.
type Set struct {
	windows     Windows
	meter       metric.Meter
	instruments map[*Definition]metric.Float64Observable
	unregister  func() error

	mu      sync.Mutex
	series  map[*series]struct{}
	tasks   map[*Task]struct{}
	plugins map[string]*pluginMetric // by name
	// connectors are those that run.
	connectors map[*ConnectorMetrics]struct{}
	handed     handOvers
	starts     starts
}

// New returns a Set whose metrics p gets, or nil without p.
func New(p metric.MeterProvider, version string, w Windows) (*Set, error) {
	if p == nil {
		return nil, nil
	}
	s := &Set{
		windows: w.withDefaults(), meter: p.Meter(Scope, metric.WithInstrumentationVersion(version)),
		instruments: make(map[*Definition]metric.Float64Observable, len(Definitions)),
		series:      make(map[*series]struct{}), tasks: make(map[*Task]struct{}), plugins: make(map[string]*pluginMetric),
		connectors: make(map[*ConnectorMetrics]struct{}),
	}
	var all []metric.Observable
	var errs []error
	for i := range Definitions {
		d := &Definitions[i]
		var in metric.Float64Observable
		var err error
		if d.Kind == Counter {
			in, err = s.meter.Float64ObservableCounter(d.OTel(), metric.WithDescription(d.Description), metric.WithUnit(d.Unit))
		} else {
			in, err = s.meter.Float64ObservableGauge(d.OTel(), metric.WithDescription(d.Description), metric.WithUnit(d.Unit))
		}
		errs = append(errs, err)
		s.instruments[d] = in
		all = append(all, in)
	}
	registration, err := s.meter.RegisterCallback(s.observe, all...)
	if err := errors.Join(append(errs, err)...); err != nil {
		return nil, fmt.Errorf("metrics: %w", err)
	}
	s.unregister = registration.Unregister
	return s, nil
}

// Close ends the metrics: nothing of them is collected any more.
func (s *Set) Close() error {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	clear(s.series)
	s.mu.Unlock()
	return s.unregister()
}

// series are metrics with the same attributes.
type series struct {
	attrs    []attribute.KeyValue
	option   metric.MeasurementOption
	readings []reading
}

// reading is one metric of a series: a number, or, for a text, 1 with the text as one more attribute.
type reading struct {
	def    *Definition
	number func() float64
	text   func() string
	cached *atomic.Pointer[cachedText]
}

type cachedText struct {
	text   string
	option metric.MeasurementOption
}

func newSeries(attrs ...attribute.KeyValue) *series {
	return &series{attrs: attrs, option: metric.WithAttributeSet(attribute.NewSet(attrs...))}
}

// number adds a metric that is a number. It and text are called more than a hundred times: inlined they would be a large part of a program.
//
//go:noinline
func (r *series) number(g Group, name string, read func() float64) {
	r.readings = append(r.readings, reading{def: definition(g, name), number: read})
}

//go:noinline
func (r *series) text(g Group, name string, read func() string) {
	r.readings = append(r.readings, reading{def: definition(g, name), text: read, cached: new(atomic.Pointer[cachedText])})
}

// constant is a text that never changes; an empty one is not shown.
//
//go:noinline
func (r *series) constant(g Group, name, text string) { r.text(g, name, func() string { return text }) }

func (s *Set) add(all ...*series) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range all {
		s.series[r] = struct{}{}
	}
}

func (s *Set) remove(all ...*series) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range all {
		delete(s.series, r)
	}
}

// observe is called by readers of the meter provider.
func (s *Set) observe(_ context.Context, o metric.Observer) error {
	s.mu.Lock()
	all := make([]*series, 0, len(s.series))
	for r := range s.series {
		all = append(all, r)
	}
	s.mu.Unlock()
	for _, r := range all {
		for i := range r.readings {
			rd := &r.readings[i]
			if rd.number != nil {
				o.ObserveFloat64(s.instruments[rd.def], rd.number(), r.option)
				continue
			}
			text := rd.text()
			if text == "" {
				continue
			}
			c := rd.cached.Load()
			if c == nil || c.text != text {
				attrs := append(r.attrs[:len(r.attrs):len(r.attrs)], attribute.String(rd.def.Name, text))
				c = &cachedText{text, metric.WithAttributeSet(attribute.NewSet(attrs...))}
				rd.cached.Store(c)
			}
			o.ObserveFloat64(s.instruments[rd.def], 1, c.option)
		}
	}
	return nil
}
