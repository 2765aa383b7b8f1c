package conformance_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/conformance"
	"github.com/gokconnect/connect/plugin/mirror"
)

func TestMirrorOffsetSyncs(t *testing.T) {
	features := map[string]func(*testing.T, conformance.Case){
		"offset-translation": mirrorTranslation, "offset-sync-writer": mirrorSyncWriter, "checkpoints": mirrorCheckpoints, "group-offset-sync": mirrorGroupOffsets,
		"rename": mirrorRename,
	}
	conformance.Run(t, "control/mirror-offset-syncs.jsonl", func(t *testing.T, c conformance.Case) {
		name := strings.Split(strings.TrimPrefix(c.ID, "control.mirror."), ".")[0]
		check, ok := features[name]
		if !ok {
			t.Fatalf("nothing runs %s", name)
		}
		check(t, c)
	})
}

func parseOffset(t *testing.T, text string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func mirrorTranslation(t *testing.T, c conformance.Case) {
	var in struct {
		MustReadToEnd bool
		Initial       [][2]string
		Queries       []string
	}
	decodeCase(t, c.In, &in)
	type state struct {
		Sync           *[2]string
		Slots          json.RawMessage
		Translations   []*string
		OtherPartition *string
	}
	var want struct {
		BeforeStart *string
		AfterStart  state
		Steps       []state
	}
	decodeCase(t, c.Raw, &want)
	tp := connect.TopicPartition{Topic: "t", Partition: 0}
	store := &mirror.OffsetSyncStore{LatestOnly: in.MustReadToEnd}
	add := func(sync [2]string) {
		store.Add(mirror.OffsetSync{TopicPartition: tp, Upstream: parseOffset(t, sync[0]), Downstream: parseOffset(t, sync[1])})
	}
	translated := func(tp connect.TopicPartition, offset int64) string {
		n, ok := store.Translate(tp, offset)
		if !ok {
			return "null"
		}
		return strconv.FormatInt(n, 10)
	}
	text := func(s *string) string {
		if s == nil {
			return "null"
		}
		return *s
	}
	for _, sync := range in.Initial {
		add(sync)
	}
	if got := translated(tp, 0); got != text(want.BeforeStart) {
		t.Errorf("before the start: %s, want %s", got, text(want.BeforeStart))
	}
	store.Loaded()
	check := func(what string, s state) {
		t.Helper()
		if s.Slots != nil {
			slots := [][]any{}
			for _, slot := range store.Slots(tp) {
				slots = append(slots, []any{slot.Index, strconv.FormatInt(slot.Upstream, 10), strconv.FormatInt(slot.Downstream, 10)})
			}
			var w any
			decodeCase(t, s.Slots, &w)
			sameJSONTree(t, what, slots, w)
		}
		for i, w := range s.Translations {
			if got := translated(tp, parseOffset(t, in.Queries[i])); got != text(w) {
				t.Errorf("%s: %s becomes %s, want %s", what, in.Queries[i], got, text(w))
			}
		}
	}
	check("after the start", want.AfterStart)
	if got := translated(connect.TopicPartition{Topic: "other"}, 0); got != text(want.AfterStart.OtherPartition) {
		t.Errorf("of another partition: %s", got)
	}
	for i, step := range want.Steps {
		if step.Sync != nil {
			add(*step.Sync)
		}
		check(fmt.Sprintf("step %d", i), step)
	}
}

// syncTuple is an offset sync as the vectors write it: ["t", 0, 5, 9].
func syncTuples(syncs []mirror.OffsetSync) [][]any {
	list := [][]any{}
	for _, s := range syncs {
		list = append(list, []any{s.TopicPartition.Topic, s.TopicPartition.Partition, s.Upstream, s.Downstream})
	}
	return list
}

func mirrorSyncWriter(t *testing.T, c conformance.Case) {
	var in struct{ MaxOffsetLag int64 }
	decodeCase(t, c.In, &in)
	var want struct {
		Steps []struct {
			Record           []any
			Commit           bool
			Pending, Delayed [][]any
			ThenPendingSent  bool
		}
	}
	decodeCase(t, c.Raw, &want)
	q := mirror.NewOffsetSyncQueue(in.MaxOffsetLag)
	for i, step := range want.Steps {
		if step.Commit {
			q.Promote()
		} else {
			r := step.Record
			q.Record(connect.TopicPartition{Topic: r[0].(string), Partition: int32(r[1].(float64))}, int64(r[2].(float64)), int64(r[3].(float64)))
		}
		sameJSONTree(t, fmt.Sprintf("step %d, pending", i), syncTuples(q.Pending()), step.Pending)
		sameJSONTree(t, fmt.Sprintf("step %d, delayed", i), syncTuples(q.Delayed()), step.Delayed)
		if step.ThenPendingSent || step.Commit {
			q.Sent(len(q.Pending()))
		}
	}
}

func checkpointConfig(t *testing.T, flow string) *mirror.CheckpointConfig {
	t.Helper()
	c, err := mirror.Options{}.ParseCheckpointConfig(flowConfig(flow, nil))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func mirrorCheckpoints(t *testing.T, c conformance.Case) {
	var in struct {
		MustReadToEnd   bool
		InitialSyncs    string
		SyncBeforeStep7 [2]int64
	}
	decodeCase(t, c.In, &in)
	var shift, count int64
	if _, err := fmt.Sscanf(in.InitialSyncs, "(10i, 10i+%d) for i in 0..%d", &shift, &count); err != nil {
		t.Fatal(err)
	}
	var want struct {
		Steps []struct {
			GroupOffset int64
			Metadata    string
			Checkpoints [][]any
		}
	}
	decodeCase(t, c.Raw, &want)
	tp := connect.TopicPartition{Topic: "t"}
	store := &mirror.OffsetSyncStore{LatestOnly: in.MustReadToEnd}
	for i := range count + 1 {
		store.Add(mirror.OffsetSync{TopicPartition: tp, Upstream: 10 * i, Downstream: 10*i + shift})
	}
	store.Loaded()
	made := mirror.NewCheckpoints(checkpointConfig(t, "A->B"), store)
	for i, step := range want.Steps {
		if i == 6 {
			store.Add(mirror.OffsetSync{TopicPartition: tp, Upstream: in.SyncBeforeStep7[0], Downstream: in.SyncBeforeStep7[1]})
		}
		got := [][]any{}
		if p, ok := made.Make("g", tp, mirror.GroupOffset{Offset: step.GroupOffset, Metadata: step.Metadata}); ok {
			got = append(got, []any{p.TopicPartition.Topic, p.TopicPartition.Partition, p.Upstream, p.Downstream, p.Metadata})
		}
		sameJSONTree(t, fmt.Sprintf("step %d", i), got, step.Checkpoints)
	}
}

func mirrorRename(t *testing.T, c conformance.Case) {
	var in []any
	decodeCase(t, c.In, &in)
	var want string
	decodeCase(t, c.Out, &want)
	if got := checkpointConfig(t, in[0].(string)).TargetTopic(in[1].(string)); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func mirrorGroupOffsets(t *testing.T, c conformance.Case) {
	var in struct {
		Checkpoints      [][]any
		IdleTargetGroups []string
		TargetOffsets    [][]any
	}
	decodeCase(t, c.In, &in)
	var want struct{ Written [][]any }
	decodeCase(t, c.Out, &want)
	tpOf := func(tuple []any) connect.TopicPartition {
		return connect.TopicPartition{Topic: tuple[1].(string), Partition: int32(tuple[2].(float64))}
	}
	target := map[string]map[connect.TopicPartition]int64{}
	for _, group := range in.IdleTargetGroups {
		target[group] = map[connect.TopicPartition]int64{}
	}
	for _, tuple := range in.TargetOffsets {
		if of := target[tuple[0].(string)]; of != nil && len(tuple) > 1 {
			of[tpOf(tuple)] = -1
			if n, ok := tuple[3].(float64); ok {
				of[tpOf(tuple)] = int64(n)
			}
		}
	}
	made := mirror.NewCheckpoints(checkpointConfig(t, "A->B"), new(mirror.OffsetSyncStore))
	for _, tuple := range in.Checkpoints {
		made.Restore(mirror.Checkpoint{
			Group: tuple[0].(string), TopicPartition: tpOf(tuple), Upstream: int64(tuple[3].(float64)), Downstream: int64(tuple[4].(float64)), Metadata: tuple[5].(string),
		})
	}
	got := [][]any{}
	for _, group := range made.Groups() {
		for tp, offset := range mirror.OffsetsToSync(made.GroupOffsets(group), target[group]) {
			got = append(got, []any{group, tp.Topic, tp.Partition, offset.Offset, offset.Metadata})
		}
	}
	slices.SortFunc(got, func(a, b []any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	sameJSONTree(t, "written", got, want.Written)
}
