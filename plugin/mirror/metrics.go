package mirror

import (
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
	bytes, age       connect.Sensor // Poll's
	records, latency connect.Sensor // CommitRecord's
	latencies        []float64      // not recorded yet
	count            int            // of records, not recorded yet
}

// maxLatencies is after how many records latencies are recorded.
const maxLatencies = 256

func (m *flowMetrics) ofPartition(p *partition) *partitionMetrics {
	tp := TopicPartition{Topic: p.remote, Partition: p.Partition}
	return &partitionMetrics{
		bytes: m.total("byte", "bytes of values", "By", tp), age: m.times("record-age-ms", "How old a record was when it was read.", tp),
		records: m.total("record", "records", "{record}", tp), latency: m.times("replication-latency-ms", "How old a record was when it had arrived.", tp),
	}
}

// sent takes note of records that arrived, the newest of which was made then.
func (p *partitionMetrics) sent(n int, timestamp time.Time) {
	p.count += n
	p.latencies = append(p.latencies, float64(time.Now().UnixMilli()-timestamp.UnixMilli()))
	if len(p.latencies) >= maxLatencies {
		p.flush()
	}
}

func (p *partitionMetrics) flush() {
	if len(p.latencies) > 0 {
		p.records.Record(float64(p.count))
		p.count = 0
		p.latency.Record(p.latencies...)
		p.latencies = p.latencies[:0]
	}
}
