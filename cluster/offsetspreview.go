package cluster

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sort"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/offsetcodec"
	"github.com/gokconnect/connect/internal/rest"
)

// OffsetChange says what would become of the stored offset of one source partition.
type OffsetChange struct {
	Partition connect.Fields
	// From is the offset that is stored, To the one that would be; nil is none.
	From, To connect.Fields
}

// SinkOffsetChange says what would become of the committed offset of one Kafka partition.
type SinkOffsetChange struct {
	Partition connect.TopicPartition
	// From is the offset that is committed, To the one that would be; -1 is none.
	From, To int64
}

// PreviewOffsets returns what [Runtime.AlterOffsets] with these entries would do, or, without any, what
// [Runtime.ResetOffsets] would, and does nothing. What would be refused is refused, also because the connector is not stopped;
// but the connector itself is not asked, since it may act on the question. Any instance can tell.
func (rt *Runtime) PreviewOffsets(ctx context.Context, name string, entries ...connect.PartitionOffset) ([]OffsetChange, error) {
	c, err := rt.offsetsOwner(ctx, name, connect.KindSource, true)
	if err != nil {
		return nil, err
	}
	if entries, err = readBackAll(entries); err != nil {
		return nil, err
	}
	return rt.previewOffsets(ctx, c, entries)
}

func (rt *Runtime) previewOffsets(ctx context.Context, c *offsetsOwner, entries []connect.PartitionOffset) ([]OffsetChange, error) {
	store, release, err := rt.kafka.offsetsOf(ctx, c.name, c.cfg)
	if err != nil {
		return nil, err
	}
	defer release()
	all, err := store.List(ctx, c.name)
	if err != nil {
		return nil, err
	}
	reset := len(entries) == 0
	before := make(map[string]connect.Fields, len(all))
	for _, o := range all {
		key, err := offsetcodec.Canonical(o.Partition)
		if err != nil {
			return nil, err
		}
		before[key] = o.Offset
		if reset {
			entries = append(entries, connect.PartitionOffset{Partition: o.Partition})
		}
	}
	changes := make([]OffsetChange, 0, len(entries))
	for _, e := range entries {
		key, err := offsetcodec.Canonical(e.Partition)
		if err != nil {
			return nil, fmt.Errorf("partition %v: %w", e.Partition, err)
		}
		changes = append(changes, OffsetChange{Partition: e.Partition, From: before[key], To: e.Offset})
	}
	return changes, nil
}

// PreviewSinkOffsets returns what [Runtime.AlterSinkOffsets] with these offsets would do, or, with none, what
// [Runtime.ResetOffsets] would, sorted by partition, and does nothing. What would be refused is refused, as far as it can be
// known before: the connector itself is not asked. Any instance can tell.
func (rt *Runtime) PreviewSinkOffsets(ctx context.Context, name string, offsets connect.SinkOffsets) ([]SinkOffsetChange, error) {
	c, err := rt.offsetsOwner(ctx, name, connect.KindSink, true)
	if err != nil {
		return nil, err
	}
	return rt.previewSinkOffsets(ctx, c, offsets)
}

func (rt *Runtime) previewSinkOffsets(ctx context.Context, c *offsetsOwner, offsets connect.SinkOffsets) ([]SinkOffsetChange, error) {
	committed, err := rt.sinkOffsets(ctx, c)
	if err != nil {
		return nil, err
	}
	if len(offsets) == 0 {
		offsets = make(connect.SinkOffsets, len(committed))
		for tp := range committed {
			offsets[tp] = -1
		}
	}
	if err := rt.checkPartitions(ctx, offsets); err != nil {
		return nil, alterSinkFailed(c.name, err)
	}
	changes := make([]SinkOffsetChange, 0, len(offsets))
	partitions := slices.Collect(maps.Keys(offsets))
	sort.Slice(partitions, func(i, j int) bool {
		a, b := partitions[i], partitions[j]
		return a.Topic < b.Topic || a.Topic == b.Topic && a.Partition < b.Partition
	})
	for _, tp := range partitions {
		from, ok := committed[tp]
		if !ok {
			from = -1
		}
		changes = append(changes, SinkOffsetChange{Partition: tp, From: from, To: max(offsets[tp], -1)})
	}
	return changes, nil
}

// PreviewOffsets implements [rest.Offsets]. It never goes to the leader: a worker in Java would take it for the change itself.
func (a apiOffsets) PreviewOffsets(ctx context.Context, name string, requested []rest.OffsetChange) ([]rest.OffsetPreview, error) {
	c, err := a.rt.offsetsOwner(ctx, name, 0, true)
	if err != nil {
		return nil, err
	}
	var changes []OffsetChange
	if c.kind() == connect.KindSink {
		offsets, err := sinkChanges(c, requested)
		if err != nil {
			return nil, err
		}
		sink, err := a.rt.previewSinkOffsets(ctx, c, offsets)
		if err != nil {
			return nil, err
		}
		for _, s := range sink {
			from, to := offsetcodec.SinkPartitionOffset(s.Partition, s.From), offsetcodec.SinkPartitionOffset(s.Partition, s.To)
			change := OffsetChange{Partition: from.Partition}
			if s.From >= 0 {
				change.From = from.Offset
			}
			if s.To >= 0 {
				change.To = to.Offset
			}
			changes = append(changes, change)
		}
	} else {
		entries, err := sourceChanges(requested)
		if err != nil {
			return nil, err
		}
		if changes, err = a.rt.previewOffsets(ctx, c, entries); err != nil {
			return nil, err
		}
	}
	out := make([]rest.OffsetPreview, len(changes))
	for i, change := range changes {
		for to, fields := range map[*[]byte]connect.Fields{
			(*[]byte)(&out[i].Partition): change.Partition, (*[]byte)(&out[i].From): change.From, (*[]byte)(&out[i].To): change.To,
		} {
			if *to, err = offsetcodec.Value(fields); err != nil {
				return nil, err
			}
			if *to == nil {
				*to = []byte("null")
			}
		}
	}
	sort.Slice(out, func(i, j int) bool { return string(out[i].Partition) < string(out[j].Partition) })
	return out, nil
}
