//go:build real

package real

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/cluster"
	"github.com/gokconnect/connect/test/kafka"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// batchCopier copies the batches of a topic to another as they stand in its log.
type batchCopier struct {
	client   *kgo.Client
	from, to string
	last     *atomic.Int64 // the offset of the last record that was acknowledged, in the target
}

func (*batchCopier) Start(context.Context, connect.ConnectorContext, connect.Config) error {
	return nil
}
func (*batchCopier) Stop(context.Context) error { return nil }
func (*batchCopier) TaskConfigs(context.Context, int) ([]connect.Config, error) {
	return []connect.Config{{}}, nil
}
func (c *batchCopier) NewTask() connect.SourceTask { return &batchTask{batchCopier: c} }

type batchTask struct {
	*batchCopier
	forwarder connect.BatchForwarder
	next      int64
}

func (t *batchTask) Start(_ context.Context, tc connect.SourceTaskContext, _ connect.Config) error {
	t.forwarder, _ = connect.As[connect.BatchForwarder](tc)
	return nil
}

func (t *batchTask) Stop(context.Context) error { return nil }

func (t *batchTask) Poll(ctx context.Context) ([]connect.SourceRecord, error) {
	if !t.forwarder.ForwardsBatches(true) {
		return nil, connect.ErrIllegalState
	}
	batches, err := fetchBatches(ctx, t.client, t.from, 0, t.next)
	if err != nil {
		return nil, connect.Retriable(err)
	}
	var out []connect.SourceRecord
	for _, b := range batches {
		t.next = int64(binary.BigEndian.Uint64(b)) + int64(binary.BigEndian.Uint32(b[23:])) + 1
		if b[22]&0x20 != 0 {
			continue // the end of a transaction
		}
		out = append(out, connect.SourceRecord{
			Record:          connect.Record{Topic: t.to, Partition: connect.ToPartition(0), Value: connect.RecordBatch{Bytes: b, Records: int(binary.BigEndian.Uint32(b[57:]))}},
			SourcePartition: connect.Fields{"topic": t.from}, SourceOffset: connect.Fields{"offset": t.next},
		})
	}
	return out, nil
}

func (t *batchTask) CommitRecord(_ context.Context, _ *connect.SourceRecord, m *connect.RecordMetadata) error {
	t.last.Store(m.Offset)
	return nil
}

// fetchBatches returns whole batches of a topic's partition 0.
func fetchBatches(ctx context.Context, cl *kgo.Client, topic string, partition int32, offset int64) ([][]byte, error) {
	meta := kmsg.NewPtrMetadataRequest()
	rt := kmsg.NewMetadataRequestTopic()
	rt.Topic = kmsg.StringPtr(topic)
	meta.Topics = append(meta.Topics, rt)
	known, err := meta.RequestWith(ctx, cl)
	if err != nil {
		return nil, err
	}
	if err := kerr.ErrorForCode(known.Topics[0].ErrorCode); err != nil {
		return nil, err
	}
	req := kmsg.NewPtrFetchRequest()
	req.ReplicaID, req.MaxBytes, req.MaxWaitMillis, req.MinBytes = -1, 1<<20, 500, 1
	ft := kmsg.NewFetchRequestTopic()
	ft.Topic, ft.TopicID = topic, known.Topics[0].TopicID
	fp := kmsg.NewFetchRequestTopicPartition()
	fp.Partition = partition
	fp.FetchOffset, fp.PartitionMaxBytes, fp.CurrentLeaderEpoch = offset, 256<<10, -1
	ft.Partitions = append(ft.Partitions, fp)
	req.Topics = append(req.Topics, ft)
	at := slices.IndexFunc(known.Topics[0].Partitions, func(p kmsg.MetadataResponseTopicPartition) bool { return p.Partition == partition })
	if at < 0 {
		return nil, kerr.UnknownTopicOrPartition
	}
	resp, err := cl.Broker(int(known.Topics[0].Partitions[at].Leader)).Request(ctx, req)
	if err != nil {
		return nil, err
	}
	fetched := resp.(*kmsg.FetchResponse)
	if len(fetched.Topics) == 0 {
		return nil, kerr.ErrorForCode(fetched.ErrorCode)
	}
	got := &fetched.Topics[0].Partitions[0]
	if err := kerr.ErrorForCode(got.ErrorCode); err != nil {
		return nil, err
	}
	var batches [][]byte
	for b := got.RecordBatches; len(b) > 12; {
		size := 12 + int(binary.BigEndian.Uint32(b[8:]))
		if size > len(b) {
			break // the rest comes with the next
		}
		batches = append(batches, b[:size:size])
		b = b[size:]
	}
	return batches, nil
}

// Batches pass as they are, however the topic is that they come from; and arrive once, though the broker restarts.
func TestBatches(t *testing.T) {
	const size, perTopic = 100, 20_000
	c := startCluster(t, 1)
	cl := client(t, c)
	adm := kadm.NewClient(cl)
	var sources []cluster.Declaration
	topics := []string{"compressed", "transactional", "times", "small"}
	last := make([]atomic.Int64, len(topics))
	bytesConverter := "org.apache.kafka.connect.converters.ByteArrayConverter"
	for i, name := range topics {
		configs, target := map[string]*string{}, map[string]*string{}
		opts := []kgo.Opt{kgo.DefaultProduceTopic(name), kgo.ProducerBatchCompression(kgo.ZstdCompression()), kgo.ProducerLinger(20 * time.Millisecond)}
		switch name {
		case "transactional":
			opts = append(opts, kgo.TransactionalID(name))
		case "times":
			configs["message.timestamp.type"] = kmsg.StringPtr("LogAppendTime")
		case "small":
			target["max.message.bytes"] = kmsg.StringPtr("500")
		}
		for topic, configs := range map[string]map[string]*string{name: configs, "to-" + name: target} {
			if _, err := adm.CreateTopic(t.Context(), 1, 1, configs, topic); err != nil {
				t.Fatal(err)
			}
		}
		producer := client(t, c, opts...)
		for n := 0; n < perTopic; n += size {
			if name == "transactional" {
				if err := producer.BeginTransaction(); err != nil {
					t.Fatal(err)
				}
			}
			var recs []*kgo.Record
			for k := n; k < n+size; k++ {
				recs = append(recs, &kgo.Record{Value: fmt.Appendf(nil, "%d %x", k, k*k)})
			}
			if err := producer.ProduceSync(t.Context(), recs...).FirstErr(); err != nil {
				t.Fatal(err)
			}
			if name == "transactional" {
				if err := producer.EndTransaction(t.Context(), kgo.TryCommit); err != nil {
					t.Fatal(err)
				}
			}
		}
		sources = append(sources, cluster.Source{
			Name: name, Connector: &batchCopier{client: client(t, c), from: name, to: "to-" + name, last: &last[i]},
			Config: connect.Config{"key.converter": bytesConverter, "value.converter": bytesConverter, "header.converter": bytesConverter},
		})
	}
	rt, err := cluster.New(cluster.Config{Brokers: c.Addrs(), GroupID: "batches", Coordinator: cluster.Standalone(), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if err := rt.Add(sources...); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- rt.Run(ctx) }()
	await(t, "the first batches", func() bool { return last[0].Load() > 0 })
	t.Logf("stopping the broker at %d", last[0].Load())
	if err := c.Brokers[0].Stop(); err != nil {
		t.Fatal(err)
	}
	if err := c.Brokers[0].Start(); err != nil {
		t.Fatal(err)
	}
	for i, name := range topics {
		await(t, "the last of "+name, func() bool { return last[i].Load() == perTopic-1 })
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	for _, name := range topics {
		wrote := allBatches(t, cl, "to-"+name, 0)
		next, compressed := 0, 0
		for _, b := range wrote {
			if b[22]&7 != 0 {
				compressed++
			}
			part := kmsg.NewFetchResponseTopicPartition()
			part.RecordBatches = b
			read, _ := kgo.ProcessFetchPartition(kgo.ProcessFetchPartitionOpts{}, &part, kgo.DefaultDecompressor(), nil)
			for _, r := range read.Records {
				if want := fmt.Sprintf("%d %x", next, next*next); string(r.Value) != want {
					t.Fatalf("%s: %q in place of %q", name, r.Value, want)
				}
				next++
			}
		}
		if next != perTopic {
			t.Errorf("%s: %d records", name, next)
		}
		t.Logf("%s: %d batches, %d compressed", name, len(wrote), compressed)
		switch name {
		case "times", "small":
			if compressed > 0 {
				t.Errorf("%s: %d batches passed that may not", name, compressed)
			}
		case "compressed", "transactional":
			var came [][]byte
			for _, b := range allBatches(t, cl, name, 0) {
				if b[22]&0x20 == 0 {
					came = append(came, b)
				}
			}
			if len(came) != len(wrote) {
				t.Fatalf("%s: %d batches became %d", name, len(came), len(wrote))
			}
			for i := range came {
				if !bytes.Equal(came[i][61:], wrote[i][61:]) || wrote[i][22]&0x10 != 0 {
					t.Fatalf("%s: batch %d is another", name, i)
				}
			}
		}
	}
}

// allBatches returns all batches of a partition.
func allBatches(t *testing.T, cl *kgo.Client, topic string, partition int32) (all [][]byte) {
	t.Helper()
	var next int64
	err := kafka.Poll(testContext(t), func() bool {
		more, err := fetchBatches(t.Context(), cl, topic, partition, next)
		if err != nil {
			return false
		}
		for _, b := range more {
			next = int64(binary.BigEndian.Uint64(b)) + int64(binary.BigEndian.Uint32(b[23:])) + 1
		}
		all = append(all, more...)
		return len(more) == 0
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
