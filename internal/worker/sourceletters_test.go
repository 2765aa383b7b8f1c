package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/connconfig"
	"github.com/gokconnect/connect/internal/pipeline"
	"github.com/gokconnect/connect/internal/tolerance"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// The tests of this file run in bubbles of virtual time (synctest.Test), which inSourceWorld and inTxWorld make.

// refuse is a transformation that refuses these values.
func refuse(values ...string) pipeline.Step {
	return pipeline.Step{Class: "T", Transformation: connect.TransformFunc(func(_ context.Context, r *connect.Record) (*connect.Record, error) {
		if slices.Contains(values, fmt.Sprint(r.Value)) {
			return nil, errTest
		}
		return r, nil
	})}
}

// newLetters returns dead letters in the topic dlq, whose form is a simple one.
func newLetters(headers bool) *SourceLetters {
	return &SourceLetters{ID: connect.TaskID{Connector: "c"}, Topic: "dlq", Headers: headers, Hide: func(s string) string { return strings.ReplaceAll(s, "s3cret", "***") },
		JSON: func(_ context.Context, _ string, _ *connect.Schema, v any) ([]byte, error) {
			if _, bad := v.(chan int); bad {
				return nil, errTest
			}
			if v == nil {
				return nil, nil
			}
			return json.Marshal(v)
		}}
}

// letterTexts says what stands in dead letters: key, value, and the headers that are asked for.
func letterTexts(records []*kgo.Record, headers ...string) []string {
	var out []string
	for _, r := range records {
		line := fmt.Sprintf("%s=%s", r.Key, r.Value)
		for _, name := range headers {
			for _, h := range r.Headers {
				if strings.TrimPrefix(h.Key, letterPrefix) == name {
					line += fmt.Sprintf(" %s:%s", name, h.Value)
				}
			}
		}
		out = append(out, line)
	}
	return out
}

// TestSourceLetters: each way in which a record of a source fails, and what is written of it.
func TestSourceLetters(t *testing.T) {
	inSourceWorld(t, func(t *testing.T, w *sourceWorld, j *journal) {
		w.k.MustCreateTopic("dlq", 1)
		w.op = func() *tolerance.Operator { return tolerance.New(tolerance.Policy{Tolerate: true}) }
		w.letters, w.maxRequest = newLetters(true), 4000
		w.steps = []pipeline.Step{refuse("1")}
		w.client = producer(t, w.k, kgo.ProducerBatchMaxBytes(4000))
		w.k.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "t", Err: kerr.InvalidRecord, Count: 1})
		first := lines(0, 1) // refused by the broker, as it is sent alone
		first[0].Key, first[0].Headers = "k", connect.Headers{{Key: "h", Value: "x"}}
		rest := lines(1, 5)
		rest[0].Key, rest[0].Headers = "k", connect.Headers{{Key: "h", Value: "x"}} // refused by the transformation
		rest[2].Value = strings.Repeat("x", 5000)                                   // too large for the producer
		task := w.task(&source{journal: j, poll: func(ctx context.Context, n int) ([]connect.SourceRecord, error) {
			switch n {
			case 1:
				return first, nil
			case 2:
				sleep(ctx, time.Second)
				return rest, nil
			}
			<-ctx.Done()
			return nil, nil
		}})
		time.Sleep(2 * time.Minute)
		end(t, task)
		want(t, "records", values(w.k, "t"), []string{"2", "4"})
		letters := w.k.Records("dlq")
		want(t, "letters", letterTexts(letters, "h", "topic", "source.partition", "source.offset", "stage", "key.format", "value.format"), []string{
			`k=0 h:x topic:t source.partition:{"p":"p"} source.offset:{"n":1} stage:KAFKA_PRODUCE key.format:converted value.format:converted`,
			`"k"="1" h:"x" topic:t source.partition:{"p":"p"} source.offset:{"n":2} stage:TRANSFORMATION key.format:json value.format:json`,
			`= topic:t source.partition:{"p":"p"} source.offset:{"n":4} stage:KAFKA_PRODUCE key.format:converted value.format:omitted`,
		})
		if letters[2].Value != nil {
			t.Error("what was left out is not null")
		}
		want(t, "calls", j.with("dropped", "FAILED"), []string{"dropped 0", "dropped 1", "dropped " + strings.Repeat("x", 5000)})
		if j.count("acked") != 2 || w.stored(t)["p"] != 5 {
			t.Errorf("%q, stored %v", j.with("acked"), w.stored(t))
		}
		if got := w.letters.requests.Load(); got != 3 || w.letters.failures.Load() != 0 {
			t.Errorf("%d letters are counted", got)
		}
	})
}

// TestSourceLetterHeaders: without context headers a letter says what its key and value are, and no more.
func TestSourceLetterHeaders(t *testing.T) {
	l := newLetters(false)
	r := &connect.SourceRecord{Record: connect.Record{Topic: "t", Key: "k", Value: make(chan int)}}
	f := &tolerance.Failure{Stage: tolerance.ValueConverter, Class: "C", Err: errors.New("s3cret is wrong"), Source: r}
	names := func(rec kgo.Record) (out []string) {
		for _, h := range rec.Headers {
			out = append(out, strings.TrimPrefix(h.Key, letterPrefix)+"="+string(h.Value))
		}
		return out
	}
	want(t, "headers", names(l.record(l.polled(t.Context(), f), 0)), []string{"key.format=json", "value.format=text"})
	l.Headers = true
	all := names(l.record(l.polled(t.Context(), f), 0))
	if !slices.Contains(all, "exception.message=*** is wrong") || !slices.Contains(all, "source.offset=null") || slices.Contains(all, "partition=-1") {
		t.Errorf("headers %q", all)
	}
	// A letter that has lost its value says where it is.
	l.Headers = false
	r.Key, r.Value = strings.Repeat("k", 100), strings.Repeat("v", 5000)
	cut := names(l.record(l.polled(t.Context(), f), 4000))
	if !slices.Contains(cut, "value.format=omitted") || !slices.Contains(cut, "key.format=json") || !slices.Contains(cut, "source.partition=null") {
		t.Errorf("headers %q", cut)
	}
}

// lateLetters acknowledges what goes to the topic dlq when it is told to.
type lateLetters struct {
	Producer
	release chan error
}

func (p *lateLetters) Produce(ctx context.Context, r *kgo.Record, promise func(*kgo.Record, error)) {
	if r.Topic != "dlq" {
		p.Producer.Produce(ctx, r, promise)
		return
	}
	go func() { promise(r, <-p.release) }()
}

// TestSourceLettersBeforeOffsets: an offset behind a record is stored only when its dead letter is acknowledged; one that can't be written
// fails the task.
func TestSourceLettersBeforeOffsets(t *testing.T) {
	for _, fails := range []error{nil, kerr.TopicAuthorizationFailed, errTest} {
		t.Run(fmt.Sprint(fails), func(t *testing.T) {
			inSourceWorld(t, func(t *testing.T, w *sourceWorld, j *journal) {
				late := &lateLetters{Producer: w.client, release: make(chan error)}
				w.client, w.letters, w.steps = late, newLetters(true), []pipeline.Step{refuse("1")}
				w.op = func() *tolerance.Operator { return tolerance.New(tolerance.Policy{Tolerate: true}) }
				task := w.task(&source{journal: j, poll: once(lines(0, 3))})
				time.Sleep(2 * time.Minute)
				want(t, "records", values(w.k, "t"), []string{"0", "2"})
				if got := w.stored(t)["p"]; got != 1 {
					t.Errorf("stored %d before the letter was written", got)
				}
				late.release <- fails
				time.Sleep(2 * time.Minute)
				end(t, task)
				if got := w.stored(t)["p"]; fails == nil && got != 3 || fails != nil && got != 1 {
					t.Errorf("stored %d", got)
				}
				failed := j.with("FAILED")
				if fails == nil && len(failed) > 0 || fails != nil && (len(failed) != 1 || !strings.Contains(failed[0], "dead letter topic: topic dlq")) {
					t.Errorf("failures %q", failed)
				}
			})
		})
	}
}

// TestSourceLetterTooLargeForTheBroker: the topic of dead letters takes less than the producer sends.
func TestSourceLetterTooLargeForTheBroker(t *testing.T) {
	for _, times := range []int{1, 2, 3} {
		t.Run(fmt.Sprint(times), func(t *testing.T) {
			inSourceWorld(t, func(t *testing.T, w *sourceWorld, j *journal) {
				w.k.MustCreateTopic("dlq", 1)
				w.k.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "dlq", Err: kerr.MessageTooLarge, Count: times})
				w.letters, w.steps = newLetters(false), []pipeline.Step{refuse("0")}
				w.op = func() *tolerance.Operator { return tolerance.New(tolerance.Policy{Tolerate: true}) }
				batch := lines(0, 2)
				batch[0].Key = "k"
				task := w.task(&source{journal: j, poll: once(batch)})
				time.Sleep(2 * time.Minute)
				end(t, task)
				got := letterTexts(w.k.Records("dlq"), "source.offset", "key.format", "value.format")
				stored := w.stored(t)["p"]
				switch times {
				case 1:
					want(t, "letters", got, []string{`"k"= source.offset:{"n":1} key.format:json value.format:omitted`})
				case 2:
					want(t, "letters", got, []string{`= source.offset:{"n":1} key.format:omitted value.format:omitted`})
				case 3:
					if stored != 0 || j.count("FAILED") != 1 || len(got) != 0 {
						t.Errorf("stored %d, letters %q, %q", stored, got, j.with("FAILED"))
					}
					return
				}
				if stored != 2 || j.count("FAILED") != 0 {
					t.Errorf("stored %d, %q", stored, j.with("FAILED"))
				}
			})
		})
	}
}

// TestNoSourceLettersWithoutTolerance: a record that ends the task is not given up.
func TestNoSourceLettersWithoutTolerance(t *testing.T) {
	inSourceWorld(t, func(t *testing.T, w *sourceWorld, j *journal) {
		w.k.MustCreateTopic("dlq", 1)
		w.letters, w.maxRequest, w.steps = newLetters(true), 1000, []pipeline.Step{refuse("9")}
		batch := lines(0, 2)
		batch[1].Value = strings.Repeat("x", 2000)
		task := w.task(&source{journal: j, poll: once(batch)})
		began := time.Now()
		<-task.Done()
		if took := time.Since(began); took > time.Second {
			t.Errorf("the task took %v to fail", took)
		}
		if got := w.k.Records("dlq"); len(got) != 0 || j.count("FAILED") != 1 || w.stored(t)["p"] != 1 {
			t.Errorf("%d letters, stored %v, %q", len(got), w.stored(t), j.with("FAILED"))
		}
	})
}

// TestExactlyOnceLetters: a dead letter is part of the transaction that has its record's offset.
func TestExactlyOnceLetters(t *testing.T) {
	inTxWorld(t, func(t *testing.T, w *txWorld) {
		w.k.MustCreateTopic("dlq", 1)
		w.boundary, w.interval = connconfig.BoundaryInterval, 10*time.Second
		w.op = func() *tolerance.Operator { return tolerance.New(tolerance.Policy{Tolerate: true}) }
		w.letters, w.maxRequest, w.steps = newLetters(true), 4000, []pipeline.Step{refuse("1", "3")}
		w.txOpts = []kgo.Opt{kgo.ProducerBatchMaxBytes(4000)}
		batch := lines(0, 4)
		batch[2].Value = strings.Repeat("x", 5000)
		task := w.task(&source{poll: batches(batch)})
		time.Sleep(5 * time.Second)
		if info := w.k.PartitionInfo("dlq", 0); info.LastStableOffset != 0 || info.HighWatermark != 3 {
			t.Errorf("letters before the commit: %+v", info)
		}
		time.Sleep(10 * time.Second)
		w.wantStored(t, 4)
		want(t, "letters", letterTexts(w.k.Records("dlq"), "source.offset", "value.format"), []string{
			`="1" source.offset:{"n":2} value.format:json`, `= source.offset:{"n":3} value.format:omitted`, `="3" source.offset:{"n":4} value.format:json`})
		want(t, "records", values(w.k, "t"), []string{"0"})
		end(t, task)
		// In which order, the brokers decide that acknowledged the record and the letters.
		calls := slices.Sorted(slices.Values(w.journal.with("acked", "dropped", "FAILED")))
		want(t, "calls", calls, []string{"acked 0", "dropped 1", "dropped 3", "dropped " + strings.Repeat("x", 5000)})
	})
}

// TestExactlyOnceLetterThatCannotBeWritten: without the letter there is no transaction.
func TestExactlyOnceLetterThatCannotBeWritten(t *testing.T) {
	inTxWorld(t, func(t *testing.T, w *txWorld) {
		w.k.MustCreateTopic("dlq", 1)
		w.k.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "dlq", Err: kerr.TopicAuthorizationFailed, Count: -1})
		w.op = func() *tolerance.Operator { return tolerance.New(tolerance.Policy{Tolerate: true}) }
		w.letters, w.steps = newLetters(true), []pipeline.Step{refuse("1")}
		<-w.task(&source{poll: batches(lines(0, 3))}).Done()
		failed := w.journal.with("FAILED")
		if len(failed) != 1 || !strings.Contains(failed[0], "dead letter topic: topic dlq") {
			t.Errorf("failures %q", failed)
		}
		want(t, "records", values(w.k, "t"), nil)
		w.wantStored(t, 0)
	})
}
