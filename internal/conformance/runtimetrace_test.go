package conformance_test

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gokconnect/connect/internal/conformance/probe"
)

// lanes are the events of one phase by instance and lane.
type lanes map[string]map[string][]map[string]any

// compareTrace compares the calls of the probes.
func (w *playWorld) compareTrace() {
	phases := w.trace.Phases()
	got, want := w.phases(phases)
	for i := range max(len(want), len(got)) {
		if i >= len(got) || i >= len(want) {
			w.t.Errorf("there are %d phases, want %d", len(got), len(want))
			return
		}
		w.eachLane(got[i], want[i], func(label, lane string, y, x []map[string]any) {
			if !w.sameEvents(x, y) {
				w.t.Errorf("trace, phase %q, %s, %s:\n got\n%s want\n%s", phases[i].Name, label, lane, listed2(y), listed2(x))
			}
		})
	}
}

// mark ends a phase, in real time when what is expected of it has come: not all scenarios wait for that themselves, and machines are busy.
func (w *playWorld) mark(name string) {
	for end := time.Now().Add(3 * time.Second); w.pace > 0 && time.Now().Before(end) && !w.hasCome(); {
		<-time.After(20 * time.Millisecond)
	}
	w.trace.Mark(name)
}

// hasCome reports whether the phase that goes on has all that is expected of it.
func (w *playWorld) hasCome() bool {
	got, want := w.phases(append(w.trace.Phases(), w.trace.Current()))
	n := len(got) - 1
	if n >= len(want) {
		return true
	}
	same := true
	w.eachLane(got[n], want[n], func(_, _ string, got, want []map[string]any) { same = same && w.sameEvents(want, got) })
	return same
}

// phases returns what was traced and what is expected, without what the scenario says is a matter of timing.
func (w *playWorld) phases(traced []probe.Phase) (got, want []lanes) {
	for _, p := range traced {
		l := make(lanes)
		for _, e := range p.Events {
			label := w.label(e)
			if l[label] == nil {
				l[label] = make(map[string][]map[string]any)
			}
			l[label][e.Lane] = append(l[label][e.Lane], canonical(map[string]any(e.Event)).(map[string]any))
		}
		got = append(got, l)
	}
	w.normalise(got)
	if w.wanted == nil { // once: it changes what it is given
		for _, p := range w.s.Expect.Trace {
			w.wanted = append(w.wanted, p.Instances)
		}
		w.normalise(w.wanted)
	}
	return got, w.wanted
}

// eachLane calls do for every lane of one phase.
func (w *playWorld) eachLane(got, want lanes, do func(label, lane string, got, want []map[string]any)) {
	labels := maps.Clone(want)
	maps.Copy(labels, got)
	for _, label := range slices.Sorted(maps.Keys(labels)) {
		for _, lane := range []string{"main", "other"} {
			do(label, lane, got[label][lane], want[label][lane])
		}
	}
}

func (w *playWorld) sameEvents(want, got []map[string]any) bool {
	return slices.EqualFunc(want, got, func(a, b map[string]any) bool { return w.matches(a, b) })
}

func listed2(events []map[string]any) string {
	var b strings.Builder
	for _, e := range events {
		fmt.Fprintf(&b, "  %s\n", playJSON(e))
	}
	return b.String()
}

// normalise leaves out what the scenario says is a matter of timing.
func (w *playWorld) normalise(phases []lanes) {
	s := w.s
	last := make(map[string]map[string]any) // by instance and lane, for collapse
	idle := make(map[string]bool)           // by instance and lane: the last poll was idle
	for _, p := range phases {
		for label, byLane := range p {
			for lane, events := range byLane {
				events = slices.DeleteFunc(events, func(e map[string]any) bool {
					return slices.Contains(s.Ignore, fmt.Sprint(e["m"])) || e["m"] == "putEmpty" && !s.KeepEmptyPuts
				})
				if s.DropIdleCommits {
					events = dropIdleCommits(events, idle, label+" "+lane)
				}
				if s.MergePuts {
					events = mergePuts(events)
				}
				for _, e := range events {
					if records, ok := e["records"].([]any); ok && s.SortPuts {
						sortTexts(records)
					}
					if topic, ok := e["topic"].(string); ok && e["metadata"] != nil && w.scattered[topic] {
						e["metadata"] = topic
					}
					if m, ok := e["metadata"].(string); ok && s.NoOffsets {
						e["metadata"], _, _ = strings.Cut(m, "@")
					}
				}
				if s.Collapse {
					key := label + " " + lane
					events = slices.DeleteFunc(events, func(e map[string]any) bool {
						same := reflect.DeepEqual(last[key], e)
						last[key] = e
						return same
					})
				}
				if w.pace > 0 {
					events = withoutEarlyPuts(events)
				}
				if w.pace > 0 && s.retriesInTime() {
					events = once(events)
				}
				if lane == "other" && s.SortOther {
					sortEvents(events)
				}
				byLane[lane] = events
			}
		}
	}
}

func sortEvents(events []map[string]any) {
	slices.SortFunc(events, func(a, b map[string]any) int { return strings.Compare(playJSON(a), playJSON(b)) })
}

// dropIdleCommits leaves out the commits after an idle poll, also those of later phases.
func dropIdleCommits(events []map[string]any, idle map[string]bool, key string) []map[string]any {
	return slices.DeleteFunc(events, func(e map[string]any) bool {
		if e["m"] == "poll" {
			idle[key] = e["returns"] == "idle"
		}
		return idle[key] && e["m"] == "commit"
	})
}

func mergePuts(events []map[string]any) []map[string]any {
	var out []map[string]any
	for _, e := range events {
		if n := len(out); n > 0 && e["m"] == "put" && out[n-1]["m"] == "put" && e["throw"] == nil && out[n-1]["throw"] == nil {
			before, _ := out[n-1]["records"].([]any)
			records, _ := e["records"].([]any)
			out[n-1]["records"] = append(slices.Clone(before), records...)
			continue
		}
		out = append(out, e)
	}
	return out
}

// playLine is a line of a log.
type playLine struct{ level, message, logger, text string }

// playLogs are what all workers logged. It is safe for concurrent use.
type playLogs struct {
	mu    sync.Mutex
	lines []playLine
}

func (l *playLogs) handler(worker string) slog.Handler { return &playHandler{logs: l, worker: worker} }

type playHandler struct {
	logs   *playLogs
	worker string
	attrs  []slog.Attr
}

// Enabled implements [slog.Handler].
func (h *playHandler) Enabled(_ context.Context, level slog.Level) bool {
	return level >= slog.LevelInfo
}

// Handle implements [slog.Handler].
func (h *playHandler) Handle(_ context.Context, r slog.Record) error {
	line := playLine{level: r.Level.String(), message: r.Message}
	connector, task, text := "", "", strings.Builder{}
	note := func(a slog.Attr) bool {
		switch a.Key {
		case "connector":
			connector = a.Value.String()
		case "task":
			task = a.Value.String()
		case "logger":
			line.logger = a.Value.String()
		}
		fmt.Fprintf(&text, " %s=%v", a.Key, a.Value)
		return true
	}
	for _, a := range h.attrs {
		note(a)
	}
	r.Attrs(note)
	switch {
	case connector != "" && task != "":
		line.message = fmt.Sprintf("[%s|task-%s] %s", connector, task, r.Message)
	case connector != "":
		line.message = fmt.Sprintf("[%s|worker] %s", connector, r.Message)
	}
	line.text = fmt.Sprintf("%s %s %s%s", r.Time.Format("05.000"), h.worker, r.Message, shortenTo(text.String(), 1500))
	h.logs.mu.Lock()
	defer h.logs.mu.Unlock()
	h.logs.lines = append(h.logs.lines, line)
	return nil
}

// WithAttrs implements [slog.Handler].
func (h *playHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	c := *h
	c.attrs = append(slices.Clone(h.attrs), attrs...)
	return &c
}

// WithGroup implements [slog.Handler].
func (h *playHandler) WithGroup(string) slog.Handler { return h }

// compareLogs compares the lines that the scenario is about.
func (w *playWorld) compareLogs() {
	if w.s.Capture.Logs == "" {
		return
	}
	re, err := regexp.Compile(w.s.Capture.Logs)
	if err != nil {
		w.t.Error(err)
		return
	}
	var got []map[string]any
	w.logs.mu.Lock()
	for _, l := range w.logs.lines {
		if re.MatchString(l.message) {
			got = append(got, map[string]any{"level": l.level, "message": l.message, "logger": l.logger})
		}
	}
	w.logs.mu.Unlock()
	if !slices.EqualFunc(w.s.Expect.Logs, got, func(a, b map[string]any) bool { return w.matches(a, b) }) {
		w.differs("logs", w.s.Expect.Logs, got)
	}
}

// explain logs what the workers logged.
func (w *playWorld) explain() {
	w.logs.mu.Lock()
	defer w.logs.mu.Unlock()
	var b strings.Builder
	for _, l := range w.logs.lines {
		b.WriteString(l.text + "\n")
	}
	w.t.Logf("log:\n%s", shortenTo(b.String(), 20_000))
}
