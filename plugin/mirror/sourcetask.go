package mirror

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/gokconnect/connect"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// partition is a partition of the source that a task copies.
type partition struct {
	TopicPartition
	remote string         // the topic on the target
	source connect.Fields // what stands for it among the stored offsets
	next   int64          // the offset after the last record that was polled; noOffset before the first. Poll's alone.
	stat   *partitionMetrics

	// What follows belongs to the syncWriter.
	rule             syncRule
	pending, delayed syncEntry
}

// sourceTask copies partitions.
type sourceTask struct {
	env     *environment
	cfg     *SourceConfig
	log     *slog.Logger
	metrics *flowMetrics // or nil
	ages    []float64    // of the records of a partition; reused
	told    *partition   // the last one that CommitRecord was called for

	client *kgo.Client
	parts  map[TopicPartition]*partition
	// failOnReset says that a position which the source does not have ends the task (auto.offset.reset=none).
	failOnReset bool
	maxPoll     int
	batch       []connect.SourceRecord // reused: it is the task's again at the next Poll
	watch       watch

	syncClient *kgo.Client // or nil
	syncs      *syncWriter // or nil
	trouble    atomic.Pointer[error]
}

// defaultMaxPoll is how many records Poll returns at most, unless max.poll.records says otherwise. It is more than
// Kafka's 500: a batch costs something, and is bounded by the size of a fetch anyway.
const defaultMaxPoll = 2000

// Start makes the clients and goes to the stored offsets.
func (t *sourceTask) Start(ctx context.Context, tc connect.SourceTaskContext, cfg connect.Config) (err error) {
	t.log = tc.Logger()
	if t.cfg, err = t.env.ParseSourceTaskConfig(cfg); err != nil {
		return err
	}
	t.metrics = newFlowMetrics(tc, &t.cfg.Config)
	from, err := t.positions(ctx, tc.Offsets())
	if err != nil {
		return err
	}
	opts, extra, err := t.cfg.consumer(Source, roleReplicationConsumer)
	if err != nil {
		return err
	}
	t.failOnReset = extra.FailOnReset
	t.maxPoll = defaultMaxPoll
	if t.cfg.ConsumerProperties(Source, "")["max.poll.records"] != "" {
		t.maxPoll = extra.MaxPollRecords
	}
	t.watch = watch{every: reachEvery, log: t.log, what: "source cluster " + t.cfg.SourceAlias}
	if t.client, err = kgo.NewClient(append(opts, kgo.ConsumePartitions(from))...); err != nil {
		return fmt.Errorf("the consumer of the source cluster %s: %w", t.cfg.SourceAlias, err)
	}
	if !t.cfg.EmitOffsetSyncs {
		return nil
	}
	syncs := t.cfg.OffsetSyncs
	producer, _, err := t.cfg.producer(syncs.Side(), syncs.Role("producer"))
	if err != nil {
		return err
	}
	if t.syncClient, err = kgo.NewClient(producer...); err != nil {
		return fmt.Errorf("the producer of offset syncs on the %s cluster: %w", syncs.Side(), err)
	}
	t.syncs = newSyncWriter(t.syncClient, syncs.Name, t.cfg.MaxOffsetLag, t.log)
	return nil
}

// positions returns where to start: behind the record that was copied last, or where auto.offset.reset says.
func (t *sourceTask) positions(ctx context.Context, stored connect.OffsetReader) (map[string]map[int32]kgo.Offset, error) {
	t.parts = make(map[TopicPartition]*partition, len(t.cfg.Partitions))
	from := make(map[string]map[int32]kgo.Offset)
	keys := make([]connect.Fields, len(t.cfg.Partitions))
	for i, tp := range t.cfg.Partitions {
		keys[i] = sourcePartition(t.cfg.SourceAlias, tp)
	}
	offsets, err := stored.Offsets(ctx, keys)
	if err != nil {
		return nil, fmt.Errorf("reading the stored offsets: %w", err)
	}
	start := t.startOffset()
	known := 0
	for i, tp := range t.cfg.Partitions {
		p := &partition{TopicPartition: tp, remote: t.cfg.RemoteTopic(tp.Topic), source: keys[i], next: noOffset}
		t.parts[tp] = p
		last, err := storedOffset(offsets[i])
		if err != nil {
			return nil, fmt.Errorf("partition %s: %w", tp, err)
		}
		at := start
		if last >= 0 {
			p.next = last + 1
			at = kgo.NewOffset().At(p.next)
			known++
		}
		if from[tp.Topic] == nil {
			from[tp.Topic] = make(map[int32]kgo.Offset)
		}
		from[tp.Topic][tp.Partition] = at
	}
	t.log.Info("copying partitions", "partitions", len(t.cfg.Partitions), "continued", known, "new", len(t.cfg.Partitions)-known)
	return from, nil
}

// startOffset is where a partition starts that has no stored offset.
func (t *sourceTask) startOffset() kgo.Offset {
	switch reset := t.cfg.ConsumerProperties(Source, "")["auto.offset.reset"]; reset {
	case "latest":
		return kgo.NewOffset().AtEnd()
	default:
		return kgo.NewOffset().AtStart()
	}
}

// Poll returns the next records, or nil after consumer.poll.timeout.ms.
func (t *sourceTask) Poll(ctx context.Context) ([]connect.SourceRecord, error) {
	bounded, cancel := context.WithTimeout(ctx, t.cfg.PollTimeout)
	defer cancel()
	fetches := t.client.PollRecords(bounded, t.maxPoll)
	err := t.failures(ctx, fetches)
	records := t.convert(fetches)
	switch {
	case err != nil:
		return records, err
	case len(records) > 0:
		t.watch.works()
		t.trouble.Store(nil)
	case bounded.Err() != nil && ctx.Err() == nil:
		t.reach(ctx)
	}
	return records, nil
}

// failures takes note of the errors among what was polled, and returns the one that ends the task, if there is one. The
// others are reported, and the client tries again what failed: also what is forbidden may be allowed soon.
func (t *sourceTask) failures(ctx context.Context, fetches kgo.Fetches) (fatal error) {
	recreated := make(map[string]bool)
	fetches.EachError(func(topic string, number int32, err error) {
		var loss *kgo.ErrDataLoss
		switch {
		case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		case errors.Is(err, kerr.UnknownTopicID):
			recreated[topic] = true
		case errors.As(err, &loss):
			t.log.Error("the source has lost records that were copied, or were to be copied: its log was cut short. Copying goes on behind the cut",
				"partition", TopicPartition{Topic: loss.Topic, Partition: loss.Partition}.String(), "copiedTo", loss.ConsumedTo, "goesOnAt", loss.ResetTo)
			if p := t.parts[TopicPartition{Topic: loss.Topic, Partition: loss.Partition}]; p != nil {
				p.next = noOffset
			}
		case errors.Is(err, kerr.OffsetOutOfRange) && t.failOnReset:
			p := t.parts[TopicPartition{Topic: topic, Partition: number}]
			fatal = cmp.Or(fatal, fmt.Errorf("partition %s-%d of source cluster %s: offset %d, where to go on, does not exist (any more), and auto.offset.reset is none: "+
				"alter the offsets of the connector, or set auto.offset.reset: %w", topic, number, t.cfg.SourceAlias, nextOf(p), err))
		case passing(err):
			t.fails(fmt.Errorf("partition %s-%d of source cluster %s can't be read: %w", topic, number, t.cfg.SourceAlias, err))
		default:
			fatal = cmp.Or(fatal, fmt.Errorf("partition %s-%d of source cluster %s can't be read from offset %d on: %w", topic, number, t.cfg.SourceAlias, nextOf(t.parts[TopicPartition{Topic: topic, Partition: number}]), err))
		}
	})
	for topic := range recreated {
		t.startOver(topic)
	}
	return fatal
}

func nextOf(p *partition) int64 {
	if p == nil {
		return noOffset
	}
	return p.next
}

// passing reports whether what failed may work later without a new task.
func passing(err error) bool {
	var ke *kerr.Error
	if !errors.As(err, &ke) {
		var closed interface{ Timeout() bool } // of the network
		return errors.As(err, &closed)
	}
	return ke.Retriable || errors.Is(err, kerr.TopicAuthorizationFailed) || errors.Is(err, kerr.ClusterAuthorizationFailed) || errors.Is(err, kerr.SaslAuthenticationFailed)
}

// fails takes note of an error that passes.
func (t *sourceTask) fails(err error) {
	t.trouble.Store(&err)
	t.watch.fails(err)
}

// startOver copies a topic from its beginning that was deleted and made anew.
func (t *sourceTask) startOver(topic string) {
	from := make(map[int32]kgo.Offset)
	for _, p := range t.parts {
		if p.Topic == topic {
			p.next = noOffset
			from[p.Partition] = kgo.NewOffset().AtStart()
		}
	}
	t.log.Warn("a topic of the source was deleted and made anew; the new one is copied from its beginning, to the same topic of the target", "topic", topic)
	t.client.PurgeTopicsFromConsuming(topic)
	t.client.AddConsumePartitions(map[string]map[int32]kgo.Offset{topic: from})
}

// reach finds out, now and then, whether the source cluster can be reached at all, when it has nothing to copy.
func (t *sourceTask) reach(ctx context.Context) {
	if !t.watch.due() {
		return
	}
	bounded, cancel := context.WithTimeout(ctx, reachTimeout)
	defer cancel()
	if err := t.client.Ping(bounded); err == nil {
		t.watch.works()
		t.trouble.Store(nil)
	} else if ctx.Err() == nil {
		t.fails(fmt.Errorf("source cluster %s can't be reached: %w", t.cfg.SourceAlias, err))
	}
}

// Health returns why nothing comes from the source.
func (t *sourceTask) Health(context.Context) error {
	if err := t.trouble.Load(); err != nil {
		return *err
	}
	return nil
}

// CommitRecord takes note of where on the target a record is.
func (t *sourceTask) CommitRecord(_ context.Context, r *connect.SourceRecord, m *connect.RecordMetadata) error {
	at, ok := r.SourceOffset.(*position)
	if !ok || m == nil {
		return nil // dropped on the way: nothing of the target to tell
	}
	if t.syncs != nil && m.Offset >= 0 { // without acks the offset is not known
		t.syncs.record(at.part, at.offset, m.Offset)
	}
	if at.part.stat != nil {
		if t.told != at.part {
			t.flushMetrics()
			t.told = at.part
		}
		at.part.stat.sent(r.Timestamp)
	}
	return nil
}

// flushMetrics records what was kept to be recorded at once. All others are recorded already.
func (t *sourceTask) flushMetrics() {
	if t.told != nil {
		t.told.stat.flush()
	}
}

// Commit sends also those offset syncs that were not due.
func (t *sourceTask) Commit(context.Context) error {
	t.flushMetrics()
	if t.syncs != nil {
		t.syncs.commit()
	}
	return nil
}

// Stop closes the clients.
func (t *sourceTask) Stop(ctx context.Context) error {
	if t.client != nil {
		t.client.Close()
	}
	if t.syncs != nil {
		bounded, cancel := context.WithTimeout(ctx, lastSyncs)
		t.syncs.flush(bounded)
		cancel()
	}
	if t.syncClient != nil {
		t.syncClient.Close()
	}
	return nil
}

// lastSyncs is how long a task that stops waits for its last offset syncs.
const lastSyncs = time.Second
