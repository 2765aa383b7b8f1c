package mirror

import (
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"log/slog"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/kafkatest"
	"github.com/gokconnect/connect/internal/recordbatch"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// answers are what a lane is told, one after the other, and then again.
type answers struct {
	of   []bool
	last bool

	least int
}

func (a *answers) LeastBatch() int { return a.least }

func (a *answers) ForwardsBatches(bool) bool {
	a.last, a.of = a.of[0], append(a.of[1:], a.of[0])
	return a.last
}

// inLane runs a test of a task that reads 10 records of t, of which it is at the 8th, with a lane that has seen large batches of it.
func inLane(t *testing.T, f func(t *testing.T, k *kafkatest.Cluster, task *sourceTask, p *partition)) {
	synctest.Test(t, func(t *testing.T) {
		k := kafkatest.New(t)
		k.MustCreateTopic("t", 1)
		for range 10 {
			k.Produce(&kgo.Record{Topic: "t", Value: []byte("v")})
		}
		tp := TopicPartition{Topic: "t"}
		p := &partition{TopicPartition: tp, next: 8, lane: laneState{epoch: 3, size: new(batchSizes)}}
		p.lane.size.batches.Add(1)
		p.lane.size.bytes.Add(leastSeen)
		task := &sourceTask{cfg: new(SourceConfig), log: slog.New(slog.DiscardHandler), parts: map[TopicPartition]*partition{tp: p},
			topics: map[string]*sourceTopic{"t": {id: k.TopicInfo("t").TopicID}}, client: k.Client(kgo.FetchMaxBytes(2<<20), kgo.FetchMaxPartitionBytes(64<<10))}
		defer task.client.Close()
		task.client.AddConsumePartitions(map[string]map[int32]kgo.Offset{"t": {0: kgo.NewOffset().At(p.next)}})
		task.lane = &batchLane{t: task, allowed: &answers{of: []bool{true}}, opts: k.ClientOpts(), busy: make(map[int32]bool), results: make(chan *fetched)}
		task.lane.ctx, task.lane.stop = context.WithCancel(t.Context())
		defer task.lane.close()
		f(t, k, task, p)
	})
}

// TestLaneGoesByTheLastAnswer: it is the one that the runtime remembers.
func TestLaneGoesByTheLastAnswer(t *testing.T) {
	for _, of := range [][]bool{{true}, {false}, {true, false}, {false, true}} {
		inLane(t, func(t *testing.T, _ *kafkatest.Cluster, task *sourceTask, p *partition) {
			a := &answers{of: of}
			task.lane.allowed = a
			task.lane.choose(t.Context())
			if p.lane.in != a.last {
				t.Errorf("answers %v: the lane has the partition: %t, the last answer was %t", of, p.lane.in, a.last)
			}
		})
	}
}

// TestLaneLeavesSmallBatches: what is large enough depends on how long the target takes to answer, and on how many partitions share the way. While
// it is not known, nothing is judged.
func TestLaneLeavesSmallBatches(t *testing.T) {
	for _, c := range []struct {
		least, partitions int
		want              bool
	}{
		{0, 1, true},
		{leastSeen, 1, true},
		{leastSeen + 1, 1, false},
		{3 * leastSeen, 3, true},
		{3 * (leastSeen + 1), 3, false},
		{mostShares * leastSeen, 2 * mostShares, true},
		{mostShares * (leastSeen + 1), 2 * mostShares, false},
		{math.MaxInt32, 1, false},
	} {
		inLane(t, func(t *testing.T, _ *kafkatest.Cluster, task *sourceTask, p *partition) {
			for i := 1; i < c.partitions; i++ {
				tp := TopicPartition{Topic: "t", Partition: int32(i)}
				task.parts[tp] = &partition{TopicPartition: tp, next: noOffset}
			}
			task.lane.allowed = &answers{of: []bool{true}, least: c.least}
			task.lane.choose(t.Context())
			if p.lane.in != c.want {
				t.Errorf("batches of %d bytes, wanted are %d by %d partitions: the lane has the partition: %t", leastSeen, c.least, c.partitions, p.lane.in)
			}
			if judged := !p.lane.size.seen(); !c.want && judged == (c.least == math.MaxInt32) {
				t.Errorf("wanted are %d bytes: the batches were judged: %t", c.least, judged)
			}
		})
	}
}

// TestLaneWaitsForTheConsumer: a partition that was given back is not taken over where it was: what the lane could not get past there it might
// never get past, and the consumer, which may need longer than a rest, would have to begin anew each time.
func TestLaneWaitsForTheConsumer(t *testing.T) {
	inLane(t, func(t *testing.T, _ *kafkatest.Cluster, task *sourceTask, p *partition) {
		for range 3 {
			if task.lane.choose(t.Context()); !p.lane.in {
				t.Fatal("the lane has not taken over")
			}
			task.lane.giveBack("of the test", p)
			for range 3 {
				time.Sleep(laneRest)
				p.lane.size.bytes.Add(leastSeen)
				if task.lane.choose(t.Context()); p.lane.in {
					t.Fatalf("the lane has the partition again at offset %d", p.next)
				}
			}
			p.next++
			time.Sleep(laneEvery)
		}
	})
}

// TestLaneLooksForLeadersNowAndThen: also where it never finds one, since it is another topic, or brokers tell no ids.
func TestLaneLooksForLeadersNowAndThen(t *testing.T) {
	inLane(t, func(t *testing.T, k *kafkatest.Cluster, task *sourceTask, p *partition) {
		task.topics["t"].id = [16]byte{1}
		seen := k.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Metadata}, Topic: "t", Count: -1, Observe: true})
		before := seen.Hits()
		for range 600 {
			task.lane.choose(t.Context())
			time.Sleep(laneEvery)
			p.lane.size.bytes.Add(leastSeen)
		}
		if n := seen.Hits() - before; n == 0 || n > 10 {
			t.Errorf("leaders were looked for %d times in a minute", n)
		}
		task.topics["t"].id = k.TopicInfo("t").TopicID
		time.Sleep(laneRest)
		task.lane.choose(t.Context())
		if !p.lane.in || p.lane.epoch != 3 {
			t.Errorf("the lane has the partition: %t, with the epoch %d", p.lane.in, p.lane.epoch)
		}
	})
}

// TestLaneHearsOfDataLoss: the consumer found out when it had a partition that the lane took over since.
func TestLaneHearsOfDataLoss(t *testing.T) {
	inLane(t, func(t *testing.T, _ *kafkatest.Cluster, task *sourceTask, p *partition) {
		task.lane.choose(t.Context())
		if !p.lane.in {
			t.Fatal("the lane has not taken over")
		}
		loss := kgo.NewErrFetch(&kgo.ErrDataLoss{Topic: "t", ConsumedTo: 8, ResetTo: 5})
		loss[0].Topics[0].Topic, loss[0].Topics[0].Partitions[0].Partition = "t", 0
		if _, err := task.failures(loss); err != nil {
			t.Fatal(err)
		}
		bounded, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		records := task.client.PollRecords(bounded, 100).Records()
		if p.lane.in || p.next != noOffset || len(records) != 5 || records[0].Offset != 5 {
			t.Errorf("the lane has the partition: %t; the consumer has %d records", p.lane.in, len(records))
		}
	})
}

// TestLaneFetchesAsConfigured: no more than is asked for, of a partition as of a broker, and behind the leader whose records came last.
func TestLaneFetchesAsConfigured(t *testing.T) {
	inLane(t, func(t *testing.T, _ *kafkatest.Cluster, task *sourceTask, p *partition) {
		for fixed, want := range map[bool][2]int32{false: {laneFetch, laneFetch}, true: {2 << 20, 64 << 10}} {
			task.fetchSize.fixed = fixed
			req := task.lane.fetchRequest(&fetched{from: []fetchFrom{{p, p.next, p.lane.id}}})
			if got := [2]int32{req.MaxBytes, req.Topics[0].Partitions[0].PartitionMaxBytes}; got != want {
				t.Errorf("fixed %t: got %d, want %d", fixed, got, want)
			}
			if got := req.Topics[0].Partitions[0].LastFetchedEpoch; got != 3 {
				t.Errorf("the epoch is %d", got)
			}
		}
	})
}

// TestLaneIsFair: where one fetch is full of one partition, the next begins with another.
func TestLaneIsFair(t *testing.T) {
	inLane(t, func(t *testing.T, k *kafkatest.Cluster, task *sourceTask, _ *partition) {
		task.lane.client = k.Client()
		task.parts = make(map[TopicPartition]*partition)
		for i := range int32(4) {
			p := &partition{TopicPartition: TopicPartition{Topic: "t", Partition: i}, lane: laneState{in: true}}
			task.parts[p.TopicPartition] = p
			task.lane.parts = append(task.lane.parts, p)
		}
		first := make(map[*partition]int)
		for range 40 {
			task.lane.request() // as Poll does
			if !task.lane.busy[0] {
				t.Fatal("nothing is asked for")
			}
			f := <-task.lane.results
			first[f.from[0].partition]++
			f.err, f.resp = nil, &kmsg.FetchResponse{Topics: []kmsg.FetchResponseTopic{{Topic: "t"}}}
			for i, from := range f.from {
				rp := kmsg.NewFetchResponseTopicPartition()
				rp.Partition = from.Partition
				if i == 0 {
					rp.RecordBatches = batchOf(func(b *kmsg.RecordBatch) { b.FirstOffset, b.Attributes = from.offset, recordbatch.Control })
				}
				f.resp.Topics[0].Partitions = append(f.resp.Topics[0].Partitions, rp)
			}
			if _, err := task.lane.take(f); err != nil {
				t.Fatal(err)
			}
		}
		for p, n := range first {
			if n != 10 {
				t.Errorf("partition %d was first %d times of 40", p.Partition, n)
			}
		}
		if len(first) != 4 {
			t.Errorf("%d partitions were first now and then", len(first))
		}
		task.lane.parts = nil
	})
}

// TestLaneWithoutRecordsIsHealthy: trouble of before has ended also where nothing comes.
func TestLaneWithoutRecordsIsHealthy(t *testing.T) {
	inLane(t, func(t *testing.T, _ *kafkatest.Cluster, task *sourceTask, p *partition) {
		task.cfg.PollTimeout, task.watch = time.Second, watch{every: reachEvery, log: task.log}
		p.next = 10
		task.lane.choose(t.Context())
		task.fails(errors.New("trouble"))
		for began := time.Now(); time.Since(began) < time.Minute; {
			if records, err := task.Poll(t.Context()); err != nil || len(records) > 0 {
				t.Fatalf("%d records, %v", len(records), err)
			}
		}
		if err := task.Health(t.Context()); !p.lane.in || err != nil {
			t.Errorf("the lane has the partition: %t; the task says %v", p.lane.in, err)
		}
	})
}

// TestRestOfABatch: of a batch of which the first records were copied, the others are; one that has fewer than it says fails the task.
func TestRestOfABatch(t *testing.T) {
	inLane(t, func(t *testing.T, _ *kafkatest.Cluster, task *sourceTask, p *partition) {
		p.lane.in = true
		for _, claims := range []int32{3, 4} {
			p.next = 101
			batch := batchOf(func(b *kmsg.RecordBatch) {
				b.Records = recordsOf(kmsg.Record{Value: []byte("0")}, kmsg.Record{OffsetDelta: 1, Value: []byte("1")}, kmsg.Record{OffsetDelta: 2, Value: []byte("2")})
				b.NumRecords, b.LastOffsetDelta = claims, claims-1
			})
			binary.BigEndian.PutUint32(batch[17:], crc32.Checksum(batch[21:], crc32.MakeTable(crc32.Castagnoli)))
			var records []connect.SourceRecord
			rp := kmsg.NewFetchResponseTopicPartition()
			rp.RecordBatches = batch
			unusual, err := task.lane.takePartition(p, &rp, &records)
			if short := claims > 3; short != errors.Is(err, errShortBatch) || !short && (len(records) != 2 || p.next != 103) {
				t.Errorf("%d records: %q, %v; %d are copied, up to %d", claims, unusual, err, len(records), p.next)
			}
		}
	})
}
