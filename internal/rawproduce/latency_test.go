package rawproduce

import (
	"testing"
	"time"
)

func TestLatency(t *testing.T) {
	var l latency
	at := time.Unix(1000, 0)
	asks := true
	want := func(what string, d time.Duration) {
		t.Helper()
		got, ask := l.least(at)
		if got != d || ask != asks {
			t.Errorf("%s: %v, want %v; to ask: %t, want %t", what, got, d, ask, asks)
		}
	}
	took := func(d time.Duration) { l.took(at.Add(-d), at, 0) }
	want("nothing", 0)
	asks = false
	want("a question is on its way", 0)
	l.heard(0, at)
	want("without an answer", 0)
	at, asks = at.Add(latencyAgain), true
	want("once more", 0)
	l.heard(time.Millisecond, at)
	asks = false
	want("answered", time.Millisecond)
	at, asks = at.Add(askedValid), true
	want("answered a while ago", time.Millisecond)
	l.heard(2*time.Millisecond, at)
	asks = false
	want("answered again", 2*time.Millisecond)
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
	asks = true
	want("long ago", 50*time.Millisecond)
	l.heard(70*time.Millisecond, at)
	asks = false
	want("the way is another", 70*time.Millisecond)
	took(90 * time.Millisecond)
	want("what was written counts, not the question", 90*time.Millisecond)
	at = at.Add(latencyValid)
	l.heard(0, at)
	want("a question without an answer changes nothing", 90*time.Millisecond)
	l.took(at.Add(-50*time.Millisecond), at, takenRate/64)
	want("what the bytes took is not the way", 34375*time.Microsecond)
	l.took(at.Add(-time.Millisecond), at, takenRate/64)
	want("they took less", 1)
}
