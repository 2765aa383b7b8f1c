package worker

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/gokconnect/connect"
)

// naive is the tracker as one would write it without a thought for speed.
type naive map[int][]*naiveEntry

type naiveEntry struct {
	offset  int64
	pending int
}

// committable returns the offset of the last record before which all are acknowledged, or -1.
func (n naive) committable(partition int) int64 {
	at := int64(-1)
	for _, e := range n[partition] {
		if e.pending > 0 {
			break
		}
		at = e.offset
	}
	return at
}

// TestTrackerAgainstModel adds and acknowledges at random over many partitions, and compares what may be stored. Flushes
// fail now and then, and partitions that are idle are forgotten.
func TestTrackerAgainstModel(t *testing.T) {
	for seed := range uint64(30) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		var tr tracker
		model := naive{}
		stored := map[int]int64{} // what a store would hold
		next := map[int]int64{}
		type sent struct {
			ref   ref
			entry *naiveEntry
		}
		var flight []sent
		partitions := 1 + rnd.IntN(40)
		current := 0
		for step := range 4000 {
			switch x := rnd.IntN(100); {
			case x < 45:
				if rnd.IntN(3) == 0 {
					current = rnd.IntN(partitions)
				}
				pending := 1 + rnd.IntN(3)
				e := &naiveEntry{next[current], pending}
				next[current]++
				model[current] = append(model[current], e)
				// A connector may build its partition anew, with another width of integer.
				var number any = int64(current)
				if rnd.IntN(2) == 0 {
					number = int32(current)
				}
				r := tr.add(connect.Fields{"n": number, "name": "p"}, connect.Fields{"at": e.offset}, pending)
				for range pending {
					flight = append(flight, sent{r, e})
				}
			case x < 92 && len(flight) > 0:
				i := rnd.IntN(min(len(flight), 50))
				s := flight[i]
				flight = append(flight[:i], flight[i+1:]...)
				s.entry.pending--
				if last := s.ref.ack(); last != (s.entry.pending == 0) {
					t.Fatalf("seed %d, step %d: ack says last=%v, %d are pending", seed, step, last, s.entry.pending)
				}
			case x < 97:
				taken := tr.take()
				if rnd.IntN(3) == 0 {
					tr.restore(taken)
					break
				}
				for _, c := range taken {
					p := c.fields()
					n := fmt.Sprint(p.Partition["n"])
					var partition int
					fmt.Sscan(n, &partition)
					stored[partition] = p.Offset["at"].(int64)
				}
				for p := range model {
					want, ok := stored[p]
					if !ok {
						want = -1
					}
					if got := model.committable(p); got != want {
						t.Fatalf("seed %d, step %d: partition %d is stored at %d, want %d", seed, step, p, want, got)
					}
				}
			default:
				tr.forgetIdle()
			}
		}
	}
}

func TestTrackerForgetsIdlePartitions(t *testing.T) {
	var tr tracker
	add := func(i int) ref { return tr.add(connect.Fields{"file": i}, connect.Fields{"n": 1}, 1) }
	held := add(-1)
	for i := range 3 * maxIdleTracks {
		add(i).ack()
		if i%100 == 99 {
			tr.take()
		}
	}
	if n := len(tr.tracks); n > maxIdleTracks+200 || n != len(tr.byKey) {
		t.Errorf("%d partitions are remembered, %d by key", n, len(tr.byKey))
	}
	tr.take()
	tr.forgetIdle()
	if len(tr.tracks) != 1 {
		t.Fatalf("%d partitions are remembered, want the one with a record in flight", len(tr.tracks))
	}
	held.ack()
	if got := tr.take(); len(got) != 1 || got[0].fields().Partition["file"] != -1 {
		t.Errorf("the partition that was not idle gives %v", got)
	}
}

func TestTrackerTellsPartitionsApart(t *testing.T) {
	partitions := []connect.Fields{nil, {}, {"a": nil}, {"a": ""}, {"a": "nil"}, {"a": "1"}, {"a": int64(1)}, {"a": 1.5}, {"a": true}, {"a": "true"},
		{"a": "b", "c": "d"}, {"a": "b\",\"c\":\"d"}, {"ab": ""}, {"a": "b"}}
	var tr tracker
	for range 2 { // the second time by the last one that was used, or by key
		for i, p := range partitions {
			if got := tr.find(p); got != tr.tracks[i] {
				t.Errorf("partition %v was taken for %v", p, got.partition)
			}
		}
	}
}

func BenchmarkTrackerInterleaved(b *testing.B) {
	var tr tracker
	partitions := make([]connect.Fields, 8)
	for i := range partitions {
		partitions[i] = connect.Fields{"topic": "orders", "partition": int64(i)}
	}
	o := offset(1)
	b.ReportAllocs()
	for i := range b.N {
		tr.add(partitions[i%len(partitions)], &o, 1).ack()
	}
}
