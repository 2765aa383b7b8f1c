package connecttest

import (
	"context"
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/gokconnect/connect"
)

// Offsets are the stored source offsets of a connector, in memory. They are read back as a runtime reads them back
// from JSON: every integer is an int64, every float a float64, and []byte is base64 text. It is a
// [connect.OffsetReader], safe for concurrent use. The zero Offsets are empty.
type Offsets struct {
	mu    sync.Mutex
	byKey map[string]int
	list  []connect.PartitionOffset
	err   error
}

// Offset returns the offset of a partition, or nil.
func (o *Offsets) Offset(ctx context.Context, partition connect.Fields) (connect.Fields, error) {
	offsets, err := o.Offsets(ctx, []connect.Fields{partition})
	if err != nil {
		return nil, err
	}
	return offsets[0], nil
}

// Offsets returns the offsets of partitions.
func (o *Offsets) Offsets(ctx context.Context, partitions []connect.Fields) ([]connect.Fields, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err != nil {
		return nil, o.err
	}
	out := make([]connect.Fields, len(partitions))
	for i, p := range partitions {
		p, err := stored(p)
		if err != nil {
			return nil, err
		}
		if at, ok := o.byKey[fieldsKey(p)]; ok {
			out[i] = maps.Clone(o.list[at].Offset)
		}
	}
	return out, nil
}

// Fail makes every further read fail with err, until Fail(nil).
func (o *Offsets) Fail(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.err = err
}

// Set stores an offset; nil removes it. It fails with a *[connect.DataError] if a value is not primitive.
func (o *Offsets) Set(partition, offset connect.Fields) error {
	partition, err := stored(partition)
	if err != nil {
		return err
	}
	if offset, err = stored(offset); err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	key := fieldsKey(partition)
	at, ok := o.byKey[key]
	if !ok {
		if o.byKey == nil {
			o.byKey = make(map[string]int)
		}
		at = len(o.list)
		o.byKey[key] = at
		o.list = append(o.list, connect.PartitionOffset{Partition: partition})
	}
	o.list[at].Offset = offset
	return nil
}

// All returns all partitions that have an offset, in the order in which they were first stored.
func (o *Offsets) All() []connect.PartitionOffset {
	o.mu.Lock()
	defer o.mu.Unlock()
	var all []connect.PartitionOffset
	for _, p := range o.list {
		if p.Offset != nil {
			all = append(all, connect.PartitionOffset{Partition: maps.Clone(p.Partition), Offset: maps.Clone(p.Offset)})
		}
	}
	return all
}

// stored returns fields as they are read back.
func stored(f connect.Fields) (connect.Fields, error) {
	if f == nil {
		return nil, nil
	}
	out := make(connect.Fields, len(f))
	for name, v := range f {
		switch x := v.(type) {
		case nil, bool, string, int64, float64:
			out[name] = x
		case int:
			out[name] = int64(x)
		case int8:
			out[name] = int64(x)
		case int16:
			out[name] = int64(x)
		case int32:
			out[name] = int64(x)
		case float32:
			out[name] = float64(x)
		case []byte:
			out[name] = base64.StdEncoding.EncodeToString(x)
		default:
			return nil, connect.DataErrorf("Offsets may only contain primitive types as values, but field %s contains %T", name, v)
		}
	}
	return out, nil
}

// fieldsKey returns a text that is the same for equal fields only.
func fieldsKey(f connect.Fields) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(f)) {
		fmt.Fprintf(&b, "%q=%T:%#v;", name, f[name], f[name])
	}
	return b.String()
}
