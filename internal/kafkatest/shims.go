package kafkatest

import (
	"fmt"
	"strconv"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// answerUnknownGroups makes OffsetFetch of unknown groups answer what brokers answer: no error, offsets of -1.
func (c *Cluster) answerUnknownGroups() {
	c.ControlKey(int16(kmsg.OffsetFetch), func(r kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		req := r.(*kmsg.OffsetFetchRequest)
		resp := req.ResponseKind().(*kmsg.OffsetFetchResponse)
		if len(req.Groups) == 0 {
			if c.GroupInfo(req.Group) != nil {
				return nil, nil, false
			}
			for _, t := range req.Topics {
				rt := kmsg.NewOffsetFetchResponseTopic()
				rt.Topic = t.Topic
				for _, p := range t.Partitions {
					rp := kmsg.NewOffsetFetchResponseTopicPartition()
					rp.Partition, rp.Offset, rp.LeaderEpoch, rp.Metadata = p, -1, -1, kmsg.StringPtr("")
					rt.Partitions = append(rt.Partitions, rp)
				}
				resp.Topics = append(resp.Topics, rt)
			}
			return resp, nil, true
		}
		for _, g := range req.Groups {
			if c.GroupInfo(g.Group) != nil {
				return nil, nil, false
			}
			rg := kmsg.NewOffsetFetchResponseGroup()
			rg.Group = g.Group
			for _, t := range g.Topics {
				rt := kmsg.NewOffsetFetchResponseGroupTopic()
				rt.Topic, rt.TopicID = t.Topic, t.TopicID
				for _, p := range t.Partitions {
					rp := kmsg.NewOffsetFetchResponseGroupTopicPartition()
					rp.Partition, rp.Offset, rp.LeaderEpoch, rp.Metadata = p, -1, -1, kmsg.StringPtr("")
					rt.Partitions = append(rt.Partitions, rp)
				}
				rg.Topics = append(rg.Topics, rt)
			}
			resp.Groups = append(resp.Groups, rg)
		}
		return resp, nil, true
	})
}

// numericTopicConfigs are the settings of a topic that are numbers, with the type as the broker names it.
var numericTopicConfigs = map[string]string{
	"delete.retention.ms": "LONG", "file.delete.delay.ms": "LONG", "flush.messages": "LONG", "flush.ms": "LONG",
	"index.interval.bytes": "INT", "max.compaction.lag.ms": "LONG", "max.message.bytes": "INT",
	"min.cleanable.dirty.ratio": "DOUBLE", "min.compaction.lag.ms": "LONG", "min.insync.replicas": "INT",
	"retention.bytes": "LONG", "retention.ms": "LONG", "segment.bytes": "INT", "segment.index.bytes": "INT",
	"segment.jitter.ms": "LONG", "segment.ms": "LONG",
}

// explainReplication gives the refusal of a replication factor the broker's text.
func (c *Cluster) explainReplication() {
	c.ControlKey(int16(kmsg.CreateTopics), func(r kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		req := r.(*kmsg.CreateTopicsRequest)
		resp := req.ResponseKind().(*kmsg.CreateTopicsResponse)
		for _, t := range req.Topics {
			brokers := len(c.Cluster.ListenAddrs()) // nodes come and go
			if n := int(t.ReplicationFactor); n > brokers && len(req.Topics) == 1 && c.TopicInfo(t.Topic) == nil {
				rt := kmsg.NewCreateTopicsResponseTopic()
				rt.Topic, rt.ErrorCode = t.Topic, kerr.InvalidReplicationFactor.Code
				rt.ErrorMessage = kmsg.StringPtr(fmt.Sprintf("Unable to replicate the partition %d time(s): The target replication factor of %d cannot be reached because only %d broker(s) are registered or some brokers have all their log directories cordoned.", n, n, brokers))
				resp.Topics = append(resp.Topics, rt)
				return resp, nil, true
			}
		}
		return nil, nil, false
	})
}

// refuseBadTopicConfigs makes CreateTopics refuse a number that is none.
func (c *Cluster) refuseBadTopicConfigs() {
	c.ControlKey(int16(kmsg.CreateTopics), func(r kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		req := r.(*kmsg.CreateTopicsRequest)
		refused := map[string]string{}
		for _, t := range req.Topics {
			for _, cfg := range t.Configs {
				kind, ok := numericTopicConfigs[cfg.Name]
				if !ok || cfg.Value == nil {
					continue
				}
				bits := 64
				if kind == "INT" {
					bits = 32
				}
				var err error
				if kind == "DOUBLE" {
					_, err = strconv.ParseFloat(*cfg.Value, 64)
				} else {
					_, err = strconv.ParseInt(*cfg.Value, 10, bits)
				}
				if err != nil {
					refused[t.Topic] = "Invalid value " + *cfg.Value + " for configuration " + cfg.Name + ": Not a number of type " + kind
				}
			}
		}
		if len(refused) == 0 || len(refused) < len(req.Topics) {
			return nil, nil, false
		}
		resp := req.ResponseKind().(*kmsg.CreateTopicsResponse)
		for _, t := range req.Topics {
			rt := kmsg.NewCreateTopicsResponseTopic()
			rt.Topic, rt.ErrorCode, rt.ErrorMessage = t.Topic, kerr.InvalidConfig.Code, kmsg.StringPtr(refused[t.Topic])
			resp.Topics = append(resp.Topics, rt)
		}
		return resp, nil, true
	})
}

// answerLeaderEpochs makes OffsetForLeaderEpoch answer that nothing was cut off: kfake says so of records that were written
// before a leader moved, and clients would read them again.
func (c *Cluster) answerLeaderEpochs() {
	c.ControlKey(int16(kmsg.OffsetForLeaderEpoch), func(r kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		req := r.(*kmsg.OffsetForLeaderEpochRequest)
		resp := req.ResponseKind().(*kmsg.OffsetForLeaderEpochResponse)
		for _, t := range req.Topics {
			rt := kmsg.NewOffsetForLeaderEpochResponseTopic()
			rt.Topic = t.Topic
			for _, p := range t.Partitions {
				info := c.PartitionInfo(t.Topic, p.Partition)
				if info == nil || c.LeaderFor(t.Topic, p.Partition) != c.CurrentNode() {
					return nil, nil, false
				}
				rp := kmsg.NewOffsetForLeaderEpochResponseTopicPartition()
				rp.Partition, rp.LeaderEpoch, rp.EndOffset = p.Partition, p.LeaderEpoch, info.HighWatermark
				rt.Partitions = append(rt.Partitions, rp)
			}
			resp.Topics = append(resp.Topics, rt)
		}
		return resp, nil, true
	})
}
