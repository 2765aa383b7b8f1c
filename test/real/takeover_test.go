//go:build real

package real

import (
	"net/http"
	"path/filepath"
	"testing"

	"github.com/gokconnect/connect/test/kafka"
)

// stopAfter stops a worker, ours or Java's, when the topic has n lines.
func stopAfter(t *testing.T, w *kafka.Process, seen *watch, n int) {
	t.Helper()
	seen.until(t, n)
	if err := w.Stop(); err != nil {
		t.Fatal(err)
	}
}

// Java reads a part of a file and is stopped; this worker goes on from Java's offset file, and Java from this worker's.
func TestOffsetFileChangesHands(t *testing.T) {
	t.Parallel()
	c, dir := broker(t), t.TempDir()
	in, offsets := filepath.Join(dir, "in"), filepath.Join(dir, "offsets")
	topic := makeTopic(t, c, "lines", 1)
	seen := watchTopic(t, c, topic)
	source := sourceOf(in, topic)

	appendLines(t, in, 0, 1000)
	java, err := kafka.Standalone(t.TempDir(), c.Bootstrap(), offsets, nil, source.write(t, filepath.Join(dir, "source.properties")))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(java.Kill)
	stopAfter(t, &java.Process, seen, 1000)

	appendLines(t, in, 1000, 2000)
	ours := newWorker(t, c.Bootstrap(), properties{"offset.storage.file.filename": offsets}, source)
	start(t, ours)
	stopAfter(t, ours, seen, 2000)

	appendLines(t, in, 2000, 3000)
	if err := java.Start(); err != nil {
		t.Fatal(err)
	}
	stopAfter(t, &java.Process, seen, 3000)

	appendLines(t, in, 3000, 4000)
	start(t, ours)
	stopAfter(t, ours, seen, 4000)
	seen.until(t, 4000).once(t, "topic", 4000)
}

// The same with the offsets in a topic.
func TestOffsetTopicChangesHands(t *testing.T) {
	t.Parallel()
	c, dir, ctx := broker(t), t.TempDir(), testContext(t)
	in := filepath.Join(dir, "in")
	topic := makeTopic(t, c, "lines", 1)
	seen := watchTopic(t, c, topic)
	source := sourceOf(in, topic)

	appendLines(t, in, 0, 1000)
	java, err := kafka.Worker(t.TempDir(), c.Bootstrap(), t.Name())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(java.Kill)
	if _, err := java.Request(ctx, http.MethodPut, "/connectors/"+source["name"]+"/config", source); err != nil {
		t.Fatal(err)
	}
	stopAfter(t, &java.Process, seen, 1000)

	appendLines(t, in, 1000, 2000)
	ours := newWorker(t, c.Bootstrap(), properties{
		"offset.storage.file.filename": "", "offset.storage.topic": t.Name() + "-offsets", "offset.storage.replication.factor": "1",
		"config.storage.topic": t.Name() + "-configs", "status.storage.topic": t.Name() + "-statuss", "group.id": t.Name() + "-ours",
	}, source)
	start(t, ours)
	stopAfter(t, ours, seen, 2000)

	appendLines(t, in, 2000, 3000)
	if err := java.Start(); err != nil {
		t.Fatal(err)
	}
	stopAfter(t, &java.Process, seen, 3000)

	appendLines(t, in, 3000, 4000)
	start(t, ours)
	stopAfter(t, ours, seen, 4000)
	seen.until(t, 4000).once(t, "topic", 4000)
}
