package worker

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/connconfig"
	"github.com/twmb/franz-go/pkg/kgo"
)

// limit is a throttle that stays.
func limit(records, bytes float64) func() connconfig.Throttle {
	return func() connconfig.Throttle { return connconfig.Throttle{Records: records, Bytes: bytes} }
}

// within reports a rate that differs from what was wanted by more than three per cent and one record.
func within(t *testing.T, what string, got int, want float64) {
	t.Helper()
	if f := float64(got); f < want*0.97-1 || f > want*1.03+1 {
		t.Errorf("%s: %d in a minute, want %.0f", what, got, want)
	}
}

func TestThrottledSource(t *testing.T) {
	for name, c := range map[string]struct {
		records, bytes float64
		batch          int
		want           float64
	}{
		"slow, large batches": {10, 0, 5000, 600},
		"slow, single":        {10, 0, 1, 600},
		"less than one":       {0.5, 0, 100, 30},
		"fast":                {2000, 0, 700, 120_000},
		"bytes":               {0, 400, 5000, 6000}, // of 4 bytes each
		"both, records less":  {50, 400, 5000, 3000},
	} {
		t.Run(name, func(t *testing.T) {
			inSourceWorld(t, func(t *testing.T, w *sourceWorld, j *journal) {
				w.throttle = limit(c.records, c.bytes)
				task := w.task(&source{journal: new(journal), poll: func(context.Context, int) ([]connect.SourceRecord, error) {
					batch := lines(0, c.batch)
					for i := range batch {
						batch[i].Value = "1234"
					}
					return batch, nil
				}})
				time.Sleep(10 * time.Second)
				before := len(values(w.k, "t"))
				time.Sleep(time.Minute)
				within(t, name, len(values(w.k, "t"))-before, c.want)
				began := time.Now()
				end(t, task)
				if took := time.Since(began); took > 100*time.Millisecond {
					t.Errorf("the stop took %v", took)
				}
				want(t, "states", j.all(), []string{"RUNNING", "UNASSIGNED"})
			})
		})
	}
}

// TestPauseOfThrottledSource: a batch that is being sent slowly stands still, goes on where it was, and none is lost by a
// stop in its middle.
func TestPauseOfThrottledSource(t *testing.T) {
	inSourceWorld(t, func(t *testing.T, w *sourceWorld, j *journal) {
		w.throttle = limit(10, 0)
		w.opts.FlushInterval = time.Second
		task := w.task(&source{journal: new(journal), poll: once(lines(0, 1000))})
		time.Sleep(10 * time.Second)
		task.Pause(true)
		time.Sleep(time.Second)
		n := len(values(w.k, "t"))
		time.Sleep(time.Minute)
		if got := len(values(w.k, "t")); got != n {
			t.Errorf("%d records were sent while paused", got-n)
		}
		task.Pause(false)
		time.Sleep(10 * time.Second)
		end(t, task)
		sent := values(w.k, "t")
		if len(sent) < 190 || len(sent) > 220 {
			t.Errorf("%d records in 20 s", len(sent))
		}
		want(t, "states", j.all(), []string{"RUNNING", "PAUSED", "RUNNING", "UNASSIGNED"})
		want(t, "records", sent, numbers(0, len(sent)))
		if got := w.stored(t)["p"]; got != int64(len(sent)) {
			t.Errorf("the stored offset is %d of %d", got, len(sent))
		}
	})
}

// TestThrottleIsSharedAnew: the number of a connector's tasks changes while one runs.
func TestThrottleIsSharedAnew(t *testing.T) {
	inSourceWorld(t, func(t *testing.T, w *sourceWorld, _ *journal) {
		var tasks atomic.Int64
		tasks.Store(1)
		w.throttle = func() connconfig.Throttle {
			return connconfig.Throttle{Records: 100}.Share(int(tasks.Load()))
		}
		task := w.task(&source{journal: new(journal), poll: endless(4, 1<<30)})
		time.Sleep(time.Minute)
		tasks.Store(4)
		time.Sleep(5 * time.Second)
		before := len(values(w.k, "t"))
		time.Sleep(time.Minute)
		within(t, "a quarter", len(values(w.k, "t"))-before, 1500)
		end(t, task)
	})
}

// TestThrottledExactlyOnce: transactions are sent whole, and committed while the next batch waits.
func TestThrottledExactlyOnce(t *testing.T) {
	for _, boundary := range []connconfig.Boundary{connconfig.BoundaryPoll, connconfig.BoundaryInterval} {
		t.Run(string(boundary), func(t *testing.T) {
			inTxWorld(t, func(t *testing.T, w *txWorld) {
				w.boundary, w.interval = boundary, 2*time.Second
				w.throttle = limit(20, 0)
				w.txOpts = []kgo.Opt{kgo.TransactionTimeout(10 * time.Second)}
				task := w.task(&source{poll: func(_ context.Context, n int) ([]connect.SourceRecord, error) {
					return lines((n-1)*600, n*600), nil // worth half a minute
				}})
				time.Sleep(125 * time.Second)
				// After 0, 30, 60, 90 and 120 s.
				w.wantStored(t, 3000)
				task.Pause(true)
				time.Sleep(time.Minute)
				task.Pause(false)
				time.Sleep(time.Second)
				began := time.Now()
				end(t, task)
				if took := time.Since(began); took > time.Second {
					t.Errorf("the stop took %v", took)
				}
				want(t, "states", w.journal.with("RUNNING", "PAUSED", "FAILED", "RESTARTING", "UNASSIGNED"), []string{"RUNNING", "PAUSED", "RUNNING", "UNASSIGNED"})
				want(t, "records", values(w.k, "t")[:3000], numbers(0, 3000))
			})
		})
	}
}

func TestThrottledSink(t *testing.T) {
	for name, c := range map[string]struct{ records, bytes, want float64 }{
		"records":       {20, 0, 1200},
		"less than one": {0.5, 0, 30},
		"bytes":         {0, 50, 600}, // of a key of one byte and a value of four
	} {
		t.Run(name, func(t *testing.T) {
			inSinkWorld(t, 1, func(t *testing.T, w *sinkWorld, j *journal) {
				w.parts.Throttle = limit(c.records, c.bytes)
				w.client = []kgo.Opt{kgo.SessionTimeout(6 * time.Second), kgo.HeartbeatInterval(time.Second)}
				w.opts.CommitInterval = time.Second
				w.produce("t", 1, 1000, 9000)
				task := w.task(&sink{journal: j})
				time.Sleep(30 * time.Second)
				before := w.committed(t, "t", 0)
				time.Sleep(time.Minute)
				within(t, name, int(w.committed(t, "t", 0)-before), c.want)
				task.Pause(true)
				time.Sleep(2 * time.Second)
				paused := w.committed(t, "t", 0)
				time.Sleep(30 * time.Second)
				if got := w.committed(t, "t", 0); got != paused {
					t.Errorf("%d records were put while paused", got-paused)
				}
				task.Pause(false)
				time.Sleep(10 * time.Second)
				began := time.Now()
				end(t, task)
				if took := time.Since(began); took > time.Second {
					t.Errorf("the stop took %v", took)
				}
				// It stayed a member all the time: its partition was assigned once.
				want(t, "life", j.with("open", "close", "RUNNING", "PAUSED", "FAILED", "RESTARTING", "UNASSIGNED"), []string{"RUNNING", "open [t-0]", "PAUSED", "RUNNING", "close [t-0]", "UNASSIGNED"})
			})
		})
	}
}

// TestRebalanceOfThrottledSink: a task that waits holds no rebalance back.
func TestRebalanceOfThrottledSink(t *testing.T) {
	inSinkWorld(t, 2, func(t *testing.T, w *sinkWorld, j *journal) {
		w.parts.Throttle = limit(0, 0.001) // after the first records it waits for ages
		w.client = []kgo.Opt{kgo.HeartbeatInterval(time.Second)}
		w.produce("t", 2, 0, 100)
		first := w.task(&sink{journal: j})
		time.Sleep(30 * time.Second)
		if j.count("put") == 0 {
			t.Fatal("nothing was put")
		}
		other := new(journal)
		w.opts.TaskOptions = options(t, other)
		w.parts.Throttle = nil
		second := w.task(&sink{journal: other})
		time.Sleep(10 * time.Second)
		if other.count("put") == 0 {
			t.Error("the second task got no partition")
		}
		end(t, second)
		end(t, first)
	})
}

// TestThrottleModel: whatever is moved when, never more than the rate, what was not used for a second and one batch.
func TestThrottleModel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newThrottle(limit(100, 0), t.Context(), nil)
		began, total := time.Now(), 0
		for i := range 200 {
			for !l.wait(t.Context(), nil) {
			}
			n := 1 + i*37%90
			l.moved(n, 0)
			total += n
			if most := 100*time.Since(began).Seconds() + 100 + float64(n); float64(total) > most {
				t.Fatalf("%d moved after %v", total, time.Since(began))
			}
			if i%50 == 0 {
				time.Sleep(10 * time.Second)
			}
		}
	})
	var none *throttle
	if n := testing.AllocsPerRun(10, func() {
		none.debt()
		none.moved(1, 1)
		none.chunk(1, 1)
		none.poll(1)
		none.count(nil)
	}); n != 0 {
		t.Errorf("%v allocations without a limit", n)
	}
}
