package metrics

import (
	"math"
	"sync"
	"time"
)

// Windows says what the statistics of a window look at: so many samples of that length
// (metrics.num.samples, metrics.sample.window.ms).
type Windows struct {
	Sample  time.Duration
	Samples int
}

func (w Windows) withDefaults() Windows {
	if w.Sample <= 0 {
		w.Sample = 30 * time.Second
	}
	if w.Samples <= 0 {
		w.Samples = 2
	}
	return w
}

// window keeps the sums and extremes of what was recorded lately, as Kafka's sampled statistics do: whole samples
// expire, and a rate counts at least all samples but one as time that has passed. Safe for concurrent use.
type window struct {
	length time.Duration

	mu      sync.Mutex
	samples []sample // a ring
	current int
	last    float64
	total   float64
	count   float64
}

type sample struct {
	began         time.Time // zero: not in use
	n             float64
	sum, min, max float64
}

func newWindow(w Windows) *window {
	return &window{length: w.Sample, samples: make([]sample, w.Samples)}
}

// record takes n values whose sum, least and greatest are known.
func (w *window) record(n int, sum, least, most float64) {
	if n == 0 {
		return
	}
	now := time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	s := &w.samples[w.current]
	switch {
	case s.began.IsZero():
		*s = sample{began: now, min: least, max: most}
	case now.Sub(s.began) >= w.length:
		w.current = (w.current + 1) % len(w.samples)
		s = &w.samples[w.current]
		*s = sample{began: now, min: least, max: most}
	}
	if s.n == 0 {
		s.min, s.max = least, most
	}
	s.n += float64(n)
	s.sum += sum
	s.min, s.max = min(s.min, least), max(s.max, most)
	w.total += sum
	w.count += float64(n)
}

// one records one value.
func (w *window) one(v float64) {
	w.record(1, v, v, v)
	w.setLast(v)
}

func (w *window) setLast(v float64) {
	w.mu.Lock()
	w.last = v
	w.mu.Unlock()
}

// all returns what the samples that have not expired have together, and when the first of them began.
func (w *window) all(now time.Time) (t sample) {
	oldest := time.Duration(len(w.samples)) * w.length
	for i := range w.samples {
		s := &w.samples[i]
		if s.began.IsZero() || now.Sub(s.began) >= oldest {
			continue
		}
		if t.n == 0 && s.n > 0 {
			t.min, t.max = s.min, s.max
		}
		if t.began.IsZero() || s.began.Before(t.began) {
			t.began = s.began
		}
		t.n += s.n
		t.sum += s.sum
		t.min, t.max = min(t.min, s.min), max(t.max, s.max)
	}
	return t
}

func (w *window) now() (sample, time.Time) {
	now := time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.all(now), now
}

// rate is the sum of the window, a second.
func (w *window) rate() float64 {
	s, now := w.now()
	return w.perSecond(s, s.sum, now)
}

// events is how many values the window has, a second.
func (w *window) events() float64 {
	s, now := w.now()
	return w.perSecond(s, s.n, now)
}

func (w *window) perSecond(s sample, sum float64, now time.Time) float64 {
	if s.n == 0 {
		return 0
	}
	passed := now.Sub(s.began)
	if least := time.Duration(len(w.samples)-1) * w.length; passed < least {
		full := passed / w.length
		passed += least - full*w.length
	}
	return sum / max(passed.Seconds(), 0.001)
}

func (w *window) max() float64 {
	if s, _ := w.now(); s.n > 0 {
		return s.max
	}
	return math.NaN()
}

func (w *window) min() float64 {
	if s, _ := w.now(); s.n > 0 {
		return s.min
	}
	return math.NaN()
}

func (w *window) avg() float64 {
	s, _ := w.now()
	return s.sum / s.n // not a number when there is none
}

// sum is the sum of the window.
func (w *window) sum() float64 {
	s, _ := w.now()
	return s.sum
}

func (w *window) lifetime() (last, total, count float64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.last, w.total, w.count
}

func (w *window) totalSum() float64 { _, total, _ := w.lifetime(); return total }

func (w *window) lastValue() float64 { last, _, _ := w.lifetime(); return last }
