package rawproduce

import (
	"sync"
	"time"
)

// latency is the least time that brokers took of late to answer: what it takes by the way there and back, whatever else they are busy
// with. It is safe for concurrent use.
type latency struct {
	mu          sync.Mutex
	since       time.Time     // when the window of now began
	now, before time.Duration // the least in this window and in the one before; 0 is none
}

const (
	latencyWindow = 10 * time.Second
	latencyValid  = 10 * time.Minute // without a newer one
)

// took takes note of a request.
func (l *latency) took(began, ended time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if ended.Sub(l.since) >= latencyWindow {
		l.since, l.before, l.now = ended, l.now, 0
	}
	if d := max(ended.Sub(began), 1); l.now == 0 || d < l.now {
		l.now = d
	}
}

// least returns it; 0 if it is not known.
func (l *latency) least(at time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.now == 0 || at.Sub(l.since) >= latencyValid {
		return 0
	}
	if l.before > 0 {
		return min(l.now, l.before)
	}
	return l.now
}

// Latency returns the least time that a broker took of late to answer; 0 if that is not known.
func (p *Producer) Latency() time.Duration { return p.latency.least(time.Now()) }
