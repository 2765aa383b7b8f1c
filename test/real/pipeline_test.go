//go:build real

package real

import (
	"path/filepath"
	"testing"
)

// file → topic → file, by one worker.
func TestFileToTopicToFile(t *testing.T) {
	c, dir := broker(t), t.TempDir()
	in, out := filepath.Join(dir, "in"), filepath.Join(dir, "out")
	topic := makeTopic(t, c, "lines", 1)
	const n = 50_000
	appendLines(t, in, 0, n)
	seen := watchTopic(t, c, topic)
	w := newWorker(t, c.Bootstrap(), nil, sourceOf(in, topic), sinkOf(t, topic, out))
	start(t, w)
	seen.until(t, n).once(t, "topic", n)
	fileUntil(t, out, n).once(t, "file", n)
	stop(t, w)
}

// A topic with several partitions, and a sink with several tasks.
func TestPartitions(t *testing.T) {
	c, dir := broker(t), t.TempDir()
	out := filepath.Join(dir, "out")
	topic := makeTopic(t, c, "lines", 6)
	const n = 60_000
	produce(t, c, topic, 6, 0, n)
	sink := sinkOf(t, topic, out)
	sink["tasks.max"] = "3"
	w := newWorker(t, c.Bootstrap(), nil, sink)
	start(t, w)
	byPartition := make(arrived)
	for _, i := range fileUntil(t, out, n)[0] {
		byPartition[int32(i%6)] = append(byPartition[int32(i%6)], i)
	}
	byPartition.checked(t, "file", n) // tasks that join one after the other may repeat what was not committed
	stop(t, w)
}

// SIGTERM and a new start: nothing is lost and nothing comes twice.
func TestRestartResumes(t *testing.T) {
	c, dir := broker(t), t.TempDir()
	in, out := filepath.Join(dir, "in"), filepath.Join(dir, "out")
	topic := makeTopic(t, c, "lines", 3)
	seen := watchTopic(t, c, topic)
	l := newLoad(t, in, 20_000)
	w := newWorker(t, c.Bootstrap(), nil, sourceOf(in, topic), sinkOf(t, topic, out))
	for i := range 4 {
		start(t, w)
		seen.until(t, 15_000*(i+1)) // stopped in the middle of it
		stop(t, w)
	}
	n := l.end(t)
	start(t, w)
	seen.until(t, n).once(t, "topic", n)
	lines := fileUntil(t, out, n)
	stop(t, w)
	if got := len(lines[0]); got != n {
		t.Fatalf("file: %d lines, want %d", got, n)
	}
}
