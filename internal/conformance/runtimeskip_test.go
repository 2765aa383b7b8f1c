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
	"its second worker starts its task twice in Kafka Connect, in a race between the assignment and the news of the task's configuration": `
		worker.two-kill-delay
	`,
	"Kafka Connect commits the offset of a record that no put took when its partition is revoked while the batch is put again, and loses it": `
		sink.retriable-rebalance
	`,
}
