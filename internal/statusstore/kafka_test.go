package statusstore_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/kafkalog"
	"github.com/gokconnect/connect/internal/kafkatest"
	"github.com/gokconnect/connect/internal/statusstore"
)

type instance struct {
	*statusstore.Kafka
	link *kafkatest.Link

	mu     sync.Mutex
	events []string
	errors []error
}

func start(t *testing.T, c *kafkatest.Cluster, producer ...kafkalog.Producer) *instance {
	t.Helper()
	i := &instance{link: c.NewLink()}
	cfg := statusstore.KafkaConfig{
		Topic: kafkalog.Topic{Name: "status", ReplicationFactor: -1}, Client: i.link.ClientOpts(),
		OnEvent: func(e statusstore.Event) {
			i.mu.Lock()
			defer i.mu.Unlock()
			what := fmt.Sprintf("%s-%d", e.Connector, e.Task)
			switch {
			case e.Topic != nil:
				what = e.Connector + " uses " + e.Topic.Name
			case e.Status != nil:
				what += " " + string(e.Status.State)
			}
			if e.Removed {
				what += " no more"
			}
			i.events = append(i.events, what)
		},
		OnError: func(err error) {
			i.mu.Lock()
			defer i.mu.Unlock()
			i.errors = append(i.errors, err)
		},
	}
	if len(producer) > 0 {
		cfg.Producer = producer[0]
	}
	i.Kafka = statusstore.NewKafka(cfg)
	must(t, i.Start(t.Context()))
	t.Cleanup(i.Stop)
	return i
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func status(state statusstore.State, worker string, generation int32) statusstore.Status {
	return statusstore.Status{State: state, WorkerID: &worker, Generation: generation, Version: new("1")}
}

func task(n int) connect.TaskID { return connect.TaskID{Connector: "c", Task: n} }

func TestInstancesSeeEachOthersStatuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := kafkatest.New(t)
		a, b := start(t, c), start(t, c)
		ctx := t.Context()
		sync := func() {
			t.Helper()
			must(t, a.Flush(ctx))
			must(t, a.Refresh(ctx))
			must(t, b.Refresh(ctx))
		}
		a.PutConnector("c", status(statusstore.Running, "a", 1), false)
		a.PutTask(task(0), status(statusstore.Running, "a", 1), false)
		a.PutTopic(statusstore.Topic{Name: "t", Connector: "c", Discovered: 7})
		sync()
		if s := b.Connector("c"); s == nil || s.State != statusstore.Running || *s.WorkerID != "a" {
			t.Errorf("b knows %+v", s)
		}
		if s := b.Tasks("c"); len(s) != 1 || s[0].Generation != 1 || b.Task(task(0)) != s[0] {
			t.Errorf("b knows %v", s)
		}
		if topics := b.Topics("c"); topics["t"].Discovered != 7 {
			t.Errorf("b knows %v", topics)
		}
		// Another instance has taken over: the old one does not say that the task ended.
		b.PutTask(task(0), status(statusstore.Running, "b", 2), false)
		must(t, b.Flush(ctx))
		sync()
		a.PutTask(task(0), status(statusstore.Unassigned, "a", 1), true)
		sync()
		if s := a.Task(task(0)); *s.WorkerID != "b" || s.State != statusstore.Running {
			t.Errorf("a knows %+v", s)
		}
		a.DeleteTopic("c", "t")
		a.PutConnector("c", status(statusstore.Destroyed, "a", 3), false)
		sync()
		if len(b.Connectors()) != 0 || len(b.Tasks("c")) != 0 || len(b.Topics("c")) != 0 {
			t.Errorf("b knows %v", b.Connectors())
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		slices.Sort(b.events) // they come from several partitions
		if want := []string{"c uses t", "c uses t no more", "c--1 RUNNING", "c--1 no more", "c-0 RUNNING", "c-0 RUNNING"}; !slices.Equal(b.events, want) {
			t.Errorf("b was told %q, want %q", b.events, want)
		}
	})
}

func TestWhatCanNotBeWrittenIsWrittenLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := kafkatest.New(t)
		a := start(t, c)
		b := start(t, c)
		a.link.Cut()
		a.PutConnector("c", status(statusstore.Failed, "a", 1), true)
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		if err := a.Flush(ctx); err == nil {
			t.Error("flushed without a network")
		}
		a.link.Heal()
		must(t, a.Flush(t.Context()))
		must(t, b.Refresh(t.Context()))
		if b.Connector("c") == nil {
			t.Error("the status is lost")
		}
	})
}

// faultyProducer fails the records that come, with each error in turn.
type faultyProducer struct {
	kafkalog.Producer
	mu     sync.Mutex
	errors []error
}

func (p *faultyProducer) Produce(ctx context.Context, r *kgo.Record, promise func(*kgo.Record, error)) {
	p.mu.Lock()
	var err error
	if len(p.errors) > 0 {
		err, p.errors = p.errors[0], p.errors[1:]
	}
	p.mu.Unlock()
	if err != nil {
		promise(r, err)
		return
	}
	p.Producer.Produce(ctx, r, promise)
}

func TestAStatusThatIsRefusedIsReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := kafkatest.New(t)
		a := start(t, c, &faultyProducer{Producer: c.Client(), errors: []error{kerr.MessageTooLarge, kerr.NotEnoughReplicas, kgo.ErrRecordTimeout}})
		a.PutConnector("large", status(statusstore.Running, "a", 1), false)
		a.PutConnector("late", status(statusstore.Running, "a", 1), false)
		must(t, a.Flush(t.Context()))
		must(t, a.Refresh(t.Context()))
		if len(a.errors) != 1 || !errors.Is(a.errors[0], kerr.MessageTooLarge) {
			t.Errorf("reported %v", a.errors)
		}
		if a.Connector("large") != nil || a.Connector("late") == nil {
			t.Error("wrong statuses")
		}
	})
}

func TestStopWithStatusesThatCanNotBeWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // which fails if a goroutine is left
		c := kafkatest.New(t)
		i := start(t, c)
		i.link.Cut()
		i.PutConnector("c", status(statusstore.Running, "a", 1), false)
		i.Stop()
		i.Stop()
	})
}
