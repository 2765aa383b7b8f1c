package cluster

import (
	"fmt"
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
}

func (rt *Runtime) parseConnector(kind connect.Kind, cfg connect.Config) (c connectorConfig, err error) {
	if kind == connect.KindSource {
		if c.source, err = connconfig.ParseSource(rt.plugins.Load(), cfg); err == nil {
			c.Common = &c.source.Common
		}
		return c, err
	}
	if c.sink, err = connconfig.ParseSink(rt.plugins.Load(), cfg); err == nil {
		c.Common = &c.sink.Common
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

func classNotFound(key, class string) error {
	return connect.ConfigErrorf(key, "Invalid value %s for configuration %s: Class %s could not be found.", class, key, class)
}

// steps makes the transformations of one task: those that its configuration names, then those that were declared.
func (rt *Runtime) steps(c connectorConfig, d *declared) ([]pipeline.Step, error) {
	reg := rt.plugins.Load()
	var steps []pipeline.Step
	for _, t := range c.Transforms {
		p, ok := reg.Transformation(t.Class)
		if !ok {
			return nil, classNotFound("transforms."+t.Alias+".type", t.Class)
		}
		step := pipeline.Step{Alias: t.Alias, Class: p.Class, Negate: t.Negate}
		var err error
		if t.HasPredicate {
			if step.Predicate, err = rt.predicate(c, t); err != nil {
				return nil, err
			}
		}
		if step.Transformation, err = p.New(t.Config); err != nil {
			return nil, fmt.Errorf("transformation %s: %w", t.Alias, err)
		}
		steps = append(steps, step)
	}
	if d != nil {
		for i, t := range d.steps {
			steps = append(steps, pipeline.Step{Alias: fmt.Sprintf("Transforms[%d]", i), Class: fmt.Sprintf("%T", t), Transformation: t})
		}
	}
	return steps, nil
}

func (rt *Runtime) predicate(c connectorConfig, t connconfig.Transform) (connect.Predicate, error) {
	for _, p := range c.Predicates {
		if p.Alias != t.Predicate {
			continue
		}
		plugin, ok := rt.plugins.Load().Predicate(p.Class)
		if !ok {
			return nil, classNotFound("predicates."+p.Alias+".type", p.Class)
		}
		out, err := plugin.New(p.Config)
		if err != nil {
			return nil, fmt.Errorf("predicate %s of transformation %s: %w", p.Alias, t.Alias, err)
		}
		return out, nil
	}
	return nil, connect.ConfigErrorf("transforms."+t.Alias+".predicate", "transformation %s names the predicate %q, which is not among predicates", t.Alias, t.Predicate)
}

// converters makes the converters of one task: declared ones, else those that its configuration names, else the
// runtime's.
func (rt *Runtime) converters(c connectorConfig, d *declared) (out pipeline.Converters, err error) {
	if d == nil {
		d = &declared{}
	}
	w := &rt.settings.Config
	if out.Key, out.KeyClass, err = rt.converter(connect.KeyRole, d.key, c.Key, rt.cfg.Key, w.KeyConverter); err != nil {
		return out, fmt.Errorf("key.converter: %w", err)
	}
	if out.Value, out.ValueClass, err = rt.converter(connect.ValueRole, d.value, c.Value, rt.cfg.Value, w.ValueConverter); err != nil {
		return out, fmt.Errorf("value.converter: %w", err)
	}
	if out.Header, out.HeaderClass, err = rt.headerConverter(d.header, c.Header, rt.cfg.Header, w.HeaderConverter); err != nil {
		return out, fmt.Errorf("header.converter: %w", err)
	}
	return out, nil
}

func (rt *Runtime) converter(role connect.Role, declared connect.Converter, named connconfig.Plugin, own connect.Converter, worker connconfig.Plugin) (connect.Converter, string, error) {
	switch {
	case declared != nil:
		return declared, fmt.Sprintf("%T", declared), nil
	case named.Class != "":
	case own != nil:
		return own, fmt.Sprintf("%T", own), nil
	default:
		named = worker // with the worker's settings
	}
	p, ok := rt.plugins.Load().Converter(named.Class)
	if !ok {
		return nil, "", classNotFound(role.String()+".converter", named.Class)
	}
	c, err := p.New(named.Config, role)
	return c, p.Class, err
}

func (rt *Runtime) headerConverter(declared connect.HeaderConverter, named connconfig.Plugin, own connect.HeaderConverter, worker connconfig.Plugin) (connect.HeaderConverter, string, error) {
	switch {
	case declared != nil:
		return declared, fmt.Sprintf("%T", declared), nil
	case named.Class != "":
	case own != nil:
		return own, fmt.Sprintf("%T", own), nil
	default:
		if named = worker; named.Class == "" {
			named.Class = defaultHeaderConverter
		}
	}
	p, ok := rt.plugins.Load().HeaderConverter(named.Class)
	if !ok {
		return nil, "", classNotFound("header.converter", named.Class)
	}
	cfg := connect.Config{}
	for k, v := range named.Config {
		cfg[k] = v
	}
	cfg[connect.ConverterType] = connect.HeaderRole.String()
	c, err := p.New(cfg)
	return c, p.Class, err
}
