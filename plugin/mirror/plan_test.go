package mirror

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestPlanTopics(t *testing.T) {
	remote := func(topic string) string { return "A." + topic }
	plan := planTopics(topicCounts{"new": 2, "same": 3, "grown": 4, "smaller": 1, "also": 1}, topicCounts{"A.same": 3, "A.grown": 2, "A.smaller": 5, "new": 7}, remote)
	if want := []string{"also", "new"}; !slices.Equal(plan.create, want) {
		t.Errorf("create %q, want %q", plan.create, want)
	}
	if want := (topicCounts{"A.grown": 4}); !maps.Equal(plan.grow, want) {
		t.Errorf("grow %v, want %v", plan.grow, want)
	}
}

func TestPartitionsKeepTheirPlaces(t *testing.T) {
	first := orderPartitions(nil, topicCounts{"b": 2, "c": 1})
	if want := []TopicPartition{{Topic: "b", Partition: 0}, {Topic: "b", Partition: 1}, {Topic: "c", Partition: 0}}; !slices.Equal(first, want) {
		t.Fatalf("got %v", first)
	}
	more := orderPartitions(&first, topicCounts{"a": 1, "b": 3, "c": 1})
	if want := append(slices.Clone(first), TopicPartition{Topic: "a"}, TopicPartition{Topic: "b", Partition: 2}); !slices.Equal(more, want) {
		t.Errorf("got %v, want %v", more, want)
	}
	less := orderPartitions(&more, topicCounts{"a": 1, "b": 1})
	if want := []TopicPartition{{Topic: "b"}, {Topic: "a"}}; !slices.Equal(less, want) {
		t.Errorf("got %v, want %v", less, want)
	}
}

func TestSizeOfFetch(t *testing.T) {
	for _, tt := range []struct {
		name         string
		wire, memory int64
		want         int32
	}{
		{"large records, not compressed", 1 << 20, 1 << 20, 2 << 20},
		{"nothing known of memory", 8 << 20, 0, mostFetch},
		{"grows tenfold", 1 << 20, 10 << 20, 209715},
		{"grows a hundredfold", 1 << 20, 100 << 20, leastFetch},
	} {
		if got := sizeOfFetch(tt.wire, tt.memory); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
}

// A sync that could not be sent is sent later, unless a newer one of its partition was made meanwhile.
func TestFailedSyncIsSentLater(t *testing.T) {
	q := syncQueue{maxLag: 100}
	p := &partition{TopicPartition: TopicPartition{Topic: "t"}}
	q.record(p, 10, 0)
	first, _ := q.take()
	q.again(first)
	if e, ok := q.take(); !ok || e.upstream != 10 {
		t.Errorf("got %v, %v, want the first once more", e, ok)
	}
	q.record(p, 20, 1) // a gap: due
	second, _ := q.take()
	q.again(first)
	if e, ok := q.take(); ok {
		t.Errorf("got %v, want nothing: it is older than what was taken last", e)
	}
	q.again(second)
	if e, ok := q.take(); !ok || e.upstream != 20 {
		t.Errorf("got %v, %v, want the second once more", e, ok)
	}
}

func TestSchedule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		began := time.Now()
		var once, often []time.Duration
		fails := 2
		failing := &job{name: "once", every: -1, run: func(context.Context) error {
			once = append(once, time.Since(began))
			switch fails--; fails {
			case 1:
				return errors.New("not yet")
			case 0:
				panic("a filter of the program is broken")
			}
			return nil
		}}
		repeated := &job{name: "often", every: 10 * time.Second, wait: 10 * time.Second, run: func(context.Context) error {
			often = append(often, time.Since(began))
			return nil
		}}
		s := startSchedule(ctx, slog.New(slog.DiscardHandler), time.Minute, failing, repeated)
		time.Sleep(500 * time.Millisecond)
		if err := s.health(); err == nil {
			t.Error("a job failed, and the health is good")
		}
		time.Sleep(34 * time.Second)
		cancel()
		<-s.ended
		if want := []time.Duration{0, time.Second, 3 * time.Second}; !slices.Equal(once, want) {
			t.Errorf("ran at %v, want %v", once, want)
		}
		if want := []time.Duration{10 * time.Second, 20 * time.Second, 30 * time.Second}; !slices.Equal(often, want) {
			t.Errorf("ran at %v, want %v", often, want)
		}
		if err := s.health(); err != nil {
			t.Errorf("health: %v", err)
		}
	})
}
