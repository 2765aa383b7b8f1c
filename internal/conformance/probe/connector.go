package probe

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/gokconnect/connect"
)

// Version is that of all probes.
const Version = "1.0"

// definition is the configuration of both connectors.
var definition = connect.MustConfigDef(connect.ConfigKey{Name: "probe.number", Type: connect.ConfigInt, Default: 1, Importance: connect.Low, Documentation: "a number"})

// Plugins returns the probes of a process, by the names of the recorded ones.
func Plugins(p *Process) []connect.Plugin {
	info := func(class string, def *connect.ConfigDef) connect.PluginInfo {
		return connect.PluginInfo{Class: "probe." + class, Version: Version, Config: def}
	}
	return []connect.Plugin{
		connect.SourcePlugin{PluginInfo: info("ProbeSourceConnector", definition), New: func() connect.SourceConnector { return &source{connector{process: p}} }},
		connect.SinkPlugin{PluginInfo: info("ProbeSinkConnector", definition), New: func() connect.SinkConnector { return &sink{connector{process: p}} }},
		connect.TransformationPlugin{PluginInfo: info("ProbeTransform", nil), New: func(cfg connect.Config) (connect.Transformation, error) { return newTransform(p, cfg), nil }},
		connect.PredicatePlugin{PluginInfo: info("ProbePredicate", nil), New: func(cfg connect.Config) (connect.Predicate, error) { return newPredicate(p, cfg), nil }},
		connect.ConverterPlugin{PluginInfo: info("ProbeConverter", nil), New: func(cfg connect.Config, role connect.Role) (connect.Converter, error) {
			return newConverter(p, cfg, role), nil
		}},
		connect.HeaderConverterPlugin{PluginInfo: info("ProbeConverter", nil), New: func(cfg connect.Config) (connect.HeaderConverter, error) {
			return newConverter(p, cfg, connect.HeaderRole), nil
		}},
	}
}

// connector is what both connectors do.
type connector struct {
	process *Process
	cfg     connect.Config
	cc      connect.ConnectorContext
	actor   *actor // of the instance, once it was started
	planned int    // calls of TaskConfigs
	later   sync.WaitGroup
}

type source struct{ connector }
type sink struct{ connector }

func (s *source) NewTask() connect.SourceTask { return &sourceTask{process: s.process} }
func (s *sink) NewTask() connect.SinkTask     { return &sinkTask{process: s.process} }

// as returns the actor of an instance that is there for one call.
func (c *connector) as(kind string, cfg connect.Config) *actor {
	a := &actor{process: c.process, connector: cfg["name"], task: -1, rules: rules(cfg, "connector.")}
	a.number, a.label = c.process.instance(a.connector, kind)
	a.do = c.act
	return a
}

func (c *connector) Start(_ context.Context, cc connect.ConnectorContext, cfg connect.Config) error {
	c.cfg, c.cc = cfg, cc
	if c.actor == nil {
		c.actor = c.as("c", cfg)
		c.actor.begin("initialize", "main").end(nil)
	}
	start := c.actor.begin("start", "main")
	return start.end(start.run(c.actor.count("start")))
}

func (c *connector) Stop(context.Context) error {
	stop := c.actor.begin("stop", "main")
	return stop.end(stop.run(c.actor.count("stop")))
}

func (c *connector) TaskConfigs(_ context.Context, maxTasks int) ([]connect.Config, error) {
	ask := c.actor.begin("taskConfigs", "main")
	ask.event["maxTasks"] = maxTasks
	plan := strings.Split(orElse(c.cfg["tasks.plan"], "max"), ",")
	entry := strings.TrimSpace(plan[min(c.planned, len(plan)-1)])
	c.planned++
	var configs []connect.Config
	if entry == "null" {
		ask.event["returns"] = nil
	} else {
		n := maxTasks
		if entry != "max" {
			n = number(entry, 0)
		}
		configs = make([]connect.Config, n)
		for i := range configs {
			cfg := maps.Clone(c.cfg)
			cfg["task.no"] = strconv.Itoa(i)
			if c.cfg["tasks.stamp"] == "true" {
				cfg["stamp"] = strconv.Itoa(c.planned)
			}
			configs[i] = cfg
		}
		ask.event["returns"] = n
	}
	if err := ask.end(ask.run(c.actor.count("taskConfigs"))); err != nil {
		return nil, err
	}
	return configs, nil
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// act does the actions of connectors.
func (c *connector) act(k *call, name, arg string) error {
	switch name {
	case "readOffsets":
		offset, err := readOffset(c.cc.Info().Offsets, arg)
		k.event["offset"] = offset
		return err
	case "later":
		gate, action, _ := strings.Cut(arg, " ")
		run := &call{actor: c.actor, method: k.method, lane: "other", event: Event{}}
		ctx := c.cc.Context()
		c.later.Go(func() {
			select {
			case <-c.process.trace.gate(c.actor.connector + "." + gate):
				_ = run.act(strings.TrimSpace(action)) // written down
			case <-c.process.trace.over:
			case <-ctx.Done():
			}
		})
		return nil
	case "reconfigure":
		return k.context("requestTaskReconfiguration", "", nil, c.cc.RequestTaskReconfiguration)
	case "raiseError":
		kind, message, _ := strings.Cut(arg, " ")
		return k.context("raiseError", "", nil, func() error { c.cc.RaiseError(exception(kind, message)); return nil })
	}
	return fmt.Errorf("the probe's connector knows no action %q", name)
}

func readOffset(r connect.OffsetReader, partition string) (any, error) {
	var p connect.Fields
	if err := decode(partition, &p); err != nil {
		return nil, err
	}
	offset, err := r.Offset(context.Background(), fields(p))
	return show(offset), err
}

// show returns fields as events show them.
func show(f connect.Fields) any {
	if f == nil {
		return nil
	}
	return map[string]any(f)
}

// Validate implements [connect.Validator].
func (c *connector) Validate(_ context.Context, cfg connect.Config, values connect.ConfigValues) error {
	v := &actor{process: c.process, connector: cfg["name"], task: -1, rules: rules(cfg, "connector.")}
	v.number, v.label = c.process.instance(v.connector, "v")
	check := v.begin("validate", "main")
	if err := check.run(1); err != nil {
		return raise(err)
	}
	if text := cfg["validate.error"]; text != "" {
		values.AddError("probe.number", text)
	}
	return nil
}

// ExactlyOnceSupport implements [connect.ExactlyOnceReporter].
func (s *source) ExactlyOnceSupport(cfg connect.Config) (connect.ExactlyOnceSupport, error) {
	switch orElse(cfg["eos.support"], "SUPPORTED") {
	case "SUPPORTED":
		return connect.ExactlyOnceSupported, nil
	case "UNSUPPORTED":
		return connect.ExactlyOnceUnsupported, nil
	case "throw":
		return 0, exception("runtime", "probe cannot tell")
	}
	return connect.ExactlyOnceUnknown, nil
}

// CanDefineTransactionBoundaries implements [connect.TransactionDefiner].
func (s *source) CanDefineTransactionBoundaries(cfg connect.Config) (bool, error) {
	switch orElse(cfg["eos.boundaries"], "SUPPORTED") {
	case "SUPPORTED":
		return true, nil
	case "throw":
		return false, exception("runtime", "probe cannot tell")
	}
	return false, nil
}

// AlterOffsets implements [connect.OffsetAlterer].
func (s *source) AlterOffsets(_ context.Context, cfg connect.Config, offsets []connect.PartitionOffset) error {
	shown := make([]any, len(offsets))
	for i, o := range offsets {
		shown[i] = compact(o.Partition) + " -> " + compact(o.Offset)
	}
	slices.SortFunc(shown, func(a, b any) int { return strings.Compare(a.(string), b.(string)) })
	return s.alter(cfg, shown)
}

// AlterSinkOffsets implements [connect.SinkOffsetAlterer].
func (s *sink) AlterSinkOffsets(_ context.Context, cfg connect.Config, offsets map[connect.TopicPartition]int64) error {
	shown := make(map[string]any, len(offsets))
	for tp, at := range offsets {
		shown[tp.String()] = nil
		if at >= 0 {
			shown[tp.String()] = at
		}
	}
	return s.alter(cfg, shown)
}

func (c *connector) alter(cfg connect.Config, shown any) error {
	alter := c.as("a", cfg).begin("alterOffsets", "main")
	alter.event["offsets"], alter.event["returns"] = shown, cfg["alter"] == "true"
	if err := alter.end(nil); err != nil || cfg["alter"] == "true" {
		return err
	}
	return errors.ErrUnsupported
}

func compact(f connect.Fields) string {
	if f == nil {
		return "null"
	}
	b, err := json.Marshal(f)
	if err != nil {
		return err.Error()
	}
	return string(b)
}
