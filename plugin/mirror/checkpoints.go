package mirror

// GroupOffset is a committed offset of a consumer group.
type GroupOffset struct {
	Offset   int64
	Metadata string
}

// Checkpoints makes the checkpoints of consumer groups, and remembers the last of each, so that none goes back without
// need. It is not safe for concurrent use.
type Checkpoints struct {
	cfg   *CheckpointConfig
	syncs *OffsetSyncStore
	last  map[string]map[TopicPartition]Checkpoint // by group and partition of the target
}

// NewCheckpoints returns an empty set that translates by the offset syncs.
func NewCheckpoints(cfg *CheckpointConfig, syncs *OffsetSyncStore) *Checkpoints {
	return &Checkpoints{cfg: cfg, syncs: syncs, last: make(map[string]map[TopicPartition]Checkpoint)}
}

// Restore takes note of a checkpoint that was written before.
func (c *Checkpoints) Restore(checkpoint Checkpoint) {
	of := c.last[checkpoint.Group]
	if of == nil {
		of = make(map[TopicPartition]Checkpoint)
		c.last[checkpoint.Group] = of
	}
	of[checkpoint.TopicPartition] = checkpoint
}

// Make returns the checkpoint for what a group committed on the source, if there is something new to say: it can be
// translated, and either the group went back, or its offset on the target goes on.
func (c *Checkpoints) Make(group string, tp TopicPartition, committed GroupOffset) (Checkpoint, bool) {
	downstream, ok := c.syncs.Translate(tp, committed.Offset)
	if !ok || downstream < 0 {
		return Checkpoint{}, false
	}
	checkpoint := Checkpoint{
		Group: group, TopicPartition: TopicPartition{Topic: c.cfg.TargetTopic(tp.Topic), Partition: tp.Partition},
		Upstream: committed.Offset, Downstream: downstream, Metadata: committed.Metadata,
	}
	if last, ok := c.last[group][checkpoint.TopicPartition]; ok && checkpoint.Upstream >= last.Upstream && checkpoint.Downstream <= last.Downstream {
		return Checkpoint{}, false
	}
	c.Restore(checkpoint)
	return checkpoint, true
}

// GroupOffsets returns what is known of a group on the target.
func (c *Checkpoints) GroupOffsets(group string) map[TopicPartition]GroupOffset {
	offsets := make(map[TopicPartition]GroupOffset, len(c.last[group]))
	for tp, checkpoint := range c.last[group] {
		offsets[tp] = GroupOffset{checkpoint.Downstream, checkpoint.Metadata}
	}
	return offsets
}

// Groups returns the groups that something is known of.
func (c *Checkpoints) Groups() []string {
	groups := make([]string, 0, len(c.last))
	for group := range c.last {
		groups = append(groups, group)
	}
	return groups
}

// OffsetsToSync returns what to commit on the target for a group: what moves it forward. target is what it has
// committed there; nil says that there is no such group, or that it may be in use, when everything is tried and the
// broker decides.
func OffsetsToSync(converted map[TopicPartition]GroupOffset, target map[TopicPartition]int64) map[TopicPartition]GroupOffset {
	if target == nil {
		return converted
	}
	ahead := make(map[TopicPartition]GroupOffset)
	for tp, offset := range converted {
		if there, ok := target[tp]; !ok || there < 0 || there < offset.Offset {
			ahead[tp] = offset
		}
	}
	return ahead
}
