package main

import "testing"

func TestMemoryLimit(t *testing.T) {
	for live, want := range map[int64]int64{0: enough, 20 << 20: enough, 100 << 20: 225 << 20} {
		if got := memoryLimit(live); got != want {
			t.Errorf("with %d bytes live the limit is %d, want %d", live, got, want)
		}
	}
}
