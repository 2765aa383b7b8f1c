package connecttest

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gokconnect/connect"
)

// Metrics is a [connect.Metrics] that can be looked at. Its windows never end. The zero value is ready.
type Metrics struct {
	mu     sync.Mutex
	values map[string]func() float64
}

// Value returns the value of a metric now, and whether there is one of that name with these tags, in any order.
func (m *Metrics) Value(name string, tags ...connect.MetricTag) (float64, bool) {
	m.mu.Lock()
	read := m.values[metricKey(name, tags)]
	m.mu.Unlock()
	if read == nil {
		return 0, false
	}
	return read(), true
}

// Names returns the metrics there are, as name{key=value,...}, sorted.
func (m *Metrics) Names() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var names []string
	for key := range m.values {
		names = append(names, key)
	}
	slices.Sort(names)
	return names
}

// Observe implements [connect.Metrics].
func (m *Metrics) Observe(metric connect.Metric, read func() float64) (remove func(), err error) {
	key := metricKey(metric.Name, metric.Tags)
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.values[key]; ok {
		return nil, fmt.Errorf("metric %s is there already: %w", key, connect.ErrIllegalState)
	}
	if m.values == nil {
		m.values = make(map[string]func() float64)
	}
	m.values[key] = read
	return sync.OnceFunc(func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		delete(m.values, key)
	}), nil
}

// Sensor implements [connect.Metrics].
func (m *Metrics) Sensor(metrics ...connect.SensorMetric) (connect.Sensor, error) {
	s := &sensor{began: time.Now(), least: math.NaN(), most: math.NaN()}
	for _, metric := range metrics {
		remove, err := m.Observe(metric.Metric, func() float64 { return s.stat(metric.Stat) })
		if err != nil {
			s.Remove()
			return nil, err
		}
		s.removes = append(s.removes, remove)
	}
	return s, nil
}

type sensor struct {
	removes []func()
	began   time.Time

	mu                     sync.Mutex
	n                      int
	last, sum, least, most float64
}

func (s *sensor) Record(values ...float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, v := range values {
		if s.n == 0 {
			s.least, s.most = v, v
		}
		s.n++
		s.last, s.sum, s.least, s.most = v, s.sum+v, min(s.least, v), max(s.most, v)
	}
}

func (s *sensor) Remove() {
	for _, remove := range s.removes {
		remove()
	}
}

func (s *sensor) stat(of connect.Stat) float64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch of {
	case connect.StatLast:
		return s.last
	case connect.StatSum:
		return s.sum
	case connect.StatCount:
		return float64(s.n)
	case connect.StatRate:
		return s.sum / max(time.Since(s.began).Seconds(), 1)
	case connect.StatMin:
		return s.least
	case connect.StatMax:
		return s.most
	}
	return s.sum / float64(s.n)
}

func metricKey(name string, tags []connect.MetricTag) string {
	var parts []string
	for _, t := range tags {
		parts = append(parts, t.Key+"="+t.Value)
	}
	slices.Sort(parts)
	return name + "{" + strings.Join(parts, ",") + "}"
}
