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
		source.chain.key-data-none worker.two-kill-delay source.validate-throws source.transform-chain source.stop-while-paused
		source.retry-forever source.retry-exhausted-all source.record-shapes source.chain.value-runtime-none
		source.chain.value-runtime-all source.chain.value-retriable-none source.chain.value-retriable-all source.chain.value-error-none
		source.chain.key-retriable-all source.chain.key-data-all source.chain.header-retriable-none source.chain.header-retriable-all
		source.chain.header-data-none source.bad-partition source.alter-offsets sink.retriable-rebalance sink.reconfigure
		sink.rebalance-precommit-throws sink.put-retriable-waits sink.dlq-cannot-create sink.context-pause-unassigned
		sink.auto-offset-reset-none
	`,
	"exactly-once sources are not there yet": `
		worker.eos-stop eos.abort-visible eos.validate eos.too-large-none eos.record-commitTransaction-c eos.too-large-all
		eos.record-abortTransaction-c eos.produce-to-offsets-topic eos.own-offsets-topic eos.filtered eos.offset-not-primitive
		eos.fencing-3-to-1 eos.fencing-1-to-3 eos.fail.start-retriable eos.fail.stop-connect eos.fail.start-connect
		eos.fail.poll2-retriable eos.fail.commitRecord1-retriable eos.fail.commit-retriable eos.fail.commit-connect eos.boundary-poll
		eos.boundary-interval eos.boundary-interval-pause eos.boundary-interval-fail eos.boundary-connector-2c-3c
		eos.boundary-connector-2a-3c eos.both-batch eos.alter-offsets eos.abort-without-records
	`,
}
