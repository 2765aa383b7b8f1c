// Package connconfig is the part of a connector's configuration that the runtime itself defines: its keys, their
// validation as the REST API answers it, and the parsed form that the runtime works with.
package connconfig

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	"github.com/gokconnect/connect"
)

// Common is the parsed configuration that source and sink connectors share.
type Common struct {
	Name    string
	Class   string // as given: class or alias
	Version string // the required version of the connector, or ""

	TasksMax        int
	EnforceTasksMax bool
	RestartOnReload bool // config.action.reload: restart when a resolved secret ends its life

	Tolerate        bool          // errors.tolerance is all
	RetryTimeout    time.Duration // negative: without end; 0: no retries
	RetryDelayMax   time.Duration
	LogErrors       bool
	IncludeMessages bool // log the record too

	Throttle Throttle

	Key, Value, Header Plugin // Class "" is the worker's converter
	Transforms         []Transform
	Predicates         []Predicate

	// Parsed is the whole configuration, with the keys of transformations and predicates.
	Parsed *connect.ParsedConfig
}

// Plugin names a plugin and its own configuration.
type Plugin struct {
	Class   string         // the class; the given name if there was no registry to look it up
	Version string         // the required version, or ""
	Config  connect.Config // without the prefix
}

// Transform is one transformation of a connector's chain.
type Transform struct {
	Alias string
	Plugin
	Predicate string // the alias of the predicate, if HasPredicate
	// HasPredicate says that a predicate was named, which may have been by the empty text.
	HasPredicate bool
	Negate       bool
}

// Predicate is one predicate of a connector's configuration.
type Predicate struct {
	Alias string
	Plugin
}

// Boundary says what ends a transaction of an exactly-once source task.
type Boundary string

// The boundaries.
const (
	BoundaryPoll      Boundary = "poll"
	BoundaryInterval  Boundary = "interval"
	BoundaryConnector Boundary = "connector"
)

// SourceConfig is the parsed configuration of a source connector, as far as the runtime defines it. The keys
// topic.creation.* are those of package topiccreation.
type SourceConfig struct {
	Common
	Boundary            Boundary
	BoundaryInterval    time.Duration // if HasBoundaryInterval; else the worker's offset.flush.interval.ms
	HasBoundaryInterval bool
	ExactlyOnceRequired bool
	OffsetsTopic        string // "" is the worker's
}

// SinkConfig is the parsed configuration of a sink connector, as far as the runtime defines it.
type SinkConfig struct {
	Common
	Topics      []string // each once
	TopicsRegex string   // a regular expression of Java for whole names, or ""

	DLQTopic             string // "" is none
	DLQReplicationFactor int16
	DLQContextHeaders    bool
}

// ParseSource parses and validates the configuration of a source connector. Classes are looked up in the registry; if it
// is nil they are not, and the keys of transformations and predicates themselves are not checked. An error is a
// *[connect.ConfigError] about the first problem.
func ParseSource(reg *connect.Registry, cfg connect.Config) (*SourceConfig, error) {
	return parseSource(reg, values(cfg))
}

// ParseSink is [ParseSource] for a sink connector. The rules that tie its topics together are for [CheckSinkTopics].
func ParseSink(reg *connect.Registry, cfg connect.Config) (*SinkConfig, error) {
	return parseSink(reg, values(cfg))
}

// ParseSourceNullable is [ParseSource] for a configuration that may hold nulls, as JSON does: one takes the place of the
// key's default.
func ParseSourceNullable(reg *connect.Registry, cfg map[string]*string) (*SourceConfig, error) {
	return parseSource(reg, nullableValues(cfg))
}

// ParseSinkNullable is [ParseSink] for a configuration that may hold nulls.
func ParseSinkNullable(reg *connect.Registry, cfg map[string]*string) (*SinkConfig, error) {
	return parseSink(reg, nullableValues(cfg))
}

func parseSource(reg *connect.Registry, given map[string]any) (*SourceConfig, error) {
	common, err := parse(reg, SourceDef(reg), given)
	if err != nil {
		return nil, err
	}
	p := common.Parsed
	return &SourceConfig{
		Common:              *common,
		Boundary:            Boundary(strings.ToLower(p.String(boundaryKey))),
		BoundaryInterval:    p.Duration("transaction.boundary.interval.ms"),
		HasBoundaryInterval: p.Has("transaction.boundary.interval.ms"),
		ExactlyOnceRequired: strings.EqualFold(p.String(exactlyOnceKey), "required"),
		OffsetsTopic:        p.String(offsetsTopicKey),
	}, nil
}

func parseSink(reg *connect.Registry, given map[string]any) (*SinkConfig, error) {
	common, err := parse(reg, SinkDef(reg), given)
	if err != nil {
		return nil, err
	}
	p := common.Parsed
	return &SinkConfig{
		Common:               *common,
		Topics:               p.List(topicsKey),
		TopicsRegex:          p.String(topicsRegexKey),
		DLQTopic:             p.String(dlqTopicKey),
		DLQReplicationFactor: int16(p.Int(dlqReplicationKey)),
		DLQContextHeaders:    p.Bool(dlqHeadersKey),
	}, nil
}

func parse(reg *connect.Registry, def *connect.ConfigDef, given map[string]any) (*Common, error) {
	def, err := plugins{reg}.addStages(def, given, reg != nil)
	if err != nil {
		return nil, err
	}
	p, err := def.ParseValues(given)
	if err != nil {
		return nil, err
	}
	c := &Common{
		Name:            p.String(nameKey),
		Class:           p.String(classKey),
		Version:         p.String(versionKey),
		TasksMax:        p.Int("tasks.max"),
		EnforceTasksMax: p.Bool("tasks.max.enforce"),
		RestartOnReload: p.String("config.action.reload") == "restart",
		Tolerate:        p.String("errors.tolerance") == "all",
		RetryTimeout:    p.Duration("errors.retry.timeout"),
		RetryDelayMax:   p.Duration("errors.retry.delay.max.ms"),
		LogErrors:       p.Bool("errors.log.enable"),
		IncludeMessages: p.Bool("errors.log.include.messages"),
		Parsed:          p,
	}
	var errs [2]error
	if c.Throttle, errs = parseThrottle(p.Given()); errs[0] != nil || errs[1] != nil {
		return nil, cmp.Or(errs[0], errs[1])
	}
	for i, into := range [...]*Plugin{&c.Key, &c.Value, &c.Header} {
		key := converterKeys[i].key
		*into = Plugin{p.String(key), p.String(key + "." + versionSuffix), p.GivenWithPrefix(key + ".")}
	}
	for _, alias := range p.List("transforms") {
		t := Transform{Alias: alias, Plugin: stage(p, "transforms."+alias+".")}
		t.Predicate, t.HasPredicate = t.Config["predicate"]
		t.Negate, _ = strconv.ParseBool(strings.ToLower(strings.TrimSpace(t.Config["negate"])))
		delete(t.Config, "predicate")
		delete(t.Config, "negate")
		c.Transforms = append(c.Transforms, t)
	}
	for _, alias := range p.List("predicates") {
		c.Predicates = append(c.Predicates, Predicate{alias, stage(p, "predicates."+alias+".")})
	}
	return c, nil
}

// stage returns the plugin of a transformation or predicate.
func stage(p *connect.ParsedConfig, prefix string) Plugin {
	version, _ := p.Given()[prefix+versionSuffix]
	return Plugin{p.String(prefix + "type"), version, p.GivenWithPrefix(prefix)}
}

func values(cfg connect.Config) map[string]any {
	given := make(map[string]any, len(cfg))
	for key, value := range cfg {
		given[key] = value
	}
	return given
}

func nullableValues(cfg map[string]*string) map[string]any {
	given := make(map[string]any, len(cfg))
	for key, value := range cfg {
		given[key] = nil
		if value != nil {
			given[key] = *value
		}
	}
	return given
}
