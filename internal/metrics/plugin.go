package metrics

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/gokconnect/connect"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// pluginMetric is an instrument for metrics of one name that plugins report.
type pluginMetric struct {
	counter  bool
	readings map[attribute.Distinct]*pluginReading // guarded by the set's lock
}

type pluginReading struct {
	option metric.MeasurementOption
	read   func() float64
}

// value reads the metric. The plugin's code runs on the goroutine of whoever collects: a panic must not end the program.
func (r *pluginReading) value(name string) (v float64, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("metric %s: %w", name, &connect.PanicError{Call: "the function given to Observe", Value: p, Stack: debug.Stack()})
		}
	}()
	return r.read(), nil
}

// plugin is the metrics of one plugin, or of one run of a connector or task.
type plugin struct {
	set    *Set
	attrs  []attribute.KeyValue
	parent *plugin // removes too

	mu      sync.Mutex
	removes map[int]func()
	next    int
}

var _ connect.Metrics = (*plugin)(nil)

func checkName(m connect.Metric) error {
	const allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."
	other := func(r rune) bool { return !strings.ContainsRune(allowed, r) }
	if m.Name == "" || len(m.Name) > 200 || strings.ContainsFunc(m.Name, other) {
		return fmt.Errorf("metric %q: a name has 1 to 200 letters, digits and -_. only", m.Name)
	}
	return nil
}

// Observe implements [connect.Metrics].
func (p *plugin) Observe(m connect.Metric, read func() float64) (remove func(), err error) {
	if err := checkName(m); err != nil {
		return nil, err
	}
	attrs := slices.Clone(p.attrs)
	for _, t := range m.Tags {
		attrs = append(attrs, attribute.String(t.Key, t.Value))
	}
	set := attribute.NewSet(attrs...)
	id := set.Equivalent()
	s := p.set
	s.mu.Lock()
	pm := s.plugins[m.Name]
	s.mu.Unlock()
	if pm == nil {
		if pm, err = s.instrument(m); err != nil {
			return nil, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if pm.counter != m.Counter {
		return nil, fmt.Errorf("metric %s: it is a counter in one place and none in another: %w", m.Name, connect.ErrIllegalState)
	}
	if _, ok := pm.readings[id]; ok {
		return nil, fmt.Errorf("metric %s with tags %v is there already: %w", m.Name, m.Tags, connect.ErrIllegalState)
	}
	reading := &pluginReading{metric.WithAttributeSet(set), read}
	pm.readings[id] = reading
	return p.keep(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if pm.readings[id] == reading {
			delete(pm.readings, id)
		}
	}), nil
}

// keep has remove called when the plugin's metrics end, unless it is before.
func (p *plugin) keep(remove func()) func() {
	owner := p
	if p.parent != nil {
		owner = p.parent
	}
	owner.mu.Lock()
	defer owner.mu.Unlock()
	if owner.removes == nil {
		owner.removes = make(map[int]func())
	}
	n := owner.next
	owner.next++
	owner.removes[n] = remove
	return func() {
		owner.mu.Lock()
		delete(owner.removes, n)
		owner.mu.Unlock()
		remove()
	}
}

func (p *plugin) close() {
	p.mu.Lock()
	all := slices.Collect(maps.Values(p.removes))
	p.removes = nil
	p.mu.Unlock()
	for _, remove := range all {
		remove()
	}
}

// instrument makes the instrument of a name, once.
func (s *Set) instrument(m connect.Metric) (*pluginMetric, error) {
	pm := &pluginMetric{counter: m.Counter, readings: make(map[attribute.Distinct]*pluginReading)}
	s.mu.Lock()
	if other := s.plugins[m.Name]; other != nil {
		s.mu.Unlock()
		return other, nil
	}
	s.plugins[m.Name] = pm
	s.mu.Unlock()
	observe := func(_ context.Context, o metric.Float64Observer) error {
		s.mu.Lock()
		all := slices.Collect(maps.Values(pm.readings))
		s.mu.Unlock()
		var errs []error
		for _, r := range all {
			if v, err := r.value(m.Name); err != nil {
				errs = append(errs, err)
			} else {
				o.Observe(v, r.option)
			}
		}
		return errors.Join(errs...)
	}
	name := PluginPrefix + m.Name
	var err error
	if m.Counter {
		_, err = s.meter.Float64ObservableCounter(name, metric.WithDescription(m.Description), metric.WithUnit(m.Unit), metric.WithFloat64Callback(observe))
	} else {
		_, err = s.meter.Float64ObservableGauge(name, metric.WithDescription(m.Description), metric.WithUnit(m.Unit), metric.WithFloat64Callback(observe))
	}
	if err != nil {
		s.mu.Lock()
		delete(s.plugins, m.Name)
		s.mu.Unlock()
		return nil, fmt.Errorf("metric %s: %w", m.Name, err)
	}
	return pm, nil
}

// PluginPrefix is before the names of metrics that plugins report: Kafka Connect has them under type=plugins.
const PluginPrefix = "kafka.connect.plugins."

// Sensor implements [connect.Metrics].
func (p *plugin) Sensor(metrics ...connect.SensorMetric) (connect.Sensor, error) {
	s := &sensor{window: newWindow(p.set.windows)}
	for _, m := range metrics {
		read := s.stat(m.Stat)
		if read == nil {
			s.Remove()
			return nil, fmt.Errorf("metric %s: there is no statistic %d", m.Name, m.Stat)
		}
		remove, err := p.Observe(m.Metric, read)
		if err != nil {
			s.Remove()
			return nil, err
		}
		s.removes = append(s.removes, remove)
	}
	return s, nil
}

type sensor struct {
	window  *window
	removes []func()
	gone    atomic.Bool
}

func (s *sensor) Record(values ...float64) {
	if len(values) == 0 {
		return
	}
	sum, least, most := 0.0, values[0], values[0]
	for _, v := range values {
		sum += v
		least, most = min(least, v), max(most, v)
	}
	s.window.record(len(values), sum, least, most)
	s.window.setLast(values[len(values)-1])
}

func (s *sensor) Remove() {
	if s.gone.Swap(true) {
		return
	}
	for _, remove := range s.removes {
		remove()
	}
}

func (s *sensor) stat(of connect.Stat) func() float64 {
	w := s.window
	switch of {
	case connect.StatLast:
		return w.lastValue
	case connect.StatSum:
		return w.totalSum
	case connect.StatCount:
		return func() float64 { _, _, n := w.lifetime(); return n }
	case connect.StatRate:
		return w.rate
	case connect.StatMin:
		return w.min
	case connect.StatMax:
		return w.max
	case connect.StatAvg:
		return w.avg
	}
	return nil
}
