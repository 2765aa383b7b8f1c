package cluster

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/herder"
	"github.com/gokconnect/connect/internal/offsetcodec"
	"github.com/gokconnect/connect/internal/rest"
	"github.com/gokconnect/connect/offsets"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

// Offsets returns the stored offsets of a source connector.
func (rt *Runtime) Offsets(ctx context.Context, name string) ([]connect.PartitionOffset, error) {
	c, err := rt.offsetsOwner(ctx, name, connect.KindSource, false)
	if err != nil {
		return nil, err
	}
	store, release, err := rt.kafka.offsetsOf(ctx, name, c.cfg)
	if err != nil {
		return nil, err
	}
	defer release()
	return store.List(ctx, name)
}

// AlterOffsets sets stored offsets of a source connector that is stopped; a nil offset removes one. The connector may
// refuse. It gets them as it reads them back: integers as int64, floats as float64.
func (rt *Runtime) AlterOffsets(ctx context.Context, name string, entries []connect.PartitionOffset) error {
	c, err := rt.offsetsOwner(ctx, name, connect.KindSource, true)
	if err != nil {
		return err
	}
	all, err := readBackAll(entries)
	if err != nil {
		return err
	}
	_, err = rt.alterOffsets(ctx, c, func(context.Context, offsets.Store) ([]connect.PartitionOffset, error) { return all, nil })
	return err
}

// readBackAll returns offsets as they are once they were stored.
func readBackAll(entries []connect.PartitionOffset) (_ []connect.PartitionOffset, err error) {
	all := make([]connect.PartitionOffset, len(entries))
	for i, e := range entries {
		if all[i].Partition, err = readBack(e.Partition); err == nil {
			all[i].Offset, err = readBack(e.Offset)
		}
		if err != nil {
			return nil, fmt.Errorf("offset of partition %v: %w", e.Partition, err)
		}
	}
	return all, nil
}

// readBack returns fields as they are once they were stored.
func readBack(f connect.Fields) (connect.Fields, error) {
	if f == nil {
		return nil, nil
	}
	b, err := offsetcodec.Value(f)
	if err != nil {
		return nil, err
	}
	return offsetcodec.DecodeValue(b)
}

// ResetOffsets removes all stored offsets of a connector that is stopped: it begins anew. For a sink they are the
// committed offsets of its consumer group.
func (rt *Runtime) ResetOffsets(ctx context.Context, name string) error {
	c, err := rt.offsetsOwner(ctx, name, 0, true)
	if err == nil {
		_, err = rt.resetOffsets(ctx, c)
	}
	return err
}

// SinkOffsets returns the committed offsets of a sink connector's consumer group: the next offset to consume of each
// partition.
func (rt *Runtime) SinkOffsets(ctx context.Context, name string) (connect.SinkOffsets, error) {
	c, err := rt.offsetsOwner(ctx, name, connect.KindSink, false)
	if err != nil {
		return nil, err
	}
	return rt.sinkOffsets(ctx, c)
}

// AlterSinkOffsets sets committed offsets of a sink connector that is stopped; a negative one removes it. The connector may
// refuse.
func (rt *Runtime) AlterSinkOffsets(ctx context.Context, name string, offsets connect.SinkOffsets) error {
	c, err := rt.offsetsOwner(ctx, name, connect.KindSink, true)
	if err == nil {
		_, err = rt.alterSinkOffsets(ctx, c, offsets)
	}
	return err
}

// offsetsOwner is a connector as far as its offsets are concerned.
type offsetsOwner struct {
	name   string
	cfg    connect.Config // resolved
	hidden *secrets
	found
}

// sinkGroup returns the consumer group of a sink.
func (k *kafka) sinkGroup(c *offsetsOwner) string {
	return k.props.Consumer(c.cfg, c.name, "")["group.id"]
}

// offsetsOwner returns a connector, which has to be of a kind (0 is any), and stopped if it is to be changed. It waits for tasks that
// are still stopping.
func (rt *Runtime) offsetsOwner(ctx context.Context, name string, kind connect.Kind, change bool) (*offsetsOwner, error) {
	c := &offsetsOwner{name: name}
	if change { // another instance, or this one just now, may have asked for another state
		if err := rt.refreshed(ctx); err != nil {
			return nil, err
		}
	}
	for {
		var raw connect.Config
		var busy bool
		var changed <-chan struct{}
		err := rt.do(ctx, func() error {
			_, _, changed = rt.status.get(name)
			k := rt.snapshot[name]
			if k == nil {
				return notFound(name)
			}
			if change && (k.Target != herder.Stopped || len(k.Tasks) > 0) {
				return &rest.Error{Status: http.StatusBadRequest, Err: connect.ErrIllegalState, Message: fmt.Sprintf(
					"Connectors must be in the STOPPED state before their offsets can be modified. This can be done for the specified connector by issuing a 'PUT' request to the '/connectors/%s/stop' endpoint", name)}
			}
			raw, busy = plain(k.Config), change && rt.core.Busy(name)
			return nil
		})
		if err != nil {
			return nil, err
		}
		if busy {
			select {
			case <-changed:
				continue
			case <-ctx.Done():
				return nil, context.Cause(ctx)
			}
		}
		if c.cfg, c.hidden, err = rt.resolveEarly(ctx, raw); err != nil {
			return nil, err
		}
		if c.found, err = rt.find(c.cfg); err != nil {
			return nil, err
		}
		if kind != 0 && c.kind() != kind {
			return nil, fmt.Errorf("connector %q is a %v connector, not a %v connector: %w", name, c.kind(), kind, connect.ErrIllegalState)
		}
		return c, nil
	}
}

// alterOffsets stores the offsets that entries returns, if the source agrees. It reports whether the source was asked:
// then it has no offsets of its own elsewhere that nobody knows of.
func (rt *Runtime) alterOffsets(ctx context.Context, c *offsetsOwner, entries func(context.Context, offsets.Store) ([]connect.PartitionOffset, error)) (asked bool, err error) {
	if err := rt.fenceToAlter(ctx, c.name); err != nil {
		return false, err
	}
	store, release, err := rt.kafka.offsetsOf(ctx, c.name, c.cfg)
	if err != nil {
		return false, err
	}
	defer release()
	all, err := entries(ctx, store)
	if err != nil {
		return false, err
	}
	alterer, asked := connect.As[connect.OffsetAlterer](c.source())
	if asked {
		err := guarded("AlterOffsets", func() error { return alterer.AlterOffsets(ctx, c.cfg, all) })
		if asked = !errors.Is(err, errors.ErrUnsupported); asked && err != nil {
			return true, c.hidden.hideIn(err)
		}
	}
	if len(all) == 0 {
		return asked, nil
	}
	if rt.kafka.props.ExactlyOnce() {
		return asked, rt.setInTransaction(ctx, c, store, all)
	}
	return asked, store.Set(ctx, c.name, all)
}

// resetOffsets is alterOffsets, and its like for a sink, for all offsets that there are.
func (rt *Runtime) resetOffsets(ctx context.Context, c *offsetsOwner) (asked bool, err error) {
	if c.kind() == connect.KindSink {
		return rt.resetSinkOffsets(ctx, c)
	}
	return rt.alterOffsets(ctx, c, func(ctx context.Context, store offsets.Store) ([]connect.PartitionOffset, error) {
		all, err := store.List(ctx, c.name)
		for i := range all {
			all[i].Offset = nil
		}
		return all, err
	})
}

func (rt *Runtime) sinkOffsets(ctx context.Context, c *offsetsOwner) (connect.SinkOffsets, error) {
	got, err := rt.kafka.admin.FetchOffsets(ctx, rt.kafka.sinkGroup(c))
	if err != nil && !errors.Is(err, kerr.GroupIDNotFound) {
		return nil, &rest.Error{Status: http.StatusInternalServerError, Message: "Failed to retrieve consumer group offsets for sink connector " + c.name, Err: err}
	}
	out := make(connect.SinkOffsets)
	got.Each(func(o kadm.OffsetResponse) {
		if o.Err == nil && o.At >= 0 {
			out[connect.TopicPartition{Topic: o.Topic, Partition: o.Partition}] = o.At
		}
	})
	return out, nil
}

// askSink asks a sink whether it agrees.
func (c *offsetsOwner) askSink(ctx context.Context, changes connect.SinkOffsets) (asked bool, err error) {
	alterer, asked := connect.As[connect.SinkOffsetAlterer](c.sink())
	if asked {
		err := guarded("AlterSinkOffsets", func() error { return alterer.AlterSinkOffsets(ctx, c.cfg, changes) })
		if asked = !errors.Is(err, errors.ErrUnsupported); asked && err != nil {
			return true, c.hidden.hideIn(err)
		}
	}
	return asked, nil
}

func (rt *Runtime) alterSinkOffsets(ctx context.Context, c *offsetsOwner, changes connect.SinkOffsets) (asked bool, err error) {
	if asked, err = c.askSink(ctx, changes); err != nil {
		return asked, err
	}
	set, remove := make(kadm.Offsets), make(kadm.TopicsSet)
	for tp, at := range changes {
		if at < 0 {
			remove.Add(tp.Topic, tp.Partition)
		} else {
			set.AddOffset(tp.Topic, tp.Partition, at, -1)
		}
	}
	if err := rt.checkPartitions(ctx, changes); err != nil {
		return asked, alterSinkFailed(c.name, err)
	}
	if len(set) > 0 {
		if err := rt.kafka.admin.CommitAllOffsets(ctx, rt.kafka.sinkGroup(c), set); err != nil {
			return asked, alterSinkFailed(c.name, err)
		}
	}
	if len(remove) > 0 {
		resp, err := rt.kafka.admin.DeleteOffsets(ctx, rt.kafka.sinkGroup(c), remove)
		if err == nil {
			err = resp.Error()
		}
		if err != nil {
			return asked, alterSinkFailed(c.name, err)
		}
	}
	return asked, nil
}

// checkPartitions returns an error if one of the partitions that are to get an offset does not exist.
func (rt *Runtime) checkPartitions(ctx context.Context, offsets connect.SinkOffsets) error {
	var topics []string
	for tp, at := range offsets {
		if at >= 0 && !slices.Contains(topics, tp.Topic) {
			topics = append(topics, tp.Topic)
		}
	}
	if len(topics) == 0 {
		return nil
	}
	known, err := rt.kafka.admin.ListTopics(ctx, topics...)
	if err != nil {
		return err
	}
	for tp, at := range offsets {
		if at >= 0 && (!known.Has(tp.Topic) || known[tp.Topic].Partitions[tp.Partition].Topic == "") {
			return fmt.Errorf("%v: %w", tp, kerr.UnknownTopicOrPartition)
		}
	}
	return nil
}

func alterSinkFailed(name string, err error) error {
	message := "Failed to alter consumer group offsets for connector " + name
	if errors.Is(err, kerr.UnknownMemberID) || errors.Is(err, kerr.GroupSubscribedToTopic) {
		message += " either because its tasks haven't stopped completely yet" + zombieTasks("alter")
	}
	return fmt.Errorf("%w: %w", &rest.Error{Status: http.StatusInternalServerError, Message: message}, err)
}

func zombieTasks(verb string) string {
	return fmt.Sprintf(" or the connector was resumed before the request to %s its offsets could be successfully completed. "+
		"If the connector is in a stopped state, this operation can be safely retried. If it doesn't eventually succeed, the Connect cluster may need to be restarted to get rid of the zombie sink tasks.", verb)
}

func (rt *Runtime) resetSinkOffsets(ctx context.Context, c *offsetsOwner) (asked bool, err error) {
	all, err := rt.sinkOffsets(ctx, c)
	if err != nil {
		return false, &rest.Error{Status: http.StatusInternalServerError, Message: "Failed to list offsets prior to resetting offsets for sink connector " + c.name, Err: err}
	}
	for tp := range all {
		all[tp] = -1
	}
	if asked, err = c.askSink(ctx, all); err != nil {
		return asked, err
	}
	_, err = rt.kafka.admin.DeleteGroup(ctx, rt.kafka.sinkGroup(c))
	if err == nil || errors.Is(err, kerr.GroupIDNotFound) {
		return asked, nil
	}
	message := "Failed to reset consumer group offsets for sink connector " + c.name
	if errors.Is(err, kerr.NonEmptyGroup) {
		message = "Failed to reset consumer group offsets for connector " + c.name + " either because its tasks haven't stopped completely yet" + zombieTasks("reset")
	}
	return asked, &rest.Error{Status: http.StatusInternalServerError, Message: message, Err: err}
}
