//go:build real

package real

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gokconnect/connect/test/kafka"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// topicReader reads a topic, which need not be there yet, as far as a reader of committed records sees it.
type topicReader struct {
	c       *kafka.Cluster
	topic   string
	adm     *kadm.Client
	cl      *kgo.Client
	next    map[int32]int64
	records []*kgo.Record
}

func newTopicReader(t *testing.T, c *kafka.Cluster, topic string) *topicReader {
	return &topicReader{c: c, topic: topic, adm: kadm.NewClient(client(t, c)), next: make(map[int32]int64)}
}

// all returns what is in the topic now.
func (r *topicReader) all(t *testing.T) []*kgo.Record {
	t.Helper()
	ctx := testContext(t)
	ends, err := r.adm.ListCommittedOffsets(ctx, r.topic)
	if err != nil {
		t.Fatal(err)
	}
	if ends.Error() != nil {
		return nil // it is not there
	}
	if r.cl == nil {
		r.cl = client(t, r.c, kgo.ConsumeTopics(r.topic), kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()),
			kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords()) // what ends a transaction is the last that there is
	}
	behind := func(o kadm.ListedOffset) bool { return r.next[o.Partition] < o.Offset }
	for slices.ContainsFunc(slices.Collect(maps.Values(ends[r.topic])), behind) {
		fetches := r.cl.PollFetches(ctx)
		if err := fetches.Err0(); err != nil {
			t.Fatalf("%s: read up to %v, not to %v: %v", r.topic, r.next, ends[r.topic], err)
		}
		fetches.EachRecord(func(rec *kgo.Record) {
			r.next[rec.Partition] = rec.Offset + 1
			if !rec.Attrs.IsControl() {
				r.records = append(r.records, rec)
			}
		})
	}
	return r.records
}

// header returns a header of a record, "" if there is none.
func header(rec *kgo.Record, key string) string {
	for _, h := range rec.Headers {
		if h.Key == key {
			return string(h.Value)
		}
	}
	return ""
}

// wantHeaders wants headers __connect.errors.… of a letter.
func wantHeaders(t *testing.T, letter *kgo.Record, want map[string]string) {
	t.Helper()
	for k, v := range want {
		if got := header(letter, "__connect.errors."+k); got != v {
			t.Errorf("letter %d: header %s is %q, want %q", letter.Offset, k, got, v)
		}
	}
	for _, k := range []string{"exception.message", "exception.stacktrace"} {
		if header(letter, "__connect.errors."+k) == "" {
			t.Errorf("letter %d: there is no header %s", letter.Offset, k)
		}
	}
}

// wantTimes wants each of n things as often as least and most say. It returns how many came again.
func wantTimes(t *testing.T, what string, n int, got map[int]int, times func(i int) (least, most int)) (again int) {
	t.Helper()
	bad := 0
	for i := range n {
		least, most := times(i)
		if got[i] < least || got[i] > most {
			if bad++; bad <= 5 {
				t.Errorf("%s: %d of line %d, want %d to %d", what, got[i], i, least, most)
			}
		}
		again += max(got[i]-1, 0)
	}
	for i := range got {
		if i < 0 || i >= n {
			t.Errorf("%s: line %d was never written", what, i)
		}
	}
	if bad > 5 {
		t.Errorf("%s: %d lines of %d came too often or not often enough", what, bad, n)
	}
	return again
}

// The records of TestDeadLettersOfSink: what becomes of line n.
const (
	passes = iota
	keyFails
	castFails
)

func fate(n int) int {
	switch {
	case n%7 == 3:
		return keyFails
	case n%11 == 5:
		return castFails
	}
	return passes
}

const sinkPartitions = 2

func sinkRecord(topic string, began time.Time, n int) *kgo.Record {
	r := &kgo.Record{Topic: topic, Partition: int32(n % sinkPartitions), Key: []byte(`{"n": 1}`), Value: []byte(line(n)), Timestamp: began.Add(time.Duration(n) * time.Millisecond),
		Headers: []kgo.RecordHeader{{Key: "n", Value: fmt.Append(nil, n)}}}
	switch fate(n) {
	case keyFails:
		r.Key = []byte(`{"n"`)
	case castFails:
		r.Headers = append(r.Headers, kgo.RecordHeader{Key: "cast"})
	}
	return r
}

// sinkLetters checks the letters of a sink, and returns how many there are of each line.
func sinkLetters(t *testing.T, letters []*kgo.Record, connector, topic string, began time.Time) map[int]int {
	t.Helper()
	counts := make(map[int]int)
	for _, l := range letters {
		n, err := number(string(l.Value))
		if err != nil {
			t.Fatal(err)
		}
		counts[n]++
		want := sinkRecord(topic, began, n)
		own := len(want.Headers)
		if len(l.Headers) < own || !slices.EqualFunc(l.Headers[:own], want.Headers, func(a, b kgo.RecordHeader) bool {
			return a.Key == b.Key && bytes.Equal(a.Value, b.Value) && (a.Value == nil) == (b.Value == nil)
		}) || !bytes.Equal(l.Key, want.Key) || !l.Timestamp.Equal(want.Timestamp) {
			t.Errorf("letter %d is not what was consumed: %s at %v with %v, want %s at %v with %v", l.Offset, l.Key, l.Timestamp, l.Headers, want.Key, want.Timestamp, want.Headers)
		}
		headers := map[string]string{
			"topic": topic, "partition": fmt.Sprint(want.Partition), "offset": fmt.Sprint(n / sinkPartitions), "connector.name": connector, "task.id": "0",
			"exception.class.name": "org.apache.kafka.connect.errors.DataException", "stage": "KEY_CONVERTER", "class.name": "org.apache.kafka.connect.json.JsonConverter",
		}
		if fate(n) == castFails {
			headers["stage"], headers["class.name"] = "TRANSFORMATION", "org.apache.kafka.connect.transforms.Cast$Value"
		}
		wantHeaders(t, l, headers)
	}
	return counts
}

// counts reads on and returns how many there are of each line of a sink's file.
func (f *sinkFile) counts(t *testing.T) map[int]int {
	t.Helper()
	f.more(t)
	counts := make(map[int]int)
	for _, n := range f.numbers {
		counts[n]++
	}
	return counts
}

// A converter and a transformation fail for some records of a sink under load, and the worker with its task is killed: each
// of these is a letter, and what comes again was not committed. Then what failed is mended, and the letters are put, once.
func TestDeadLettersOfSink(t *testing.T) {
	t.Parallel()
	c, name := broker(t), t.Name()
	topic, dead := makeTopic(t, c, "lines", sinkPartitions), name+"-dead"
	file := newSinkFile(filepath.Join(t.TempDir(), "out"))
	lap := laps(t)
	workers := []*kafka.Connect{startMember(t, c, ourWorker, name, nil), startMember(t, c, ourWorker, name, nil)}
	sink := sinkOf(t, topic, file.path)
	maps.Copy(sink, properties{
		"name": name, "errors.tolerance": "all", "errors.deadletterqueue.topic.name": dead, "errors.deadletterqueue.topic.replication.factor": "1",
		"errors.deadletterqueue.context.headers.enable": "true", "consumer.override.session.timeout.ms": "6000",
		"key.converter": "org.apache.kafka.connect.json.JsonConverter", "key.converter.schemas.enable": "false",
		"transforms": "cast", "transforms.cast.type": "org.apache.kafka.connect.transforms.Cast$Value", "transforms.cast.spec": "int32", "transforms.cast.predicate": "asked",
		"predicates": "asked", "predicates.asked.type": "org.apache.kafka.connect.transforms.predicates.HasHeaderKey", "predicates.asked.name": "cast",
	})
	configure := func() state {
		t.Helper()
		request(t, workers[0], http.MethodPut, "/connectors/"+name+"/config", sink)
		return awaitState(t, workers[0], name, "RUNNING", 1)
	}
	owner, other := workers[0], workers[1]
	if configure().Tasks[0].Worker == id(other) {
		owner, other = other, owner
	}
	began := time.Now().Truncate(time.Millisecond)
	cl := client(t, c, kgo.RecordPartitioner(kgo.ManualPartitioner()))
	l := newFlow(t, 1000, func(from, to int) error {
		var records []*kgo.Record
		for n := from; n < to; n++ {
			records = append(records, sinkRecord(topic, began, n))
		}
		return cl.ProduceSync(t.Context(), records...).FirstErr()
	})
	adm := kadm.NewClient(cl)
	stored := func() (at [sinkPartitions]int64) {
		t.Helper()
		offsets, err := adm.FetchOffsets(t.Context(), "connect-"+name)
		if err != nil {
			t.Fatal(err)
		}
		for p := range at {
			o, _ := offsets.Lookup(topic, int32(p))
			at[p] = max(o.At, 0)
		}
		return at
	}
	tapped(t, owner, other, name)
	var at [sinkPartitions]int64
	done := func(n int) bool { return int64(n/sinkPartitions) < at[n%sinkPartitions] } // as far as is stored
	await(t, "some offsets to be stored, and some not", func() bool {
		at = stored()
		file.more(t)
		open := 0
		for _, n := range file.numbers {
			if !done(n) {
				open++
			}
		}
		return min(at[0], at[1]) > 500 && open > 100
	})
	lap("two workers, samples, the first offsets")

	letters := newTopicReader(t, c, dead)
	owner.Kill()
	at = stored()
	lettersThen, fileThen := sinkLetters(t, letters.all(t), name, topic, began), file.counts(t)
	for what, one := range map[string]struct {
		counts map[int]int
		passes bool
	}{"letters at the kill": {lettersThen, false}, "file at the kill": {fileThen, true}} {
		wantTimes(t, what, l.written()+1000, one.counts, func(n int) (int, int) {
			switch {
			case (fate(n) == passes) != one.passes:
				return 0, 0
			case done(n):
				return 1, 1
			}
			return 0, 1
		})
	}
	await(t, "the other worker to go on", func() bool { return file.count(t) > len(fileThen)+1000 })
	if err := owner.Start(); err != nil {
		t.Fatal(err)
	}
	n := l.end(t)
	await(t, "all offsets to be stored", func() bool { at := stored(); return int(at[0]+at[1]) == n })
	lap("one was killed, the other went on")
	// once is one for what must have come once: what was committed before the kill. The rest may have come again.
	once := func(n int) (int, int) {
		if done(n) {
			return 1, 1
		}
		return 1, 2
	}
	of := func(times func(n int) (int, int), fates ...int) func(n int) (int, int) {
		return func(n int) (int, int) {
			if slices.Contains(fates, fate(n)) {
				return times(n)
			}
			return 0, 0
		}
	}
	counts := sinkLetters(t, letters.all(t), name, topic, began)
	again := wantTimes(t, "letters", n, counts, of(once, keyFails, castFails))
	again += wantTimes(t, "file", n, file.counts(t), of(once, passes))
	t.Logf("%d records, %d letters, %d records came again as either", n, len(letters.all(t)), again)

	byFate := make(map[int]int)
	for n, times := range counts {
		byFate[fate(n)] += times
	}
	const all = "org.apache.kafka.connect.errors.DataException"
	replays := func(w *kafka.Connect, query string, replayed, failed int) {
		t.Helper()
		var got struct {
			Replayed    int            `json:"replayed"`
			FailedAgain int            `json:"failed_again"`
			PassedOver  int            `json:"passed_over"`
			Foreign     int            `json:"foreign"`
			Unplaced    int            `json:"unplaced"`
			Classes     map[string]int `json:"classes"`
			More        bool           `json:"more"`
		}
		if err := json.Unmarshal(request(t, w, http.MethodPost, "/connectors/"+name+"/dead-letters/replay"+query, nil), &got); err != nil {
			t.Fatal(err)
		}
		if got.Replayed != replayed || got.FailedAgain != failed || got.Classes[all] != replayed || got.PassedOver+got.Foreign+got.Unplaced != 0 || got.More {
			t.Errorf("replayed%s by %s: %+v, want %d, of which %d fail again", query, id(w), got, replayed, failed)
		}
	}
	// In the file each line that failed stands as often as there were letters of it, once those are put.
	put := func(fates ...int) {
		t.Helper()
		wantTimes(t, "file", n, file.counts(t), func(n int) (int, int) {
			switch {
			case fate(n) == passes:
				return once(n)
			case slices.Contains(fates, fate(n)):
				return counts[n], counts[n]
			}
			return 0, 0
		})
	}
	replays(owner, "?dryRun=true", byFate[keyFails]+byFate[castFails], 0)
	put()
	sink["key.converter"] = "org.apache.kafka.connect.storage.StringConverter"
	configure()
	before := len(letters.all(t))
	replays(owner, "", byFate[keyFails]+byFate[castFails], byFate[castFails])
	put(keyFails)
	lap("the letters were put, and some failed again")
	renewed := letters.all(t)[before:]
	failedAgain := make(map[int]int)
	for _, l := range renewed {
		if got := header(l, "__connect.replays"); got != "1" {
			t.Fatalf("letter %d was put %q times", l.Offset, got)
		}
		n, _ := number(string(l.Value))
		failedAgain[n]++
		wantHeaders(t, l, map[string]string{"topic": topic, "partition": fmt.Sprint(n % sinkPartitions), "offset": fmt.Sprint(n / sinkPartitions), "stage": "TRANSFORMATION"})
	}
	wantTimes(t, "letters that failed again", n, failedAgain, of(func(n int) (int, int) { return counts[n], counts[n] }, castFails))
	for k := range sink {
		if strings.HasPrefix(k, "transforms") || strings.HasPrefix(k, "predicates") {
			delete(sink, k)
		}
	}
	configure()
	replays(other, "?dryRun=true", byFate[castFails], 0)
	replays(other, "", byFate[castFails], 0) // on the other worker: not what was put by the first
	for _, w := range workers {
		replays(w, "", 0, 0)
		replays(w, "?dryRun=true", 0, 0)
	}
	put(keyFails, castFails)
	if got := len(letters.all(t)); got != before+len(renewed) {
		t.Errorf("there are %d letters, want %d", got, before+len(renewed))
	}
	if at := stored(); int(at[0]+at[1]) != n {
		t.Errorf("the sink is at %v of %d records: replays must not move it", at, n)
	}
	lap("the rest was put")
}
