package mirror_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/cluster"
	"github.com/gokconnect/connect/internal/kafkatest"
	"github.com/gokconnect/connect/internal/metrics/metricstest"
	"github.com/gokconnect/connect/plugin/mirror"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// inBatches has a pair with records in A's topic t in batches of 100, that are compressed and large enough to be forwarded.
type inBatches struct {
	*pair
	made   int
	bare   bool // without headers
	random *rand.Rand
}

func newInBatches(t *testing.T) *inBatches {
	p := &inBatches{pair: newPair(t), random: rand.New(rand.NewPCG(1, 2))}
	p.a.MustCreateTopic("t", 2)
	return p
}

// value returns the next one: its number, and what compresses to half of it at most.
func (p *inBatches) value() []byte {
	text := strconv.Itoa(p.made) + " "
	for range 8 {
		text += strconv.FormatUint(p.random.Uint64(), 36)
	}
	p.made++
	return []byte(text)
}

// produce makes batches, by turns in the two partitions.
func (p *inBatches) produce(batches int, opts ...kgo.Opt) {
	p.t.Helper()
	cl := p.a.Client(append(opts, kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchCompression(kgo.GzipCompression()))...)
	defer cl.Close()
	for i := range batches {
		records := make([]*kgo.Record, 100)
		for j := range records {
			records[j] = &kgo.Record{Topic: "t", Partition: int32(i % 2), Key: []byte("k"), Value: p.value()}
			if !p.bare {
				records[j].Headers = []kgo.RecordHeader{{Key: "h", Value: []byte{1}}}
			}
		}
		if err := cl.ProduceSync(p.t.Context(), records...).FirstErr(); err != nil {
			p.t.Fatal(err)
		}
	}
}

// transaction writes records in a transaction, by turns in the first partitions, and ends it.
func (p *inBatches) transaction(cl *kgo.Client, records, partitions int, commit bool) {
	p.t.Helper()
	if err := cl.BeginTransaction(); err != nil {
		p.t.Fatal(err)
	}
	before := p.made
	for i := range records {
		cl.Produce(p.t.Context(), &kgo.Record{Topic: "t", Partition: int32(i % partitions), Value: p.value()}, func(_ *kgo.Record, err error) {
			if err != nil {
				p.t.Error(err)
			}
		})
	}
	if err := cl.Flush(p.t.Context()); err != nil {
		p.t.Fatal(err)
	}
	if err := cl.EndTransaction(p.t.Context(), kgo.TransactionEndTry(commit)); err != nil {
		p.t.Fatal(err)
	}
	if !commit {
		p.made = before
	}
}

// start runs the connector until batches can be forwarded.
func (p *inBatches) start(more ...string) {
	p.t.Helper()
	p.run(map[string]connect.Config{"source": p.config(mirror.SourceClass, append(more, "topics", "t")...)})
	p.produce(40)
	p.copied()
	time.Sleep(3 * time.Second)
}

// copied waits until all was copied, and compares both sides.
func (p *inBatches) copied() {
	p.t.Helper()
	defer func() {
		if p.t.Failed() {
			p.t.Logf("of %d records the source has %d offsets, the target %d: %+v, %+v", p.made, size(p.a, "t"), size(p.b, "A.t"), p.a.PartitionInfos("t"), p.b.PartitionInfos("A.t"))
		}
	}()
	p.await(fmt.Sprintf("%d records", p.made), func() bool { return size(p.b, "A.t") >= int64(p.made) })
	p.same()
}

// same compares both sides.
func (p *inBatches) same() {
	p.t.Helper()
	want, got := p.a.Records("t"), p.b.Records("A.t")
	if len(want) != len(got) {
		p.t.Fatalf("%d records, want %d", len(got), len(want))
	}
	for i, w := range want {
		g := got[i]
		if g.Partition != w.Partition || string(g.Key) != string(w.Key) || string(g.Value) != string(w.Value) || !g.Timestamp.Equal(w.Timestamp) || !slices.EqualFunc(g.Headers, w.Headers, func(a, b kgo.RecordHeader) bool { return a.Key == b.Key && string(a.Value) == string(b.Value) }) {
			p.t.Fatalf("record %d: got %+v, want %+v", i, g, w)
		}
	}
}

// compressed returns how many records of A.t are in batches that are compressed, as the worker's producer makes none.
func compressed(t testing.TB, c *kafkatest.Cluster) (n int) {
	t.Helper()
	cl := c.Client()
	defer cl.Close()
	for _, info := range c.PartitionInfos("A.t") {
		for offset := int64(0); offset < info.HighWatermark; {
			req := kmsg.NewPtrFetchRequest()
			req.SessionEpoch, req.MaxBytes, req.Version = -1, 1<<20, 12
			topic, part := kmsg.NewFetchRequestTopic(), kmsg.NewFetchRequestTopicPartition()
			topic.Topic, topic.TopicID = "A.t", c.TopicInfo("A.t").TopicID
			part.Partition, part.FetchOffset, part.PartitionMaxBytes = info.Partition, offset, 1<<20
			topic.Partitions = append(topic.Partitions, part)
			req.Topics = append(req.Topics, topic)
			resp, err := cl.Broker(int(info.Leader)).Request(context.Background(), req)
			if err != nil {
				t.Fatal(err)
			}
			log := resp.(*kmsg.FetchResponse).Topics[0].Partitions[0].RecordBatches
			if len(log) == 0 {
				t.Fatalf("nothing at offset %d", offset)
			}
			for len(log) > 0 {
				var b kmsg.RecordBatch
				if err := b.ReadFrom(log[:min(len(log), 12+int(uint32(log[8])<<24|uint32(log[9])<<16|uint32(log[10])<<8|uint32(log[11])))]); err != nil {
					break // a part of one
				}
				if b.Attributes&7 != 0 {
					n += int(b.NumRecords)
				}
				offset = b.FirstOffset + int64(b.LastOffsetDelta) + 1
				log = log[12+b.Length:]
			}
		}
	}
	return n
}

// TestBatchesAreForwarded: batches stay as they are, in their order, with offsets that can be gone on from, and offset syncs.
func TestBatchesAreForwarded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newInBatches(t)
		p.meters = new(metricstest.Provider)
		p.start()
		before, counted := compressed(t, p.b), p.measured("forwarded-record-count")
		if counted != float64(before) {
			t.Errorf("%v records were forwarded, it is said, of %d", counted, before)
		}
		p.produce(60)
		p.copied()
		time.Sleep(2 * time.Second)
		if n := p.measured("forwarded-record-count") - counted; n != 6000 {
			t.Errorf("%v of 6000 records were forwarded, it is said", n)
		}
		if n := p.measured("record-count"); n != float64(p.made) {
			t.Errorf("%v of %d records were copied, it is said", n, p.made)
		}
		if n := compressed(t, p.b) - before; n != 6000 {
			t.Errorf("%d of 6000 records were forwarded in their batches", n)
		}
		last := syncs(t, p.a, "mm2-offset-syncs.B.internal")
		p.await("an offset sync of the last batch", func() bool {
			last = syncs(t, p.a, "mm2-offset-syncs.B.internal")
			return slices.ContainsFunc(last, func(s mirror.OffsetSync) bool { return s.Upstream == int64(p.made/2-1) })
		})
		for _, s := range last {
			if s.Upstream != s.Downstream {
				t.Errorf("offset sync %+v", s)
			}
		}
		p.stop()
		p.run(map[string]connect.Config{"source": p.config(mirror.SourceClass, "topics", "t")})
		p.produce(10)
		p.copied()
	})
}

// TestForwardingAndHeaders: what is not ByteArrayConverter for headers is in the way only if there are some.
func TestForwardingAndHeaders(t *testing.T) {
	for _, headers := range []bool{false, true} {
		t.Run(strconv.FormatBool(headers), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newInBatches(t)
				p.bare = !headers
				p.run(map[string]connect.Config{"source": p.config(mirror.SourceClass, "topics", "t", "header.converter", "SimpleHeaderConverter")})
				for range 3 {
					p.produce(40)
					p.await("all records", func() bool { return size(p.b, "A.t") >= int64(p.made) })
					time.Sleep(3 * time.Second)
				}
				if n := compressed(t, p.b); (n == 0) != headers {
					t.Errorf("%d records were forwarded in their batches", n)
				}
				if !headers {
					p.same()
				}
			})
		})
	}
}

// TestBatchesAreNotForwarded: where something has to look at the records, or says how they are to be compressed.
func TestBatchesAreNotForwarded(t *testing.T) {
	for name, more := range map[string][]string{
		"switched off":     {"forward.batches.enabled", "false"},
		"a transformation": {"transforms", "f", "transforms.f.type", "org.apache.kafka.connect.transforms.DropHeaders", "transforms.f.headers", "none"},
		"a compression":    {"producer.override.compression.type", "none"},
		"tolerance":        {"errors.tolerance", "all"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newInBatches(t)
				p.run(map[string]connect.Config{"source": p.config(mirror.SourceClass, append(more, "topics", "t")...)})
				for range 3 {
					p.produce(40)
					p.await("all records", func() bool { return size(p.b, "A.t") >= int64(p.made) })
					time.Sleep(3 * time.Second)
				}
				if n := compressed(t, p.b); n != 0 {
					t.Errorf("%d records were forwarded in their batches", n)
				}
			})
		})
	}
}

// TestForwardingMeetsTrouble: whatever happens while batches are forwarded, all records are copied once, in order.
func TestForwardingMeetsTrouble(t *testing.T) {
	for name, trouble := range map[string]func(p *inBatches){
		"the source vanishes": func(p *inBatches) {
			p.linkA.Cut()
			p.produce(10)
			time.Sleep(10 * time.Minute)
			p.linkA.Heal()
		},
		"fetches are refused": func(p *inBatches) {
			p.a.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Topic: "t", Err: kerr.NotLeaderForPartition, Count: 4})
			p.produce(10)
		},
		"small batches": func(p *inBatches) {
			for range 50 {
				p.a.Produce(&kgo.Record{Topic: "t", Value: p.value()})
			}
		},
		"a tap": func(p *inBatches) {
			ctx, cancel := context.WithTimeout(p.t.Context(), 30*time.Second)
			defer cancel()
			done := make(chan int)
			go func() {
				n := 0
				for s := range p.rt.Tap(ctx, "source", cluster.TapOptions{}) {
					if s.Stage == "poll" && s.Key != nil {
						n++
					}
				}
				done <- n
			}()
			time.Sleep(5 * time.Second)
			p.produce(10)
			if n := <-done; n == 0 {
				p.t.Error("the tap showed no record")
			}
		},
		"transactions, one of them aborted": func(p *inBatches) {
			cl := p.a.Client(kgo.TransactionalID("x"), kgo.RecordPartitioner(kgo.ManualPartitioner()))
			defer cl.Close()
			for i := range 3 {
				p.transaction(cl, 100, 1, i != 1)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newInBatches(t)
				p.start("source.consumer.isolation.level", "read_committed")
				p.produce(10)
				trouble(p)
				p.produce(10)
				p.copied()
				time.Sleep(time.Minute)
				p.produce(60)
				p.copied()
				time.Sleep(3 * time.Second)
				before := compressed(t, p.b)
				p.produce(20)
				p.copied()
				if compressed(t, p.b) == before {
					t.Error("batches are not forwarded any more")
				}
			})
		})
	}
}

// TestAbortedTransactionsAreLeftOut: and what is behind them is forwarded as what is before them.
func TestAbortedTransactionsAreLeftOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newInBatches(t)
		p.start("source.consumer.isolation.level", "read_committed")
		cl := p.a.Client(kgo.TransactionalID("x"), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchCompression(kgo.GzipCompression()), kgo.ProducerLinger(100*time.Millisecond))
		defer cl.Close()
		before := compressed(t, p.b)
		for _, commit := range []bool{false, true, false, false, true} {
			p.transaction(cl, 2000, 2, commit)
		}
		p.copied()
		if n := compressed(t, p.b) - before; n != 4000 {
			t.Errorf("%d records were forwarded, want 4000", n)
		}
	})
}

// TestForwardedTopicIsMadeAnew: the new topic is copied from its beginning.
func TestForwardedTopicIsMadeAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newInBatches(t)
		p.start()
		p.produce(10)
		p.copied()
		old := p.made
		if err := p.a.DeleteTopic("t"); err != nil {
			t.Fatal(err)
		}
		p.a.MustCreateTopic("t", 2)
		p.produce(60) // more than before: the old position is one of the new topic too
		p.await("both topics", func() bool { return size(p.b, "A.t") >= int64(p.made) })
		seen := make(map[string]int)
		for _, r := range p.b.Records("A.t") {
			n, _, _ := strings.Cut(string(r.Value), " ")
			seen[n]++
		}
		for _, n := range numbers(old, p.made-old) {
			if seen[n] != 1 {
				t.Fatalf("record %s is there %d times", n, seen[n])
			}
		}
	})
}

// TestForwardedLogIsCutShort: records that were deleted before they could be copied are reported, and the rest is copied.
func TestForwardedLogIsCutShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newInBatches(t)
		p.start()
		p.linkA.Cut()
		p.produce(40)
		if err := p.a.DeleteRecords("t", 0, int64(p.made/2-500)); err != nil {
			t.Fatal(err)
		}
		p.linkA.Heal()
		p.await("the gap is reported", func() bool {
			return p.logged("records were deleted in the source before they could be copied") && p.logged("missing=1500")
		})
		p.await("the rest", func() bool { return size(p.b, "A.t") == int64(p.made-1500) })
	})
}
