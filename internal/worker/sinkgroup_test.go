package worker

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/kafkatest"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// TestAbandonedSink: what a task does after it was given up has no effect, and its partitions go to others at once.
// The tests of this file run in bubbles of virtual time (synctest.Test), which inSinkWorld makes.

func TestAbandonedSink(t *testing.T) {
	inSinkWorld(t, 1, func(t *testing.T, w *sinkWorld, j *journal) {
		w.produce("t", 1, 0, 3)
		hang := make(chan struct{})
		zombie := w.task(&sink{journal: j, put: func(context.Context, []connect.SinkRecord) error { <-hang; return nil }})
		time.Sleep(10 * time.Second)
		zombie.Stop()
		<-zombie.Done()
		if !zombie.Abandoned() {
			t.Fatal("not abandoned")
		}
		next := new(journal)
		w.opts.TaskOptions = options(t, next)
		task := w.task(&sink{journal: next, preCommit: func(connect.SinkOffsets) (connect.SinkOffsets, error) { return nil, nil }})
		time.Sleep(10 * time.Second)
		want(t, "puts of the next task", next.with("put"), []string{"put 0 1 2"})
		close(hang)
		<-zombie.Ended()
		time.Sleep(3 * time.Minute)
		if got := w.committed(t, "t", 0); got != -1 {
			t.Errorf("an abandoned task committed %d", got)
		}
		if j.count("UNASSIGNED") != 0 || j.count("stop") != 1 || j.count("preCommit") != 0 {
			t.Errorf("calls %q", j.all())
		}
		end(t, task)
	})
}

// TestHungSinkLosesItsPartitions: the client's heartbeats do not keep the partitions of a task that hangs.
func TestHungSinkLosesItsPartitions(t *testing.T) {
	inSinkWorld(t, 1, func(t *testing.T, w *sinkWorld, j *journal) {
		w.produce("t", 1, 0, 3)
		hang := make(chan struct{})
		w.opts.Restart = RestartPolicy{Max: 1, First: time.Second, Limit: time.Second}
		runs, again := 0, new(journal)
		hung := w.run(func() connect.SinkTask {
			if runs++; runs > 1 {
				return &sink{journal: again} // which may get the partition, and is asked about its position then
			}
			return &sink{journal: j, put: func(context.Context, []connect.SinkRecord) error { <-hang; return nil }}
		})
		time.Sleep(30 * time.Second)
		other := new(journal)
		w.opts.TaskOptions = options(t, other)
		task := w.task(&sink{journal: other})
		time.Sleep(50 * time.Second)
		want(t, "puts of the other", other.with("put"), []string{"put 0 1 2"})
		close(hang)
		time.Sleep(3 * time.Minute)
		want(t, "the hung task", j.with("preCommit", "UNASSIGNED", "FAILED"), nil)
		if j.count("RESTARTING") != 1 || j.count("RUNNING") != 2 {
			t.Errorf("the hung task: %q", j.all())
		}
		if got := w.committed(t, "t", 0); got != 3 {
			t.Errorf("committed %d", got)
		}
		end(t, task)
		end(t, hung)
	})
}

// TestSinkGroup: tasks of a group come, stop and die; nothing is lost, and what was committed before is not put again.
func TestSinkGroup(t *testing.T) {
	inSinkWorld(t, 6, func(t *testing.T, w *sinkWorld, j *journal) {
		w.opts.CommitInterval = time.Second
		w.client = []kgo.Opt{kgo.SessionTimeout(10 * time.Second), kgo.HeartbeatInterval(time.Second)}
		type member struct {
			task *Task
			j    *journal
			link *kafkatest.Link
		}
		start := func() member {
			m := member{j: new(journal), link: w.k.NewLink()}
			w.link = m.link
			w.opts.TaskOptions = options(t, m.j)
			m.task = w.task(&sink{journal: m.j})
			return m
		}
		at := 0
		feed := func(d time.Duration) {
			for range d / time.Second {
				w.produce("t", 6, at, at+12)
				at += 12
				time.Sleep(time.Second)
			}
		}
		a := start()
		feed(10 * time.Second)
		b := start()
		feed(10 * time.Second)
		c := start()
		feed(10 * time.Second)
		end(t, b.task)
		feed(10 * time.Second)
		c.link.Cut() // dies
		feed(30 * time.Second)
		c.task.Stop()
		feed(10 * time.Second)
		c.link.Heal()
		<-c.task.Ended()
		feed(5 * time.Second)
		end(t, a.task)
		times := map[string]int{}
		for _, m := range []member{a, b, c} {
			for _, l := range m.j.with("put ") {
				for _, v := range strings.Fields(l)[1:] {
					times[v]++
				}
			}
			if m.j.count("FAILED") > 0 {
				t.Errorf("%q", m.j.with("FAILED"))
			}
		}
		again := 0
		for i := range at {
			n := times[fmt.Sprint(i)]
			if n == 0 {
				t.Errorf("record %d was lost", i)
			}
			again += n - 1
		}
		if again > 12*25 {
			t.Errorf("%d records came again", again)
		}
		for p := range int32(6) {
			if got := w.committed(t, "t", p); got != int64(at/6) {
				t.Errorf("partition %d: committed %d of %d", p, got, at/6)
			}
		}
	})
}

// TestRevokeDuringRetry (design §7): the commit at a rebalance stops before the record that still fails.
func TestRevokeDuringRetry(t *testing.T) {
	inSinkWorld(t, 2, func(t *testing.T, w *sinkWorld, j *journal) {
		var healthy atomic.Bool
		put := func(_ context.Context, recs []connect.SinkRecord) error {
			if !healthy.Load() && slices.ContainsFunc(recs, func(r connect.SinkRecord) bool { return r.Offset >= 2 }) {
				return connect.Retriable(errTest)
			}
			return nil
		}
		w.produce("t", 2, 0, 4)
		a := w.task(&sink{journal: j, put: put})
		time.Sleep(10 * time.Second)
		w.produce("t", 2, 4, 8)
		time.Sleep(10 * time.Second)
		other := new(journal)
		w.opts.TaskOptions = options(t, other)
		b := w.task(&sink{journal: other, put: put})
		time.Sleep(2 * time.Minute)
		for p := range int32(2) {
			if got := w.committed(t, "t", p); got != 2 {
				t.Errorf("partition %d: committed %d while the record at 2 fails", p, got)
			}
		}
		if other.count("open") == 0 || j.count("close") == 0 {
			t.Fatalf("no rebalance: %q, %q", j.all(), other.all())
		}
		healthy.Store(true)
		time.Sleep(2 * time.Minute)
		end(t, a)
		end(t, b)
		got := map[string]int{}
		for _, l := range append(j.with("put "), other.with("put ")...) {
			for _, v := range strings.Fields(l)[1:] {
				got[v]++
			}
		}
		for i := range 8 {
			if got[fmt.Sprint(i)] != 1 {
				t.Errorf("record %d was put %d times", i, got[fmt.Sprint(i)])
			}
		}
		for p := range int32(2) {
			if got := w.committed(t, "t", p); got != 4 {
				t.Errorf("partition %d: committed %d at the end", p, got)
			}
		}
	})
}

// TestPausedPartitionsAcrossRebalances: what a task paused is forgotten when it loses the partition.
func TestPausedPartitionsAcrossRebalances(t *testing.T) {
	inSinkWorld(t, 2, func(t *testing.T, w *sinkWorld, j *journal) {
		s := &sink{journal: j}
		first := true
		s.put = func(context.Context, []connect.SinkRecord) error {
			if all := s.tc.Partitions().Assigned(); first && len(all) == 2 {
				first = false
				return s.tc.Partitions().Pause(all...)
			}
			return nil
		}
		w.produce("t", 2, 0, 2)
		a := w.task(s)
		time.Sleep(10 * time.Second)
		w.opts.TaskOptions = options(t, new(journal))
		b := w.task(&sink{journal: new(journal)})
		time.Sleep(10 * time.Second)
		end(t, b)
		time.Sleep(10 * time.Second)
		w.produce("t", 2, 100, 104)
		time.Sleep(10 * time.Second)
		end(t, a)
		got := strings.Fields(strings.Join(j.with("put 1"), " "))
		got = slices.DeleteFunc(got, func(s string) bool { return !strings.HasPrefix(s, "10") })
		slices.Sort(got)
		want(t, "records after the rebalances", got, []string{"100", "101", "102", "103"})
	})
}

// TestSinkStopsWhileItJoins: a task stops at once also while its group waits for a member that does not come, and is out of the
// group then.
func TestSinkStopsWhileItJoins(t *testing.T) {
	inSinkWorld(t, 1, func(t *testing.T, w *sinkWorld, j *journal) {
		hang := make(chan struct{})
		own := w.k.ClientOpts()
		slow, err := kgo.NewClient(append(own, kgo.ConsumerGroup("g"), kgo.ConsumeTopics("t"), kgo.Balancers(kgo.RangeBalancer()), kgo.RebalanceTimeout(time.Hour),
			kgo.SessionTimeout(time.Minute), kgo.OnPartitionsRevoked(func(context.Context, *kgo.Client, map[string][]int32) { <-hang }))...)
		if err != nil {
			t.Fatal(err)
		}
		defer slow.CloseAllowingRebalance()
		defer close(hang)
		time.Sleep(5 * time.Second)
		w.parts.RebalanceTimeout = time.Hour
		task := w.task(&sink{journal: j})
		time.Sleep(10 * time.Second) // it waits for the other
		groups, err := kadm.NewClient(w.k.Client()).DescribeGroups(t.Context(), "g")
		if err != nil || groups["g"].State != "PreparingRebalance" || len(groups["g"].Members) != 2 {
			t.Fatalf("the task does not wait: %v %v", groups, err)
		}
		began := time.Now()
		end(t, task)
		if took := time.Since(began); task.Abandoned() || took > 3*time.Second {
			t.Errorf("it took %v to stop, abandoned %v", took, task.Abandoned())
		}
		groups, err = kadm.NewClient(w.k.Client()).DescribeGroups(t.Context(), "g")
		if err != nil || len(groups["g"].Members) != 1 {
			t.Errorf("it is still a member: %v %v", groups, err)
		}
	})
}

// TestOverdue: the error of a run that takes too long names the call that does, if one is under way.
func TestOverdue(t *testing.T) {
	r := &sinkRun{SinkParts: SinkParts{RebalanceTimeout: time.Minute}}
	const rest = "and its partitions go to others: why (max.poll.interval.ms is 1m0s)"
	if got, want := r.overdue("why").Error(), "the task waits for Kafka, "+rest; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	_ = r.activity.do(callPut, func() error {
		if got := r.overdue("why").Error(); !strings.HasPrefix(got, "the task did not return from Put for ") || !strings.HasSuffix(got, ", "+rest) {
			t.Errorf("got %q", got)
		}
		return nil
	})
}

// TestSinkThatJoinsTooLate: a member that the group has forgotten becomes a new one, and must not go on with what the old one had:
// the client does not say that it is lost.
func TestSinkThatJoinsTooLate(t *testing.T) {
	inSinkWorld(t, 6, func(t *testing.T, w *sinkWorld, j *journal) {
		w.opts.CommitInterval = time.Second
		w.opts.Restart = RestartPolicy{Max: 1, First: time.Second, Limit: time.Second}
		w.client = []kgo.Opt{kgo.Balancers(kgo.CooperativeStickyBalancer()), kgo.SessionTimeout(10 * time.Second), kgo.HeartbeatInterval(time.Second), kgo.RebalanceTimeout(10 * time.Second)}
		forgotten := w.run(func() connect.SinkTask { return &sink{journal: j} })
		w.produce("t", 6, 0, 12)
		time.Sleep(10 * time.Second)
		w.k.ControlKey(int16(kmsg.JoinGroup), func(r kmsg.Request) (kmsg.Response, error, bool) {
			req := r.(*kmsg.JoinGroupRequest)
			if req.MemberID == "" {
				w.k.KeepControl()
				return nil, nil, false
			}
			resp := req.ResponseKind().(*kmsg.JoinGroupResponse)
			resp.ErrorCode = kerr.UnknownMemberID.Code
			return resp, nil, true
		})
		w.k.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Heartbeat}, Err: kerr.RebalanceInProgress, Count: 1})
		time.Sleep(time.Minute)
		w.produce("t", 6, 12, 24)
		time.Sleep(10 * time.Second)
		if j.count("RESTARTING") != 1 || j.count("open") != 2 {
			t.Errorf("%q, want that its partitions were given up, and opened again", j.all())
		}
		total := int64(0)
		for p := range int32(6) {
			total += w.committed(t, "t", p)
		}
		if total != 24 {
			t.Errorf("%d records are committed, want 24", total)
		}
		end(t, forgotten)
	})
}
