//go:build real

package real

import (
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"
)

// The worker is killed under load, again and again, with records that were polled and offsets that were not committed.
func TestKilledWorkerLosesNothing(t *testing.T) {
	for _, tt := range []struct{ name, flush string }{
		{"commits often", "100"},
		{"commits never", "3600000"}, // what was not stored comes again, all of it
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, dir := broker(t), t.TempDir()
			in, out := filepath.Join(dir, "in"), filepath.Join(dir, "out")
			topic := makeTopic(t, c, "lines", 1)
			seen := watchTopic(t, c, topic)
			sink := sinkOf(t, topic, out)
			sink["name"] += tt.flush
			sink["consumer.override.session.timeout.ms"] = "6000" // how long the dead member keeps its partitions
			worker := properties{"offset.flush.interval.ms": tt.flush}
			w := newWorker(t, c.Bootstrap(), worker, sourceOf(in, topic), sink)
			l := newLoad(t, in, 10_000)
			random := rand.New(rand.NewPCG(1, 2))
			for range 6 {
				from := seen.distinct(t)
				start(t, w)
				seen.until(t, from+1000)
				delay := time.After(time.Duration(random.IntN(700)) * time.Millisecond)
				await(t, "the moment to kill", func() bool {
					select {
					case <-delay:
						return true
					default:
						return false
					}
				})
				w.Kill()
			}
			n := l.end(t)
			start(t, w)
			seen.until(t, n).checked(t, "topic", n)
			fileUntil(t, out, n).checked(t, "file", n)
			stop(t, w)
		})
	}
}
