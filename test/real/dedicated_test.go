//go:build real

package real

import (
	"path/filepath"
	"sync"
	"testing"

	"github.com/gokconnect/connect/test/kafka"
)

// mirrorBinary is examples/mirror, built once.
var mirrorBinary = sync.OnceValues(func() (string, error) { return build("mirror") })

// The same with MirrorMaker's dedicated mode: one properties file, which Java's connect-mirror-maker and examples/mirror are
// given in turn. The flow goes on from the offsets, syncs and checkpoints that the other has left.
func TestDedicatedMirrorChangesHands(t *testing.T) {
	t.Parallel()
	a, b := twoClusters(t)
	all := properties{
		"clusters": "A, B", "A.bootstrap.servers": a.Bootstrap(), "B.bootstrap.servers": b.Bootstrap(), "A->B.enabled": "true", "B->A.enabled": "false",
		"topics": "orders", "groups": "app.*", "tasks.max": "2", "emit.heartbeats.enabled": "false", "B.offset.flush.interval.ms": "1000", "B.plugin.discovery": "service_load",
		"refresh.topics.interval.seconds": "2", "refresh.groups.interval.seconds": "1", "emit.checkpoints.interval.seconds": "1", "consumer.poll.timeout.ms": "200",
		"sync.group.offsets.enabled": "true", "sync.group.offsets.interval.seconds": "1",
	}
	for _, topic := range []string{"", "offset-syncs.topic.", "checkpoints.topic.", "heartbeats.topic.", "offset.storage.", "status.storage.", "config.storage."} {
		all[topic+"replication.factor"] = "1"
	}
	dir := t.TempDir()
	file := all.write(t, filepath.Join(dir, "mm2.properties"))
	java, err := kafka.MirrorMaker(filepath.Join(dir, "java"), file)
	if err != nil {
		t.Fatal(err)
	}
	binary, err := mirrorBinary()
	if err != nil {
		t.Fatal(err)
	}
	ours := &kafka.Process{Dir: filepath.Join(dir, "ours"), Argv: []string{binary, file}}
	for _, p := range []*kafka.Process{java, ours} {
		t.Cleanup(func() {
			p.Kill()
			if t.Failed() {
				t.Logf("the log of %s ends with:\n%s", filepath.Base(p.Dir), p.Tail())
				keepLog(t, p)
			}
		})
	}
	started := func(p *kafka.Process) func() *kafka.Process {
		return func() *kafka.Process { start(t, p); return p }
	}
	mirrorChangesHands(t, a, b, started(java), started(ours))
}
