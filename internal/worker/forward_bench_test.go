package worker

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/kafkatest"
	"github.com/gokconnect/connect/internal/pipeline"
	"github.com/gokconnect/connect/internal/rawproduce"
	"github.com/gokconnect/connect/internal/tolerance"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

// ackingBatches acknowledges everything at once.
type ackingBatches struct {
	done func(*rawproduce.Batch, error)
}

func (a ackingBatches) Send(b *rawproduce.Batch) { a.done(b, nil) }
func (ackingBatches) Latency() time.Duration     { return 0 }
func (ackingBatches) Close()                     {}

// BenchmarkSourceBatches measures what the runtime adds to a batch of 500 records of 100 bytes that passes as it is; two of the
// allocations are the source's. One operation is one batch.
func BenchmarkSourceBatches(b *testing.B) {
	benchmarkBatches(b, func(_ context.Context, done func(*rawproduce.Batch, error)) BatchProducer { return ackingBatches{done} })
}

// BenchmarkSourceBatchesSent is BenchmarkSourceBatches to a Kafka in memory that throws away what it gets.
func BenchmarkSourceBatchesSent(b *testing.B) {
	k := kafkatest.New(b, kafkatest.TCP(), kafkatest.Kfake(kfake.BlackholeProduce()))
	k.MustCreateTopic("t", 4)
	client := k.Client()
	benchmarkBatches(b, func(ctx context.Context, done func(*rawproduce.Batch, error)) BatchProducer {
		return rawproduce.New(ctx, rawproduce.Config{Client: client, Done: done})
	})
}

func benchmarkBatches(b *testing.B, of func(context.Context, func(*rawproduce.Batch, error)) BatchProducer) {
	k := kafkatest.New(b)
	k.MustCreateTopic("source", 1)
	var recs []*kgo.Record
	for i := range 500 {
		recs = append(recs, &kgo.Record{Topic: "source", Value: []byte(fmt.Sprint(i, strings.Repeat("x", 97)))})
	}
	client := k.Client(kgo.ProducerLinger(time.Second), kgo.ProducerBatchCompression(kgo.NoCompression()))
	if err := client.ProduceSync(context.Background(), recs...).FirstErr(); err != nil {
		b.Fatal(err)
	}
	source := &batchSource{bytes: k.Batches("source", 0)[0], left: b.N, done: make(chan struct{})}
	done, op, forward := source.done, tolerance.New(tolerance.Policy{}), &Forwarding{New: of}
	source.forward = forward
	b.SetBytes(int64(len(source.bytes)))
	b.ReportAllocs()
	b.ResetTimer()
	t := StartSource(SourceOptions{
		TaskOptions:   TaskOptions{ID: connect.TaskID{Connector: "c"}, Grace: time.Second, Status: func(State, error) {}},
		FlushInterval: time.Minute, FlushTimeout: time.Second,
		New: func(context.Context) (*SourceParts, error) {
			return &SourceParts{Task: source, Pipeline: pipeline.NewSource(nil, textConverters(), op), Operator: op, Forward: forward, Producer: ackingProducer{}, Offsets: discardOffsets{}}, nil
		},
	})
	<-done
	b.StopTimer()
	t.Stop()
	<-t.Done()
	b.ReportMetric(float64(b.N)*500/b.Elapsed().Seconds(), "records/s")
}

// batchSource returns copies of a batch, for four partitions in turn, until it has been polled often enough.
type batchSource struct {
	bytes   []byte
	forward *Forwarding
	batch   [16]connect.SourceRecord
	parts   [4]connect.Fields
	offset  offset
	left    int
	done    chan struct{}
}

func (s *batchSource) Start(context.Context, connect.SourceTaskContext, connect.Config) error {
	for i := range s.parts {
		s.parts[i] = connect.Fields{"partition": int64(i)}
	}
	return nil
}

func (s *batchSource) Stop(context.Context) error { return nil }

func (s *batchSource) Poll(ctx context.Context) ([]connect.SourceRecord, error) {
	s.forward.ForwardsBatches(true)
	if s.left <= 0 {
		if s.done != nil {
			close(s.done)
			s.done = nil
		}
		<-ctx.Done()
		return nil, nil
	}
	s.left -= len(s.batch)
	for i := range s.batch {
		s.batch[i] = connect.SourceRecord{Record: connect.Record{Topic: "t", Partition: connect.ToPartition(int32(i % 4)), Value: connect.RecordBatch{Bytes: slices.Clone(s.bytes), Records: 500}},
			SourcePartition: s.parts[i%4], SourceOffset: &s.offset}
	}
	return s.batch[:], nil
}
