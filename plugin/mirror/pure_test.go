package mirror_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/plugin/mirror"
)

func contains(s, part string) bool { return strings.Contains(s, part) }

// A translation never leads past the copy of the record at the offset, however syncs come.
func TestTranslationNeverSkips(t *testing.T) {
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 1))
		tp := mirror.TopicPartition{Topic: "t"}
		var store mirror.OffsetSyncStore
		store.Loaded()
		position := map[int64]int64{} // of an upstream offset that was copied, its downstream offset
		upstream, downstream := int64(0), random.Int64N(100)
		for range 300 {
			upstream += 1 + random.Int64N(1<<random.IntN(12)) // gaps of compaction
			downstream += 1 + random.Int64N(2)                // and of transaction markers
			position[upstream] = downstream
			if random.IntN(3) == 0 {
				store.Add(mirror.OffsetSync{TopicPartition: tp, Upstream: upstream, Downstream: downstream})
			}
			for offset, real := range position {
				got, ok := store.Translate(tp, offset)
				if !ok || got < 0 {
					continue
				}
				if got > real {
					t.Fatalf("seed %d: %d became %d, the copy of that record is %d: records between are skipped", seed, offset, got, real)
				}
			}
			if _, exact := store.Translate(tp, upstream); !exact && len(store.Slots(tp)) > 0 {
				t.Fatalf("seed %d: nothing is known", seed)
			}
		}
		slots := store.Slots(tp)
		if len(slots) > 64 || slots[0].Index != 0 {
			t.Errorf("seed %d: slots %v", seed, slots)
		}
		for i := 1; i < len(slots); i++ {
			if slots[i].Upstream >= slots[i-1].Upstream {
				t.Errorf("seed %d: slots are not from new to old: %v", seed, slots)
			}
		}
	}
}

func TestTranslationAtTheEndsOfNumbers(t *testing.T) {
	tp := mirror.TopicPartition{Topic: "t"}
	var store mirror.OffsetSyncStore
	store.Loaded()
	for _, upstream := range []int64{0, 1, math.MaxInt64 - 1, math.MaxInt64} {
		store.Add(mirror.OffsetSync{TopicPartition: tp, Upstream: upstream, Downstream: 1})
	}
	if got, ok := store.Translate(tp, math.MaxInt64); !ok || got != 1 {
		t.Errorf("got %d, %v", got, ok)
	}
	store.Add(mirror.OffsetSync{TopicPartition: tp, Upstream: 5, Downstream: 9}) // the topic was made anew
	if got, ok := store.Translate(tp, 4); !ok || got != -1 {
		t.Errorf("before the only sync: %d, %v", got, ok)
	}
}

func TestLongTexts(t *testing.T) {
	long := strings.Repeat("x", math.MaxInt16+1)
	if _, err := (mirror.Checkpoint{Group: "g", Metadata: long}).Value(); err == nil || !contains(err.Error(), "metadata") {
		t.Errorf("error %v", err)
	}
	if _, err := (mirror.Heartbeat{SourceAlias: long}).Key(); err == nil || !contains(err.Error(), "sourceClusterAlias") {
		t.Errorf("error %v", err)
	}
	c := mirror.Checkpoint{Group: long[1:]}
	key, err := c.Key()
	if err != nil {
		t.Fatal(err)
	}
	value, err := c.Value()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := mirror.DecodeCheckpoint(key, value); err != nil || got != c {
		t.Errorf("error %v", err)
	}
}

func TestTexts(t *testing.T) {
	tp := mirror.TopicPartition{Topic: "heartbeat"}
	for got, want := range map[string]string{
		mirror.OffsetSync{TopicPartition: tp}.String():                                                       "OffsetSync{topicPartition=heartbeat-0, upstreamOffset=0, downstreamOffset=0}",
		mirror.Checkpoint{Group: "my-group", TopicPartition: tp, Upstream: 351, Downstream: 42}.String():     "Checkpoint{consumerGroupId=my-group, topicPartition=heartbeat-0, upstreamOffset=351, downstreamOffset=42, metadata=}",
		mirror.Heartbeat{SourceAlias: "eu", TargetAlias: "us", Time: time.UnixMilli(1665592609324)}.String(): "Heartbeat{sourceClusterAlias=eu, targetClusterAlias=us, timestamp=1665592609324}",
	} {
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// Records of any content are decoded or refused, and what is decoded is encoded as it was.
func FuzzDecode(f *testing.F) {
	f.Add([]byte("\x00\x01t\x00\x00\x00\x03"), make([]byte, 16))
	f.Add([]byte("\x00\x01g\x00\x05src.t\x00\x00\x00\x03"), make([]byte, 20))
	f.Add([]byte("\xff\xff"), []byte{})
	f.Fuzz(func(t *testing.T, key, value []byte) {
		if s, err := mirror.DecodeOffsetSync(key, value); err == nil {
			k, err := s.Key()
			if err != nil || !strings.HasPrefix(string(key), string(k)) || !strings.HasPrefix(string(value), string(s.Value())) {
				t.Errorf("%v: %x, %v", s, k, err)
			}
		}
		if c, err := mirror.DecodeCheckpoint(key, value); err == nil {
			k, err := c.Key()
			v, err2 := c.Value()
			if err != nil || err2 != nil || !strings.HasPrefix(string(key), string(k)) || string(v[2:]) != string(value[2:len(v)]) {
				t.Errorf("%v: %x %x", c, k, v)
			}
		}
		if h, err := mirror.DecodeHeartbeat(key, value); err == nil {
			k, err := h.Key()
			if err != nil || !strings.HasPrefix(string(key), string(k)) {
				t.Errorf("%v: %x", h, k)
			}
		}
	})
}

func TestPartitionsAreSpread(t *testing.T) {
	flow, err := mirror.Options{}.ParseSourceConfig(connect.Config{"name": "m", "connector.class": "x", "source.cluster.alias": "A"})
	if err != nil {
		t.Fatal(err)
	}
	var partitions []mirror.TopicPartition
	for i := range 100 {
		partitions = append(partitions, mirror.TopicPartition{Topic: "t-1", Partition: int32(i)})
	}
	configs := flow.TaskConfigs(partitions, 7)
	seen := map[mirror.TopicPartition]bool{}
	for i, cfg := range configs {
		task, err := mirror.Options{}.ParseSourceTaskConfig(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if n := len(task.Partitions); n < 14 || n > 15 {
			t.Errorf("task %d has %d partitions", i, n)
		}
		for _, tp := range task.Partitions {
			seen[tp] = true
		}
	}
	if len(configs) != 7 || len(seen) != 100 {
		t.Errorf("%d tasks with %d partitions", len(configs), len(seen))
	}
}
