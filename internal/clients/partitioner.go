package clients

import "github.com/twmb/franz-go/pkg/kgo"

// AnyPartition as the partition of a record leaves it to the partitioner. It must be set: the zero value is partition 0.
const AnyPartition int32 = -1

// Partitioner returns a partitioner that takes a record's partition if it has one (0 and above), and else chooses it
// with next. A record with a partition that its topic does not have fails.
func Partitioner(next kgo.Partitioner) kgo.Partitioner { return partitioner{next} }

type partitioner struct{ next kgo.Partitioner }

func (p partitioner) ForTopic(topic string) kgo.TopicPartitioner {
	next := p.next.ForTopic(topic)
	t := &topicPartitioner{next: next}
	t.backup, _ = next.(kgo.TopicBackupPartitioner)
	t.onNewBatch, _ = next.(kgo.TopicPartitionerOnNewBatch)
	return t
}

// topicPartitioner always implements franz-go's optional interfaces, for which a topic's partitioner is asked by type.
type topicPartitioner struct {
	next       kgo.TopicPartitioner
	backup     kgo.TopicBackupPartitioner     // next, or nil
	onNewBatch kgo.TopicPartitionerOnNewBatch // next, or nil
}

// RequiresConsistency keeps a record with a partition from being written elsewhere while that partition has no leader.
func (p *topicPartitioner) RequiresConsistency(r *kgo.Record) bool {
	return r.Partition >= 0 || p.next.RequiresConsistency(r)
}

func (p *topicPartitioner) Partition(r *kgo.Record, n int) int {
	if r.Partition >= 0 {
		return int(r.Partition)
	}
	return p.next.Partition(r, n)
}

func (p *topicPartitioner) PartitionByBackup(r *kgo.Record, n int, backup kgo.TopicBackupIter) int {
	if r.Partition >= 0 || p.backup == nil {
		return p.Partition(r, n)
	}
	return p.backup.PartitionByBackup(r, n, backup)
}

func (p *topicPartitioner) OnNewBatch() {
	if p.onNewBatch != nil {
		p.onNewBatch.OnNewBatch()
	}
}
