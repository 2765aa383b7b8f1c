package cluster

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/pipeline"
	"github.com/gokconnect/connect/internal/tolerance"
)

// connectorSettings are the parts of a connector's configuration that the runtime itself needs.
type connectorSettings struct {
	tasksMax     int
	enforce      bool
	policy       tolerance.Policy
	logErrors    bool
	logMessages  bool
	deadLetters  string
	deadRF       int16
	deadHeaders  bool
	topics       []string
	topicsRegex  string
	transforms   []string
	keyClass     string
	valueClass   string
	headerClass  string
	withDefaults *connect.ParsedConfig
}

var connectorDef = connect.MustConfigDef(
	connect.ConfigKey{Name: "tasks.max", Type: connect.ConfigInt, Default: int32(1), Validator: connect.AtLeast(int32(1)), Importance: connect.High},
	connect.ConfigKey{Name: "tasks.max.enforce", Type: connect.ConfigBoolean, Default: true, Importance: connect.Low},
	connect.ConfigKey{Name: "key.converter", Type: connect.ConfigString, Default: nil, Importance: connect.Low},
	connect.ConfigKey{Name: "value.converter", Type: connect.ConfigString, Default: nil, Importance: connect.Low},
	connect.ConfigKey{Name: "header.converter", Type: connect.ConfigString, Default: nil, Importance: connect.Low},
	connect.ConfigKey{Name: "transforms", Type: connect.ConfigList, Default: "", Importance: connect.Low},
	connect.ConfigKey{Name: "errors.retry.timeout", Type: connect.ConfigLong, Default: int64(0), Importance: connect.Medium},
	connect.ConfigKey{Name: "errors.retry.delay.max.ms", Type: connect.ConfigLong, Default: int64(60_000), Importance: connect.Medium},
	connect.ConfigKey{Name: "errors.tolerance", Type: connect.ConfigString, Default: "none", Validator: connect.ValidString("none", "all"), Importance: connect.Medium},
	connect.ConfigKey{Name: "errors.log.enable", Type: connect.ConfigBoolean, Default: false, Importance: connect.Medium},
	connect.ConfigKey{Name: "errors.log.include.messages", Type: connect.ConfigBoolean, Default: false, Importance: connect.Medium},
	connect.ConfigKey{Name: "errors.deadletterqueue.topic.name", Type: connect.ConfigString, Default: "", Importance: connect.Medium},
	connect.ConfigKey{Name: "errors.deadletterqueue.topic.replication.factor", Type: connect.ConfigShort, Default: int16(3), Importance: connect.Medium},
	connect.ConfigKey{Name: "errors.deadletterqueue.context.headers.enable", Type: connect.ConfigBoolean, Default: false, Importance: connect.Medium},
	connect.ConfigKey{Name: "topics", Type: connect.ConfigList, Default: "", Importance: connect.High},
	connect.ConfigKey{Name: "topics.regex", Type: connect.ConfigString, Default: "", Importance: connect.High},
)

func parseConnector(cfg connect.Config) (connectorSettings, error) {
	p, err := connectorDef.Parse(cfg)
	if err != nil {
		return connectorSettings{}, err
	}
	s := connectorSettings{
		tasksMax: p.Int("tasks.max"), enforce: p.Bool("tasks.max.enforce"),
		policy: tolerance.Policy{
			RetryTimeout:  p.Duration("errors.retry.timeout"),
			RetryDelayMax: p.Duration("errors.retry.delay.max.ms"),
			Tolerate:      p.String("errors.tolerance") == "all",
		},
		logErrors: p.Bool("errors.log.enable"), logMessages: p.Bool("errors.log.include.messages"),
		deadLetters: p.String("errors.deadletterqueue.topic.name"),
		deadRF:      int16(p.Int("errors.deadletterqueue.topic.replication.factor")),
		deadHeaders: p.Bool("errors.deadletterqueue.context.headers.enable"),
		topics:      p.List("topics"), topicsRegex: p.String("topics.regex"),
		transforms: p.List("transforms"),
		keyClass:   p.String("key.converter"), valueClass: p.String("value.converter"), headerClass: p.String("header.converter"),
	}
	if s.policy.RetryTimeout < 0 {
		s.policy.RetryTimeout = -time.Nanosecond
	}
	s.topics = slices.DeleteFunc(s.topics, func(t string) bool { return t == "" })
	slices.Sort(s.topics)
	s.topics = slices.Compact(s.topics)
	return s, nil
}

// steps makes the transformations of one task: those that its configuration names, then those that were declared.
func (rt *Runtime) steps(cfg connect.Config, s connectorSettings, d *declared) ([]pipeline.Step, error) {
	var steps []pipeline.Step
	for _, alias := range s.transforms {
		prefix := "transforms." + alias + "."
		own := withoutPrefix(cfg, prefix)
		p, ok := rt.plugins.Transformation(own["type"])
		if !ok {
			return nil, connect.ConfigErrorf(prefix+"type", "Invalid value %s for configuration %stype: Class %s could not be found.", own["type"], prefix, own["type"])
		}
		step := pipeline.Step{Alias: alias, Class: p.Class}
		if name := own["predicate"]; name != "" {
			var err error
			if step.Predicate, err = rt.predicate(cfg, alias, name); err != nil {
				return nil, err
			}
			step.Negate = strings.EqualFold(strings.TrimSpace(own["negate"]), "true")
		}
		delete(own, "predicate")
		delete(own, "negate")
		t, err := p.New(own)
		if err != nil {
			return nil, fmt.Errorf("transformation %s: %w", alias, err)
		}
		step.Transformation = t
		steps = append(steps, step)
	}
	if d != nil {
		for i, t := range d.steps {
			steps = append(steps, pipeline.Step{Alias: fmt.Sprintf("Transforms[%d]", i), Class: fmt.Sprintf("%T", t), Transformation: t})
		}
	}
	return steps, nil
}

func (rt *Runtime) predicate(cfg connect.Config, transform, name string) (connect.Predicate, error) {
	own := withoutPrefix(cfg, "predicates."+name+".")
	p, ok := rt.plugins.Predicate(own["type"])
	if !ok {
		key := "predicates." + name + ".type"
		return nil, connect.ConfigErrorf(key, "Invalid value %s for configuration %s: Class %s could not be found.", own["type"], key, own["type"])
	}
	out, err := p.New(own)
	if err != nil {
		return nil, fmt.Errorf("predicate %s of transformation %s: %w", name, transform, err)
	}
	return out, nil
}

// converters makes the converters of one task: declared ones, else those that its configuration names, else the
// runtime's.
func (rt *Runtime) converters(cfg connect.Config, s connectorSettings, d *declared) (c pipeline.Converters, err error) {
	if d == nil {
		d = &declared{}
	}
	worker := rt.cfg.Worker
	if c.Key, c.KeyClass, err = rt.converter(connect.KeyRole, "key.converter", d.key, s.keyClass, cfg, rt.cfg.Key, worker); err != nil {
		return c, err
	}
	if c.Value, c.ValueClass, err = rt.converter(connect.ValueRole, "value.converter", d.value, s.valueClass, cfg, rt.cfg.Value, worker); err != nil {
		return c, err
	}
	c.Header, c.HeaderClass, err = rt.headerConverter(d.header, s.headerClass, cfg)
	return c, err
}

func (rt *Runtime) converter(role connect.Role, key string, declared connect.Converter, class string, cfg connect.Config, own connect.Converter, worker connect.Config) (connect.Converter, string, error) {
	switch {
	case declared != nil:
		return declared, fmt.Sprintf("%T", declared), nil
	case class != "":
	case own != nil:
		return own, fmt.Sprintf("%T", own), nil
	default:
		class, cfg = worker[key], worker // the worker's converter has the worker's settings
		if class == "" {
			class = defaultConverter
		}
	}
	p, ok := rt.plugins.Converter(class)
	if !ok {
		return nil, "", connect.ConfigErrorf(key, "Invalid value %s for configuration %s: Class %s could not be found.", class, key, class)
	}
	c, err := p.New(withoutPrefix(cfg, key+"."), role)
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", key, err)
	}
	return c, p.Class, nil
}

func (rt *Runtime) headerConverter(declared connect.HeaderConverter, class string, cfg connect.Config) (connect.HeaderConverter, string, error) {
	const key = "header.converter"
	switch {
	case declared != nil:
		return declared, fmt.Sprintf("%T", declared), nil
	case class != "":
	case rt.cfg.Header != nil:
		return rt.cfg.Header, fmt.Sprintf("%T", rt.cfg.Header), nil
	default:
		class, cfg = rt.cfg.Worker[key], rt.cfg.Worker
		if class == "" {
			class = defaultHeaderConverter
		}
	}
	p, ok := rt.plugins.HeaderConverter(class)
	if !ok {
		return nil, "", connect.ConfigErrorf(key, "Invalid value %s for configuration %s: Class %s could not be found.", class, key, class)
	}
	own := withoutPrefix(cfg, key+".")
	own["converter.type"] = "header"
	c, err := p.New(own)
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", key, err)
	}
	return c, p.Class, nil
}

// The converters of a runtime that names none.
const (
	defaultConverter       = "org.apache.kafka.connect.storage.StringConverter"
	defaultHeaderConverter = "org.apache.kafka.connect.storage.SimpleHeaderConverter"
)

// withoutPrefix returns the keys that begin with prefix, without it.
func withoutPrefix(cfg connect.Config, prefix string) connect.Config {
	out := make(connect.Config)
	for k, v := range cfg {
		if rest, ok := strings.CutPrefix(k, prefix); ok {
			out[rest] = v
		}
	}
	return out
}
