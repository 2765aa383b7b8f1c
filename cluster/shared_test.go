package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/cluster"
	"github.com/gokconnect/connect/internal/kafkatest"
	"github.com/gokconnect/connect/offsets"
	"github.com/twmb/franz-go/pkg/kgo"
)

// closable counts how often it was closed.
type closable struct {
	connect.StringConverter
	closed atomic.Int32
}

func (c *closable) Apply(_ context.Context, r *connect.Record) (*connect.Record, error) {
	if c.closed.Load() > 0 {
		return nil, errors.New("it is closed")
	}
	return r, nil
}

func (c *closable) Close() error {
	c.closed.Add(1)
	return nil
}

// shards is a source of n records in each of some partitions. Those of partition 0 end with an error.
func shards(partitions, n int) *connect.Partitioned[int, int] {
	return &connect.Partitioned[int, int]{
		Partitions: func(context.Context) (all []int, err error) {
			for i := range partitions {
				all = append(all, i)
			}
			return all, nil
		},
		Read: func(_ context.Context, p int, from *int) iter.Seq2[connect.Emit[int], error] {
			return func(yield func(connect.Emit[int], error) bool) {
				i := 0
				if from != nil {
					i = *from
				}
				for i++; i <= n; i++ {
					if !yield(connect.Emit[int]{Record: connect.Record{Value: fmt.Sprint(p, "/", i)}, Offset: i}, nil) {
						return
					}
				}
				if p == 0 {
					yield(connect.Emit[int]{}, errors.New("broken"))
				}
			}
		},
	}
}

// What was given as a Go value is used by all tasks: the end of one must not close it.
func TestTasksDoNotCloseWhatTheyShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := kafkatest.New(t)
		k.MustCreateTopic("lines", 1)
		var out collector
		var step, value, key closable
		_, stop := start(t, k, cluster.Config{Offsets: new(offsets.Memory), Restart: cluster.RestartPolicy{Max: -1}, Key: &key},
			cluster.Source{Name: "in", Connector: shards(2, 3), Tasks: 2, Topic: "lines", Transforms: []connect.Transformation{&step}, Value: &value},
			cluster.Sink{Name: "out", Connector: connect.SinkFunc(out.put), Topics: []string{"lines"}, Transforms: []connect.Transformation{&step}, Value: &value},
		)
		time.Sleep(10 * time.Minute)
		stop()
		got := out.got()
		slices.Sort(got)
		if want := "[0/1 0/2 0/3 1/1 1/2 1/3]"; fmt.Sprint(got) != want {
			t.Errorf("got %v, want %s", got, want)
		}
		if n := step.closed.Load() + value.closed.Load() + key.closed.Load(); n != 0 {
			t.Errorf("shared values were closed %d times", n)
		}
	})
}

// A declaration that is refused must not become part of a connector that runs.
func TestRefusedDeclarationChangesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := kafkatest.New(t)
		k.MustCreateTopic("lines", 1)
		var out collector
		mark := connect.TransformFunc(func(_ context.Context, r *connect.Record) (*connect.Record, error) {
			r.Value = "marked"
			return r, nil
		})
		rt, stop := start(t, k, cluster.Config{Offsets: new(offsets.Memory)},
			cluster.Source{Name: "in", Connector: shards(1, 0), Topic: "lines"},
			cluster.Sink{Name: "out", Connector: connect.SinkFunc(out.put), Topics: []string{"lines"}},
		)
		time.Sleep(time.Minute)
		err := rt.Add(cluster.Sink{
			Name: "out", Connector: connect.SinkFunc(out.put), Topics: []string{"lines"}, Transforms: []connect.Transformation{mark},
			Config: connect.Config{"errors.tolerance": "perhaps"},
		})
		if err == nil {
			t.Error("it was not refused")
		}
		if err := rt.Restart(t.Context(), "out", cluster.RestartOptions{Tasks: true}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		k.Produce(&kgo.Record{Topic: "lines", Value: []byte("plain")})
		time.Sleep(time.Minute)
		stop()
		if got := out.got(); fmt.Sprint(got) != "[plain]" {
			t.Errorf("got %v", got)
		}
	})
}
