package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// Bounds of the worker's memory.
const (
	// garbage is how much of it may pile up, in percent of what is in use: a worker makes much short-lived garbage from a small heap,
	// and collecting it at twice the live heap, Go's default, takes a third of the CPU time of a busy one.
	garbage = 250
	// enough is what all memory, garbage included, stays below as long as half of it is not in use.
	enough = 48 << 20
)

// tuneGarbageCollector bounds the memory that garbage takes, unless the environment says how.
func tuneGarbageCollector() {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	debug.SetGCPercent(garbage)
	debug.SetMemoryLimit(enough)
	followGarbageCollector(&limit{enough})
}

// limit is the memory limit that is set.
type limit struct{ bytes int64 }

// followGarbageCollector raises the limit when more than half of it is in use after a collection, and lowers it again: near
// the limit the collector would run all the time. The cleanup of an object that nobody refers to runs once for each collection.
func followGarbageCollector(l *limit) {
	runtime.AddCleanup(new([16]byte), func(l *limit) {
		sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
		metrics.Read(sample)
		if want := memoryLimit(int64(sample[0].Value.Uint64())); want > l.bytes || want < l.bytes*3/4 {
			debug.SetMemoryLimit(want)
			l.bytes = want
		}
		followGarbageCollector(l)
	}, l)
}

// memoryLimit returns how much memory may be used when so many bytes of the heap are live.
func memoryLimit(live int64) int64 { return max(enough, 2*live+live/4) }
