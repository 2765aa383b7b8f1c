// Package connecttest is for testing what is written against package connect: connectors, transformations and
// converters, each alone, without a Kafka and in milliseconds. It works inside [testing/synctest] as well as outside.
//
//   - [RunSource] and [RunSink] run a connector with its tasks as a runtime would, with offsets in memory.
//   - [Apply] and [RoundTrip] run a transformation and a converter.
//   - [TestSource], [TestSink], [TestTransformation], [TestPredicate], [TestConverter] and [TestHeaderConverter] are
//     suites with a case for each sentence of an interface's contract. Every author of a plugin should run the one
//     that fits; it takes a line and a small harness.
//   - [FakeSource] and [FakeSink] are connectors that fail, block or panic as their configuration says, for tests of
//     what runs connectors.
//   - [ConnectorContext], [SourceContext] and [SinkContext] stand in for the runtime, and keep what they were asked for; [Batches] allow
//     sources to return Kafka's batches.
//
// Package kafkatest, below this one, has a Kafka in memory for tests with a whole runtime, and with several that share the
// work (NewCluster). Package cluster/coordinatortest proves what brings them together.
package connecttest

import (
	"log/slog"
	"sync"
	"testing"
	"time"
)

// Timeout is how long the functions of this package wait for something that should happen, before they fail the
// test. Inside [testing/synctest] it costs no time.
const Timeout = 10 * time.Second

// Call is one recorded call.
type Call struct {
	Method string
	Args   []any
}

// calls records calls. It is safe for concurrent use.
type calls struct {
	mu   sync.Mutex
	list []Call
}

func (c *calls) add(method string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.list = append(c.list, Call{method, args})
}

// Calls returns the calls so far, in order.
func (c *calls) Calls() []Call {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]Call(nil), c.list...)
}

// Count returns how often a method was called.
func (c *calls) Count(method string) int {
	n := 0
	for _, call := range c.Calls() {
		if call.Method == method {
			n++
		}
	}
	return n
}

// logger returns a logger that writes to the test's output.
func logger(t testing.TB) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
}
