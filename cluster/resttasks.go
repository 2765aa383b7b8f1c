package cluster

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/configstore"
	"github.com/gokconnect/connect/internal/herder"
	"github.com/gokconnect/connect/internal/javaerror"
	"github.com/gokconnect/connect/internal/javahash"
	"github.com/gokconnect/connect/internal/rest"
)

// apiTasks is the runtime as the REST API sees its tasks and the states of its connectors.
type apiTasks struct{ rt *Runtime }

var _ rest.Tasks = apiTasks{}

// restStatus returns the state of a connector and its tasks. It runs on the loop.
func (rt *Runtime) restStatus(name string, k *herder.Connector) *rest.Status {
	s, ok, _ := rt.status.get(name)
	if !ok {
		s.State = Unassigned
	}
	version := ""
	if f, err := rt.find(plain(k.Config)); err == nil {
		version = f.version
	}
	instance := func(state State, err error, worker string) rest.Instance {
		i := rest.Instance{State: string(state), WorkerID: worker, Version: version}
		if worker == "" {
			i.WorkerID = rt.workerID()
		}
		if state == Unassigned {
			i.Version = ""
		}
		if err != nil {
			i.Trace = javaTrace(err)
		}
		return i
	}
	out := &rest.Status{Name: name, Connector: instance(s.State, s.Err, s.Worker), Type: rt.typeOf(k)}
	for _, t := range s.Tasks {
		out.Tasks = append(out.Tasks, rest.TaskStatus{ID: t.ID.Task, Instance: instance(t.State, t.Err, t.Worker)})
	}
	return out
}

// javaTrace returns what is shown of a failure, in the form of a Java stack trace.
func javaTrace(err error) string {
	var stored storedTrace
	if errors.As(err, &stored) {
		return string(stored)
	}
	return javaerror.Trace(err)
}

func (a apiTasks) Status(ctx context.Context, name string) (s *rest.Status, err error) {
	err = a.rt.do(ctx, func() error {
		k := a.rt.snapshot[name]
		if k == nil {
			return rest.NotFoundf("No status found for connector %s", name)
		}
		s = a.rt.restStatus(name, k)
		return nil
	})
	return s, err
}

// firstStatusWait is how long a request for a status waits for a connector that was made a moment ago. Clients that make one
// and ask for its status at once take what they are told then for what became of it.
const firstStatusWait = 5 * time.Second

func (a apiTasks) FirstStatus(ctx context.Context, name string) (s *rest.Status, err error) {
	rt := a.rt
	timer := time.NewTimer(min(rt.cfg.RebalanceWait, firstStatusWait))
	defer timer.Stop()
	for {
		var begun bool
		var changed <-chan struct{}
		err = rt.do(ctx, func() error {
			k := rt.snapshot[name]
			if k == nil {
				return rest.NotFoundf("No status found for connector %s", name)
			}
			_, begun, changed = rt.status.get(name)
			s = rt.restStatus(name, k)
			return nil
		})
		if err != nil || begun {
			return s, err
		}
		select {
		case <-changed:
		case <-timer.C:
			return s, nil
		case <-rt.ended:
			return s, nil
		case <-ctx.Done():
			return s, nil
		}
	}
}

func (a apiTasks) TaskStatus(ctx context.Context, id connect.TaskID) (*rest.TaskStatus, error) {
	missing := rest.NotFoundf("No status found for task %s-%d", id.Connector, id.Task)
	s, err := a.Status(ctx, id.Connector)
	if err != nil {
		var answer *rest.Error
		if errors.As(err, &answer) && answer.Status == http.StatusNotFound {
			err = missing
		}
		return nil, err
	}
	for _, t := range s.Tasks {
		if t.ID == id.Task {
			return &t, nil
		}
	}
	return nil, missing
}

func (a apiTasks) Tasks(ctx context.Context, name string) (tasks []rest.TaskInfo, err error) {
	err = a.rt.do(ctx, func() error {
		k := a.rt.snapshot[name]
		if k == nil {
			return notFound(name)
		}
		for i, cfg := range k.Tasks {
			order := k.TaskOrders[i]
			if !a.rt.standalone() {
				order = javahash.Order(order, javahash.Buckets) // it has been through the config topic
			}
			tasks = append(tasks, rest.TaskInfo{ID: connect.TaskID{Connector: name, Task: i}, Config: rest.Ordered(pointers(cfg), order)})
		}
		return nil
	})
	return tasks, err
}

func (a apiTasks) RestartTask(ctx context.Context, id connect.TaskID) error {
	err := a.rt.restartTaskHere(ctx, id)
	known := !isNotFound(err, id.Connector)
	switch {
	case err == nil && a.rt.standalone():
		return a.rt.stopped(ctx, id.Connector)
	case err == nil:
		return nil
	case errors.Is(err, errNotHere) && !a.rt.standalone():
		if err := a.rt.toOwner(id); err != nil {
			return err
		}
		return a.rt.store.PutTaskRestart(ctx, id)
	case !known && a.rt.standalone():
		return rest.Errorf(http.StatusInternalServerError, "Failed to start task %s-%d since it is not a recognizable type (source or sink)", id.Connector, id.Task)
	case !known:
		return rest.NotFoundf("Unknown connector: %s", id.Connector)
	case a.rt.standalone():
		err := rest.NotFoundf("Task %s-%d not found", id.Connector, id.Task)
		if a.rt.cfg.javaDefaults {
			a.rt.status.phantom(id, err)
		}
		return err
	}
	return err
}

func (a apiTasks) Topics(_ context.Context, name string) ([]string, error) {
	return a.rt.topics.of(name), nil
}

func (a apiTasks) ResetTopics(_ context.Context, name string) error {
	a.rt.resetTopics(name)
	return nil
}

func (a apiTasks) PutTasks(ctx context.Context, name string, configs []rest.Config, body []byte, s *rest.Signature) error {
	rt := a.rt
	if rt.standalone() {
		return rest.Errorf(http.StatusInternalServerError, "Kafka Connect in standalone mode does not support externally setting task configurations.")
	}
	if err := rt.checkSignature(body, s); err != nil {
		return err
	}
	if err := rt.toLeader(ctx); err != nil {
		return err
	}
	return rt.write(ctx, name, func(k *herder.Connector) error {
		if len(configs) > 0 && k.Target == herder.Stopped {
			return rest.Errorf(http.StatusBadRequest, "Cannot submit non-empty set of task configs for stopped connector %s", name)
		}
		tasks := make([]connect.Config, len(configs))
		properties := make([]configstore.Properties, len(configs))
		for i, cfg := range configs {
			tasks[i] = plain(cfg.Map())
			properties[i] = make(configstore.Properties, len(cfg)) // in the order in which the other worker has them
			for j, e := range cfg {
				properties[i][j] = configstore.Property{Name: e.Key, Value: e.Value}
			}
		}
		if !herder.TasksChanged(k, tasks) {
			return nil
		}
		return rt.writeAsLeader(ctx, func() error { return rt.store.PutTasks(ctx, name, properties) })
	})
}

// checkSignature refuses requests of other workers that are not signed with the key that the workers share, if the protocol
// of the group has signatures.
func (rt *Runtime) checkSignature(body []byte, s *rest.Signature) error {
	if !rt.route.signs() {
		return nil
	}
	if s == nil {
		return rest.Errorf(http.StatusBadRequest, "Internal request missing required signature")
	}
	if !slices.ContainsFunc(rt.settings.VerificationAlgorithms, func(a string) bool { return strings.EqualFold(a, s.Algorithm) }) {
		return rest.Errorf(http.StatusBadRequest, "This worker does not support the '%s' key signing algorithm used by other workers. "+
			"This worker is currently configured to use: [%s]. Check that all workers' configuration files permit the same set of signature algorithms, "+
			"and correct any misconfigured worker and restart it.", s.Algorithm, strings.Join(rt.settings.VerificationAlgorithms, ", "))
	}
	var key *configstore.SessionKey
	if rt.ready.Load() {
		key = rt.store.Snapshot().SessionKey
	}
	switch {
	case key == nil:
		return rest.Errorf(http.StatusServiceUnavailable, "This worker is still starting up and has not been able to read a session key from the config topic yet")
	case !s.Valid(key.Key, body):
		rt.log.Warn("a request of another worker has a signature that is not right", "algorithm", s.Algorithm)
		return rest.Errorf(http.StatusForbidden, "Internal request contained invalid signature.")
	}
	return nil
}
