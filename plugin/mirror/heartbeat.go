package mirror

import (
	"context"
	"time"

	"github.com/gokconnect/connect"
	"github.com/twmb/franz-go/pkg/kgo"
)

// heartbeatConnector has one task, which writes heartbeats. As in Kafka it does so also with enabled=false: that the way
// works is of interest before something goes it.
type heartbeatConnector struct {
	env    *environment
	cfg    *HeartbeatConfig
	given  connect.Config
	target *kgo.Client
	jobs   *schedule
}

// NewTask returns the task.
func (c *heartbeatConnector) NewTask() connect.SourceTask { return &heartbeatTask{env: c.env} }

// Start has the topic created.
func (c *heartbeatConnector) Start(_ context.Context, cc connect.ConnectorContext, cfg connect.Config) (err error) {
	c.given = cfg
	if c.cfg, err = c.env.ParseHeartbeatConfig(cfg); err != nil || c.cfg.Interval < 0 {
		return err
	}
	if c.target, err = c.cfg.adminClient(Target, roleHeartbeatsAdmin); err != nil {
		return err
	}
	changes, err := c.cfg.changes(Target, c.target)
	if err != nil {
		c.target.Close()
		return err
	}
	c.jobs = startSchedule(cc.Context(), cc.Info().Logger, c.cfg.AdminTimeout, &job{name: "creating the topic of heartbeats", every: -1, run: func(ctx context.Context) error {
		return createCompacted(ctx, changes, c.cfg.Naming.HeartbeatsTopic(), heartbeatsFactorKey, c.cfg.ReplicationFactor)
	}})
	return nil
}

// TaskConfigs returns the configuration of the one task, unless there are no heartbeats.
func (c *heartbeatConnector) TaskConfigs(context.Context, int) ([]connect.Config, error) {
	if c.cfg.Interval < 0 {
		return nil, nil
	}
	return []connect.Config{c.given}, nil
}

// AlterOffsets accepts 0, which is stored and never looked at.
func (c *heartbeatConnector) AlterOffsets(_ context.Context, _ connect.Config, offsets []connect.PartitionOffset) error {
	return checkOffsets(offsets, true, sourceAliasField, targetAliasField)
}

// Health returns why the topic could not be created.
func (c *heartbeatConnector) Health(context.Context) error { return c.jobs.health() }

// Stop closes the client.
func (c *heartbeatConnector) Stop(ctx context.Context) error {
	return stopJobs(ctx, c.jobs, c.target)
}

// heartbeatTask writes a heartbeat each interval.
type heartbeatTask struct {
	env *environment
	cfg *HeartbeatConfig
}

// Start reads the configuration.
func (t *heartbeatTask) Start(_ context.Context, _ connect.SourceTaskContext, cfg connect.Config) (err error) {
	t.cfg, err = t.env.ParseHeartbeatConfig(cfg)
	return err
}

// Poll waits for the interval and returns a heartbeat.
func (t *heartbeatTask) Poll(ctx context.Context) ([]connect.SourceRecord, error) {
	if !pause(ctx, t.cfg.Interval) {
		return nil, nil
	}
	now := time.UnixMilli(time.Now().UnixMilli())
	h := Heartbeat{SourceAlias: t.cfg.SourceAlias, TargetAlias: t.cfg.TargetAlias, Time: now}
	key, err := h.Key()
	if err != nil {
		return nil, connect.Fatal(err)
	}
	r := stateRecord(t.cfg.Naming.HeartbeatsTopic(), key, h.Value(), now)
	r.SourcePartition = h.SourcePartition()
	return []connect.SourceRecord{r}, nil
}

// Stop does nothing.
func (t *heartbeatTask) Stop(context.Context) error { return nil }

// pause waits, and reports whether it did so to the end.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// stateRecord returns a record of one of MirrorMaker's compacted topics: of their only partition, with an offset that nobody
// looks at.
func stateRecord(topic string, key, value []byte, at time.Time) connect.SourceRecord {
	return connect.SourceRecord{
		Record: connect.Record{
			Topic: topic, Partition: connect.ToPartition(0), Timestamp: at,
			KeySchema: connect.BytesSchema, Key: key, ValueSchema: connect.BytesSchema, Value: value,
		},
		SourceOffset: connect.Fields{offsetField: int64(0)},
	}
}
