package cluster

import (
	"context"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/herder"
	"github.com/gokconnect/connect/internal/worker"
)

// reconcile brings what runs in line with what is configured and assigned. It runs on the loop.
func (rt *Runtime) reconcile() {
	if rt.assigned && !rt.stopping {
		rt.assignment = herder.All(rt.snapshot)
	} else {
		rt.assignment = herder.Assignment{}
	}
	for _, a := range rt.core.Reconcile(rt.snapshot, rt.assignment) {
		switch a := a.(type) {
		case herder.StartConnector:
			rt.startConnector(a)
		case herder.StopConnector:
			rt.stopConnector(a.Name)
		case herder.RetargetConnector:
			if c := rt.connectors[a.Name]; c != nil {
				c.SetTarget(target(a.Target))
			} else {
				rt.status.connector(a.Name, target(a.Target), nil) // it could not be created
			}
		case herder.StartTask:
			rt.startTask(a)
		case herder.StopTask:
			rt.stopTask(a.ID)
		case herder.PauseTask:
			if t := rt.tasks[a.ID]; t != nil {
				t.Pause(a.Paused)
			}
		}
	}
}

func target(t herder.Target) worker.State {
	switch t {
	case herder.Paused:
		return worker.Paused
	case herder.Stopped:
		return worker.Stopped
	}
	return worker.Running
}

func (rt *Runtime) startConnector(a herder.StartConnector) {
	log := rt.log.With("connector", a.Name)
	status := func(s worker.State, err error) { rt.status.connector(a.Name, s, err) }
	name, cfg := a.Name, plain(a.Config)
	var c *worker.Connector
	var hide func(connect.Config) connect.Config // the connector's goroutine has it to itself
	ready := make(chan struct{})                 // closed when c is set
	c = worker.StartConnector(worker.ConnectorOptions{
		Name: name, Logger: log, Status: status, Target: target(a.Target), Grace: connectorGrace,
		New: func(ctx context.Context) (p *worker.ConnectorParts, err error) {
			p, hide, err = rt.connectorParts(ctx, name, cfg)
			return p, err
		},
		TaskConfigs: func(configs []connect.Config) {
			<-ready
			hidden := make([]connect.Config, len(configs))
			for i, cfg := range configs {
				hidden[i] = hide(cfg)
			}
			rt.post(func() {
				if rt.connectors[name] == c { // else it was stopped meanwhile
					rt.tasksComputed(name, hidden)
				}
			})
		},
	})
	close(ready)
	rt.connectors[name] = c
}

// stopConnector stops a connector, if it could be created, and tells the core when it has stopped.
func (rt *Runtime) stopConnector(name string) {
	c := rt.connectors[name]
	delete(rt.connectors, name)
	if c == nil {
		rt.core.ConnectorStopped(name)
		rt.again()
		return
	}
	c.Stop()
	go func() {
		<-c.Done()
		rt.post(func() {
			rt.leave(c.Ended())
			rt.core.ConnectorStopped(name)
			rt.reconcile()
		})
	}()
}

func (rt *Runtime) startTask(a herder.StartTask) {
	id := a.ID
	log := rt.log.With("connector", id.Connector, "task", id.Task)
	status := func(s worker.State, err error) { rt.status.task(id, s, err) }
	opts := worker.TaskOptions{ID: id, Logger: log, Restart: rt.cfg.Restart.policy(), Grace: rt.settings.TaskShutdownTimeout, Paused: a.Paused, Status: status}
	t, err := rt.newTask(a, opts)
	if err != nil {
		log.Error("task can't be created", "err", err)
		status(worker.Failed, err)
		return
	}
	rt.tasks[id] = t
}

// stopTask stops a task, if it could be created, and tells the core when it has stopped.
func (rt *Runtime) stopTask(id connect.TaskID) {
	t := rt.tasks[id]
	delete(rt.tasks, id)
	if t == nil {
		rt.core.TaskStopped(id)
		rt.again()
		return
	}
	t.Stop()
	go func() {
		<-t.Done()
		rt.post(func() {
			rt.leave(t.Ended())
			rt.core.TaskStopped(id)
			rt.reconcile()
		})
	}()
}

// again reconciles once more, after what the loop is doing now.
func (rt *Runtime) again() { go rt.post(rt.reconcile) }

// leave remembers goroutines that did not end with what they belonged to.
func (rt *Runtime) leave(ended <-chan struct{}) {
	select {
	case <-ended:
	default:
		rt.abandoned = append(rt.abandoned, ended)
	}
}

// tasksComputed stores the configurations that a connector computed, if they have changed. They have placeholders.
func (rt *Runtime) tasksComputed(name string, configs []connect.Config) {
	k := rt.snapshot[name]
	if k == nil || k.Target == herder.Stopped {
		return
	}
	for _, cfg := range configs {
		for _, key := range []string{"topics", "topics.regex"} {
			if v := k.Config[key]; v != nil {
				cfg[key] = *v
			}
		}
	}
	if !herder.TasksChanged(k, configs) {
		return
	}
	next := *k
	next.Tasks, next.Applied = configs, k.Config
	rt.snapshot[name] = &next
	rt.status.keepTasks(name, len(configs))
	rt.reconcile()
}

// watchStalls reports calls into connectors that take long, once each.
func (rt *Runtime) watchStalls(ctx context.Context) {
	tick := time.NewTicker(min(rt.cfg.StallAfter, 10*time.Second))
	defer tick.Stop()
	told := make(map[string]time.Time)
	for {
		select {
		case <-tick.C:
			rt.post(func() { rt.reportStalls(told) })
		case <-ctx.Done():
			return
		}
	}
}

func (rt *Runtime) reportStalls(told map[string]time.Time) {
	report := func(key, call string, since time.Time, attrs ...any) {
		// A poll may wait for data as long as it likes.
		if call == "" || call == "Poll" || time.Since(since) < rt.cfg.StallAfter || told[key].Equal(since) {
			return
		}
		told[key] = since
		rt.log.Warn("a call into a connector takes long", append(attrs, "call", call, "since", since)...)
	}
	for name, c := range rt.connectors {
		call, since := c.Doing()
		report(name, call, since, "connector", name)
	}
	for id, t := range rt.tasks {
		call, since := t.Doing()
		report(id.String()+"/task", call, since, "connector", id.Connector, "task", id.Task)
	}
}
