package mirror

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// findGroups returns the groups of the source that the filter selects and that have committed offsets of a topic which
// the filter selects, in order.
func findGroups(ctx context.Context, cl *kgo.Client, cfg *CheckpointConfig) ([]string, error) {
	adm := kadm.NewClient(cl)
	listed, err := adm.ListGroups(ctx)
	if err != nil {
		return nil, err
	}
	var groups []string
	for name, g := range listed {
		// Without a protocol it is a group whose offsets were set by hand.
		if (g.ProtocolType == "consumer" || g.ProtocolType == "") && cfg.Groups.ShouldReplicateGroup(name) {
			groups = append(groups, name)
		}
	}
	all, err := fetchOffsets(ctx, cl, groups)
	if err != nil {
		return nil, err
	}
	groups = slices.DeleteFunc(groups, func(group string) bool {
		for tp := range all[group] {
			if cfg.Topics.ShouldReplicateTopic(tp.Topic) {
				return false
			}
		}
		return true
	})
	slices.Sort(groups)
	return groups, nil
}

// fetchOffsets returns what groups have committed.
func fetchOffsets(ctx context.Context, cl *kgo.Client, groups []string) (map[string]map[TopicPartition]GroupOffset, error) {
	all := make(map[string]map[TopicPartition]GroupOffset, len(groups))
	if len(groups) == 0 {
		return all, nil
	}
	for name, r := range kadm.NewClient(cl).FetchManyOffsets(ctx, groups...) {
		if errors.Is(r.Err, kerr.GroupIDNotFound) {
			continue
		}
		if r.Err != nil {
			return nil, fmt.Errorf("committed offsets of group %s: %w", name, r.Err)
		}
		of := make(map[TopicPartition]GroupOffset)
		var err error
		r.Fetched.Each(func(o kadm.OffsetResponse) {
			switch {
			case o.Err != nil:
				err = fmt.Errorf("committed offsets of group %s, partition %s-%d: %w", name, o.Topic, o.Partition, o.Err)
			case o.At >= 0:
				of[TopicPartition{Topic: o.Topic, Partition: o.Partition}] = GroupOffset{o.At, o.Metadata}
			}
		})
		if err != nil {
			return nil, err
		}
		all[name] = of
	}
	return all, nil
}

// groupUse is what a group of the target is to those who want to set its offsets.
type groupUse int8

const (
	groupUnknown groupUse = iota // it could not be looked at
	groupAbsent                  // nobody has used it, or it has ended
	groupIdle                    // it has offsets, and nobody uses it
	groupInUse
)

// describeUse returns what groups are.
func describeUse(ctx context.Context, cl *kgo.Client, groups []string) (map[string]groupUse, error) {
	use := make(map[string]groupUse, len(groups))
	if len(groups) == 0 {
		return use, nil
	}
	adm := kadm.NewClient(cl)
	described, err := adm.DescribeGroups(ctx, groups...)
	if err != nil {
		return nil, err
	}
	var absent []string
	for name, g := range described {
		var problem error
		if use[name], problem = useOf(g.State, g.Err); problem != nil {
			err = fmt.Errorf("group %s: %w", name, problem)
		}
		if use[name] == groupAbsent {
			absent = append(absent, name)
		}
	}
	if len(absent) == 0 {
		return use, err
	}
	// Groups of the newer protocol are described by a request of their own, which older brokers don't know.
	newer, nerr := adm.DescribeConsumerGroups(ctx, absent...)
	if nerr != nil {
		return use, err
	}
	for name, g := range newer {
		switch u, problem := useOf(g.State, g.Err); {
		case errors.Is(problem, kerr.UnsupportedVersion):
		case problem != nil:
			use[name], err = u, fmt.Errorf("group %s: %w", name, problem)
		default:
			use[name] = u
		}
	}
	return use, err
}

func useOf(state string, err error) (groupUse, error) {
	switch {
	case errors.Is(err, kerr.GroupIDNotFound):
		return groupAbsent, nil
	case err != nil:
		return groupUnknown, err
	case state == "Dead", state == "":
		return groupAbsent, nil
	case state == "Empty":
		return groupIdle, nil
	}
	return groupInUse, nil
}

// commitOffsets sets offsets of a group that nobody uses. The broker refuses it if somebody does.
func commitOffsets(ctx context.Context, cl *kgo.Client, group string, offsets map[TopicPartition]GroupOffset) error {
	var os kadm.Offsets
	for tp, o := range offsets {
		os.Add(kadm.Offset{Topic: tp.Topic, Partition: tp.Partition, At: o.Offset, LeaderEpoch: -1, Metadata: o.Metadata})
	}
	committed, err := kadm.NewClient(cl).CommitOffsets(ctx, group, os)
	if err == nil {
		err = committed.Error()
	}
	return err
}
