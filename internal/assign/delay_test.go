package assign

import (
	"testing"
	"time"
)

// TestDelayIsNeverLessThanAMillisecond: members are told of a delay in milliseconds, and 0 is none. A round that comes in the
// last millisecond of a delay must not leave work to nobody with nothing to end that.
func TestDelayIsNeverLessThanAMillisecond(t *testing.T) {
	configured := map[string]Connector{"c": {Tasks: 4}}
	for _, begin := range []time.Duration{0, 300 * time.Microsecond, 999999} {
		for _, before := range []time.Duration{0, 1, time.Microsecond, 999 * time.Microsecond, time.Millisecond, 1500 * time.Microsecond} {
			a, state, now := Incremental{MaxDelay: time.Second}, NewState(), time.Unix(1000, 0).Add(begin)
			members := map[string]Member{"a": {}, "b": {}}
			round := func(generation int32) Plan {
				var p Plan
				p, state = a.Assign(state, Input{Now: now, Generation: generation, LastCompleted: generation - 1, Configured: configured, Members: members})
				for id, m := range members {
					m.Held = p.Holds[id]
					members[id] = m
				}
				return p
			}
			round(1)
			delete(members, "b")
			if p := round(2); p.Delay != time.Second || len(p.Unassigned) == 0 {
				t.Fatalf("delay %v, unassigned %v", p.Delay, p.Unassigned)
			}
			now = now.Add(time.Second - before)
			if p := round(3); len(p.Unassigned) > 0 && p.Delay < time.Millisecond {
				t.Errorf("%v before the end of the delay, which began at %v: %d items wait, and nobody comes back (delay %v)", before, begin, len(p.Unassigned), p.Delay)
			}
		}
	}
}
