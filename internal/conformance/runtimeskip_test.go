package conformance_test

import (
	"slices"
	"strings"
)

// notYet returns why a scenario is not played yet; "" if it is.
func notYet(id string) string {
	id = strings.TrimPrefix(id, "runtime.")
	for reason, ids := range later {
		if slices.Contains(strings.Fields(ids), id) {
			return reason
		}
	}
	return ""
}

// later are scenarios that are known to differ, by the reason. RUNTIME_ALL=1 plays them all the same.
var later = map[string]string{
	"what is recorded is not yet matched": `
		sink.reset-offsets worker.zombie-task worker.two-stop worker.two-kill worker.two-kill-delay worker.two-join
		worker.stop-unacknowledged worker.two-forward worker.shutdown-source worker.shutdown-sink worker.kill-source worker.restart-states
		worker.kill-sink worker.connector-name source.validate-throws source.transform-chain source.topic-missing
		source.topic-missing-late source.topic-creation source.topic-creation-fails source.topic-creation-disabled
		source.topic-creation-defaults source.timestamp-2 source.tasks-zero source.timestamp-1 source.tasks-too-many-later
		source.tasks-too-many-2 source.tasks-fewer source.tasks-3-to-1 source.tasks-1-to-3 source.task-restart source.stop-while-paused
		source.stop-state source.retry-forever source.retry-exhausted-all source.retry-1500-2 source.retry-1000-100 source.resume-skip
		source.resume-offset source.restart-pause source.recreate source.request-reconfiguration source.record-shapes
		source.reconfigure-same source.raise-error source.produce-too-large-client-all source.produce-too-large-batch
		source.produce-too-large-client-none source.pause-resume source.offset-values source.own-offsets-topic source.offset-not-primitive
		source.null-topic source.lifecycle source.filtered source.failed-last-all source.null-record source.fail.taskConfigs-runtime
		source.fail.taskConfigs-error source.fail.stop-retriable source.fail.stop-connect source.fail.start-runtime source.fail.start-data
		source.fail.start-connect source.fail.start-connect-runtime source.fail.poll2-runtime source.fail.poll2-error
		source.fail.poll2-data source.fail.poll2-connect source.fail.commitRecord1-retriable source.fail.commitRecord1-error
		source.fail.commitRecord1-connect source.fail.commit-retriable source.fail-tolerant.poll-connect source.fail.commit-connect
		source.create-paused source.connector-stop-error source.connector-stop-connect source.connector-stop-config
		source.connector-start-runtime source.connector-start-connect source.connector-start-repaired source.connector-start-config
		source.connector-reads-offsets source.commit-throws-interval source.commit-poll-blocks source.commit-interval
		source.chain.value-runtime-none source.chain.value-runtime-all source.chain.value-retriable-none source.chain.value-retriable-all
		source.chain.value-error-none source.chain.transform-retriable-none source.chain.transform-runtime-none
		source.chain.transform-retriable-all source.chain.transform-error-all source.chain.transform-data-all
		source.chain.predicate-retriable-none source.chain.predicate-retriable-all source.chain.predicate-data-none
		source.chain.key-retriable-all source.chain.key-data-none source.chain.key-data-all source.chain.header-retriable-none
		source.chain.header-data-none source.chain.header-retriable-all source.bad-partition source.alter-offsets source.ack-order
		sink.topic-missing sink.topics-regex sink.stop-resume sink.task-restart sink.retry-1500-2 sink.retriable-rebalance
		sink.request-commit sink.record sink.reconfigure sink.rebalance-precommit-throws sink.rebalance-2 sink.rebalance-leave
		sink.put-retriable-waits sink.put-retriable-stop sink.put-retriable-no-timeout sink.precommit-two-partitions
		sink.put-retriable-300 sink.precommit-throws-connect sink.precommit-throws-retriable sink.precommit-throws-before-first
		sink.precommit-throws-at-end sink.precommit-t-99-t-2 sink.precommit-t-1-all sink.precommit-t-null sink.precommit-empty
		sink.pause-resume sink.precommit-null sink.offset-unassigned sink.out-of-range sink.new-partition sink.offset-rewind
		sink.more-tasks-than-partitions-2 sink.max-poll-records-2 sink.max-poll-records-1 sink.lifecycle sink.json-converter
		sink.interval-commit sink.group-override sink.flush sink.flush-throws sink.fail.stop-retriable sink.fail.stop-error
		sink.fail.start-runtime sink.fail.start-error sink.fail.start-retriable sink.fail.start-connect sink.fail.put-rejoin
		sink.fail.put-error sink.fail.put-data sink.fail.put-connect sink.fail.put-connect-runtime sink.fail.open-retriable
		sink.fail.open-connect sink.fail.close-retriable sink.fail.close-error sink.errant-transformed sink.errant-sync-none
		sink.errant-sync-all sink.errant-log-only sink.errant-async-all sink.empty-puts sink.dlq-plain sink.dlq-exists
		sink.dlq-cannot-create sink.create-paused sink.converter-null sink.cooperative sink.context-pause sink.context-pause-unassigned
		sink.connector-taskConfigs-connect sink.chain.value-runtime-none sink.close-without-flush sink.chain.value-retriable-none
		sink.chain.value-retriable-all sink.chain.value-error-all sink.chain.value-data-none sink.chain.value-data-all
		sink.chain.transform-runtime-all sink.chain.transform-retriable-none sink.chain.transform-error-none
		sink.chain.transform-error-all sink.chain.transform-data-none sink.chain.transform-data-all sink.chain.predicate-retriable-all
		sink.chain.predicate-data-none sink.chain.predicate-data-all sink.chain.key-retriable-none sink.chain.key-data-all
		sink.chain.header-retriable-all sink.chain.header-data-none sink.chain.header-data-all sink.auto-offset-reset-latest
		sink.auto-offset-reset-none sink.all-dropped
	`,
	"exactly-once sources are not there yet": `
		eos.abort-visible worker.eos-stop eos.validate eos.too-large-none eos.record-commitTransaction-c eos.too-large-all
		eos.record-abortTransaction-c eos.preparing eos.own-offsets-topic eos.produce-to-offsets-topic eos.offset-not-primitive
		eos.filtered eos.fencing-3-to-1 eos.fencing-1-to-3 eos.fail.stop-connect eos.fail.start-connect eos.fail.start-retriable
		eos.fail.poll2-retriable eos.fail.commitRecord1-retriable eos.fail.commit-retriable eos.fail.commit-connect eos.boundary-poll
		eos.boundary-interval eos.boundary-interval-pause eos.boundary-interval-fail eos.boundary-connector-2c-3c
		eos.boundary-connector-2a-3c eos.both-batch eos.alter-offsets eos.abort-without-records
	`,
}
