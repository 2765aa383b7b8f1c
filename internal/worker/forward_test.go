package worker

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/kafkatest"
	"github.com/gokconnect/connect/internal/rawproduce"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// batchWorld is a sourceWorld whose tasks may return batches.
type batchWorld struct {
	*sourceWorld
	*journal
	now *Forwarding // of the last run
}

// inBatchWorld runs a test of source tasks that return batches, with a topic t of two partitions.
func inBatchWorld(t *testing.T, f func(t *testing.T, w *batchWorld), opts ...kafkatest.Option) {
	synctest.Test(t, func(t *testing.T) {
		k := kafkatest.New(t, opts...)
		k.MustCreateTopic("t", 2)
		j := new(journal)
		w := &batchWorld{sourceWorld: newSourceWorld(t, j, k), journal: j}
		w.use(producer(t, k, kgo.ProducerBatchCompression(kgo.NoCompression()), kgo.RetryBackoffFn(func(int) time.Duration { return 100 * time.Millisecond })))
		f(t, w)
	})
}

// use makes a client the one for records and for batches.
func (w *batchWorld) use(client *kgo.Client) {
	w.client = client
	w.forward = func() *Forwarding {
		w.now = &Forwarding{New: func(ctx context.Context, done func(*rawproduce.Batch, error)) BatchProducer {
			return rawproduce.New(ctx, rawproduce.Config{Client: client, Done: done, Logger: w.opts.Logger})
		}}
		return w.now
	}
}

// batches returns so many batches of a size for a partition, of numbers from from on, as they stand in a log; with offsets {n: the number behind
// the last}.
func (w *batchWorld) batches(partition int32, from, count, size int) []connect.SourceRecord {
	topic := fmt.Sprint("source", time.Now().UnixNano(), from)
	if err := w.k.CreateTopic(topic, 1, nil); err != nil {
		panic(err)
	}
	client := w.k.Client(kgo.ProducerBatchCompression(kgo.GzipCompression()), kgo.ProducerLinger(time.Second))
	defer client.Close()
	for i := range count {
		var recs []*kgo.Record
		for n := from + i*size; n < from+(i+1)*size; n++ {
			recs = append(recs, &kgo.Record{Topic: topic, Key: []byte("key"), Value: []byte(fmt.Sprint(n)), Headers: []kgo.RecordHeader{{Key: "h", Value: []byte(strings.Repeat("v", 100))}}})
		}
		if err := client.ProduceSync(context.Background(), recs...).FirstErr(); err != nil {
			panic(err)
		}
	}
	var out []connect.SourceRecord
	n := from
	for _, b := range w.k.Batches(topic, 0) {
		records := int(binary.BigEndian.Uint32(b[57:]))
		n += records
		out = append(out, connect.SourceRecord{Record: connect.Record{Topic: "t", Partition: connect.ToPartition(partition), Value: connect.RecordBatch{Bytes: b, Records: records}},
			SourcePartition: connect.Fields{"p": fmt.Sprint(partition)}, SourceOffset: connect.Fields{"n": int64(n)}})
	}
	return out
}

// source returns a task that returns these polls, one after the other, and writes down what it hears of batches.
func (w *batchWorld) source(polls ...[]connect.SourceRecord) *source {
	return &source{journal: w.journal, poll: func(ctx context.Context, n int) ([]connect.SourceRecord, error) {
		w.now.ForwardsBatches(true)
		if n <= len(polls) {
			return polls[n-1], nil
		}
		<-ctx.Done()
		return nil, nil
	}, commitRecord: func(r *connect.SourceRecord, m *connect.RecordMetadata) error {
		w.add("at %d-%d of %v", m.Partition, m.Offset, r.SourceOffset.Fields()["n"])
		return nil
	}}
}

// copied returns batches that may be changed.
func copied(all []connect.SourceRecord) []connect.SourceRecord {
	out := slices.Clone(all)
	for i := range out {
		b := out[i].Value.(connect.RecordBatch)
		out[i].Value = connect.RecordBatch{Bytes: slices.Clone(b.Bytes), Records: b.Records}
	}
	return out
}

// lands runs a task for a while and checks that these numbers are in partition 0, in order, once each, and that the offset is stored.
func (w *batchWorld) lands(t *testing.T, from, to int, during func(), polls ...[]connect.SourceRecord) {
	t.Helper()
	task := w.task(w.source(polls...))
	if during != nil {
		during()
	}
	time.Sleep(30 * time.Second)
	end(t, task)
	want(t, "trouble", w.with("FAILED", "RESTARTING"), nil)
	want(t, "records", values(w.k, "t"), numbers(from, to))
	if got := w.stored(t); got["0"] != int64(to) {
		t.Errorf("stored %v, want %d", got, to)
	}
}

func codec(batch []byte) int { return int(batch[22] & 7) }

// TestBatchesPassAsTheyAre: compressed as they came, counted by their records, told of and stored once they are written.
func TestBatchesPassAsTheyAre(t *testing.T) {
	inBatchWorld(t, func(t *testing.T, w *batchWorld) {
		sent := 0
		w.opts.Sent = func(_ string, n int) { sent += n }
		batch := w.batches(0, 0, 3, 100)
		came := make([][]byte, len(batch))
		for i := range batch {
			came[i] = slices.Clone(batch[i].Value.(connect.RecordBatch).Bytes)
		}
		w.lands(t, 0, 300, nil, batch)
		want(t, "commits", w.with("at "), []string{"at 0-99 of 100", "at 0-199 of 200", "at 0-299 of 300"})
		if sent != 300 {
			t.Errorf("%d records were sent", sent)
		}
		wrote := w.k.Batches("t", 0)
		if len(wrote) != 3 {
			t.Fatalf("%d batches were written", len(wrote))
		}
		for i := range wrote {
			if codec(wrote[i]) != codec(came[i]) || codec(came[i]) == 0 || !bytes.Equal(wrote[i][61:], came[i][61:]) {
				t.Errorf("batch %d is not what came", i)
			}
			if id := binary.BigEndian.Uint64(wrote[i][43:]); id == binary.BigEndian.Uint64(came[i][43:]) || int64(id) < 0 {
				t.Errorf("batch %d is of the producer %d", i, id)
			}
		}
		r := w.k.Records("t")[150]
		if string(r.Key) != "key" || len(r.Headers) != 1 {
			t.Errorf("a record has the key %q and %d headers", r.Key, len(r.Headers))
		}
	})
}

// TestBatchTrouble: whatever happens on the way, each record arrives once, in order, and its offset is stored then.
func TestBatchTrouble(t *testing.T) {
	fault := func(err *kerr.Error, count int) func(*batchWorld) {
		return func(w *batchWorld) {
			w.k.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "t", Err: err, Count: count})
		}
	}
	for _, c := range []struct {
		name  string
		cause func(w *batchWorld)
		raw   bool // they are still as they came
	}{
		{"not the leader", fault(kerr.NotLeaderForPartition, 3), true},
		{"written but not answered in time", fault(kerr.RequestTimedOut, 3), true},
		{"out of order", fault(kerr.OutOfOrderSequenceNumber, 2), true},
		{"unknown producer", fault(kerr.UnknownProducerID, 1), true},
		{"old epoch", fault(kerr.InvalidProducerEpoch, 1), true},
		{"invalid record", fault(kerr.InvalidRecord, 1), false},
		{"corrupt", fault(kerr.CorruptMessage, 1), false},
		{"unknown compression", fault(kerr.UnsupportedCompressionType, 1), false},
		{"too large, and parts of it", fault(kerr.MessageTooLarge, 3), false},
		{"no producer id at first", func(w *batchWorld) {
			w.k.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.InitProducerID}, Err: kerr.CoordinatorLoadInProgress, Count: 2})
		}, true},
		{"no right to a producer id", func(w *batchWorld) {
			w.k.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.InitProducerID}, TopLevel: true, Err: kerr.ClusterAuthorizationFailed, Count: 1})
		}, true},
		{"lost connections", func(w *batchWorld) {
			left := 3
			w.k.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
				w.k.KeepControl()
				if left--; left < 0 {
					return nil, nil, false
				}
				return nil, errTest, true
			})
		}, true},
		{"the leader moves", func(w *batchWorld) {
			go func() {
				for i := range 40 {
					_ = w.k.MoveTopicPartition("t", 0, int32(i%3))
					time.Sleep(50 * time.Millisecond)
				}
			}()
		}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBatchWorld(t, func(t *testing.T, w *batchWorld) {
				var polls [][]connect.SourceRecord
				for i := range 10 {
					polls = append(polls, w.batches(0, i*60, 3, 20))
				}
				c.cause(w)
				w.lands(t, 0, 600, nil, polls...)
				compressed := 0
				for _, b := range w.k.Batches("t", 0) {
					if codec(b) != 0 {
						compressed++
					}
				}
				if c.raw != (compressed == 30) || compressed < 28 {
					t.Errorf("%d batches are as they came", compressed)
				}
			}, kafkatest.Brokers(3))
		})
	}
}

// TestBatchesAndRecordsKeepTheirOrder: they go different ways to the same partition.
func TestBatchesAndRecordsKeepTheirOrder(t *testing.T) {
	inBatchWorld(t, func(t *testing.T, w *batchWorld) {
		var polls [][]connect.SourceRecord
		for n := 0; n < 1000; n += 50 {
			poll := w.batches(0, n, 2, 10)
			for i := n + 20; i < n+40; i++ {
				poll = append(poll, connect.SourceRecord{Record: connect.Record{Topic: "t", Partition: connect.ToPartition(0), Value: fmt.Sprint(i)},
					SourcePartition: connect.Fields{"p": "0"}, SourceOffset: connect.Fields{"n": int64(i + 1)}})
			}
			polls = append(polls, append(poll, w.batches(0, n+40, 1, 10)...))
		}
		// Now and then one is late.
		w.k.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "t", Err: kerr.NotEnoughReplicas, Count: 20})
		w.lands(t, 0, 1000, nil, polls...)
	})
}

// TestBatchesHoldUpNoOtherPartition: records of one are sent while the batches of another can't be written.
func TestBatchesHoldUpNoOtherPartition(t *testing.T) {
	inBatchWorld(t, func(t *testing.T, w *batchWorld) {
		var polls [][]connect.SourceRecord
		for i := range 5 {
			polls = append(polls, append(w.batches(0, i*10, 1, 10), connect.SourceRecord{
				Record:          connect.Record{Topic: "t", Partition: connect.ToPartition(1), Value: fmt.Sprint("r", i)},
				SourcePartition: connect.Fields{"p": "1"}, SourceOffset: connect.Fields{"n": int64(i + 1)}}))
		}
		faults := w.k.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "t", Partitions: []int32{0}, Err: kerr.NotEnoughReplicas, Count: -1})
		task := w.run(func() connect.SourceTask { return w.source(polls...) })
		time.Sleep(10 * time.Second)
		want(t, "records meanwhile", values(w.k, "t"), []string{"r0", "r1", "r2", "r3", "r4"})
		faults.Remove()
		time.Sleep(30 * time.Second)
		end(t, task)
		want(t, "records", values(w.k, "t"), append(numbers(0, 50), "r0", "r1", "r2", "r3", "r4"))
	})
}

// TestBatchOffsetsWait: nothing is stored that is not written.
func TestBatchOffsetsWait(t *testing.T) {
	inBatchWorld(t, func(t *testing.T, w *batchWorld) {
		w.opts.FlushInterval = time.Second
		faults := w.k.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "t", Partitions: []int32{0}, Err: kerr.NotEnoughReplicas, Count: -1})
		other := w.batches(1, 0, 2, 10)
		w.lands(t, 0, 20, func() {
			time.Sleep(20 * time.Second)
			if got := w.stored(t); len(got) != 1 || got["1"] != 20 {
				t.Errorf("stored %v while a partition is not written", got)
			}
			w.k.DeleteRecords("t", 1, 20)
			faults.Remove()
		}, append(w.batches(0, 0, 2, 10), other...))
	})
}

// TestBatchDeliveryTimeout: a batch that can't be written in time fails the task, and the next run reads it again.
func TestBatchDeliveryTimeout(t *testing.T) {
	inBatchWorld(t, func(t *testing.T, w *batchWorld) {
		w.use(producer(t, w.k, kgo.RecordDeliveryTimeout(10*time.Second)))
		faults := w.k.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "t", Err: kerr.NotEnoughReplicas, Count: -1})
		all := w.batches(0, 0, 5, 10)
		w.opts.Restart = DefaultRestart
		task := w.run(func() connect.SourceTask { return w.source(copied(all)) })
		time.Sleep(11 * time.Second)
		failed := w.with("RESTARTING")
		if len(failed) != 1 || !strings.Contains(failed[0], "send to topic t, partition 0") || !strings.Contains(failed[0], "NOT_ENOUGH_REPLICAS") {
			t.Errorf("the run failed with %q", failed)
		}
		faults.Remove()
		time.Sleep(30 * time.Second)
		end(t, task)
		want(t, "records", values(w.k, "t"), numbers(0, 50))
		if got := w.stored(t); got["0"] != 50 {
			t.Errorf("stored %v", got)
		}
	})
}

// TestBatchTopicRecreated: nothing is lost that is sent after it, and the order stays.
func TestBatchTopicRecreated(t *testing.T) {
	inBatchWorld(t, func(t *testing.T, w *batchWorld) {
		before, after := w.batches(0, 0, 5, 10), w.batches(0, 50, 5, 10)
		s := w.source(before)
		first := s.poll
		s.poll = func(ctx context.Context, n int) ([]connect.SourceRecord, error) {
			if n == 2 {
				time.Sleep(10 * time.Second)
				w.now.ForwardsBatches(true)
				return after, nil
			}
			return first(ctx, n)
		}
		task := w.task(s)
		time.Sleep(5 * time.Second)
		if err := w.k.DeleteTopic("t"); err != nil {
			t.Fatal(err)
		}
		w.k.MustCreateTopic("t", 2)
		time.Sleep(30 * time.Second)
		end(t, task)
		want(t, "trouble", w.with("FAILED", "RESTARTING"), nil)
		want(t, "records", values(w.k, "t"), numbers(50, 100))
	})
}

// TestBatchesThatMayNotBe fail the task, which is not restarted unless they were corrupt, and nothing is written.
func TestBatchesThatMayNotBe(t *testing.T) {
	for _, c := range []struct {
		name, says string
		may        bool
		state      string
		change     func(r *connect.SourceRecord)
	}{
		{"not allowed", "no BatchForwarder said", false, "FAILED", func(*connect.SourceRecord) {}},
		{"no partition", "it has no partition", true, "FAILED", func(r *connect.SourceRecord) { r.Partition = connect.Partition{} }},
		{"a key", "it has a key or headers", true, "FAILED", func(r *connect.SourceRecord) { r.Key = "k" }},
		{"a pointer", "not a pointer", true, "FAILED", func(r *connect.SourceRecord) {
			b := r.Value.(connect.RecordBatch)
			r.Value = &b
		}},
		{"other records", "the batch has 10 records, not 11", true, "FAILED", func(r *connect.SourceRecord) {
			r.Value = connect.RecordBatch{Bytes: r.Value.(connect.RecordBatch).Bytes, Records: 11}
		}},
		{"corrupt", "its checksum is wrong", true, "RESTARTING", func(r *connect.SourceRecord) { r.Value.(connect.RecordBatch).Bytes[70] ^= 1 }},
		{"two of them", "bytes, not", true, "FAILED", func(r *connect.SourceRecord) {
			b := r.Value.(connect.RecordBatch).Bytes
			r.Value = connect.RecordBatch{Bytes: append(slices.Clone(b), b...), Records: 20}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBatchWorld(t, func(t *testing.T, w *batchWorld) {
				forward := w.forward
				w.forward = func() *Forwarding {
					f := forward()
					f.Now = func() bool { return c.may }
					return f
				}
				w.opts.Restart = DefaultRestart
				batch := w.batches(0, 0, 1, 10)
				c.change(&batch[0])
				task := w.task(w.source(batch))
				time.Sleep(500 * time.Millisecond) // less than the wait before a restart
				end(t, task)
				if got := w.with("FAILED", "RESTARTING"); len(got) != 1 || !strings.Contains(got[0], c.state) || !strings.Contains(got[0], c.says) {
					t.Errorf("got %q", got)
				}
				want(t, "records", values(w.k, "t"), nil)
			})
		})
	}
}

// TestBatchesStopInTime: a task whose batches can't be written stops all the same, and leaves no goroutine behind.
func TestBatchesStopInTime(t *testing.T) {
	inBatchWorld(t, func(t *testing.T, w *batchWorld) {
		link := w.k.NewLink()
		client, err := kgo.NewClient(append(link.ClientOpts(), kgo.RecordPartitioner(kgo.ManualPartitioner()))...)
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		w.use(client)
		w.opts.FlushTimeout = 2 * time.Second
		link.Freeze()
		task := w.task(w.source(w.batches(0, 0, 5, 10)))
		time.Sleep(10 * time.Second)
		began := time.Now()
		end(t, task)
		if took := time.Since(began); took > 6*time.Second || task.Abandoned() {
			t.Errorf("it took %v, abandoned %v", took, task.Abandoned())
		}
		if got := w.stored(t); len(got) > 0 {
			t.Errorf("stored %v", got)
		}
		link.Thaw()
	})
}

// TestBatchesOfAnEarlierRun are not written once the run has ended: the next one reads them again.
func TestBatchesOfAnEarlierRun(t *testing.T) {
	inBatchWorld(t, func(t *testing.T, w *batchWorld) {
		w.k.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "t", Partitions: []int32{0}, Err: kerr.InvalidRecord, Count: 2})
		stuck := w.k.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "t", Partitions: []int32{1}, Err: kerr.NotEnoughReplicas, Count: -1})
		all := append(w.batches(1, 0, 5, 10), w.batches(0, 50, 1, 10)...)
		w.opts.Restart = DefaultRestart
		task := w.run(func() connect.SourceTask { return w.source(copied(all)) })
		time.Sleep(20 * time.Second)
		if got := w.count("RESTARTING"); got != 1 {
			t.Errorf("%d restarts", got)
		}
		stuck.Remove()
		time.Sleep(20 * time.Second)
		end(t, task)
		want(t, "records", values(w.k, "t"), append(numbers(50, 60), numbers(0, 50)...))
	})
}

// TestBatchesAreBounded: what is in flight is bounded by bytes and by records, but a batch that is larger passes.
func TestBatchesAreBounded(t *testing.T) {
	inBatchWorld(t, func(t *testing.T, w *batchWorld) {
		w.opts.MaxRecords, w.opts.MaxBytes = 30, 1<<20
		batch := append(w.batches(0, 0, 1, 100), w.batches(0, 100, 20, 10)...)
		w.lands(t, 0, 300, nil, batch)
	})
}

// slowTarget is a producer of batches that knows how long the target takes to answer.
type slowTarget struct {
	BatchProducer
	latency time.Duration
}

func (s slowTarget) Latency() time.Duration { return s.latency }

// TestLeastBatch: 32 MiB a second should be on their way, once it is known how long that is.
func TestLeastBatch(t *testing.T) {
	f := new(Forwarding)
	want := func(n int) {
		t.Helper()
		if got := f.LeastBatch(); got != n {
			t.Errorf("got %d, want %d", got, n)
		}
	}
	want(math.MaxInt32)
	for latency, n := range map[time.Duration]int{0: math.MaxInt32, 1: 0, 250 * time.Millisecond: 8 << 20, time.Hour: math.MaxInt32} {
		var raw BatchProducer = slowTarget{latency: latency}
		f.raw.Store(&raw)
		want(n)
	}
}
