package mirror

import (
	"sync"
	"testing"
	"time"
)

// sum is a sensor that adds up, and counts.
type sum struct {
	mu    sync.Mutex
	total float64
	n     int
}

func (s *sum) Record(values ...float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, v := range values {
		s.total += v
	}
	s.n += len(values)
}

func (s *sum) Remove() {}

// TestArrivals: whoever records, and when, each arrival is recorded once, with its partition.
func TestArrivals(t *testing.T) {
	var a arrivals
	var parts [3]*partitionMetrics
	for i := range parts {
		parts[i] = &partitionMetrics{records: new(sum), forwarded: new(sum), latency: new(sum)}
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
				a.record()
			}
		}
	}()
	const each = 21_000
	for i := range each * len(parts) {
		a.add(parts[i/7%len(parts)], i/7%len(parts)+1, i/21%2 == 0, time.Now())
	}
	close(stop)
	<-stopped
	a.record()
	a.record()
	all := 0
	for i, p := range parts {
		records, latency := p.records.(*sum), p.latency.(*sum)
		if records.total != float64(latency.n*(i+1)) {
			t.Errorf("partition %d: %v records arrived %d times, each time %d", i, records.total, latency.n, i+1)
		}
		if f := p.forwarded.(*sum); f.total*2 != records.total {
			t.Errorf("partition %d: %v of %v records were forwarded, want half", i, f.total, records.total)
		}
		all += latency.n
	}
	if all != each*len(parts) {
		t.Errorf("%d arrivals were recorded, want %d", all, each*len(parts))
	}
}

// TestArrivalsAreNeverTooMany: nobody else has to record.
func TestArrivalsAreNeverTooMany(t *testing.T) {
	var a arrivals
	p := &partitionMetrics{records: new(sum), forwarded: new(sum), latency: new(sum)}
	for range 1000 {
		a.add(p, 1, false, time.Now())
	}
	if n := p.records.(*sum).total; n < 1000-float64(len(a.ring)) || n >= 1000 {
		t.Errorf("%v of 1000 are recorded before anybody asked for it", n)
	}
	a.record()
	if n := p.records.(*sum).total; n != 1000 {
		t.Errorf("%v of 1000 are recorded", n)
	}
}
