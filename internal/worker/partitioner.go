package worker

import "github.com/twmb/franz-go/pkg/kgo"

// Partitioner returns a partitioner that honours the partition that a record asks for; a record with partition -1 goes
// where Java's default partitioner would put it: by the hash of its key, or to any partition.
func Partitioner() kgo.Partitioner {
	return partitioner{kgo.UniformBytesPartitioner(64<<10, true, true, nil)}
}

type partitioner struct{ byKey kgo.Partitioner }

func (p partitioner) ForTopic(topic string) kgo.TopicPartitioner {
	byKey := p.byKey.ForTopic(topic)
	backup, _ := byKey.(kgo.TopicBackupPartitioner)
	return &topicPartitioner{byKey, backup}
}

type topicPartitioner struct {
	byKey  kgo.TopicPartitioner
	backup kgo.TopicBackupPartitioner
}

var _ kgo.TopicBackupPartitioner = (*topicPartitioner)(nil)

// RequiresConsistency keeps a record with a partition or key where it belongs, also while that is not available.
func (p *topicPartitioner) RequiresConsistency(r *kgo.Record) bool {
	return r.Partition >= 0 || p.byKey.RequiresConsistency(r)
}

func (p *topicPartitioner) Partition(r *kgo.Record, n int) int {
	if r.Partition >= 0 {
		return int(r.Partition) // out of range fails the record
	}
	return p.byKey.Partition(r, n)
}

// PartitionByBackup is what the client calls in place of Partition when the partitioner has it.
func (p *topicPartitioner) PartitionByBackup(r *kgo.Record, n int, backup kgo.TopicBackupIter) int {
	if r.Partition >= 0 || p.backup == nil {
		return p.Partition(r, n)
	}
	return p.backup.PartitionByBackup(r, n, backup)
}

// OnNewBatch tells the partitioner that a batch is full.
func (p *topicPartitioner) OnNewBatch() {
	if o, ok := p.byKey.(kgo.TopicPartitionerOnNewBatch); ok {
		o.OnNewBatch()
	}
}
