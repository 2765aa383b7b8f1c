package pipeline

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gokconnect/connect"
)

// Sighting is a record behind one stage of its way.
type Sighting struct {
	Task   connect.TaskID
	Number uint64 // of the record on its way through the task, so that its sightings are found together
	Stage  string // poll or consume, transforms.ALIAS, converters, or that of a failure
	Class  string // of the plugin, if one was at work
	// What the record is now: Record, or Raw if it is in Kafka's form; nil if it was dropped, or failed with Err. They are
	// valid during the call only.
	Record *connect.Record
	Raw    *Output
	Err    error
}

// Tap watches records that it samples.
type Tap struct {
	// Every samples one record of so many.
	Every int
	// PerSecond bounds how many records of each task are sampled in a second.
	PerSecond int
	// See is told of each stage of a sampled record, on the goroutine of the task: it must not block. It is called by several
	// tasks at once.
	See func(s *Sighting)
}

// Taps are the taps of a connector. The zero value has none. Safe for concurrent use.
type Taps struct {
	mu  sync.Mutex
	all atomic.Pointer[[]*Tap]
}

// Attach adds a tap until detach is called.
func (t *Taps) Attach(tap *Tap) (detach func()) {
	t.change(func(all []*Tap) []*Tap { return append(all, tap) })
	return func() {
		t.change(func(all []*Tap) []*Tap { return slices.DeleteFunc(all, func(other *Tap) bool { return other == tap }) })
	}
}

// Any reports whether there is a tap now.
func (t *Taps) Any() bool { return t != nil && t.all.Load() != nil }

func (t *Taps) change(f func([]*Tap) []*Tap) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var all []*Tap
	if old := t.all.Load(); old != nil {
		all = slices.Clone(*old)
	}
	if all = f(all); len(all) == 0 {
		t.all.Store(nil)
	} else {
		t.all.Store(&all)
	}
}

// Watched has the records of the pipeline seen by taps, of which there may be more or less later. It is called before the
// pipeline is used. Without a tap that costs one load for each batch.
func (p *Source) Watched(taps *Taps, id connect.TaskID) { p.watch = newWatch(taps, id) }

// Watched is like that of [Source]; [Sink.Begin] begins a batch.
func (p *Sink) Watched(taps *Taps, id connect.TaskID) { p.watch = newWatch(taps, id) }

// Begin is called before the first record of a batch.
func (p *Sink) Begin() { p.watch.begin() }

// watch is a pipeline's share in taps. It is used by one goroutine at a time. A nil watch sees nothing.
type watch struct {
	taps *Taps
	id   connect.TaskID
	live []*Tap // in this batch
	seen map[*Tap]*sampling
	now  []*Tap // those that sample the record that is on its way
	// number counts the records while there are taps.
	number uint64
}

// sampling is what a tap has had of one task.
type sampling struct {
	passed int
	left   int // in this second
	second int64
}

func newWatch(taps *Taps, id connect.TaskID) *watch {
	if taps == nil {
		return nil
	}
	return &watch{taps: taps, id: id}
}

func (w *watch) begin() {
	if w == nil {
		return
	}
	all := w.taps.all.Load()
	switch {
	case all != nil:
		w.live = *all
		if w.seen == nil {
			w.seen = make(map[*Tap]*sampling)
		}
	case w.live != nil:
		w.live, w.seen, w.now = nil, nil, nil
	}
}

// next chooses who sees the next record, and reports whether anybody does.
func (w *watch) next() bool {
	if w == nil || len(w.live) == 0 {
		return false
	}
	w.number++
	w.now = w.now[:0]
	second := time.Now().Unix()
	for _, tap := range w.live {
		s := w.seen[tap]
		if s == nil {
			s = new(sampling)
			w.seen[tap] = s
		}
		s.passed++
		if s.second != second {
			s.second, s.left = second, tap.PerSecond
		}
		if s.left > 0 && (s.passed-1)%max(tap.Every, 1) == 0 {
			s.left--
			w.now = append(w.now, tap)
		}
	}
	return len(w.now) > 0
}

// see tells of a stage. It is called only if next said that somebody wants to hear.
func (w *watch) see(s Sighting) {
	s.Task, s.Number = w.id, w.number
	for _, tap := range w.now {
		tap.See(&s)
	}
}

// stage tells what a transformation made of a record.
func (w *watch) stage(s *step, out *connect.Record) {
	w.see(Sighting{Stage: s.stage(), Class: s.Class, Record: out})
}

// stage is the step's name for those who watch.
func (s *step) stage() string {
	if s.Declared {
		return s.Alias
	}
	return "transforms." + s.Alias
}
