// Package probe has connectors, tasks, a transformation, a predicate and a converter that do what their configuration says
// and write down every call: those that the scenarios of the real Kafka Connect were recorded with, in Go.
// runtime/README.md of the vectors says what they can do.
package probe

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"runtime"
	"strings"
	"sync"
)

// Event is one call: its method under "m", its arguments, what it returned and threw.
type Event map[string]any

// JSON returns the event as JSON.
func (e Event) JSON() string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(map[string]any(e)); err != nil {
		return err.Error()
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// Traced is an event with where it happened.
type Traced struct {
	Process   string // its label, or ""
	Connector string
	Instance  string // such as c#1, t0#2
	Lane      string // main or other
	Event     Event
}

// Phase is what happened between two marks.
type Phase struct {
	Name   string
	Events []Traced
}

// Trace collects the events of all processes of a scenario. It is safe for concurrent use.
type Trace struct {
	mu     sync.Mutex
	phases []Phase
	now    []Traced
	gates  map[string]chan struct{}
	over   chan struct{}
}

// NewTrace returns an empty Trace.
func NewTrace() *Trace {
	return &Trace{gates: make(map[string]chan struct{}), over: make(chan struct{})}
}

// Mark ends a phase.
func (t *Trace) Mark(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.phases = append(t.phases, Phase{name, t.now})
	t.now = nil
}

// Phases returns the phases so far.
func (t *Trace) Phases() []Phase {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]Phase(nil), t.phases...)
}

// Current returns what happened since the last mark, without a name.
func (t *Trace) Current() Phase {
	t.mu.Lock()
	defer t.mu.Unlock()
	return Phase{Events: append([]Traced(nil), t.now...)}
}

// Each calls f for every event so far.
func (t *Trace) Each(f func(Traced)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, p := range t.phases {
		for _, e := range p.Events {
			f(e)
		}
	}
	for _, e := range t.now {
		f(e)
	}
}

// Open opens a gate: connector.name.
func (t *Trace) Open(gate string) {
	c := t.gate(gate)
	t.mu.Lock()
	defer t.mu.Unlock()
	select {
	case <-c:
	default:
		close(c)
	}
}

// Close lets everything go that waits for a gate.
func (t *Trace) Close() { close(t.over) }

func (t *Trace) gate(name string) chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.gates[name]
	if c == nil {
		c = make(chan struct{})
		t.gates[name] = c
	}
	return c
}

// Process is the probes of one worker process. It is safe for concurrent use.
type Process struct {
	trace *Trace
	label string // before the instances, or ""

	mu     sync.Mutex
	dead   bool
	counts map[string]int
}

// NewProcess returns a process, whose instances have the label and a slash before theirs, unless it is empty.
func NewProcess(t *Trace, label string) *Process {
	return &Process{trace: t, label: label, counts: make(map[string]int)}
}

// Kill makes everything that the process's probes do from now on go unseen, as after SIGKILL.
func (p *Process) Kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dead = true
}

// instance returns the number and the label of a new instance.
func (p *Process) instance(connector, kind string) (int, string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	key := connector + "/" + kind
	p.counts[key]++
	n := p.counts[key]
	label := fmt.Sprintf("%s#%d", kind, n)
	return n, label
}

func (p *Process) write(connector, instance, lane string, e Event) {
	p.mu.Lock()
	dead := p.dead
	p.mu.Unlock()
	if dead {
		return
	}
	p.trace.mu.Lock()
	defer p.trace.mu.Unlock()
	p.trace.now = append(p.trace.now, Traced{p.label, connector, instance, lane, maps.Clone(e)})
}

// goroutine returns the number of the goroutine that calls it: what thread a call is on shows in its lane.
func goroutine() string {
	var b [64]byte
	fields := strings.Fields(string(b[:runtime.Stack(b[:], false)]))
	return fields[1]
}
