package metrics

import (
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gokconnect/connect"
	"go.opentelemetry.io/otel/attribute"
)

// Plugin is a plugin's class and version.
type Plugin struct{ Class, Version string }

// Named is a plugin that a configuration gives a name.
type Named struct {
	Alias string
	Plugin
}

// TaskInfo is what a task is made of. What is not known is empty.
type TaskInfo struct {
	Connector, Task                         Plugin
	KeyConverter, ValueConverter, Converter Plugin // Converter is that of headers
	Transforms, Predicates                  []Named
}

// ErrorCounts are what became of records that failed.
type ErrorCounts struct {
	Failures, Errors, Skipped, Retries, Logged, LastMillis int64
	DeadLetters, LostLetters                               int64
}

func (c ErrorCounts) plus(o ErrorCounts) ErrorCounts {
	return ErrorCounts{c.Failures + o.Failures, c.Errors + o.Errors, c.Skipped + o.Skipped, c.Retries + o.Retries, c.Logged + o.Logged,
		max(c.LastMillis, o.LastMillis), c.DeadLetters + o.DeadLetters, c.LostLetters + o.LostLetters}
}

// Run is what a run of a task shows of itself. Its functions are called when metrics are collected, on any goroutine.
type Run struct {
	Errors func() ErrorCounts
	// Oldest is when the oldest record that is not done was taken; zero if there is none.
	Oldest func() time.Time
	// Doing is since when a call into the plugin that must not take long is under way; zero if none is.
	Doing func() time.Time
}

// Task takes the metrics of one task, over all its runs. A nil Task takes everything and keeps nothing. Safe for
// concurrent use.
type Task struct {
	set    *Set
	id     connect.TaskID
	kind   connect.Kind
	info   atomic.Pointer[TaskInfo]
	attrs  []attribute.KeyValue
	plugin *plugin

	batch, commitTime, active, latency, transaction *window
	commitGood, commitBad                           *window
	pollTime, poll, write                           *window // of a source
	read, send, putTime, completed, skipped         *window // of a sink

	partitions, sequence, lag, throttled, restarts, activeNow atomic.Int64

	mu     sync.Mutex
	state  string
	begun  bool // it has run, or is paused
	since  time.Time
	spent  map[string]time.Duration // by state
	errors ErrorCounts              // of the runs that have ended
	run    Run
	series []*series
}

// Task returns the metrics of a task that starts. exactlyOnce adds those of transactions.
func (s *Set) Task(id connect.TaskID, kind connect.Kind, exactlyOnce bool) *Task {
	if s == nil {
		return nil
	}
	t := &Task{set: s, id: id, kind: kind, state: "unassigned", since: time.Now(), spent: make(map[string]time.Duration)}
	t.attrs = []attribute.KeyValue{attribute.String("connector", id.Connector), attribute.String("task", strconv.Itoa(id.Task))}
	t.plugin = &plugin{set: s, attrs: t.attrs}
	t.info.Store(new(TaskInfo))
	for _, w := range []**window{&t.batch, &t.commitTime, &t.active, &t.latency, &t.transaction, &t.commitGood, &t.commitBad,
		&t.pollTime, &t.poll, &t.write, &t.read, &t.send, &t.putTime, &t.completed, &t.skipped} {
		*w = newWindow(s.windows)
	}
	r := newSeries(t.attrs...)
	t.common(r)
	if kind == connect.KindSource {
		t.source(r, exactlyOnce)
	} else {
		t.sink(r)
	}
	t.series = []*series{r}
	s.add(r)
	s.mu.Lock()
	s.tasks[t] = struct{}{}
	s.mu.Unlock()
	return t
}

func (t *Task) common(r *series) {
	g := TaskGroup
	r.text(g, "status", t.status)
	r.number(g, "running-ratio", func() float64 { return t.ratio("running") })
	r.number(g, "pause-ratio", func() float64 { return t.ratio("paused") })
	r.number(g, "batch-size-max", t.batch.max)
	r.number(g, "batch-size-avg", t.batch.avg)
	r.number(g, "offset-commit-max-time-ms", t.commitTime.max)
	r.number(g, "offset-commit-avg-time-ms", t.commitTime.avg)
	part := func(of, other *window) func() float64 {
		return func() float64 { return share(of.sum(), other.sum()) }
	}
	r.number(g, "offset-commit-success-percentage", part(t.commitGood, t.commitBad))
	r.number(g, "offset-commit-failure-percentage", part(t.commitBad, t.commitGood))
	r.constant(g, "connector-type", t.kind.String())
	for i, of := range []string{"connector", "task", "key-converter", "value-converter", "header-converter"} {
		plugin := func() Plugin {
			info := t.info.Load()
			return [...]Plugin{info.Connector, info.Task, info.KeyConverter, info.ValueConverter, info.Converter}[i]
		}
		r.text(g, of+"-class", func() string { return plugin().Class })
		r.text(g, of+"-version", func() string { return plugin().Version })
	}
	r.number(g, "stall-ms", func() float64 { return age(t.current().Doing) })
	r.number(g, "watermark-age-ms", func() float64 { return age(t.current().Oldest) })
	r.number(g, "end-to-end-latency-ms-max", t.latency.max)
	r.number(g, "end-to-end-latency-ms-avg", t.latency.avg)
	r.number(g, "restart-total", func() float64 { return float64(t.restarts.Load()) })
	r.number(g, "throttle-time-ms-total", func() float64 { return millis(time.Duration(t.throttled.Load())) })
	for i, name := range []string{"total-record-failures", "total-record-errors", "total-records-skipped", "total-retries", "total-errors-logged",
		"last-error-timestamp", "deadletterqueue-produce-requests", "deadletterqueue-produce-failures"} {
		r.number(Errors, name, func() float64 {
			c := t.errorCounts()
			return float64([...]int64{c.Failures, c.Errors, c.Skipped, c.Retries, c.Logged, c.LastMillis, c.DeadLetters, c.LostLetters}[i])
		})
	}
}

func (t *Task) source(r *series, exactlyOnce bool) {
	g := Source
	r.number(g, "source-record-poll-rate", t.poll.rate)
	r.number(g, "source-record-poll-total", t.poll.totalSum)
	r.number(g, "source-record-write-rate", t.write.rate)
	r.number(g, "source-record-write-total", t.write.totalSum)
	r.number(g, "poll-batch-max-time-ms", t.pollTime.max)
	r.number(g, "poll-batch-avg-time-ms", t.pollTime.avg)
	r.number(g, "source-record-active-count", func() float64 { return float64(t.activeNow.Load()) })
	r.number(g, "source-record-active-count-max", t.active.max)
	r.number(g, "source-record-active-count-avg", t.active.avg)
	if exactlyOnce {
		r.number(g, "transaction-size-min", t.transaction.min)
		r.number(g, "transaction-size-max", t.transaction.max)
		r.number(g, "transaction-size-avg", t.transaction.avg)
	}
}

func (t *Task) sink(r *series) {
	g := Sink
	r.number(g, "sink-record-read-rate", t.read.rate)
	r.number(g, "sink-record-read-total", t.read.totalSum)
	r.number(g, "sink-record-send-rate", t.send.rate)
	r.number(g, "sink-record-send-total", t.send.totalSum)
	r.number(g, "sink-record-lag-max", func() float64 { return float64(t.lag.Load()) })
	r.number(g, "partition-count", func() float64 { return float64(t.partitions.Load()) })
	r.number(g, "offset-commit-seq-no", func() float64 { return float64(t.sequence.Load()) })
	r.number(g, "offset-commit-completion-rate", t.completed.rate)
	r.number(g, "offset-commit-completion-total", t.completed.totalSum)
	r.number(g, "offset-commit-skip-rate", t.skipped.rate)
	r.number(g, "offset-commit-skip-total", t.skipped.totalSum)
	r.number(g, "put-batch-max-time-ms", t.putTime.max)
	r.number(g, "put-batch-avg-time-ms", t.putTime.avg)
	r.number(g, "sink-record-active-count", func() float64 { return float64(t.activeNow.Load()) })
	r.number(g, "sink-record-active-count-max", t.active.max)
	r.number(g, "sink-record-active-count-avg", t.active.avg)
}

// Describe says what the task is made of, which is known once it is made.
func (t *Task) Describe(i TaskInfo) {
	if t == nil {
		return
	}
	t.info.Store(&i)
	var all []*series
	for _, n := range i.Transforms {
		r := newSeries(append(slices.Clip(t.attrs), attribute.String("transform", n.Alias))...)
		r.constant(Transform, "transform-class", n.Class)
		r.constant(Transform, "transform-version", n.Version)
		all = append(all, r)
	}
	for _, n := range i.Predicates {
		r := newSeries(append(slices.Clip(t.attrs), attribute.String("predicate", n.Alias))...)
		r.constant(Predicate, "predicate-class", n.Class)
		r.constant(Predicate, "predicate-version", n.Version)
		all = append(all, r)
	}
	t.mu.Lock()
	old := t.series[1:]
	t.series = append(slices.Clip(t.series[:1]), all...)
	t.mu.Unlock()
	t.set.remove(old...)
	t.set.add(all...)
}

// Remove takes the metrics of the task back: it has left this instance.
func (t *Task) Remove() {
	if t == nil {
		return
	}
	t.plugin.close()
	t.mu.Lock()
	all := t.series
	t.mu.Unlock()
	t.set.remove(all...)
	t.set.mu.Lock()
	delete(t.set.tasks, t)
	t.set.mu.Unlock()
}

func (t *Task) status() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.state
}

// State takes note of a change of state, in lower case.
func (t *Task) State(state string) {
	if t == nil {
		return
	}
	now := time.Now()
	t.mu.Lock()
	t.spent[t.state] += now.Sub(t.since)
	t.state, t.since = state, now
	first := !t.begun && state != "unassigned"
	t.begun = t.begun || first
	t.mu.Unlock()
	if first {
		t.set.started(false, state == "running" || state == "paused")
	}
	switch state {
	case "running":
		t.set.takenOver(t.id)
	case "restarting":
		t.restarts.Add(1)
	}
}

func (t *Task) ratio(state string) float64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Since(t.since)
	var total, of time.Duration
	for s, d := range t.spent {
		if total += d; s == state {
			of += d
		}
	}
	if total += now; t.state == state {
		of += now
	}
	if total == 0 {
		return 0
	}
	return float64(of) / float64(total)
}

func (t *Task) current() Run {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.run
}

// Begin says that a run begins, and returns what is to be called when it has ended.
func (t *Task) Begin(r Run) (end func()) {
	if t == nil {
		return func() {}
	}
	t.mu.Lock()
	t.run = r
	t.mu.Unlock()
	return func() {
		t.plugin.close()
		last := ErrorCounts{}
		if r.Errors != nil {
			last = r.Errors()
		}
		t.mu.Lock()
		t.errors = t.errors.plus(last)
		t.run = Run{}
		t.mu.Unlock()
		t.activeNow.Store(0)
		t.partitions.Store(0)
		t.lag.Store(0)
	}
}

func (t *Task) errorCounts() ErrorCounts {
	t.mu.Lock()
	run, ended := t.run, t.errors
	t.mu.Unlock()
	if run.Errors == nil {
		return ended
	}
	return ended.plus(run.Errors())
}

// Plugin returns the metrics that the task reports of itself, or nil.
func (t *Task) Plugin() connect.Metrics {
	if t == nil {
		return nil
	}
	return t.plugin
}

// PluginOf returns the metrics of a plugin of the task, such as transform=mask, or nil.
func (t *Task) PluginOf(key, value string) connect.Metrics {
	if t == nil {
		return nil
	}
	return &plugin{set: t.set, attrs: append(slices.Clip(t.attrs), attribute.String(key, value)), parent: t.plugin}
}

func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func age(since func() time.Time) float64 {
	if since == nil {
		return 0
	}
	at := since()
	if at.IsZero() {
		return 0
	}
	return max(millis(time.Since(at)), 0)
}

// share is part of part and rest together; 0 if there is neither.
func share(part, rest float64) float64 {
	if part+rest == 0 {
		return 0
	}
	return part / (part + rest)
}
