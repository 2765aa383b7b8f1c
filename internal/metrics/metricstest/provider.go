// Package metricstest has a meter provider for tests, which shows what is measured.
package metricstest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
)

// Provider is a [metric.MeterProvider] that knows observable instruments of float64 alone: what the runtime has. The
// zero Provider is ready.
type Provider struct {
	noop.MeterProvider
	// Failed is told of callbacks that fail. Default: a panic.
	Failed func(error)

	mu        sync.Mutex
	callbacks map[int]func(context.Context, metric.Observer) error
	next      int
	names     map[string]bool
}

// Point is one value of one series.
type Point struct {
	Name       string
	Attributes map[string]string
	Value      float64
}

// Key is the point's name and attributes, as name{key=value,…}, sorted.
func (p Point) Key() string {
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(p.Attributes)) {
		parts = append(parts, k+"="+p.Attributes[k])
	}
	return p.Name + "{" + strings.Join(parts, ",") + "}"
}

// Meter implements [metric.MeterProvider].
func (p *Provider) Meter(string, ...metric.MeterOption) metric.Meter { return &meter{p: p} }

// Names returns the instruments, sorted.
func (p *Provider) Names() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Sorted(maps.Keys(p.names))
}

// Collect returns all values that there are now, sorted by Key.
func (p *Provider) Collect() []Point {
	p.mu.Lock()
	all := make([]func(context.Context, metric.Observer) error, 0, len(p.callbacks))
	for _, k := range slices.Sorted(maps.Keys(p.callbacks)) {
		all = append(all, p.callbacks[k])
	}
	p.mu.Unlock()
	o := &observer{}
	for _, f := range all {
		if err := f(context.Background(), o); err != nil {
			if p.Failed == nil {
				panic(fmt.Sprintf("a callback failed: %v", err))
			}
			p.Failed(err)
		}
	}
	slices.SortFunc(o.points, func(a, b Point) int { return strings.Compare(a.Key(), b.Key()) })
	return o.points
}

// Values returns the values of Collect by Key. A series that comes twice is a fault, and shown as such.
func (p *Provider) Values() map[string]float64 {
	all := make(map[string]float64)
	for _, point := range p.Collect() {
		key := point.Key()
		if _, ok := all[key]; ok {
			key += " (twice)"
		}
		all[key] = point.Value
	}
	return all
}

func (p *Provider) add(f func(context.Context, metric.Observer) error) (remove func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.callbacks == nil {
		p.callbacks = make(map[int]func(context.Context, metric.Observer) error)
	}
	n := p.next
	p.next++
	p.callbacks[n] = f
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.callbacks, n)
	}
}

func (p *Provider) instrument(name string, callbacks []metric.Float64Callback, in metric.Float64Observable) {
	p.mu.Lock()
	if p.names == nil {
		p.names = make(map[string]bool)
	}
	p.names[name] = true
	p.mu.Unlock()
	for _, f := range callbacks {
		p.add(func(ctx context.Context, o metric.Observer) error {
			return f(ctx, single{to: o.(*observer), name: name})
		})
	}
}

type meter struct {
	noop.Meter
	p *Provider
}

type gauge struct {
	noop.Float64ObservableGauge
	name string
}

type counter struct {
	noop.Float64ObservableCounter
	name string
}

func (m *meter) Float64ObservableGauge(name string, opts ...metric.Float64ObservableGaugeOption) (metric.Float64ObservableGauge, error) {
	in := &gauge{name: name}
	c := metric.NewFloat64ObservableGaugeConfig(opts...)
	m.p.instrument(name, c.Callbacks(), in)
	return in, nil
}

func (m *meter) Float64ObservableCounter(name string, opts ...metric.Float64ObservableCounterOption) (metric.Float64ObservableCounter, error) {
	in := &counter{name: name}
	c := metric.NewFloat64ObservableCounterConfig(opts...)
	m.p.instrument(name, c.Callbacks(), in)
	return in, nil
}

func (m *meter) RegisterCallback(f metric.Callback, _ ...metric.Observable) (metric.Registration, error) {
	return &registration{remove: m.p.add(f)}, nil
}

type registration struct {
	noop.Registration
	remove func()
}

func (r *registration) Unregister() error { r.remove(); return nil }

type observer struct {
	noop.Observer
	points []Point
}

func (o *observer) ObserveFloat64(in metric.Float64Observable, v float64, opts ...metric.ObserveOption) {
	name := ""
	switch in := in.(type) {
	case *gauge:
		name = in.name
	case *counter:
		name = in.name
	}
	c := metric.NewObserveConfig(opts)
	o.take(name, v, c.Attributes())
}

func (o *observer) take(name string, v float64, set attribute.Set) {
	p := Point{Name: name, Attributes: make(map[string]string), Value: v}
	for _, kv := range set.ToSlice() {
		p.Attributes[string(kv.Key)] = kv.Value.String()
	}
	o.points = append(o.points, p)
}

type single struct {
	noop.Float64Observer
	to   *observer
	name string
}

func (s single) Observe(v float64, opts ...metric.ObserveOption) {
	c := metric.NewObserveConfig(opts)
	s.to.take(s.name, v, c.Attributes())
}
