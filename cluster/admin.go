package cluster

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/clients"
	"github.com/gokconnect/connect/internal/configprovider"
	"github.com/gokconnect/connect/internal/configstore"
	"github.com/gokconnect/connect/internal/connconfig"
	"github.com/gokconnect/connect/internal/herder"
	"github.com/gokconnect/connect/internal/pipeline"
	"github.com/gokconnect/connect/internal/rest"
	"github.com/gokconnect/connect/internal/workerconfig"
)

// Connectors returns the names of the connectors, sorted.
func (rt *Runtime) Connectors(ctx context.Context) (names []string, err error) {
	err = rt.do(ctx, func() error {
		names = slices.Sorted(maps.Keys(rt.snapshot))
		return nil
	})
	return names, err
}

// Connector returns a connector's configuration, with its placeholders, or [connect.ErrNotFound].
func (rt *Runtime) Connector(ctx context.Context, name string) (cfg connect.Config, err error) {
	err = rt.do(ctx, func() error {
		k := rt.snapshot[name]
		if k == nil {
			return notFound(name)
		}
		cfg = plain(k.Config)
		return nil
	})
	return cfg, err
}

// Tasks returns the configurations of a connector's tasks, with their placeholders.
func (rt *Runtime) Tasks(ctx context.Context, name string) (tasks []connect.Config, err error) {
	err = rt.do(ctx, func() error {
		k := rt.snapshot[name]
		if k == nil {
			return notFound(name)
		}
		for _, t := range k.Tasks {
			tasks = append(tasks, maps.Clone(t))
		}
		return nil
	})
	return tasks, err
}

// Status returns how a connector and its tasks are, or [connect.ErrNotFound].
func (rt *Runtime) Status(ctx context.Context, name string) (ConnectorStatus, error) {
	s, _, err := rt.statusAndChange(ctx, name)
	return s, err
}

func (rt *Runtime) statusAndChange(ctx context.Context, name string) (s ConnectorStatus, changed <-chan struct{}, err error) {
	err = rt.do(ctx, func() error {
		k := rt.snapshot[name]
		if k == nil {
			return notFound(name)
		}
		var ok bool
		if s, ok, changed = rt.status.get(name); !ok {
			s.Name, s.State = name, Unassigned
		}
		if f, err := rt.find(plain(k.Config)); err == nil {
			s.Kind = f.kind()
		}
		rt.addHealth(&s)
		return nil
	})
	return s, changed, err
}

// Await waits until a connector's status is as wanted, and returns it. It is meant for tests and scripts. Right after a change the
// status is still that of before: ask for something that only the change brings about.
func (rt *Runtime) Await(ctx context.Context, name string, wanted func(ConnectorStatus) bool) (ConnectorStatus, error) {
	for {
		s, changed, err := rt.statusAndChange(ctx, name)
		if err != nil || wanted(s) {
			return s, err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return s, fmt.Errorf("connector %q is %s: %w", name, s.State, context.Cause(ctx))
		}
	}
}

// RestartOptions say what [Runtime.Restart] restarts.
type RestartOptions struct {
	Tasks      bool // the tasks too
	OnlyFailed bool // only what is FAILED
}

// Restart makes a new instance of a connector, and of its tasks if asked to. It returns at once.
func (rt *Runtime) Restart(ctx context.Context, name string, o RestartOptions) error {
	return rt.write(ctx, name, func(*herder.Connector) error {
		return rt.store.PutRestart(ctx, configstore.RestartRequested{Connector: name, IncludeTasks: o.Tasks, OnlyFailed: o.OnlyFailed})
	})
}

// errNotHere is that something does not run on this instance.
var errNotHere = fmt.Errorf("it does not run on this instance: %w", connect.ErrIllegalState)

// RestartTask makes a new instance of one task, wherever in the cluster it runs. It returns when that was asked for.
func (rt *Runtime) RestartTask(ctx context.Context, id connect.TaskID) error {
	return rt.patiently(ctx, func() error {
		err := rt.restartTaskHere(ctx, id)
		if !errors.Is(err, errNotHere) || rt.standalone() {
			return err
		}
		at, err := rt.owner(id)
		if err != nil {
			return err
		}
		if at != "" {
			path := rest.Path("connectors", id.Connector, "tasks", strconv.Itoa(id.Task), "restart") + "?forward=true"
			if err = rt.peers.Ask(ctx, http.MethodPost, at, path, nil, nil); !wantsCredentials(err) {
				return err
			}
		}
		return rt.store.PutTaskRestart(ctx, id)
	})
}

// wantsCredentials reports whether another instance wants credentials, which a call of a method does not have.
func wantsCredentials(err error) bool {
	var e *rest.Error
	return errors.As(err, &e) && (e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden)
}

// restartTaskHere restarts a task that runs on this instance; errNotHere if it does not.
func (rt *Runtime) restartTaskHere(ctx context.Context, id connect.TaskID) error {
	return rt.do(ctx, func() error {
		k := rt.snapshot[id.Connector]
		switch {
		case k == nil:
			return notFound(id.Connector)
		case id.Task >= len(k.Tasks) && rt.tasksExpected(id.Connector, k):
			return rest.Errorf(http.StatusConflict, "Cannot complete request momentarily due to stale configuration (typically caused by a concurrent config change)")
		case id.Task < 0 || id.Task >= len(k.Tasks):
			return rest.NotFoundf("Unknown task: %v", id)
		case !rt.core.Runs(id):
			return fmt.Errorf("task %v: %w", id, errNotHere)
		}
		rt.core.RestartTask(id)
		rt.reconcile(id.Connector)
		return nil
	})
}

// tasksExpected reports whether a connector, on whatever instance, has yet to say what its tasks are: it was made or changed
// a moment ago. It runs on the loop.
func (rt *Runtime) tasksExpected(name string, k *herder.Connector) bool {
	if rt.standalone() || k.Target == herder.Stopped || herder.SameConfig(k.Applied, k.Config) {
		return false
	}
	s, _, _ := rt.status.get(name)
	return s.State != Failed
}

func alreadyExists(name string) error {
	return &rest.Error{Status: http.StatusConflict, Message: fmt.Sprintf("Connector %s already exists", name), Err: connect.ErrAlreadyExists}
}

func notFound(name string) error { return rest.NotFoundf("Connector %s not found", name) }

// Validate checks a configuration as [Runtime.PutConnector] would, and returns the outcome for each key, in the order of
// their definition. Values are text, those of type PASSWORD as they were given.
func (rt *Runtime) Validate(ctx context.Context, cfg connect.Config) ([]connect.ConfigValue, error) {
	r, err := rt.validate(ctx, pointers(cfg), nil)
	if err != nil {
		return nil, err
	}
	var out []connect.ConfigValue
	for _, c := range r.Configs {
		if c.Value == nil {
			continue
		}
		v := connect.ConfigValue{Name: c.Value.Name, Errors: c.Value.Errors, Visible: c.Value.Visible}
		if c.Value.Value != nil {
			v.Value = *c.Value.Value
		}
		for _, r := range c.Value.Recommended {
			v.Recommended = append(v.Recommended, r)
		}
		out = append(out, v)
	}
	return out, nil
}

// validate is what the REST API answers to a request to validate. It has placeholders where the request has them, other
// than in Kafka Connect.
func (rt *Runtime) validate(ctx context.Context, cfg map[string]*string, keys []string) (r *connconfig.Result, err error) {
	resolved, hidden, err := rt.resolveEarly(ctx, plain(cfg))
	if err != nil {
		return nil, err
	}
	all := pointers(resolved)
	for k, v := range cfg {
		if v == nil {
			all[k] = nil
		}
	}
	w := connconfig.Worker{
		KeyConverter:    connconfig.ConverterChoice{Class: rt.settings.KeyConverter.Class},
		ValueConverter:  connconfig.ConverterChoice{Class: rt.settings.ValueConverter.Class},
		HeaderConverter: connconfig.ConverterChoice{Class: rt.settings.HeaderConverter.Class},
		Policy:          rt.policy, ClientDef: clients.Definition, Keys: keys, SourceDeadLetters: !rt.cfg.javaDefaults,
	}
	if _, alone := rt.cfg.Coordinator.(*standalone); !alone {
		w.GroupID, w.ExactlyOnce = rt.cfg.GroupID, rt.settings.ExactlyOnce == workerconfig.ExactlyOnceEnabled
	}
	err = guarded("Validate", func() (err error) {
		r, err = connconfig.Validate(ctx, rt.plugins.Load(), w, all)
		return err
	})
	if err != nil {
		return nil, hidden.hideIn(err)
	}
	if !rt.cfg.javaDefaults { // Kafka Connect shows what was resolved
		for _, c := range r.Configs {
			hideResult(c, cfg, hidden)
		}
	}
	return r, nil
}

// hideResult puts the placeholders of the request back into the outcome for one key.
func hideResult(c connconfig.Config, request map[string]*string, hidden *secrets) {
	if c.Value == nil {
		return
	}
	if raw := request[c.Value.Name]; raw != nil && c.Value.Value != nil && configprovider.HasPlaceholder(*raw) {
		c.Value.Value = raw
	}
	for i, message := range c.Value.Errors {
		c.Value.Errors[i] = hidden.hide(message)
	}
	for i, value := range c.Value.Recommended {
		c.Value.Recommended[i] = hidden.hide(value)
	}
}

// resolveEarly is resolve for a request, and works before Run: then placeholders stay. Errors that may have a part of the
// outcome go through the secrets that it returns.
func (rt *Runtime) resolveEarly(ctx context.Context, cfg connect.Config) (connect.Config, *secrets, error) {
	hidden := new(secrets)
	select {
	case <-rt.started:
	default:
		return cfg, hidden, nil
	}
	r, err := rt.resolve(ctx, cfg)
	hidden.learn(r.Resolved)
	return r.Config, hidden, err
}

// check returns an error that names each key of a configuration that is not valid.
func (rt *Runtime) check(ctx context.Context, cfg connect.Config) error {
	values, err := rt.Validate(ctx, cfg)
	if err != nil {
		return err
	}
	var errs []error
	for _, v := range values {
		for _, message := range v.Errors {
			errs = append(errs, &connect.ConfigError{Key: v.Name, Message: message})
		}
	}
	return errors.Join(errs...)
}

// guarded calls a connector outside its own goroutine, with a panic guard.
func guarded(call string, f func() error) (err error) {
	defer pipeline.Recover(call, &err)
	return f()
}
