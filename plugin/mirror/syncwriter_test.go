package mirror

import (
	"log/slog"
	"strings"
	"testing"
)

// An offset sync that fails at once, here because no record can hold it, is left for later: who records the next one goes on.
func TestSyncThatFailsAtOnce(t *testing.T) {
	w := newSyncWriter(nil, "syncs", 100, slog.New(slog.DiscardHandler))
	p := &partition{TopicPartition: TopicPartition{Topic: strings.Repeat("t", 1<<16)}}
	w.record(p, 1, 1)
	w.commit()
	if w.failures != 2 || w.inFlight != 0 || w.queue.pending.first != &p.pending {
		t.Errorf("after two attempts %d failed, %d are in flight, pending is %v", w.failures, w.inFlight, w.queue.pending.first)
	}
}
