package cluster

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/clients"
	"github.com/gokconnect/connect/internal/connconfig"
	"github.com/gokconnect/connect/internal/herder"
	"github.com/gokconnect/connect/internal/worker"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// ReplayOptions say which dead letters [Runtime.ReplayDeadLetters] takes. The zero value is all that are there.
type ReplayOptions struct {
	// Max is how many are put at most. Default: no bound.
	Max int
	// Within is how long it goes on taking letters. Default: without end. If a Put is being tried again then, its error is
	// returned.
	Within time.Duration
	// From and To bound the timestamps of letters, which for those of a sink are the records' own: From is included, To is not.
	// Default: no bound.
	From, To time.Time
	// Classes are the classes of errors, as they stand in the header __connect.errors.exception.class.name. Default: all.
	Classes []string
	// DryRun counts the letters that would be put, and puts none.
	DryRun bool
}

// Replay is what became of dead letters. The counts are those of one call.
type Replay struct {
	// Replayed is how many are done with: those that were put, and those of FailedAgain; or, with DryRun, how many would be
	// put. After an error others may have been put too, which the next call puts once more.
	Replayed int
	// Classes are the letters that were taken, by the class of their error; "" if they don't say it: without context headers.
	Classes map[string]int
	// FailedAgain is how many of Replayed failed once more, and are new dead letters now.
	FailedAgain int
	// PassedOver is how many of those that were looked at the options left out. Later calls find them.
	PassedOver int
	// Foreign is how many belong to other connectors, or to a source. Unplaced is how many do not say where they were
	// consumed, of a connector with more than one topic: errors.deadletterqueue.context.headers.enable is false.
	Foreign, Unplaced int
	// More says that letters are left which the options ask for: Max or Within ended the call, or an error did.
	More bool
}

// ReplayDeadLetters puts the dead letters of a sink connector once more: those that are in its topic of dead letters when the
// call begins. A task of the connector beside those that run, with the configuration of the first of them, consumes them on
// this instance, takes them through the converters and transformations, and puts them. Records have the topic and partition
// that they had when they failed, and their own headers with one more, __connect.replays, which counts; their
// Origin and Offset are those of the letter. What fails again becomes a new dead letter. docs/errors.md says why nothing is
// written to the topics that records came from.
//
// Letters that were put are not put by later calls, on any instance, whatever the options of the calls are. How far that is
// stands in the offsets of a consumer group: the connector's, with .dead-letters appended. Delivery is at least once: what was
// put before a crash and is not committed is put again by the next call.
//
// The connector must be running, with errors.deadletterqueue.topic.name. When ctx ends, or the runtime stops, the call
// stops as a task does, and returns what it has done with the cause. It can be called concurrently: the calls share the
// partitions of the topic.
func (rt *Runtime) ReplayDeadLetters(ctx context.Context, connector string, o ReplayOptions) (Replay, error) {
	r, err := rt.replay(ctx, connector, o)
	if err != nil {
		err = rt.secrets.hideIn(fmt.Errorf("replay dead letters of connector %q: %w", connector, err))
	}
	return r, err
}

// replaying is a replay that is being prepared.
type replaying struct {
	rt              *Runtime
	id              connect.TaskID
	f               found
	connector, task connect.Config // raw
	topic, group    string         // of the dead letters, and that remembers
	starts          map[int32]int64
	resolved        connect.Config // connector, with the values of config providers, which are hidden
	hidden          *secrets
	*worker.Replay
}

func (rt *Runtime) replay(ctx context.Context, name string, o ReplayOptions) (out Replay, err error) {
	if err := rt.refreshed(ctx); err != nil {
		return out, err
	}
	p := &replaying{rt: rt, hidden: new(secrets)}
	defer func() { err = p.hidden.hideIn(err) }()
	if err := p.find(ctx, name, o.DryRun); err != nil {
		return out, err
	}
	stop, leave, err := rt.guests.enter()
	if err != nil {
		return out, err
	}
	defer leave()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case <-stop:
			cancel(fmt.Errorf("the runtime is stopping: %w", connect.ErrStopping))
		case <-ctx.Done():
		}
	}()
	if err := p.prepare(ctx, o); err != nil {
		return out, err
	}
	if rest, err := p.rest(ctx); err != nil || rest == 0 {
		return out, err
	}
	failed := func() int { return 0 }
	if o.DryRun {
		err = p.dryRun(ctx, o.Within)
	} else {
		failed, err = p.put(ctx, o.Within)
	}
	c := p.Counts()
	out = Replay{Replayed: c.Put, Classes: c.Classes, FailedAgain: failed(), PassedOver: c.PassedOver, Foreign: c.Foreign, Unplaced: c.Unplaced, More: c.Full || err != nil}
	if o.DryRun {
		out.Replayed = c.Taken
	}
	if c.Retrying != nil {
		err = errors.Join(err, fmt.Errorf("letters were being put, and are put by the next call: %w", c.Retrying))
	}
	switch {
	case err != nil:
	case c.Commit != nil:
		err = fmt.Errorf("how far it came could not be stored, the next call puts some letters again: %w", c.Commit)
	case !o.DryRun && c.Put < c.Taken && !c.Full:
		err = fmt.Errorf("the task could not keep %d of the letters that it took, the next call puts them again: the log says why", c.Taken-c.Put)
	case c.Scattered:
		err = fmt.Errorf("too many letters were passed over between others that were put: put those first, by a call without Classes, From and To: %w", connect.ErrIllegalState)
	}
	return out, err
}

// find looks the connector up.
func (p *replaying) find(ctx context.Context, name string, dry bool) error {
	return p.rt.do(ctx, func() (err error) {
		k := p.rt.snapshot[name]
		switch {
		case k == nil:
			return notFound(name)
		case !dry && (k.Target != herder.Started || len(k.Tasks) == 0):
			return fmt.Errorf("it is %s, with %d tasks: it must be running, since its task's configuration is needed: %w", k.Target, len(k.Tasks), connect.ErrIllegalState)
		}
		p.connector = plain(k.Config)
		if len(k.Tasks) > 0 {
			p.task = maps.Clone(k.Tasks[0])
		}
		p.id = connect.TaskID{Connector: name, Task: len(k.Tasks)} // as if it had one task more
		p.f, err = p.rt.find(p.connector)
		return err
	})
}

// prepare finds out what there is to replay.
func (p *replaying) prepare(ctx context.Context, o ReplayOptions) error {
	rt := p.rt
	var err error
	if p.resolved, p.hidden, err = rt.resolveEarly(ctx, p.connector); err != nil {
		return err
	}
	if p.f.kind() != connect.KindSink {
		return fmt.Errorf("it is a source: its dead letters are not what a sink consumed, and its offsets can be altered to read records again: %w", connect.ErrIllegalState)
	}
	c, err := rt.parseConnector(connect.KindSink, p.resolved)
	if err != nil {
		return err
	}
	if p.topic = c.letters.Topic; p.topic == "" {
		return fmt.Errorf("its configuration has no %s: %w", connconfig.DeadLettersKey, connect.ErrIllegalState)
	}
	p.group = rt.kafka.props.Consumer(p.resolved, p.id.Connector, "")["group.id"] + ".dead-letters"
	p.Replay = &worker.Replay{Connector: p.id.Connector, Max: o.Max, Wanted: o.wanted(), Ends: make(map[int32]int64), Positions: p.positions}
	if len(c.sink.Topics) == 1 {
		p.Topic = c.sink.Topics[0]
	}
	if p.Wanted != nil && !o.DryRun {
		task := p.f.sink().NewTask()
		if _, ok := connect.As[connect.TransactionalSink](task); ok {
			return fmt.Errorf("its tasks keep offsets with their data, so that letters can't be passed over: leave out Classes, From and To: %w", connect.ErrIllegalState)
		}
	}
	// The listings go by what the client knows of topics for a while: also that this one does not exist.
	fresh := kmsg.NewPtrMetadataRequest()
	fresh.Topics = []kmsg.MetadataRequestTopic{{Topic: kmsg.StringPtr(p.topic)}}
	if _, err := fresh.RequestWith(ctx, rt.kafka.client); err != nil {
		return err
	}
	starts, err := rt.kafka.admin.ListStartOffsets(ctx, p.topic)
	if err != nil {
		return err
	}
	ends, err := rt.kafka.admin.ListEndOffsets(ctx, p.topic)
	if err != nil {
		return err
	}
	p.starts = make(map[int32]int64)
	for _, list := range []struct {
		all  kadm.ListedOffsets
		into map[int32]int64
	}{{starts, p.starts}, {ends, p.Ends}} {
		for n, at := range list.all[p.topic] {
			if errors.Is(at.Err, kerr.UnknownTopicOrPartition) {
				continue // there are no letters yet
			}
			if at.Err != nil {
				return fmt.Errorf("topic %s, partition %d: %w", p.topic, n, at.Err)
			}
			list.into[n] = at.Offset
		}
	}
	return nil
}

// wanted returns the filter of the options, or nil.
func (o *ReplayOptions) wanted() func(*worker.DeadLetter, *kgo.Record) bool {
	if len(o.Classes) == 0 && o.From.IsZero() && o.To.IsZero() {
		return nil
	}
	return func(l *worker.DeadLetter, rec *kgo.Record) bool {
		return (len(o.Classes) == 0 || slices.Contains(o.Classes, l.Class)) &&
			(o.From.IsZero() || !rec.Timestamp.Before(o.From)) && (o.To.IsZero() || rec.Timestamp.Before(o.To))
	}
}

// positions returns how far partitions were replayed by earlier calls.
func (p *replaying) positions(ctx context.Context, partitions []int32) (map[int32]worker.Position, error) {
	found, err := p.rt.kafka.admin.FetchOffsets(ctx, p.group)
	if err != nil && !errors.Is(err, kerr.GroupIDNotFound) {
		return nil, fmt.Errorf("offsets of group %s: %w", p.group, err)
	}
	out := make(map[int32]worker.Position, len(partitions))
	for _, n := range partitions {
		out[n] = worker.Position{Offset: -1}
		at, ok := found.Lookup(p.topic, n)
		if ok && at.Err != nil {
			return nil, fmt.Errorf("offsets of group %s: %w", p.group, at.Err)
		}
		if ok && at.At >= 0 {
			out[n] = worker.Position{Offset: at.At, Metadata: at.Metadata}
		}
	}
	return out, nil
}

// rest returns how many offsets there are between where earlier calls came to and the end.
func (p *replaying) rest(ctx context.Context) (rest int64, err error) {
	at, err := p.positions(ctx, slices.Collect(maps.Keys(p.Ends)))
	for n, end := range p.Ends {
		rest += max(end-max(at[n].Offset, p.starts[n]), 0)
	}
	return rest, err
}

// consumerOf returns the options of a client that consumes the letters, as a member of the group that remembers.
func (p *replaying) consumerOf(connector connect.Config, id connect.TaskID) ([]kgo.Opt, clients.ConsumerExtra, error) {
	opts, extra, err := p.reader(connector, id)
	return append(opts, extra.Group...), extra, err
}

// reader is consumerOf for a client that is in no group.
func (p *replaying) reader(connector connect.Config, id connect.TaskID) ([]kgo.Opt, clients.ConsumerExtra, error) {
	props := p.rt.kafka.props.Consumer(connector, id.Connector, clients.TaskConsumerID(id))
	props["group.id"], props["auto.offset.reset"] = p.group, "earliest"
	delete(props, "group.instance.id")
	opts, extra, _, err := p.rt.kafka.options.Consumer(props)
	if err != nil {
		return nil, extra, fmt.Errorf("consumer: %w", err)
	}
	return append(opts, kgo.KeepControlRecords()), extra, nil
}

// replayCommits is the longest time between two commits of a replay.
const replayCommits = 5 * time.Second

// put runs the task that puts the letters, until it has come to the end. failed returns how many failed again.
func (p *replaying) put(ctx context.Context, within time.Duration) (failed func() int, err error) {
	rt := p.rt
	var mu sync.Mutex
	var failure error
	var parts *worker.SinkParts
	log := rt.pluginLog(pointers(p.connector)).With("connector", p.id.Connector, "task", p.id.Task, "replay", true)
	o := worker.TaskOptions{ID: p.id, Logger: log, Grace: rt.settings.TaskShutdownTimeout, AsJava: rt.cfg.javaDefaults,
		Status: func(_ worker.State, err error) {
			mu.Lock()
			defer mu.Unlock()
			failure = errors.Join(failure, err)
		}}
	t := worker.StartSink(worker.SinkOptions{
		TaskOptions: o, CommitInterval: min(rt.settings.OffsetFlushInterval, replayCommits), CommitTimeout: rt.settings.OffsetFlushTimeout,
		New: func(ctx context.Context) (*worker.SinkParts, error) {
			made, err := rt.sinkParts(ctx, o, p.f, p.connector, p.task, p)
			mu.Lock()
			defer mu.Unlock()
			parts = made
			return made, err
		},
	})
	var over <-chan time.Time
	if within > 0 {
		timer := time.NewTimer(within)
		defer timer.Stop()
		over = timer.C
	}
	select {
	case <-t.Done():
	case <-over:
		p.Replay.Stop()
		t.Stop()
	case <-ctx.Done():
		p.Replay.Stop()
		t.Stop()
		err = context.Cause(ctx)
	}
	<-t.Done()
	if t.Abandoned() {
		err = errors.Join(err, worker.ErrAbandoned)
	} else {
		<-t.Ended()
	}
	mu.Lock()
	defer mu.Unlock()
	return func() int {
		if parts == nil {
			return 0
		}
		return int(parts.Operator.Stats.Skipped.Load())
	}, errors.Join(err, failure)
}

// dryRun reads the letters and counts those that would be put.
func (p *replaying) dryRun(ctx context.Context, within time.Duration) error {
	opts, _, err := p.reader(p.resolved, p.id)
	if err != nil {
		return err
	}
	at, err := p.positions(ctx, slices.Collect(maps.Keys(p.Ends)))
	if err != nil {
		return err
	}
	from := make(map[int32]kgo.Offset)
	for n, end := range p.Ends {
		if begin := max(at[n].Offset, p.starts[n]); begin < end {
			from[n] = kgo.NewOffset().At(begin)
		}
	}
	if err := p.Begin(ctx, slices.Collect(maps.Keys(from))); err != nil {
		return err
	}
	client, err := kgo.NewClient(append(opts, kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{p.topic: from}))...)
	if err != nil {
		return err
	}
	defer client.Close()
	poll := ctx
	if within > 0 {
		var cancel context.CancelFunc
		poll, cancel = context.WithTimeout(ctx, within)
		defer cancel()
	}
	for len(from) > 0 && !p.Full() {
		fetches := client.PollFetches(poll)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if poll.Err() != nil {
			p.Replay.Stop()
			return nil
		}
		if err := fetches.Err(); err != nil {
			return fmt.Errorf("consume %s: %w", p.topic, err)
		}
		fetches.EachRecord(func(rec *kgo.Record) {
			p.Take(rec)
			if rec.Offset+1 >= p.Ends[rec.Partition] {
				delete(from, rec.Partition)
			}
		})
	}
	return nil
}
