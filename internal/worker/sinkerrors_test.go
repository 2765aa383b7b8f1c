package worker

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/pipeline"
	"github.com/gokconnect/connect/internal/tolerance"
	"github.com/twmb/franz-go/pkg/kgo"
)

// The tests of this file run in bubbles of virtual time (synctest.Test), which inSinkWorld makes.

func TestBatchError(t *testing.T) {
	for _, c := range []struct {
		name      string
		tolerate  bool
		puts      []string
		dlq       []string
		committed int64
	}{
		{"tolerated", true, []string{"failed 0 1 2 3 4", "failed 1 3", "put 3"}, []string{"2", "1"}, 5},
		{"not tolerated", false, []string{"failed 0 1 2 3 4"}, []string{"2"}, -1},
	} {
		t.Run(c.name, func(t *testing.T) {
			inSinkWorld(t, 1, func(t *testing.T, w *sinkWorld, j *journal) {
				w.k.MustCreateTopic("dlq", 1)
				w.letters = producer(t, w.k)
				w.op = func(l *DeadLetters) *tolerance.Operator {
					return tolerance.New(tolerance.Policy{Tolerate: c.tolerate}, l)
				}
				w.produce("t", 1, 0, 5)
				n := 0
				task := w.task(&sink{journal: j, put: func(_ context.Context, recs []connect.SinkRecord) error {
					var e connect.BatchError
					n++
					switch {
					case n == 1:
						e.Fail(3, connect.Retriable(errTest))
						e.Fail(2, errTest)
						e.Fail(1, connect.Retriable(errTest))
					case n == 2:
						e.Fail(0, errTest)
						e.Fail(1, connect.Retriable(errTest))
					}
					return e.ErrorOrNil()
				}})
				time.Sleep(2 * time.Minute)
				end(t, task)
				want(t, "puts", j.with("put", "failed"), c.puts)
				want(t, "dead letters", values(w.k, "dlq"), c.dlq)
				if got := w.committed(t, "t", 0); got != c.committed || (j.count("FAILED") == 0) != c.tolerate {
					t.Errorf("committed %d, want %d; %q", got, c.committed, j.with("FAILED"))
				}
			})
		})
	}
}

// poison is a sink that writes a batch only as a whole: not if it has one of these values.
func poison(j *journal, bad ...string) *sink {
	return &sink{journal: j, put: func(_ context.Context, recs []connect.SinkRecord) error {
		for _, r := range recs {
			if slices.Contains(bad, fmt.Sprint(r.Value)) {
				return fmt.Errorf("insert: %w", connect.DataErrorf("a value of the batch is poison"))
			}
		}
		return nil
	}}
}

// TestIsolate: of a batch that fails as a whole for the data in it, the records that are at fault are found and given up.
func TestIsolate(t *testing.T) {
	inSinkWorld(t, 1, func(t *testing.T, w *sinkWorld, j *journal) {
		w.k.MustCreateTopic("dlq", 1)
		w.letters = producer(t, w.k)
		w.op = tolerant
		w.produce("t", 1, 0, 7)
		task := w.task(poison(j, "2", "6"))
		time.Sleep(2 * time.Minute)
		end(t, task)
		want(t, "puts", j.with("put", "failed"), []string{
			"failed 0 1 2 3 4 5 6", "failed 0 1 2", "put 0", "failed 1 2", "put 1", "failed 2",
			"failed 3 4 5 6", "put 3 4", "failed 5 6", "put 5", "failed 6",
		})
		want(t, "dead letters", values(w.k, "dlq"), []string{"2", "6"})
		if got := w.committed(t, "t", 0); got != 7 {
			t.Errorf("committed %d; %q", got, j.with("FAILED"))
		}
	})
}

// TestIsolateIsForTolerance: without it, and for other errors, the task fails as it does otherwise.
func TestIsolateIsForTolerance(t *testing.T) {
	for _, c := range []struct {
		name  string
		op    func(*DeadLetters) *tolerance.Operator
		err   error
		asked bool
	}{
		{"nothing is tolerated", func(*DeadLetters) *tolerance.Operator { return tolerance.New(tolerance.Policy{}) }, connect.DataErrorf("poison"), false},
		{"fatal", tolerant, connect.Fatal(connect.DataErrorf("poison")), false},
		{"of the system", tolerant, errTest, false},
		{"as Java", tolerant, connect.DataErrorf("poison"), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			inSinkWorld(t, 1, func(t *testing.T, w *sinkWorld, j *journal) {
				w.op, w.opts.AsJava = c.op, c.asked
				w.produce("t", 1, 0, 3)
				task := w.task(&sink{journal: j, put: func(context.Context, []connect.SinkRecord) error { return c.err }})
				time.Sleep(time.Minute)
				end(t, task)
				want(t, "puts", j.with("put", "failed"), []string{"failed 0 1 2"})
				if got := w.committed(t, "t", 0); got != -1 || j.count("FAILED") != 1 {
					t.Errorf("committed %d; %q", got, j.with("FAILED"))
				}
			})
		})
	}
}

// TestIsolateMeetsOtherErrors: what fails otherwise while records are looked for is put again, or fails the task, and
// nothing behind it is committed or given up.
func TestIsolateMeetsOtherErrors(t *testing.T) {
	var partial connect.BatchError
	partial.Fail(0, connect.Retriable(errTest)) // 2, of the batch 2 3
	partial.Fail(1, errTest)
	var data connect.BatchError
	data.Fail(0, connect.DataErrorf("poison"))
	for _, c := range []struct {
		name      string
		err       error // of the second Put of 2 3 4, whose first record is poison
		puts      []string
		dlq       []string
		committed int64
	}{
		{"retriable", connect.Retriable(errTest), []string{"failed 0 1 2 3", "put 0 1", "failed 2 3", "failed 2 3", "failed 2", "put 3"}, []string{"2"}, 4},
		{"some records", &partial, []string{"failed 0 1 2 3", "put 0 1", "failed 2 3", "failed 2"}, []string{"3", "2"}, 4},
		{"some records for their data", &data, []string{"failed 0 1 2 3", "put 0 1", "failed 2 3"}, []string{"2"}, 4},
		{"another", errTest, []string{"failed 0 1 2 3", "put 0 1", "failed 2 3"}, nil, -1},
		{"panic", nil, []string{"failed 0 1 2 3", "put 0 1"}, nil, -1},
	} {
		t.Run(c.name, func(t *testing.T) {
			inSinkWorld(t, 1, func(t *testing.T, w *sinkWorld, j *journal) {
				w.k.MustCreateTopic("dlq", 1)
				w.letters = producer(t, w.k)
				w.op = tolerant
				w.produce("t", 1, 0, 4)
				sink := poison(j, "2")
				check, n := sink.put, 0
				sink.put = func(ctx context.Context, recs []connect.SinkRecord) error {
					if len(recs) == 0 {
						return nil
					}
					if n++; n == 3 {
						if c.err == nil {
							panic("test")
						}
						return c.err
					}
					return check(ctx, recs)
				}
				task := w.task(sink)
				time.Sleep(2 * time.Minute)
				end(t, task)
				want(t, "puts", j.with("put", "failed"), c.puts)
				want(t, "dead letters", values(w.k, "dlq"), c.dlq)
				if got := w.committed(t, "t", 0); got != c.committed || (j.count("FAILED") == 0) != (c.committed > 0) {
					t.Errorf("committed %d, want %d; %q", got, c.committed, j.with("FAILED"))
				}
			})
		})
	}
}

// slowLetters acknowledges dead letters when it is told to.
type slowLetters struct {
	Producer
	release chan error
}

func (p *slowLetters) Produce(_ context.Context, r *kgo.Record, promise func(*kgo.Record, error)) {
	go func() { promise(r, <-p.release) }()
}

// TestDeadLettersBeforeCommits: an offset behind a record is committed only when its dead letter is written.
func TestDeadLettersBeforeCommits(t *testing.T) {
	for _, fails := range []error{nil, errTest} {
		t.Run(fmt.Sprint(fails), func(t *testing.T) {
			inSinkWorld(t, 1, func(t *testing.T, w *sinkWorld, j *journal) {
				letters := &slowLetters{release: make(chan error)}
				w.letters, w.op = letters, tolerant
				w.opts.CommitInterval = 10 * time.Second
				w.steps = []pipeline.Step{{Class: "T", Transformation: connect.TransformFunc(func(_ context.Context, r *connect.Record) (*connect.Record, error) {
					if r.Value == "1" {
						return nil, errTest
					}
					return r, nil
				})}}
				w.produce("t", 1, 0, 3)
				task := w.task(&sink{journal: j})
				time.Sleep(25 * time.Second)
				if got := w.committed(t, "t", 0); got != -1 {
					t.Errorf("committed %d before the dead letter was written", got)
				}
				letters.release <- fails
				time.Sleep(25 * time.Second)
				got := w.committed(t, "t", 0)
				if fails == nil && got != 3 || fails != nil && (got != -1 || j.count("FAILED") != 1) {
					t.Errorf("committed %d; %q", got, j.with("FAILED"))
				}
				end(t, task)
				if got := w.committed(t, "t", 0); fails != nil && got != -1 {
					t.Errorf("committed %d at the end", got)
				}
			})
		})
	}
}

// TestDeadLettersAreBounded: a dead letter topic that is stuck holds the task up, not the process.
func TestDeadLettersAreBounded(t *testing.T) {
	inSinkWorld(t, 1, func(t *testing.T, w *sinkWorld, j *journal) {
		letters := &slowLetters{release: make(chan error)}
		counted := &countingProducer{Producer: letters}
		w.letters, w.op = counted, tolerant
		w.steps = []pipeline.Step{{Class: "T", Transformation: connect.TransformFunc(func(context.Context, *connect.Record) (*connect.Record, error) { return nil, errTest })}}
		w.produce("t", 1, 0, 3000)
		task := w.task(&sink{journal: j})
		time.Sleep(10 * time.Second)
		if n := counted.records.Load(); n != maxPendingLetters {
			t.Errorf("%d dead letters are pending", n)
		}
		close(letters.release)
		time.Sleep(10 * time.Second)
		if n := counted.records.Load(); n != 3000 {
			t.Errorf("%d dead letters were written", n)
		}
		end(t, task)
	})
}

func TestErrantRecordReporter(t *testing.T) {
	for _, c := range []struct {
		name      string
		tolerate  bool
		late      bool // reports from another goroutine, long after Put
		committed int64
	}{{"tolerated", true, false, 3}, {"tolerated, after Put", true, true, 3}, {"not tolerated, swallowed", false, false, -1}, {"not tolerated, after Put", false, true, -1}} {
		t.Run(c.name, func(t *testing.T) {
			inSinkWorld(t, 1, func(t *testing.T, w *sinkWorld, j *journal) {
				w.k.MustCreateTopic("dlq", 1)
				w.letters = producer(t, w.k)
				w.op = func(l *DeadLetters) *tolerance.Operator {
					return tolerance.New(tolerance.Policy{Tolerate: c.tolerate}, l)
				}
				// The dead letter is the record as it was consumed, not as it was put.
				w.steps = []pipeline.Step{{Class: "T", Transformation: connect.TransformFunc(func(_ context.Context, r *connect.Record) (*connect.Record, error) {
					r.Value = "changed " + r.Value.(string)
					return r, nil
				})}}
				w.produce("t", 1, 0, 3)
				s := &sink{journal: j}
				done := make(chan struct{})
				s.put = func(ctx context.Context, recs []connect.SinkRecord) error {
					if len(recs) == 0 {
						return nil
					}
					report := func(r connect.SinkRecord) {
						rep, err := s.tc.ErrantRecordReporter().Report(context.Background(), &r, errTest)
						if (err == nil) != c.tolerate {
							t.Errorf("Report: %v", err)
						}
						if err == nil {
							if err := rep.Wait(context.Background()); err != nil {
								t.Errorf("Wait: %v", err)
							}
						}
					}
					if !c.late {
						report(recs[1])
						return nil
					}
					kept := recs[1]
					go func() { defer close(done); time.Sleep(10 * time.Second); report(kept) }()
					return nil
				}
				task := w.task(s)
				time.Sleep(90 * time.Second)
				end(t, task)
				if c.late {
					<-done
				}
				want(t, "dead letters", values(w.k, "dlq"), []string{"1"})
				got := w.committed(t, "t", 0)
				if !c.tolerate && j.count("FAILED") != 1 || c.tolerate && j.count("FAILED") != 0 {
					t.Errorf("%q", j.all())
				}
				if got != c.committed && !c.late {
					t.Errorf("committed %d", got)
				}
			})
		})
	}
}
