//go:build real

package real

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/cluster"
	"github.com/gokconnect/connect/offsets"
	"github.com/gokconnect/connect/plugin/file"
)

// Pause and resume under load, in a program that embeds the runtime.
func TestPauseAndResume(t *testing.T) {
	c, dir, ctx := broker(t), t.TempDir(), testContext(t)
	in, out := filepath.Join(dir, "in"), filepath.Join(dir, "out")
	topic := makeTopic(t, c, "lines", 1)
	seen := watchTopic(t, c, topic)
	l := newLoad(t, in, 5_000)
	rt, err := cluster.New(cluster.Config{
		Brokers: c.Addrs(), GroupID: t.Name(), Offsets: &offsets.File{Path: filepath.Join(dir, "offsets")},
		Plugins: new(connect.Registry).MustAdd(file.Plugins()...),
	})
	if err != nil {
		t.Fatal(err)
	}
	running, end := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- rt.Run(running) }()
	defer end()
	source, sink := sourceOf(in, topic), sinkOf(t, topic, out)
	for _, p := range []properties{source, sink} {
		if err := rt.PutConnector(ctx, p["name"], connect.Config(p)); err != nil {
			t.Fatal(err)
		}
	}
	is := func(name string, state cluster.State) {
		t.Helper()
		if _, err := rt.Await(ctx, name, func(s cluster.ConnectorStatus) bool {
			return s.State == state && len(s.Tasks) == 1 && s.Tasks[0].State == state
		}); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		is(source["name"], cluster.Running)
		seen.until(t, seen.distinct(t)+2000)
		if err := rt.Pause(ctx, source["name"]); err != nil {
			t.Fatal(err)
		}
		is(source["name"], cluster.Paused)
		before := seen.distinct(t)
		more := l.written() + 8000
		await(t, "more lines to be written", func() bool { return l.written() >= more })
		// A batch that was in flight when the pause began may still have come.
		if after := seen.distinct(t); after > before+2000 {
			t.Fatalf("%d lines arrived during the pause", after-before)
		}
		if err := rt.Resume(ctx, source["name"]); err != nil {
			t.Fatal(err)
		}
	}
	// A paused sink stays behind, and catches up.
	if err := rt.Pause(ctx, sink["name"]); err != nil {
		t.Fatal(err)
	}
	is(sink["name"], cluster.Paused)
	n := l.end(t)
	seen.until(t, n).once(t, "topic", n)
	if newSinkFile(out).count(t) == n {
		t.Fatal("the sink wrote everything although it was paused")
	}
	if err := rt.Resume(ctx, sink["name"]); err != nil {
		t.Fatal(err)
	}
	fileUntil(t, out, n).once(t, "file", n)
	end()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
}
