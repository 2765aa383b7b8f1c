package kafkatest

import (
	"context"
	"encoding/binary"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Batches returns the batches of a partition as they stand in its log.
func (c *Cluster) Batches(topic string, partition int32) [][]byte {
	c.t.Helper()
	info := c.TopicInfo(topic)
	if info == nil {
		c.t.Fatalf("topic %s does not exist", topic)
	}
	cl := c.Client()
	defer cl.Close()
	req := kmsg.NewPtrFetchRequest()
	req.MaxBytes, req.ReplicaID = 1<<30, -1
	rt := kmsg.NewFetchRequestTopic()
	rt.Topic, rt.TopicID = topic, info.TopicID
	rp := kmsg.NewFetchRequestTopicPartition()
	rp.Partition, rp.PartitionMaxBytes, rp.CurrentLeaderEpoch = partition, 1<<30, -1
	rp.FetchOffset = c.PartitionInfo(topic, partition).LogStartOffset
	rt.Partitions = append(rt.Partitions, rp)
	req.Topics = append(req.Topics, rt)
	if _, err := cl.Request(context.Background(), kmsg.NewPtrMetadataRequest()); err != nil { // so that the client knows the broker
		c.t.Fatalf("reading batches of %s: %v", topic, err)
	}
	resp, err := cl.Broker(int(c.LeaderFor(topic, partition))).Request(context.Background(), req)
	if err != nil {
		c.t.Fatalf("reading batches of %s: %v", topic, err)
	}
	fetched := &resp.(*kmsg.FetchResponse).Topics[0].Partitions[0]
	if err := kerr.ErrorForCode(fetched.ErrorCode); err != nil {
		c.t.Fatalf("reading batches of %s: %v", topic, err)
	}
	var batches [][]byte
	for b := fetched.RecordBatches; len(b) > 0; {
		size := 12 + int(binary.BigEndian.Uint32(b[8:]))
		batches = append(batches, b[:size:size])
		b = b[size:]
	}
	return batches
}
