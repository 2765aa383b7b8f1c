package worker

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/clients"
	"github.com/gokconnect/connect/internal/connconfig"
	"github.com/gokconnect/connect/internal/kafkatest"
	"github.com/gokconnect/connect/internal/pipeline"
	"github.com/gokconnect/connect/internal/tolerance"
	"github.com/gokconnect/connect/offsets"
	"github.com/twmb/franz-go/pkg/kgo"
)

// BenchmarkDelivery sends 100-byte records in batches of 500 to a Kafka in memory over TCP, with each kind of delivery: at
// least once; exactly once with a transaction each second; and with one for each batch. One operation is one record, until it
// is acknowledged, or committed.
func BenchmarkDelivery(b *testing.B) {
	for _, kind := range []struct {
		name     string
		boundary connconfig.Boundary // "" is at least once
	}{{"at-least-once", ""}, {"exactly-once-1s", connconfig.BoundaryInterval}, {"exactly-once-poll", connconfig.BoundaryPoll}} {
		b.Run(kind.name, func(b *testing.B) {
			k := kafkatest.New(b, kafkatest.TCP())
			k.MustCreateTopic("t", 1)
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
			op := tolerance.New(tolerance.Policy{})
			store := offsets.NewKafka(offsets.KafkaConfig{Topic: "offsets", Client: k.ClientOpts(), Partitions: 1, ReplicationFactor: 1, ReadCommitted: true})
			if err := offsets.Start(b.Context(), store); err != nil {
				b.Fatal(err)
			}
			defer store.Close()
			opts := slices.Concat(k.ClientOpts(), []kgo.Opt{kgo.ProducerLinger(0), kgo.RecordPartitioner(clients.Partitioner(kgo.StickyKeyPartitioner(nil))), kgo.MaxBufferedRecords(20_000)})
			b.ReportAllocs()
			b.ResetTimer()
			t := StartSource(SourceOptions{
				TaskOptions:   TaskOptions{ID: connect.TaskID{Connector: "c"}, Grace: time.Minute, Status: func(State, error) {}},
				FlushInterval: time.Second, FlushTimeout: time.Minute,
				New: func(context.Context) (*SourceParts, error) {
					parts := &SourceParts{Task: task, Pipeline: pipeline.NewSource(nil, textConverters(), op), Operator: op}
					if kind.boundary == "" {
						client, err := kgo.NewClient(opts...)
						if err != nil {
							return nil, err
						}
						parts.Producer, parts.Offsets, parts.Release = client, store, client.Close
						return parts, nil
					}
					client, err := kgo.NewClient(append(opts, kgo.TransactionalID("g-c-0"))...)
					if err != nil {
						return nil, err
					}
					parts.Release = client.Close
					parts.ExactlyOnce = &ExactlyOnceParts{Client: client, Offsets: kafkaOffsets{store}, Boundary: kind.boundary, Interval: time.Second}
					return parts, nil
				},
			})
			<-done
			t.Stop()
			<-t.Ended()
			b.StopTimer()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
			if got := k.PartitionInfo("t", 0).LastStableOffset; got < int64(b.N) {
				b.Fatalf("%d of %d records can be read", got, b.N)
			}
		})
	}
}
