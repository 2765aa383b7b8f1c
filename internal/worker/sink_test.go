package worker

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/javaregexp"
	"github.com/gokconnect/connect/internal/kafkatest"
	"github.com/gokconnect/connect/internal/pipeline"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// inSinkWorld runs a test of sink tasks in virtual time, with a topic t of that many partitions.
func inSinkWorld(t *testing.T, partitions int32, f func(t *testing.T, w *sinkWorld, j *journal), opts ...kafkatest.Option) {
	synctest.Test(t, func(t *testing.T) {
		k := kafkatest.New(t, opts...)
		k.MustCreateTopic("t", partitions)
		j := new(journal)
		f(t, newSinkWorld(t, j, k), j)
	})
}

func TestSinkLife(t *testing.T) {
	inSinkWorld(t, 1, func(t *testing.T, w *sinkWorld, j *journal) {
		w.produce("t", 1, 0, 3)
		task := w.task(&sink{journal: j})
		time.Sleep(90 * time.Second)
		if got := w.committed(t, "t", 0); got != 3 {
			t.Errorf("committed %d after the interval", got)
		}
		w.produce("t", 1, 3, 5)
		time.Sleep(10 * time.Second)
		end(t, task)
		want(t, "calls", j.all(), []string{"start", "RUNNING", "open [t-0]", "put 0 1 2", "preCommit map[t-0:3]", "put 3 4", "preCommit map[t-0:5]", "close [t-0]", "stop", "UNASSIGNED"})
		if got := w.committed(t, "t", 0); got != 5 {
			t.Errorf("committed %d at the end", got)
		}
	})
}

func TestSinkFailures(t *testing.T) {
	fails := func(how string) error {
		if how == "panic" {
			panic("boom")
		}
		return errTest
	}
	for _, c := range []struct {
		where     string
		failed    bool
		committed int64
	}{{"start", true, -1}, {"open", true, -1}, {"put", true, 3}, {"preCommit", false, -1}, {"close", false, -1}, {"stop", false, 6}, {"transform", true, 3}} {
		for _, how := range []string{"panic", "error"} {
			t.Run(c.where+" "+how, func(t *testing.T) {
				inSinkWorld(t, 1, func(t *testing.T, w *sinkWorld, j *journal) {
					w.opts.CommitInterval = time.Hour
					w.produce("t", 1, 0, 3)
					s := &sink{journal: j}
					switch c.where {
					case "start":
						s.start = func(connect.SinkTaskContext) error { return fails(how) }
					case "open":
						s.open = func([]connect.TopicPartition) error { return fails(how) }
					case "put":
						s.put = func(_ context.Context, recs []connect.SinkRecord) error {
							if slices.ContainsFunc(recs, func(r connect.SinkRecord) bool { return r.Offset >= 3 }) {
								return fails(how)
							}
							return nil
						}
					case "preCommit":
						s.preCommit = func(connect.SinkOffsets) (connect.SinkOffsets, error) { return nil, fails(how) }
					case "close":
						s.close = func([]connect.TopicPartition) error { return fails(how) }
					case "stop":
						s.stop = func() error { return fails(how) }
					case "transform":
						w.steps = []pipeline.Step{{Class: "T", Transformation: connect.TransformFunc(func(_ context.Context, r *connect.Record) (*connect.Record, error) {
							if r.Sink().Offset >= 4 {
								return nil, fails(how)
							}
							return r, nil
						})}}
					}
					task := w.task(s)
					time.Sleep(time.Minute)
					w.produce("t", 1, 3, 6)
					time.Sleep(time.Minute)
					end(t, task)
					all := j.all()
					if got := j.count("FAILED"); (got == 1) != c.failed || got > 1 {
						t.Errorf("FAILED %d times: %q", got, all)
					}
					if got := w.committed(t, "t", 0); got != c.committed {
						t.Errorf("committed %d, want %d: %q", got, c.committed, all)
					}
					var ends []string
					for _, l := range j.with("close", "stop") {
						ends = append(ends, strings.Fields(l)[0])
					}
					wantEnds := []string{"close", "stop"}
					if c.where == "start" {
						wantEnds = wantEnds[1:]
					}
					want(t, "end", ends, wantEnds)
				})
			})
		}
	}
}

// TestPreCommitFailureRewinds: after a failed flush the records behind the last commit come again.
func TestPreCommitFailureRewinds(t *testing.T) {
	inSinkWorld(t, 1, func(t *testing.T, w *sinkWorld, j *journal) {
		w.produce("t", 1, 0, 2)
		n := 0
		s := &sink{journal: j}
		s.preCommit = func(o connect.SinkOffsets) (connect.SinkOffsets, error) {
			if n++; n == 1 || n == 3 {
				return nil, errTest
			}
			return o, nil
		}
		task := w.task(s)
		time.Sleep(150 * time.Second)
		w.produce("t", 1, 2, 4)
		time.Sleep(150 * time.Second)
		end(t, task)
		want(t, "puts", j.with("put"), []string{"put 0 1", "put 0 1", "put 2 3", "put 2 3"})
		if got := w.committed(t, "t", 0); got != 4 {
			t.Errorf("committed %d", got)
		}
	})
}

func TestPreCommitDecides(t *testing.T) {
	inSinkWorld(t, 2, func(t *testing.T, w *sinkWorld, j *journal) {
		w.produce("t", 2, 0, 6)
		s := &sink{journal: j}
		s.preCommit = func(o connect.SinkOffsets) (connect.SinkOffsets, error) {
			return connect.SinkOffsets{{Topic: "t"}: 2, {Topic: "t", Partition: 1}: 99, {Topic: "other"}: 1}, nil
		}
		task := w.task(s)
		time.Sleep(2 * time.Minute)
		end(t, task)
		if a, b := w.committed(t, "t", 0), w.committed(t, "t", 1); a != 2 || b != -1 {
			t.Errorf("committed %d and %d", a, b)
		}
	})
}

func TestRetriablePutIsRepeated(t *testing.T) {
	inSinkWorld(t, 1, func(t *testing.T, w *sinkWorld, j *journal) {
		w.produce("t", 1, 0, 3)
		n := 0
		var at []time.Duration
		began := time.Now()
		s := &sink{journal: j}
		s.put = func(_ context.Context, recs []connect.SinkRecord) error {
			if len(recs) == 0 {
				return nil
			}
			if n++; n > 5 {
				return nil
			}
			at = append(at, time.Since(began))
			if n == 3 {
				s.tc.Timeout(5 * time.Second)
			}
			if n == 4 {
				return connect.RetryAfter(errTest, 3*time.Second)
			}
			return connect.Retriable(errTest)
		}
		task := w.task(s)
		time.Sleep(10 * time.Second)
		w.produce("t", 1, 3, 5)
		time.Sleep(time.Minute)
		end(t, task)
		want(t, "puts", j.with("put", "failed"), []string{"failed 0 1 2", "failed 0 1 2", "failed 0 1 2", "failed 0 1 2", "failed 0 1 2", "put 0 1 2", "put 3 4"})
		var gaps []time.Duration
		for i := 1; i < len(at); i++ {
			gaps = append(gaps, at[i]-at[i-1])
		}
		if w := []time.Duration{300 * time.Millisecond, 600 * time.Millisecond, 5 * time.Second, 3 * time.Second}; !slices.Equal(gaps, w) {
			t.Errorf("waits %v, want %v", gaps, w)
		}
		if got := w.committed(t, "t", 0); got != 5 {
			t.Errorf("committed %d", got)
		}
	})
}

// TestStopWhileRetrying: the batch that could not be put is not committed.
func TestStopWhileRetrying(t *testing.T) {
	inSinkWorld(t, 1, func(t *testing.T, w *sinkWorld, j *journal) {
		w.produce("t", 1, 0, 3)
		s := &sink{journal: j}
		s.put = func(_ context.Context, recs []connect.SinkRecord) error {
			if slices.ContainsFunc(recs, func(r connect.SinkRecord) bool { return r.Offset >= 3 }) {
				return connect.Retriable(errTest)
			}
			return nil
		}
		task := w.task(s)
		time.Sleep(10 * time.Second)
		w.produce("t", 1, 3, 5)
		time.Sleep(time.Hour)
		end(t, task)
		if got := w.committed(t, "t", 0); got != 3 || task.Abandoned() {
			t.Errorf("committed %d, abandoned %v", got, task.Abandoned())
		}
	})
}

func TestNoReporterNoErrantRecords(t *testing.T) {
	inSinkWorld(t, 1, func(t *testing.T, w *sinkWorld, j *journal) {
		s := &sink{journal: j}
		s.start = func(tc connect.SinkTaskContext) error {
			if tc.ErrantRecordReporter() != nil {
				t.Error("there is a reporter")
			}
			return nil
		}
		end(t, w.task(s))
	})
}

// TestSinkSeeks (trap 6): the client ignores seeks before the first records of a partition, without a word.
func TestSinkSeeks(t *testing.T) {
	tp := connect.TopicPartition{Topic: "t"}
	t.Run("at open", func(t *testing.T) {
		inSinkWorld(t, 1, func(t *testing.T, w *sinkWorld, j *journal) {
			w.produce("t", 1, 0, 5)
			s := &sink{journal: j}
			s.open = func([]connect.TopicPartition) error {
				s.tc.Partitions().Seek(map[connect.TopicPartition]int64{tp: 3})
				return nil
			}
			task := w.task(s)
			time.Sleep(10 * time.Second)
			end(t, task)
			want(t, "puts", j.with("put"), []string{"put 3 4"})
		})
	})
	t.Run("back and forward", func(t *testing.T) {
		inSinkWorld(t, 1, func(t *testing.T, w *sinkWorld, j *journal) {
			w.parts.MaxPollRecords = 2
			w.produce("t", 1, 0, 6)
			s := &sink{journal: j}
			n := 0
			s.put = func(_ context.Context, recs []connect.SinkRecord) error {
				if len(recs) == 0 {
					return nil
				}
				switch n++; n {
				case 1:
					s.tc.Partitions().Seek(map[connect.TopicPartition]int64{tp: 4})
				case 2:
					s.tc.Partitions().Seek(map[connect.TopicPartition]int64{tp: 1})
				}
				return nil
			}
			task := w.task(s)
			time.Sleep(10 * time.Second)
			end(t, task)
			want(t, "puts", j.with("put"), []string{"put 0 1", "put 4 5", "put 1 2", "put 3 4", "put 5"})
		})
	})
	t.Run("before the first record, nothing new comes", func(t *testing.T) {
		inSinkWorld(t, 1, func(t *testing.T, w *sinkWorld, j *journal) {
			w.produce("t", 1, 0, 3)
			first := w.task(&sink{journal: new(journal)})
			time.Sleep(10 * time.Second)
			end(t, first) // has committed 3
			s := &sink{journal: j}
			s.put = func(_ context.Context, recs []connect.SinkRecord) error {
				if len(recs) == 0 && j.count("put") == 0 {
					s.tc.Partitions().Seek(map[connect.TopicPartition]int64{tp: 1})
				}
				return nil
			}
			task := w.task(s)
			time.Sleep(3 * time.Minute)
			end(t, task)
			want(t, "puts", j.with("put"), []string{"put 1 2"})
		})
	})
	t.Run("before the first record ever", func(t *testing.T) {
		inSinkWorld(t, 1, func(t *testing.T, w *sinkWorld, j *journal) {
			s := &sink{journal: j}
			s.put = func(_ context.Context, recs []connect.SinkRecord) error {
				if len(recs) == 0 && j.count("put") == 0 {
					s.tc.Partitions().Seek(map[connect.TopicPartition]int64{tp: 2})
				}
				return nil
			}
			task := w.task(s)
			time.Sleep(90 * time.Second)
			w.produce("t", 1, 0, 4)
			time.Sleep(10 * time.Second)
			end(t, task)
			want(t, "puts", j.with("put"), []string{"put 2 3"})
		})
	})
}

// transactionalSink keeps its own offsets.
type transactionalSink struct {
	*sink
	offsets connect.SinkOffsets
}

func (s *transactionalSink) CommittedOffsets(_ context.Context, tps []connect.TopicPartition) (connect.SinkOffsets, error) {
	s.add("offsets of %v", tps)
	return s.offsets, nil
}

func TestTransactionalSink(t *testing.T) {
	inSinkWorld(t, 2, func(t *testing.T, w *sinkWorld, j *journal) {
		w.produce("t", 2, 0, 8)
		task := w.run(func() connect.SinkTask {
			return &transactionalSink{&sink{journal: j}, connect.SinkOffsets{{Topic: "t"}: 3, {Topic: "t", Partition: 1}: 2, {Topic: "t", Partition: 7}: 1}}
		})
		time.Sleep(90 * time.Second)
		end(t, task)
		puts := strings.Fields(strings.ReplaceAll(strings.Join(j.with("put"), " "), "put", ""))
		slices.Sort(puts)
		want(t, "puts", puts, []string{"5", "6", "7"})
		if a, b := w.committed(t, "t", 0), w.committed(t, "t", 1); a != 4 || b != 4 {
			t.Errorf("committed %d and %d", a, b)
		}
	})
}

func TestSinkPauseAndResume(t *testing.T) {
	inSinkWorld(t, 2, func(t *testing.T, w *sinkWorld, j *journal) {
		s := &sink{journal: j}
		s.open = func([]connect.TopicPartition) error {
			return s.tc.Partitions().Pause(connect.TopicPartition{Topic: "t", Partition: 1})
		}
		task := w.task(s)
		time.Sleep(10 * time.Second)
		w.produce("t", 2, 0, 4)
		time.Sleep(10 * time.Second)
		task.Pause(true)
		time.Sleep(10 * time.Second)
		if got := w.committed(t, "t", 0); got != 2 {
			t.Errorf("committed %d after the pause", got)
		}
		w.produce("t", 2, 4, 6)
		time.Sleep(3 * time.Minute)
		task.Pause(false)
		time.Sleep(10 * time.Second)
		want(t, "puts", j.with("put", "PAUSED", "RUNNING"), []string{"RUNNING", "put 0 2", "PAUSED", "RUNNING", "put 4"})
		end(t, task)
		if err := s.tc.Partitions().Pause(connect.TopicPartition{Topic: "x"}); !errors.Is(err, connect.ErrIllegalState) {
			t.Errorf("pause of a partition that is not assigned: %v", err)
		}
	})
}

func TestFailOnReset(t *testing.T) {
	for _, c := range []struct {
		name string
		far  bool
	}{{"no committed offset", false}, {"offset out of range", true}} {
		t.Run(c.name, func(t *testing.T) {
			inSinkWorld(t, 1, func(t *testing.T, w *sinkWorld, j *journal) {
				w.client = []kgo.Opt{kgo.ConsumeStartOffset(kgo.NewOffset().AtCommitted()), kgo.ConsumeResetOffset(kgo.NoResetOffset())}
				w.produce("t", 1, 0, 3)
				s := &sink{journal: j}
				if c.far {
					s.open = func([]connect.TopicPartition) error {
						s.tc.Partitions().Seek(map[connect.TopicPartition]int64{{Topic: "t"}: 77})
						return nil
					}
				}
				task := w.task(s)
				time.Sleep(10 * time.Second)
				end(t, task)
				if j.count("FAILED") != 1 || j.count("put") != 0 {
					t.Errorf("%q", j.all())
				}
			})
		})
	}
}

// TestTopicsRegex: patterns are Java's, for whole names, and new topics are found.
func TestTopicsRegex(t *testing.T) {
	inSinkWorld(t, 1, func(t *testing.T, w *sinkWorld, j *journal) {
		pattern, err := javaregexp.Compile(`(?!secret)[a-z&&[^x]]++-orders`)
		if err != nil {
			t.Fatal(err)
		}
		w.parts.Topics, w.parts.Pattern, w.parts.MetadataMaxAge = nil, pattern, 30*time.Second
		for _, topic := range []string{"eu-orders", "secret-orders", "eu-orders-old", "x-orders", "xeu-orders"} {
			w.k.MustCreateTopic(topic, 1)
			w.k.Produce(&kgo.Record{Topic: topic, Value: []byte(topic)})
		}
		task := w.task(&sink{journal: j})
		time.Sleep(10 * time.Second)
		w.k.MustCreateTopic("us-orders", 1)
		w.k.Produce(&kgo.Record{Topic: "us-orders", Value: []byte("us-orders")})
		time.Sleep(60 * time.Second)
		// Paused, since kfake answers at once to a fetch session with a topic that was deleted, for ever, at the same
		// virtual time.
		task.Pause(true)
		time.Sleep(time.Second)
		if err := w.k.DeleteTopic("eu-orders"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(60 * time.Second)
		task.Pause(false)
		w.k.Produce(&kgo.Record{Topic: "us-orders", Value: []byte("more")})
		time.Sleep(10 * time.Second)
		end(t, task)
		want(t, "puts", j.with("put", "FAILED"), []string{"put eu-orders", "put us-orders", "put more"})
		if last := j.with("close"); len(last) == 0 || last[len(last)-1] != "close [us-orders-0]" {
			t.Errorf("closes %q", last)
		}
	})
}

// TestTopicRecreatedUnderSink (trap 8).
func TestTopicRecreatedUnderSink(t *testing.T) {
	inSinkWorld(t, 1, func(t *testing.T, w *sinkWorld, j *journal) {
		w.produce("t", 1, 0, 5)
		task := w.task(&sink{journal: j})
		time.Sleep(70 * time.Second)
		if err := w.k.DeleteTopic("t"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		w.k.MustCreateTopic("t", 1)
		w.produce("t", 1, 100, 103)
		time.Sleep(10 * time.Minute)
		w.produce("t", 1, 103, 105)
		time.Sleep(70 * time.Second)
		want(t, "puts", j.with("put", "FAILED"), []string{"put 0 1 2 3 4", "put 100 101 102", "put 103 104"})
		if got := w.committed(t, "t", 0); got != 5 {
			t.Errorf("committed %d", got)
		}
		end(t, task)
	})
}

// TestCommitErrorsAreRepeated: an offset that could not be committed is committed the next time.
func TestCommitErrorsAreRepeated(t *testing.T) {
	inSinkWorld(t, 1, func(t *testing.T, w *sinkWorld, j *journal) {
		w.produce("t", 1, 0, 3)
		fault := w.k.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.OffsetCommit}, Err: kerr.OffsetMetadataTooLarge, Count: 1})
		task := w.task(&sink{journal: j})
		time.Sleep(70 * time.Second)
		if got := w.committed(t, "t", 0); got != -1 || fault.Hits() != 1 {
			t.Fatalf("committed %d, the fault was hit %d times", got, fault.Hits())
		}
		time.Sleep(time.Minute)
		if got := w.committed(t, "t", 0); got != 3 {
			t.Errorf("committed %d", got)
		}
		end(t, task)
	})
}

// TestGoroutinesOfIdleSinks: at most two of ours for each task, besides those of its client.
func TestGoroutinesOfIdleSinks(t *testing.T) {
	inSinkWorld(t, 1, func(t *testing.T, w *sinkWorld, j *journal) {
		var tasks []*Task
		for range 10 {
			tasks = append(tasks, w.task(&sink{journal: new(journal)}))
		}
		time.Sleep(5 * time.Minute)
		stacks := make([]byte, 8<<20)
		stacks = stacks[:runtime.Stack(stacks, true)]
		if n := strings.Count(string(stacks), "created by github.com/gokconnect/connect/internal/worker.start"); n < len(tasks) || n > 2*len(tasks) {
			t.Errorf("%d goroutines for %d idle tasks", n, len(tasks))
		}
		var wg sync.WaitGroup
		for _, task := range tasks {
			wg.Go(func() { end(t, task) })
		}
		wg.Wait()
	})
}
