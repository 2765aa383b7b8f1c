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
	"the keys of a task's configuration, which Java's HashMap orders, come in another order": `
		source.chain.key-data-none source.transform-chain source.retry-forever source.retry-exhausted-all source.record-shapes
		source.chain.value-runtime-none source.chain.value-runtime-all source.chain.value-retriable-none
		source.chain.value-retriable-all source.chain.value-error-none source.chain.key-retriable-all source.chain.key-data-all
		source.chain.header-retriable-none source.chain.header-retriable-all source.chain.header-data-none eos.filtered
	`,
	"what is recorded is not yet matched": `
		worker.two-kill-delay source.validate-throws source.stop-while-paused source.bad-partition source.alter-offsets
		sink.retriable-rebalance sink.reconfigure sink.rebalance-precommit-throws sink.put-retriable-waits sink.dlq-cannot-create
		sink.context-pause-unassigned sink.auto-offset-reset-none eos.validate eos.alter-offsets
	`,
}
