package metrics

import (
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gokconnect/connect"
	"go.opentelemetry.io/otel/attribute"
)

// starts counts starts of connectors and tasks.
type starts struct{ good, bad [2]atomic.Int64 } // 0 connectors, 1 tasks

func (s *Set) started(connector, ok bool) {
	i := 1
	if connector {
		i = 0
	}
	if ok {
		s.starts.good[i].Add(1)
	} else {
		s.starts.bad[i].Add(1)
	}
}

// handOvers measures how long tasks stand still when they move.
type handOvers struct {
	mu      sync.Mutex
	stopped map[connect.TaskID]time.Time // on other instances
	gaps    *window
}

// Stopped takes note that a task has stopped on another instance.
func (s *Set) Stopped(id connect.TaskID) {
	if s == nil {
		return
	}
	s.handed.mu.Lock()
	defer s.handed.mu.Unlock()
	if s.handed.stopped == nil {
		s.handed.stopped = make(map[connect.TaskID]time.Time)
	}
	s.handed.stopped[id] = time.Now()
}

// Elsewhere takes note that a task runs on another instance, or is no more.
func (s *Set) Elsewhere(id connect.TaskID) {
	if s == nil {
		return
	}
	s.handed.mu.Lock()
	defer s.handed.mu.Unlock()
	delete(s.handed.stopped, id)
}

// takenOver takes note that a task runs here.
func (s *Set) takenOver(id connect.TaskID) {
	s.handed.mu.Lock()
	defer s.handed.mu.Unlock()
	if at, ok := s.handed.stopped[id]; ok {
		delete(s.handed.stopped, id)
		s.handed.gaps.one(millis(time.Since(at)))
	}
}

// WorkerInfo is what the metrics of an instance show of it.
type WorkerInfo struct {
	Version, Commit string
	ClientID        string // of the group's client
	Protocol        func() string
	Leader          func() string // its URL
}

// WorkerMetrics takes the metrics of an instance. A nil WorkerMetrics takes everything and keeps nothing.
type WorkerMetrics struct {
	set                                      *Set
	began                                    time.Time
	rebalances, failed                       *window
	join, sync, heartbeat                    *window
	lastHeartbeat, lastRebalance, round      atomic.Int64 // nanoseconds since 1970; 0 none
	epoch, assignedConnectors, assignedTasks atomic.Int64
}

// Worker returns the metrics of the instance.
func (s *Set) Worker(i WorkerInfo) *WorkerMetrics {
	if s == nil {
		return nil
	}
	w := &WorkerMetrics{set: s, began: time.Now()}
	for _, p := range []**window{&w.rebalances, &w.failed, &w.join, &w.sync, &w.heartbeat, &s.handed.gaps} {
		*p = newWindow(s.windows)
	}
	instance, client := newSeries(), newSeries(attribute.String("client-id", i.ClientID))
	for _, r := range []*series{instance, client} {
		r.constant(AppInfo, "version", i.Version)
		r.constant(AppInfo, "commit-id", i.Commit)
		r.number(AppInfo, "start-time-ms", func() float64 { return float64(w.began.UnixMilli()) })
	}
	instance.number(Count, "count", s.count)
	w.worker(instance)
	w.rebalance(instance, i)
	w.coordinator(client)
	s.add(instance, client)
	return w
}

func (s *Set) count() float64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for r := range s.series {
		n += len(r.readings)
	}
	for _, p := range s.plugins {
		n += len(p.readings)
	}
	return float64(n)
}

func (w *WorkerMetrics) worker(r *series) {
	s := w.set
	r.number(Worker, "connector-count", func() float64 {
		s.mu.Lock()
		defer s.mu.Unlock()
		return float64(len(s.connectors))
	})
	r.number(Worker, "task-count", func() float64 {
		s.mu.Lock()
		defer s.mu.Unlock()
		return float64(len(s.tasks))
	})
	for i, what := range []string{"connector", "task"} {
		good := func() float64 { return float64(s.starts.good[i].Load()) }
		bad := func() float64 { return float64(s.starts.bad[i].Load()) }
		r.number(Worker, what+"-startup-attempts-total", func() float64 { return good() + bad() })
		r.number(Worker, what+"-startup-success-total", good)
		r.number(Worker, what+"-startup-success-percentage", func() float64 { return share(good(), bad()) })
		r.number(Worker, what+"-startup-failure-total", bad)
		r.number(Worker, what+"-startup-failure-percentage", func() float64 { return share(bad(), good()) })
	}
}

func (w *WorkerMetrics) rebalance(r *series, i WorkerInfo) {
	r.text(Rebalance, "connect-protocol", i.Protocol)
	r.text(Rebalance, "leader-name", i.Leader)
	r.number(Rebalance, "epoch", func() float64 { return float64(w.epoch.Load()) })
	r.number(Rebalance, "completed-rebalances-total", w.completed)
	r.number(Rebalance, "rebalancing", func() float64 {
		if w.round.Load() != 0 {
			return 1
		}
		return 0
	})
	r.number(Rebalance, "rebalance-max-time-ms", w.rebalances.max)
	r.number(Rebalance, "rebalance-avg-time-ms", w.rebalances.avg)
	r.number(Rebalance, "time-since-last-rebalance-ms", func() float64 {
		if w.lastRebalance.Load() == 0 {
			return math.Inf(1)
		}
		return millis(time.Since(time.Unix(0, w.lastRebalance.Load())))
	})
	gaps := w.set.handed.gaps
	r.number(Rebalance, "hand-over-gap-max-ms", gaps.max)
	r.number(Rebalance, "hand-over-gap-avg-ms", gaps.avg)
	r.number(Rebalance, "hand-over-total", func() float64 { _, _, n := gaps.lifetime(); return n })
}

func (w *WorkerMetrics) completed() float64 { _, _, n := w.rebalances.lifetime(); return n }

func (w *WorkerMetrics) coordinator(r *series) {
	g := Coordinator
	ago := func(at *atomic.Int64) func() float64 {
		return func() float64 {
			if at.Load() == 0 {
				return -1
			}
			return time.Since(time.Unix(0, at.Load())).Truncate(time.Second).Seconds()
		}
	}
	count := func(of *window) func() float64 {
		return func() float64 { _, _, n := of.lifetime(); return n }
	}
	r.number(g, "assigned-connectors", func() float64 { return float64(w.assignedConnectors.Load()) })
	r.number(g, "assigned-tasks", func() float64 { return float64(w.assignedTasks.Load()) })
	r.number(g, "heartbeat-rate", w.heartbeat.events)
	r.number(g, "heartbeat-total", count(w.heartbeat))
	r.number(g, "heartbeat-response-time-max", w.heartbeat.max)
	r.number(g, "last-heartbeat-seconds-ago", ago(&w.lastHeartbeat))
	for _, of := range []struct {
		name string
		w    *window
	}{{"join", w.join}, {"sync", w.sync}} {
		r.number(g, of.name+"-rate", of.w.events)
		r.number(g, of.name+"-total", count(of.w))
		r.number(g, of.name+"-time-avg", of.w.avg)
		r.number(g, of.name+"-time-max", of.w.max)
	}
	r.number(g, "rebalance-total", count(w.rebalances))
	r.number(g, "rebalance-rate-per-hour", func() float64 { return 3600 * w.rebalances.events() })
	r.number(g, "rebalance-latency-avg", w.rebalances.avg)
	r.number(g, "rebalance-latency-max", w.rebalances.max)
	r.number(g, "rebalance-latency-total", w.rebalances.totalSum)
	r.number(g, "failed-rebalance-total", count(w.failed))
	r.number(g, "failed-rebalance-rate-per-hour", func() float64 { return 3600 * w.failed.events() })
	r.number(g, "last-rebalance-seconds-ago", ago(&w.lastRebalance))
}

// RebalanceBegan takes the begin of a round. One that follows another which was not completed makes that a failed one.
func (w *WorkerMetrics) RebalanceBegan() {
	if w == nil {
		return
	}
	if w.round.Swap(time.Now().UnixNano()) != 0 {
		w.failed.one(1)
	}
}

// RebalanceEnded takes the end of a round.
func (w *WorkerMetrics) RebalanceEnded(generation int32, connectors, tasks int) {
	if w == nil {
		return
	}
	now := time.Now().UnixNano()
	if began := w.round.Swap(0); began != 0 {
		w.rebalances.one(millis(time.Duration(now - began)))
	}
	w.lastRebalance.Store(now)
	w.epoch.Store(int64(generation))
	w.assignedConnectors.Store(int64(connectors))
	w.assignedTasks.Store(int64(tasks))
}

// Joined, Synced and Heartbeat take answers of the group's coordinator.
func (w *WorkerMetrics) Joined(took time.Duration) {
	if w != nil {
		w.join.one(millis(took))
	}
}

// Synced is like Joined.
func (w *WorkerMetrics) Synced(took time.Duration) {
	if w != nil {
		w.sync.one(millis(took))
	}
}

// Heartbeat is like Joined.
func (w *WorkerMetrics) Heartbeat(took time.Duration) {
	if w != nil {
		w.heartbeat.one(millis(took))
		w.lastHeartbeat.Store(time.Now().UnixNano())
	}
}

// ConnectorMetrics takes the metrics of one connector on this instance. A nil ConnectorMetrics takes everything and
// keeps nothing.
type ConnectorMetrics struct {
	set    *Set
	series *series
	plugin *plugin
	state  atomic.Pointer[string]
	begun  atomic.Bool
}

// Connector returns the metrics of a connector that starts. doing is since when a call into it is under way.
func (s *Set) Connector(name string, kind connect.Kind, p Plugin, doing func() time.Time) *ConnectorMetrics {
	if s == nil {
		return nil
	}
	c := &ConnectorMetrics{set: s, series: newSeries(attribute.String("connector", name))}
	c.plugin = &plugin{set: s, attrs: c.series.attrs}
	initial := "unassigned"
	c.state.Store(&initial)
	r := c.series
	r.text(Connector, "status", func() string { return *c.state.Load() })
	if p.Class != "" {
		r.constant(Connector, "connector-type", kind.String())
	}
	r.constant(Connector, "connector-class", p.Class)
	r.constant(Connector, "connector-version", p.Version)
	r.number(Connector, "stall-ms", func() float64 { return age(doing) })
	tasks := func(state string) func() float64 {
		return func() float64 { return float64(s.tasksOf(name, state)) }
	}
	r.number(Worker, "connector-total-task-count", tasks(""))
	for _, state := range []string{"running", "paused", "failed", "unassigned", "destroyed", "restarting"} {
		r.number(Worker, "connector-"+state+"-task-count", tasks(state))
	}
	s.add(r)
	s.mu.Lock()
	s.connectors[c] = struct{}{}
	s.mu.Unlock()
	return c
}

// tasksOf counts the tasks of a connector in a state, or all.
func (s *Set) tasksOf(connector, state string) int {
	s.mu.Lock()
	var all []*Task
	for t := range s.tasks {
		if t.id.Connector == connector {
			all = append(all, t)
		}
	}
	s.mu.Unlock()
	n := 0
	for _, t := range all {
		if state == "" || t.status() == state {
			n++
		}
	}
	return n
}

// State takes note of a change of state.
func (c *ConnectorMetrics) State(state string) {
	if c == nil {
		return
	}
	state = strings.ToLower(state)
	c.state.Store(&state)
	if state != "unassigned" && !c.begun.Swap(true) {
		c.set.started(true, state != "failed")
	}
}

// Plugin returns the metrics that the connector reports of itself, or nil.
func (c *ConnectorMetrics) Plugin() connect.Metrics {
	if c == nil {
		return nil
	}
	return c.plugin
}

// EndRun takes back what the connector reported of itself.
func (c *ConnectorMetrics) EndRun() {
	if c != nil {
		c.plugin.close()
	}
}

// Remove takes the metrics of the connector back: it has left this instance.
func (c *ConnectorMetrics) Remove() {
	if c == nil {
		return
	}
	c.plugin.close()
	c.set.remove(c.series)
	c.set.mu.Lock()
	delete(c.set.connectors, c)
	c.set.mu.Unlock()
}
