package mirror

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/gokconnect/connect"
	"github.com/twmb/franz-go/pkg/kgo"
)

// The names in stored source offsets: {"cluster":"A","topic":"t","partition":3} has {"offset":77}. They are those of
// the Java connectors, which go on from what is stored here, and the other way round.
const (
	clusterField   = "cluster"
	topicField     = "topic"
	partitionField = "partition"
	offsetField    = "offset"
	groupField     = "group"

	sourceAliasField = "sourceClusterAlias"
	targetAliasField = "targetClusterAlias"
)

// sourcePartition is what stands for a partition of the source cluster among the stored offsets.
func sourcePartition(alias string, tp TopicPartition) connect.Fields {
	return connect.Fields{clusterField: alias, topicField: tp.Topic, partitionField: tp.Partition}
}

// position is the [connect.SourceOffset] of a copied record. Positions of a batch share one allocation, and lead from the
// acknowledgement of a record to its partition.
type position struct {
	part   *partition
	offset int64
}

// Fields returns the offset of the record itself, not of the next one.
func (p *position) Fields() connect.Fields { return connect.Fields{offsetField: p.offset} }

// noOffset is a partition of which nothing was copied yet.
const noOffset = -1

// storedOffset returns the offset of the last record that was copied, or noOffset.
func storedOffset(stored connect.Fields) (int64, error) {
	v, ok := stored[offsetField]
	if !ok || v == nil {
		return noOffset, nil
	}
	n, ok := integer(v)
	if !ok {
		return noOffset, fmt.Errorf("the stored source offset %s has no integer for %q", connect.FormatValue(map[string]any(stored)), offsetField)
	}
	return n, nil
}

// integer returns the value of an integer of any size.
func integer(v any) (int64, bool) {
	switch v := v.(type) {
	case int8:
		return int64(v), true
	case int16:
		return int64(v), true
	case int32:
		return int64(v), true
	case int64:
		return v, true
	case int:
		return int64(v), true
	}
	return 0, false
}

// AlterOffsets accepts offsets of partitions of a source cluster that are not negative.
func (c *sourceConnector) AlterOffsets(_ context.Context, _ connect.Config, offsets []connect.PartitionOffset) error {
	return checkOffsets(offsets, false, clusterField, topicField, partitionField)
}

// checkOffsets checks offsets that an administrator wants to set. A removed offset may be of any partition, so that
// what was set wrongly can be removed. always0 says that the only offset is 0: the connector stores offsets, but never
// looks at them.
func checkOffsets(offsets []connect.PartitionOffset, always0 bool, fields ...string) error {
	var errs []error
	for _, o := range offsets {
		if o.Offset == nil {
			continue
		}
		err := checkPartition(o.Partition, fields)
		if err == nil {
			err = checkOffset(o, always0)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func checkPartition(p connect.Fields, fields []string) error {
	if p == nil {
		return errors.New("Source partition may not be null")
	}
	for _, field := range fields {
		v, ok := p[field]
		if !ok {
			return fmt.Errorf("Source partition %s is missing the '%s' key, which is required", formatFields(p), field)
		}
		wrong := ""
		if field == partitionField {
			n, ok := integer(v)
			switch {
			case !ok, int64(int32(n)) != n:
				wrong = "must be an integer"
			case n < 0:
				wrong = "cannot be negative"
			}
		} else if _, ok := v.(string); !ok {
			wrong = "must be a string"
		}
		if wrong != "" {
			return fmt.Errorf("Source partition %s has an invalid value %s for the '%s' key, which %s", formatFields(p), connect.FormatValue(v), field, wrong)
		}
	}
	return nil
}

func checkOffset(o connect.PartitionOffset, always0 bool) error {
	v, ok := o.Offset[offsetField]
	if !ok {
		return fmt.Errorf("Source offset %s for source partition %s is missing the '%s' key, which is required", formatFields(o.Offset), formatFields(o.Partition), offsetField)
	}
	n, ok := integer(v)
	wrong := ""
	switch {
	case !ok:
		wrong = ", which must be an integer"
	case n < 0:
		wrong = ", which cannot be negative"
	case n > 0 && always0:
		wrong = "; the only accepted value is 0"
	}
	if wrong != "" {
		return fmt.Errorf("Source offset %s for source partition %s has an invalid value %s for the '%s' key%s",
			formatFields(o.Offset), formatFields(o.Partition), connect.FormatValue(v), offsetField, wrong)
	}
	return nil
}

// formatFields returns fields as Java prints a map, in the order of their names.
func formatFields(f connect.Fields) string {
	names := make([]string, 0, len(f))
	for name := range f {
		names = append(names, name)
	}
	slices.Sort(names)
	for i, name := range names {
		names[i] = name + "=" + connect.FormatValue(f[name])
	}
	return "{" + strings.Join(names, ", ") + "}"
}

// SourceOffset returns the offset of the last record that was copied, from what is stored for a partition, or -1 if
// nothing was.
func SourceOffset(stored connect.Fields) (int64, error) { return storedOffset(stored) }

// SourceRecord returns what a record of the source becomes on the target. A task makes many at once, with the same result.
func (c *SourceConfig) SourceRecord(r *kgo.Record) connect.SourceRecord {
	tp := TopicPartition{Topic: r.Topic, Partition: r.Partition}
	p := &partition{TopicPartition: tp, remote: c.RemoteTopic(r.Topic), source: sourcePartition(c.SourceAlias, tp)}
	out := connect.SourceRecord{SourcePartition: p.source, SourceOffset: &position{p, r.Offset}}
	var values boxes
	convertRecord(p, r, &out, &values)
	values.flush()
	return out
}
