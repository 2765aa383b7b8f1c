//go:build real

package real

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gokconnect/connect/test/kafka"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

func startCluster(t *testing.T, n int) *kafka.Cluster {
	t.Helper()
	c, err := kafka.StartCluster(t.TempDir(), n)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// The only broker restarts while a source and a sink are at work.
func TestBrokerRestarts(t *testing.T) {
	c, dir := startCluster(t, 1), t.TempDir()
	in, out := filepath.Join(dir, "in"), filepath.Join(dir, "out")
	topic := makeTopic(t, c, "lines", 1)
	seen := watchTopic(t, c, topic)
	l := newLoad(t, in, 2_000)
	w := newWorker(t, c.Bootstrap(), nil, sourceOf(in, topic), sinkOf(t, topic, out))
	start(t, w)
	seen.until(t, 5_000)
	if err := c.Brokers[0].Stop(); err != nil {
		t.Fatal(err)
	}
	if err := c.Brokers[0].Start(); err != nil {
		t.Fatal(err)
	}
	n := l.end(t)
	seen.until(t, n).once(t, "topic", n) // the producer is idempotent
	fileUntil(t, out, n).checked(t, "file", n)
	stop(t, w)
}

// Of three brokers, one after the other is killed and comes back.
func TestKilledBrokers(t *testing.T) {
	t.Parallel()
	c, dir := startCluster(t, 3), t.TempDir()
	in, out := filepath.Join(dir, "in"), filepath.Join(dir, "out")
	topic := makeTopic(t, c, "lines", 3)
	seen := watchTopic(t, c, topic)
	l := newLoad(t, in, 2_000)
	w := newWorker(t, c.Bootstrap(), nil, sourceOf(in, topic), sinkOf(t, topic, out))
	start(t, w)
	for i, b := range c.Brokers {
		seen.until(t, 2_000*(i+1))
		b.Kill()
		seen.until(t, l.written()) // it goes on with two
		if err := b.Start(); err != nil {
			t.Fatal(err)
		}
	}
	n := l.end(t)
	seen.until(t, n).once(t, "topic", n)
	lines := fileUntil(t, out, n)
	t.Logf("file: %d lines, %d duplicates", n, len(lines[0])-n)
	stop(t, w)
}

// A worker waits a while for a broker that is not there yet.
func TestBrokerComesLater(t *testing.T) {
	c, err := kafka.NewCluster(t.TempDir(), 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	dir := t.TempDir()
	in := filepath.Join(dir, "in")
	appendLines(t, in, 0, 1000)
	w := newWorker(t, c.Bootstrap(), nil, sourceOf(in, "later"))
	start(t, w)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := kadm.NewClient(client(t, c)).CreateTopic(testContext(t), 1, -1, nil, "later"); err != nil && !errors.Is(err, kerr.TopicAlreadyExists) { // the worker may be the first
		t.Fatal(err)
	}
	watchTopic(t, c, "later").until(t, 1000).once(t, "topic", 1000)
	stop(t, w)
}

// A worker without a broker ends, and says which address does not answer.
func TestNoBroker(t *testing.T) {
	w := newWorker(t, "127.0.0.1:1", nil)
	start(t, w)
	began := time.Now()
	state, err := w.Wait(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	if state.Success() {
		t.Fatal("the worker ended as if all was well")
	}
	if log := w.Log(); !strings.Contains(log, "127.0.0.1:1") || !strings.Contains(log, "can be reached") {
		t.Fatalf("the log does not say what is wrong:\n%s", log)
	}
	t.Logf("it gave up after %v", time.Since(began).Round(time.Second))
}
