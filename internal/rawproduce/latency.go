package rawproduce

import (
	"math/rand/v2"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// latency is the least time that brokers took of late to answer: what it takes by the way there and back, whatever else they are busy
// with. It is safe for concurrent use.
type latency struct {
	mu          sync.Mutex
	since       time.Time     // when the window of now began
	now, before time.Duration // the least in this window and in the one before; 0 is none
	asked       bool          // it is only that of a question, which a broker answers without writing anything
	asking      bool
	again       time.Time // no question before
}

const (
	latencyWindow = 10 * time.Second
	latencyValid  = 10 * time.Minute // without a newer one
	askedValid    = time.Minute      // the broker may have been busy
	latencyAgain  = time.Second      // after a question without an answer
	questions     = 3                // of which the first may have to connect
	takenRate     = 32 << 20         // bytes that a broker takes in a second, at least, if it is not busy
)

// took takes note of a request. The time that its bytes take is not that of the way, and would make larger batches seem to be too small.
func (l *latency) took(began, ended time.Time, bytes int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.asked {
		l.now, l.before, l.asked = 0, 0, false
	}
	if ended.Sub(l.since) >= latencyWindow {
		l.since, l.before, l.now = ended, l.now, 0
	}
	if d := max(ended.Sub(began)-time.Duration(bytes)*time.Second/takenRate, 1); l.now == 0 || d < l.now {
		l.now = d
	}
}

// known reports whether it is, and not too old. It is called with the lock.
func (l *latency) known(at time.Time) bool {
	valid := latencyValid
	if l.asked {
		valid = askedValid
	}
	return l.now > 0 && at.Sub(l.since) < valid
}

// least returns it; 0 if it is not known. If ask is true, the caller has to ask for a newer one, and say so by heard.
func (l *latency) least(at time.Time) (d time.Duration, ask bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	ask = !l.known(at) && !l.asking && !at.Before(l.again)
	l.asking = l.asking || ask
	if l.before > 0 {
		return min(l.now, l.before), ask
	}
	return l.now, ask
}

// heard takes note of the least time that an answer took; 0 is that there was none.
func (l *latency) heard(d time.Duration, at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asking, l.again = false, at.Add(latencyAgain)
	if d > 0 && !l.known(at) {
		l.since, l.now, l.before, l.asked = at, d, 0, true
	}
}

// Latency returns the least time that a broker took of late to answer; 0 while that is not known. Where nothing was written of late, a broker
// is asked in the background: what was queued before it is known would have to go all the way at whatever pace that is.
func (p *Producer) Latency() time.Duration {
	d, ask := p.latency.least(time.Now())
	if ask {
		p.mu.Lock()
		defer p.mu.Unlock()
		if !p.closed {
			p.wg.Go(p.ask)
		}
	}
	return d
}

// ask asks some broker for nothing, to see how long that takes.
func (p *Producer) ask() {
	var least time.Duration
	brokers := p.Client.DiscoveredBrokers()
	if len(brokers) == 0 {
		brokers = p.Client.SeedBrokers()
	}
	broker := brokers[rand.IntN(len(brokers))] // the same one each time: there is a connection to it then
	for range questions {
		began := time.Now()
		req := kmsg.NewPtrMetadataRequest()
		req.Topics = []kmsg.MetadataRequestTopic{} // none: nil is all
		if _, err := broker.Request(p.ctx, req); err != nil {
			break
		}
		if d := max(time.Since(began), 1); least == 0 || d < least {
			least = d
		}
	}
	p.latency.heard(least, time.Now())
}
