//go:build real

package real

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"runtime"
	"testing"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/cluster"
)

// The bounds of TestScale. Those on time are so far above what it takes that the test fails if something grows with the square
// of the number of tasks, or never ends, and not if the machine is busy: how long it took is in the log.
const (
	scaleConnectors, scaleTasks = 500, 4
	scaleStart                  = 5 * time.Minute
	scaleRebalance              = 3 * time.Minute
	scaleStop                   = 5 * time.Minute
	goroutinesPerTask           = 8 // with the connectors', a quarter for each task
	bytesPerTask                = 96 << 10
)

// TestScale: 500 connectors of 4 tasks each on three instances in one process start, move when an instance leaves, and stop.
func TestScale(t *testing.T) {
	c := broker(t)
	plugin := connect.SourcePlugin{
		PluginInfo: connect.PluginInfo{Class: "idle"},
		New: func() connect.SourceConnector {
			return &connect.Partitioned[int, int]{
				Partitions: func(context.Context) ([]int, error) { return []int{0, 1, 2, 3}, nil },
				Read: func(ctx context.Context, _ int, _ *int) iter.Seq2[connect.Emit[int], error] {
					return func(func(connect.Emit[int], error) bool) { <-ctx.Done() }
				},
			}
		},
	}
	start := func() (*cluster.Runtime, func() error) {
		rt, err := cluster.New(cluster.Config{
			Brokers: c.Addrs(), GroupID: t.Name(), Plugins: new(connect.Registry).MustAdd(plugin),
			Worker: connect.Config{"heartbeat.interval.ms": "500", "session.timeout.ms": "30000"}, Logger: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- rt.Run(ctx) }()
		return rt, func() error { cancel(); return <-done }
	}
	var all []*cluster.Runtime
	var stops []func() error
	for range 3 {
		rt, stop := start()
		all, stops = append(all, rt), append(stops, stop)
	}
	if _, err := all[0].Connectors(t.Context()); err != nil {
		t.Fatal(err)
	}
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	goroutines := runtime.NumGoroutine()

	began := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), scaleStart)
	defer cancel()
	name := func(i int) string { return fmt.Sprintf("connector-%03d", i) }
	for i := range scaleConnectors {
		if err := all[i%3].PutConnector(ctx, name(i), connect.Config{"connector.class": "idle", "tasks.max": fmt.Sprint(scaleTasks), "topic": "t"}); err != nil {
			t.Fatal(err)
		}
	}
	created := time.Since(began)
	running := func(rt *cluster.Runtime, limit time.Duration, on int) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		defer cancel()
		workers := make(map[string]int)
		for i := range scaleConnectors {
			s, err := rt.Await(ctx, name(i), func(s cluster.ConnectorStatus) bool {
				if s.State != cluster.Running || len(s.Tasks) != scaleTasks {
					return false
				}
				for _, task := range s.Tasks {
					if task.State != cluster.Running {
						return false
					}
				}
				return true
			})
			if err != nil {
				t.Fatalf("after %v: %v", limit, err)
			}
			for _, task := range s.Tasks {
				workers[task.Worker]++
			}
		}
		if on > 0 && len(workers) != on {
			t.Errorf("the tasks are on %v, want %d workers", workers, on)
		}
	}
	running(all[0], scaleStart, 0)
	t.Logf("start: %d connectors and %d tasks in %v (created in %v)", scaleConnectors, scaleConnectors*scaleTasks, time.Since(began), created)

	const tasks = scaleConnectors * scaleTasks
	runtime.GC()
	runtime.ReadMemStats(&after)
	each, bytes := float64(runtime.NumGoroutine()-goroutines)/tasks, (int64(after.HeapAlloc)-int64(before.HeapAlloc))/tasks
	stacks := (int64(after.StackInuse) - int64(before.StackInuse)) / tasks
	t.Logf("per task: %.1f goroutines, %d bytes of heap, %d bytes of stacks", each, bytes, stacks)
	if each > goroutinesPerTask || bytes+stacks > bytesPerTask {
		t.Errorf("too much per task: at most %d goroutines and %d bytes", goroutinesPerTask, bytesPerTask)
	}

	began = time.Now()
	if err := stops[2](); err != nil {
		t.Fatal(err)
	}
	left := time.Since(began)
	running(all[0], scaleRebalance, 2)
	t.Logf("rebalance: an instance left in %v, all runs on two after %v", left, time.Since(began))

	began = time.Now()
	for _, stop := range stops[:2] {
		if err := stop(); err != nil {
			t.Fatal(err)
		}
	}
	if took := time.Since(began); took > scaleStop {
		t.Errorf("stopping took %v, at most %v", took, scaleStop)
	} else {
		t.Logf("stop: both of them in %v", took)
	}
}
