package worker

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/gokconnect/connect"
	"github.com/twmb/franz-go/pkg/kgo"
)

// TestOffsetRanges compares ranges with a set.
func TestOffsetRanges(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		var r offsetRanges
		set := map[int64]bool{}
		for range rng.IntN(20) {
			from := rng.Int64N(60)
			to := from + rng.Int64N(6)
			before := slices.Clone(r)
			kept := r
			r = r.add(from, to)
			if !slices.Equal(kept, before) {
				t.Fatal("add changed its receiver")
			}
			for o := from; o < to; o++ {
				set[o] = true
			}
		}
		base := rng.Int64N(30)
		clipped := r.between(base, 50)
		read, err := parseRanges(base, clipped.text(base))
		if err != nil || !slices.Equal(read, clipped) {
			t.Fatalf("%v: %q is read as %v, %v", clipped, clipped.text(base), read, err)
		}
		first := base
		for set[first] {
			first++
		}
		if got := r.first(base); got != first {
			t.Fatalf("%v: the first missing from %d is %d, want %d", r, base, got, first)
		}
		for o := range int64(80) {
			if r.has(o) != set[o] || clipped.has(o) != (set[o] && o >= base && o < 50) {
				t.Fatalf("%v has %d: %v", r, o, r.has(o))
			}
		}
		for i := 1; i < len(r); i++ {
			if r[i][0] <= r[i-1][1] {
				t.Fatalf("%v meet", r)
			}
		}
	}
}

func TestParseRanges(t *testing.T) {
	for _, text := range []string{"x", "2:1+1", "1:", "1:1", "1:-1+1", "1:1+0", "1:1+1,", "1:a+1", "1:1+9223372036854775807"} {
		if r, err := parseRanges(5, text); err == nil {
			t.Errorf("%q is read as %v", text, r)
		}
	}
}

// TestReplaysPutEachLetterOnce: whatever calls leave out, and wherever they end, no letter is put twice, and none is lost.
func TestReplaysPutEachLetterOnce(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		// A topic with gaps.
		var records []*kgo.Record
		for o := range int64(60) {
			if rng.IntN(5) > 0 {
				records = append(records, &kgo.Record{Topic: "dlq", Offset: o, Value: []byte{byte(o)}})
			}
		}
		at := Position{Offset: -1}
		put := map[int64]int{}
		for call := range 12 {
			r := &Replay{Connector: "c", Topic: "t", Ends: map[int32]int64{0: 60}, Positions: func(context.Context, []int32) (map[int32]Position, error) {
				return map[int32]Position{0: at}, nil
			}}
			last := call == 11
			if !last {
				r.Wanted = func(*DeadLetter, *kgo.Record) bool { return rng.IntN(3) == 0 }
			}
			if err := r.Begin(t.Context(), []int32{0}); err != nil {
				t.Fatal(err)
			}
			stop := rng.Int64N(70)
			if last {
				stop = 70
			}
			var taken []int64
			behind := max(at.Offset, 0)
			for _, rec := range records {
				if rec.Offset < at.Offset || rec.Offset >= stop {
					continue
				}
				if _, ok := r.Take(rec); ok {
					taken = append(taken, rec.Offset)
				}
				behind = rec.Offset + 1
			}
			if len(taken) > 0 && rng.IntN(3) == 0 && !last { // the last ones are not durable
				behind = taken[rng.IntN(len(taken))]
			}
			if rng.IntN(6) == 0 && !last {
				continue // killed before anything was committed, or put
			}
			at = r.Position(0, behind)
			r.Committed(0, behind, nil)
			n := 0
			for _, o := range taken {
				if o < behind {
					put[o]++
					n++
				}
			}
			if c := r.Counts(); c.Put != n {
				t.Fatalf("%d are counted, %d were put", c.Put, n)
			}
		}
		for _, rec := range records {
			if put[rec.Offset] != 1 {
				t.Fatalf("offset %d was put %d times; %v", rec.Offset, put[rec.Offset], records)
			}
		}
		if at.Metadata != "" || at.Offset < records[len(records)-1].Offset+1 {
			t.Fatalf("at the end: %+v", at)
		}
	}
}

// TestReplayIsBounded: what has to be remembered has a bound.
func TestReplayIsBounded(t *testing.T) {
	r := &Replay{Connector: "c", Topic: "t", Ends: map[int32]int64{0: 1000}, Wanted: func(_ *DeadLetter, rec *kgo.Record) bool { return rec.Offset%2 == 1 },
		Positions: func(context.Context, []int32) (map[int32]Position, error) {
			return map[int32]Position{0: {Offset: -1}}, nil
		}}
	if err := r.Begin(t.Context(), []int32{0}); err != nil {
		t.Fatal(err)
	}
	for o := range int64(1000) {
		r.Take(&kgo.Record{Topic: "dlq", Offset: o})
	}
	c, at := r.Counts(), r.Position(0, 1000)
	if c.Taken != maxRanges || !c.Scattered || !r.Full() || at.Offset != 0 || len(at.Metadata) > 2000 {
		t.Errorf("%+v, %d bytes at %d", c, len(at.Metadata), at.Offset)
	}
}

// TestReplayAmongOthers: letters of others, and what is missing, between letters that are passed over need not be remembered.
func TestReplayAmongOthers(t *testing.T) {
	r := &Replay{Connector: "c", Topic: "t", Ends: map[int32]int64{0: 3000}, Wanted: func(_ *DeadLetter, rec *kgo.Record) bool { return rec.Offset >= 2997 },
		Positions: func(context.Context, []int32) (map[int32]Position, error) {
			return map[int32]Position{0: {Offset: -1}}, nil
		}}
	if err := r.Begin(t.Context(), []int32{0}); err != nil {
		t.Fatal(err)
	}
	another := []kgo.RecordHeader{{Key: letterPrefix + "topic", Value: []byte("t")}, {Key: letterPrefix + "connector.name", Value: []byte("d")}}
	for o := int64(0); o < 3000; o += 3 {
		r.Take(&kgo.Record{Topic: "dlq", Offset: o})
		r.Take(&kgo.Record{Topic: "dlq", Offset: o + 1, Headers: another})
	}
	c, at := r.Counts(), r.Position(0, 3000)
	if c.Taken != 1 || c.Foreign != 1000 || c.Scattered || at.Offset != 0 || len(at.Metadata) > 1000 || !strings.HasSuffix(at.Metadata, ",2997+2") {
		t.Errorf("%+v, %+v", c, at)
	}
}

// TestReplayAfterRewind: what the task could not keep is put once more in the same run.
func TestReplayAfterRewind(t *testing.T) {
	r := &Replay{Connector: "c", Topic: "t", Ends: map[int32]int64{0: 10},
		Positions: func(context.Context, []int32) (map[int32]Position, error) {
			return map[int32]Position{0: {Offset: -1}}, nil
		}}
	if err := r.Begin(t.Context(), []int32{0}); err != nil {
		t.Fatal(err)
	}
	take := func(o int64) bool { _, ok := r.Take(&kgo.Record{Topic: "dlq", Offset: o}); return ok }
	if !take(0) || !take(1) {
		t.Fatal("letters are not taken")
	}
	r.Committed(0, 1, nil)
	if take(0) || !take(1) || r.Counts().Taken != 2 {
		t.Errorf("after the rewind: %+v", r.Counts())
	}
}

// TestParseDeadLetter: letters of letters, of sources, of nobody.
func TestParseDeadLetter(t *testing.T) {
	h := func(pairs ...string) (out []kgo.RecordHeader) {
		for i := 0; i < len(pairs); i += 2 {
			out = append(out, kgo.RecordHeader{Key: pairs[i], Value: []byte(pairs[i+1])})
		}
		return out
	}
	const p = letterPrefix
	block := h(p+"topic", "t", p+"partition", "3", p+"offset", "7", p+"connector.name", "c", p+"exception.class.name", "X")
	for name, c := range map[string]struct {
		headers []kgo.RecordHeader
		want    DeadLetter
		own     int
	}{
		"plain":       {h("a", "b"), DeadLetter{}, 1},
		"letter":      {append(h("a", "b"), block...), DeadLetter{Connector: "c", Class: "X", Placed: true, Topic: "t", Partition: 3, Offset: 7}, 1},
		"of a letter": {append(h(p+"topic", "u", p+"partition", "1", p+"offset", "1"), block...), DeadLetter{Connector: "c", Class: "X", Placed: true, Topic: "t", Partition: 3, Offset: 7}, 3},
		"of a source": {h(p+"key.format", "json", p+"value.format", "json"), DeadLetter{OfSource: true}, 2},
		"broken":      {h(p+"topic", "t", p+"partition", "x", p+"offset", "7"), DeadLetter{Topic: "t"}, 0},
	} {
		rec := &kgo.Record{Topic: "dlq", Partition: 1, Offset: 9, Headers: c.headers}
		l := ParseDeadLetter(rec)
		if len(l.headers) != c.own {
			t.Errorf("%s: %d headers are its own", name, len(l.headers))
		}
		l.headers = nil
		if l.Connector != c.want.Connector || l.Class != c.want.Class || l.OfSource != c.want.OfSource || l.Placed != c.want.Placed || l.Topic != c.want.Topic || l.Partition != c.want.Partition || l.Offset != c.want.Offset {
			t.Errorf("%s: %+v", name, l)
		}
	}
	rec := &kgo.Record{Topic: "dlq", Partition: 1, Offset: 9, Headers: append(h(ReplaysKey, "4", "a", "b"), block...)}
	l := ParseDeadLetter(rec)
	in := l.consumed(rec)
	if in.Topic != "t" || in.Partition != 3 || in.Offset != 7 || in.Replayed.Partition != (connect.TopicPartition{Topic: "dlq", Partition: 1}) || in.Replayed.Offset != 9 ||
		len(in.Headers) != 2 || string(in.Headers[1].Value) != "5" || in.Raw != any(rec) {
		t.Errorf("consumed %+v", in)
	}
}

// TestReplayCommits: a commit that failed for one partition is told of although another succeeded, until it has.
func TestReplayCommits(t *testing.T) {
	r := &Replay{Connector: "c", Topic: "t", Positions: func(context.Context, []int32) (map[int32]Position, error) {
		return map[int32]Position{0: {Offset: -1}, 1: {Offset: -1}}, nil
	}}
	if err := r.Begin(t.Context(), []int32{0, 1}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		do   func()
		want error
	}{
		{"one fails", func() { r.Committed(0, 1, errTest); r.Committed(1, 1, nil) }, errTest},
		{"both succeed", func() { r.Committed(0, 1, nil); r.Committed(1, 1, nil) }, nil},
		{"all fail", func() { r.NotCommitted(errTest) }, errTest},
		{"again", func() { r.Committed(1, 1, nil) }, nil},
	} {
		if c.do(); !errors.Is(r.Counts().Commit, c.want) {
			t.Errorf("%s: %v, want %v", c.name, r.Counts().Commit, c.want)
		}
	}
}
