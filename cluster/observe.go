package cluster

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/metrics"
	"github.com/gokconnect/connect/internal/tracing"
	"github.com/gokconnect/connect/internal/worker"
	"github.com/gokconnect/connect/internal/workerconfig"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// measured are the metrics of what runs, which stay until it has left the instance: also those of what has failed, or could
// not be made.
type measured struct {
	connectors map[string]*metrics.ConnectorMetrics
	tasks      map[connect.TaskID]*metrics.Task
	running    map[string]*atomic.Pointer[worker.Connector]
}

func (m *measured) takeConnector(name string) *metrics.ConnectorMetrics {
	c := m.connectors[name]
	delete(m.connectors, name)
	delete(m.running, name)
	return c
}

// connectorRuns lets the metrics of a connector see what it does.
func (m *measured) connectorRuns(name string, c *worker.Connector) {
	if running := m.running[name]; running != nil {
		running.Store(c)
	}
}

func (m *measured) takeTask(id connect.TaskID) *metrics.Task {
	t := m.tasks[id]
	delete(m.tasks, id)
	return t
}

// measure prepares the metrics and traces, if somebody wants them.
func (rt *Runtime) measure() (err error) {
	p := rt.settings.Parsed
	rt.metrics, err = metrics.New(rt.cfg.MeterProvider, connect.BuiltinVersion, metrics.Windows{
		Sample: time.Duration(p.Long("metrics.sample.window.ms")) * time.Millisecond, Samples: p.Int("metrics.num.samples"),
	})
	if err != nil {
		return fmt.Errorf("cluster.Config: MeterProvider: %w", err)
	}
	rt.tracer = tracing.New(rt.cfg.TracerProvider, connect.BuiltinVersion, rt.cfg.TraceHeaders, rt.secrets.hide)
	rt.measured = measured{make(map[string]*metrics.ConnectorMetrics), make(map[connect.TaskID]*metrics.Task), make(map[string]*atomic.Pointer[worker.Connector])}
	rt.meter = rt.metrics.Worker(metrics.WorkerInfo{
		Version: connect.BuiltinVersion, Commit: commit(), ClientID: rt.clientID(), Protocol: rt.protocolName, Leader: rt.leaderURL,
	})
	return nil
}

func (rt *Runtime) unmeasure() {
	if err := rt.metrics.Close(); err != nil {
		rt.log.Warn("metrics could not be closed", "err", err)
	}
}

// clientID is the client.id of the group's client.
func (rt *Runtime) clientID() string {
	if rt.settings.ClientID != "" {
		return rt.settings.ClientID
	}
	return "connect-" + rt.workerID()
}

func (rt *Runtime) protocolName() string {
	if rt.standalone() {
		return ""
	}
	switch rt.settings.Protocol {
	case workerconfig.ProtocolEager:
		return "EAGER"
	case workerconfig.ProtocolCompatible:
		return "COMPATIBLE"
	}
	return "SESSIONED"
}

func (rt *Runtime) leaderURL() string {
	rt.route.mu.Lock()
	defer rt.route.mu.Unlock()
	return rt.route.leader
}

// measureConnector begins the metrics of a connector that starts. It runs on the loop.
func (rt *Runtime) measureConnector(name string, cfg connect.Config) *metrics.ConnectorMetrics {
	if rt.metrics == nil {
		return nil
	}
	f, err := rt.find(cfg)
	class := f.class
	if err != nil {
		class = ""
	}
	running := new(atomic.Pointer[worker.Connector])
	rt.measured.running[name] = running
	m := rt.metrics.Connector(name, f.kind(), metrics.Plugin{Class: class, Version: f.version}, func() time.Time {
		if c := running.Load(); c != nil {
			return c.Busy()
		}
		return time.Time{}
	})
	rt.measured.connectors[name] = m
	return m
}

// measureTask begins the metrics of a task that starts. It runs on the loop.
func (rt *Runtime) measureTask(id connect.TaskID, connector connect.Config) *metrics.Task {
	if rt.metrics == nil {
		return nil
	}
	f, _ := rt.find(connector) // a task without a plugin fails, and is shown as failed
	m := rt.metrics.Task(id, f.kind(), f.source != nil && rt.settings.ExactlyOnce == workerconfig.ExactlyOnceEnabled)
	m.Describe(metrics.TaskInfo{Connector: metrics.Plugin{Class: f.class, Version: f.version}})
	rt.measured.tasks[id] = m
	return m
}

// describe says of what a task is made.
func (rt *Runtime) describe(m *metrics.Task, f found, p *taskParts) {
	if m == nil {
		return
	}
	reg := rt.plugins.Load()
	plugin := func(kind connect.Kind, class string) metrics.Plugin {
		for _, i := range reg.List(kind) {
			if i.Class == class {
				return metrics.Plugin{Class: class, Version: i.Version}
			}
		}
		return metrics.Plugin{Class: class}
	}
	info := metrics.TaskInfo{
		Connector: metrics.Plugin{Class: f.class, Version: f.version}, Task: metrics.Plugin{Class: taskClass(f.class), Version: f.version},
		KeyConverter:   plugin(connect.KindConverter, p.converters.KeyClass),
		ValueConverter: plugin(connect.KindConverter, p.converters.ValueClass),
		Converter:      plugin(connect.KindHeaderConverter, p.converters.HeaderClass),
	}
	predicates := make(map[string]connect.Predicate) // as used, by alias
	for i, t := range p.settings.Transforms {
		if t.HasPredicate {
			predicates[t.Predicate] = p.steps[i].Predicate
		}
	}
	for _, s := range p.steps {
		info.Transforms = append(info.Transforms, metrics.Named{Alias: s.Alias, Plugin: plugin(connect.KindTransformation, s.Class)})
		monitor(s.Transformation, s.Declared, m, "transform", s.Alias)
	}
	for _, c := range p.settings.Predicates {
		named := metrics.Plugin{Class: c.Class}
		if found, ok := reg.Predicate(c.Class); ok {
			named = metrics.Plugin{Class: found.Class, Version: found.Version}
		}
		monitor(predicates[c.Alias], false, m, "predicate", c.Alias)
		info.Predicates = append(info.Predicates, metrics.Named{Alias: c.Alias, Plugin: named})
	}
	monitor(p.converters.Key, p.converters.KeyDeclared, m, "converter", "key")
	monitor(p.converters.Value, p.converters.ValueDeclared, m, "converter", "value")
	monitor(p.converters.Header, p.converters.HeaderDeclared, m, "converter", "header")
	m.Describe(info)
}

// monitor lets a plugin report metrics, unless others share it.
func monitor(plugin any, shared bool, m *metrics.Task, key, value string) {
	if w, ok := connect.As[connect.Monitorable](plugin); ok && !shared {
		w.WithMetrics(m.PluginOf(key, value))
	}
}

// groupHook measures the answers of the group's coordinator.
type groupHook struct{ m *metrics.WorkerMetrics }

// OnBrokerE2E implements [kgo.HookBrokerE2E].
func (h groupHook) OnBrokerE2E(_ kgo.BrokerMetadata, key int16, e kgo.BrokerE2E) {
	if e.Err() != nil {
		return
	}
	switch kmsg.Key(key) {
	case kmsg.JoinGroup:
		h.m.Joined(e.DurationE2E())
	case kmsg.SyncGroup:
		h.m.Synced(e.DurationE2E())
	case kmsg.Heartbeat:
		h.m.Heartbeat(e.DurationE2E())
	}
}
