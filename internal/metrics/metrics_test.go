package metrics_test

import (
	"errors"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/metrics"
	"github.com/gokconnect/connect/internal/metrics/metricstest"
)

func newSet(t *testing.T) (*metrics.Set, *metricstest.Provider) {
	t.Helper()
	p := new(metricstest.Provider)
	s, err := metrics.New(p, "1", metrics.Windows{})
	if err != nil {
		t.Fatal(err)
	}
	return s, p
}

func check(t *testing.T, p *metricstest.Provider, want map[string]float64) {
	t.Helper()
	all := p.Values()
	for key, v := range want {
		got, ok := all[key]
		if !ok || got != v && (!math.IsNaN(v) || !math.IsNaN(got)) {
			t.Errorf("%s is %v (there: %v), want %v", key, got, ok, v)
		}
	}
}

func TestNamesAreUnique(t *testing.T) {
	seen := make(map[string]bool)
	for i := range metrics.Definitions {
		d := &metrics.Definitions[i]
		if seen[d.OTel()] {
			t.Errorf("%s is there twice", d.OTel())
		}
		seen[d.OTel()] = true
		if d.Description == "" {
			t.Errorf("%s has no description", d.OTel())
		}
	}
}

func TestSourceTask(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, p := newSet(t)
		task := s.Task(connect.TaskID{Connector: "c", Task: 3}, connect.KindSource, false)
		const of = "{connector=c,task=3}"
		source, common := "kafka.connect.source-task.", "kafka.connect.connector-task."
		check(t, p, map[string]float64{
			source + "source-record-poll-total" + of: 0, source + "poll-batch-max-time-ms" + of: math.NaN(), source + "source-record-poll-rate" + of: 0,
			common + "status{connector=c,status=unassigned,task=3}": 1, common + "offset-commit-success-percentage" + of: 0,
		})
		task.State("running")
		end := task.Begin(metrics.Run{Errors: func() metrics.ErrorCounts { return metrics.ErrorCounts{Errors: 2, Skipped: 1} }})
		task.Polled(100, 20*time.Millisecond, 100)
		task.Polled(50, 10*time.Millisecond, 150)
		task.Batch(50)
		task.Written(90)
		task.Committed(5*time.Millisecond, nil)
		task.Committed(0, errors.New("x"))
		time.Sleep(10 * time.Second)
		task.State("paused")
		time.Sleep(30 * time.Second)
		check(t, p, map[string]float64{
			source + "source-record-poll-total" + of: 150, source + "poll-batch-max-time-ms" + of: 20, source + "poll-batch-avg-time-ms" + of: 15,
			source + "source-record-poll-rate" + of: 150.0 / 40, source + "source-record-write-total" + of: 90, source + "source-record-active-count" + of: 150,
			source + "source-record-active-count-max" + of: 150, source + "source-record-active-count-avg" + of: 125,
			common + "running-ratio" + of: 0.25, common + "pause-ratio" + of: 0.75, common + "batch-size-max" + of: 50,
			common + "offset-commit-success-percentage" + of: 0.5, common + "offset-commit-failure-percentage" + of: 0.5, common + "offset-commit-max-time-ms" + of: 5,
			"kafka.connect.task-error.total-record-errors" + of: 2,
		})
		end()
		task.Begin(metrics.Run{Errors: func() metrics.ErrorCounts { return metrics.ErrorCounts{Errors: 3} }})
		time.Sleep(time.Minute)
		check(t, p, map[string]float64{ // windows are over, totals stay
			source + "source-record-poll-total" + of: 150, source + "poll-batch-max-time-ms" + of: math.NaN(), source + "source-record-poll-rate" + of: 0,
			"kafka.connect.task-error.total-record-errors" + of: 5, "kafka.connect.task-error.total-records-skipped" + of: 1,
		})
		task.Remove()
		if all := p.Collect(); len(all) != 0 {
			t.Errorf("metrics are left: %v", all)
		}
	})
}

// A rate counts at least one whole sample as time that has passed, as Kafka's does, so that the first value makes no peak.
func TestRateOfTheFirstMoment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, p := newSet(t)
		task := s.Task(connect.TaskID{Connector: "c"}, connect.KindSource, false)
		task.Polled(300, 0, 0)
		check(t, p, map[string]float64{"kafka.connect.source-task.source-record-poll-rate{connector=c,task=0}": 10})
	})
}

func TestWorker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, p := newSet(t)
		w := s.Worker(metrics.WorkerInfo{Version: "4.3.0", Commit: "x", ClientID: "me", Protocol: func() string { return "SESSIONED" }, Leader: func() string { return "" }})
		r := "kafka.connect.connect-worker-rebalance."
		check(t, p, map[string]float64{r + "time-since-last-rebalance-ms{}": math.Inf(1), r + "rebalancing{}": 0, r + "connect-protocol{connect-protocol=SESSIONED}": 1})
		w.RebalanceBegan()
		check(t, p, map[string]float64{r + "rebalancing{}": 1})
		time.Sleep(time.Second)
		w.RebalanceBegan() // the first was not completed
		time.Sleep(2 * time.Second)
		w.RebalanceEnded(7, 1, 2)
		id := connect.TaskID{Connector: "c"}
		s.Stopped(id)
		time.Sleep(3 * time.Second)
		c := s.Connector("c", connect.KindSource, metrics.Plugin{Class: "C", Version: "1"}, nil)
		c.State("RUNNING")
		task := s.Task(id, connect.KindSource, false)
		task.State("running")
		bad := s.Task(connect.TaskID{Connector: "c", Task: 1}, connect.KindSource, false)
		bad.State("failed")
		cw, cc := "kafka.connect.connect-worker.", "kafka.connect.connect-coordinator."
		check(t, p, map[string]float64{
			r + "epoch{}": 7, r + "completed-rebalances-total{}": 1, r + "rebalance-max-time-ms{}": 2000, r + "time-since-last-rebalance-ms{}": 3000,
			r + "hand-over-gap-max-ms{}": 3000, r + "hand-over-total{}": 1,
			cc + "failed-rebalance-total{client-id=me}": 1, cc + "assigned-tasks{client-id=me}": 2, cc + "last-heartbeat-seconds-ago{client-id=me}": -1,
			cw + "connector-count{}": 1, cw + "task-count{}": 2, cw + "task-startup-attempts-total{}": 2, cw + "task-startup-failure-percentage{}": 0.5,
			cw + "connector-startup-success-total{}": 1, cw + "connector-failed-task-count{connector=c}": 1, cw + "connector-running-task-count{connector=c}": 1,
			cw + "connector-total-task-count{connector=c}": 2, "kafka.connect.app-info.version{client-id=me,version=4.3.0}": 1,
			"kafka.connect.connector.status{connector=c,status=running}": 1,
		})
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if all := p.Collect(); len(all) != 0 {
			t.Errorf("metrics are left after Close: %v", all)
		}
	})
}

func TestPluginMetrics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, p := newSet(t)
		task := s.Task(connect.TaskID{Connector: "c"}, connect.KindSource, false)
		end := task.Begin(metrics.Run{})
		m := task.Plugin()
		tags := []connect.MetricTag{{Key: "topic", Value: "a.t"}}
		sensor, err := m.Sensor(
			connect.SensorMetric{Metric: connect.Metric{Name: "lag-ms", Tags: tags}, Stat: connect.StatLast},
			connect.SensorMetric{Metric: connect.Metric{Name: "lag-ms-max", Tags: tags}, Stat: connect.StatMax},
			connect.SensorMetric{Metric: connect.Metric{Name: "bytes", Tags: tags, Counter: true}, Stat: connect.StatSum},
		)
		if err != nil {
			t.Fatal(err)
		}
		sensor.Record(3, 9, 4)
		of := "{connector=c,task=0,topic=a.t}"
		check(t, p, map[string]float64{metrics.PluginPrefix + "lag-ms" + of: 4, metrics.PluginPrefix + "lag-ms-max" + of: 9, metrics.PluginPrefix + "bytes" + of: 16})
		one := func() float64 { return 1 }
		if _, err := m.Observe(connect.Metric{Name: "lag-ms", Tags: tags}, one); !errors.Is(err, connect.ErrIllegalState) {
			t.Errorf("a name twice: %v", err)
		}
		if _, err := m.Observe(connect.Metric{Name: "lag-ms", Counter: true}, one); !errors.Is(err, connect.ErrIllegalState) {
			t.Errorf("a counter that was none: %v", err)
		}
		for _, bad := range []string{"", "a b", "ä", strings.Repeat("x", 201)} {
			if _, err := m.Observe(connect.Metric{Name: bad}, one); err == nil {
				t.Errorf("name %q was taken", bad)
			}
		}
		if _, err := task.PluginOf("transform", "mask").Observe(connect.Metric{Name: "masked"}, one); err != nil {
			t.Fatal(err)
		}
		if _, err := m.Observe(connect.Metric{Name: "masked"}, func() float64 { panic("broken") }); err != nil {
			t.Fatal(err)
		}
		var failed error
		p.Failed = func(err error) { failed = err }
		check(t, p, map[string]float64{metrics.PluginPrefix + "masked{connector=c,task=0,transform=mask}": 1})
		var panicked *connect.PanicError
		if !errors.As(failed, &panicked) {
			t.Errorf("a metric that panics is told of as %v", failed)
		}
		if v, ok := p.Values()[metrics.PluginPrefix+"masked{connector=c,task=0}"]; ok {
			t.Errorf("a metric that panics has the value %v", v)
		}
		end() // the run has ended: so have its metrics
		left := slices.DeleteFunc(slices.Collect(maps.Keys(p.Values())), func(k string) bool { return !strings.HasPrefix(k, metrics.PluginPrefix) })
		if len(left) != 0 {
			t.Errorf("metrics are left after the run: %q", left)
		}
		sensor.Remove()
		if _, err := task.Plugin().Observe(connect.Metric{Name: "lag-ms", Tags: tags}, one); err != nil {
			t.Errorf("in the next run: %v", err)
		}
	})
}

// Without a provider everything is taken and nothing kept.
func TestNothing(t *testing.T) {
	s, err := metrics.New(nil, "", metrics.Windows{})
	if s != nil || err != nil {
		t.Fatal(s, err)
	}
	task := s.Task(connect.TaskID{}, connect.KindSink, false)
	task.State("running")
	task.Begin(metrics.Run{})()
	task.Describe(metrics.TaskInfo{})
	task.Put(1, 0)
	task.Remove()
	if task.Plugin() != nil || task.On() {
		t.Error("a task that keeps nothing has metrics")
	}
	c := s.Connector("c", connect.KindSink, metrics.Plugin{}, nil)
	c.State("FAILED")
	c.EndRun()
	c.Remove()
	w := s.Worker(metrics.WorkerInfo{})
	w.RebalanceBegan()
	w.RebalanceEnded(1, 1, 1)
	w.Heartbeat(0)
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
