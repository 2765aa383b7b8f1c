package kafkatest_test

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/cluster"
	"github.com/gokconnect/connect/connecttest/kafkatest"
	"github.com/twmb/franz-go/pkg/kgo"
)

// letters is a source of the letters that each of its partitions has, and waits for more.
func letters(parts map[string]string) *connect.Partitioned[string, int] {
	return &connect.Partitioned[string, int]{
		Partitions: func(context.Context) (names []string, _ error) {
			for name := range parts {
				names = append(names, name)
			}
			return names, nil
		},
		Read: func(ctx context.Context, p string, from *int) iter.Seq2[connect.Emit[int], error] {
			return func(yield func(connect.Emit[int], error) bool) {
				n := 0
				if from != nil {
					n = *from
				}
				for ; n < len(parts[p]); n++ {
					if !yield(connect.Emit[int]{Record: connect.Record{Key: p, Value: p + parts[p][n:n+1]}, Offset: n + 1}, nil) {
						return
					}
				}
				<-ctx.Done()
			}
		},
	}
}

var abc = cluster.Source{Name: "abc", Connector: letters(map[string]string{"x": "abcd", "y": "abc"}), Topic: "letters", Tasks: 2}

var want = []string{"xa", "xb", "xc", "xd", "ya", "yb", "yc"}

// follower returns a task and its instance, which does not lead. The first instance does: when a leader dies, its
// successor knows nothing of what is lost, and does not wait for it.
func follower(c *kafkatest.Cluster) (task int, owner *kafkatest.Instance) {
	c.AwaitRunning("abc")
	for task := range 2 {
		if owner = c.Owner("abc", task); owner.Name != "instance-0" {
			return task, owner
		}
	}
	return 0, nil
}

func TestKill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := kafkatest.NewCluster(t, 1, abc)
		c.Start()
		c.Start()
		c.Advance(2 * time.Minute) // offsets are stored
		task, dead := follower(c)
		c.Kill(dead)
		begin := time.Now()
		c.AwaitRunning("abc")
		if took := time.Since(begin); took < 5*time.Minute || took > 6*time.Minute {
			t.Errorf("the work moved after %v, want the delay of five minutes and a session", took)
		}
		if owner := c.Owner("abc", task); owner == dead || len(c.Instances()) != 2 {
			t.Errorf("%s runs the task, of %d instances", owner.Name, len(c.Instances()))
		}
		c.WantTopic("letters", want...)
	})
}

func TestStopAndDeploy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := kafkatest.NewCluster(t, 2, abc)
		c.AwaitRunning("abc")
		begin := time.Now()
		c.Stop(c.Owner("abc", 1))
		c.AwaitRunning("abc")
		if took := time.Since(begin); took > 10*time.Second {
			t.Errorf("the work of an instance that was stopped moved after %v", took)
		}
		c.Start()
		with := abc
		with.Transforms = []connect.Transformation{connect.TransformFunc(func(_ context.Context, r *connect.Record) (*connect.Record, error) {
			r.Value = "new " + r.Value.(string)
			return r, nil
		})}
		old := c.Instances()
		c.Deploy(with)
		c.AwaitRunning("abc")
		for _, i := range c.Instances() {
			if slices.Contains(old, i) {
				t.Errorf("%s is an old instance", i.Name)
			}
		}
		c.WantTopic("letters", want...)
		c.Produce(&kgo.Record{Topic: "letters", Value: []byte("of the test")})
		c.WantTopic("letters", append(want, "of the test")...)
	})
}

func TestPauseAndPartition(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := kafkatest.New(t)
		c := k.Cluster(2, cluster.Config{Worker: connect.Config{"scheduled.rebalance.max.delay.ms": "0"}}, abc)
		for _, fault := range []struct {
			name       string
			begin, end func(*kafkatest.Instance)
		}{{"paused", c.Pause, c.Resume}, {"partitioned", c.Partition, c.Heal}} {
			c.AwaitRunning("abc")
			i := c.Owner("abc", 0)
			fault.begin(i)
			begin := time.Now()
			if owner := c.Owner("abc", 0); owner == i {
				t.Errorf("%s is %s and runs the task", i.Name, fault.name)
			}
			if took := time.Since(begin); took > 20*time.Second {
				t.Errorf("the work of an instance that is %s moved after %v", fault.name, took)
			}
			fault.end(i)
			c.Advance(time.Minute)
			if n := len(c.Instances()); n != 2 {
				t.Errorf("%d instances", n)
			}
		}
		c.AwaitRunning("abc")
		c.WantTopicAtLeast("letters", want...)
	})
}

// A request to an instance that can't answer it itself gets to the one that can.
func TestInstancesReachEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := kafkatest.NewCluster(t, 3, abc)
		c.AwaitRunning("abc")
		owner := c.Owner("abc", 0)
		for _, i := range c.Instances() {
			code, body := request(t, i, "POST", "/connectors/abc/tasks/0/restart")
			if code != 204 && code != 200 && code != 202 {
				t.Errorf("%s, asked to restart a task of %s: %d %s", i.Name, owner.Name, code, body)
			}
			c.Advance(time.Minute)
		}
	})
}

// failOver is a fail-over after the delay of five minutes.
func failOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := kafkatest.New(t).Cluster(1, cluster.Config{Logger: slog.New(slog.DiscardHandler)}, abc)
		c.Start()
		c.Start()
		_, dead := follower(c)
		c.Kill(dead)
		c.AwaitRunning("abc")
		c.WantTopicAtLeast("letters", want...)
	})
}

// TestHoursAreCheap: what waits for five minutes takes a fraction of a second of a core. The bound is far from it, since
// the machine may be busy and the race detector on; the log has the figure.
func TestHoursAreCheap(t *testing.T) {
	begin := time.Now()
	failOver(t)
	took := time.Since(begin)
	t.Logf("a fail-over of five minutes took %v", took)
	if took > 30*time.Second {
		t.Errorf("a fail-over of five minutes took %v, want a fraction of a second", took)
	}
}

// complaints keeps what a test was failed with.
type complaints struct {
	testing.TB
	mu  sync.Mutex
	all []string
}

func (c *complaints) Errorf(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all = append(c.all, fmt.Sprintf(format, args...))
}

func TestWantTopicFindsWhatIsWrong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &complaints{TB: t}
		c := kafkatest.New(f).Cluster(0, cluster.Config{})
		for _, v := range []string{"a", "b", "b", "c"} {
			c.Produce(&kgo.Record{Topic: "t", Value: []byte(v)})
		}
		c.WantTopicAtLeast("t", "a", "b", "c")
		if len(f.all) > 0 {
			t.Errorf("complaints %q", f.all)
		}
		c.WantTopic("t", "a", "b", "c")
		c.WantTopic("t", "a", "c", "b", "d")
		c.WantTopicAtLeast("t", "a", "b")
		wanted := []string{
			`topic t: partition 0, offset 2 has "b" once more`,
			`topic t: partition 0, offset 2 has "b" once more`,
			`topic t: partition 0, offset 3 has "c", which is not wanted`,
		}
		if !slices.Equal(f.all, wanted) {
			t.Errorf("complaints %q, want %q", f.all, wanted)
		}
	})
}
