package cluster

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Health is how an instance is.
type Health struct {
	// Live says that the instance goes on by itself: it starts, or its control loop answers. A process whose instance is not
	// live is to be restarted. It does not depend on Kafka.
	Live bool
	// Ready says that it has read what is configured, is a member of its group, and can read the config topic now: that it can
	// serve requests.
	Ready bool
	// Reasons say why it is not live or not ready; empty if it is both.
	Reasons []string
	// Troubles are what does not go on, or reports trouble, of what runs on this instance, sorted. They leave Live and Ready as
	// they are: others of its connectors and tasks may be well, and no restart of the process mends them.
	Troubles []Trouble
}

// Trouble is a connector or task that does not go on, or reports trouble of itself.
type Trouble struct {
	Connector string
	// Task is the number of the task, or -1 for the connector itself.
	Task int
	// Call is the call that has not returned for longer than [Config.StallAfter], and Since when it began; "" if there is none.
	// Poll, which waits for data, is none.
	Call  string
	Since time.Time
	// Err is what it reports as a [connect.HealthReporter]; nil if nothing.
	Err error
}

// healthTimeout is how long Health waits if nothing else is said.
const healthTimeout = 5 * time.Second

// Health finds out how the instance is. It waits until ctx ends, and no longer than 5 s, for the control loop and for Kafka;
// what has not answered by then is not live, or not ready. It never fails.
func (rt *Runtime) Health(ctx context.Context) (h Health) {
	ctx, cancel := context.WithTimeoutCause(ctx, healthTimeout, fmt.Errorf("no answer within %v", healthTimeout))
	defer cancel()
	if !rt.ready.Load() {
		select {
		case <-rt.ended:
			h.Reasons = []string{"the instance has stopped"}
		default:
			h.Live = true
			h.Reasons = []string{"the instance has not started yet: " + rt.stage.String()}
		}
		return h
	}
	var able bool
	var err error
	if able, h.Troubles, err = rt.progress(ctx); err != nil {
		h.Reasons = []string{"the control loop does not answer: " + err.Error()}
		return h
	}
	h.Live = true
	if !able {
		h.Reasons = []string{"the instance is no member of its group: " + rt.stage.String()}
		return h
	}
	select {
	case <-rt.started:
	default:
		h.Reasons = []string{"what was declared has not been written yet: " + rt.stage.String()}
		return h
	}
	if err := rt.store.Refresh(ctx); err != nil {
		h.Reasons = []string{"the config topic can't be read: " + rt.secrets.hideIn(err).Error()}
		return h
	}
	h.Ready = true
	return h
}

// progress asks the control loop, be requests let in or not, whether the instance is a member, and what does not go on.
func (rt *Runtime) progress(ctx context.Context) (able bool, all []Trouble, err error) {
	type answer struct {
		able bool
		all  []Trouble
	}
	answered := make(chan answer, 1)
	select {
	case rt.events <- func() { answered <- answer{rt.member.able, rt.troubles()} }:
	case <-rt.ended:
		return false, nil, errors.New("the instance has stopped")
	case <-ctx.Done():
		return false, nil, context.Cause(ctx)
	}
	select {
	case a := <-answered:
		return a.able, a.all, nil
	case <-ctx.Done():
		return false, nil, context.Cause(ctx)
	}
}

// troubles runs on the loop.
func (rt *Runtime) troubles() (all []Trouble) {
	add := func(connector string, task int, call string, since time.Time, err error) {
		if call == "Poll" || rt.cfg.StallAfter < 0 || time.Since(since) < rt.cfg.StallAfter {
			call, since = "", time.Time{}
		}
		if call != "" || err != nil {
			all = append(all, Trouble{connector, task, call, since, rt.secrets.hideIn(err)})
		}
	}
	for name, c := range rt.connectors {
		call, since := c.Doing()
		add(name, -1, call, since, c.Health())
	}
	for id, t := range rt.tasks {
		call, since := t.Doing()
		add(id.Connector, id.Task, call, since, t.Health())
	}
	slices.SortFunc(all, func(a, b Trouble) int {
		return cmp.Or(cmp.Compare(a.Connector, b.Connector), cmp.Compare(a.Task, b.Task))
	})
	return all
}

// serves reports whether the instance is a member of its group, and can read what changes.
func (rt *Runtime) serves(ctx context.Context) (able bool, err error) {
	err = rt.do(ctx, func() error { able = rt.member.able; return nil })
	if err == nil && able {
		err = rt.store.Refresh(ctx)
	}
	return able, err
}

// addHealth adds to a status what a connector and its tasks on this instance report of themselves. It runs on the loop.
func (rt *Runtime) addHealth(s *ConnectorStatus) {
	if c := rt.connectors[s.Name]; c != nil {
		s.Health = rt.secrets.hideIn(c.Health())
	}
	for i := range s.Tasks {
		if t := rt.tasks[s.Tasks[i].ID]; t != nil {
			s.Tasks[i].Health = rt.secrets.hideIn(t.Health())
		}
	}
}
