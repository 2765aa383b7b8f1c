package mirror

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/gokconnect/connect"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// checkpointTask writes checkpoints of consumer groups.
type checkpointTask struct {
	env     *environment
	cfg     *CheckpointConfig
	log     *slog.Logger
	metrics *flowMetrics

	source *kgo.Client
	target *kgo.Client
	syncs  *kgo.Client // follows the topic of offset syncs
	cancel context.CancelFunc
	jobs   *schedule

	mu          sync.Mutex
	store       OffsetSyncStore
	checkpoints *Checkpoints
	ready       bool // both were read
	sensors     map[string]connect.Sensor
}

// Start begins to read what earlier runs wrote.
func (t *checkpointTask) Start(_ context.Context, tc connect.SourceTaskContext, cfg connect.Config) (err error) {
	t.log = tc.Logger()
	if t.cfg, err = t.env.ParseCheckpointTaskConfig(cfg); err != nil {
		return err
	}
	t.metrics = newFlowMetrics(tc, &t.cfg.Config)
	t.sensors = make(map[string]connect.Sensor)
	t.checkpoints = NewCheckpoints(t.cfg, &t.store)
	if t.source, err = t.cfg.adminClient(Source, roleCheckpointSource); err != nil {
		return err
	}
	if t.target, err = t.cfg.adminClient(Target, roleCheckpointTarget); err != nil {
		return err
	}
	var ctx context.Context
	ctx, t.cancel = context.WithCancel(context.Background()) // until Stop
	jobs := []*job{{name: "reading checkpoints and offset syncs", every: -1, run: t.load}}
	if every := t.cfg.SyncGroupOffsets; every >= 0 {
		jobs = append(jobs, &job{name: "committing offsets of groups on the target", every: every, wait: every, run: t.syncGroups})
	}
	t.jobs = startSchedule(ctx, t.log, loadTimeout, jobs...)
	return nil
}

// loadTimeout is how long reading what earlier runs wrote may take before it is begun anew.
const loadTimeout = 10 * time.Minute

// load reads the checkpoints of earlier runs and the offset syncs, and goes on following the latter.
func (t *checkpointTask) load(ctx context.Context) error {
	mine := make(map[string]bool)
	for _, group := range t.cfg.AssignedGroups {
		mine[group] = true
	}
	restored, err := t.restore(ctx, mine)
	if err != nil && !forbidden(err) {
		return err
	}
	if err != nil {
		// Without them an older offset sync might translate to before what was told: only the newest one counts then.
		t.log.Warn("checkpoints of earlier runs can't be read: offsets are translated by new offset syncs only", "err", err)
	}
	t.mu.Lock()
	t.store = OffsetSyncStore{LatestOnly: err != nil}
	t.checkpoints = NewCheckpoints(t.cfg, &t.store)
	for _, c := range restored {
		t.checkpoints.Restore(c)
	}
	t.mu.Unlock()
	if t.syncs != nil {
		t.syncs.Close()
	}
	syncs := t.cfg.OffsetSyncs
	opts, _, err := t.cfg.consumer(syncs.Side(), syncs.Role("consumer"))
	if err != nil {
		return err
	}
	if t.syncs, err = kgo.NewClient(append(opts, fromStart(syncs.Name)...)...); err != nil {
		return err
	}
	if err := readToEnd(ctx, t.syncs, syncs.Name, t.addSyncs); err != nil {
		return fmt.Errorf("offset syncs, topic %s on the %s cluster: %w", syncs.Name, syncs.Side(), err)
	}
	t.mu.Lock()
	t.store.Loaded()
	t.ready = true
	t.mu.Unlock()
	t.log.Info("read checkpoints and offset syncs", "checkpoints", len(restored), "groups", len(mine))
	return nil
}

// restore returns the last checkpoints of the task's groups.
func (t *checkpointTask) restore(ctx context.Context, mine map[string]bool) (map[string]Checkpoint, error) {
	topic := t.cfg.Naming.CheckpointsTopic(t.cfg.SourceAlias)
	opts, _, err := t.cfg.consumer(Target, roleCheckpointsConsumer)
	if err != nil {
		return nil, err
	}
	cl, err := kgo.NewClient(append(opts, fromStart(topic)...)...)
	if err != nil {
		return nil, err
	}
	defer cl.Close()
	last := make(map[string]Checkpoint)
	err = readToEnd(ctx, cl, topic, func(r *kgo.Record) {
		c, err := DecodeCheckpoint(r.Key, r.Value)
		if err != nil {
			t.log.Error("a record is no checkpoint; it is skipped", "topic", topic, "offset", r.Offset, "err", err)
		} else if mine[c.Group] {
			last[string(r.Key)] = c
		}
	})
	if err != nil {
		return nil, fmt.Errorf("checkpoints, topic %s on the target cluster: %w", topic, err)
	}
	return last, nil
}

// forbidden reports whether the task may not do something.
func forbidden(err error) bool {
	return errors.Is(err, kerr.TopicAuthorizationFailed) || errors.Is(err, kerr.ClusterAuthorizationFailed)
}

// addSyncs takes note of an offset sync.
func (t *checkpointTask) addSyncs(r *kgo.Record) {
	s, err := DecodeOffsetSync(r.Key, r.Value)
	if err != nil {
		t.log.Error("a record is no offset sync; it is skipped", "topic", r.Topic, "offset", r.Offset, "err", err)
		return
	}
	t.mu.Lock()
	t.store.Add(s)
	t.mu.Unlock()
}

// Poll waits for emit.checkpoints.interval.seconds and returns the checkpoints of groups that have something new. Offset
// syncs are taken note of meanwhile.
func (t *checkpointTask) Poll(ctx context.Context) ([]connect.SourceRecord, error) {
	if !t.follow(ctx, time.Now().Add(t.cfg.EmitCheckpoints)) {
		return nil, nil
	}
	bounded, cancel := context.WithTimeout(ctx, t.cfg.AdminTimeout)
	defer cancel()
	committed, err := fetchOffsets(bounded, t.source, t.cfg.AssignedGroups)
	if err != nil {
		if ctx.Err() != nil {
			return nil, nil
		}
		return nil, connect.Retriable(fmt.Errorf("source cluster %s: %w", t.cfg.SourceAlias, err))
	}
	now := time.UnixMilli(time.Now().UnixMilli())
	var records []connect.SourceRecord
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, group := range t.cfg.AssignedGroups {
		for tp, o := range committed[group] {
			if !t.cfg.Topics.ShouldReplicateTopic(tp.Topic) {
				continue
			}
			c, ok := t.checkpoints.Make(group, tp, o)
			if !ok {
				continue
			}
			r, err := checkpointRecord(c, t.cfg.Naming.CheckpointsTopic(t.cfg.SourceAlias), now)
			if err != nil {
				t.log.Error("a checkpoint can't be written; it is skipped", "checkpoint", c.String(), "err", err)
				continue
			}
			records = append(records, r)
		}
	}
	return records, nil
}

// checkpointOffset is the [connect.SourceOffset] of a checkpoint. It leads from the acknowledgement back to it.
type checkpointOffset struct{ Checkpoint }

// Fields returns 0: nobody looks at it.
func (*checkpointOffset) Fields() connect.Fields { return connect.Fields{offsetField: int64(0)} }

func checkpointRecord(c Checkpoint, topic string, now time.Time) (connect.SourceRecord, error) {
	key, err := c.Key()
	if err != nil {
		return connect.SourceRecord{}, err
	}
	value, err := c.Value()
	if err != nil {
		return connect.SourceRecord{}, err
	}
	r := stateRecord(topic, key, value, now)
	r.SourcePartition, r.SourceOffset = c.SourcePartition(), &checkpointOffset{c}
	return r, nil
}

// follow takes note of offset syncs until a time, and reports whether it came and everything was read.
func (t *checkpointTask) follow(ctx context.Context, until time.Time) bool {
	for {
		t.mu.Lock()
		ready := t.ready
		t.mu.Unlock()
		left := time.Until(until)
		if left <= 0 {
			return ready
		}
		if !ready {
			if !pause(ctx, min(left, 100*time.Millisecond)) {
				return false
			}
			continue
		}
		bounded, cancel := context.WithTimeout(ctx, left)
		fetches := t.syncs.PollFetches(bounded)
		cancel()
		if ctx.Err() != nil {
			return false
		}
		fetches.EachError(func(topic string, _ int32, err error) {
			switch {
			case errors.Is(err, context.DeadlineExceeded):
			case errors.Is(err, kerr.UnknownTopicID):
				t.log.Warn("the topic of offset syncs was deleted and made anew; it is read from its start", "topic", topic)
				t.syncs.PurgeTopicsFromConsuming(topic)
				t.syncs.AddConsumePartitions(map[string]map[int32]kgo.Offset{topic: {0: kgo.NewOffset().AtStart()}})
			default:
				t.log.Error("offset syncs can't be followed: until that works, offsets are translated by those that are known", "topic", topic, "err", err)
				pause(ctx, min(left, firstRetry))
			}
		})
		fetches.EachRecord(t.addSyncs)
	}
}

// CommitRecord measures how old a checkpoint is.
func (t *checkpointTask) CommitRecord(_ context.Context, r *connect.SourceRecord, m *connect.RecordMetadata) error {
	at, ok := r.SourceOffset.(*checkpointOffset)
	if !ok || m == nil || t.metrics == nil {
		return nil
	}
	key := at.Group + "\x00" + at.TopicPartition.String()
	sensor := t.sensors[key]
	if sensor == nil {
		sensor = t.metrics.times("checkpoint-latency-ms", "How old a checkpoint was when it had arrived.", at.TopicPartition, connect.MetricTag{Key: "group", Value: at.Group})
		t.sensors[key] = sensor
	}
	sensor.Record(float64(time.Since(r.Timestamp).Milliseconds()))
	return nil
}

// syncGroups commits the translated offsets on the target, of groups that nobody uses there, and only forwards.
func (t *checkpointTask) syncGroups(ctx context.Context) error {
	t.mu.Lock()
	ready, groups := t.ready, t.checkpoints.Groups()
	t.mu.Unlock()
	if !ready {
		return errNotYet
	}
	ctx, cancel := context.WithTimeout(ctx, t.cfg.AdminTimeout)
	defer cancel()
	use, failed := describeUse(ctx, t.target, groups)
	if use == nil {
		return fmt.Errorf("groups of target cluster %s: %w", t.cfg.TargetAlias, failed)
	}
	errs := []error{failed}
	for _, group := range groups {
		if err := t.syncGroup(ctx, group, use[group]); err != nil {
			errs = append(errs, fmt.Errorf("group %s on target cluster %s: %w", group, t.cfg.TargetAlias, err))
		}
	}
	return errors.Join(errs...)
}

func (t *checkpointTask) syncGroup(ctx context.Context, group string, use groupUse) error {
	var there map[TopicPartition]int64
	switch use {
	case groupUnknown:
		return nil // to try it blindly could move the group backwards
	case groupInUse:
		t.log.Debug("a group is in use on the target: its offsets are its own", "group", group)
		return nil
	case groupIdle:
		committed, err := fetchOffsets(ctx, t.target, []string{group})
		if err != nil {
			return err
		}
		there = make(map[TopicPartition]int64, len(committed[group]))
		for tp, o := range committed[group] {
			there[tp] = o.Offset
		}
	}
	t.mu.Lock()
	ahead := OffsetsToSync(t.checkpoints.GroupOffsets(group), there)
	t.mu.Unlock()
	if len(ahead) == 0 {
		return nil
	}
	err := commitOffsets(ctx, t.target, group, ahead)
	if errors.Is(err, kerr.UnknownMemberID) {
		t.log.Warn("a group is in use on the target now: its offsets are its own", "group", group)
		return nil
	}
	return err
}

// Health returns what goes wrong in the background.
func (t *checkpointTask) Health(context.Context) error { return t.jobs.health() }

// Stop ends the background and closes the clients.
func (t *checkpointTask) Stop(ctx context.Context) error {
	if t.cancel != nil {
		t.cancel()
	}
	err := stopJobs(ctx, t.jobs, t.source, t.target)
	if t.syncs != nil {
		t.syncs.Close()
	}
	return err
}
