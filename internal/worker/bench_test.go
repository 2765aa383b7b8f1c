package worker

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/metrics"
	"github.com/gokconnect/connect/internal/metrics/metricstest"
	"github.com/gokconnect/connect/internal/pipeline"
	"github.com/gokconnect/connect/internal/tolerance"
	"github.com/twmb/franz-go/pkg/kgo"
)

// ackingProducer acknowledges everything at once.
type ackingProducer struct{}

func (ackingProducer) Produce(_ context.Context, r *kgo.Record, promise func(*kgo.Record, error)) {
	promise(r, nil)
}
func (ackingProducer) PurgeTopicsFromProducing(...string) {}

type discardOffsets struct{}

func (discardOffsets) Set(context.Context, string, []connect.PartitionOffset) error { return nil }

type offset int64

func (o *offset) Fields() connect.Fields { return connect.Fields{"position": int64(*o)} }

// benchSource returns the same batch until it has been polled often enough.
type benchSource struct {
	batch []connect.SourceRecord
	left  int
	done  chan struct{}
}

func (s *benchSource) Start(context.Context, connect.SourceTaskContext, connect.Config) error {
	return nil
}
func (s *benchSource) Stop(context.Context) error { return nil }
func (s *benchSource) Poll(ctx context.Context) ([]connect.SourceRecord, error) {
	if s.left <= 0 {
		if s.done != nil {
			close(s.done)
			s.done = nil
		}
		<-ctx.Done()
		return nil, nil
	}
	s.left -= len(s.batch)
	return s.batch, nil
}

func textConverters() pipeline.Converters {
	return pipeline.Converters{Key: connect.StringConverter{}, Value: connect.StringConverter{}, Header: connect.StringConverter{}}
}

// BenchmarkSource measures what the runtime adds to a source record between Poll and the producer: batches of 500
// records of 100 bytes, String converters, no transformation. One operation is one record.
func BenchmarkSource(b *testing.B) {
	benchmarkSource(b, nil, nil, func(s *benchSource) connect.SourceTask { return s })
}

// BenchmarkSourceDeadLetters is BenchmarkSource with errors.tolerance=all and a topic for dead letters, of which there are none.
func BenchmarkSourceDeadLetters(b *testing.B) {
	benchmarkSource(b, nil, newLetters(true), func(s *benchSource) connect.SourceTask { return s })
}

// hearingSource hears of each record that arrived.
type hearingSource struct{ *benchSource }

func (hearingSource) CommitRecord(context.Context, *connect.SourceRecord, *connect.RecordMetadata) error {
	return nil
}

// BenchmarkSourceCommitRecord is BenchmarkSource with a task that hears of each record, as MirrorSourceConnector's do.
func BenchmarkSourceCommitRecord(b *testing.B) {
	benchmarkSource(b, nil, nil, func(s *benchSource) connect.SourceTask { return hearingSource{s} })
}

// BenchmarkSourceMetrics is BenchmarkSource with a meter provider.
func BenchmarkSourceMetrics(b *testing.B) {
	benchmarkSource(b, measured(b).Task(connect.TaskID{Connector: "c"}, connect.KindSource, false), nil, func(s *benchSource) connect.SourceTask { return s })
}

// measured returns metrics that somebody wants.
func measured(b *testing.B) *metrics.Set {
	s, err := metrics.New(new(metricstest.Provider), "", metrics.Windows{})
	if err != nil {
		b.Fatal(err)
	}
	return s
}

func benchmarkSource(b *testing.B, m *metrics.Task, letters *SourceLetters, of func(*benchSource) connect.SourceTask) {
	partition := connect.Fields{"filename": "f"}
	batch := make([]connect.SourceRecord, 500)
	for i := range batch {
		o := offset(i)
		batch[i] = connect.SourceRecord{
			Record:          connect.Record{Topic: "t", ValueSchema: connect.StringSchema, Value: strings.Repeat("x", 100)},
			SourcePartition: partition, SourceOffset: &o,
		}
	}
	task := &benchSource{batch: batch, left: b.N, done: make(chan struct{})}
	done := task.done
	op := tolerance.New(tolerance.Policy{Tolerate: letters != nil})
	b.ReportAllocs()
	b.ResetTimer()
	t := StartSource(SourceOptions{
		TaskOptions:   TaskOptions{ID: connect.TaskID{Connector: "c"}, Grace: time.Second, Status: func(State, error) {}, Metrics: m},
		FlushInterval: time.Minute, FlushTimeout: time.Second,
		New: func(context.Context) (*SourceParts, error) {
			return &SourceParts{Task: of(task), Pipeline: pipeline.NewSource(nil, textConverters(), op), Operator: op,
				Producer: ackingProducer{}, Offsets: discardOffsets{}, Letters: letters, MaxRequest: 1 << 20}, nil
		},
	})
	<-done
	b.StopTimer()
	t.Stop()
	<-t.Done()
}

// nothing is a sink that does nothing.
type nothing struct{}

func (nothing) Start(context.Context, connect.SinkTaskContext, connect.Config) error { return nil }
func (nothing) Put(context.Context, []connect.SinkRecord) error                      { return nil }
func (nothing) Stop(context.Context) error                                           { return nil }

// BenchmarkSink measures what the runtime adds to a sink record between the client and Put: batches of 500 records of
// 100 bytes, String converters, no transformation. One operation is one record.
func BenchmarkSink(b *testing.B) { benchmarkSink(b, nil, nil) }

// BenchmarkSinkMetrics is BenchmarkSink with a meter provider.
func BenchmarkSinkMetrics(b *testing.B) {
	benchmarkSink(b, measured(b).Task(connect.TaskID{Connector: "c"}, connect.KindSink, false), nil)
}

// BenchmarkSinkDeadLetters is BenchmarkSink with errors.tolerance=all and a topic for dead letters, of which there are none.
func BenchmarkSinkDeadLetters(b *testing.B) {
	benchmarkSink(b, nil, &DeadLetters{Topic: "dlq", Producer: ackingProducer{}})
}

func benchmarkSink(b *testing.B, m *metrics.Task, letters *DeadLetters) {
	op := tolerance.New(tolerance.Policy{})
	if letters != nil {
		op = tolerance.New(tolerance.Policy{Tolerate: true}, letters)
	}
	r := newSinkRun(&Task{}, SinkOptions{TaskOptions: TaskOptions{Metrics: m}}, &SinkParts{Task: nothing{}, Pipeline: pipeline.NewSink(nil, textConverters(), op), Operator: op, DeadLetters: letters})
	r.parts[connect.TopicPartition{Topic: "t"}] = &assigned{polled: -1, current: -1, committed: -1, first: -1}
	records := make([]*kgo.Record, 500)
	for i := range records {
		records[i] = &kgo.Record{Topic: "t", Offset: int64(i), Value: []byte(strings.Repeat("x", 100)), Timestamp: time.UnixMilli(1)}
	}
	fetches := kgo.Fetches{{Topics: []kgo.FetchTopic{{Topic: "t", Partitions: []kgo.FetchPartition{{Records: records}}}}}}
	b.ReportAllocs()
	b.ResetTimer()
	for n := 0; n < b.N; n += len(records) {
		if err := r.deliver(context.Background(), fetches, false); err != nil {
			b.Fatal(err)
		}
	}
}
