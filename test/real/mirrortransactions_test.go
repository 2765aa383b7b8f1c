//go:build real

package real

import (
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Of a topic that several producers write to in transactions what was committed is copied, in the order of the source, and by the batches as they
// are. How many of them depends on how fast the target answers, so that it does not run beside others.
func TestMirrorOfTransactions(t *testing.T) {
	a, b := twoClusters(t)
	createTopic(t, a, "orders", mirrored)
	source := mirrorOf(a, b, "MirrorSourceConnector")
	delete(source, "sync.group.offsets.enabled")
	source["source.consumer.isolation.level"] = "read_committed"
	w := newWorker(t, b.Bootstrap(), nil, source)
	start(t, w)

	const producers, transactions, records = 2, 16, 300
	var writing sync.WaitGroup
	for i := range producers {
		writing.Go(func() {
			random := rand.New(rand.NewPCG(1, uint64(i)))
			cl := client(t, a, kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.TransactionalID("producer-"+strconv.Itoa(i)), kgo.ProducerLinger(20*time.Millisecond), kgo.ProducerBatchCompression(kgo.GzipCompression()))
			for n := range transactions {
				if err := cl.BeginTransaction(); err != nil {
					t.Error(err)
					return
				}
				for r := range records {
					value := []byte(strconv.Itoa(i) + " " + strconv.Itoa(n*records+r) + " ")
					for len(value) < 8000 { // so that a batch is worth a slow round trip
						value = strconv.AppendUint(value, random.Uint64(), 36)
					}
					cl.Produce(t.Context(), &kgo.Record{Topic: "orders", Partition: int32(r % mirrored), Value: value}, func(_ *kgo.Record, err error) {
						if err != nil {
							t.Error(err)
						}
					})
				}
				if err := cl.Flush(t.Context()); err != nil {
					t.Error(err)
					return
				}
				<-time.After(time.Duration(random.IntN(100)) * time.Millisecond) // transactions overlap
				if err := cl.EndTransaction(t.Context(), kgo.TransactionEndTry(n%2 == 0)); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	writing.Wait()
	want := make(map[int32][]string)
	reader := client(t, a, kgo.ConsumeTopics("orders"), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	ctx := testContext(t)
	for n := producers * transactions / 2 * records; n > 0 && ctx.Err() == nil; {
		reader.PollFetches(ctx).EachRecord(func(r *kgo.Record) {
			want[r.Partition] = append(want[r.Partition], string(r.Value))
			n--
		})
	}
	adm := kadm.NewClient(client(t, b))
	await(t, "all records", func() bool { return endOffsets(b, adm, "A.orders") >= producers*transactions/2*records })
	stop(t, w)
	again := compareSides(t, want, valuesOf(t, b, "A.orders"))
	all, compressed := countBatches(t, b, "A.orders")
	t.Logf("%d records were copied twice; %d of %d batches are as they were", again, compressed, all)
	if compressed == 0 {
		t.Error("no batch was forwarded")
	}
}
