package cluster

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/herder"
	"github.com/gokconnect/connect/internal/pipeline"
	"github.com/gokconnect/connect/internal/tolerance"
	"github.com/gokconnect/connect/internal/topiccreation"
	"github.com/gokconnect/connect/internal/worker"
	"github.com/gokconnect/connect/offsets"
	"github.com/twmb/franz-go/pkg/kgo"
)

// plain returns a configuration as plugins see it: a null is absent.
func plain(cfg map[string]*string) connect.Config {
	out := make(connect.Config, len(cfg))
	for k, v := range cfg {
		if v != nil {
			out[k] = *v
		}
	}
	return out
}

// resolve replaces the placeholders of a configuration. What it returns must never be stored, shown or logged.
func (rt *Runtime) resolve(ctx context.Context, cfg connect.Config) (connect.Config, error) {
	r, err := rt.kafka.providers.Transform(ctx, cfg)
	return r.Config, err
}

// found is a connector's plugin.
type found struct {
	source   func() connect.SourceConnector // or
	sink     func() connect.SinkConnector
	version  string
	declared *declared // or nil
}

func (f found) kind() connect.Kind {
	if f.source != nil {
		return connect.KindSource
	}
	return connect.KindSink
}

// find returns the plugin of a connector's configuration.
func (rt *Runtime) find(cfg connect.Config) (found, error) {
	name, class := cfg["name"], cfg["connector.class"]
	var f found
	if class == declaredClass+name {
		f.declared = rt.declaredNow()[name]
	}
	reg := rt.plugins.Load()
	if p, ok := reg.Source(class); ok {
		f.source, f.version = p.New, p.Version
		return f, nil
	}
	if p, ok := reg.Sink(class); ok {
		f.sink, f.version = p.New, p.Version
		return f, nil
	}
	return found{}, fmt.Errorf("connector %q: connector.class %q: %w: no plugin has this class or alias", name, class, connect.ErrNotFound)
}

// connectorParts makes a connector's instance and what it needs. It runs on the connector's goroutine.
func (rt *Runtime) connectorParts(ctx context.Context, name string, raw connect.Config) (*worker.ConnectorParts, error) {
	cfg, err := rt.resolve(ctx, raw)
	if err != nil {
		return nil, err
	}
	f, err := rt.find(cfg)
	if err != nil {
		return nil, err
	}
	s, err := rt.parseConnector(f.kind(), cfg)
	if err != nil {
		return nil, err
	}
	p := &worker.ConnectorParts{Config: cfg, MaxTasks: s.TasksMax, EnforceMaxTasks: s.EnforceTasksMax}
	if f.sink != nil {
		p.Connector = f.sink()
		return p, nil
	}
	store, release, err := rt.kafka.offsetsOf(ctx, name, cfg)
	if err != nil {
		return nil, err
	}
	p.Connector, p.Release = f.source(), release
	p.Offsets = offsets.NewReader(store, name, rt.offsetsTrouble(name))
	return p, nil
}

func (rt *Runtime) offsetsTrouble(connector string) func(error) {
	return func(err error) { rt.log.Error("offsets can't be read", "connector", connector, "err", err) }
}

// newTask starts a task. What can fail is done in the task's own goroutine, at each of its restarts anew.
func (rt *Runtime) newTask(a herder.StartTask, o worker.TaskOptions) (*worker.Task, error) {
	connector, task := plain(a.Connector), maps.Clone(a.Config)
	f, err := rt.find(connector)
	if err != nil {
		return nil, err
	}
	if f.source != nil {
		return worker.StartSource(worker.SourceOptions{
			TaskOptions: o, FlushInterval: rt.settings.OffsetFlushInterval, FlushTimeout: rt.settings.OffsetFlushTimeout,
			New: func(ctx context.Context) (*worker.SourceParts, error) {
				return rt.sourceParts(ctx, o, f, connector, task)
			},
		}), nil
	}
	return worker.StartSink(worker.SinkOptions{
		TaskOptions: o, CommitInterval: rt.settings.OffsetFlushInterval, CommitTimeout: rt.settings.OffsetFlushTimeout,
		New: func(ctx context.Context) (*worker.SinkParts, error) {
			return rt.sinkParts(ctx, o, f, connector, task)
		},
	}), nil
}

// taskParts are what source and sink tasks have in common.
type taskParts struct {
	settings   connectorConfig
	connector  connect.Config // resolved
	info       taskInfo
	steps      []pipeline.Step
	converters pipeline.Converters
	reporters  []tolerance.Reporter
}

func (rt *Runtime) taskParts(ctx context.Context, o worker.TaskOptions, f found, connector, task connect.Config) (p taskParts, err error) {
	if p.connector, err = rt.resolve(ctx, connector); err != nil {
		return p, err
	}
	if p.settings, err = rt.parseConnector(f.kind(), p.connector); err != nil {
		return p, err
	}
	cfg, err := rt.resolve(ctx, task)
	if err != nil {
		return p, err
	}
	p.info = taskInfo{id: o.ID, log: o.Logger, cfg: cfg, again: func(ctx context.Context) (connect.Config, error) { return rt.resolve(ctx, task) }}
	if p.steps, err = rt.steps(p.settings, f.declared); err != nil {
		return p, err
	}
	if p.converters, err = rt.converters(p.settings, f.declared); err != nil {
		return p, err
	}
	if p.settings.LogErrors {
		p.reporters = append(p.reporters, &tolerance.Log{ID: o.ID, Logger: o.Logger, Messages: p.settings.IncludeMessages})
	}
	return p, nil
}

func (rt *Runtime) sourceParts(ctx context.Context, o worker.TaskOptions, f found, connector, task connect.Config) (*worker.SourceParts, error) {
	p, err := rt.taskParts(ctx, o, f, connector, task)
	if err != nil {
		return nil, err
	}
	topics := &topicMaker{admin: rt.kafka.admin}
	if rt.settings.TopicCreation && topiccreation.Used(p.connector) {
		if topics.groups, err = topiccreation.Parse(p.connector); err != nil {
			return nil, err
		}
	}
	steps := p.steps
	if d := f.declared; d != nil && d.topic != "" {
		steps = append([]pipeline.Step{{Alias: "Topic", Class: "cluster.Source", Transformation: defaultTopic(d.topic)}}, steps...)
	}
	store, releaseStore, err := rt.kafka.offsetsOf(ctx, o.ID.Connector, p.connector)
	if err != nil {
		return nil, err
	}
	producer, releaseProducer, err := rt.kafka.producer(ctx, p.connector, o.ID)
	if err != nil {
		releaseStore()
		return nil, err
	}
	op := tolerance.New(p.settings.policy(), p.reporters...)
	return &worker.SourceParts{
		Task: f.source().NewTask(), Config: p.info.cfg,
		Context:  &sourceContext{p.info, offsets.NewReader(store, o.ID.Connector, rt.offsetsTrouble(o.ID.Connector))},
		Pipeline: pipeline.NewSource(steps, p.converters, op), Operator: op,
		Producer: producer, Offsets: store, Topics: topics,
		Release: func() { releaseProducer(); releaseStore() },
	}, nil
}

// defaultTopic gives records without a topic one.
type defaultTopic string

// Apply implements [connect.Transformation].
func (t defaultTopic) Apply(_ context.Context, r *connect.Record) (*connect.Record, error) {
	if r.Topic == "" {
		r.Topic = string(t)
	}
	return r, nil
}

func (rt *Runtime) sinkParts(ctx context.Context, o worker.TaskOptions, f found, connector, task connect.Config) (*worker.SinkParts, error) {
	p, err := rt.taskParts(ctx, o, f, connector, task)
	if err != nil {
		return nil, err
	}
	consumer, extra, err := rt.kafka.consumerOf(p.connector, o.ID)
	if err != nil {
		return nil, err
	}
	topics, err := topicsOf(p.settings.sink)
	if err != nil {
		return nil, err
	}
	parts := &worker.SinkParts{
		Task: f.sink().NewTask(), Config: p.info.cfg, Context: &p.info,
		MaxPollRecords: extra.MaxPollRecords, RebalanceTimeout: extra.MaxPollInterval,
		Consumer: func(opts ...kgo.Opt) (*kgo.Client, error) {
			return kgo.NewClient(slices.Concat(consumer, topics, opts)...)
		},
	}
	if p.settings.sink.DLQTopic != "" {
		producer, release, err := rt.kafka.deadLetters(ctx, p.connector, p.settings.sink, o.ID)
		if err != nil {
			return nil, err
		}
		parts.Release = release
		parts.DeadLetters = &worker.DeadLetters{ID: o.ID, Topic: p.settings.sink.DLQTopic, Headers: p.settings.sink.DLQContextHeaders, Producer: producer}
		p.reporters = append(p.reporters, parts.DeadLetters)
	}
	parts.Operator = tolerance.New(p.settings.policy(), p.reporters...)
	parts.Pipeline = pipeline.NewSink(p.steps, p.converters, parts.Operator)
	return parts, nil
}

// taskInfo is what a task may know of its place.
type taskInfo struct {
	id    connect.TaskID
	log   *slog.Logger
	cfg   connect.Config
	again func(ctx context.Context) (connect.Config, error)
}

func (i *taskInfo) ID() connect.TaskID                                 { return i.id }
func (i *taskInfo) Logger() *slog.Logger                               { return i.log }
func (i *taskInfo) Config(ctx context.Context) (connect.Config, error) { return i.again(ctx) }

// sourceContext is the runtime as a source task sees it.
type sourceContext struct {
	taskInfo
	offsets connect.OffsetReader
}

func (c *sourceContext) Offsets() connect.OffsetReader            { return c.offsets }
func (c *sourceContext) Transactions() connect.TransactionContext { return nil }
