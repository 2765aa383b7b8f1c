package connect_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/connecttest"
)

func TestSinkFunc(t *testing.T) {
	var got []any
	calls := 0
	f := connect.SinkFunc(func(_ context.Context, records []connect.SinkRecord) error {
		calls++
		for _, r := range records {
			if r.Value == "bad" {
				return errors.New("no")
			}
			got = append(got, r.Value)
		}
		return nil
	})
	run := connecttest.RunSink(t, f, nil)
	run.Put()
	run.Put(connect.Record{Topic: "t", Value: "a"}, connect.Record{Topic: "t", Value: "b"})
	run.Commit()
	if fmt.Sprint(got, calls) != "[a b] 1" {
		t.Errorf("got %v in %d calls", got, calls)
	}
	if offset := run.Committed[connect.TopicPartition{Topic: "t"}]; offset != 2 {
		t.Errorf("committed %d", offset)
	}
	if err := run.TryPut(connect.Record{Topic: "t", Value: "bad"}); err == nil || err.Error() != "no" {
		t.Errorf("got %v", err)
	}
	if configs, err := f.TaskConfigs(t.Context(), 3); len(configs) != 3 || err != nil {
		t.Errorf("got %v, %v", configs, err)
	}
}

func numbers(ctx context.Context, from connect.Fields) iter.Seq2[connect.SourceRecord, error] {
	return func(yield func(connect.SourceRecord, error) bool) {
		n, _ := from["n"].(int64)
		for i := n + 1; i <= n+3; i++ {
			r := connect.SourceRecord{Record: connect.Record{Topic: "t", Value: i}, SourceOffset: connect.Fields{"n": i}}
			if !yield(r, nil) {
				return
			}
		}
	}
}

func sourceValues(records []connect.SourceRecord) string {
	var b strings.Builder
	for _, r := range records {
		fmt.Fprint(&b, r.Value, " ")
	}
	return strings.TrimSpace(b.String())
}

func TestSourceFunc(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		run := connecttest.RunSource(t, connect.SourceFunc(numbers), nil)
		if got := sourceValues(run.Take(3)); got != "1 2 3" {
			t.Errorf("got %s", got)
		}
		start := time.Now()
		time.Sleep(2 * time.Minute) // virtual: it is called again each minute
		if got := sourceValues(run.Take(6)); got != "4 5 6 7 8 9" {
			t.Errorf("got %s after %v", got, time.Since(start))
		}
		run.Restart()
		if got := sourceValues(run.Take(3)); got != "10 11 12" {
			t.Errorf("got %s after a restart", got)
		}
	})
}

// counted is an offset that counts how often it is asked for its fields, which is work that only few records need.
type counted struct {
	n     int64
	asked *atomic.Int64
}

func (c counted) Fields() connect.Fields {
	c.asked.Add(1)
	return connect.Fields{"n": c.n}
}

func TestSourceFuncAsksForTheFieldsOfOffsetsSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int64
		run := connecttest.RunSource(t, connect.SourceFunc(func(_ context.Context, from connect.Fields) iter.Seq2[connect.SourceRecord, error] {
			return func(yield func(connect.SourceRecord, error) bool) {
				n, _ := from["n"].(int64)
				for i := n + 1; i <= n+100; i++ {
					if !yield(connect.SourceRecord{Record: connect.Record{Topic: "t", Value: i}, SourceOffset: counted{i, &asked}}, nil) {
						return
					}
				}
			}
		}), nil)
		time.Sleep(90 * time.Second)
		if got := run.Take(200); got[199].Value != int64(200) {
			t.Errorf("the last record is %v", got[199].Value)
		}
		if n := asked.Load(); n != 201 { // once for each record by the test's runtime, once by the second call of the function
			t.Errorf("asked %d times", n)
		}
	})
}

func TestSourceFuncFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		attempt := 0
		run := connecttest.RunSource(t, connect.SourceFunc(func(_ context.Context, from connect.Fields) iter.Seq2[connect.SourceRecord, error] {
			return func(yield func(connect.SourceRecord, error) bool) {
				attempt++
				r := connect.SourceRecord{Record: connect.Record{Topic: "t", Value: fmt.Sprint(attempt, from["n"])}, SourceOffset: connect.Fields{"n": int64(attempt)}}
				if !yield(r, nil) {
					return
				}
				err := errors.New("broken")
				if attempt == 1 {
					err = connect.Retriable(err)
				}
				yield(connect.SourceRecord{}, err)
			}
		}), nil)
		if err := run.AwaitError(); !strings.Contains(err.Error(), "broken") || connect.IsRetriable(err) {
			t.Errorf("got %v", err)
		}
		if got := sourceValues(run.Take(2)); got != "1 <nil> 2 1" {
			t.Errorf("got %s", got)
		}
	})
}
