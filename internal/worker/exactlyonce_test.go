package worker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/connconfig"
	"github.com/gokconnect/connect/internal/kafkatest"
	"github.com/gokconnect/connect/internal/pipeline"
	"github.com/gokconnect/connect/internal/tolerance"
	"github.com/gokconnect/connect/offsets"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// kafkaOffsets stores offsets in the transactions of a task.
type kafkaOffsets struct{ *offsets.Kafka }

func (o kafkaOffsets) Records(_ context.Context, connector string, entries []connect.PartitionOffset) ([]*kgo.Record, error) {
	return o.Kafka.Records(connector, entries)
}
func (o kafkaOffsets) Committed(string, []connect.PartitionOffset) {}

// txWorld is what an exactly-once source task runs in.
type txWorld struct {
	*sourceWorld
	journal  *journal
	offsets  *offsets.Kafka
	boundary connconfig.Boundary
	interval time.Duration
	requests *TransactionRequests
	client   func(*kgo.Client) TransactionalClient // wraps the client of a run
	txOpts   []kgo.Opt
}

func inTxWorld(t *testing.T, f func(t *testing.T, w *txWorld), opts ...kafkatest.Option) {
	synctest.Test(t, func(t *testing.T) {
		k := kafkatest.New(t, opts...)
		k.MustCreateTopic("t", 1)
		w := &txWorld{journal: new(journal), boundary: connconfig.BoundaryPoll, interval: time.Minute,
			client: func(c *kgo.Client) TransactionalClient { return c }}
		w.sourceWorld = newSourceWorld(t, w.journal, k)
		w.offsets = offsets.NewKafka(offsets.KafkaConfig{Topic: "offsets", Client: k.ClientOpts(), Partitions: 1, ReplicationFactor: 1, ReadCommitted: true})
		if err := offsets.Start(t.Context(), w.offsets); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = w.offsets.Close() })
		f(t, w)
	})
}

// run starts the task; newTask makes one for each of its runs, each of which has a client of its own.
func (w *txWorld) run(newTask func() connect.SourceTask) *Task {
	o := w.opts
	o.New = func(ctx context.Context) (*SourceParts, error) {
		client, err := kgo.NewClient(slices.Concat(w.k.ClientOpts(), []kgo.Opt{kgo.TransactionalID("g-c-0"), kgo.ProducerLinger(0)}, w.txOpts)...)
		if err != nil {
			return nil, err
		}
		if _, _, err := client.ProducerID(ctx); err != nil {
			client.Close()
			return nil, err
		}
		op := w.op()
		return &SourceParts{
			Task: newTask(), Operator: op, Pipeline: pipeline.NewSource(w.steps, textConverters(), op), Release: client.Close, Throttle: w.throttle,
			Letters: w.letters, MaxRequest: w.maxRequest,
			ExactlyOnce: &ExactlyOnceParts{Client: w.client(client), Offsets: kafkaOffsets{w.offsets}, Boundary: w.boundary, Interval: w.interval, Requests: w.requests, MaxRequestSize: int32(w.maxRequest)},
		}, nil
	}
	return StartSource(o)
}

func (w *txWorld) task(s *source) *Task {
	s.journal = w.journal
	return w.run(func() connect.SourceTask { return s })
}

// stored returns the committed offset of the partition p, 0 if there is none.
func (w *txWorld) storedOffset(t *testing.T, partition string) int64 {
	t.Helper()
	found, err := w.offsets.Get(t.Context(), "c", []connect.Fields{{"p": partition}})
	if err != nil {
		t.Fatal(err)
	}
	if found[0] == nil {
		return 0
	}
	return found[0]["n"].(int64)
}

func (w *txWorld) wantStored(t *testing.T, n int64) {
	t.Helper()
	if got := w.storedOffset(t, "p"); got != n {
		t.Errorf("the stored offset is %d, want %d", got, n)
	}
}

// batches is a poll that returns one batch after the other, and then waits.
func batches(all ...[]connect.SourceRecord) func(context.Context, int) ([]connect.SourceRecord, error) {
	return func(ctx context.Context, n int) ([]connect.SourceRecord, error) {
		if n <= len(all) {
			return all[n-1], nil
		}
		<-ctx.Done()
		return nil, nil
	}
}

func TestExactlyOnceBoundaryPoll(t *testing.T) {
	inTxWorld(t, func(t *testing.T, w *txWorld) {
		task := w.task(&source{poll: batches(lines(0, 3), nil, lines(3, 5))})
		time.Sleep(time.Second)
		w.wantStored(t, 5)
		end(t, task)
		want(t, "calls", w.journal.all(), []string{"start", "RUNNING", "poll 1", "acked 0", "acked 1", "acked 2", "commit", "poll 2", "commit",
			"poll 3", "acked 3", "acked 4", "commit", "poll 4", "commit", "commit", "stop", "UNASSIGNED"})
		want(t, "records", values(w.k, "t"), numbers(0, 5))
		if got := w.k.PartitionInfo("t", 0).HighWatermark; got != 7 { // two transactions
			t.Errorf("the topic ends at %d", got)
		}
	})
}

// TestExactlyOnceBoundaryInterval: an open transaction is seen by nobody, is committed when its interval is over although
// Poll blocks, and when the task stops.
func TestExactlyOnceBoundaryInterval(t *testing.T) {
	inTxWorld(t, func(t *testing.T, w *txWorld) {
		w.boundary, w.interval = connconfig.BoundaryInterval, 10*time.Second
		var later atomic.Bool
		task := w.task(&source{poll: func(ctx context.Context, n int) ([]connect.SourceRecord, error) {
			switch {
			case n <= 2:
				return lines(n-1, n), nil
			case n == 4 && later.Load():
				return lines(2, 3), nil
			}
			wait, cancel := context.WithTimeout(ctx, 30*time.Second)
			defer cancel()
			<-wait.Done()
			later.Store(true)
			return nil, nil
		}})
		time.Sleep(9 * time.Second)
		if info := w.k.PartitionInfo("t", 0); info.LastStableOffset != 0 || info.HighWatermark != 2 {
			t.Errorf("before the interval is over: %+v", info)
		}
		time.Sleep(2 * time.Second)
		w.wantStored(t, 2)
		if got := w.journal.count("poll"); got != 3 {
			t.Errorf("%d polls: the commit should not wait for Poll", got)
		}
		time.Sleep(20 * time.Second) // the third record is sent
		end(t, task)
		w.wantStored(t, 3)
		want(t, "records", values(w.k, "t"), numbers(0, 3))
	})
}

func TestExactlyOnceBoundaryConnector(t *testing.T) {
	inTxWorld(t, func(t *testing.T, w *txWorld) {
		w.boundary, w.requests = connconfig.BoundaryConnector, new(TransactionRequests)
		task := w.task(&source{poll: func(ctx context.Context, n int) ([]connect.SourceRecord, error) {
			switch n {
			case 1:
				w.requests.CommitAt(1) // 0 1 | 2
				return lines(0, 3), nil
			case 2:
				w.requests.AbortBatch() // 2 3 are gone
				return lines(3, 4), nil
			case 3:
				w.requests.AbortAt(0) // 4 is gone
				w.requests.CommitBatch()
				return lines(4, 6), nil
			case 4:
				return lines(6, 7), nil // remains open, and is dropped
			}
			<-ctx.Done()
			return nil, nil
		}})
		time.Sleep(time.Second)
		w.wantStored(t, 6)
		end(t, task)
		w.wantStored(t, 6)
		want(t, "records", values(w.k, "t"), []string{"0", "1", "5"})
	})
}

func TestExactlyOnceContradictions(t *testing.T) {
	for _, c := range []struct {
		ask  func(*TransactionRequests)
		want string
	}{
		{func(q *TransactionRequests) { q.CommitBatch(); q.AbortBatch() }, "Connector requested both commit and abort of same transaction"},
		{func(q *TransactionRequests) { q.CommitAt(1); q.AbortAt(1) }, "Connector requested both commit and abort of same record against topic/partition t/null"},
		{func(q *TransactionRequests) { q.CommitAt(2) }, "record 2 of a batch of 2 records"},
		{func(q *TransactionRequests) { q.AbortAt(-1) }, "record -1 of a batch of 2 records"},
	} {
		inTxWorld(t, func(t *testing.T, w *txWorld) {
			w.boundary, w.requests = connconfig.BoundaryConnector, new(TransactionRequests)
			task := w.task(&source{poll: func(context.Context, int) ([]connect.SourceRecord, error) {
				c.ask(w.requests)
				return lines(0, 2), nil
			}})
			<-task.Done()
			if failed := w.journal.with("FAILED"); len(failed) != 1 || !strings.Contains(failed[0], c.want) {
				t.Errorf("%v, want %q", failed, c.want)
			}
			want(t, "records", values(w.k, "t"), nil)
			w.wantStored(t, 0)
		})
	}
}

// TestExactlyOnceFailedRecord: one record that can't be sent is the end of its transaction, though the client would commit
// the others, and whatever is tolerated.
func TestExactlyOnceFailedRecord(t *testing.T) {
	for _, at := range []int{0, 1, 2} {
		inTxWorld(t, func(t *testing.T, w *txWorld) {
			w.op = func() *tolerance.Operator { return tolerant(nil) }
			w.txOpts = []kgo.Opt{kgo.ProducerBatchMaxBytes(2000)}
			batch := lines(3, 6)
			batch[at].Value = strings.Repeat("x", 5000)
			task := w.task(&source{poll: batches(lines(0, 3), batch)})
			<-task.Done()
			failed := w.journal.with("FAILED")
			if len(failed) != 1 || !strings.Contains(failed[0], "larger than the max message size") {
				t.Errorf("%v", failed)
			}
			want(t, "records", values(w.k, "t"), numbers(0, 3))
			w.wantStored(t, 3)
		})
	}
}

func TestExactlyOnceFailures(t *testing.T) {
	for _, c := range []struct {
		name string
		task *source
		want []string
	}{
		{"poll", &source{poll: func(context.Context, int) ([]connect.SourceRecord, error) { return nil, errors.New("no") }}, nil},
		{"panic", &source{poll: func(context.Context, int) ([]connect.SourceRecord, error) { panic("no") }}, nil},
		{"start", &source{start: func(context.Context) error { return errors.New("no") }}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			inTxWorld(t, func(t *testing.T, w *txWorld) {
				<-w.task(c.task).Done()
				if w.journal.count("FAILED") != 1 || w.journal.count("stop") != 1 || w.journal.count("commit") != 0 {
					t.Errorf("%v", w.journal.all())
				}
			})
		})
	}
}

// TestExactlyOnceFailureAborts: what a task that fails has sent is aborted at once, so that nobody waits for the broker to do
// so.
func TestExactlyOnceFailureAborts(t *testing.T) {
	inTxWorld(t, func(t *testing.T, w *txWorld) {
		w.boundary = connconfig.BoundaryInterval
		began := time.Now()
		task := w.task(&source{poll: func(_ context.Context, n int) ([]connect.SourceRecord, error) {
			if n == 1 {
				return lines(0, 3), nil
			}
			return nil, errors.New("no")
		}})
		<-task.Done()
		want(t, "records", values(w.k, "t"), nil) // waits for open transactions
		if d := time.Since(began); d > 3*time.Second {
			t.Errorf("the transaction was open for %v", d)
		}
		w.wantStored(t, 0)
	})
}

// TestExactlyOnceRestart: a task that fails again and again, each time in another place, delivers each record once.
func TestExactlyOnceRestart(t *testing.T) {
	for _, boundary := range []connconfig.Boundary{connconfig.BoundaryPoll, connconfig.BoundaryInterval} {
		inTxWorld(t, func(t *testing.T, w *txWorld) {
			w.boundary, w.interval = boundary, 3*time.Second
			w.opts.Restart = RestartPolicy{Max: 1000, First: time.Second, Limit: time.Second}
			runs := 0
			task := w.run(func() connect.SourceTask {
				runs++
				run, at := runs, 0
				return &source{journal: w.journal,
					start: func(context.Context) error { at = int(w.storedOffset(t, "p")); return nil },
					poll: func(ctx context.Context, n int) ([]connect.SourceRecord, error) {
						if n > run { // each run gets further than the one before
							return nil, errors.New("again")
						}
						if at >= 200 {
							<-ctx.Done()
							return nil, nil
						}
						time.Sleep(700 * time.Millisecond)
						from := at
						at = min(at+7, 200)
						return lines(from, at), nil
					}}
			})
			for w.storedOffset(t, "p") < 200 {
				time.Sleep(time.Second)
			}
			end(t, task)
			want(t, "records", values(w.k, "t"), numbers(0, 200))
		})
	}
}

// TestExactlyOnceZombie: a run that another one has fenced can't commit, doesn't begin again with its client, and what it
// sent is seen by nobody.
func TestExactlyOnceZombie(t *testing.T) {
	inTxWorld(t, func(t *testing.T, w *txWorld) {
		w.boundary, w.interval = connconfig.BoundaryInterval, time.Hour
		begun := 0
		w.client = func(c *kgo.Client) TransactionalClient { return &countingClient{c, &begun} }
		gate := make(chan struct{})
		zombie := w.task(&source{poll: func(ctx context.Context, n int) ([]connect.SourceRecord, error) {
			switch n {
			case 1:
				return lines(0, 3), nil
			case 2:
				<-gate
				return lines(3, 5), nil
			}
			<-ctx.Done()
			return nil, nil
		}})
		time.Sleep(time.Second)
		owner := &txWorld{sourceWorld: newSourceWorld(t, new(journal), w.k), journal: new(journal), offsets: w.offsets, boundary: connconfig.BoundaryPoll,
			client: func(c *kgo.Client) TransactionalClient { return c }}
		task := owner.task(&source{poll: batches(linesOf("t", "p", 100, 102))})
		time.Sleep(time.Second)
		close(gate)
		<-zombie.Done()
		if failed := w.journal.with("FAILED"); len(failed) != 1 || !strings.Contains(failed[0], "fenced") {
			t.Errorf("%v", w.journal.all())
		}
		if begun != 1 {
			t.Errorf("the zombie began %d transactions", begun)
		}
		end(t, task)
		want(t, "records", values(w.k, "t"), numbers(100, 102))
		w.wantStored(t, 102)
	})
}

type countingClient struct {
	*kgo.Client
	begun *int
}

func (c *countingClient) BeginTransaction() error {
	*c.begun++
	return c.Client.BeginTransaction()
}

// TestExactlyOnceCommitInDoubt: the answer to a commit is lost, whether or not the broker has committed. The task starts anew
// from the stored offsets, and every record is there once.
func TestExactlyOnceCommitInDoubt(t *testing.T) {
	for _, committed := range []bool{true, false} {
		t.Run(fmt.Sprint("committed ", committed), func(t *testing.T) {
			inTxWorld(t, func(t *testing.T, w *txWorld) {
				w.opts.Restart = RestartPolicy{Max: 100, First: time.Second, Limit: time.Second}
				lost := 0
				w.client = func(c *kgo.Client) TransactionalClient {
					return &doubtfulClient{c, func(ctx context.Context) error {
						if lost++; lost%2 == 0 {
							return c.EndTransaction(ctx, kgo.TryCommit)
						}
						if committed {
							if err := c.EndTransaction(ctx, kgo.TryCommit); err != nil {
								return err
							}
						}
						return errors.New("connection reset")
					}}
				}
				task := w.run(func() connect.SourceTask {
					at := 0
					return &source{journal: w.journal,
						start: func(context.Context) error { at = int(w.storedOffset(t, "p")); return nil },
						poll: func(ctx context.Context, n int) ([]connect.SourceRecord, error) {
							if at >= 40 {
								<-ctx.Done()
								return nil, nil
							}
							from := at
							at += 5
							return lines(from, at), nil
						}}
				})
				for w.storedOffset(t, "p") < 40 {
					time.Sleep(time.Second)
				}
				end(t, task)
				if w.journal.count("RESTARTING") == 0 {
					t.Error("no commit was in doubt")
				}
				want(t, "records", values(w.k, "t"), numbers(0, 40))
			})
		})
	}
}

type doubtfulClient struct {
	*kgo.Client
	commit func(context.Context) error
}

func (c *doubtfulClient) EndTransaction(ctx context.Context, commit kgo.TransactionEndTry) error {
	if commit == kgo.TryCommit {
		return c.commit(ctx)
	}
	return c.Client.EndTransaction(ctx, commit)
}

// TestExactlyOnceBrokerErrors: answers of the broker that a client repeats, and such that it does not.
func TestExactlyOnceBrokerErrors(t *testing.T) {
	for _, c := range []struct {
		key kmsg.Key
		err *kerr.Error
	}{
		{kmsg.EndTxn, kerr.ConcurrentTransactions}, {kmsg.EndTxn, kerr.NotCoordinator}, {kmsg.EndTxn, kerr.UnknownServerError}, {kmsg.EndTxn, kerr.InvalidTxnState},
		{kmsg.Produce, kerr.NotLeaderForPartition}, {kmsg.Produce, kerr.InvalidProducerEpoch}, {kmsg.Produce, kerr.OutOfOrderSequenceNumber},
		{kmsg.InitProducerID, kerr.ConcurrentTransactions}, {kmsg.InitProducerID, kerr.CoordinatorLoadInProgress},
	} {
		t.Run(fmt.Sprint(c.key.Name(), " ", c.err.Message), func(t *testing.T) {
			inTxWorld(t, func(t *testing.T, w *txWorld) {
				w.opts.Restart = RestartPolicy{Max: 100, First: time.Second, Limit: time.Second}
				fault := w.k.Fault(kfake.Fault{Keys: []kmsg.Key{c.key}, Err: c.err, Count: 2})
				task := w.run(func() connect.SourceTask {
					at := 0
					return &source{journal: w.journal,
						start: func(context.Context) error { at = int(w.storedOffset(t, "p")); return nil },
						poll: func(ctx context.Context, n int) ([]connect.SourceRecord, error) {
							if at >= 20 {
								<-ctx.Done()
								return nil, nil
							}
							from := at
							at += 5
							return lines(from, at), nil
						}}
				})
				for range 600 {
					if w.storedOffset(t, "p") == 20 {
						break
					}
					time.Sleep(time.Second)
				}
				end(t, task)
				if fault.Hits() == 0 {
					t.Error("no request failed")
				}
				want(t, "records", values(w.k, "t"), numbers(0, 20))
			})
		})
	}
}

// TestExactlyOnceTimeout: a transaction that takes longer than the broker allows is aborted there; the task says what to do.
func TestExactlyOnceTimeout(t *testing.T) {
	inTxWorld(t, func(t *testing.T, w *txWorld) {
		w.boundary, w.interval = connconfig.BoundaryConnector, time.Hour
		w.requests = new(TransactionRequests)
		w.txOpts = []kgo.Opt{kgo.TransactionTimeout(10 * time.Second)}
		task := w.task(&source{poll: func(ctx context.Context, n int) ([]connect.SourceRecord, error) {
			if n == 2 {
				time.Sleep(time.Minute)
				w.requests.CommitBatch()
			}
			return lines(n-1, n), nil
		}})
		<-task.Done()
		if failed := w.journal.with("FAILED"); len(failed) != 1 || !strings.Contains(failed[0], "transaction.timeout.ms") {
			t.Errorf("%v", failed)
		}
		want(t, "records", values(w.k, "t"), nil)
		w.wantStored(t, 0)
	})
}

func TestExactlyOnceOwnOffsetsTopic(t *testing.T) {
	inTxWorld(t, func(t *testing.T, w *txWorld) {
		<-w.task(&source{poll: batches(linesOf("offsets", "p", 0, 1))}).Done()
		want(t, "failure", w.journal.with("FAILED"), []string{"FAILED: Source tasks may not produce to their own offsets topics when exactly-once support is enabled"})
	})
}

func TestExactlyOnceOffsetThatCannotBeStored(t *testing.T) {
	inTxWorld(t, func(t *testing.T, w *txWorld) {
		bad := lines(1, 2)
		bad[0].SourceOffset = connect.Fields{"n": []any{int64(2)}}
		<-w.task(&source{poll: batches(lines(0, 1), bad, lines(2, 3))}).Done()
		if failed := w.journal.with("FAILED"); len(failed) != 1 || !strings.Contains(failed[0], "Failed to flush offsets and/or records for task c-0") {
			t.Errorf("%v", failed)
		}
		want(t, "records", values(w.k, "t"), numbers(0, 1))
		w.wantStored(t, 1)
	})
}

func TestExactlyOncePause(t *testing.T) {
	inTxWorld(t, func(t *testing.T, w *txWorld) {
		w.boundary, w.interval = connconfig.BoundaryInterval, time.Hour
		task := w.task(&source{poll: func(ctx context.Context, n int) ([]connect.SourceRecord, error) {
			if n == 1 {
				return lines(0, 3), nil
			}
			time.Sleep(100 * time.Millisecond)
			return nil, nil
		}})
		time.Sleep(time.Second)
		w.wantStored(t, 0)
		task.Pause(true)
		time.Sleep(time.Second)
		w.wantStored(t, 3)
		task.Pause(false)
		time.Sleep(time.Second)
		end(t, task)
		want(t, "states", w.journal.with("RUNNING", "PAUSED", "UNASSIGNED", "FAILED"), []string{"RUNNING", "PAUSED", "RUNNING", "UNASSIGNED"})
	})
}

// TestExactlyOnceDropped: records that are dropped are told of with the transaction that they belong to; a batch without
// others makes none.
func TestExactlyOnceDropped(t *testing.T) {
	inTxWorld(t, func(t *testing.T, w *txWorld) {
		w.steps = []pipeline.Step{{Transformation: connect.TransformFunc(func(_ context.Context, r *connect.Record) (*connect.Record, error) {
			if r.Value == "1" || r.Value == "2" {
				return nil, nil
			}
			return r, nil
		})}}
		task := w.task(&source{poll: batches(lines(0, 2), lines(2, 3), lines(3, 4))})
		time.Sleep(time.Second)
		end(t, task)
		want(t, "calls", w.journal.with("poll", "acked", "dropped", "commit"), []string{"poll 1", "dropped 1", "acked 0", "commit", "poll 2", "commit",
			"poll 3", "dropped 2", "acked 3", "commit", "poll 4", "commit", "commit"})
		w.wantStored(t, 4)
	})
}
