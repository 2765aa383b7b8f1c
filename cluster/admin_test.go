package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/cluster"
	"github.com/gokconnect/connect/connecttest"
	"github.com/gokconnect/connect/internal/kafkatest"
	"github.com/gokconnect/connect/offsets"
	"github.com/twmb/franz-go/pkg/kgo"
)

// await waits in virtual time for a state of a connector and all its tasks.
func await(t *testing.T, rt *cluster.Runtime, name string, connector cluster.State, tasks ...cluster.State) cluster.ConnectorStatus {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	s, err := rt.Await(ctx, name, func(s cluster.ConnectorStatus) bool {
		var got []cluster.State
		for _, task := range s.Tasks {
			got = append(got, task.State)
		}
		return s.State == connector && slices.Equal(got, tasks)
	})
	if err != nil {
		t.Fatalf("%v; it is %+v, want %s %v", err, s, connector, tasks)
	}
	return s
}

// ticks is a source that counts up for ever, one number a second, from its offset.
func ticks() connect.SourceConnector {
	return &connect.Partitioned[string, int64]{
		Topic:      "ticks",
		Partitions: func(context.Context) ([]string, error) { return []string{"a"}, nil },
		Read: func(ctx context.Context, _ string, from *int64) iter.Seq2[connect.Emit[int64], error] {
			return func(yield func(connect.Emit[int64], error) bool) {
				n := int64(0)
				if from != nil {
					n = *from
				}
				for {
					select {
					case <-time.After(time.Second):
					case <-ctx.Done():
						return
					}
					n++
					if !yield(connect.Emit[int64]{Record: connect.Record{Value: fmt.Sprint(n)}, Offset: n}, nil) {
						return
					}
				}
			}
		},
	}
}

// wantCount checks that a topic has the numbers from 1 on, each once and in order.
func wantCount(t *testing.T, k *kafkatest.Cluster, topic string, least int) {
	t.Helper()
	got := k.Texts(topic)
	for i, text := range got {
		if !strings.HasSuffix(text, fmt.Sprint("=", i+1)) {
			t.Fatalf("record %d of %s is %s: %v", i, topic, text, got)
		}
	}
	if len(got) < least {
		t.Errorf("%d records in %s, want at least %d", len(got), topic, least)
	}
}

func TestPauseResumeStopRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := kafkatest.New(t)
		k.MustCreateTopic("ticks", 1)
		rt, _ := start(t, k, cluster.Config{}, cluster.Source{Name: "c", Connector: ticks(), Key: connect.StringConverter{}})
		ctx := t.Context()
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		await(t, rt, "c", cluster.Running, cluster.Running)
		time.Sleep(10 * time.Second)

		must(rt.Pause(ctx, "c"))
		await(t, rt, "c", cluster.Paused, cluster.Paused)
		time.Sleep(5 * time.Second)
		before := len(k.Texts("ticks"))
		time.Sleep(time.Minute)
		if after := len(k.Texts("ticks")); after != before {
			t.Errorf("%d records came while the connector was paused", after-before)
		}
		must(rt.Resume(ctx, "c"))
		await(t, rt, "c", cluster.Running, cluster.Running)
		time.Sleep(10 * time.Second)

		must(rt.Stop(ctx, "c"))
		await(t, rt, "c", cluster.Stopped)
		must(rt.Resume(ctx, "c"))
		await(t, rt, "c", cluster.Running, cluster.Running)
		time.Sleep(10 * time.Second)

		must(rt.Restart(ctx, "c", cluster.RestartOptions{Tasks: true}))
		await(t, rt, "c", cluster.Running, cluster.Running)
		must(rt.RestartTask(ctx, connect.TaskID{Connector: "c"}))
		time.Sleep(10 * time.Second)
		await(t, rt, "c", cluster.Running, cluster.Running)
		wantCount(t, k, "ticks", 30)

		if err := rt.RestartTask(ctx, connect.TaskID{Connector: "c", Task: 7}); !errors.Is(err, connect.ErrNotFound) {
			t.Errorf("restart of an unknown task: %v", err)
		}
		must(rt.DeleteConnector(ctx, "c"))
		if _, err := rt.Status(ctx, "c"); !errors.Is(err, connect.ErrNotFound) {
			t.Errorf("status of a deleted connector: %v", err)
		}
	})
}

func TestResumeAfterRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := kafkatest.New(t)
		k.MustCreateTopic("ticks", 1)
		for _, own := range []string{"", "own-offsets"} {
			for range 3 {
				_, stop := start(t, k, cluster.Config{}, cluster.Source{Name: "c", Connector: ticks(), Config: ownTopic(own)})
				time.Sleep(10 * time.Second)
				stop()
			}
		}
		wantCount(t, k, "ticks", 40)
		if got := k.Texts("own-offsets"); len(got) == 0 {
			t.Error("nothing was stored in the connector's own topic")
		}
	})
}

func ownTopic(name string) connect.Config {
	if name == "" {
		return nil
	}
	return connect.Config{"offsets.storage.topic": name}
}

func TestOffsetsOfSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := kafkatest.New(t)
		k.MustCreateTopic("ticks", 1)
		rt, _ := start(t, k, cluster.Config{Offsets: new(offsets.Memory)}, cluster.Source{Name: "c", Connector: ticks()})
		ctx := t.Context()
		await(t, rt, "c", cluster.Running, cluster.Running)
		time.Sleep(10 * time.Second)
		if err := rt.ResetOffsets(ctx, "c"); !errors.Is(err, connect.ErrIllegalState) {
			t.Errorf("reset of the offsets of a connector that runs: %v", err)
		}
		if err := rt.Stop(ctx, "c"); err != nil {
			t.Fatal(err)
		}
		await(t, rt, "c", cluster.Stopped)
		time.Sleep(time.Second) // its task ends, and commits
		stored, err := rt.Offsets(ctx, "c")
		if err != nil || len(stored) != 1 {
			t.Fatalf("stored offsets: %v, %v", stored, err)
		}
		if err := rt.ResetOffsets(ctx, "c"); err != nil {
			t.Fatal(err)
		}
		if stored, err := rt.Offsets(ctx, "c"); err != nil || len(stored) != 0 {
			t.Errorf("offsets after their reset: %v, %v", stored, err)
		}
		if err := rt.AlterOffsets(ctx, "c", stored); err != nil {
			t.Fatal(err)
		}
		if again, err := rt.Offsets(ctx, "c"); err != nil || len(again) != 1 {
			t.Errorf("offsets after they were set: %v, %v", again, err)
		}
	})
}

// TestFailures: what one connector does wrong shows in its own status, and touches no other.
func TestFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := kafkatest.New(t)
		k.MustCreateTopic("ticks", 1)
		fake := func(name string, cfg connect.Config) cluster.Source {
			cfg["topic"] = name
			return cluster.Source{Name: name, Connector: &connecttest.FakeSource{}, Config: cfg}
		}
		rt, stop := start(t, k, cluster.Config{Restart: cluster.RestartPolicy{Max: 3}},
			fake("start-fails", connect.Config{"fail.on": "connector.start"}),
			fake("start-panics", connect.Config{"panic.on": "connector.start"}),
			fake("poll-panics", connect.Config{"panic.on": "poll#3", "interval.ms": "1000"}),
			fake("data", connect.Config{"fail.on": "poll#3", "fail.with": "data", "interval.ms": "1000"}),
			cluster.Source{Name: "healthy", Connector: ticks()},
		)
		await(t, rt, "healthy", cluster.Running, cluster.Running)
		for _, name := range []string{"start-fails", "start-panics"} {
			if s := await(t, rt, name, cluster.Failed); s.Err == nil {
				t.Errorf("%s: FAILED without an error", name)
			}
		}
		// An error of the data fails a task at once; a panic fails it when the restarts are used up.
		began := time.Now()
		await(t, rt, "data", cluster.Running, cluster.Failed)
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("a task with bad data failed after %v: it was restarted", took)
		}
		s := await(t, rt, "poll-panics", cluster.Running, cluster.Failed)
		var panicked *connect.PanicError
		if !errors.As(s.Tasks[0].Err, &panicked) {
			t.Errorf("the task that panicked failed with %v", s.Tasks[0].Err)
		}
		if took := time.Since(began); took < 7*time.Second {
			t.Errorf("the task that panicked failed after %v: it was not restarted three times", took)
		}
		time.Sleep(time.Minute)
		await(t, rt, "healthy", cluster.Running, cluster.Running)
		stop()
		wantCount(t, k, "ticks", 60)
	})
}

// TestHangingPut: a call that hangs is reported by name, and neither the other connectors nor Run wait for it for ever.
func TestHangingPut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := kafkatest.New(t)
		release := make(chan struct{})
		hangs := connect.SinkFunc(func(context.Context, []connect.SinkRecord) error { <-release; return nil })
		k.MustCreateTopic("ticks", 1)
		var logged lockedBuffer
		rt, stop := start(t, k, cluster.Config{Logger: slog.New(slog.NewTextHandler(&logged, nil))},
			cluster.Source{Name: "healthy", Connector: ticks()},
			cluster.Sink{Name: "hangs", Connector: hangs, Topics: []string{"ticks"}},
		)
		await(t, rt, "healthy", cluster.Running, cluster.Running)
		await(t, rt, "hangs", cluster.Running, cluster.Running)
		time.Sleep(10 * time.Minute)
		if n := strings.Count(logged.String(), `msg="a call into a connector takes long"`); n != 1 || !strings.Contains(logged.String(), "call=Put") {
			t.Errorf("the hanging Put was reported %d times, want once and by its name", n)
		}
		began := time.Now()
		if err := rt.DeleteConnector(t.Context(), "hangs"); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took > time.Second {
			t.Errorf("deleting a connector whose task hangs took %v", took)
		}
		time.Sleep(time.Minute)
		await(t, rt, "healthy", cluster.Running, cluster.Running)
		close(release)
		stop()
	})
}

func TestRefusedConfigurations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := kafkatest.New(t)
		rt, _ := start(t, k, cluster.Config{})
		for _, tt := range []struct {
			cfg  connect.Config
			want string
		}{
			{connect.Config{"connector.class": "Nope"}, "Nope"},
			{connect.Config{}, "connector type"},
			{connect.Config{"name": "other"}, "doesn't match"},
		} {
			err := rt.PutConnector(t.Context(), "c", tt.cfg)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v: %v, want an error that says %q", tt.cfg, err, tt.want)
			}
		}
		if names, err := rt.Connectors(t.Context()); err != nil || len(names) != 0 {
			t.Errorf("a refused configuration left something behind: %v, %v", names, err)
		}
	})
}

// lockedBuffer is a buffer that many goroutines write.
type lockedBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lockedBuffer) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// TestDeclareAgain: a declaration takes the place of another, also when only its Go values differ.
func TestDeclareAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := kafkatest.New(t)
		k.MustCreateTopic("lines", 1)
		var out collector
		sink := cluster.Sink{Name: "out", Connector: connect.SinkFunc(out.put), Topics: []string{"lines"}}
		rt, _ := start(t, k, cluster.Config{}, sink)
		await(t, rt, "out", cluster.Running, cluster.Running)
		sink.Transforms = []connect.Transformation{connect.TransformFunc(func(_ context.Context, r *connect.Record) (*connect.Record, error) {
			r.Value = "marked " + r.Value.(string)
			return r, nil
		})}
		if err := rt.Add(sink); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		await(t, rt, "out", cluster.Running, cluster.Running)
		k.Produce(&kgo.Record{Topic: "lines", Value: []byte("one")})
		time.Sleep(10 * time.Second)
		if got := out.got(); !slices.Equal(got, []string{"marked one"}) {
			t.Errorf("got %q", got)
		}
	})
}
