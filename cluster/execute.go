package cluster

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"strings"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/configstore"
	"github.com/gokconnect/connect/internal/herder"
	"github.com/gokconnect/connect/internal/javahash"
	"github.com/gokconnect/connect/internal/logging"
	"github.com/gokconnect/connect/internal/rest"
	"github.com/gokconnect/connect/internal/worker"
)

// reassign brings what runs in line with what is assigned now. It runs on the loop.
func (rt *Runtime) reassign() {
	rt.core.Assign(rt.member.assignment())
	rt.perform(rt.core.Reconcile(rt.snapshot))
}

// reconcile brings what runs of a connector in line with what is configured and assigned, after a change of that connector
// alone. It runs on the loop.
func (rt *Runtime) reconcile(connector string) {
	rt.perform(rt.core.ReconcileConnector(rt.snapshot, connector))
}

func (rt *Runtime) perform(actions []herder.Action) {
	defer rt.member.released()
	defer rt.destroyGone()
	for _, a := range actions {
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

// tasksChanged looks at what a connector's tasks were before they changed. It runs on the loop.
func (rt *Runtime) tasksChanged(name string, before herder.Snapshot) {
	old, now := before[name], rt.snapshot[name]
	if old == nil || now == nil {
		return
	}
	for task := range old.Tasks {
		id := connect.TaskID{Connector: name, Task: task}
		if rt.cfg.javaDefaults {
			rt.core.RestartTask(id) // also one whose configuration is the same
		}
		if task >= len(now.Tasks) && rt.status.shared != nil {
			rt.doomedTasks[id] = true
		}
	}
}

// destroyGone removes what is stored of the states of connectors that were deleted, once nothing of them runs here any more:
// what they say while they stop comes first, and does not outlive them. It runs on the loop.
func (rt *Runtime) destroyGone() {
	for id := range rt.doomedTasks {
		if rt.core.Runs(id) {
			continue
		}
		delete(rt.doomedTasks, id)
		if k := rt.snapshot[id.Connector]; k != nil && id.Task >= len(k.Tasks) {
			rt.status.shared.destroyOne(id)
		}
	}
	for name, tasks := range rt.doomed {
		if rt.core.Busy(name) || rt.core.RunsConnector(name) {
			continue
		}
		delete(rt.doomed, name)
		if rt.snapshot[name] == nil {
			rt.status.shared.destroy(name, tasks)
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

// pluginLog returns the logger of a connector's plugin: it has the name of its class.
func (rt *Runtime) pluginLog(cfg map[string]*string) *slog.Logger {
	if f, err := rt.find(plain(cfg)); err == nil {
		return logging.Named(rt.log, f.class)
	}
	return rt.log
}

func (rt *Runtime) startConnector(a herder.StartConnector) {
	log := rt.pluginLog(a.Config).With("connector", a.Name)
	name, cfg := a.Name, plain(a.Config)
	run := &connectorRun{config: a.Config}
	rt.runs[name] = run
	m := rt.measureConnector(name, cfg)
	status := func(s worker.State, err error) {
		m.State(string(s))
		rt.status.run(name, run, s, err)
	}
	var hide func(connect.Config) connect.Config // the connector's goroutine has it to itself
	c := worker.StartConnector(worker.ConnectorOptions{
		Name: name, Logger: log, Status: status, Target: target(a.Target), Grace: connectorGrace, AsJava: rt.cfg.javaDefaults, Metrics: m,
		HealthChanged: rt.status.touch,
		New: func(ctx context.Context) (p *worker.ConnectorParts, err error) {
			if err = rt.checkNulls(a.Config); err == nil {
				p, hide, err = rt.connectorParts(ctx, name, cfg)
			}
			return p, err
		},
		TaskConfigsFailed: func(err error) { rt.status.asked(run, err) },
		TaskConfigs: func(ctx context.Context, configs []connect.Config) error {
			hidden := make([]connect.Config, len(configs))
			for i, cfg := range configs {
				hidden[i] = hide(cfg)
			}
			return rt.storeTasks(ctx, name, hidden)
		},
	})
	rt.connectors[name] = c
	rt.measured.connectorRuns(name, c)
}

// checkNulls refuses what Kafka Connect only notices when a connector is made: a null for a key that is defined. By default a
// null is as good as no value.
func (rt *Runtime) checkNulls(cfg map[string]*string) error {
	if !rt.cfg.javaDefaults {
		return nil
	}
	for _, key := range javahash.Order(sortedKeys(cfg), javahash.Buckets) {
		if cfg[key] == nil {
			return fmt.Errorf("Non-string value found in original settings for key %s: null", key)
		}
	}
	return nil
}

// stopConnector stops a connector, if it could be created, and tells the core when it has stopped.
func (rt *Runtime) stopConnector(name string) {
	c := rt.connectors[name]
	delete(rt.connectors, name)
	delete(rt.runs, name)
	m := rt.measured.takeConnector(name)
	if c == nil {
		m.Remove()
		rt.core.ConnectorStopped(name)
		rt.again(name)
		return
	}
	c.Stop()
	plan := rt.plans[name]
	go func() {
		<-c.Done()
		plan.wait()
		rt.post(func() {
			rt.leave(c.Ended())
			if plan != nil && plan.connector && rt.snapshot[name] != nil {
				plan.connector = false
				rt.status.connector(name, Restarting, nil)
			}
			rt.core.ConnectorStopped(name)
			m.Remove()
			if rt.snapshot[name] == nil {
				rt.status.remove(name) // what it said of itself while it stopped
			}
			rt.reconcile(name)
		})
	}()
}

func (rt *Runtime) startTask(a herder.StartTask) {
	id := a.ID
	log := rt.pluginLog(a.Connector).With("connector", id.Connector, "task", id.Task)
	status := func(s worker.State, err error) { rt.status.task(id, s, err) }
	opts := worker.TaskOptions{ID: id, Logger: log, Restart: rt.cfg.Restart.policy(), Grace: rt.settings.TaskShutdownTimeout, Paused: a.Paused, Status: status, AsJava: rt.cfg.javaDefaults,
		Taps: rt.taps.of(id.Connector), ActiveTopic: rt.trackTopics(id), Metrics: rt.measureTask(id, plain(a.Connector)), Tracing: rt.tracer.Task(id), HealthChanged: rt.status.touch}
	t, err := rt.newTask(a, opts)
	if err != nil {
		log.Error("task can't be created", "err", err)
		opts.Metrics.State("failed")
		status(worker.Failed, err)
		return
	}
	rt.tasks[id] = t
}

// stopTask stops a task, if it could be created, and tells the core when it has stopped.
func (rt *Runtime) stopTask(id connect.TaskID) {
	t := rt.tasks[id]
	delete(rt.tasks, id)
	m := rt.measured.takeTask(id)
	if t == nil {
		m.Remove()
		rt.core.TaskStopped(id)
		rt.again(id.Connector)
		return
	}
	if k := rt.snapshot[id.Connector]; rt.cfg.javaDefaults && k != nil && (k.Target == herder.Stopped || len(k.Tasks) == 0) {
		t.Pause(false) // its tasks go before the connector is said to be stopped, and one that is paused runs again for that moment
	}
	t.Stop()
	plan := rt.plans[id.Connector]
	if plan != nil && !plan.tasks[id] {
		plan = nil
	}
	go func() {
		<-t.Done()
		plan.wait()
		rt.post(func() {
			rt.leave(t.Ended())
			if plan != nil && plan.tasks[id] && rt.snapshot[id.Connector] != nil {
				delete(plan.tasks, id)
				rt.status.task(id, Restarting, nil)
			}
			rt.core.TaskStopped(id)
			m.Remove()
			if k := rt.snapshot[id.Connector]; k == nil {
				rt.status.keepTasks(id.Connector, 0)
			} else {
				rt.status.keepTasks(id.Connector, len(k.Tasks))
			}
			rt.reconcile(id.Connector)
		})
	}()
}

// again reconciles a connector once more, after what the loop is doing now.
func (rt *Runtime) again(connector string) { go rt.post(func() { rt.reconcile(connector) }) }

// leave remembers goroutines that did not end with what they belonged to.
func (rt *Runtime) leave(ended <-chan struct{}) {
	select {
	case <-ended:
	default:
		rt.abandoned = append(rt.abandoned, ended)
	}
}

// storeTasks stores the configurations that a connector computed, if they have changed. They have placeholders. It runs
// on the connector's goroutine.
func (rt *Runtime) storeTasks(ctx context.Context, name string, configs []connect.Config) error {
	properties := rt.tasksToStore(name, configs)
	if properties == nil {
		return nil
	}
	body := make([]rest.Config, len(properties))
	for i, p := range properties {
		for _, e := range p {
			body[i] = append(body[i], rest.Entry{Key: e.Name, Value: e.Value})
		}
	}
	here, err := rt.askLeader(ctx, http.MethodPost, rest.Path("connectors", name, "tasks"), rest.EncodeConfigs(body))
	if err != nil {
		return fmt.Errorf("give the task configurations to the leader: %w", err)
	}
	if !here {
		return nil
	}
	done, err := rt.lockWrites(ctx)
	if err != nil {
		return err
	}
	defer done()
	if properties = rt.tasksToStore(name, configs); properties == nil {
		return nil // what the other writer wrote meanwhile is as good
	}
	return rt.store.PutTasks(ctx, name, properties)
}

// tasksToStore returns task configurations as they are stored; nil if they are stored already.
func (rt *Runtime) tasksToStore(name string, configs []connect.Config) []configstore.Properties {
	k := rt.store.Snapshot().Connectors[name]
	if k == nil || k.Target == herder.Stopped {
		return nil
	}
	class := ""
	if f, err := rt.find(plain(k.Config)); err == nil && f.declared == nil {
		class = taskClass(f.class)
	}
	properties, tasks := make([]configstore.Properties, len(configs)), make([]connect.Config, len(configs))
	originals := configstore.Originals(k.Order)
	for i, cfg := range configs {
		task := maps.Clone(cfg)
		if task == nil {
			task = connect.Config{}
		}
		var added []string
		put := func(key, value string) {
			if _, has := task[key]; !has {
				added = append(added, key)
			}
			task[key] = value
		}
		if class != "" {
			put("task.class", class)
		}
		for _, key := range []string{"topics", "topics.regex"} {
			if v := k.Config[key]; v != nil {
				put(key, *v)
			}
		}
		properties[i], tasks[i] = configstore.TaskProperties(task, originals, added), task
	}
	if !herder.TasksChanged(k, tasks) {
		return nil
	}
	return properties
}

// taskClass is the name of a connector's tasks, as their configurations have it: that of Java's connectors has the
// same form.
func taskClass(connector string) string {
	if rest, ok := strings.CutSuffix(connector, "Connector"); ok {
		return rest + "Task"
	}
	return connector + "Task"
}

// onConfigured hears what changed in what is configured. It is called by the store, one event at a time. The loop gets what is
// configured as of this event: what changes next is told of by another one, and has to be new to it then.
func (rt *Runtime) onConfigured(e configstore.Event) {
	now := rt.store.Snapshot()
	rt.post(func() { rt.configured(e, now) })
}

// look takes note of what is configured. It runs on the loop, or before it.
func (rt *Runtime) look(now *configstore.Snapshot) {
	rt.snapshot, rt.generation = now.Connectors, now.Generations
}

// configured takes note of a change. It runs on the loop.
func (rt *Runtime) configured(e configstore.Event, now *configstore.Snapshot) {
	before := rt.snapshot
	rt.look(now)
	switch e := e.(type) {
	case configstore.ConnectorChanged:
		rt.status.add(e.Connector)
		if rt.cfg.javaDefaults {
			rt.core.RestartConnector(e.Connector) // also if nothing changed
		}
		if before[e.Connector] == nil {
			rt.coordinator.Rejoin("connector " + e.Connector + " was created")
		}
		rt.reconcile(e.Connector)
	case configstore.ConnectorRemoved:
		rt.status.remove(e.Connector)
		rt.resetTopics(e.Connector)
		rt.topics.forget(e.Connector)
		delete(rt.plans, e.Connector)
		rt.coordinator.Rejoin("connector " + e.Connector + " was removed")
		if rt.status.shared != nil {
			rt.doomed[e.Connector] = rt.core.Tasks(e.Connector)
		}
		rt.reconcile(e.Connector)
	case configstore.TasksChanged:
		rt.rounds.TasksChanged(e.Connector)
		rt.coordinator.Rejoin("the tasks of connector " + e.Connector + " changed")
		rt.tasksChanged(e.Connector, before)
		if !rt.standalone() { // nobody else can have had a part of it
			rt.core.Hold(e.Connector, now.Offset)
		}
		if k := rt.snapshot[e.Connector]; k != nil {
			rt.status.keepTasks(e.Connector, len(k.Tasks))
		}
		rt.reconcile(e.Connector)
	case configstore.TargetChanged:
		rt.reconcile(e.Connector)
	case configstore.SessionKeyChanged:
		rt.keys.heard.Store(true)
		rt.keys.look()
	case configstore.RestartRequested:
		rt.restart(e)
		rt.reconcile(e.Connector)
	case configstore.TaskRestartRequested:
		rt.core.RestartTask(e.ID) // if it runs here
		rt.reconcile(e.ID.Connector)
	case configstore.LoggerLevelChanged:
		if level, ok := logging.ParseLevel(e.Level); ok {
			if _, err := rt.levels.Set(e.Namespace, level); err != nil {
				rt.log.Warn("the level of a logger was asked for on all instances, and can't be set here", "logger", e.Namespace, "err", err)
			}
		}
	}
}

// restartPlan is a restart of a connector with tasks: all of it is stopped before any of it is started, so that what is made
// anew finds what was there to the end, such as its stored offsets.
type restartPlan struct {
	connector bool
	tasks     map[connect.TaskID]bool
	stopped   []<-chan struct{}
}

func (p *restartPlan) wait() {
	if p != nil {
		for _, c := range p.stopped {
			<-c
		}
	}
}

// restart makes anew what a request names and runs here. It runs on the loop.
func (rt *Runtime) restart(r configstore.RestartRequested) {
	s, _, _ := rt.status.get(r.Connector)
	plan := &restartPlan{tasks: make(map[connect.TaskID]bool)}
	if rt.core.RunsConnector(r.Connector) && (!r.OnlyFailed || s.State == Failed) {
		rt.core.RestartConnector(r.Connector)
		plan.connector = r.IncludeTasks || r.OnlyFailed
		if c := rt.connectors[r.Connector]; c != nil {
			plan.stopped = append(plan.stopped, c.Done())
		}
	}
	rt.plans[r.Connector] = plan
	if !r.IncludeTasks {
		return
	}
	for _, t := range s.Tasks {
		if rt.core.Runs(t.ID) && (!r.OnlyFailed || t.State == Failed) {
			rt.core.RestartTask(t.ID)
			plan.tasks[t.ID] = true
			if run := rt.tasks[t.ID]; run != nil {
				plan.stopped = append(plan.stopped, run.Done())
			}
		}
	}
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
