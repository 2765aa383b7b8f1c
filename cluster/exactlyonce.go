package cluster

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/clients"
	"github.com/gokconnect/connect/internal/connconfig"
	"github.com/gokconnect/connect/internal/kafkalog"
	"github.com/gokconnect/connect/internal/worker"
	"github.com/gokconnect/connect/internal/workerconfig"
	"github.com/gokconnect/connect/offsets"
	"github.com/twmb/franz-go/pkg/kgo"
)

// checkExactlyOnce refuses configurations with which sources could not deliver exactly once although they are to.
func checkExactlyOnce(cfg Config, s *workerconfig.Distributed) error {
	if s.ExactlyOnce != workerconfig.ExactlyOnceEnabled {
		return nil
	}
	const prefix = "cluster.Config: Worker: exactly.once.source.support=enabled "
	if cfg.Offsets != nil {
		return errors.New(prefix + "needs source offsets in Kafka, in the transactions of the records: Offsets must be nil")
	}
	if _, alone := cfg.Coordinator.(*standalone); alone {
		return errors.New(prefix + "needs a group of instances, of one at least: its log of tasks tells which producers to fence. Coordinator must not be Standalone")
	}
	return nil
}

// txOffsets stores the offsets of a source connector in the transactions of its tasks.
type txOffsets struct {
	own  *offsets.Kafka
	both *offsets.PerConnector // own and the worker's; nil if own is all there is
}

func newTxOffsets(store offsets.Store) (*txOffsets, error) {
	switch s := store.(type) {
	case *offsets.Kafka:
		return &txOffsets{own: s}, nil
	case *offsets.PerConnector:
		if own, ok := s.Own.(*offsets.Kafka); ok {
			return &txOffsets{own, s}, nil
		}
	}
	return nil, fmt.Errorf("offsets in %T can't be part of a transaction", store)
}

// Records implements [worker.TransactionalOffsets].
func (t *txOffsets) Records(ctx context.Context, connector string, entries []connect.PartitionOffset) ([]*kgo.Record, error) {
	if t.both != nil {
		if err := t.both.Prepare(ctx, connector, entries); err != nil {
			return nil, err
		}
	}
	return t.own.Records(connector, entries)
}

// Committed implements [worker.TransactionalOffsets].
func (t *txOffsets) Committed(connector string, entries []connect.PartitionOffset) {
	if t.both != nil {
		t.both.Committed(context.Background(), connector, entries)
	}
}

// Topic implements [worker.TransactionalOffsets].
func (t *txOffsets) Topic() string { return t.own.Topic() }

// maxBufferedRecords is how many records an exactly-once task may have in flight; buffer.memory bounds their bytes.
const maxBufferedRecords = 20_000

// transactional returns a client for the transactions of a task. Those that had its transactional id are fenced, and what they
// had open is aborted or, if its commit had begun, committed: the stored offsets are final then.
func (k *kafka) transactional(ctx context.Context, connector connect.Config, id connect.TaskID, clientID string) (_ *kgo.Client, timeout time.Duration, err error) {
	props, ignored := k.props.TransactionalProducer(connector, id, clientID)
	for _, w := range ignored {
		k.rt.log.Warn(w, "connector", id.Connector, "task", id.Task)
	}
	opts, extra, warnings, err := k.options.Producer(props)
	if err != nil {
		return nil, 0, fmt.Errorf("producer: %w", err)
	}
	k.warn(warnings, "connector", id.Connector, "task", id.Task)
	client, err := kgo.NewClient(append(opts, kgo.MaxBufferedRecords(maxBufferedRecords))...)
	if err != nil {
		return nil, 0, fmt.Errorf("producer: %w", err)
	}
	if _, _, err := client.ProducerID(ctx); err != nil {
		client.Close()
		return nil, 0, fmt.Errorf("producer with the transactional id %q: %w", extra.TransactionalID, err)
	}
	timeout, _ = client.OptValue(kgo.TransactionTimeout).(time.Duration)
	return client, timeout, nil
}

// exactlyOnce makes what a run of a source task needs to deliver exactly once, in this order: the producers of the tasks
// before are fenced, then those with the id of this task, and then it is checked that the task is still the one to run.
func (rt *Runtime) exactlyOnce(ctx context.Context, o worker.TaskOptions, s *connconfig.SourceConfig, generation int32, connector connect.Config, store offsets.Store) (*worker.ExactlyOnceParts, func(), error) {
	where, err := newTxOffsets(store)
	if err != nil {
		return nil, nil, err
	}
	if err := rt.fence(ctx, o.ID.Connector); err != nil {
		return nil, nil, err
	}
	client, timeout, err := rt.kafka.transactional(ctx, connector, o.ID, clients.TaskProducerID(o.ID))
	if err != nil {
		return nil, nil, err
	}
	if err := rt.checkTask(ctx, o.ID, generation); err != nil {
		client.Close()
		return nil, nil, err
	}
	parts := &worker.ExactlyOnceParts{Client: client, Offsets: where, Boundary: s.Boundary}
	parts.MaxRequestSize, _ = client.OptValue(kgo.ProducerBatchMaxBytes).(int32)
	switch s.Boundary {
	case connconfig.BoundaryConnector:
		parts.Requests = new(worker.TransactionRequests)
	case connconfig.BoundaryInterval:
		parts.Interval = rt.settings.OffsetFlushInterval
		if s.HasBoundaryInterval {
			parts.Interval = s.BoundaryInterval
		}
		if timeout > 0 && parts.Interval >= timeout {
			o.Logger.Warn("the broker aborts transactions before their interval is over, which fails the task if it has records to send all the time",
				"transaction.boundary.interval.ms", parts.Interval.Milliseconds(), "transaction.timeout.ms", timeout.Milliseconds())
		}
	}
	return parts, client.Close, nil
}

// abortTime is how long the abort of a transaction with offsets may take that could not be stored.
const abortTime = 5 * time.Second

// setInTransaction stores offsets of a connector that is stopped, in one transaction. The producers of its tasks were fenced.
func (rt *Runtime) setInTransaction(ctx context.Context, c *offsetsOwner, store offsets.Store, entries []connect.PartitionOffset) error {
	where, err := newTxOffsets(store)
	if err != nil {
		return err
	}
	client, _, err := rt.kafka.transactional(ctx, c.cfg, connect.TaskID{Connector: c.name}, clients.OffsetProducerID(c.name))
	if err != nil {
		return err
	}
	defer client.Close()
	records, err := where.Records(ctx, c.name, entries)
	if err != nil {
		return err
	}
	if err := client.BeginTransaction(); err != nil {
		return err
	}
	err = kafkalog.Produce(ctx, client, records...)
	if err == nil {
		err = kafkalog.AwaitTopic(ctx, client, where.Topic())
	}
	if err == nil {
		err = client.EndTransaction(ctx, kgo.TryCommit)
	} else {
		// Readers of the topic would wait for the end of the transaction until the broker aborts it.
		bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), abortTime)
		defer cancel()
		if client.AbortBufferedRecords(bounded) == nil {
			_ = client.EndTransaction(bounded, kgo.TryAbort)
		}
	}
	if err != nil {
		return fmt.Errorf("store offsets in a transaction: %w", err)
	}
	where.Committed(c.name, entries)
	return nil
}
