package mirror

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// setting is a setting of a topic.
type setting struct {
	name  string
	value *string
}

// maxTopicsAtOnce bounds requests about settings.
const maxTopicsAtOnce = 500

// describeConfigs returns the settings of topics. Those of a topic that is gone meanwhile are missing.
func describeConfigs(ctx context.Context, cl *kgo.Client, topics []string) (map[string][]TopicConfig, error) {
	all := make(map[string][]TopicConfig, len(topics))
	for batch := range slices.Chunk(topics, maxTopicsAtOnce) {
		req := kmsg.NewPtrDescribeConfigsRequest()
		for _, topic := range batch {
			r := kmsg.NewDescribeConfigsRequestResource()
			r.ResourceType, r.ResourceName = kmsg.ConfigResourceTypeTopic, topic
			req.Resources = append(req.Resources, r)
		}
		resp, err := req.RequestWith(ctx, cl)
		if err != nil {
			return nil, err
		}
		for _, r := range resp.Resources {
			switch err := kerr.ErrorForCode(r.ErrorCode); {
			case err == nil:
			case errors.Is(err, kerr.UnknownTopicOrPartition):
				continue
			default:
				return nil, fmt.Errorf("topic %s: %w", r.ResourceName, withMessage(err, r.ErrorMessage))
			}
			settings := make([]TopicConfig, len(r.Configs))
			for i, c := range r.Configs {
				settings[i] = TopicConfig{c.Name, c.Value, c.Source, c.ReadOnly, c.IsSensitive}
			}
			all[r.ResourceName] = settings
		}
	}
	return all, nil
}

// alterConfigs gives topics of the target the settings that TargetConfigs returned, incrementally. It returns the
// errors of single topics, and one that means that none could be changed.
func alterConfigs(ctx context.Context, cl kmsg.Requestor, settings map[string][]TopicConfig, copiesDefault func(name string) bool) (map[string]error, error) {
	errs := make(map[string]error)
	for batch := range slices.Chunk(slices.Sorted(maps.Keys(settings)), maxTopicsAtOnce) {
		req := kmsg.NewPtrIncrementalAlterConfigsRequest()
		for _, topic := range batch {
			r := kmsg.NewIncrementalAlterConfigsRequestResource()
			r.ResourceType, r.ResourceName = kmsg.ConfigResourceTypeTopic, topic
			for _, s := range settings[topic] {
				c := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
				c.Name, c.Op, c.Value = s.Name, kmsg.IncrementalAlterConfigOpSet, s.Value
				if s.IsDefault() && !copiesDefault(s.Name) {
					c.Op, c.Value = kmsg.IncrementalAlterConfigOpDelete, nil
				}
				r.Configs = append(r.Configs, c)
			}
			req.Resources = append(req.Resources, r)
		}
		resp, err := req.RequestWith(ctx, cl)
		if err != nil {
			return nil, err
		}
		for _, r := range resp.Resources {
			if err := kerr.ErrorForCode(r.ErrorCode); err != nil {
				errs[r.ResourceName] = withMessage(err, r.ErrorMessage)
			}
		}
	}
	return errs, nil
}
