package cluster_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/cluster"
	"github.com/gokconnect/connect/connecttest/kafkatest"
	"github.com/twmb/franz-go/pkg/kgo"
)

// ward is a connector whose only task is a patient.
type ward struct {
	connect.SinkConnector
	task *patient
}

func (w ward) NewTask() connect.SinkTask { return w.task }

// patient is a task that says of itself how it is, and whose Put takes as long as it is told to.
type patient struct {
	how  func(context.Context) error
	hold chan struct{} // nil: Put returns at once
}

func (p *patient) Start(context.Context, connect.SinkTaskContext, connect.Config) error { return nil }
func (p *patient) Stop(context.Context) error                                           { return nil }
func (p *patient) Put(context.Context, []connect.SinkRecord) error {
	if p.hold != nil {
		<-p.hold
	}
	return nil
}
func (p *patient) Health(ctx context.Context) error { return p.how(ctx) }

func runPatient(t *testing.T, cfg cluster.Config, p *patient) *cluster.Runtime {
	k := kafkatest.New(t)
	k.CreateTopic("t", 1)
	none := connect.SinkFunc(func(context.Context, []connect.SinkRecord) error { return nil })
	rt, _ := k.Run(cfg, cluster.Sink{Name: "snk", Connector: ward{none, p}, Topics: []string{"t"}})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		s, err := rt.Status(ctx, "snk")
		if err == nil && len(s.Tasks) == 1 && s.Tasks[0].State == cluster.Running {
			return rt
		}
		if ctx.Err() != nil {
			t.Fatalf("the task does not run: %v", err)
		}
		time.Sleep(time.Second)
	}
}

// What a task reports of itself is shown, until it reports something else; calls that panic or hang are its trouble alone.
func TestHealthReporter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var how atomic.Pointer[func(context.Context) error]
		say := func(f func(context.Context) error) { how.Store(&f) }
		say(func(context.Context) error { return nil })
		rt := runPatient(t, cluster.Config{}, &patient{how: func(ctx context.Context) error { return (*how.Load())(ctx) }})
		await := func(part string) {
			t.Helper()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			if s, err := rt.Await(ctx, "snk", func(s cluster.ConnectorStatus) bool {
				err := s.Tasks[0].Health
				return err == nil && part == "" || err != nil && part != "" && strings.Contains(err.Error(), part)
			}); err != nil {
				t.Errorf("health is %v, want %q: %v", s.Tasks[0].Health, part, err)
			}
			h := rt.Health(t.Context())
			if !h.Live || !h.Ready || len(h.Reasons) > 0 || (len(h.Troubles) == 1) != (part != "") {
				t.Errorf("health is %+v", h)
			}
			if part != "" && (h.Troubles[0].Connector != "snk" || h.Troubles[0].Task != 0 || !strings.Contains(h.Troubles[0].Err.Error(), part)) {
				t.Errorf("trouble is %+v", h.Troubles[0])
			}
			if s, err := rt.Status(t.Context(), "snk"); err != nil || s.Tasks[0].State != cluster.Running {
				t.Errorf("status is %+v, error %v", s, err)
			}
		}
		await("")
		say(func(context.Context) error { return errors.New("the database is away") })
		await("the database is away")
		say(func(context.Context) error { panic("no") })
		await("no")
		say(func(context.Context) error { return nil })
		await("")
		release := make(chan struct{})
		say(func(context.Context) error { <-release; return nil })
		await("has not returned")
		close(release)
		await("")
	})
}

// A call that does not return is shown, and leaves the instance live and ready; when it has stopped, it is neither.
func TestHealthOfAStalledCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := kafkatest.New(t)
		k.CreateTopic("t", 1)
		hold := make(chan struct{})
		p := &patient{how: func(context.Context) error { return nil }, hold: hold}
		none := connect.SinkFunc(func(context.Context, []connect.SinkRecord) error { return nil })
		rt, stop := k.Run(cluster.Config{StallAfter: 10 * time.Second}, cluster.Sink{Name: "snk", Connector: ward{none, p}, Topics: []string{"t"}})
		if h := rt.Health(t.Context()); !h.Live || h.Ready || len(h.Reasons) != 1 {
			t.Errorf("before it has started: %+v", h)
		}
		k.Produce(&kgo.Record{Topic: "t", Value: []byte("x")})
		time.Sleep(time.Minute)
		h := rt.Health(t.Context())
		if !h.Live || !h.Ready || len(h.Troubles) != 1 || h.Troubles[0].Call != "Put" || time.Since(h.Troubles[0].Since) < 10*time.Second {
			t.Errorf("while Put does not return: %+v", h)
		}
		close(hold)
		time.Sleep(time.Second)
		if h := rt.Health(t.Context()); !h.Live || !h.Ready || len(h.Troubles) != 0 {
			t.Errorf("when it has returned: %+v", h)
		}
		stop()
		if h := rt.Health(t.Context()); h.Live || h.Ready || len(h.Reasons) != 1 {
			t.Errorf("after the end: %+v", h)
		}
	})
}
