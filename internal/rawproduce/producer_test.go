package rawproduce

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gokconnect/connect/internal/kafkatest"
	"github.com/gokconnect/connect/internal/recordbatch"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// world is a producer and what it says of its batches.
type world struct {
	*Producer
	k    *kafkatest.Cluster
	t    *testing.T
	mu   sync.Mutex
	done []string
}

func inWorld(t *testing.T, f func(t *testing.T, w *world), opts ...kgo.Opt) {
	synctest.Test(t, func(t *testing.T) {
		k := kafkatest.New(t, kafkatest.Brokers(3))
		k.MustCreateTopic("t", 4)
		client := k.Client(append([]kgo.Opt{kgo.RetryBackoffFn(func(int) time.Duration { return 100 * time.Millisecond })}, opts...)...)
		w := &world{k: k, t: t}
		w.Producer = New(t.Context(), Config{Client: client, Done: w.take})
		f(t, w)
		w.Close()
	})
}

func (w *world) take(b *Batch, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	line := fmt.Sprintf("%d %v: %d", b.Partition, b.Of, b.Offset)
	if err != nil {
		line = fmt.Sprintf("%d %v: %v", b.Partition, b.Of, err)
	}
	w.done = append(w.done, line)
}

func (w *world) said() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.done)
}

func (w *world) sendOf(partition int32, of any, records int, b []byte) {
	w.Send(&Batch{Topic: "t", Partition: partition, Bytes: b, Records: records, Of: of})
}

func (w *world) values(partition int32) []string {
	var out []string
	for _, r := range w.k.Records("t") {
		if r.Partition == partition {
			out = append(out, string(r.Value))
		}
	}
	return out
}

func (w *world) want(got []string, want ...string) {
	w.t.Helper()
	if !slices.Equal(got, want) {
		w.t.Errorf("got %q\nwant %q", got, want)
	}
}

func numbers(from, to int) []string {
	var out []string
	for n := from; n < to; n++ {
		out = append(out, fmt.Sprint(n))
	}
	return out
}

// TestWhatBrokersRefuseIsRewritten before it is sent: gaps that compaction left, the times of a log, more than a batch may have.
func TestWhatBrokersRefuseIsRewritten(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		refused := w.k.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Observe: true, Count: -1})
		gaps := batchOf(t, recordsOf(0, 10), kgo.GzipCompression())
		binary.BigEndian.PutUint32(gaps[23:], 12) // how far its last offset is behind its first
		w.sendOf(0, "gaps", 10, sealed(gaps))
		times := batchOf(t, recordsOf(10, 20))
		recordbatch.Batch(times).SetAttributes(recordbatch.LogAppendTime)
		w.sendOf(0, "times", 10, sealed(times))
		w.sendOf(0, "large", 1000, batchOf(t, recordsOf(20, 1020)))
		w.sendOf(0, "small", 1, batchOf(t, recordsOf(1020, 1021)))
		time.Sleep(time.Second)
		w.want(w.said(), "0 gaps: 9", "0 times: 19", "0 large: 1019", "0 small: 1020")
		w.want(w.values(0), numbers(0, 1021)...)
		if got := w.k.Records("t")[15].Timestamp.UnixMilli(); got != 1_000_006 {
			t.Errorf("a record of a log's time has the time %d", got)
		}
		if n := refused.Hits(); n < 4 || n > 20 {
			t.Errorf("%d requests", n)
		}
	}, kgo.ProducerBatchMaxBytes(4096))
}

// TestRecordsThatAreMissing: a batch that has fewer records than it says is not written as those that it has.
func TestRecordsThatAreMissing(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		b := batchOf(t, recordsOf(0, 10))
		b = b[:len(b)-3]
		recordbatch.Batch(b).SetAttributes(recordbatch.LogAppendTime)
		w.sendOf(0, "short", 10, sealed(b))
		time.Sleep(time.Second)
		w.want(w.said(), "0 short: the batch can't be read: it says that it has 10 records, but has 9")
		w.want(w.values(0))
	})
}

// TestTooLarge: a batch is sent in parts that the broker takes; a record that it does not take fails, and all that is behind it.
func TestTooLarge(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.k.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "t", Err: kerr.MessageTooLarge, Count: -1, When: func(r kmsg.Request) bool {
			for _, rt := range r.(*kmsg.ProduceRequest).Topics {
				for _, rp := range rt.Partitions {
					if len(rp.Records) > 300 {
						return true
					}
				}
			}
			return false
		}})
		w.sendOf(0, "many", 100, batchOf(t, recordsOf(0, 100), kgo.GzipCompression()))
		time.Sleep(time.Minute)
		w.sendOf(0, "one", 1, batchOf(t, []*kgo.Record{{Value: []byte(strings.Repeat("x", 300))}}))
		w.sendOf(0, "behind", 10, batchOf(t, recordsOf(0, 10)))
		w.sendOf(1, "other", 10, batchOf(t, recordsOf(0, 10)))
		time.Sleep(time.Minute)
		said := w.said()
		slices.Sort(said)
		w.want(w.values(0), numbers(0, 100)...)
		if len(said) != 4 || said[1] != "0 many: 99" || !strings.Contains(said[2], "0 one: MESSAGE_TOO_LARGE") || !strings.Contains(said[0], "0 behind: MESSAGE_TOO_LARGE") || said[3] != "1 other: 9" {
			t.Errorf("said %q", said)
		}
		w.sendOf(0, "later", 10, batchOf(t, recordsOf(0, 10)))
		time.Sleep(time.Second)
		if said := w.said(); len(said) != 5 || !strings.Contains(said[4], "0 later: MESSAGE_TOO_LARGE") {
			t.Errorf("said %q", said)
		}
	})
}

// TestTopicRecreated: a topic that was made anew knows nothing of the producer, which is nothing to warn of.
func TestTopicRecreated(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		var log strings.Builder
		w.Logger = slog.New(slog.NewTextHandler(&log, nil))
		for n := range 3 {
			w.sendOf(0, n, 10, batchOf(t, recordsOf(10*n, 10*n+10)))
			w.sendOf(1, n, 10, batchOf(t, recordsOf(10*n, 10*n+10)))
			time.Sleep(time.Second)
			w.want(w.values(0), numbers(10*n, 10*n+10)...)
			w.want(w.values(1), numbers(10*n, 10*n+10)...)
			if err := w.k.DeleteTopic("t"); err != nil {
				t.Fatal(err)
			}
			w.k.MustCreateTopic("t", 2)
		}
		if log.Len() > 0 {
			t.Errorf("log: %s", &log)
		}
	})
}

// TestDuplicate: what a broker has already is written; where it is is not known.
func TestDuplicate(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.k.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.DuplicateSequenceNumber, Count: 1})
		w.sendOf(0, "twice", 10, batchOf(t, recordsOf(0, 10)))
		time.Sleep(time.Second)
		w.want(w.said(), "0 twice: -1")
	})
}

// TestTroubleOfOne: a partition whose leader is looked for does not hold up the others of its topic.
func TestTroubleOfOne(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.sendOf(0, "first", 10, batchOf(t, recordsOf(0, 10)))
		w.sendOf(1, "first", 10, batchOf(t, recordsOf(0, 10)))
		time.Sleep(time.Second)
		w.k.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "t", Partitions: []int32{0}, Err: kerr.NotLeaderForPartition, Count: -1})
		w.k.ControlKey(int16(kmsg.Metadata), func(kmsg.Request) (kmsg.Response, error, bool) {
			w.k.KeepControl()
			return nil, nil, true // no answer
		})
		w.sendOf(0, "second", 10, batchOf(t, recordsOf(10, 20)))
		time.Sleep(time.Second)
		w.sendOf(1, "second", 10, batchOf(t, recordsOf(10, 20)))
		time.Sleep(time.Second)
		if said := w.said(); len(said) != 3 || said[2] != "1 second: 19" {
			t.Errorf("said %q", said)
		}
	})
}

// TestNotThere: batches of a topic that does not exist fail after a while, as records do; sooner if it is the partition alone.
func TestNotThere(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		var log strings.Builder
		w.Logger = slog.New(slog.NewTextHandler(&log, nil))
		w.sendOf(9, "nine", 10, batchOf(t, recordsOf(0, 10)))
		w.sendOf(0, "zero", 10, batchOf(t, recordsOf(0, 10)))
		time.Sleep(longestBeyond - time.Second)
		w.want(w.said(), "0 zero: 9")
		time.Sleep(2 * time.Second)
		w.want(w.said(), "0 zero: 9", "9 nine: topic t has 4 partitions, and no partition 9")
		if log.Len() > 0 {
			t.Errorf("log: %s", &log)
		}
		w.Send(&Batch{Topic: "none", Partition: 1, Bytes: batchOf(t, recordsOf(0, 10)), Records: 10, Of: "none"})
		time.Sleep(longestMissing - time.Second)
		if said := w.said(); len(said) != 2 {
			t.Errorf("said %q", said)
		}
		time.Sleep(2 * time.Second)
		if said := w.said(); len(said) != 3 || !strings.Contains(said[2], "UNKNOWN_TOPIC_OR_PARTITION") {
			t.Errorf("said %q", said)
		}
	}, kgo.RetryBackoffFn(func(tries int) time.Duration { return min(time.Second, 100*time.Millisecond<<min(tries-1, 10)) }))
}

// TestTopicGrows: a batch waits for a partition that is being added, also to a topic that was made before it.
func TestTopicGrows(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.Send(&Batch{Topic: "late", Partition: 3, Bytes: batchOf(t, recordsOf(0, 10)), Records: 10, Of: "late"})
		time.Sleep(longestMissing - 5*time.Second)
		w.k.MustCreateTopic("late", 2)
		time.Sleep(longestBeyond - time.Second)
		if _, err := kadm.NewClient(w.Client).CreatePartitions(t.Context(), 2, "late"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		w.want(w.said(), "3 late: 9")
	})
}

// TestCloseWhileBusy: batches that are not done then never are, and no goroutine is left.
func TestCloseWhileBusy(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.k.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.NotEnoughReplicas, Count: -1})
		for n := range 20 {
			w.sendOf(int32(n%4), n, 10, batchOf(t, recordsOf(0, 10)))
		}
		time.Sleep(time.Second)
		w.Close()
		w.sendOf(0, "late", 10, batchOf(t, recordsOf(0, 10)))
		time.Sleep(time.Minute)
		w.want(w.said())
	})
}

// TestRefusedAfterDoubt: what takes the place of a batch that may have been written must not pass for it.
func TestRefusedAfterDoubt(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.k.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.RequestTimedOut, Count: 1})
		left := 1
		w.k.ControlKey(int16(kmsg.Produce), func(r kmsg.Request) (kmsg.Response, error, bool) {
			w.k.KeepControl()
			if left--; left == 0 {
				w.k.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.InvalidRecord, Count: 1})
			}
			return nil, nil, false
		})
		w.sendOf(0, "first", 10, batchOf(t, recordsOf(0, 10)))
		time.Sleep(time.Minute)
		w.sendOf(0, "second", 10, batchOf(t, recordsOf(10, 20)))
		time.Sleep(time.Minute)
		// It was written, and then, as it was refused, once more: at least once.
		w.want(w.values(0), append(numbers(0, 10), numbers(0, 20)...)...)
	})
}

// TestGoroutinesEnd when there is nothing to do.
func TestGoroutinesEnd(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		for n := range 10 {
			w.sendOf(0, n, 10, batchOf(t, recordsOf(10*n, 10*n+10)))
			time.Sleep(time.Second)
			w.Producer.mu.Lock()
			if w.running || w.pending != 0 || len(w.waiting) != 0 {
				t.Errorf("busy after %d batches", n)
			}
			w.Producer.mu.Unlock()
		}
		w.want(w.values(0), numbers(0, 100)...)
	})
}

// asTheyCame reports whether a request has a batch for a partition that was not rewritten, and has several records.
func asTheyCame(r kmsg.Request, partition int32) bool {
	for _, rt := range r.(*kmsg.ProduceRequest).Topics {
		for _, rp := range rt.Partitions {
			if rp.Partition == partition {
				b := recordbatch.Batch(rp.Records)
				return b.Attributes()&recordbatch.Compression != 0 && b.Records() > 1
			}
		}
	}
	return false
}

// TestOrder: whatever brokers answer, all batches of each partition arrive in order. A record may come again only together with its batch.
func TestOrder(t *testing.T) {
	for seed := range uint64(10) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				random := rand.New(rand.NewPCG(seed, 1))
				errs := []*kerr.Error{kerr.NotLeaderForPartition, kerr.RequestTimedOut, kerr.NotEnoughReplicasAfterAppend, kerr.OutOfOrderSequenceNumber, kerr.InvalidRecord, kerr.MessageTooLarge, kerr.NotEnoughReplicas, kerr.UnknownProducerID}
				lost := 0
				stop := make(chan struct{})
				var wg sync.WaitGroup
				wg.Go(func() {
					for {
						select {
						case <-stop:
							return
						case <-time.After(30 * time.Millisecond):
						}
						switch random.IntN(3) {
						case 0:
							_ = w.k.MoveTopicPartition("t", int32(random.IntN(4)), int32(random.IntN(3)))
						default:
							f := kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "t", Partitions: []int32{int32(random.IntN(4))}, Err: errs[random.IntN(len(errs))], Count: 1}
							if f.Err == kerr.InvalidRecord || f.Err == kerr.MessageTooLarge { // which are final for what was rewritten, or is one record
								f.When = func(r kmsg.Request) bool { return asTheyCame(r, f.Partitions[0]) }
							}
							if lostTrack(f.Err) {
								lost++
							}
							if !lostTrack(f.Err) || lost <= maxRenewals {
								w.k.Fault(f)
							}
						}
					}
				})
				pick := rand.New(rand.NewPCG(seed, 2))
				next := make([]int, 4)
				batches := 0
				for range 200 {
					part := pick.IntN(4)
					n := 1 + pick.IntN(20)
					w.sendOf(int32(part), next[part], n, batchOf(t, recordsOf(next[part], next[part]+n), kgo.GzipCompression()))
					next[part] += n
					batches++
					if pick.IntN(3) == 0 {
						time.Sleep(10 * time.Millisecond)
					}
				}
				close(stop)
				wg.Wait()
				time.Sleep(time.Minute)
				if said := w.said(); len(said) != batches {
					t.Fatalf("%d of %d batches are done", len(said), batches)
				}
				for _, line := range w.said() {
					if strings.Contains(line, "_") {
						t.Fatalf("failed: %s", line)
					}
				}
				for part := range next {
					seen := 0
					for _, v := range w.values(int32(part)) {
						var n int
						fmt.Sscan(v, &n)
						if n > seen {
							t.Fatalf("partition %d: %d comes after %d", part, n, seen-1)
						}
						seen = n + 1
					}
					if seen != next[part] {
						t.Errorf("partition %d ends with %d, not %d", part, seen, next[part])
					}
				}
			})
		})
	}
}

// TestLimits: a batch that can't be written has its time, or its attempts, and the client's end is the end.
func TestLimits(t *testing.T) {
	for name, c := range map[string]struct {
		opt   kgo.Opt
		after time.Duration
		is    error
	}{
		"time":     {kgo.RecordDeliveryTimeout(10 * time.Second), 10 * time.Second, kgo.ErrRecordTimeout},
		"attempts": {kgo.RecordRetries(20), 3 * time.Second, kerr.NotEnoughReplicas},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := kafkatest.New(t)
				k.MustCreateTopic("t", 1)
				k.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.NotEnoughReplicas, Count: -1})
				failed := make(chan error, 2)
				p := New(context.Background(), Config{Client: k.Client(c.opt, kgo.RetryBackoffFn(func(int) time.Duration { return 100 * time.Millisecond })), Done: func(_ *Batch, err error) { failed <- err }})
				defer p.Close()
				began := time.Now()
				for range 2 {
					p.Send(&Batch{Topic: "t", Bytes: batchOf(t, recordsOf(0, 10)), Records: 10})
				}
				for range 2 {
					if err := <-failed; !errors.Is(err, c.is) || !strings.Contains(err.Error(), "NOT_ENOUGH_REPLICAS") {
						t.Errorf("it failed with %v", err)
					}
				}
				if took := time.Since(began); took > c.after+time.Second {
					t.Errorf("it took %v", took)
				}
			})
		})
	}
}

// TestLatencyBeforeTheFirstBatch: it is asked for, and of a producer that is closed nothing is.
func TestLatencyBeforeTheFirstBatch(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		const way = 30 * time.Millisecond
		var asked atomic.Int64
		w.k.ControlKey(int16(kmsg.Metadata), func(kmsg.Request) (kmsg.Response, error, bool) {
			w.k.KeepControl()
			asked.Add(1)
			w.k.SleepControl(func() { time.Sleep(way) })
			return nil, nil, false
		})
		for range 10 {
			if d := w.Latency(); d != 0 {
				t.Errorf("%v, though nothing was sent", d)
			}
		}
		time.Sleep(time.Second)
		if d := w.Latency(); d != way || asked.Load() != questions {
			t.Errorf("%v after %d questions, want %v after %d", d, asked.Load(), way, questions)
		}
		time.Sleep(latencyValid)
		w.Close()
		before := asked.Load()
		d := w.Latency()
		time.Sleep(time.Second)
		if d != way || asked.Load() != before {
			t.Errorf("%v, and %d questions of a producer that is closed", d, asked.Load()-before)
		}
	})
}
