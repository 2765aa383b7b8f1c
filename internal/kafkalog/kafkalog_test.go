package kafkalog_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/gokconnect/connect/internal/kafkalog"
	"github.com/gokconnect/connect/internal/kafkatest"
)

// seen is what a log has applied.
type seen struct {
	mu     sync.Mutex
	texts  []string
	errors []error
}

func (s *seen) config(c *kafkatest.Cluster) kafkalog.Config {
	return kafkalog.Config{
		Topic: "t", Client: c.ClientOpts(),
		Apply: func(r *kgo.Record) error {
			if string(r.Value) == "garbage" {
				return errors.New("not a value")
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			s.texts = append(s.texts, fmt.Sprintf("%d/%d %s=%s", r.Partition, r.Offset, r.Key, r.Value))
			return nil
		},
		OnError: func(err error) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.errors = append(s.errors, err)
		},
	}
}

func (s *seen) want(t *testing.T, want ...string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Equal(s.texts, want) {
		t.Errorf("applied %q, want %q", s.texts, want)
	}
}

func record(partition int32, key, value string) *kgo.Record {
	return &kgo.Record{Topic: "t", Partition: partition, Key: []byte(key), Value: []byte(value)}
}

func start(t *testing.T, cfg kafkalog.Config) *kafkalog.Log {
	t.Helper()
	l := kafkalog.New(cfg)
	if err := l.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Stop)
	return l
}

func bubble(t *testing.T, f func(t *testing.T)) { t.Helper(); synctest.Test(t, f) }

func TestStartReadsAllThatIsThere(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := kafkatest.New(t, kafkatest.Brokers(3))
		c.MustCreateTopic("t", 1)
		c.Produce(record(0, "a", "1"), record(0, "b", "2"), record(0, "a", "3"))
		var s seen
		start(t, s.config(c))
		s.want(t, "0/0 a=1", "0/1 b=2", "0/2 a=3")
	})
}

func TestTailsAndAppends(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := kafkatest.New(t)
		c.MustCreateTopic("t", 1)
		var s seen
		l := start(t, s.config(c))
		c.Produce(record(0, "a", "1"))
		synctest.Wait()
		s.want(t, "0/0 a=1") // without being asked
		if err := l.Append(t.Context(), &kgo.Record{Key: []byte("b"), Value: []byte("2")}); err != nil {
			t.Fatal(err)
		}
		if err := l.ReadToEnd(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.want(t, "0/0 a=1", "0/1 b=2")
	})
}

func TestGarbageIsSkippedAlone(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := kafkatest.New(t)
		c.MustCreateTopic("t", 1)
		c.Produce(record(0, "a", "1"), record(0, "x", "garbage"), record(0, "b", "2"))
		var s seen
		start(t, s.config(c))
		s.want(t, "0/0 a=1", "0/2 b=2")
		var bad *kafkalog.RecordError
		if len(s.errors) != 1 || !errors.As(s.errors[0], &bad) || bad.Offset != 1 {
			t.Errorf("errors %v, want one about offset 1", s.errors)
		}
	})
}

// transaction writes records in a transaction and ends it.
func transaction(t *testing.T, c *kafkatest.Cluster, end kgo.TransactionEndTry, records ...*kgo.Record) {
	t.Helper()
	cl := c.Client(kgo.TransactionalID("x"), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	defer cl.Close()
	if err := cl.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	if err := cl.ProduceSync(t.Context(), records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
	if err := cl.EndTransaction(t.Context(), end); err != nil {
		t.Fatal(err)
	}
}

func TestTransactionalTail(t *testing.T) {
	for _, committed := range []bool{false, true} {
		bubble(t, func(t *testing.T) {
			c := kafkatest.New(t)
			c.MustCreateTopic("t", 2)
			transaction(t, c, kgo.TryCommit, record(0, "a", "1"))
			transaction(t, c, kgo.TryAbort, record(0, "a", "2"))
			var s seen
			cfg := s.config(c)
			cfg.ReadCommitted = committed
			start(t, cfg)
			if committed {
				s.want(t, "0/0 a=1")
			} else {
				s.want(t, "0/0 a=1", "0/2 a=2")
			}
		})
	}
}

func TestReadToEndWaitsForOpenTransactions(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := kafkatest.New(t)
		c.MustCreateTopic("t", 1)
		var s seen
		cfg := s.config(c)
		cfg.ReadCommitted = true
		l := start(t, cfg)
		cl := c.Client(kgo.TransactionalID("x"))
		if err := cl.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		if err := cl.ProduceSync(t.Context(), record(0, "a", "1")).FirstErr(); err != nil {
			t.Fatal(err)
		}
		c.Produce(record(0, "b", "2"))
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := l.ReadToEnd(short); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v, want the end of the deadline", err)
		}
		s.want(t)
		if err := kafkalog.New(cfg).Start(short); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("start: error %v, want the end of the deadline", err)
		}
		var stable seen
		cfg = stable.config(c)
		cfg.ReadCommitted, cfg.StartStable = true, true
		began := time.Now()
		late := start(t, cfg) // ends before the transaction does
		stable.want(t)
		if waited := time.Since(began); waited > time.Second {
			t.Errorf("the start waited for %v", waited)
		}
		if err := cl.EndTransaction(t.Context(), kgo.TryCommit); err != nil {
			t.Fatal(err)
		}
		for l, s := range map[*kafkalog.Log]*seen{l: &s, late: &stable} {
			if err := l.ReadToEnd(t.Context()); err != nil {
				t.Fatal(err)
			}
			s.want(t, "0/0 a=1", "0/1 b=2")
		}
	})
}

func TestCompactedGaps(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := kafkatest.New(t)
		c.MustCreateTopic("t", 1, "cleanup.policy", "compact")
		for i := range 5 {
			c.Produce(record(0, "a", fmt.Sprint(i)))
		}
		c.Compact()
		var s seen
		l := start(t, s.config(c))
		if len(s.texts) == 5 || s.texts[len(s.texts)-1] != "0/4 a=4" {
			t.Errorf("applied %q, want what compaction left", s.texts)
		}
		if err := l.ReadToEnd(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
}

func TestBeginningIsGone(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := kafkatest.New(t)
		c.MustCreateTopic("t", 1)
		c.Produce(record(0, "a", "1"), record(0, "b", "2"), record(0, "c", "3"))
		if err := c.DeleteRecords("t", 0, 2); err != nil {
			t.Fatal(err)
		}
		var s seen
		start(t, s.config(c))
		s.want(t, "0/2 c=3")
	})
}

func TestLeaderMovesAndLinkBreaks(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := kafkatest.New(t, kafkatest.Brokers(2))
		c.MustCreateTopic("t", 1)
		link := c.NewLink()
		var s seen
		cfg := s.config(c)
		cfg.Client = link.ClientOpts()
		l := start(t, cfg)
		c.Produce(record(0, "a", "1"))
		if err := c.MoveTopicPartition("t", 0, 1-c.LeaderFor("t", 0)); err != nil {
			t.Fatal(err)
		}
		c.Produce(record(0, "a", "2"))
		if err := l.ReadToEnd(t.Context()); err != nil {
			t.Fatal(err)
		}
		link.Cut()
		c.Produce(record(0, "a", "3"))
		time.Sleep(time.Minute)
		s.want(t, "0/0 a=1", "0/1 a=2")
		link.Heal()
		if err := l.ReadToEnd(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.want(t, "0/0 a=1", "0/1 a=2", "0/2 a=3")
	})
}

func TestTopicIsMadeAnew(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := kafkatest.New(t)
		c.MustCreateTopic("t", 1)
		var s seen
		l := start(t, s.config(c))
		for _, v := range []string{"1", "2"} {
			if err := l.Append(t.Context(), record(0, "a", v)); err != nil {
				t.Fatal(err)
			}
		}
		if err := l.ReadToEnd(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := c.DeleteTopic("t"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		c.MustCreateTopic("t", 1)
		time.Sleep(time.Minute)
		if err := l.Append(t.Context(), record(0, "b", "1")); err != nil {
			t.Fatal(err)
		}
		if err := l.ReadToEnd(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.want(t, "0/0 a=1", "0/1 a=2", "0/0 b=1")
		if !slices.ContainsFunc(s.errors, func(err error) bool { return strings.Contains(err.Error(), "created anew") }) {
			t.Errorf("errors %v do not say that the topic was created anew", s.errors)
		}
	})
}

func TestStartFailsWithoutTopic(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := kafkatest.New(t)
		var s seen
		l := kafkalog.New(s.config(c))
		if err := l.Start(t.Context()); !errors.Is(err, kerr.UnknownTopicOrPartition) {
			t.Errorf("error %v", err)
		}
		if err := l.ReadToEnd(t.Context()); err == nil {
			t.Error("a log that did not start was read")
		}
	})
}

func TestAppendReportsTheFirstFailure(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := kafkatest.New(t)
		c.MustCreateTopic("t", 1)
		var s seen
		l := start(t, s.config(c))
		c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.TopicAuthorizationFailed, Count: 1})
		if err := l.Append(t.Context(), record(0, "a", "1")); !errors.Is(err, kerr.TopicAuthorizationFailed) {
			t.Errorf("error %v", err)
		}
		if err := l.Append(t.Context(), record(0, "a", "2")); err != nil {
			t.Error(err)
		}
	})
}

func TestAppendGivesUpWithItsContext(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := kafkatest.New(t)
		c.MustCreateTopic("t", 1)
		var s seen
		l := start(t, s.config(c))
		c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.NotEnoughReplicas, Count: -1})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := l.Append(ctx, record(0, "a", "1")); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
	})
}

func BenchmarkReplay(b *testing.B) {
	const records = 100_000
	c := kafkatest.New(b, kafkatest.TCP())
	c.MustCreateTopic("t", 25, "cleanup.policy", "compact")
	batch := make([]*kgo.Record, records)
	for i := range batch {
		batch[i] = record(int32(i%25), fmt.Sprintf(`["connector",{"filename":"file-%d"}]`, i), fmt.Sprintf(`{"position":%d}`, i))
	}
	c.Produce(batch...)
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		l := kafkalog.New(kafkalog.Config{Topic: "t", Client: c.ClientOpts(), Apply: func(*kgo.Record) error { n++; return nil }})
		if err := l.Start(b.Context()); err != nil {
			b.Fatal(err)
		}
		l.Stop()
		if n != records {
			b.Fatalf("%d records, want %d", n, records)
		}
	}
}

func TestAppendEndsWithItsContextWhileTheClientIsFull(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := kafkatest.New(t)
		c.MustCreateTopic("t", 1)
		var s seen
		cfg := s.config(c)
		cfg.Client = append(cfg.Client, kgo.MaxBufferedRecords(1))
		l := start(t, cfg)
		deaf := c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.NotEnoughReplicas, Count: -1})
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		began := time.Now()
		err := l.Append(ctx, &kgo.Record{Value: []byte("1")}, &kgo.Record{Value: []byte("2")})
		if took := time.Since(began); !errors.Is(err, context.DeadlineExceeded) || took != 5*time.Second {
			t.Errorf("got %v after %v, want the end of the context after 5s", err, took)
		}
		// The end of one call's context must not take along what another call has buffered.
		deaf.Remove()
		if err := l.Append(t.Context(), &kgo.Record{Value: []byte("3")}); err != nil {
			t.Fatal(err)
		}
		if err := l.ReadToEnd(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.want(t, "0/0 =1", "0/1 =3")
	})
}

// A log that has nothing to read asks as rarely as its client's options say, and not more often than every five seconds.
func TestFetchesWaitForRecords(t *testing.T) {
	for wait, want := range map[time.Duration]int32{500 * time.Millisecond: 720, 10 * time.Minute: 6} {
		bubble(t, func(t *testing.T) {
			c := kafkatest.New(t)
			c.MustCreateTopic("t", 1)
			var fetches atomic.Int32
			c.ControlKey(int16(kmsg.Fetch), func(kmsg.Request) (kmsg.Response, error, bool) {
				c.KeepControl()
				fetches.Add(1)
				return nil, nil, false
			})
			var s seen
			cfg := s.config(c)
			cfg.Client = append(cfg.Client, kgo.FetchMaxWait(wait))
			start(t, cfg)
			time.Sleep(time.Hour)
			if n := fetches.Load(); n < want-2 || n > want+2 {
				t.Errorf("with a wait of %v %d fetches in an hour, want about %d", wait, n, want)
			}
			c.Produce(record(0, "a", "1")) // a fetch that waits is answered at once
			synctest.Wait()
			s.want(t, "0/0 a=1")
		})
	}
}
