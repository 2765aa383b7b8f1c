package cluster

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/clients"
	"github.com/gokconnect/connect/internal/configprovider"
	"github.com/gokconnect/connect/internal/connconfig"
	"github.com/gokconnect/connect/internal/herder"
	"github.com/gokconnect/connect/internal/logging"
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

// resolve replaces the placeholders of a configuration. What it returns must never be stored, shown or logged, and errors
// that may have a part of it go through [secrets].
func (rt *Runtime) resolve(ctx context.Context, cfg connect.Config) (configprovider.Result, error) {
	return rt.kafka.providers.Transform(ctx, cfg)
}

// resolveFor is resolve for what runs: unless its connector's configuration says otherwise, the connector is restarted
// when a value has come to the end of its life.
func (rt *Runtime) resolveFor(ctx context.Context, name string, connector, cfg connect.Config) (configprovider.Result, error) {
	r, err := rt.resolve(ctx, cfg)
	rt.secrets.learn(r.Resolved)
	if err == nil && !strings.EqualFold(strings.TrimSpace(connector["config.action.reload"]), "none") {
		rt.reloads.schedule(name, r.TTLs)
	}
	return r, err
}

// found is a connector's plugin.
type found struct {
	source   func() connect.SourceConnector // or
	sink     func() connect.SinkConnector
	class    string
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
	reg, named := rt.plugins.Load(), connconfig.Plugin{Class: class, Version: cfg["connector.plugin.version"]}
	if _, ok := reg.Source(class); ok {
		p, err := connconfig.Find[connect.SourcePlugin](reg, connect.KindSource, "connector.class", named)
		f.source, f.class, f.version = p.New, p.Class, p.Version
		return f, err
	}
	if _, ok := reg.Sink(class); ok {
		p, err := connconfig.Find[connect.SinkPlugin](reg, connect.KindSink, "connector.class", named)
		f.sink, f.class, f.version = p.New, p.Class, p.Version
		return f, err
	}
	return found{}, fmt.Errorf("connector %q: connector.class %q: %w: no plugin has this class or alias", name, class, connect.ErrNotFound)
}

// connectorParts makes a connector's instance and what it needs, and hide, which puts the placeholders back into the
// configurations of its tasks. It runs on the connector's goroutine.
func (rt *Runtime) connectorParts(ctx context.Context, name string, raw connect.Config) (p *worker.ConnectorParts, hide func(connect.Config) connect.Config, err error) {
	r, err := rt.resolveFor(ctx, name, raw, raw)
	if err != nil {
		return nil, nil, err
	}
	cfg := r.Config
	hide = func(task connect.Config) connect.Config {
		task = configprovider.ReverseTransform(raw, task)
		if !rt.cfg.javaDefaults {
			hideResolved(task, r.Resolved)
		}
		return task
	}
	f, err := rt.find(cfg)
	if err != nil {
		return nil, nil, err
	}
	s, err := rt.parseConnector(f.kind(), cfg)
	if err != nil {
		return nil, nil, err
	}
	p = &worker.ConnectorParts{Config: cfg, MaxTasks: s.TasksMax, EnforceMaxTasks: s.EnforceTasksMax}
	if f.sink != nil {
		p.Connector = f.sink()
		return p, hide, nil
	}
	if rt.settings.TopicCreation && topiccreation.Used(cfg) {
		if _, err := topiccreation.Parse(cfg); err != nil {
			return nil, nil, err
		}
	}
	store, release, err := rt.kafka.offsetsOf(ctx, name, cfg)
	if err != nil {
		return nil, nil, err
	}
	p.Connector, p.Release = f.source(), release
	p.Offsets = offsets.NewReader(store, name, rt.offsetsTrouble(name))
	return p, hide, nil
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
		generation := rt.generation[o.ID.Connector]
		return worker.StartSource(worker.SourceOptions{
			TaskOptions: o, FlushInterval: rt.settings.OffsetFlushInterval, FlushTimeout: rt.settings.OffsetFlushTimeout,
			AllOrNothing: rt.cfg.javaDefaults,
			New: func(ctx context.Context) (*worker.SourceParts, error) {
				return rt.sourceParts(ctx, o, f, generation, connector, task)
			},
		}), nil
	}
	return worker.StartSink(worker.SinkOptions{
		TaskOptions: o, CommitInterval: rt.settings.OffsetFlushInterval, CommitTimeout: rt.settings.OffsetFlushTimeout,
		New: func(ctx context.Context) (*worker.SinkParts, error) {
			return rt.sinkParts(ctx, o, f, connector, task, nil)
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
	r, err := rt.resolveFor(ctx, o.ID.Connector, connector, connector)
	if err != nil {
		return p, err
	}
	p.connector = r.Config
	if p.settings, err = rt.parseConnector(f.kind(), p.connector); err != nil {
		return p, err
	}
	again := func(ctx context.Context) (connect.Config, error) {
		r, err := rt.resolveFor(ctx, o.ID.Connector, connector, task)
		return r.Config, err
	}
	cfg, err := again(ctx)
	if err != nil {
		return p, err
	}
	p.info = taskInfo{id: o.ID, log: o.Logger, cfg: cfg, again: again, metrics: o.Metrics.Plugin()}
	if p.steps, err = rt.steps(p.settings, f.declared); err != nil {
		return p, err
	}
	if p.converters, err = rt.converters(p.settings, f.declared); err != nil {
		return p, err
	}
	rt.describe(o.Metrics, f, &p)
	if p.settings.LogErrors {
		p.reporters = append(p.reporters, &tolerance.Log{ID: o.ID, Logger: logging.Named(o.Logger, "org.apache.kafka.connect.runtime.errors.LogReporter"), Messages: p.settings.IncludeMessages, Describe: rt.cfg.java.describe})
	}
	return p, nil
}

// undo gives back what was made for a task that could not be made.
func (p *taskParts) undo(log *slog.Logger, release func()) {
	if release != nil {
		release()
	}
	if err := pipeline.NewSource(p.steps, p.converters, nil).Close(); err != nil {
		log.Warn("plugins could not be closed", "err", err)
	}
}

func (rt *Runtime) sourceParts(ctx context.Context, o worker.TaskOptions, f found, generation int32, connector, task connect.Config) (parts *worker.SourceParts, err error) {
	p, err := rt.taskParts(ctx, o, f, connector, task)
	if err != nil {
		return nil, err
	}
	var release func()
	defer func() {
		if parts == nil { // failed, or panicked
			p.undo(o.Logger, release)
		}
	}()
	topics := &topicMaker{admin: rt.kafka.admin, client: rt.kafka.client}
	producerProps := rt.kafka.props.Producer(p.connector, "")
	if rt.cfg.javaDefaults {
		topics.block, topics.await = maxBlock(producerProps), rt.cfg.java.awaitTopic
	}
	if rt.settings.TopicCreation && topiccreation.Used(p.connector) {
		if topics.groups, err = topiccreation.Parse(p.connector); err != nil {
			return nil, err
		}
	}
	steps := p.steps
	if d := f.declared; d != nil && d.topic != "" {
		steps = append([]pipeline.Step{{Alias: "Topic", Class: "cluster.Source", Transformation: defaultTopic(d.topic), Declared: true}}, steps...)
	}
	store, releaseStore, err := rt.kafka.offsetsOf(ctx, o.ID.Connector, p.connector)
	if err != nil {
		return nil, err
	}
	release = releaseStore
	op := tolerance.New(rt.policyOf(p.settings), p.reporters...)
	own := &sourceContext{taskInfo: p.info, offsets: offsets.NewReader(store, o.ID.Connector, rt.offsetsTrouble(o.ID.Connector))}
	made := &worker.SourceParts{Config: p.info.cfg, Context: own, Pipeline: pipeline.NewSource(steps, p.converters, op), Operator: op, Topics: topics,
		MaxRequest: maxRequest(producerProps), Throttle: rt.throttle(o.ID.Connector, p.settings.Throttle)}
	if made.Letters, err = rt.sourceLetters(ctx, o, p.settings); err != nil {
		return nil, err
	}
	var releaseProducer func()
	if rt.kafka.props.ExactlyOnce() {
		made.ExactlyOnce, releaseProducer, err = rt.exactlyOnce(ctx, o, p.settings.source, generation, p.connector, store)
		if err == nil && made.ExactlyOnce.Requests != nil {
			own.transactions = made.ExactlyOnce.Requests
		}
		if err == nil && made.Letters != nil && made.Letters.Topic == made.ExactlyOnce.Offsets.Topic() {
			releaseProducer()
			err = connect.ConfigErrorf(connconfig.DeadLettersKey, "%s: topic %s has the offsets of the connector; its dead letters need one of their own", connconfig.DeadLettersKey, made.Letters.Topic)
		}
	} else {
		made.Offsets = store
		var lease *clients.Lease
		if lease, err = rt.kafka.producer(ctx, p.connector, o.ID); err == nil {
			made.Producer, made.Sharing, releaseProducer = lease.Client, lease.Sharing, lease.Release
			made.Forward = rt.forwarding(o, made, p.steps, p.converters, producerProps, lease.Client) // a batch has a topic
			if made.Forward != nil {
				made.Context = &forwardingContext{own, made.Forward}
			}
		}
	}
	if err != nil {
		return nil, err
	}
	release = func() { releaseProducer(); releaseStore() }
	made.Task, made.Release = f.source().NewTask(), release
	return made, nil
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

// sinkParts makes what a run of a sink task needs; with a replay, of one that puts dead letters once more.
func (rt *Runtime) sinkParts(ctx context.Context, o worker.TaskOptions, f found, connector, task connect.Config, replay *replaying) (parts *worker.SinkParts, err error) {
	p, err := rt.taskParts(ctx, o, f, connector, task)
	if err != nil {
		return nil, err
	}
	var release func()
	defer func() {
		if parts == nil { // failed, or panicked
			p.undo(o.Logger, release)
		}
	}()
	policy, takeFrom := rt.policyOf(p.settings), rt.kafka.consumerOf
	if replay != nil {
		policy.Tolerate, takeFrom = true, replay.consumerOf // what fails again is a new letter
	}
	consumer, extra, err := takeFrom(p.connector, o.ID)
	if err != nil {
		return nil, err
	}
	pattern, err := topicPattern(p.settings.sink)
	if err != nil {
		return nil, err
	}
	var letters *worker.DeadLetters
	if d := p.settings.letters; d.Topic != "" {
		lease, err := rt.kafka.deadLetters(ctx, p.connector, d, o.ID)
		if err != nil {
			return nil, err
		}
		release = lease.Release
		letters = &worker.DeadLetters{ID: o.ID, Topic: d.Topic, Headers: d.ContextHeaders, Producer: lease.Client, Hide: rt.secrets.hide}
		p.reporters = append(p.reporters, letters)
	}
	op := tolerance.New(policy, p.reporters...)
	parts = &worker.SinkParts{
		Task: f.sink().NewTask(), Config: p.info.cfg, Context: &p.info,
		MaxPollRecords: extra.MaxPollRecords, RebalanceTimeout: extra.MaxPollInterval,
		Consumer: func(opts ...kgo.Opt) (*kgo.Client, error) {
			return kgo.NewClient(slices.Concat(consumer, opts)...)
		},
		Topics: p.settings.sink.Topics, Pattern: pattern, MetadataMaxAge: extra.MetadataMaxAge,
		Pipeline: pipeline.NewSink(p.steps, p.converters, op), Operator: op, DeadLetters: letters,
		Release: release, Throttle: rt.throttle(o.ID.Connector, p.settings.Throttle),
	}
	if replay != nil {
		parts.Replay, parts.Topics, parts.Pattern = replay.Replay, []string{replay.topic}, nil
	}
	return parts, nil
}

// taskInfo is what a task may know of its place.
type taskInfo struct {
	id    connect.TaskID
	log   *slog.Logger
	cfg   connect.Config
	again func(ctx context.Context) (connect.Config, error)
	// metrics are those of the task itself, or nil.
	metrics connect.Metrics
}

func (i *taskInfo) ID() connect.TaskID                                 { return i.id }
func (i *taskInfo) Logger() *slog.Logger                               { return i.log }
func (i *taskInfo) Metrics() connect.Metrics                           { return i.metrics }
func (i *taskInfo) Config(ctx context.Context) (connect.Config, error) { return i.again(ctx) }

// sourceContext is the runtime as a source task sees it.
type sourceContext struct {
	taskInfo
	offsets      connect.OffsetReader
	transactions connect.TransactionContext // or nil
}

func (c *sourceContext) Offsets() connect.OffsetReader            { return c.offsets }
func (c *sourceContext) Transactions() connect.TransactionContext { return c.transactions }

// forwardingContext is that of a task whose configuration lets batches pass as they are: it is a [connect.BatchForwarder].
type forwardingContext struct {
	*sourceContext
	forward *worker.Forwarding
}

// ForwardsBatches implements [connect.BatchForwarder].
func (c *forwardingContext) ForwardsBatches(headers bool) bool {
	return c.forward.ForwardsBatches(headers)
}

// LeastBatch implements [connect.BatchForwarder].
func (c *forwardingContext) LeastBatch() int { return c.forward.LeastBatch() }
