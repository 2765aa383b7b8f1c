package cluster

import (
	"fmt"
	"maps"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/connconfig"
	"github.com/gokconnect/connect/internal/pipeline"
	"github.com/gokconnect/connect/internal/tolerance"
)

// connectorConfig is a connector's configuration, parsed.
type connectorConfig struct {
	*connconfig.Common
	source *connconfig.SourceConfig // or
	sink   *connconfig.SinkConfig
	// letters is where records go that are given up.
	letters connconfig.DeadLetters
}

func (rt *Runtime) parseConnector(kind connect.Kind, cfg connect.Config) (c connectorConfig, err error) {
	if kind == connect.KindSource {
		if c.source, err = connconfig.ParseSource(rt.plugins.Load(), cfg); err == nil {
			c.Common = &c.source.Common
		}
		if err == nil && !rt.cfg.javaDefaults {
			c.letters, err = connconfig.SourceDeadLetters(cfg)
		}
		return c, err
	}
	if c.sink, err = connconfig.ParseSink(rt.plugins.Load(), cfg); err == nil {
		c.Common, c.letters = &c.sink.Common, c.sink.DeadLetters()
	}
	return c, err
}

func (c connectorConfig) policy() tolerance.Policy {
	p := tolerance.Policy{RetryTimeout: c.RetryTimeout, RetryDelayMax: c.RetryDelayMax, Tolerate: c.Tolerate}
	if p.RetryTimeout < 0 {
		p.RetryTimeout = -time.Nanosecond
	}
	return p
}

// throttle returns the part of a connector's throttle that each of its tasks has: there may be more tasks some time, or less.
func (rt *Runtime) throttle(connector string, t connconfig.Throttle) func() connconfig.Throttle {
	if t == (connconfig.Throttle{}) {
		return nil
	}
	return func() connconfig.Throttle {
		tasks := 1
		if k := rt.store.Snapshot().Connectors[connector]; k != nil {
			tasks = len(k.Tasks)
		}
		return t.Share(tasks)
	}
}

func (rt *Runtime) policyOf(c connectorConfig) tolerance.Policy {
	p := c.policy()
	p.GiveUpAtEnd = rt.cfg.javaDefaults
	return p
}

// steps makes the transformations of one task: those that its configuration names, then those that were declared.
func (rt *Runtime) steps(c connectorConfig, d *declared) ([]pipeline.Step, error) {
	steps, err := pipeline.Steps(rt.plugins.Load(), c.Common)
	if err == nil && d != nil {
		for i, t := range d.steps {
			steps = append(steps, pipeline.Step{Alias: fmt.Sprintf("Transforms[%d]", i), Class: fmt.Sprintf("%T", t), Transformation: t, Declared: true})
		}
	}
	return steps, err
}

// converters makes the converters of one task: declared ones, else those that its configuration names, else the
// runtime's.
func (rt *Runtime) converters(c connectorConfig, d *declared) (out pipeline.Converters, err error) {
	if d == nil {
		d = &declared{}
	}
	w := &rt.settings.Config
	if out.Key, out.KeyClass, out.KeyDeclared, err = rt.converter(connect.KeyRole, d.key, c.Key, rt.cfg.Key, w.KeyConverter); err != nil {
		return out, fmt.Errorf("key.converter: %w", err)
	}
	if out.Value, out.ValueClass, out.ValueDeclared, err = rt.converter(connect.ValueRole, d.value, c.Value, rt.cfg.Value, w.ValueConverter); err != nil {
		return out, fmt.Errorf("value.converter: %w", err)
	}
	if out.Header, out.HeaderClass, out.HeaderDeclared, err = rt.headerConverter(d.header, c.Header, rt.cfg.Header, w.HeaderConverter); err != nil {
		return out, fmt.Errorf("header.converter: %w", err)
	}
	return out, nil
}

// goValue returns the converter that was given as a Go value, if it counts: the connector's, or the runtime's own if the
// connector's configuration names none.
func goValue[C any](declared, own C, named connconfig.Plugin) (c C, class string, ok bool) {
	switch {
	case any(declared) != nil:
		c = declared
	case named.Class == "" && any(own) != nil:
		c = own
	default:
		return c, "", false
	}
	return c, fmt.Sprintf("%T", c), true
}

func (rt *Runtime) converter(role connect.Role, declared connect.Converter, named connconfig.Plugin, own connect.Converter, worker connconfig.Plugin) (c connect.Converter, class string, isGo bool, err error) {
	if c, class, ok := goValue(declared, own, named); ok {
		return c, class, true, nil
	}
	if named.Class == "" {
		named = worker // with the worker's settings
	}
	p, err := connconfig.Find[connect.ConverterPlugin](rt.plugins.Load(), connect.KindConverter, role.String()+".converter", named)
	if err != nil {
		return nil, "", false, err
	}
	c, err = p.New(named.Config, role)
	return c, p.Class, false, err
}

func (rt *Runtime) headerConverter(declared connect.HeaderConverter, named connconfig.Plugin, own connect.HeaderConverter, worker connconfig.Plugin) (c connect.HeaderConverter, class string, isGo bool, err error) {
	if c, class, ok := goValue(declared, own, named); ok {
		return c, class, true, nil
	}
	if named.Class == "" {
		named = worker
	}
	if named.Class == "" {
		named.Class = defaultHeaderConverter
	}
	p, err := connconfig.Find[connect.HeaderConverterPlugin](rt.plugins.Load(), connect.KindHeaderConverter, "header.converter", named)
	if err != nil {
		return nil, "", false, err
	}
	cfg := connect.Config{}
	maps.Copy(cfg, named.Config)
	cfg[connect.ConverterType] = connect.HeaderRole.String()
	c, err = p.New(cfg)
	return c, p.Class, false, err
}
