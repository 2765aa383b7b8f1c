package connecttest

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gokconnect/connect"
)

// ConnectorContext is a [connect.ConnectorContext] that keeps what it was asked for.
type ConnectorContext struct {
	calls
	info     connect.ConnectorInfo
	ctx      context.Context
	cancel   context.CancelCauseFunc
	changed  chan struct{} // holds a request that nobody saw yet
	stateMu  sync.Mutex
	errs     []error
	requests int
	raised   func(error) // hears of RaiseError; or nil
	metrics  Metrics
}

// Metrics returns what [connect.MetricsOf] gives the connector.
func (c *ConnectorContext) Metrics() connect.Metrics { return &c.metrics }

// PluginMetrics returns the connector's metrics.
func (c *ConnectorContext) PluginMetrics() *Metrics { return &c.metrics }

// NewConnectorContext returns the context of a connector with that name, which ends with the test. offsets may be nil,
// as they are for a sink.
func NewConnectorContext(t testing.TB, name string, offsets *Offsets) *ConnectorContext {
	c := &ConnectorContext{info: connect.ConnectorInfo{Name: name, Logger: logger(t)}, changed: make(chan struct{}, 1)}
	if offsets != nil {
		c.info.Offsets = offsets
	}
	c.ctx, c.cancel = context.WithCancelCause(context.Background())
	t.Cleanup(c.End)
	return c
}

// Context returns the context of the run, which [ConnectorContext.End] ends.
func (c *ConnectorContext) Context() context.Context { return c.ctx }

// RequestTaskReconfiguration counts the request. It fails after End.
func (c *ConnectorContext) RequestTaskReconfiguration() error {
	c.add("RequestTaskReconfiguration")
	if c.ctx.Err() != nil {
		return connect.ErrIllegalState
	}
	c.stateMu.Lock()
	c.requests++
	c.stateMu.Unlock()
	select {
	case c.changed <- struct{}{}:
	default: // one is waiting already
	}
	return nil
}

// RaiseError keeps the error.
func (c *ConnectorContext) RaiseError(err error) {
	c.add("RaiseError", err)
	c.stateMu.Lock()
	defer c.stateMu.Unlock()
	c.errs = append(c.errs, err)
	if c.raised != nil {
		c.raised(err)
	}
}

// Info returns the name, a logger to the test's output, and the offsets.
func (c *ConnectorContext) Info() connect.ConnectorInfo { return c.info }

// End ends the run: call it before the connector's Stop.
func (c *ConnectorContext) End() { c.cancel(connect.ErrStopping) }

// Requests returns how often new task configurations were asked for.
func (c *ConnectorContext) Requests() int {
	c.stateMu.Lock()
	defer c.stateMu.Unlock()
	return c.requests
}

// Errors returns the errors that were raised.
func (c *ConnectorContext) Errors() []error {
	c.stateMu.Lock()
	defer c.stateMu.Unlock()
	return slices.Clone(c.errs)
}

// taskContext is what both task contexts share.
type taskContext struct {
	calls
	id     connect.TaskID
	logger *slog.Logger
	cfgMu  sync.Mutex
	cfg    connect.Config

	metrics Metrics
}

// Metrics returns what [connect.MetricsOf] gives the task.
func (c *taskContext) Metrics() connect.Metrics { return &c.metrics }

// PluginMetrics returns the task's metrics.
func (c *taskContext) PluginMetrics() *Metrics { return &c.metrics }

// ID returns the task's id.
func (c *taskContext) ID() connect.TaskID { return c.id }

// Logger returns a logger to the test's output.
func (c *taskContext) Logger() *slog.Logger { return c.logger }

// Config returns a copy of the task's configuration.
func (c *taskContext) Config(context.Context) (connect.Config, error) {
	c.add("Config")
	c.cfgMu.Lock()
	defer c.cfgMu.Unlock()
	return maps.Clone(c.cfg), nil
}

// SetConfig changes what Config returns, as when a secret was rotated.
func (c *taskContext) SetConfig(cfg connect.Config) {
	c.cfgMu.Lock()
	defer c.cfgMu.Unlock()
	c.cfg = maps.Clone(cfg)
}

// SourceContext is a [connect.SourceTaskContext] that keeps what it was asked for.
type SourceContext struct {
	taskContext
	offsets *Offsets
	// Transaction is what Transactions returns; nil is no transactions.
	Transaction *Transaction
	// Batches says which batches of records the task may return; nil is none.
	Batches *Batches
	allowed atomic.Bool // what the task heard last
}

// NewSourceContext returns the context of a source task, which may return no batches of records. offsets may be nil for none.
func NewSourceContext(t testing.TB, id connect.TaskID, cfg connect.Config, offsets *Offsets) *SourceContext {
	if offsets == nil {
		offsets = new(Offsets)
	}
	return &SourceContext{taskContext: taskContext{id: id, logger: logger(t), cfg: maps.Clone(cfg)}, offsets: offsets, Batches: new(Batches)}
}

// Offsets returns the stored offsets.
func (c *SourceContext) Offsets() connect.OffsetReader { return c.offsets }

// Transactions returns c.Transaction, or nil.
func (c *SourceContext) Transactions() connect.TransactionContext {
	if c.Transaction == nil {
		return nil
	}
	return c.Transaction
}

// ForwardsBatches implements [connect.BatchForwarder], as c.Batches says.
func (c *SourceContext) ForwardsBatches(headers bool) bool {
	may, withHeaders, _ := c.Batches.answer()
	c.allowed.Store(may)
	return may && (withHeaders || !headers)
}

// LeastBatch implements [connect.BatchForwarder], as c.Batches says.
func (c *SourceContext) LeastBatch() int {
	_, _, least := c.Batches.answer()
	return least
}

// Transaction is a [connect.TransactionContext] that records its calls.
type Transaction struct{ calls }

// CommitBatch records the call.
func (t *Transaction) CommitBatch() { t.add("CommitBatch") }

// CommitAt records the call.
func (t *Transaction) CommitAt(index int) { t.add("CommitAt", index) }

// AbortBatch records the call.
func (t *Transaction) AbortBatch() { t.add("AbortBatch") }

// AbortAt records the call.
func (t *Transaction) AbortAt(index int) { t.add("AbortAt", index) }

// SinkContext is a [connect.SinkTaskContext] that keeps what it was asked for.
type SinkContext struct {
	taskContext
	partitions SinkPartitions
	// Errant is what ErrantRecordReporter returns; nil is none.
	Errant *ErrantReporter

	timeout  time.Duration
	commitMu sync.Mutex
	commits  int
}

// NewSinkContext returns the context of a sink task, with an [ErrantReporter].
func NewSinkContext(t testing.TB, id connect.TaskID, cfg connect.Config) *SinkContext {
	return &SinkContext{
		taskContext: taskContext{id: id, logger: logger(t), cfg: maps.Clone(cfg)},
		Errant:      new(ErrantReporter),
	}
}

// Partitions returns the fake consumer.
func (c *SinkContext) Partitions() connect.SinkPartitions { return &c.partitions }

// Consumer returns the fake consumer as what it is.
func (c *SinkContext) Consumer() *SinkPartitions { return &c.partitions }

// Timeout keeps d.
func (c *SinkContext) Timeout(d time.Duration) {
	c.add("Timeout", d)
	if d > 0 {
		c.timeout = d
	}
}

// TakeTimeout returns what Timeout was last called with since the last TakeTimeout, or 0.
func (c *SinkContext) TakeTimeout() time.Duration {
	d := c.timeout
	c.timeout = 0
	return d
}

// RequestCommit counts the request.
func (c *SinkContext) RequestCommit() {
	c.add("RequestCommit")
	c.commitMu.Lock()
	defer c.commitMu.Unlock()
	c.commits++
}

// TakeCommitRequest reports whether a commit was asked for since the last TakeCommitRequest.
func (c *SinkContext) TakeCommitRequest() bool {
	c.commitMu.Lock()
	defer c.commitMu.Unlock()
	asked := c.commits > 0
	c.commits = 0
	return asked
}

// ErrantRecordReporter returns c.Errant, or nil.
func (c *SinkContext) ErrantRecordReporter() connect.ErrantRecordReporter {
	if c.Errant == nil {
		return nil
	}
	return c.Errant
}

// SinkPartitions is a [connect.SinkPartitions] that keeps what it was asked for.
type SinkPartitions struct {
	calls
	assigned map[connect.TopicPartition]bool // true is paused
	seeks    map[connect.TopicPartition]int64
}

// Assign changes what is assigned.
func (p *SinkPartitions) Assign(partitions ...connect.TopicPartition) {
	assigned := make(map[connect.TopicPartition]bool, len(partitions))
	for _, tp := range partitions {
		assigned[tp] = p.assigned[tp]
	}
	p.assigned = assigned
}

// Assigned returns what is assigned, sorted.
func (p *SinkPartitions) Assigned() []connect.TopicPartition {
	return slices.SortedFunc(maps.Keys(p.assigned), comparePartitions)
}

// Seek keeps the offsets.
func (p *SinkPartitions) Seek(offsets map[connect.TopicPartition]int64) {
	p.add("Seek", maps.Clone(offsets))
	if p.seeks == nil {
		p.seeks = make(map[connect.TopicPartition]int64)
	}
	maps.Copy(p.seeks, offsets)
}

// TakeSeeks returns the offsets of all calls of Seek since the last TakeSeeks.
func (p *SinkPartitions) TakeSeeks() map[connect.TopicPartition]int64 {
	seeks := p.seeks
	p.seeks = nil
	return seeks
}

// Pause pauses partitions.
func (p *SinkPartitions) Pause(partitions ...connect.TopicPartition) error {
	return p.pause("Pause", true, partitions)
}

// Resume undoes Pause.
func (p *SinkPartitions) Resume(partitions ...connect.TopicPartition) error {
	return p.pause("Resume", false, partitions)
}

func (p *SinkPartitions) pause(method string, to bool, partitions []connect.TopicPartition) error {
	p.add(method, slices.Clone(partitions))
	for _, tp := range partitions {
		if _, ok := p.assigned[tp]; !ok {
			return connect.ErrIllegalState
		}
	}
	for _, tp := range partitions {
		p.assigned[tp] = to
	}
	return nil
}

// Paused returns what is paused, sorted.
func (p *SinkPartitions) Paused() []connect.TopicPartition {
	var paused []connect.TopicPartition
	for tp, yes := range p.assigned {
		if yes {
			paused = append(paused, tp)
		}
	}
	slices.SortFunc(paused, comparePartitions)
	return paused
}

// ErrantRecord is a record that a sink gave up.
type ErrantRecord struct {
	Record connect.SinkRecord
	Cause  error
}

// ErrantReporter is a [connect.ErrantRecordReporter] that keeps what it gets. It is safe for concurrent use.
type ErrantReporter struct {
	// Err, if not nil, is the error of every Report, as with errors.tolerance=none.
	Err error

	mu      sync.Mutex
	records []ErrantRecord
}

// Report keeps the record.
func (e *ErrantReporter) Report(_ context.Context, r *connect.SinkRecord, cause error) (connect.Report, error) {
	if e.Err != nil {
		return nil, e.Err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.records = append(e.records, ErrantRecord{*r, cause})
	return reported{}, nil
}

// Records returns what was reported.
func (e *ErrantReporter) Records() []ErrantRecord {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.records)
}

type reported struct{}

func (reported) Wait(ctx context.Context) error { return ctx.Err() }

func comparePartitions(a, b connect.TopicPartition) int {
	if a.Topic != b.Topic {
		if a.Topic < b.Topic {
			return -1
		}
		return 1
	}
	return int(a.Partition) - int(b.Partition)
}
