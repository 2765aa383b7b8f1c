//go:build real

package real

import "testing"

// The checker itself must find what it is there for.
func TestChecker(t *testing.T) {
	for _, tt := range []struct {
		name       string
		lines      arrived
		duplicates int
		bad        bool
	}{
		{"in order", arrived{0: {0, 1, 2, 3}}, 0, false},
		{"two partitions", arrived{0: {0, 2}, 1: {1, 3}}, 0, false},
		{"a batch again", arrived{0: {0, 1, 2, 1, 2, 3}}, 2, false},
		{"a batch again in another partition", arrived{0: {0, 1, 2}, 1: {1, 2, 3}}, 2, false},
		{"lost", arrived{0: {0, 1, 3}}, 0, true},
		{"lost at the end", arrived{0: {0, 1, 2}}, 0, true},
		{"out of order", arrived{0: {0, 2, 1, 3}}, 0, true},
		{"more than was written", arrived{0: {0, 1, 2, 3, 4}}, 0, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			duplicates, err := tt.lines.check(4)
			if (err != nil) != tt.bad || duplicates != tt.duplicates {
				t.Fatalf("%d duplicates, error %v", duplicates, err)
			}
		})
	}
}
