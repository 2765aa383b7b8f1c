package mirror

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/gokconnect/connect"
)

// TaskConfigs divides partitions among at most maxTasks tasks, in turn, and returns their configurations.
func (c *SourceConfig) TaskConfigs(partitions []TopicPartition, maxTasks int) []connect.Config {
	var configs []connect.Config
	for i, dealt := range deal(partitions, maxTasks) {
		names := make([]string, len(dealt))
		for j, tp := range dealt {
			names[j] = tp.String()
		}
		configs = append(configs, c.taskConfig(i, taskPartitionsKey, names))
	}
	return configs
}

// TaskConfigs divides groups among at most maxTasks tasks, in pieces, and returns their configurations.
func (c *CheckpointConfig) TaskConfigs(groups []string, maxTasks int) []connect.Config {
	var configs []connect.Config
	for i, piece := range cut(groups, maxTasks) {
		configs = append(configs, c.taskConfig(i, taskGroupsKey, piece))
	}
	return configs
}

// TaskConfigs returns the configuration of the one task, whether or not the flow is enabled; without an interval there is none.
func (c *HeartbeatConfig) TaskConfigs() []connect.Config {
	if c.Interval < 0 {
		return []connect.Config{}
	}
	return []connect.Config{maps.Clone(c.given)}
}

func (c *Config) taskConfig(index int, key string, assigned []string) connect.Config {
	cfg := maps.Clone(c.given)
	cfg[key] = strings.Join(assigned, ",")
	cfg[taskIndexKey] = strconv.Itoa(index)
	return cfg
}

// DecodeTopicPartition reads a partition as [connect.TopicPartition].String writes it.
func DecodeTopicPartition(text string) (TopicPartition, error) {
	i := strings.LastIndexByte(text, '-')
	if i < 0 {
		return TopicPartition{}, connect.ConfigErrorf("", "%q is no partition, such as orders-0", text)
	}
	n, err := strconv.ParseInt(text[i+1:], 10, 32)
	if err != nil {
		return TopicPartition{}, connect.ConfigErrorf("", "%q is no partition, such as orders-0: %q is no number of 32 bits", text, text[i+1:])
	}
	return TopicPartition{Topic: text[:i], Partition: int32(n)}, nil
}

// deal gives partitions to at most n tasks, in turn.
func deal(partitions []TopicPartition, n int) [][]TopicPartition {
	n = min(n, len(partitions))
	dealt := make([][]TopicPartition, n)
	for i, tp := range partitions {
		dealt[i%n] = append(dealt[i%n], tp)
	}
	return dealt
}

// cut gives groups to at most n tasks, in pieces of nearly the same length.
func cut(groups []string, n int) [][]string {
	n = min(n, len(groups))
	var pieces [][]string
	for i := range n {
		size := (len(groups) + n - i - 1) / (n - i)
		pieces = append(pieces, groups[:size])
		groups = groups[size:]
	}
	return slices.Clip(pieces)
}
