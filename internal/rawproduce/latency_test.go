package rawproduce

import (
	"testing"
	"time"
)

func TestLatency(t *testing.T) {
	var l latency
	at := time.Unix(1000, 0)
	want := func(what string, d time.Duration) {
		t.Helper()
		if got := l.least(at); got != d {
			t.Errorf("%s: %v, want %v", what, got, d)
		}
	}
	took := func(d time.Duration) { l.took(at.Add(-d), at) }
	want("nothing", 0)
	took(30 * time.Millisecond)
	took(5 * time.Millisecond)
	took(80 * time.Millisecond)
	want("the least", 5*time.Millisecond)
	at = at.Add(latencyWindow)
	took(50 * time.Millisecond)
	want("that of the window before", 5*time.Millisecond)
	at = at.Add(latencyWindow)
	took(60 * time.Millisecond)
	want("the way has become longer", 50*time.Millisecond)
	at = at.Add(latencyValid)
	want("long ago", 0)
}
