//go:build real

package real

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/gokconnect/connect/test/kafka"
	"github.com/twmb/franz-go/pkg/kgo"
)

// exactlyOnceWorker returns a worker of a group that delivers exactly once, with the connectors.
func exactlyOnceWorker(t *testing.T, c *kafka.Cluster, replicas string, connectors ...properties) *kafka.Process {
	group := t.Name()
	return newWorker(t, c.Bootstrap(), properties{
		"offset.storage.file.filename": "", "group.id": group, "exactly.once.source.support": "enabled",
		"offset.storage.topic": group + "-offsets", "config.storage.topic": group + "-configs", "status.storage.topic": group + "-status",
		"offset.storage.replication.factor": replicas, "config.storage.replication.factor": replicas, "status.storage.replication.factor": replicas,
		"offset.storage.partitions": "3", "status.storage.partitions": "1",
		"session.timeout.ms": "6000", "heartbeat.interval.ms": "1000", "scheduled.rebalance.max.delay.ms": "0",
		"producer.transaction.timeout.ms": "10000",
	}, connectors...)
}

func committed(t *testing.T, c *kafka.Cluster, topic string) *watch {
	return watchTopic(t, c, topic, kgo.FetchIsolationLevel(kgo.ReadCommitted()))
}

// exactlyOnceLoad is lines that flow through several connectors at once, with different boundaries of their transactions.
type exactlyOnceLoad struct {
	loads   []*load
	watches []*watch
	sources []properties
}

func newExactlyOnceLoad(t *testing.T, c *kafka.Cluster, partitions int32) *exactlyOnceLoad {
	l, dir := &exactlyOnceLoad{}, t.TempDir()
	for i, boundary := range []properties{
		{"transaction.boundary": "poll"},
		{"transaction.boundary": "interval", "transaction.boundary.interval.ms": "1000"},
		{"transaction.boundary": "interval", "transaction.boundary.interval.ms": "300", "offsets.storage.topic": t.Name() + "-own-offsets"},
	} {
		in, topic := filepath.Join(dir, fmt.Sprint("in", i)), makeTopic(t, c, fmt.Sprint("lines", i), partitions)
		source := sourceOf(in, topic)
		source["name"] = fmt.Sprint("source", i)
		source["exactly.once.support"] = "required"
		for k, v := range boundary {
			source[k] = v
		}
		l.sources = append(l.sources, source)
		l.watches = append(l.watches, committed(t, c, topic))
		l.loads = append(l.loads, newLoad(t, in, 1_000))
	}
	return l
}

// goesOn waits until so many more lines have come through each connector.
func (l *exactlyOnceLoad) goesOn(t *testing.T, lines int) {
	t.Helper()
	for _, w := range l.watches {
		w.until(t, w.distinct(t)+lines)
	}
}

// check ends the load and checks that every line has come once.
func (l *exactlyOnceLoad) check(t *testing.T) {
	t.Helper()
	for i, load := range l.loads {
		n := load.end(t)
		l.watches[i].until(t, n).once(t, fmt.Sprintf("a reader of committed records, connector %d", i), n)
	}
}

// Two workers share exactly-once sources, and are killed in turn, under load: tasks move, and no line is lost or comes twice.
func TestExactlyOnceKilledWorkers(t *testing.T) {
	t.Parallel()
	c := broker(t)
	l := newExactlyOnceLoad(t, c, 3)
	workers := []*kafka.Process{exactlyOnceWorker(t, c, "1", l.sources...), exactlyOnceWorker(t, c, "1", l.sources...)}
	for _, w := range workers {
		start(t, w)
	}
	lap := laps(t)
	l.goesOn(t, 500)
	lap("the start")
	for round := range 4 {
		w := workers[round%2]
		w.Kill()
		if round < 2 {
			l.goesOn(t, 500) // on the other worker, once the group has noticed
			lap("a worker was killed")
		}
		start(t, w)
		l.goesOn(t, 500)
		lap("it is back")
	}
	stop(t, workers[0])
	l.goesOn(t, 200)
	lap("one has left")
	l.check(t)
	lap("the rest of the lines")
	stop(t, workers[1])
}

// Of three brokers, each is killed once and comes back, with transactions open and commits under way.
func TestExactlyOnceKilledBrokers(t *testing.T) {
	t.Parallel()
	c := startCluster(t, 3)
	l := newExactlyOnceLoad(t, c, 3)
	w := exactlyOnceWorker(t, c, "3", l.sources...)
	start(t, w)
	lap := laps(t)
	for i, b := range c.Brokers {
		l.goesOn(t, 500)
		lap(fmt.Sprintf("three brokers, before the kill of %d", i+1))
		b.Kill()
		l.goesOn(t, 500)
		lap("two brokers")
		if err := b.Start(); err != nil {
			t.Fatal(err)
		}
		lap("it is back")
	}
	l.check(t)
	stop(t, w)
}
