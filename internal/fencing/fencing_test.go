package fencing

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/configstore"
	"github.com/gokconnect/connect/internal/herder"
	"github.com/gokconnect/connect/internal/kafkatest"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func transactional(k *kafkatest.Cluster, id string) *kgo.Client {
	return k.Client(kgo.TransactionalID(id), kgo.ProducerLinger(0), kgo.DefaultProduceTopic("t"))
}

// TestProducers: what is open is aborted, and nothing that the producers send later counts.
func TestProducers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := kafkatest.New(t)
		k.MustCreateTopic("t", 1)
		zombies := []*kgo.Client{transactional(k, "g-c-0"), transactional(k, "g-c-1")}
		for _, z := range zombies {
			if err := errors.Join(z.BeginTransaction(), z.ProduceSync(t.Context(), kgo.StringRecord("lost")).FirstErr()); err != nil {
				t.Fatal(err)
			}
		}
		k.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.InitProducerID}, Err: kerr.ConcurrentTransactions, Count: 3})
		if err := Producers(t.Context(), k.Client(), "g-c-0", "g-c-1", "g-c-2"); err != nil {
			t.Fatal(err)
		}
		for _, z := range zombies {
			err := errors.Join(z.ProduceSync(t.Context(), kgo.StringRecord("lost too")).FirstErr(), z.EndTransaction(t.Context(), kgo.TryCommit))
			if err == nil {
				t.Error("a zombie could commit")
			}
		}
		owner := transactional(k, "g-c-0")
		err := errors.Join(owner.BeginTransaction(), owner.ProduceSync(t.Context(), kgo.StringRecord("kept")).FirstErr(), owner.EndTransaction(t.Context(), kgo.TryCommit))
		if got := k.Texts("t"); err != nil || !slices.Equal(got, []string{"null=kept"}) {
			t.Errorf("%v %v", got, err)
		}
	})
}

func TestProducersFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := kafkatest.New(t)
		client := k.Client()
		fault := k.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.InitProducerID}, Err: kerr.TransactionalIDAuthorizationFailed, Count: -1})
		if err := Producers(t.Context(), client, "g-c-0"); !errors.Is(err, kerr.TransactionalIDAuthorizationFailed) {
			t.Errorf("%v", err)
		}
		fault.Remove()
		k.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.InitProducerID}, Err: kerr.ConcurrentTransactions, Count: -1})
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if err := Producers(ctx, client, "g-c-0"); !errors.Is(err, kerr.ConcurrentTransactions) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
	})
}

// world is a config store in memory and what rounds do with it.
type world struct {
	*configstore.Memory
	rounds *Rounds
	mu     sync.Mutex
	did    []string
	during func() // called while producers are fenced
}

func newWorld(t *testing.T) *world {
	w := &world{Memory: configstore.NewMemory(nil)}
	if err := w.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.rounds = &Rounds{Store: w, Fence: func(ctx context.Context, connector string, tasks int) error {
		w.note("fence %s %d", connector, tasks)
		if w.during != nil {
			w.during()
		}
		return context.Cause(ctx)
	}}
	if err := w.PutConnector(t.Context(), "c", configstore.Properties{}, herder.Started); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) note(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.did = append(w.did, fmt.Sprintf(format, args...))
}

func (w *world) PutFencingCount(ctx context.Context, connector string, tasks int) error {
	w.note("count %d", tasks)
	return w.Memory.PutFencingCount(ctx, connector, tasks)
}

func (w *world) tasks(t *testing.T, n int) {
	t.Helper()
	configs := make([]configstore.Properties, n)
	for i := range configs {
		configs[i] = configstore.Properties{}
	}
	if err := w.PutTasks(t.Context(), "c", configs); err != nil {
		t.Fatal(err)
	}
}

func (w *world) want(t *testing.T, want ...string) {
	t.Helper()
	if !slices.Equal(w.did, want) {
		t.Errorf("it did %q, want %q", w.did, want)
	}
	w.did = nil
}

// TestRounds: who is fenced as the number of tasks changes.
func TestRounds(t *testing.T) {
	w := newWorld(t)
	run := func() {
		t.Helper()
		if err := w.rounds.Run(t.Context(), "c"); err != nil {
			t.Error(err)
		}
	}
	run()
	w.want(t) // no tasks were ever committed
	w.tasks(t, 1)
	run()
	w.want(t, "count 1") // the first generation has nobody before it
	run()
	w.want(t)
	w.tasks(t, 1)
	run()
	w.want(t, "count 1") // the task fences its predecessor
	w.tasks(t, 3)
	run()
	w.want(t, "fence c 1", "count 3")
	w.tasks(t, 1)
	run()
	w.want(t, "fence c 3", "count 1")
	w.tasks(t, 0)
	run()
	w.want(t, "fence c 1", "count 0")
	w.tasks(t, 2)
	run()
	w.want(t, "fence c 0", "count 2")
	if err := w.rounds.Run(t.Context(), "unknown"); !errors.Is(err, connect.ErrNotFound) {
		t.Errorf("%v", err)
	}
}

// TestRoundsSuperseded: tasks that change while a round is under way leave nothing on record: the next round begins anew.
func TestRoundsSuperseded(t *testing.T) {
	for _, told := range []bool{true, false} {
		w := newWorld(t)
		w.tasks(t, 2)
		if err := w.rounds.Run(t.Context(), "c"); err != nil {
			t.Fatal(err)
		}
		w.tasks(t, 3)
		w.did = nil
		w.during = func() {
			w.during = nil
			w.tasks(t, 4)
			if told {
				w.rounds.TasksChanged("c")
			}
		}
		var superseded *SupersededError
		if err := w.rounds.Run(t.Context(), "c"); !errors.As(err, &superseded) || superseded.Found == told {
			t.Errorf("%v", err)
		}
		w.want(t, "fence c 2")
		if err := w.rounds.Run(t.Context(), "c"); err != nil {
			t.Error(err)
		}
		w.want(t, "fence c 2", "count 4")
	}
}

// TestRoundsShared: callers share a round, and one that gives up does not take the others with it.
func TestRoundsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.tasks(t, 2)
		if err := w.rounds.Run(t.Context(), "c"); err != nil {
			t.Fatal(err)
		}
		w.tasks(t, 3)
		w.did = nil
		impatient, cancel := context.WithCancel(t.Context())
		w.during = func() {
			if impatient.Err() == nil {
				<-impatient.Done()
			}
		}
		errs := make(chan error, 4)
		go func() { errs <- w.rounds.Run(impatient, "c") }()
		synctest.Wait()
		for range 3 {
			go func() { errs <- w.rounds.Run(t.Context(), "c") }()
		}
		synctest.Wait()
		cancel()
		failed := 0
		for range 4 {
			if err := <-errs; err != nil {
				failed++
			}
		}
		if failed != 1 {
			t.Errorf("%d callers failed", failed)
		}
		w.want(t, "fence c 2", "fence c 2", "count 3")
	})
}
