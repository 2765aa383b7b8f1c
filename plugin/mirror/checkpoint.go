package mirror

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/gokconnect/connect"
	"github.com/twmb/franz-go/pkg/kgo"
)

// checkpointConnector finds the consumer groups of the source whose offsets are translated, and spreads them over tasks.
type checkpointConnector struct {
	env *environment

	cfg    *CheckpointConfig
	cc     connect.ConnectorContext
	log    *slog.Logger
	source *kgo.Client
	target *kgo.Client
	jobs   *schedule
	first  sync.Once
	looked chan struct{} // closed when groups were looked for for the first time, with or without success

	groups  atomic.Pointer[[]string] // nil until they are known
	lookErr atomic.Pointer[error]    // why they are not
}

// NewTask returns a task.
func (c *checkpointConnector) NewTask() connect.SourceTask { return &checkpointTask{env: c.env} }

// works reports whether there is anything to do.
func (c *checkpointConnector) works() bool { return c.cfg.Enabled && c.cfg.EmitCheckpoints >= 0 }

// Start begins to look for groups. It does not wait for it: the source may be unreachable for long.
func (c *checkpointConnector) Start(_ context.Context, cc connect.ConnectorContext, cfg connect.Config) (err error) {
	c.cc, c.log = cc, cc.Info().Logger
	if c.cfg, err = c.env.ParseCheckpointConfig(cfg); err != nil || !c.works() {
		return err
	}
	if c.source, err = c.cfg.adminClient(Source, roleCheckpointSource); err != nil {
		return err
	}
	if c.target, err = c.cfg.adminClient(Target, roleCheckpointTarget); err != nil {
		c.source.Close()
		return err
	}
	changes, err := c.cfg.changes(Target, c.target)
	if err != nil {
		c.source.Close()
		c.target.Close()
		return err
	}
	c.looked, c.first = make(chan struct{}), sync.Once{}
	c.groups.Store(nil)
	c.jobs = startSchedule(cc.Context(), c.log, c.cfg.AdminTimeout,
		&job{name: "looking for consumer groups of the source", every: c.cfg.RefreshGroups, run: func(ctx context.Context) error {
			err := c.refresh(ctx)
			c.lookErr.Store(&err)
			c.first.Do(func() { close(c.looked) })
			return err
		}},
		&job{name: "creating the topic of checkpoints", every: -1, run: func(ctx context.Context) error {
			return createCompacted(ctx, changes, c.cfg.Naming.CheckpointsTopic(c.cfg.SourceAlias), checkpointsFactorKey, c.cfg.ReplicationFactor)
		}},
	)
	return nil
}

// refresh looks for groups and asks for new tasks if there are others than before.
func (c *checkpointConnector) refresh(ctx context.Context) error {
	if err := c.cfg.reach(ctx, c.source, Source); err != nil {
		return err
	}
	groups, err := findGroups(ctx, c.source, c.cfg)
	if err != nil {
		return fmt.Errorf("consumer groups of source cluster %s: %w", c.cfg.SourceAlias, err)
	}
	before := c.groups.Swap(&groups)
	if before != nil && slices.Equal(*before, groups) {
		return nil
	}
	c.log.Info("found consumer groups", "groups", len(groups))
	return c.cc.RequestTaskReconfiguration()
}

// TaskConfigs spreads the groups over tasks, in pieces.
func (c *checkpointConnector) TaskConfigs(ctx context.Context, maxTasks int) ([]connect.Config, error) {
	if !c.works() {
		return nil, nil
	}
	select {
	case <-c.looked:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	groups := c.groups.Load()
	if groups == nil {
		return nil, connect.Retriable(fmt.Errorf("the consumer groups are not known yet: %w", *c.lookErr.Load()))
	}
	return c.cfg.TaskConfigs(*groups, maxTasks), nil
}

// AlterOffsets accepts 0, which is stored and never looked at.
func (c *checkpointConnector) AlterOffsets(_ context.Context, _ connect.Config, offsets []connect.PartitionOffset) error {
	return checkOffsets(offsets, true, groupField, topicField, partitionField)
}

// Health returns what goes wrong in the background.
func (c *checkpointConnector) Health(context.Context) error { return c.jobs.health() }

// Stop waits for the background, which ends with the connector's context, and closes the clients.
func (c *checkpointConnector) Stop(ctx context.Context) error {
	return stopJobs(ctx, c.jobs, c.source, c.target)
}
