package cluster

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/javahash"
	"github.com/gokconnect/connect/internal/offsetcodec"
	"github.com/gokconnect/connect/internal/rest"
	"github.com/gokconnect/connect/offsets"
)

// apiOffsets is the runtime as the REST API sees its offsets.
type apiOffsets struct{ rt *Runtime }

var _ rest.Offsets = apiOffsets{}

func (a apiOffsets) Offsets(ctx context.Context, name string) ([]rest.PartitionOffset, error) {
	c, err := a.rt.offsetsOwner(ctx, name, 0, false)
	if err != nil {
		return nil, err
	}
	var stored []connect.PartitionOffset
	if c.kind() == connect.KindSource {
		stored, err = a.rt.Offsets(ctx, name)
	} else {
		var committed connect.SinkOffsets
		committed, err = a.rt.sinkOffsets(ctx, c)
		partitions := make([]connect.TopicPartition, 0, len(committed))
		for tp := range committed {
			partitions = append(partitions, tp)
		}
		slices.SortFunc(partitions, func(a, b connect.TopicPartition) int {
			return cmp.Or(strings.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
		})
		javahash.Sort(partitions, javahash.Buckets, func(tp connect.TopicPartition) uint32 { // the order of Java's map
			return 31*(31+uint32(tp.Partition)) + javahash.Text(tp.Topic)
		})
		for _, tp := range partitions {
			stored = append(stored, offsetcodec.SinkPartitionOffset(tp, committed[tp]))
		}
	}
	if err != nil {
		return nil, err
	}
	if c.kind() == connect.KindSource {
		if stored, err = listed(name, stored); err != nil {
			return nil, err
		}
	}
	out := make([]rest.PartitionOffset, 0, len(stored))
	for _, o := range stored {
		var e rest.PartitionOffset
		if e.Partition, err = offsetcodec.Value(o.Partition); err != nil {
			return nil, err
		}
		if e.Offset, err = offsetcodec.Value(o.Offset); err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	return out, nil
}

// listed returns the offsets of a source in the order in which Kafka Connect lists them. Its map of them is filled in the order of
// other maps, by the bytes of their keys in the store.
func listed(connector string, stored []connect.PartitionOffset) ([]connect.PartitionOffset, error) {
	type keyed struct {
		offset connect.PartitionOffset
		key    []byte
		text   string
	}
	all := make([]keyed, len(stored))
	for i, o := range stored {
		key, err := offsetcodec.Key(connector, o.Partition)
		if err != nil {
			return nil, err
		}
		all[i] = keyed{o, key, string(key)}
	}
	slices.SortFunc(all, func(a, b keyed) int { return strings.Compare(a.text, b.text) })
	ofPartition := func(k keyed) uint32 { return javahash.Code(map[string]any(k.offset.Partition)) }
	ofKey := func(k keyed) uint32 { return javahash.Bytes(k.key) }
	javahash.Sort(all, javahash.Buckets, ofPartition) // the connector's partitions
	javahash.Sort(all, len(all), ofKey)               // those of the request
	javahash.Sort(all, javahash.Buckets, ofKey)       // what the store found
	javahash.Sort(all, javahash.CopyBuckets(len(all)), ofKey)
	javahash.Sort(all, len(all), ofPartition)
	sorted := make([]connect.PartitionOffset, len(all))
	for i, k := range all {
		sorted[i] = k.offset
	}
	return sorted, nil
}

func (a apiOffsets) AlterOffsets(ctx context.Context, name string, changes []rest.OffsetChange) (string, error) {
	if err := a.rt.toLeader(ctx); err != nil {
		return "", err
	}
	c, err := a.rt.offsetsOwner(ctx, name, 0, true)
	if err != nil {
		return "", err
	}
	changes = slices.Clone(changes)
	javahash.Sort(changes, javahash.Buckets, func(c rest.OffsetChange) uint32 { // the order in which Java comes upon mistakes
		if c.Partition == nil {
			return 0
		}
		return javahash.Code(c.Partition)
	})
	var asked bool
	if c.kind() == connect.KindSink {
		asked, err = a.alterSink(ctx, c, changes)
	} else {
		asked, err = a.alterSource(ctx, c, changes)
	}
	if err != nil {
		return "", err
	}
	return outcome("altered", asked), nil
}

func (a apiOffsets) alterSource(ctx context.Context, c *offsetsOwner, changes []rest.OffsetChange) (asked bool, err error) {
	entries, err := sourceChanges(changes)
	if err != nil {
		return false, err
	}
	return a.rt.alterOffsets(ctx, c, func(context.Context, offsets.Store) ([]connect.PartitionOffset, error) { return entries, nil })
}

// sourceChanges returns the entries of a request for a source.
func sourceChanges(changes []rest.OffsetChange) ([]connect.PartitionOffset, error) {
	var entries []connect.PartitionOffset
	index := make(map[string]int, len(changes)) // of a partition that is there twice, the last counts
	for _, change := range changes {
		partition, err := stored(change.Partition)
		if err != nil {
			return nil, err
		}
		offset, err := stored(change.Offset)
		if err != nil {
			return nil, err
		}
		key, err := offsetcodec.Canonical(partition)
		if err != nil {
			return nil, err
		}
		if partition == nil {
			key = ""
		}
		e := connect.PartitionOffset{Partition: partition, Offset: offset}
		if i, ok := index[key]; ok {
			entries[i] = e
			continue
		}
		index[key] = len(entries)
		entries = append(entries, e)
	}
	return entries, nil
}

// stored returns a map of a request as it would be read back from the store.
func stored(m map[string]any) (connect.Fields, error) {
	if m == nil {
		return nil, nil
	}
	b, err := offsetcodec.Value(m)
	if err != nil {
		return nil, err
	}
	return offsetcodec.DecodeValue(b)
}

func (a apiOffsets) alterSink(ctx context.Context, c *offsetsOwner, changes []rest.OffsetChange) (asked bool, err error) {
	all, err := sinkChanges(c, changes)
	if err != nil {
		return false, err
	}
	return a.rt.alterSinkOffsets(ctx, c, all)
}

// sinkChanges returns the offsets of a request for a sink.
func sinkChanges(c *offsetsOwner, changes []rest.OffsetChange) (connect.SinkOffsets, error) {
	all := make(connect.SinkOffsets, len(changes))
	for _, change := range changes {
		var partition, offset any
		if change.Partition != nil {
			partition = change.Partition
		}
		if change.Offset != nil {
			offset = change.Offset
		}
		parsed, err := offsetcodec.ParseSinkOffset(partition, offset)
		var request *offsetcodec.RequestError
		switch {
		case errors.As(err, &request):
			return nil, &rest.Error{Status: http.StatusBadRequest, Message: request.Message, Err: err}
		case err != nil:
			return nil, err
		case parsed.Set && parsed.Offset < 0:
			return nil, rest.Errorf(http.StatusInternalServerError, "Failed to modify offsets for sink connector %s", c.name)
		case !parsed.Set:
			parsed.Offset = -1
		}
		all[parsed.Partition] = parsed.Offset
	}
	return all, nil
}

func (a apiOffsets) ResetOffsets(ctx context.Context, name string) (string, error) {
	if err := a.rt.toLeader(ctx); err != nil {
		return "", err
	}
	c, err := a.rt.offsetsOwner(ctx, name, 0, true)
	if err != nil {
		return "", err
	}
	asked, err := a.rt.resetOffsets(ctx, c)
	if err != nil {
		return "", err
	}
	return outcome("reset", asked), nil
}

// outcome is the message of an answer. A connector that was not asked may have offsets elsewhere.
func outcome(verb string, asked bool) string {
	if asked {
		return fmt.Sprintf("The offsets for this connector have been %s successfully", verb)
	}
	return fmt.Sprintf("The Connect framework-managed offsets for this connector have been %s successfully. However, if this connector manages offsets externally, "+
		"they will need to be manually %s in the system that the connector uses.", verb, verb)
}
