package connecttest_test

import (
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/connecttest"
)

func TestMetricsOfContexts(t *testing.T) {
	c := connecttest.NewSourceContext(t, connect.TaskID{Connector: "c"}, nil, nil)
	tag := connect.MetricTag{Key: "topic", Value: "t"}
	metric := func(name string, s connect.Stat) connect.SensorMetric {
		return connect.SensorMetric{Metric: connect.Metric{Name: name, Tags: []connect.MetricTag{tag}}, Stat: s}
	}
	s, err := connect.MetricsOf(c).Sensor(metric("n", connect.StatCount), metric("avg", connect.StatAvg), metric("min", connect.StatMin),
		metric("max", connect.StatMax), metric("sum", connect.StatSum), metric("last", connect.StatLast))
	if err != nil {
		t.Fatal(err)
	}
	if v, ok := c.PluginMetrics().Value("avg", tag); !ok || !math.IsNaN(v) {
		t.Errorf("the mean of nothing: %v %v", v, ok)
	}
	s.Record(4, 2)
	s.Record(3)
	for name, want := range map[string]float64{"n": 3, "avg": 3, "min": 2, "max": 4, "sum": 9, "last": 3} {
		if v, ok := c.PluginMetrics().Value(name, tag); !ok || v != want {
			t.Errorf("%s: %v %v, want %v", name, v, ok, want)
		}
	}
	if _, err := connect.MetricsOf(c).Observe(connect.Metric{Name: "n", Tags: []connect.MetricTag{tag}}, func() float64 { return 0 }); !errors.Is(err, connect.ErrIllegalState) {
		t.Errorf("a second metric of that name: %v", err)
	}
	s.Remove()
	if names := c.PluginMetrics().Names(); len(names) != 0 {
		t.Errorf("metrics are left: %q", names)
	}
	remove, err := connect.MetricsOf(c).Observe(connect.Metric{Name: "n"}, func() float64 { return 7 })
	if err != nil || !slices.Equal(c.PluginMetrics().Names(), []string{"n{}"}) {
		t.Errorf("%v %q", err, c.PluginMetrics().Names())
	}
	remove()
	remove()
}

func TestMetricsOfNothing(t *testing.T) {
	m := connect.MetricsOf(nil)
	remove, err := m.Observe(connect.Metric{Name: "n"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	remove()
	s, err := m.Sensor()
	if err != nil {
		t.Fatal(err)
	}
	s.Record(1)
	s.Remove()
}
