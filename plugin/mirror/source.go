package mirror

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/gokconnect/connect"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// sourceConnector finds out what there is to copy, makes the topics of the target, and keeps their settings and access
// rules like those of the source.
type sourceConnector struct {
	env *environment

	cfg    *SourceConfig
	cc     connect.ConnectorContext
	log    *slog.Logger
	source *kgo.Client
	target *kgo.Client
	// What makes and changes things in the clusters.
	sourceChanges, targetChanges kmsg.Requestor

	jobs   *schedule
	first  sync.Once
	looked chan struct{} // closed when the topics were looked at for the first time, with or without success

	// What is copied, in an order that partitions keep while the connector runs; nil until it is known.
	partitions atomic.Pointer[[]TopicPartition]
	lookErr    atomic.Pointer[error] // why it is not known

	// The background's own.
	topics  topicCounts // of the source, those that are copied
	there   topicCounts // of the target
	grumble bool        // the source has no authorizer
}

// NewTask returns a task.
func (c *sourceConnector) NewTask() connect.SourceTask { return &sourceTask{env: c.env} }

// Start begins to look at topics. It does not wait for it: the source may be unreachable for long.
func (c *sourceConnector) Start(_ context.Context, cc connect.ConnectorContext, cfg connect.Config) (err error) {
	c.cc, c.log = cc, cc.Info().Logger
	if c.cfg, err = c.env.ParseSourceConfig(cfg); err != nil || !c.cfg.Enabled {
		return err
	}
	if c.source, err = c.cfg.adminClient(Source, roleSourceAdmin); err != nil {
		return err
	}
	if c.target, err = c.cfg.adminClient(Target, roleTargetAdmin); err != nil {
		c.source.Close()
		return err
	}
	if c.sourceChanges, err = c.cfg.changes(Source, c.source); err == nil {
		c.targetChanges, err = c.cfg.changes(Target, c.target)
	}
	if err != nil {
		c.source.Close()
		c.target.Close()
		return err
	}
	c.looked, c.first = make(chan struct{}), sync.Once{}
	c.partitions.Store(nil)
	c.topics, c.there = nil, nil
	c.jobs = startSchedule(cc.Context(), c.log, c.cfg.AdminTimeout, c.work()...)
	return nil
}

// work returns what goes on in the background.
func (c *sourceConnector) work() []*job {
	refresh := &job{name: "looking at the topics of both clusters", every: c.cfg.RefreshTopics, run: func(ctx context.Context) error {
		err := c.refresh(ctx)
		c.lookErr.Store(&err)
		c.first.Do(func() { close(c.looked) })
		return err
	}}
	jobs := []*job{refresh}
	if c.cfg.EmitOffsetSyncs {
		admin := c.sourceChanges
		if c.cfg.OffsetSyncs.OnTarget {
			admin = c.targetChanges
		}
		jobs = append(jobs, &job{name: "creating the topic of offset syncs", every: -1, run: func(ctx context.Context) error {
			return createCompacted(ctx, admin, c.cfg.OffsetSyncs.Name, offsetSyncsFactorKey, c.cfg.OffsetSyncs.ReplicationFactor)
		}})
	}
	if c.cfg.SyncTopicACLs >= 0 {
		jobs = append(jobs, &job{name: "copying access rules of topics", every: c.cfg.SyncTopicACLs, run: c.syncACLs})
	}
	if c.cfg.SyncTopicConfigs >= 0 {
		jobs = append(jobs, &job{name: "copying settings of topics", every: c.cfg.SyncTopicConfigs, run: c.syncConfigs})
	}
	return jobs
}

// adminClient makes a client for administration.
func (c *Config) adminClient(side Side, role string) (*kgo.Client, error) {
	opts, err := c.admin(side, role)
	if err != nil {
		return nil, err
	}
	cl, err := kgo.NewClient(opts...)
	if err != nil {
		return nil, fmt.Errorf("the administrative client of the %s cluster %s: %w", side, c.alias(side), err)
	}
	return cl, nil
}

// reach fails at once with the reason if a cluster can't be reached, where a request would be tried again for long.
func (c *Config) reach(ctx context.Context, cl *kgo.Client, side Side) error {
	if err := cl.Ping(ctx); err != nil {
		return fmt.Errorf("%s cluster %s can't be reached: %w", side, c.alias(side), err)
	}
	return nil
}

// refresh looks at the topics of both clusters, makes what is missing on the target, and asks for new tasks if there is
// more or less to copy than before.
func (c *sourceConnector) refresh(ctx context.Context) error {
	if err := c.cfg.reach(ctx, c.source, Source); err != nil {
		return err
	}
	all, err := listTopics(ctx, c.source, c.topics)
	if err != nil {
		return fmt.Errorf("topics of source cluster %s: %w", c.cfg.SourceAlias, err)
	}
	topics := make(topicCounts)
	for topic, partitions := range all {
		if c.cfg.ShouldReplicate(topic) {
			topics[topic] = partitions
		}
	}
	if err := c.cfg.reach(ctx, c.target, Target); err != nil {
		return err
	}
	if c.there, err = listTopics(ctx, c.target, c.there); err != nil {
		return fmt.Errorf("topics of target cluster %s: %w", c.cfg.TargetAlias, err)
	}
	c.topics = topics
	trouble := c.provide(ctx)
	before := c.partitions.Load()
	now := orderPartitions(before, c.ready())
	c.partitions.Store(&now)
	switch {
	case before == nil:
		c.log.Info("found what to copy", "topics", len(topics), "partitions", len(now))
		return errors.Join(trouble, c.cc.RequestTaskReconfiguration())
	case !slices.Equal(*before, now):
		c.log.Info("what is to be copied has changed", "topics", len(topics), "partitions", len(now), "before", len(*before))
		return errors.Join(trouble, c.cc.RequestTaskReconfiguration())
	}
	return trouble
}

// provide makes the topics and partitions that the target lacks. What could not be made is returned, and tried again with the
// next refresh, and is not copied until then.
func (c *sourceConnector) provide(ctx context.Context) error {
	plan := planTopics(c.topics, c.there, c.cfg.RemoteTopic)
	var errs []error
	if len(plan.create) > 0 {
		settings, err := describeConfigs(ctx, c.source, plan.create)
		if err != nil {
			return fmt.Errorf("settings of topics of source cluster %s: %w", c.cfg.SourceAlias, err)
		}
		var missing []newTopic
		for _, topic := range plan.create {
			t := newTopic{name: c.cfg.RemoteTopic(topic), partitions: c.topics[topic]}
			for _, s := range c.cfg.TargetConfigs(settings[topic], false) {
				t.settings = append(t.settings, setting{s.Name, s.Value})
			}
			missing = append(missing, t)
		}
		failed := createTopics(ctx, c.targetChanges, missing, int16(c.cfg.ReplicationFactor))
		for _, t := range missing {
			switch err := failed[t.name]; {
			case err == nil:
				c.there[t.name] = t.partitions
				c.log.Info("created a topic on the target", "topic", t.name, "partitions", t.partitions)
			case errors.Is(err, kerr.InvalidReplicationFactor):
				failed[t.name] = fmt.Errorf("with %s=%d: %w", replicationFactorKey, c.cfg.ReplicationFactor, err)
			}
		}
		errs = append(errs, c.failures("create topic", failed))
	}
	if len(plan.grow) > 0 {
		failed := growTopics(ctx, c.targetChanges, plan.grow)
		for topic, partitions := range plan.grow {
			if failed[topic] == nil {
				c.there[topic] = partitions
				c.log.Info("a topic of the target has more partitions now", "topic", topic, "partitions", partitions)
			}
		}
		errs = append(errs, c.failures("add partitions to topic", failed))
	}
	return errors.Join(errs...)
}

// ready returns the partitions that are copied and that the target has: a task that met another would fail, and with it the
// copies of all that it has.
func (c *sourceConnector) ready() topicCounts {
	ready := make(topicCounts)
	for topic, partitions := range c.topics {
		if n := min(partitions, c.there[c.cfg.RemoteTopic(topic)]); n > 0 {
			ready[topic] = n
		}
	}
	return ready
}

// failures makes one error of those of topics.
func (c *sourceConnector) failures(doing string, failed map[string]error) error {
	var errs []error
	for i, topic := range slices.Sorted(maps.Keys(failed)) {
		if i == 10 {
			errs = append(errs, fmt.Errorf("and %d topics more", len(failed)-i))
			break
		}
		errs = append(errs, fmt.Errorf("can't %s %s on target cluster %s: %w", doing, topic, c.cfg.TargetAlias, failed[topic]))
	}
	return errors.Join(errs...)
}

// orderPartitions returns the partitions of topics. Those that were there before keep their places as far as possible, so that
// a new topic does not move the partitions of others from task to task.
func orderPartitions(before *[]TopicPartition, topics topicCounts) []TopicPartition {
	var order []TopicPartition
	old := make(topicCounts)
	if before != nil {
		for _, tp := range *before {
			if tp.Partition < topics[tp.Topic] {
				order = append(order, tp)
				old[tp.Topic] = max(old[tp.Topic], tp.Partition+1)
			}
		}
	}
	for _, topic := range slices.Sorted(maps.Keys(topics)) {
		for p := old[topic]; p < topics[topic]; p++ {
			order = append(order, TopicPartition{Topic: topic, Partition: p})
		}
	}
	return order
}

// TaskConfigs spreads the partitions over tasks, in turn.
func (c *sourceConnector) TaskConfigs(ctx context.Context, maxTasks int) ([]connect.Config, error) {
	if !c.cfg.Enabled {
		return nil, nil
	}
	select {
	case <-c.looked:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	partitions := c.partitions.Load()
	if partitions == nil {
		return nil, connect.Retriable(fmt.Errorf("what there is to copy is not known yet: %w", *c.lookErr.Load()))
	}
	return c.cfg.TaskConfigs(*partitions, maxTasks), nil
}

// copied returns the topics that are copied and have a copy already.
func (c *sourceConnector) copied() []string {
	var topics []string
	for topic := range c.topics {
		if _, ok := c.there[c.cfg.RemoteTopic(topic)]; ok {
			topics = append(topics, topic)
		}
	}
	slices.Sort(topics)
	return topics
}

// syncConfigs gives the topics of the target the settings of those of the source.
func (c *sourceConnector) syncConfigs(ctx context.Context) error {
	if c.partitions.Load() == nil {
		return errNotYet
	}
	settings, err := describeConfigs(ctx, c.source, c.copied())
	if err != nil {
		return fmt.Errorf("settings of topics of source cluster %s: %w", c.cfg.SourceAlias, err)
	}
	wanted := make(map[string][]TopicConfig, len(settings))
	for topic, of := range settings {
		wanted[c.cfg.RemoteTopic(topic)] = c.cfg.TargetConfigs(of, true)
	}
	failed, err := alterConfigs(ctx, c.targetChanges, wanted, c.cfg.CopiesDefault)
	for _, ferr := range failed {
		if errors.Is(ferr, kerr.UnsupportedVersion) {
			err = ferr
		}
	}
	if errors.Is(err, kerr.UnsupportedVersion) {
		err = fmt.Errorf("target cluster %s is not compatible with the API IncrementalAlterConfigs: %w", c.cfg.TargetAlias, err)
		c.cc.RaiseError(err)
	}
	if err != nil {
		return err
	}
	return c.failures("change settings of topic", failed)
}

// syncACLs gives the topics of the target the access rules of those of the source.
func (c *sourceConnector) syncACLs(ctx context.Context) error {
	if c.partitions.Load() == nil {
		return errNotYet
	}
	rules, ok, err := describeACLs(ctx, c.source)
	if err != nil {
		return fmt.Errorf("access rules of source cluster %s: %w", c.cfg.SourceAlias, err)
	}
	if !ok {
		if !c.grumble {
			c.log.Info("the source cluster has no authorizer, so there are no access rules to copy; sync.topic.acls.enabled=false stops asking", "cluster", c.cfg.SourceAlias)
		}
		c.grumble = true
		return nil
	}
	var wanted []TopicACL
	for _, rule := range rules {
		if _, ok := c.topics[rule.Topic]; !ok {
			continue
		}
		if target, ok := c.cfg.TargetACL(rule); ok {
			wanted = append(wanted, target)
		}
	}
	failed, err := createACLs(ctx, c.targetChanges, wanted)
	if err != nil {
		return fmt.Errorf("access rules of target cluster %s: %w", c.cfg.TargetAlias, err)
	}
	return c.failures("set access rules of topic", failed)
}

// Health returns what goes wrong in the background.
func (c *sourceConnector) Health(context.Context) error { return c.jobs.health() }

// Stop waits for the background, which ends with the connector's context, and closes the clients.
func (c *sourceConnector) Stop(ctx context.Context) error {
	return stopJobs(ctx, c.jobs, c.source, c.target)
}

// stopJobs waits for work in the background and closes clients; both may be nil.
func stopJobs(ctx context.Context, jobs *schedule, clients ...*kgo.Client) (err error) {
	if jobs != nil {
		select {
		case <-jobs.ended:
		case <-ctx.Done():
			err = context.Cause(ctx)
		}
	}
	for _, cl := range clients {
		if cl != nil {
			cl.Close()
		}
	}
	return err
}
