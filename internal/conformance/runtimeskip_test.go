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
		worker.two-kill-delay source.retry-forever source.record-shapes source.validate-throws source.stop-while-paused source.bad-partition source.alter-offsets
		sink.retriable-rebalance sink.reconfigure sink.rebalance-precommit-throws sink.put-retriable-waits
		sink.context-pause-unassigned sink.auto-offset-reset-none eos.validate eos.alter-offsets
	`,
}
