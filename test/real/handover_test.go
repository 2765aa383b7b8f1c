//go:build real

package real

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/cluster"
	"github.com/twmb/franz-go/pkg/kgo"
)

// counting is a source of six partitions that count up, fifty numbers a second.
func counting(topic string) cluster.Source {
	return cluster.Source{Name: "counting", Topic: topic, Tasks: 6, Key: connect.StringConverter{}, Connector: &connect.Partitioned[string, int64]{
		Partitions: func(context.Context) ([]string, error) { return []string{"a", "b", "c", "d", "e", "f"}, nil },
		Read: func(ctx context.Context, p string, from *int64) iter.Seq2[connect.Emit[int64], error] {
			return func(yield func(connect.Emit[int64], error) bool) {
				var n int64
				if from != nil {
					n = *from
				}
				tick := time.NewTicker(20 * time.Millisecond)
				defer tick.Stop()
				for {
					select {
					case <-tick.C:
					case <-ctx.Done():
						return
					}
					n++
					if !yield(connect.Emit[int64]{Record: connect.Record{Key: p, Value: fmt.Sprint(n)}, Offset: n}, nil) {
						return
					}
				}
			}
		},
	}}
}

// A partition must not stand still for so long when an instance leaves: far longer than it does, which is in the log, and far
// shorter than the session of an instance that does not hand over. How long it is on a machine that does nothing else is tested in
// virtual time.
const (
	handOverGap     = 20 * time.Second
	handOverSession = time.Minute
)

// Instances leave a group under load, one after the other, and hand over what they read: nothing is lost and nothing comes twice.
func TestHandOver(t *testing.T) {
	c := broker(t)
	topic := makeTopic(t, c, "numbers", 1)
	run := func() func() error {
		rt, err := cluster.New(cluster.Config{Brokers: c.Addrs(), GroupID: t.Name(), Logger: slog.New(slog.DiscardHandler),
			Worker: connect.Config{"offset.flush.interval.ms": "1000", "session.timeout.ms": fmt.Sprint(handOverSession.Milliseconds())}})
		if err != nil {
			t.Fatal(err)
		}
		if err := rt.Add(counting(topic)); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- rt.Run(ctx) }()
		stop := sync.OnceValue(func() error { cancel(); return <-done })
		t.Cleanup(func() { _ = stop() })
		if _, err := rt.Await(testContext(t), "counting", func(s cluster.ConnectorStatus) bool { return len(s.Tasks) == 6 }); err != nil {
			t.Fatal(err)
		}
		return stop
	}
	var mu sync.Mutex
	last, at := make(map[string]int64), make(map[string]time.Time)
	var gap time.Duration
	cl := client(t, c, kgo.ConsumeTopics(topic), kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()))
	go func() {
		for {
			fetches := cl.PollFetches(context.Background())
			if fetches.IsClientClosed() {
				return
			}
			mu.Lock()
			fetches.EachRecord(func(r *kgo.Record) {
				var n int64
				p := string(r.Key)
				if _, err := fmt.Sscan(string(r.Value), &n); err != nil || n != last[p]+1 {
					t.Errorf("partition %s: %s after %d", p, r.Value, last[p])
				}
				if before, ok := at[p]; ok {
					gap = max(gap, r.Timestamp.Sub(before))
				}
				last[p], at[p] = n, r.Timestamp
			})
			mu.Unlock()
		}
	}()
	progress := func(n int64) { // every partition has so many more
		t.Helper()
		mu.Lock()
		from := make(map[string]int64)
		for p, v := range last {
			from[p] = v
		}
		mu.Unlock()
		await(t, "records of every partition", func() bool {
			mu.Lock()
			defer mu.Unlock()
			for _, p := range []string{"a", "b", "c", "d", "e", "f"} {
				if last[p] < from[p]+n {
					return false
				}
			}
			return true
		})
	}
	var stops []func() error
	for range 3 {
		stops = append(stops, run())
		progress(250)
	}
	var gaps []time.Duration
	for _, stop := range stops[:2] {
		mu.Lock()
		gap = 0
		mu.Unlock()
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		progress(250)
		mu.Lock()
		gaps = append(gaps, gap)
		mu.Unlock()
	}
	t.Logf("the longest that a partition stood still when an instance left: %v", gaps)
	if most := max(gaps[0], gaps[1]); most > handOverGap {
		t.Errorf("that is longer than %v: it was not handed over", handOverGap)
	}
}
