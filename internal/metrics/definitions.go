package metrics

import "strings"

// Group is what a metric belongs to: in Kafka Connect, the type of an MBean.
type Group string

// The groups of Kafka Connect.
const (
	AppInfo     Group = "app-info"
	Worker      Group = "connect-worker-metrics"
	Rebalance   Group = "connect-worker-rebalance-metrics"
	Coordinator Group = "connect-coordinator-metrics"
	Connector   Group = "connector-metrics"
	TaskGroup   Group = "connector-task-metrics"
	Transform   Group = "connector-transform-metrics"
	Predicate   Group = "connector-predicate-metrics"
	Source      Group = "source-task-metrics"
	Sink        Group = "sink-task-metrics"
	Errors      Group = "task-error-metrics"
	Count       Group = "kafka-metrics-count"
)

// OTel is the group's part of a metric's name: without the end that says nothing.
func (g Group) OTel() string { return strings.TrimSuffix(string(g), "-metrics") }

// Kind is how a metric behaves.
type Kind int8

// The kinds.
const (
	Gauge   Kind = iota
	Counter      // grows only
	Text         // 1, with the text as an attribute that has the metric's name
)

func (k Kind) String() string { return [...]string{"gauge", "counter", "text"}[k] }

// Definition is a metric.
type Definition struct {
	Group Group
	Name  string
	Kind  Kind
	Unit  string // by UCUM, or ""
	// Attributes are what tells its series apart.
	Attributes  string
	Description string
	// Ours says that Kafka Connect has no such metric.
	Ours bool
}

// OTel returns the metric's name: kafka.connect.GROUP.NAME.
func (d *Definition) OTel() string { return "kafka.connect." + d.Group.OTel() + "." + d.Name }

// MBean returns the name of Kafka Connect's MBean.
func (d *Definition) MBean() string {
	var b strings.Builder
	b.WriteString("kafka.connect:type=" + string(d.Group))
	if d.Attributes != "" {
		for a := range strings.SplitSeq(d.Attributes, ", ") {
			b.WriteString("," + a + "=…")
		}
	}
	return b.String()
}

// definition returns the metric of that name, which there is.
func definition(g Group, name string) *Definition {
	for i := range Definitions {
		if d := &Definitions[i]; d.Name == name && d.Group == g {
			return d
		}
	}
	panic("there is no metric " + string(g) + " " + name)
}

const (
	ofWorker    = ""
	ofConnector = "connector"
	ofTask      = "connector, task"
	ofClient    = "client-id"
)

// Definitions are all metrics there are.
var Definitions = []Definition{
	{AppInfo, "version", Text, "", ofClient, "Version of Kafka Connect that is followed.", false},
	{AppInfo, "commit-id", Text, "", ofClient, "Version of the program's source.", false},
	{AppInfo, "start-time-ms", Gauge, "ms", ofClient, "When the instance was made, since 1970.", false},
	{Count, "count", Gauge, "", ofWorker, "Number of metrics that are kept.", false},

	{Worker, "connector-count", Gauge, "", ofWorker, "Connectors that run on this instance.", false},
	{Worker, "task-count", Gauge, "", ofWorker, "Tasks that run on this instance.", false},
	{Worker, "connector-startup-attempts-total", Counter, "", ofWorker, "Starts of connectors.", false},
	{Worker, "connector-startup-success-total", Counter, "", ofWorker, "Starts of connectors that succeeded.", false},
	{Worker, "connector-startup-success-percentage", Gauge, "", ofWorker, "Part of the starts of connectors that succeeded, of 1.", false},
	{Worker, "connector-startup-failure-total", Counter, "", ofWorker, "Starts of connectors that failed.", false},
	{Worker, "connector-startup-failure-percentage", Gauge, "", ofWorker, "Part of the starts of connectors that failed, of 1.", false},
	{Worker, "task-startup-attempts-total", Counter, "", ofWorker, "Starts of tasks.", false},
	{Worker, "task-startup-success-total", Counter, "", ofWorker, "Starts of tasks that succeeded.", false},
	{Worker, "task-startup-success-percentage", Gauge, "", ofWorker, "Part of the starts of tasks that succeeded, of 1.", false},
	{Worker, "task-startup-failure-total", Counter, "", ofWorker, "Starts of tasks that failed.", false},
	{Worker, "task-startup-failure-percentage", Gauge, "", ofWorker, "Part of the starts of tasks that failed, of 1.", false},
	{Worker, "connector-total-task-count", Gauge, "", ofConnector, "Tasks of the connector on this instance.", false},
	{Worker, "connector-running-task-count", Gauge, "", ofConnector, "Tasks of the connector on this instance that are RUNNING.", false},
	{Worker, "connector-paused-task-count", Gauge, "", ofConnector, "Tasks of the connector on this instance that are PAUSED.", false},
	{Worker, "connector-failed-task-count", Gauge, "", ofConnector, "Tasks of the connector on this instance that are FAILED.", false},
	{Worker, "connector-unassigned-task-count", Gauge, "", ofConnector, "Tasks of the connector on this instance that have not started or have stopped.", false},
	{Worker, "connector-destroyed-task-count", Gauge, "", ofConnector, "Tasks of the connector on this instance that are destroyed.", false},
	{Worker, "connector-restarting-task-count", Gauge, "", ofConnector, "Tasks of the connector on this instance that wait for a restart.", false},

	{Rebalance, "connect-protocol", Text, "", ofWorker, "Protocol of the group: EAGER, COMPATIBLE or SESSIONED.", false},
	{Rebalance, "leader-name", Text, "", ofWorker, "URL of the instance that leads.", false},
	{Rebalance, "epoch", Gauge, "", ofWorker, "Generation of the group.", false},
	{Rebalance, "completed-rebalances-total", Counter, "", ofWorker, "Rebalances that were completed.", false},
	{Rebalance, "rebalancing", Gauge, "", ofWorker, "1 during a rebalance, else 0.", false},
	{Rebalance, "rebalance-max-time-ms", Gauge, "ms", ofWorker, "Longest rebalance lately.", false},
	{Rebalance, "rebalance-avg-time-ms", Gauge, "ms", ofWorker, "Mean of the rebalances lately.", false},
	{Rebalance, "time-since-last-rebalance-ms", Gauge, "ms", ofWorker, "Time since the last rebalance; infinite before the first.", false},
	{Rebalance, "hand-over-gap-max-ms", Gauge, "ms", ofWorker, "Longest time lately between the stop of a task on one instance and its run on this one.", true},
	{Rebalance, "hand-over-gap-avg-ms", Gauge, "ms", ofWorker, "Mean time lately between the stop of a task on one instance and its run on this one.", true},
	{Rebalance, "hand-over-total", Counter, "", ofWorker, "Tasks that this instance took over from another.", true},

	{Coordinator, "assigned-connectors", Gauge, "", ofClient, "Connectors that are assigned to this instance.", false},
	{Coordinator, "assigned-tasks", Gauge, "", ofClient, "Tasks that are assigned to this instance.", false},
	{Coordinator, "heartbeat-rate", Gauge, "", ofClient, "Heartbeats a second.", false},
	{Coordinator, "heartbeat-total", Counter, "", ofClient, "Heartbeats.", false},
	{Coordinator, "heartbeat-response-time-max", Gauge, "ms", ofClient, "Longest wait for the answer to a heartbeat lately.", false},
	{Coordinator, "last-heartbeat-seconds-ago", Gauge, "s", ofClient, "Time since the last heartbeat; -1 before the first.", false},
	{Coordinator, "join-rate", Gauge, "", ofClient, "Joins of the group a second.", false},
	{Coordinator, "join-total", Counter, "", ofClient, "Joins of the group.", false},
	{Coordinator, "join-time-avg", Gauge, "ms", ofClient, "Mean time of the joins lately.", false},
	{Coordinator, "join-time-max", Gauge, "ms", ofClient, "Longest join lately.", false},
	{Coordinator, "sync-rate", Gauge, "", ofClient, "Synchronizations of the group a second.", false},
	{Coordinator, "sync-total", Counter, "", ofClient, "Synchronizations of the group.", false},
	{Coordinator, "sync-time-avg", Gauge, "ms", ofClient, "Mean time of the synchronizations lately.", false},
	{Coordinator, "sync-time-max", Gauge, "ms", ofClient, "Longest synchronization lately.", false},
	{Coordinator, "rebalance-total", Counter, "", ofClient, "Rebalances that succeeded.", false},
	{Coordinator, "rebalance-rate-per-hour", Gauge, "", ofClient, "Rebalances an hour that succeeded.", false},
	{Coordinator, "rebalance-latency-avg", Gauge, "ms", ofClient, "Mean time of the rebalances lately.", false},
	{Coordinator, "rebalance-latency-max", Gauge, "ms", ofClient, "Longest rebalance lately.", false},
	{Coordinator, "rebalance-latency-total", Counter, "ms", ofClient, "Time of all rebalances.", false},
	{Coordinator, "failed-rebalance-total", Counter, "", ofClient, "Rebalances that failed.", false},
	{Coordinator, "failed-rebalance-rate-per-hour", Gauge, "", ofClient, "Rebalances an hour that failed.", false},
	{Coordinator, "last-rebalance-seconds-ago", Gauge, "s", ofClient, "Time since the last rebalance that succeeded; -1 before the first.", false},

	{Connector, "status", Text, "", ofConnector, "State of the connector: unassigned, running, paused, stopped, failed or restarting.", false},
	{Connector, "connector-type", Text, "", ofConnector, "source or sink.", false},
	{Connector, "connector-class", Text, "", ofConnector, "Class of the connector.", false},
	{Connector, "connector-version", Text, "", ofConnector, "Version of the connector's class.", false},
	{Connector, "stall-ms", Gauge, "ms", ofConnector, "How long the call into the connector that is under way has lasted; 0 if there is none.", true},

	{TaskGroup, "status", Text, "", ofTask, "State of the task: unassigned, running, paused, failed or restarting.", false},
	{TaskGroup, "running-ratio", Gauge, "", ofTask, "Part of the time that the task ran, of 1.", false},
	{TaskGroup, "pause-ratio", Gauge, "", ofTask, "Part of the time that the task was paused, of 1.", false},
	{TaskGroup, "batch-size-max", Gauge, "", ofTask, "Largest batch of records lately.", false},
	{TaskGroup, "batch-size-avg", Gauge, "", ofTask, "Mean size of the batches lately.", false},
	{TaskGroup, "offset-commit-max-time-ms", Gauge, "ms", ofTask, "Longest commit of offsets lately.", false},
	{TaskGroup, "offset-commit-avg-time-ms", Gauge, "ms", ofTask, "Mean time of the commits lately.", false},
	{TaskGroup, "offset-commit-success-percentage", Gauge, "", ofTask, "Part of the commits lately that succeeded, of 1.", false},
	{TaskGroup, "offset-commit-failure-percentage", Gauge, "", ofTask, "Part of the commits lately that failed, of 1.", false},
	{TaskGroup, "connector-class", Text, "", ofTask, "Class of the connector.", false},
	{TaskGroup, "connector-type", Text, "", ofTask, "source or sink.", false},
	{TaskGroup, "connector-version", Text, "", ofTask, "Version of the connector's class.", false},
	{TaskGroup, "task-class", Text, "", ofTask, "Class of the task.", false},
	{TaskGroup, "task-version", Text, "", ofTask, "Version of the task's class.", false},
	{TaskGroup, "key-converter-class", Text, "", ofTask, "Class of the converter of keys.", false},
	{TaskGroup, "key-converter-version", Text, "", ofTask, "Its version.", false},
	{TaskGroup, "value-converter-class", Text, "", ofTask, "Class of the converter of values.", false},
	{TaskGroup, "value-converter-version", Text, "", ofTask, "Its version.", false},
	{TaskGroup, "header-converter-class", Text, "", ofTask, "Class of the converter of headers.", false},
	{TaskGroup, "header-converter-version", Text, "", ofTask, "Its version.", false},
	{TaskGroup, "stall-ms", Gauge, "ms", ofTask, "How long the call into the task that is under way has lasted; 0 if there is none. Poll, which waits for data, does not count.", true},
	{TaskGroup, "watermark-age-ms", Gauge, "ms", ofTask, "Age of the oldest record whose offset can't be stored yet: since it was polled, for a sink since it was put. 0 if there is none.", true},
	{TaskGroup, "end-to-end-latency-ms-max", Gauge, "ms", ofTask, "Longest way lately: from poll to acknowledgement, for a sink from the record's timestamp to the return of Put.", true},
	{TaskGroup, "end-to-end-latency-ms-avg", Gauge, "ms", ofTask, "Mean of the longest ways of the batches lately.", true},
	{TaskGroup, "restart-total", Counter, "", ofTask, "Restarts after failures.", true},
	{TaskGroup, "throttle-time-ms-total", Counter, "ms", ofTask, "Time that the task waited for its throttle.", true},

	{Transform, "transform-class", Text, "", "connector, task, transform", "Class of the transformation.", false},
	{Transform, "transform-version", Text, "", "connector, task, transform", "Its version.", false},
	{Predicate, "predicate-class", Text, "", "connector, task, predicate", "Class of the predicate.", false},
	{Predicate, "predicate-version", Text, "", "connector, task, predicate", "Its version.", false},

	{Source, "source-record-poll-rate", Gauge, "", ofTask, "Records that were polled, a second, before transformations.", false},
	{Source, "source-record-poll-total", Counter, "", ofTask, "Records that were polled, before transformations.", false},
	{Source, "source-record-write-rate", Gauge, "", ofTask, "Records that Kafka acknowledged, with exactly-once delivery those that were committed, a second; those that were filtered or skipped don't count.", false},
	{Source, "source-record-write-total", Counter, "", ofTask, "Records that Kafka acknowledged, with exactly-once delivery those that were committed.", false},
	{Source, "poll-batch-max-time-ms", Gauge, "ms", ofTask, "Longest Poll lately.", false},
	{Source, "poll-batch-avg-time-ms", Gauge, "ms", ofTask, "Mean time of Poll lately.", false},
	{Source, "source-record-active-count", Gauge, "", ofTask, "Records that were polled and are not acknowledged yet, with exactly-once delivery not committed.", false},
	{Source, "source-record-active-count-max", Gauge, "", ofTask, "Most of them at a time lately.", false},
	{Source, "source-record-active-count-avg", Gauge, "", ofTask, "Mean of them lately.", false},
	{Source, "transaction-size-min", Gauge, "", ofTask, "Records of the smallest transaction lately, with exactly-once delivery.", false},
	{Source, "transaction-size-max", Gauge, "", ofTask, "Records of the largest transaction lately.", false},
	{Source, "transaction-size-avg", Gauge, "", ofTask, "Mean number of records of the transactions lately.", false},

	{Sink, "sink-record-read-rate", Gauge, "", ofTask, "Records that were consumed, a second, before transformations.", false},
	{Sink, "sink-record-read-total", Counter, "", ofTask, "Records that were consumed, before transformations.", false},
	{Sink, "sink-record-send-rate", Gauge, "", ofTask, "Records that were put, a second, after transformations.", false},
	{Sink, "sink-record-send-total", Counter, "", ofTask, "Records that were put, after transformations.", false},
	{Sink, "sink-record-lag-max", Gauge, "", ofTask, "Records that the partition which is farthest behind still has. (Kafka Connect documents it and never registers it.)", false},
	{Sink, "partition-count", Gauge, "", ofTask, "Partitions that the task has.", false},
	{Sink, "offset-commit-seq-no", Gauge, "", ofTask, "Number of the last commit.", false},
	{Sink, "offset-commit-completion-rate", Gauge, "", ofTask, "Commits a second that succeeded.", false},
	{Sink, "offset-commit-completion-total", Counter, "", ofTask, "Commits that succeeded.", false},
	{Sink, "offset-commit-skip-rate", Gauge, "", ofTask, "Commits a second whose answer came too late. Here commits are waited for, so there are none.", false},
	{Sink, "offset-commit-skip-total", Counter, "", ofTask, "Commits whose answer came too late.", false},
	{Sink, "put-batch-max-time-ms", Gauge, "ms", ofTask, "Longest Put lately.", false},
	{Sink, "put-batch-avg-time-ms", Gauge, "ms", ofTask, "Mean time of Put lately.", false},
	{Sink, "sink-record-active-count", Gauge, "", ofTask, "Records that were consumed and are not committed yet.", false},
	{Sink, "sink-record-active-count-max", Gauge, "", ofTask, "Most of them at a time lately.", false},
	{Sink, "sink-record-active-count-avg", Gauge, "", ofTask, "Mean of them lately.", false},

	{Errors, "total-record-failures", Counter, "", ofTask, "Attempts at records that failed.", false},
	{Errors, "total-record-errors", Counter, "", ofTask, "Records that failed.", false},
	{Errors, "total-records-skipped", Counter, "", ofTask, "Records that were given up.", false},
	{Errors, "total-retries", Counter, "", ofTask, "Attempts that were repeated.", false},
	{Errors, "total-errors-logged", Counter, "", ofTask, "Errors of records that were logged.", false},
	{Errors, "deadletterqueue-produce-requests", Counter, "", ofTask, "Dead letters that were to be written.", false},
	{Errors, "deadletterqueue-produce-failures", Counter, "", ofTask, "Dead letters that could not be written.", false},
	{Errors, "last-error-timestamp", Gauge, "ms", ofTask, "When a record failed last, since 1970; 0 if none has.", false},
}
