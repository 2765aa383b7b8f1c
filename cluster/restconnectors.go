package cluster

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/configstore"
	"github.com/gokconnect/connect/internal/herder"
	"github.com/gokconnect/connect/internal/javaerror"
	"github.com/gokconnect/connect/internal/javahash"
	"github.com/gokconnect/connect/internal/rest"
	"github.com/gokconnect/connect/internal/topiccreation"
	"github.com/gokconnect/connect/internal/worker"
)

// apiConnectors is the runtime as the REST API sees its connectors. A standalone worker of Kafka Connect answers a change
// when it has been made, a distributed one when it has been stored.
type apiConnectors struct{ rt *Runtime }

var _ rest.Connectors = apiConnectors{}

// Names answers before the instance has started if there is nothing configured: where brokers have to make the topics first, a
// start takes a second.
func (a apiConnectors) Names(ctx context.Context) (names []string, err error) {
	if a.rt.startsVacant(ctx) {
		return nil, nil
	}
	err = a.rt.do(ctx, func() error {
		names = javahash.Order(sortedKeys(a.rt.snapshot), javahash.Buckets)
		return nil
	})
	return names, err
}

// info describes a connector. It runs on the loop.
func (rt *Runtime) info(name string, k *herder.Connector) *rest.ConnectorInfo {
	order := k.Order
	if !rt.standalone() {
		order = javahash.Order(order, javahash.Buckets) // it has been through the config topic
	}
	info := &rest.ConnectorInfo{Name: name, Config: rest.Ordered(k.Config, order), Type: rt.typeOf(k)}
	for i := range k.Tasks {
		info.Tasks = append(info.Tasks, connect.TaskID{Connector: name, Task: i})
	}
	return info
}

func (rt *Runtime) typeOf(k *herder.Connector) string {
	f, err := rt.find(plain(k.Config))
	if err != nil {
		return "unknown"
	}
	return f.kind().String()
}

func (a apiConnectors) Connector(ctx context.Context, name string) (info *rest.ConnectorInfo, err error) {
	err = a.rt.do(ctx, func() error {
		k := a.rt.snapshot[name]
		if k == nil {
			return notFound(name)
		}
		info = a.rt.info(name, k)
		return nil
	})
	return info, err
}

// raised returns what a plugin raised as Kafka Connect answers with it, which does not say in which call that was.
func (rt *Runtime) raised(err error) error {
	for at, ok := any(err).(*javaerror.At); ok && rt.cfg.javaDefaults; at, ok = any(err).(*javaerror.At) {
		err = at.Err
	}
	return err
}

// validated returns an error that lists all that is wrong with a configuration.
func (rt *Runtime) validated(ctx context.Context, cfg rest.Config) error {
	r, err := rt.validate(ctx, cfg.Map(), cfg.Keys())
	if err != nil {
		return rt.raised(err)
	}
	if r.ErrorCount == 0 {
		return nil
	}
	var b strings.Builder
	fmt.Fprintf(&b, "Connector configuration is invalid and contains the following %d error(s):", r.ErrorCount)
	for _, message := range r.Errors() {
		b.WriteByte('\n')
		b.WriteString(message)
	}
	b.WriteString("\nYou can also find the above list of errors at the endpoint `/connector-plugins/{connectorType}/config/validate`")
	return rest.Errorf(http.StatusBadRequest, "%s", b.String())
}

func (a apiConnectors) Create(ctx context.Context, name string, cfg rest.Config, initial rest.State) (*rest.ConnectorInfo, error) {
	info, _, err := a.store(ctx, name, cfg, targetOf(initial), true)
	return info, err
}

func (a apiConnectors) Put(ctx context.Context, name string, cfg rest.Config) (*rest.ConnectorInfo, bool, error) {
	return a.store(ctx, name, cfg, "", false)
}

func targetOf(s rest.State) herder.Target {
	switch s {
	case rest.Paused:
		return herder.Paused
	case rest.Stopped:
		return herder.Stopped
	case rest.Running:
		return herder.Started
	}
	return "" // as it is
}

// store validates and stores a configuration. It answers with the configuration as it was given.
func (a apiConnectors) store(ctx context.Context, name string, cfg rest.Config, target herder.Target, onlyNew bool) (info *rest.ConnectorInfo, created bool, err error) {
	rt, all := a.rt, cfg.Map()
	if err := rt.toLeader(ctx); err != nil {
		return nil, false, err
	}
	if err := rt.validated(ctx, cfg); err != nil {
		return nil, false, err
	}
	if err := rt.do(ctx, func() error { return nil }); err != nil {
		return nil, false, err
	}
	properties := make(configstore.Properties, len(cfg))
	for i, e := range cfg {
		properties[i] = configstore.Property{Name: e.Key, Value: e.Value}
	}
	if created, err = rt.putConfig(ctx, name, properties, target, onlyNew); err == nil {
		info, err = a.Connector(ctx, name)
	}
	if err == nil && rt.standalone() {
		if err = rt.creatable(ctx, all); err == nil {
			err = rt.settle(ctx, name)
		}
		if err == nil {
			info, err = a.Connector(ctx, name)
		}
	}
	if err != nil {
		return nil, false, err
	}
	info.Config = cfg
	return info, created, nil
}

// creatable returns what Kafka Connect notices only when it makes a connector of a configuration that is valid.
func (rt *Runtime) creatable(ctx context.Context, cfg map[string]*string) error {
	if err := rt.checkNulls(cfg); err != nil {
		return err
	}
	resolved, hidden, err := rt.resolveEarly(ctx, plain(cfg))
	if err != nil {
		return err
	}
	f, err := rt.find(resolved)
	if err != nil {
		return err
	}
	if _, err = rt.parseConnector(f.kind(), resolved); err == nil && f.source != nil && rt.settings.TopicCreation && topiccreation.Used(resolved) {
		_, err = topiccreation.Parse(resolved)
	}
	return hidden.hideIn(err)
}

// settle waits until a connector runs as it is configured, and its tasks were computed, or until that failed.
func (rt *Runtime) settle(ctx context.Context, name string) error {
	for {
		var changed <-chan struct{}
		done := false
		err := rt.do(ctx, func() error {
			_, _, changed = rt.status.get(name)
			k, run := rt.snapshot[name], rt.runs[name]
			if k == nil {
				return notFound(name)
			}
			if run == nil || !herder.SameConfig(run.config, k.Config) {
				return nil // the one before is still stopping
			}
			o := rt.status.outcome(run)
			switch {
			case worker.IsTooManyTasks(o.err):
				return o.err
			case o.err != nil:
				return rt.startFailed(name, o.err)
			case o.settled && k.Target == herder.Started && o.asking != nil:
				return o.asking
			}
			done = o.settled && (k.Target != herder.Started || herder.SameConfig(k.Applied, k.Config))
			return nil
		})
		if err != nil || done {
			return err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// stopped waits until nothing of a connector is still stopping: what it said of itself before is not shown any more then.
func (rt *Runtime) stopped(ctx context.Context, name string) error {
	for {
		var changed <-chan struct{}
		var stops bool
		err := rt.do(ctx, func() error {
			_, _, changed = rt.status.get(name)
			stops = rt.core.StopsOf(name)
			return nil
		})
		if err != nil || !stops {
			return err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (rt *Runtime) startFailed(name string, err error) error {
	message := "Failed to start connector: " + name
	if rt.standalone() {
		message = fmt.Sprintf("Failed to transition connector %s to state STARTED", name)
	}
	return &rest.Error{Status: http.StatusInternalServerError, Message: message, Err: err}
}

func (a apiConnectors) Patch(ctx context.Context, name string, changes rest.Config) (*rest.ConnectorInfo, error) {
	if err := a.rt.toLeader(ctx); err != nil {
		return nil, err
	}
	var cfg rest.Config
	err := a.rt.do(ctx, func() error {
		k := a.rt.snapshot[name]
		if k == nil {
			return notFound(name)
		}
		cfg = patched(a.rt.info(name, k).Config, changes)
		return nil
	})
	if err != nil {
		return nil, err
	}
	info, _, err := a.store(ctx, name, cfg, "", false)
	return info, err
}

// patched returns a configuration with changes, in the order of a copy in Java.
func patched(cfg, changes rest.Config) rest.Config {
	all := cfg.Map()
	keys := javahash.Order(cfg.Keys(), javahash.CopyBuckets(len(cfg)))
	for _, e := range changes {
		_, there := all[e.Key]
		if e.Value == nil {
			delete(all, e.Key)
			keys = slices.DeleteFunc(keys, func(k string) bool { return k == e.Key })
			continue
		}
		all[e.Key] = e.Value
		if !there {
			keys = append(keys, e.Key)
		}
	}
	return rest.Ordered(all, javahash.Order(keys, javahash.CopyBuckets(len(cfg))))
}

func (a apiConnectors) Delete(ctx context.Context, name string) error {
	if err := a.rt.toLeader(ctx); err != nil {
		return err
	}
	return a.rt.DeleteConnector(ctx, name)
}

func (a apiConnectors) SetState(ctx context.Context, name string, state rest.State) error {
	change := a.rt.Resume
	switch state {
	case rest.Paused:
		change = a.rt.Pause
	case rest.Stopped:
		if err := a.rt.toLeader(ctx); err != nil {
			return err
		}
		change = a.rt.Stop
	}
	err := change(ctx, name)
	if isNotFound(err, name) {
		if state == rest.Stopped && a.rt.standalone() {
			return rest.Errorf(http.StatusInternalServerError, "No connector `%s` configured", name)
		}
		return rest.NotFoundf("Unknown connector %s", name)
	}
	return err
}

// isNotFound reports whether an error says that there is no such connector.
func isNotFound(err error, name string) bool {
	return err != nil && err.Error() == notFound(name).Error()
}

func (a apiConnectors) Restart(ctx context.Context, name string, plan rest.RestartPlan) (status *rest.Status, err error) {
	rt, alone := a.rt, plan == rest.RestartPlan{}
	here := false
	err = rt.do(ctx, func() error {
		k := rt.snapshot[name]
		switch {
		case k == nil && alone && rt.standalone():
			return rest.Errorf(http.StatusInternalServerError, "No connector `%s` configured", name)
		case k == nil:
			return rest.NotFoundf("Unknown connector: %s", name)
		}
		if here = alone && rt.runs[name] != nil; here {
			rt.restart(configstore.RestartRequested{Connector: name})
			rt.reconcile(name)
		}
		if !alone {
			status = rt.restStatus(name, k)
			markRestarting(status, plan)
		}
		return nil
	})
	switch {
	case err != nil:
		return nil, err
	case here:
		return nil, rt.settle(ctx, name)
	case alone && !rt.standalone():
		if err := rt.toOwner(connect.TaskID{Connector: name, Task: -1}); err != nil {
			return nil, err
		}
	default:
		if err := rt.toLeader(ctx); err != nil {
			return nil, err
		}
	}
	if err := rt.Restart(ctx, name, RestartOptions{Tasks: plan.IncludeTasks, OnlyFailed: plan.OnlyFailed}); err != nil || !rt.standalone() {
		return status, err
	}
	return status, rt.stopped(ctx, name)
}

// markRestarting marks what a plan is about.
func markRestarting(s *rest.Status, plan rest.RestartPlan) {
	mark := func(i *rest.Instance) {
		if !plan.OnlyFailed || i.State == string(Failed) {
			i.State = string(Restarting)
		}
	}
	mark(&s.Connector)
	if plan.IncludeTasks {
		for i := range s.Tasks {
			mark(&s.Tasks[i].Instance)
		}
	}
}
