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
	"exactly-once sources are not there yet": `
		eos.abort-visible eos.abort-without-records eos.alter-offsets eos.both-batch eos.boundary-connector-2a-3c
		eos.boundary-connector-2c-3c eos.boundary-interval eos.boundary-interval-fail eos.boundary-interval-pause eos.boundary-poll
		eos.fail.commit-connect eos.fail.commit-retriable eos.fail.commitRecord1-retriable eos.fail.poll2-retriable eos.fail.start-connect
		eos.fail.start-retriable eos.fail.stop-connect eos.fencing-1-to-3 eos.fencing-3-to-1 eos.filtered eos.offset-not-primitive
		eos.own-offsets-topic eos.produce-to-offsets-topic eos.record-abortTransaction-c eos.record-commitTransaction-c eos.too-large-all
		eos.too-large-none eos.validate worker.eos-stop
	`,
	"what is recorded is not yet matched": `
		sink.auto-offset-reset-none sink.context-pause-unassigned sink.dlq-cannot-create sink.put-retriable-waits
		sink.rebalance-precommit-throws sink.reconfigure sink.record sink.retriable-rebalance source.alter-offsets source.bad-partition
		source.chain.header-data-none source.chain.header-retriable-all source.chain.header-retriable-none source.chain.key-data-all
		source.chain.key-data-none source.chain.key-retriable-all source.chain.value-error-none source.chain.value-retriable-all
		source.chain.value-retriable-none source.chain.value-runtime-all source.chain.value-runtime-none source.record-shapes
		source.retry-exhausted-all source.retry-forever source.stop-while-paused source.transform-chain source.validate-throws
		worker.two-kill-delay worker.zombie-task
	`,
}
