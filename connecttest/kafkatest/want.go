package kafkatest

import (
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// WantTopic waits until a topic has as many records as there are values, and a second more, and fails the test unless it
// has a record of each value, no record twice, and those of each partition in the order of the values. No two values may be equal.
func (c *Cluster) WantTopic(topic string, values ...string) {
	c.t.Helper()
	if problem := checkTopic(c.await(topic, values), values, false); problem != "" {
		c.t.Errorf("topic %s: %s", topic, problem)
	}
}

// WantTopicAtLeast is WantTopic where records may come again, as they may with delivery at least once when an instance
// died: each value has to be there, and for the first time in the order of the values in its partition.
func (c *Cluster) WantTopicAtLeast(topic string, values ...string) {
	c.t.Helper()
	c.until(fmt.Sprintf("topic %s has %d different records", topic, len(values)), func() bool {
		seen := make(map[string]bool)
		if c.size(topic) >= int64(len(values)) {
			for _, r := range c.Records(topic) {
				seen[string(r.Value)] = true
			}
		}
		return len(seen) >= len(values)
	})
	if problem := checkTopic(c.Records(topic), values, true); problem != "" {
		c.t.Errorf("topic %s: %s", topic, problem)
	}
}

func (c *Cluster) await(topic string, values []string) []*kgo.Record {
	c.t.Helper()
	c.until(fmt.Sprintf("topic %s has %d records", topic, len(values)), func() bool {
		return c.size(topic) >= int64(len(values)) && len(c.Records(topic)) >= len(values)
	})
	c.Advance(time.Second) // what is too much
	return c.Records(topic)
}

// checkTopic says what is wrong with records, which are sorted by partition and offset.
func checkTopic(records []*kgo.Record, values []string, again bool) string {
	place := make(map[string]int, len(values))
	for n, v := range values {
		place[v] = n
	}
	seen := make(map[string]bool, len(values))
	last := make(map[int32]int)
	for _, r := range records {
		v := string(r.Value)
		n, wanted := place[v]
		switch {
		case !wanted:
			return fmt.Sprintf("partition %d, offset %d has %q, which is not wanted", r.Partition, r.Offset, v)
		case seen[v] && again:
			continue
		case seen[v]:
			return fmt.Sprintf("partition %d, offset %d has %q once more", r.Partition, r.Offset, v)
		}
		if before, ok := last[r.Partition]; ok && n < before {
			return fmt.Sprintf("partition %d, offset %d has %q after %q, want it before", r.Partition, r.Offset, v, values[before])
		}
		seen[v], last[r.Partition] = true, n
	}
	missing := slices.DeleteFunc(slices.Clone(values), func(v string) bool { return seen[v] })
	if len(missing) > 0 {
		return fmt.Sprintf("%d of %d records are missing, the first is %q", len(missing), len(values), missing[0])
	}
	return ""
}
