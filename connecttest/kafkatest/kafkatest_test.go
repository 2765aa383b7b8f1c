package kafkatest_test

import (
	"context"
	"fmt"
	"iter"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/cluster"
	"github.com/gokconnect/connect/connecttest/kafkatest"
	"github.com/twmb/franz-go/pkg/kgo"
)

// hours is a source that gives a record every hour, and goes on where it stopped.
var hours = &connect.Partitioned[string, int]{
	Read: func(ctx context.Context, _ string, from *int) iter.Seq2[connect.Emit[int], error] {
		return func(yield func(connect.Emit[int], error) bool) {
			n := 0
			if from != nil {
				n = *from
			}
			for {
				select {
				case <-time.After(time.Hour):
				case <-ctx.Done():
					return
				}
				n++
				if !yield(connect.Emit[int]{Record: connect.Record{Value: fmt.Sprint("hour ", n)}, Offset: n}, nil) {
					return
				}
			}
		}
	},
}

func TestRuntimeInVirtualTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := kafkatest.New(t)
		k.Run(cluster.Config{}, cluster.Source{Name: "clock", Connector: hours, Topic: "hours"})
		time.Sleep(6*time.Hour + time.Minute)
		if got := k.Records("hours"); len(got) != 6 {
			t.Errorf("got %d records in six hours", len(got))
		}
	})
}

func TestRunGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := kafkatest.New(t)
		k.CreateTopic("hours", 1) // one partition has one order
		clock := cluster.Source{Name: "clock", Connector: hours, Topic: "hours"}
		_, stop := k.Run(cluster.Config{}, clock)
		time.Sleep(2*time.Hour + time.Minute)
		stop()
		k.Run(cluster.Config{}, clock)
		time.Sleep(2*time.Hour + time.Minute)
		var got []string
		for _, r := range k.Records("hours") {
			got = append(got, string(r.Value))
		}
		if want := []string{"hour 1", "hour 2", "hour 3", "hour 4"}; !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

func TestSinkOutsideABubble(t *testing.T) {
	k := kafkatest.New(t)
	k.Produce(&kgo.Record{Topic: "in", Value: []byte("a")}, &kgo.Record{Topic: "in", Value: []byte("b")})
	got := make(chan string, 2)
	k.Run(cluster.Config{}, cluster.Sink{Name: "out", Topics: []string{"in"}, Connector: connect.SinkFunc(
		func(_ context.Context, records []connect.SinkRecord) error {
			for _, r := range records {
				got <- r.Value.(string)
			}
			return nil
		})})
	if a, b := <-got, <-got; a != "a" || b != "b" {
		t.Errorf("got %q, %q", a, b)
	}
	if n := len(k.Await("in", 2)); n != 2 {
		t.Errorf("topic has %d records", n)
	}
}

// failing keeps what a test was failed with.
type failing struct {
	testing.TB
	message string
}

func (f *failing) Fatalf(format string, args ...any) {
	f.message = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

func TestAwaitGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &failing{TB: t}
		k := kafkatest.New(f)
		k.CreateTopic("empty", 3)
		done := make(chan struct{})
		go func() {
			defer close(done)
			k.Await("empty", 1)
		}()
		<-done
		if !strings.Contains(f.message, "topic empty has 0 records after 1m0s, want 1") {
			t.Errorf("message %q", f.message)
		}
	})
}
