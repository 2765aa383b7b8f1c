package worker

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/kafkatest"
	"github.com/gokconnect/connect/internal/pipeline"
	"github.com/gokconnect/connect/internal/tolerance"
	"github.com/gokconnect/connect/internal/tracing"
	"github.com/gokconnect/connect/internal/tracing/tracingtest"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// inSourceWorld runs a test of source tasks in virtual time, with a topic t of one partition.
func inSourceWorld(t *testing.T, f func(t *testing.T, w *sourceWorld, j *journal), opts ...kafkatest.Option) {
	synctest.Test(t, func(t *testing.T) {
		k := kafkatest.New(t, opts...)
		k.MustCreateTopic("t", 1)
		j := new(journal)
		f(t, newSourceWorld(t, j, k), j)
	})
}

func TestSourceLife(t *testing.T) {
	inSourceWorld(t, func(t *testing.T, w *sourceWorld, j *journal) {
		task := w.task(&source{journal: j, poll: once(lines(0, 3))})
		time.Sleep(90 * time.Second)
		end(t, task)
		want(t, "calls", j.all(), []string{"start", "RUNNING", "poll 1", "poll 2", "acked 0", "acked 1", "acked 2", "commit", "commit", "stop", "UNASSIGNED"})
		want(t, "records", values(w.k, "t"), numbers(0, 3))
		if got := w.stored(t); got["p"] != 3 {
			t.Errorf("stored %v", got)
		}
	})
}

// TestSourceOffsetsWhilePollBlocks: what was acknowledged is stored on the interval.
func TestSourceOffsetsWhilePollBlocks(t *testing.T) {
	inSourceWorld(t, func(t *testing.T, w *sourceWorld, j *journal) {
		task := w.task(&source{journal: j, poll: once(lines(0, 3))})
		time.Sleep(61 * time.Second)
		if got := w.stored(t); got["p"] != 3 {
			t.Errorf("stored %v while Poll blocks", got)
		}
		end(t, task)
	})
}

func TestSourceFailures(t *testing.T) {
	fails := func(how string) error {
		switch how {
		case "panic":
			panic("boom")
		case "error":
			return errTest
		}
		return nil
	}
	// Whatever fails after the first batch: its offsets are stored, Stop is called once, last.
	for _, c := range []struct {
		where  string
		failed bool
	}{{"start", true}, {"poll", true}, {"commit", false}, {"commitRecord", false}, {"stop", false}, {"offset", false}} {
		for _, how := range []string{"panic", "error"} {
			t.Run(c.where+" "+how, func(t *testing.T) {
				inSourceWorld(t, func(t *testing.T, w *sourceWorld, j *journal) {
					s := &source{journal: j}
					batch := lines(0, 3)
					s.poll = func(ctx context.Context, n int) ([]connect.SourceRecord, error) {
						switch {
						case n == 1:
							return batch, nil
						case c.where == "poll":
							time.Sleep(time.Second)
							return nil, fails(how)
						}
						<-ctx.Done()
						return nil, nil
					}
					switch c.where {
					case "start":
						s.start = func(context.Context) error { return fails(how) }
					case "commit":
						s.commit = func() error { return fails(how) }
					case "commitRecord":
						s.commitRecord = func(*connect.SourceRecord, *connect.RecordMetadata) error { return fails(how) }
					case "stop":
						s.stop = func() error { return fails(how) }
					case "offset":
						batch = append(batch, connect.SourceRecord{Record: connect.Record{Topic: "t", Value: "x"}, SourcePartition: connect.Fields{"p": "bad"}, SourceOffset: badOffset(how)})
					}
					task := w.task(s)
					time.Sleep(2 * time.Minute)
					end(t, task)
					all := j.all()
					if got := j.count("FAILED"); (got == 1) != c.failed {
						t.Errorf("FAILED %d times: %q", got, all)
					}
					if j.count("stop") != 1 || all[len(all)-1] == "poll" {
						t.Errorf("stop was called %d times: %q", j.count("stop"), all)
					}
					if got := w.stored(t); c.where != "start" && got["p"] != 3 {
						t.Errorf("stored %v", got)
					}
					if c.where == "start" && j.count("poll") > 0 {
						t.Error("polled without a start")
					}
				})
			})
		}
	}
}

// badOffset can't be stored.
type badOffset string

func (o badOffset) Fields() connect.Fields {
	if o == "panic" {
		panic("no fields")
	}
	return connect.Fields{"n": []any{1}}
}

func TestSourceAllOrNothing(t *testing.T) {
	inSourceWorld(t, func(t *testing.T, w *sourceWorld, j *journal) {
		w.opts.AllOrNothing = true
		batch := append(lines(0, 3), connect.SourceRecord{Record: connect.Record{Topic: "t"}, SourcePartition: connect.Fields{"p": "bad"}, SourceOffset: badOffset("")})
		task := w.task(&source{journal: j, poll: once(batch)})
		time.Sleep(2 * time.Minute)
		end(t, task)
		if got := w.stored(t); len(got) != 0 || j.count("commit") > 0 {
			t.Errorf("stored %v, calls %q", got, j.all())
		}
	})
}

func TestSourcePollIsRepeatedAfterRetriable(t *testing.T) {
	inSourceWorld(t, func(t *testing.T, w *sourceWorld, j *journal) {
		began := time.Now()
		task := w.task(&source{journal: j, poll: func(ctx context.Context, n int) ([]connect.SourceRecord, error) {
			switch n {
			case 1, 2:
				return nil, connect.Retriable(errTest)
			case 3:
				return nil, connect.RetryAfter(errTest, 7*time.Second)
			case 4:
				j.add("after %v", time.Since(began))
				return lines(0, 1), nil
			}
			<-ctx.Done()
			return nil, ctx.Err()
		}})
		time.Sleep(time.Minute)
		end(t, task)
		want(t, "back-off", j.with("after", "FAILED"), []string{"after 7.9s"})
		want(t, "records", values(w.k, "t"), numbers(0, 1))
	})
}

func TestSourcePauseAndResume(t *testing.T) {
	inSourceWorld(t, func(t *testing.T, w *sourceWorld, j *journal) {
		w.opts.Paused = true
		var polls atomic.Int64
		task := w.task(&source{journal: new(journal), poll: func(ctx context.Context, n int) ([]connect.SourceRecord, error) {
			polls.Add(1)
			sleep(ctx, time.Second)
			return lines(n-1, n), nil
		}})
		time.Sleep(time.Minute)
		if polls.Load() != 0 {
			t.Error("polled while paused")
		}
		task.Pause(false)
		time.Sleep(10500 * time.Millisecond)
		task.Pause(true)
		time.Sleep(time.Minute)
		n := polls.Load()
		if n < 10 || n > 12 {
			t.Errorf("%d polls in 10 s", n)
		}
		task.Pause(false)
		time.Sleep(time.Second)
		end(t, task)
		want(t, "states", j.all(), []string{"PAUSED", "RUNNING", "PAUSED", "RUNNING", "UNASSIGNED"})
		want(t, "records", values(w.k, "t"), numbers(0, int(polls.Load())))
	})
}

// TestSourceRetriesEndWithTheTask: a stage that is retried without end does not hold up a stop.
func TestSourceRetriesEndWithTheTask(t *testing.T) {
	inSourceWorld(t, func(t *testing.T, w *sourceWorld, j *journal) {
		w.op = func() *tolerance.Operator { return tolerance.New(tolerance.Policy{RetryTimeout: -1, Tolerate: true}) }
		w.steps = []pipeline.Step{{Class: "T", Transformation: connect.TransformFunc(func(_ context.Context, r *connect.Record) (*connect.Record, error) {
			if r.Value == "2" {
				return nil, connect.Retriable(errTest)
			}
			return r, nil
		})}}
		task := w.task(&source{journal: j, poll: once(lines(0, 5))})
		time.Sleep(10 * time.Minute)
		began := time.Now()
		end(t, task)
		if task.Abandoned() || time.Since(began) > time.Second {
			t.Errorf("the stop took %v, abandoned: %v", time.Since(began), task.Abandoned())
		}
		want(t, "records", values(w.k, "t"), numbers(0, 2))
		want(t, "outcome", j.with("dropped", "FAILED", "UNASSIGNED"), []string{"UNASSIGNED"})
		if got := w.stored(t); got["p"] != 2 {
			t.Errorf("stored %v", got)
		}
	})
}

// TestSourceProduceErrors: retriable errors of the broker and moves of leaders lose nothing and keep the order.
func TestSourceProduceErrors(t *testing.T) {
	inSourceWorld(t, func(t *testing.T, w *sourceWorld, j *journal) {
		w.k.MustCreateTopic("u", 3)
		w.k.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.NotLeaderForPartition, Count: 3})
		w.k.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.NotEnoughReplicasAfterAppend, Count: 3})
		const n = 3000
		task := w.task(&source{journal: j, poll: func(ctx context.Context, i int) ([]connect.SourceRecord, error) {
			if (i-1)*10 >= n {
				<-ctx.Done()
				return nil, nil
			}
			sleep(ctx, 10*time.Millisecond)
			batch := linesOf("u", "p", (i-1)*10, i*10)
			for k := range batch {
				batch[k].Partition = connect.ToPartition(int32(k % 3))
			}
			return batch, nil
		}})
		for range 20 {
			time.Sleep(500 * time.Millisecond)
			w.k.ShufflePartitionLeaders()
		}
		time.Sleep(2 * time.Minute)
		end(t, task)
		last := map[int32]int{0: -1, 1: -1, 2: -1}
		total := 0
		for _, r := range w.k.Records("u") {
			var v int
			fmt.Sscan(string(r.Value), &v)
			if v <= last[r.Partition] {
				t.Fatalf("partition %d: %d after %d", r.Partition, v, last[r.Partition])
			}
			last[r.Partition] = v
			total++
		}
		if total != n || w.stored(t)["p"] != n {
			t.Errorf("%d records, stored %v, want %d; %q", total, w.stored(t), n, j.with("FAILED"))
		}
	}, kafkatest.Brokers(3))
}

// TestSourceStopsAtProduceError: an error that is not about the record fails the task, and nothing from the record on is stored.
func TestSourceStopsAtProduceError(t *testing.T) {
	for _, tolerate := range []bool{false, true} {
		t.Run(fmt.Sprint("tolerate ", tolerate), func(t *testing.T) {
			inSourceWorld(t, func(t *testing.T, w *sourceWorld, j *journal) {
				w.op = func() *tolerance.Operator { return tolerance.New(tolerance.Policy{Tolerate: tolerate}) }
				w.client = producer(t, w.k, kgo.ProducerBatchMaxBytes(2000))
				batch := append(lines(0, 3), linesOf("t", "big", 3, 4)...)
				batch[3].Value = strings.Repeat("x", 5000)
				batch = append(batch, lines(4, 6)...)
				task := w.task(&source{journal: j, poll: once(batch)})
				time.Sleep(time.Minute)
				end(t, task)
				stored := w.stored(t)
				if _, ok := stored["big"]; ok != tolerate {
					t.Errorf("stored %v", stored)
				}
				if (j.count("FAILED") == 0) != tolerate || (j.count("dropped") == 1) != tolerate {
					t.Errorf("calls %q", j.all())
				}
			})
		})
	}
}

// TestSourceRefusesTooLarge: a record that the producer does not take is done with when it was refused.
func TestSourceRefusesTooLarge(t *testing.T) {
	inSourceWorld(t, func(t *testing.T, w *sourceWorld, j *journal) {
		w.op = func() *tolerance.Operator { return tolerance.New(tolerance.Policy{Tolerate: true}) }
		w.maxRequest = 2000
		spans := new(tracingtest.Provider)
		w.opts.Tracing = tracing.New(spans, "1", false, strings.ToUpper).Task(w.opts.ID)
		batch := lines(0, 3)
		batch[1].Value = strings.Repeat("x", 5000)
		task := w.task(&source{journal: j, poll: once(batch)})
		time.Sleep(2 * time.Minute)
		want(t, "records", values(w.k, "t"), []string{"0", "2"})
		if got := w.stored(t); got["p"] != 3 {
			t.Errorf("stored %v", got)
		}
		if n := len(spans.Ended()); n != 3 { // poll, process, and the batch
			t.Errorf("%d spans ended: %+v", n, spans.Ended())
		}
		end(t, task)
		if n := j.count("dropped"); n != 1 {
			t.Errorf("calls %q", j.all())
		}
	})
}

// TestSourceBackPressure: with a broker that does not answer, what is in flight is bounded.
func TestSourceBackPressure(t *testing.T) {
	for _, c := range []struct {
		name    string
		bytes   int64
		records int
	}{{"records", 1 << 30, 2000}, {"bytes", 100_000, 1 << 30}} {
		t.Run(c.name, func(t *testing.T) {
			inSourceWorld(t, func(t *testing.T, w *sourceWorld, j *journal) {
				w.opts.MaxBytes, w.opts.MaxRecords = c.bytes, c.records
				counted := &countingProducer{Producer: w.client}
				w.client = counted
				release := make(chan struct{})
				w.k.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
					w.k.KeepControl()
					w.k.SleepControl(func() { <-release })
					return nil, nil, false
				})
				task := w.task(&source{journal: new(journal), poll: endless(100, 500)})
				time.Sleep(time.Second)
				records, bytes := counted.records.Load(), counted.bytes.Load()
				if records == 0 || records > int64(c.records) || bytes > c.bytes {
					t.Errorf("%d records of %d bytes are in flight, bounds %d and %d", records, bytes, c.records, c.bytes)
				}
				close(release)
				time.Sleep(time.Second)
				if counted.records.Load() <= records {
					t.Error("nothing more is sent after the broker answers")
				}
				end(t, task)
			})
		})
	}
}

// endless is a poll that returns batches of that size, and waits after so many of them.
func endless(size, polls int) func(context.Context, int) ([]connect.SourceRecord, error) {
	return func(ctx context.Context, n int) ([]connect.SourceRecord, error) {
		if n > polls {
			<-ctx.Done()
			return nil, nil
		}
		return lines((n-1)*size, n*size), nil
	}
}

type countingProducer struct {
	Producer
	records, bytes atomic.Int64
}

func (p *countingProducer) Produce(ctx context.Context, r *kgo.Record, promise func(*kgo.Record, error)) {
	p.records.Add(1)
	p.bytes.Add(int64(len(r.Key) + len(r.Value)))
	p.Producer.Produce(ctx, r, promise)
}

// TestSlowCommitRecordIsBounded: records that the task was not told of do not pile up.
func TestSlowCommitRecordIsBounded(t *testing.T) {
	inSourceWorld(t, func(t *testing.T, w *sourceWorld, j *journal) {
		w.opts.MaxRecords = 1000
		var polled atomic.Int64
		block := make(chan struct{})
		task := w.task(&source{journal: new(journal),
			poll: func(ctx context.Context, n int) ([]connect.SourceRecord, error) {
				polled.Add(100)
				return endless(100, 500)(ctx, n)
			},
			commitRecord: func(*connect.SourceRecord, *connect.RecordMetadata) error { <-block; return nil },
		})
		time.Sleep(time.Minute)
		if n := polled.Load(); n > 2500 {
			t.Errorf("%d records were polled while CommitRecord hangs", n)
		}
		close(block)
		time.Sleep(time.Second)
		if n := polled.Load(); n < 5000 {
			t.Errorf("%d records after it goes on", n)
		}
		end(t, task)
	})
}

// TestStuckTopicStopsItsTasksOnly: tasks that share a producer do not wait for one another's topics.
func TestStuckTopicStopsItsTasksOnly(t *testing.T) {
	inSourceWorld(t, func(t *testing.T, w *sourceWorld, j *journal) {
		w.k.MustCreateTopic("stuck", 1)
		w.k.MoveTopicPartition("stuck", 0, 1)
		w.k.MoveTopicPartition("t", 0, 0)
		w.client = producer(t, w.k, kgo.MaxBufferedRecords(1<<30), kgo.MaxBufferedBytes(0))
		w.opts.MaxRecords = 500
		release := make(chan struct{})
		w.k.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
			w.k.KeepControl()
			if w.k.CurrentNode() == 1 {
				w.k.SleepControl(func() { <-release })
			}
			return nil, nil, false
		})
		var tasks []*Task
		for range 4 {
			tasks = append(tasks, w.task(&source{journal: new(journal), poll: func(_ context.Context, n int) ([]connect.SourceRecord, error) {
				return linesOf("stuck", "s", (n-1)*100, n*100), nil
			}}))
		}
		time.Sleep(time.Second)
		tasks = append(tasks, w.task(&source{journal: j, poll: func(ctx context.Context, n int) ([]connect.SourceRecord, error) {
			return endless(100, 100)(ctx, n)
		}}))
		time.Sleep(time.Second)
		if n := len(w.k.Records("t")); n != 10_000 {
			t.Errorf("%d records of the healthy task arrived", n)
		}
		for _, task := range tasks {
			task.Stop()
		}
		close(release)
		for _, task := range tasks {
			<-task.Ended()
		}
	}, kafkatest.Brokers(2))
}

// TestTopicRecreatedUnderSources (trap 8): the producer that many tasks share fails everything for a topic that was made
// anew until it forgets it. Nothing is lost after that, and the order stays.
func TestTopicRecreatedUnderSources(t *testing.T) {
	for _, idempotent := range []bool{true, false} {
		t.Run(fmt.Sprint("idempotent ", idempotent), func(t *testing.T) {
			inSourceWorld(t, func(t *testing.T, w *sourceWorld, j *journal) {
				opts := []kgo.Opt{kgo.MetadataMaxAge(time.Second)}
				if !idempotent {
					opts = append(opts, kgo.DisableIdempotentWrite())
				}
				w.client = producer(t, w.k, opts...)
				var tasks []*Task
				var last [3]atomic.Int64
				for i := range 3 {
					w.opts.ID.Task = i
					w.opts.MaxRecords = 50
					tasks = append(tasks, w.task(&source{journal: j, poll: func(ctx context.Context, n int) ([]connect.SourceRecord, error) {
						sleep(ctx, 50*time.Millisecond)
						if ctx.Err() != nil {
							return nil, nil
						}
						last[i].Store(int64(n))
						batch := linesOf("t", fmt.Sprint("p", i), n-1, n)
						batch[0].Key = fmt.Sprint(i)
						return batch, nil
					}}))
				}
				time.Sleep(5 * time.Second)
				if err := w.k.DeleteTopic("t"); err != nil {
					t.Fatal(err)
				}
				w.k.MustCreateTopic("t", 1)
				before := last[0].Load()
				time.Sleep(30 * time.Second)
				for _, task := range tasks {
					end(t, task)
				}
				if got := j.with("FAILED", "RESTARTING"); len(got) > 0 {
					t.Fatalf("tasks failed: %q", got)
				}
				next := map[string]int{}
				for _, r := range w.k.Records("t") {
					var v int
					fmt.Sscan(string(r.Value), &v)
					if n, ok := next[string(r.Key)]; ok && v > n {
						t.Fatalf("task %s: record %d after %d", r.Key, v, n-1)
					}
					next[string(r.Key)] = v + 1
				}
				for i := range last {
					if n := next[fmt.Sprint(i)]; int64(n) != last[i].Load() || int64(n) < before+100 {
						t.Errorf("task %d: the last record is %d of %d", i, n, last[i].Load())
					}
				}
				for p, n := range w.stored(t) {
					if n < before+100 {
						t.Errorf("stored %d for %s", n, p)
					}
				}
			})
		})
	}
}

// TestTopicForgottenByAnother: when another task makes the producer forget a topic, a task hears of its records a moment
// later. What it sends in that moment does not overtake them.
func TestTopicForgottenByAnother(t *testing.T) {
	inSourceWorld(t, func(t *testing.T, w *sourceWorld, j *journal) {
		late := &forgetfulProducer{Producer: w.client}
		w.client = late
		task := w.task(&source{journal: j, poll: func(ctx context.Context, n int) ([]connect.SourceRecord, error) {
			if n > 3 {
				<-ctx.Done()
				return nil, nil
			}
			sleep(ctx, time.Second)
			return lines(n-1, n), nil
		}})
		time.Sleep(1500 * time.Millisecond) // record 0 is on its way
		w.sharing.Forget(late.PurgeTopicsFromProducing, "t")
		time.Sleep(time.Minute)
		end(t, task)
		want(t, "records", values(w.k, "t"), numbers(0, 3))
	})
}

// forgetfulProducer keeps the first record until topics are forgotten, and says a second and a half later that it did not
// send it.
type forgetfulProducer struct {
	Producer
	first *kgo.Record
	tell  func(*kgo.Record, error)
}

func (p *forgetfulProducer) Produce(ctx context.Context, r *kgo.Record, promise func(*kgo.Record, error)) {
	if p.tell == nil {
		p.first, p.tell = r, promise
		return
	}
	p.Producer.Produce(ctx, r, promise)
}

func (p *forgetfulProducer) PurgeTopicsFromProducing(...string) {
	time.AfterFunc(1500*time.Millisecond, func() { p.tell(p.first, errors.New("topic purged while buffered")) })
}

// TestAbandonedSource: what a task does after it was given up has no effect.
func TestAbandonedSource(t *testing.T) {
	inSourceWorld(t, func(t *testing.T, w *sourceWorld, j *journal) {
		hang := make(chan struct{})
		task := w.task(&source{journal: j, poll: func(_ context.Context, n int) ([]connect.SourceRecord, error) {
			if n == 1 {
				return lines(0, 2), nil
			}
			<-hang
			return lines(2, 1000), nil
		}})
		time.Sleep(time.Second)
		if name, since := task.Doing(); name != "Poll" || time.Since(since) > time.Second {
			t.Errorf("doing %q since %v", name, since)
		}
		task.Stop()
		<-task.Done()
		if !task.Abandoned() {
			t.Error("not abandoned")
		}
		close(hang)
		<-task.Ended()
		time.Sleep(time.Minute)
		want(t, "records", values(w.k, "t"), numbers(0, 2))
		if got := w.stored(t); len(got) != 0 {
			t.Errorf("an abandoned task stored %v", got)
		}
		if j.count("UNASSIGNED") != 0 || j.count("stop") != 1 {
			t.Errorf("calls %q", j.all())
		}
	})
}

func TestRestartPolicy(t *testing.T) {
	policy := RestartPolicy{Max: 3, First: time.Second, Limit: 3 * time.Second, Healthy: time.Minute}
	for _, c := range []struct {
		name  string
		fail  func(run int) (after time.Duration, err error)
		runs  int
		final string
	}{
		{"budget", func(int) (time.Duration, error) { return 0, errTest }, 4, "FAILED"},
		{"panic", func(int) (time.Duration, error) { panic("boom") }, 4, "FAILED"},
		{"healthy in between", func(run int) (time.Duration, error) {
			if run == 3 {
				return 2 * time.Minute, errTest
			}
			return 0, errTest
		}, 6, "FAILED"},
		{"data", func(int) (time.Duration, error) { return 0, &connect.DataError{Message: "x"} }, 1, "FAILED"},
		{"config", func(int) (time.Duration, error) { return 0, &connect.ConfigError{Key: "k"} }, 1, "FAILED"},
		{"fatal", func(int) (time.Duration, error) { return 0, connect.Fatal(errTest) }, 1, "FAILED"},
		{"once", func(run int) (time.Duration, error) {
			if run == 1 {
				return 0, errTest
			}
			return 24 * time.Hour, nil
		}, 2, "UNASSIGNED"},
	} {
		t.Run(c.name, func(t *testing.T) {
			inSourceWorld(t, func(t *testing.T, w *sourceWorld, j *journal) {
				w.opts.Restart = policy
				runs := 0
				task := w.run(func() connect.SourceTask {
					runs++
					return &source{journal: j, poll: func(ctx context.Context, _ int) ([]connect.SourceRecord, error) {
						after, err := c.fail(runs)
						sleep(ctx, after)
						return nil, err
					}}
				})
				time.Sleep(time.Hour)
				end(t, task)
				all := j.all()
				if runs != c.runs || !strings.HasPrefix(all[len(all)-1], c.final) && j.count(c.final) != 1 {
					t.Errorf("%d runs, want %d: %q", runs, c.runs, all)
				}
				if got := j.count("RESTARTING"); got != c.runs-1 {
					t.Errorf("RESTARTING %d times", got)
				}
			})
		})
	}
}

func TestRestartDelay(t *testing.T) {
	p := RestartPolicy{First: 20 * time.Second, Limit: 1<<63 - 1}
	for n, want := range map[int]time.Duration{1: 20 * time.Second, 2: 40 * time.Second, 10: 20 << 9 * time.Second} {
		if got := p.delay(n); got < want || got > want+want/10 {
			t.Errorf("delay %d: %v, want %v and a tenth at most", n, got, want)
		}
	}
	p.Limit = time.Minute
	for n := range 200 {
		if got := p.delay(n); got < 0 || got > 66*time.Second {
			t.Errorf("delay %d: %v", n, got)
		}
	}
	if got := (RestartPolicy{}).delay(5); got != 0 {
		t.Errorf("delay of no policy: %v", got)
	}
}

// TestGoroutinesOfIdleSources: two for each task, apart from the clients that they share.
func TestGoroutinesOfIdleSources(t *testing.T) {
	inSourceWorld(t, func(t *testing.T, w *sourceWorld, j *journal) {
		warm := w.task(&source{journal: new(journal), poll: once(lines(0, 3))})
		time.Sleep(time.Minute)
		before := runtime.NumGoroutine()
		var tasks []*Task
		for range 200 {
			tasks = append(tasks, w.task(&source{journal: new(journal), poll: once(lines(0, 3))}))
		}
		time.Sleep(time.Minute)
		if n := runtime.NumGoroutine() - before; n > 2*len(tasks) {
			t.Errorf("%d goroutines for %d idle tasks", n, len(tasks))
		}
		var wg sync.WaitGroup
		for _, task := range append(tasks, warm) {
			wg.Go(func() { end(t, task) })
		}
		wg.Wait()
	})
}

func TestSentNamesEachTopic(t *testing.T) {
	inSourceWorld(t, func(t *testing.T, w *sourceWorld, j *journal) {
		w.k.MustCreateTopic("u", 1)
		sent := map[string]int{}
		w.opts.Sent = func(topic string, n int) { sent[topic] += n }
		task := w.task(&source{journal: j, poll: once(append(append(lines(0, 3), linesOf("u", "p", 3, 7)...), lines(7, 9)...))})
		time.Sleep(time.Second)
		end(t, task)
		if sent["t"] != 5 || sent["u"] != 4 {
			t.Errorf("sent %v", sent)
		}
	})
}

// TestStopLeavesOtherTasksAlone (trap 7): the end of one task does not fail what others have in the producer that they
// share, for the same topic and partition.
func TestStopLeavesOtherTasksAlone(t *testing.T) {
	inSourceWorld(t, func(t *testing.T, w *sourceWorld, j *journal) {
		release := make(chan struct{})
		w.k.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
			w.k.KeepControl()
			w.k.SleepControl(func() { <-release })
			return nil, nil, false
		})
		leaver := w.task(&source{journal: new(journal), poll: once(lines(0, 10))})
		stayer := w.task(&source{journal: j, poll: once(linesOf("t", "q", 10, 20))})
		time.Sleep(time.Second)
		leaver.Stop()
		<-leaver.Done()
		close(release)
		time.Sleep(2 * time.Minute)
		end(t, stayer)
		if j.count("FAILED") > 0 || j.count("acked") != 10 || w.stored(t)["q"] != 20 {
			t.Errorf("%q, stored %v", j.all(), w.stored(t))
		}
	})
}
