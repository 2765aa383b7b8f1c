package mirror_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gokconnect/connect/cluster"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// TestForwardingMeetsAllTrouble: partitions go to the lane and back at any moment, and all records are copied once, in order.
func TestForwardingMeetsAllTrouble(t *testing.T) {
	for seed := range uint64(2) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newInBatches(t)
				r := rand.New(rand.NewPCG(seed, 9))
				p.start("source.consumer.isolation.level", "read_committed")
				tx := p.a.Client(kgo.TransactionalID("x"), kgo.RecordPartitioner(kgo.ManualPartitioner()))
				for range 60 {
					switch r.IntN(9) {
					case 0:
						_ = p.a.MoveTopicPartition("t", int32(r.IntN(2)), int32(r.IntN(3)))
					case 1:
						errs := []*kerr.Error{kerr.NotLeaderForPartition, kerr.UnknownTopicOrPartition, kerr.FencedLeaderEpoch, kerr.OffsetNotAvailable, kerr.KafkaStorageError}
						p.a.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Topic: "t", Partitions: []int32{int32(r.IntN(2))}, Err: errs[r.IntN(len(errs))], Count: 1 + r.IntN(2)})
					case 2:
						for range 1 + r.IntN(30) {
							p.a.Produce(&kgo.Record{Topic: "t", Partition: int32(r.IntN(2)), Value: p.value()})
						}
					case 3:
						ctx, cancel := context.WithTimeout(p.t.Context(), time.Duration(r.IntN(3000))*time.Millisecond)
						go func() {
							defer cancel()
							for range p.rt.Tap(ctx, "source", cluster.TapOptions{}) {
							}
						}()
					case 4:
						p.b.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "A.t", Err: kerr.NotEnoughReplicas, Count: 3})
					case 5:
						p.linkA.Drop()
					case 6:
						p.transaction(tx, 1+r.IntN(300), 2, r.IntN(2) == 0)
					default:
						p.produce(1 + r.IntN(60))
					}
					time.Sleep(time.Duration(r.IntN(8000)) * time.Millisecond)
				}
				p.copied()
				if compressed(t, p.b) == 0 {
					t.Error("no batch was forwarded")
				}
			})
		})
	}
}
