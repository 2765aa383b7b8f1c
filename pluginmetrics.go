package connect

// Metered is an optional interface of [ConnectorContext] and [TaskContext]: the metrics that a plugin reports of itself.
// Runtimes that keep no metrics don't have it; [MetricsOf] makes no difference between the two.
type Metered interface {
	Metrics() Metrics
}

// Monitorable is an optional interface of transformations, predicates and converters that report metrics of
// themselves: WithMetrics is called once, after the plugin was configured and before anything else, unless the runtime keeps no
// metrics. A plugin that many tasks share is not asked. Connectors and tasks use [MetricsOf] instead.
type Monitorable interface {
	WithMetrics(m Metrics)
}

// MetricsOf returns the metrics of a [ConnectorContext] or [TaskContext]. It is never nil: what is reported to a runtime
// that keeps no metrics goes nowhere.
func MetricsOf(ctx any) Metrics {
	if m, ok := As[Metered](ctx); ok {
		if metrics := m.Metrics(); metrics != nil {
			return metrics
		}
	}
	return noMetrics{}
}

// Metrics takes the metrics of one plugin: of one run of a connector or task, or of one transformation, predicate or
// converter of a task. The runtime adds attributes that say whose they are, and removes all of them when the run has
// ended. It is safe for concurrent use.
type Metrics interface {
	// Observe adds a metric that is read whenever metrics are collected, perhaps every few seconds. read must not block,
	// and may be called concurrently with everything else. remove takes the metric back and may be called more than once. It
	// fails with [ErrIllegalState] if there is a metric of that name with the same tags.
	Observe(m Metric, read func() float64) (remove func(), err error)
	// Sensor adds metrics that are computed from the same recorded values. Errors are those of Observe; then none is added.
	Sensor(metrics ...SensorMetric) (Sensor, error)
}

// Metric describes a metric of a plugin.
type Metric struct {
	// Name is the metric's name, in Kafka's style: lower-case words with hyphens and the unit last, such as
	// replication-latency-ms-max. Letters, digits and -_. are allowed.
	Name        string
	Description string
	// Unit is the unit by UCUM, such as ms or By. Optional.
	Unit string
	// Tags tell metrics of the same name apart, beyond what the runtime adds: the connector, the task.
	Tags []MetricTag
	// Counter says that the value only grows.
	Counter bool
}

// MetricTag is a tag of a [Metric].
type MetricTag struct{ Key, Value string }

// SensorMetric is a metric that is computed from what was recorded.
type SensorMetric struct {
	Metric
	Stat Stat
}

// Stat is how a metric comes from recorded values.
type Stat int8

// The statistics of a [Sensor]. Those of a window look at about the last minute (metrics.sample.window.ms times
// metrics.num.samples).
const (
	StatLast  Stat = iota // the value recorded last; 0 before the first
	StatSum               // the sum of all values, for ever
	StatCount             // how many values were recorded, for ever
	StatRate              // the sum of the values of the window, a second
	StatMin               // the least value of the window; not a number when there is none
	StatMax               // the greatest value of the window; not a number when there is none
	StatAvg               // the mean of the values of the window; not a number when there is none
)

// Sensor takes values. It is safe for concurrent use.
type Sensor interface {
	// Record takes values, in order. Recording many at once costs little more than recording one.
	Record(values ...float64)
	// Remove takes the sensor's metrics back. It may be called more than once.
	Remove()
}

type noMetrics struct{}

func (noMetrics) Observe(Metric, func() float64) (func(), error) { return func() {}, nil }
func (noMetrics) Sensor(...SensorMetric) (Sensor, error)         { return noSensor{}, nil }

type noSensor struct{}

func (noSensor) Record(...float64) {}
func (noSensor) Remove()           {}
