package mirror

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/gokconnect/connect"
)

// flowMetrics makes the metrics of a task, under the names of Kafka's.
type flowMetrics struct {
	to   connect.Metrics
	tags []connect.MetricTag
}

// newFlowMetrics returns nil if the runtime keeps no metrics, so that none are computed.
func newFlowMetrics(tc connect.TaskContext, cfg *Config) *flowMetrics {
	if _, ok := connect.As[connect.Metered](tc); !ok {
		return nil
	}
	return &flowMetrics{connect.MetricsOf(tc), []connect.MetricTag{{Key: "source", Value: cfg.SourceAlias}, {Key: "target", Value: cfg.TargetAlias}}}
}

// describe returns a metric of one partition of the target. tags go between those of the flow and those of the partition.
func (m *flowMetrics) describe(name, description, unit string, tp TopicPartition, tags ...connect.MetricTag) connect.Metric {
	all := append(append([]connect.MetricTag(nil), m.tags...), tags...)
	all = append(all, connect.MetricTag{Key: "topic", Value: tp.Topic}, connect.MetricTag{Key: "partition", Value: partitionText(tp)})
	return connect.Metric{Name: name, Description: description, Unit: unit, Tags: all}
}

// partitionText returns the number of a partition.
func partitionText(tp TopicPartition) string { return tp.String()[len(tp.Topic)+1:] }

// total makes a sensor with the sum of what is recorded and its rate.
func (m *flowMetrics) total(what, of, unit string, tp TopicPartition) connect.Sensor {
	count := m.describe(what+"-count", "Number of "+of+" copied to the partition.", unit, tp)
	count.Counter = true
	return m.sensor(
		connect.SensorMetric{Metric: count, Stat: connect.StatSum},
		connect.SensorMetric{Metric: m.describe(what+"-rate", "Number of "+of+" copied to the partition a second.", unit, tp), Stat: connect.StatRate},
	)
}

// times makes a sensor with the last of what is recorded, and the least, greatest and mean.
func (m *flowMetrics) times(name, description string, tp TopicPartition, tags ...connect.MetricTag) connect.Sensor {
	return m.sensor(
		connect.SensorMetric{Metric: m.describe(name, description, "ms", tp, tags...), Stat: connect.StatLast},
		connect.SensorMetric{Metric: m.describe(name+"-max", "The greatest of "+name+".", "ms", tp, tags...), Stat: connect.StatMax},
		connect.SensorMetric{Metric: m.describe(name+"-min", "The least of "+name+".", "ms", tp, tags...), Stat: connect.StatMin},
		connect.SensorMetric{Metric: m.describe(name+"-avg", "The mean of "+name+".", "ms", tp, tags...), Stat: connect.StatAvg},
	)
}

// sensor leaves out metrics that the runtime refuses: a metric is no reason to stop copying.
func (m *flowMetrics) sensor(metrics ...connect.SensorMetric) connect.Sensor {
	s, err := m.to.Sensor(metrics...)
	if err != nil {
		return noSensor{}
	}
	return s
}

type noSensor struct{}

func (noSensor) Record(...float64) {}
func (noSensor) Remove()           {}

// partitionMetrics are those of one partition of MirrorSourceConnector. They are made when the first record comes: a
// connector may have thousands of partitions of which few are busy.
type partitionMetrics struct {
	bytes, age                  connect.Sensor // of what was polled
	records, forwarded, latency connect.Sensor // of what has arrived
}

func (m *flowMetrics) ofPartition(p *partition) *partitionMetrics {
	tp := TopicPartition{Topic: p.remote, Partition: p.Partition}
	forwarded := m.describe("forwarded-record-count", "Number of records copied to the partition whose batches were not decoded.", "{record}", tp)
	forwarded.Counter = true
	return &partitionMetrics{
		forwarded: m.sensor(connect.SensorMetric{Metric: forwarded, Stat: connect.StatSum}),
		bytes:     m.total("byte", "bytes of values", "By", tp),
		age:       m.times("record-age-ms", "How old a record was when it was read.", tp),
		records:   m.total("record", "records", "{record}", tp),
		latency:   m.times("replication-latency-ms", "How old a record was when it had arrived.", tp),
	}
}

// arrival is a record that has arrived on the target, or a batch of them.
type arrival struct {
	of        *partitionMetrics
	latency   float64 // in milliseconds, of the newest of them
	records   int
	forwarded bool
}

// arrivals are what has arrived and is not recorded yet, so that many are recorded at once. add is for one goroutine at a
// time; record may be called concurrently with all.
type arrivals struct {
	ring            [256]arrival
	added, recorded atomic.Uint64 // how many, ever

	mu        sync.Mutex // of record
	latencies []float64  // reused
}

// add takes note of records that arrived now, the newest of which was made then.
func (a *arrivals) add(of *partitionMetrics, records int, forwarded bool, timestamp time.Time) {
	n := a.added.Load()
	if n-a.recorded.Load() == uint64(len(a.ring)) {
		a.record()
	}
	a.ring[n%uint64(len(a.ring))] = arrival{of, float64(time.Now().UnixMilli() - timestamp.UnixMilli()), records, forwarded}
	a.added.Store(n + 1)
}

// record records what was added.
func (a *arrivals) record() {
	a.mu.Lock()
	defer a.mu.Unlock()
	i, end := a.recorded.Load(), a.added.Load()
	for i < end {
		of := a.ring[i%uint64(len(a.ring))].of
		records, forwarded := 0, 0
		a.latencies = a.latencies[:0]
		for ; i < end; i++ {
			next := &a.ring[i%uint64(len(a.ring))]
			if next.of != of {
				break
			}
			records += next.records
			if next.forwarded {
				forwarded += next.records
			}
			a.latencies = append(a.latencies, next.latency)
		}
		of.records.Record(float64(records))
		if forwarded > 0 {
			of.forwarded.Record(float64(forwarded))
		}
		of.latency.Record(a.latencies...)
	}
	a.recorded.Store(end)
}
