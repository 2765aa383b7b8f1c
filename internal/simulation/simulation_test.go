//go:build synctests

package simulation

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

var (
	seed   = flag.Uint64("seed", 1, "the first seed")
	seeds  = flag.Int("seeds", 20, "how many seeds")
	within = flag.Duration("within", 0, "how long seeds are begun; 0 is as long as there are some")
	trace  = flag.String("trace", "", "a folder for what happened under each seed that fails")
)

// sleep waits in virtual time: everything here runs in the bubble that TestSchedules makes.
func sleep(d time.Duration) { time.Sleep(d) }

// TestSchedules runs a cluster through the schedule of each seed.
func TestSchedules(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(400)) // most of it is small and short-lived
	var simulated time.Duration
	begin, run, failed, leftBehind, spins := time.Now(), 0, 0, 0, 0
	var overlapped overlaps
	for s := *seed; s < *seed+uint64(*seeds) && (*within == 0 || time.Since(begin) < *within); s++ {
		run++
		ok := t.Run(fmt.Sprint(s), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, newPlan(s))
				w.run()
				lasted := time.Since(w.begin) * time.Duration(len(w.instances))
				simulated += lasted
				t.Logf("%d instances, %.2f hours of instances, exactly once: %t", len(w.instances), lasted.Hours(), w.plan.once)
				w.mu.Lock()
				defer w.mu.Unlock()
				overlapped.put += w.overlaps.put
				overlapped.commit += w.overlaps.commit
				overlapped.fault += w.overlaps.fault
				leftBehind += w.leftBehind
				spins += w.spins
				for _, p := range w.problems {
					t.Errorf("seed %d: %s", s, p)
				}
				if t.Failed() && *trace != "" {
					name := filepath.Join(*trace, fmt.Sprintf("seed-%d.log", s))
					if err := os.WriteFile(name, []byte(strings.Join(w.trace, "\n")), 0o644); err != nil {
						t.Error(err)
					}
				}
			})
		})
		if !ok {
			failed++
			t.Logf("to replay: go test -tags synctests ./internal/simulation -run TestSchedules -seed %d -seeds 1 -trace .", s)
		}
	}
	t.Logf("%d seeds, %d failed, %.1f hours of instances in %v; sink tasks overlapped %d times as Put ran, %d times as commits were refused and %d times as an instance could not be reached, %d clients outlived Run, %d span", run, failed,
		simulated.Hours(), time.Since(begin).Round(time.Second), overlapped.put, overlapped.commit, overlapped.fault, leftBehind, spins)
}
