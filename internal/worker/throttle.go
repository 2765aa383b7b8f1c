package worker

import (
	"context"
	"time"

	"github.com/gokconnect/connect/internal/connconfig"
	"github.com/gokconnect/connect/internal/metrics"
	"github.com/twmb/franz-go/pkg/kgo"
)

// throttle keeps one run of a task within a rate. What is moved runs up a debt, which is waited for before more is moved:
// batches are counted, not records. It is the task goroutine's own. Nil, and there is no limit.
type throttle struct {
	ask     func() connconfig.Throttle
	asked   time.Time
	rate    connconfig.Throttle
	until   context.Context // the end of waits
	metrics *metrics.Task
	records float64 // that may be moved now; negative is debt
	bytes   float64
	size    float64 // mean size of the last records, for a sink, which learns sizes when it is too late
	at      time.Time
}

// newThrottle returns a throttle whose waits end with a context.
func newThrottle(rate func() connconfig.Throttle, until context.Context, m *metrics.Task) *throttle {
	if rate == nil {
		return nil
	}
	now := time.Now()
	return &throttle{ask: rate, asked: now, rate: rate(), until: until, metrics: m, size: 1 << 10, at: now}
}

// askAgain is how often the rate is asked for: other tasks of the connector come and go.
const askAgain = time.Second

// debt returns how long to wait before anything is moved. What a task did not use is kept for a second at most.
func (l *throttle) debt() time.Duration {
	if l == nil {
		return 0
	}
	now := time.Now()
	passed := now.Sub(l.at).Seconds()
	l.at = now
	if now.Sub(l.asked) >= askAgain {
		l.asked, l.rate = now, l.ask()
	}
	wait := 0.0
	if l.rate.Records > 0 {
		l.records = min(l.records+passed*l.rate.Records, l.rate.Records)
		wait = max(wait, -l.records/l.rate.Records)
	}
	if l.rate.Bytes > 0 {
		l.bytes = min(l.bytes+passed*l.rate.Bytes, l.rate.Bytes)
		wait = max(wait, -l.bytes/l.rate.Bytes)
	}
	if wait < 1e-6 { // what rounding leaves
		return 0
	}
	const longest = 1 << 30 // seconds
	return time.Duration(min(wait, longest) * float64(time.Second))
}

// moved counts what is moved.
func (l *throttle) moved(records, bytes int) {
	if l == nil || records == 0 {
		return
	}
	l.records -= float64(records)
	l.bytes -= float64(bytes)
	l.size = max(float64(bytes)/float64(records), 1)
}

// portion is the part of a second's rate that is moved at once.
const portion = 0.25

// chunk bounds how many records and bytes are moved at once, so that a slow task moves a few often, not many rarely.
func (l *throttle) chunk(records, bytes int) (int, int) {
	if l == nil {
		return records, bytes
	}
	if n := l.rate.Records * portion; n > 0 && n < float64(records) {
		records = max(int(n), 1)
	}
	if n := l.rate.Bytes * portion; n > 0 && n < float64(bytes) {
		bytes = max(int(n), 1)
	}
	return records, bytes
}

// poll bounds how many records a sink polls at once.
func (l *throttle) poll(records int) int {
	if l == nil {
		return records
	}
	records, _ = l.chunk(records, 0)
	if n := l.rate.Bytes * portion / l.size; n > 0 && n < float64(records) {
		records = max(int(n), 1)
	}
	return records
}

// wait waits until there is no debt, and reports whether there is none. It ends early with ctx or early.
func (l *throttle) wait(ctx context.Context, early <-chan struct{}) bool {
	wait := l.debt()
	if wait == 0 {
		return true
	}
	began := time.Now()
	defer func() { l.metrics.Throttled(time.Since(began)) }()
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return l.debt() == 0
	case <-early:
	case <-ctx.Done():
	}
	return false
}

// awaitThrottle waits until so much may be sent. A task that is paused meanwhile stays where it is in its batch.
func (r *sourceRun) awaitThrottle(records, bytes int) error {
	l := r.throttle
	if l == nil {
		return nil
	}
	for l.debt() > 0 {
		if err := context.Cause(l.until); err != nil {
			return err
		}
		paused, changed := r.t.control.get()
		if !paused {
			l.wait(l.until, changed)
		} else if err := r.pauseIfAsked(l.until); err != nil {
			return err
		}
	}
	l.moved(records, bytes)
	return nil
}

// throttled waits until the next batch may be polled, and reports whether it may not, since the task is to pause or to stop
// first. Batches are sent whole: their transactions must not wait.
func (r *exactlyOnceRun) throttled() bool {
	if r.throttle == nil {
		return false
	}
	for r.throttle.until.Err() == nil {
		paused, changed := r.t.control.get()
		if paused {
			return true
		}
		if r.throttle.wait(r.throttle.until, changed) {
			return false
		}
	}
	return true
}

// count takes what a sink has consumed.
func (l *throttle) count(fetches kgo.Fetches) {
	if l == nil {
		return
	}
	bytes := 0
	if l.rate.Bytes > 0 {
		fetches.EachRecord(func(rec *kgo.Record) {
			bytes += len(rec.Key) + len(rec.Value)
			for i := range rec.Headers {
				bytes += len(rec.Headers[i].Key) + len(rec.Headers[i].Value)
			}
		})
	}
	l.moved(fetches.NumRecords(), bytes)
}
