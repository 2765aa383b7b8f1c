package worker

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gokconnect/connect"
)

// connector is a connector made of functions. Calls are written down.
type connector struct {
	*journal
	cc      connect.ConnectorContext
	start   func(ctx context.Context) error
	configs func(n int) ([]connect.Config, error) // n counts the calls, from 1
	stop    func() error
	calls   int
}

func (c *connector) Start(ctx context.Context, cc connect.ConnectorContext, _ connect.Config) error {
	c.add("start")
	c.cc = cc
	if c.start == nil {
		return nil
	}
	return c.start(ctx)
}

func (c *connector) TaskConfigs(_ context.Context, max int) ([]connect.Config, error) {
	c.calls++
	c.add("taskConfigs %d", max)
	if c.configs == nil {
		return make([]connect.Config, 1), nil
	}
	return c.configs(c.calls)
}

func (c *connector) Stop(context.Context) error {
	c.add("stop")
	if c.stop == nil {
		return nil
	}
	return c.stop()
}

func inConnectorWorld(t *testing.T, target State, f func(t *testing.T, c *connector, start func() *Connector)) {
	synctest.Test(t, func(t *testing.T) {
		c := &connector{journal: new(journal)}
		f(t, c, func() *Connector {
			o := options(t, c.journal)
			return StartConnector(ConnectorOptions{Name: "c", Grace: 5 * time.Second, Target: target, Logger: o.Logger, Status: o.Status,
				New: func(context.Context) (*ConnectorParts, error) {
					return &ConnectorParts{Connector: c, MaxTasks: 2, EnforceMaxTasks: true, Release: func() { c.add("release") }}, nil
				},
				TaskConfigs: func(_ context.Context, cfgs []connect.Config) error {
					c.add("tasks %d", len(cfgs))
					return nil
				}})
		})
	})
}

func endConnector(r *Connector) {
	r.Stop()
	<-r.Done()
	<-r.Ended()
}

func TestConnectorLife(t *testing.T) {
	inConnectorWorld(t, Running, func(t *testing.T, c *connector, start func() *Connector) {
		r := start()
		time.Sleep(time.Second)
		synctest.Wait()
		if err := c.cc.RequestTaskReconfiguration(); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Second)
		for _, target := range []State{Paused, Stopped, Running} {
			r.SetTarget(target)
			time.Sleep(time.Second)
		}
		endConnector(r)
		synctest.Wait()
		want(t, "calls", c.all(), []string{"start", "RUNNING", "taskConfigs 2", "tasks 1", "taskConfigs 2", "tasks 1", "stop", "PAUSED", "STOPPED",
			"start", "RUNNING", "taskConfigs 2", "tasks 1", "stop", "UNASSIGNED", "release"})
		if err := c.cc.RequestTaskReconfiguration(); err == nil {
			t.Error("a connector that was stopped asked for a reconfiguration")
		}
	})
}

func TestConnectorCreatedPaused(t *testing.T) {
	inConnectorWorld(t, Paused, func(t *testing.T, c *connector, start func() *Connector) {
		r := start()
		time.Sleep(time.Second)
		endConnector(r)
		want(t, "calls", c.all(), []string{"PAUSED", "UNASSIGNED"})
	})
}

func TestConnectorFailures(t *testing.T) {
	for _, c := range []struct {
		name string
		set  func(c *connector)
		want []string // states and calls, shortened
	}{
		{"start", func(c *connector) { c.start = func(context.Context) error { return errTest } }, []string{"start", "FAILED"}},
		{"start panics", func(c *connector) { c.start = func(context.Context) error { panic("boom") } }, []string{"start", "FAILED"}},
		{"taskConfigs is repeated", func(c *connector) {
			c.configs = func(n int) ([]connect.Config, error) {
				switch n {
				case 1:
					return nil, errTest
				case 2:
					panic("boom")
				}
				return make([]connect.Config, 2), nil
			}
		}, []string{"start", "RUNNING", "taskConfigs", "taskConfigs", "taskConfigs", "tasks", "stop", "UNASSIGNED"}},
		{"too many tasks", func(c *connector) {
			c.configs = func(int) ([]connect.Config, error) { return make([]connect.Config, 3), nil }
		}, []string{"start", "RUNNING", "taskConfigs", "FAILED", "stop"}},
		{"raised", func(c *connector) {
			c.start = func(context.Context) error {
				go func() { time.Sleep(time.Second); c.cc.RaiseError(errTest) }()
				return nil
			}
		}, []string{"start", "RUNNING", "taskConfigs", "tasks", "FAILED", "stop"}},
		{"stop", func(c *connector) { c.stop = func() error { return errTest } }, []string{"start", "RUNNING", "taskConfigs", "tasks", "stop", "FAILED"}},
		{"start ends with the connector", func(c *connector) { c.start = func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() } }, []string{"start", "UNASSIGNED"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			inConnectorWorld(t, Running, func(t *testing.T, conn *connector, start func() *Connector) {
				c.set(conn)
				r := start()
				time.Sleep(time.Minute)
				endConnector(r)
				synctest.Wait()
				var got []string
				for _, l := range conn.all() {
					got = append(got, strings.TrimSuffix(strings.Fields(l)[0], ":"))
				}
				want(t, "calls", got, append(c.want, "release"))
			})
		})
	}
}

func TestAbandonedConnector(t *testing.T) {
	inConnectorWorld(t, Running, func(t *testing.T, c *connector, start func() *Connector) {
		hang := make(chan struct{})
		c.configs = func(int) ([]connect.Config, error) { <-hang; return make([]connect.Config, 1), nil }
		r := start()
		time.Sleep(time.Minute)
		if name, _ := r.Doing(); name != "TaskConfigs" {
			t.Errorf("doing %q", name)
		}
		r.Stop()
		<-r.Done()
		close(hang)
		<-r.Ended()
		want(t, "calls", c.all(), []string{"start", "RUNNING", "taskConfigs 2", "stop", "release"})
	})
}
