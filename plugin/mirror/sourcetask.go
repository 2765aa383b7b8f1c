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
	lane   laneState

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
	arrived arrivals

	client *kgo.Client
	parts  map[TopicPartition]*partition
	topics map[string]*sourceTopic
	// unidentified says that records came from a topic whose id is not known.
	unidentified bool
	// failOnReset says that a position which the source does not have ends the task (auto.offset.reset=none).
	failOnReset bool
	maxPoll     int
	watch       watch
	fetchSize   fetchSize
	lane        *batchLane // or nil

	syncClient *kgo.Client // or nil
	syncs      *syncWriter // or nil
	trouble    atomic.Pointer[error]
	failsSince time.Time // zero while nothing fails
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
	opts, extra, err := t.cfg.consumer(Source, roleReplicationConsumer)
	if err != nil {
		return err
	}
	props := t.cfg.ConsumerProperties(Source, "")
	t.failOnReset = extra.FailOnReset
	t.maxPoll = defaultMaxPoll
	if props["max.poll.records"] != "" {
		t.maxPoll = extra.MaxPollRecords
	}
	t.fetchSize.fixed = props["fetch.max.bytes"] != "" || props["max.partition.fetch.bytes"] != ""
	t.watch = watch{every: reachEvery, log: t.log, what: "source cluster " + t.cfg.SourceAlias}
	t.lane = t.newBatchLane(tc, opts, props)
	sizes := t.lane.sizes(t.cfg.Partitions)
	if t.client, err = kgo.NewClient(append(opts, kgo.KeepRetryableFetchErrors(), kgo.WithHooks(&t.fetchSize, sizes), kgo.WithPools(new(recordPool)))...); err != nil {
		return fmt.Errorf("the consumer of the source cluster %s: %w", t.cfg.SourceAlias, err)
	}
	from, err := t.positions(ctx, tc.Offsets())
	if err != nil {
		return err
	}
	for tp, size := range sizes {
		t.parts[tp].lane.size = size
	}
	t.client.AddConsumePartitions(from)
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
	t.topics = make(map[string]*sourceTopic)
	from := make(map[string]map[int32]kgo.Offset)
	keys := make([]connect.Fields, len(t.cfg.Partitions))
	for i, tp := range t.cfg.Partitions {
		keys[i] = sourcePartition(t.cfg.SourceAlias, tp)
	}
	offsets, err := stored.Offsets(ctx, keys)
	if err != nil {
		return nil, fmt.Errorf("reading the stored offsets: %w", err)
	}
	start, _ := t.client.OptValue(kgo.ConsumeStartOffset).(kgo.Offset) // as auto.offset.reset says
	known := 0
	for i, tp := range t.cfg.Partitions {
		p := &partition{TopicPartition: tp, remote: t.cfg.RemoteTopic(tp.Topic), source: keys[i], next: noOffset, lane: laneState{epoch: -1, left: noOffset}}
		t.parts[tp] = p
		last, err := storedOffset(offsets[i])
		if err != nil {
			return nil, fmt.Errorf("partition %s: %w", tp, err)
		}
		at := start
		if last < 0 && t.failOnReset {
			return nil, fmt.Errorf("partition %s of source cluster %s has no stored offset, and auto.offset.reset is none: set the offsets of the connector, or auto.offset.reset", tp, t.cfg.SourceAlias)
		}
		if last >= 0 {
			p.next = last + 1
			at = kgo.NewOffset().At(p.next)
			known++
		}
		if from[tp.Topic] == nil {
			from[tp.Topic] = make(map[int32]kgo.Offset)
			t.topics[tp.Topic] = new(sourceTopic)
		}
		from[tp.Topic][tp.Partition] = at
	}
	t.log.Info("copying partitions", "partitions", len(t.cfg.Partitions), "continued", known, "new", len(t.cfg.Partitions)-known)
	return from, nil
}

// Poll returns the next records, or nil after consumer.poll.timeout.ms.
func (t *sourceTask) Poll(ctx context.Context) ([]connect.SourceRecord, error) {
	bounded, cancel := context.WithTimeout(ctx, t.cfg.PollTimeout)
	defer cancel()
	t.arrived.record() // or the last ones of a burst would wait for Commit
	t.checkMissing(ctx)
	fetches, batches := t.poll(bounded)
	failed, err := t.failures(fetches)
	if err != nil {
		return nil, err
	}
	records, err := t.convert(fetches, false)
	if batches != nil && err == nil {
		var more []connect.SourceRecord
		more, err = t.lane.take(batches)
		records = append(records, more...)
	}
	t.identify(ctx)
	t.fetchSize.adjust(t.client)
	switch {
	case err != nil:
		return nil, err
	case len(records) > 0 && !failed:
		t.works()
	case failed && len(records) == 0:
		pause(bounded, failedPause) // the client repeats at once what failed
	case (bounded.Err() != nil || batches != nil) && ctx.Err() == nil:
		t.reach(ctx)
	}
	return records, nil
}

// failedPause is the wait after a poll that gave nothing but errors.
const failedPause = 100 * time.Millisecond

// failures takes note of the errors among what was polled, and reports whether there were some. It returns the one that
// ends the task, if there is one. After the others the client tries again: also what is forbidden may be allowed soon.
func (t *sourceTask) failures(fetches kgo.Fetches) (failed bool, fatal error) {
	fetches.EachError(func(topic string, number int32, err error) {
		if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
			return
		}
		failed = true
		tp := TopicPartition{Topic: topic, Partition: number}
		p := t.parts[tp]
		var loss *kgo.ErrDataLoss
		switch {
		case errors.As(err, &loss):
			t.log.Error("the source has lost records that were copied, or were to be copied: its log was cut short. Copying goes on behind the cut",
				"partition", tp.String(), "copiedTo", loss.ConsumedTo, "goesOnAt", loss.ResetTo)
			if p != nil {
				p.next, p.lane.epoch = loss.ResetTo, -1
				t.lane.giveBack("the log was cut short", p) // that had it for a moment, from a position behind the cut
				p.next = noOffset
			}
		case errors.Is(err, kerr.OffsetOutOfRange):
			fatal = cmp.Or(fatal, t.outOfRange(tp, nextOf(p), err))
		case errors.Is(err, kerr.UnknownTopicID), errors.Is(err, kerr.UnknownTopicOrPartition), errors.Is(err, kerr.InconsistentTopicID):
			t.missing(topic)
			t.fails(fmt.Errorf("topic %s of source cluster %s can't be read: %w", topic, t.cfg.SourceAlias, err))
		case passing(err):
			t.fails(fmt.Errorf("partition %s of source cluster %s can't be read: %w", tp, t.cfg.SourceAlias, err))
		default:
			fatal = cmp.Or(fatal, fmt.Errorf("partition %s of source cluster %s can't be read from offset %d on: %w", tp, t.cfg.SourceAlias, nextOf(p), err))
		}
	})
	return failed, fatal
}

// outOfRange is the error of a task that must not go on elsewhere than where it was.
func (t *sourceTask) outOfRange(tp TopicPartition, next int64, err error) error {
	return fmt.Errorf("partition %s of source cluster %s: offset %d, where to go on, does not exist (any more), and auto.offset.reset is none: "+
		"alter the offsets of the connector, or set auto.offset.reset: %w", tp, t.cfg.SourceAlias, next, err)
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

// fails takes note of an error that passes. Leaders move, and it takes a moment until the client knows: what passes soon is
// not reported.
func (t *sourceTask) fails(err error) {
	now := time.Now()
	if t.failsSince.IsZero() {
		t.failsSince = now
	}
	var ke *kerr.Error
	if errors.As(err, &ke) && ke.Retriable && now.Sub(t.failsSince) < briefTrouble {
		return
	}
	t.trouble.Store(&err)
	t.watch.fails(err)
}

// briefTrouble is how long errors that come and go are not reported.
const briefTrouble = 5 * time.Second

// works takes note that there is no trouble.
func (t *sourceTask) works() {
	t.failsSince = time.Time{}
	t.watch.works()
	t.trouble.Store(nil)
}

// reach finds out, now and then, whether the source cluster can be reached at all, when it has nothing to copy.
func (t *sourceTask) reach(ctx context.Context) {
	if !t.watch.due() {
		return
	}
	bounded, cancel := context.WithTimeout(ctx, reachTimeout)
	defer cancel()
	if err := t.client.Ping(bounded); err == nil {
		t.works()
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
		n := 1
		b, forwarded := r.Value.(connect.RecordBatch)
		if forwarded {
			n = b.Records
		}
		t.arrived.add(at.part.stat, n, forwarded, r.Timestamp)
	}
	return nil
}

// Commit sends also those offset syncs that were not due.
func (t *sourceTask) Commit(context.Context) error {
	t.arrived.record()
	if t.syncs != nil {
		t.syncs.commit()
	}
	return nil
}

// Stop closes the clients.
func (t *sourceTask) Stop(ctx context.Context) error {
	t.lane.close()
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
