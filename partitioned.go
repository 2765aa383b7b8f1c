package connect

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"
)

// The keys of the configurations of a [Partitioned] and its tasks.
const (
	partitionedTopicKey = "topic"
	partitionedTaskKey  = "partitions"
)

// Partitioned is a [SourceConnector] made of two functions: one that lists the parts of a source, such as tenants,
// tables or shards, and one that reads a part behind an offset. The parts are spread over at most tasks.max tasks, and
// spread anew when they change. Use it by pointer, and one for each connector.
//
//	orders := &connect.Partitioned[Tenant, Cursor]{
//		Partitions: db.Tenants,
//		Read: func(ctx context.Context, t Tenant, from *Cursor) iter.Seq2[connect.Emit[Cursor], error] { … },
//	}
//
// P and C are stored as source partition and source offset, which hold primitive values only. A struct whose fields are
// all booleans, numbers, strings, []byte or types with MarshalText and UnmarshalText is stored field by field, under
// the names of the tag json; a type of these kinds itself as the field value; anything else as JSON text in the field
// json. C may change later as long as what was stored still fits: from int to int64, with more fields or with fewer.
// If P changes so that a partition is stored differently, that partition starts over.
type Partitioned[P, C any] struct {
	// Partitions returns the parts there are, in any order. It is called for each division into tasks and, to
	// notice changes, every Refresh; equal ones count once. An error makes the runtime try again later. If nil there
	// is one partition, the zero P.
	Partitions func(ctx context.Context) ([]P, error)

	// Read returns an iterator over the records of a partition behind from, which is the Offset of the last record
	// that was yielded or, at first, the one that was stored last; it is nil when there is none. For exactly-once
	// delivery it must go on exactly there.
	//
	// The iterators of a task run concurrently, each on its own goroutine, and together ahead of what the runtime has
	// taken by at most ReadAhead records. An iterator waits for data as long as it likes and ends soon after ctx does. When
	// it ends by itself the partition is read again after Refresh. An error ends it: one that [IsRetriable] makes Read
	// be called again after a back-off, any other makes the task FAILED, with the partition in the message.
	Read func(ctx context.Context, partition P, from *C) iter.Seq2[Emit[C], error]

	// Topic is the topic of records that have none. If it is empty, the value of the key topic in the connector's
	// configuration is.
	Topic string
	// Refresh is the time between two calls of Partitions, and between the end of an iterator and the next one. 0 is
	// a minute; below 0 there is no next one.
	Refresh time.Duration
	// ReadAhead is the largest number of records of a task that are read and not yet taken by the runtime, which takes
	// them as one batch: twice as many may be in memory before they are converted. 0 is 1000.
	ReadAhead int

	mu      sync.Mutex
	topic   string   // of the configuration
	spread  []string // the partitions of the last task configurations
	found   error    // the outcome of the last look
	watches []watch
}

// Emit is a record that [Partitioned].Read yields, with the offset behind it. What Offset refers to must not change.
type Emit[C any] struct {
	Record
	Offset C
}

// watch is a goroutine that looks for changes.
type watch struct {
	ctx   context.Context // of the connector's run: it tells this run's watch from that of another
	topic string          // of the configuration
	ended chan struct{}
}

// Start begins to look for changed partitions.
func (c *Partitioned[P, C]) Start(_ context.Context, cc ConnectorContext, cfg Config) error {
	if c.Read == nil {
		return ConfigErrorf("", "connect.Partitioned has no Read")
	}
	w := watch{cc.Context(), cfg[partitionedTopicKey], make(chan struct{})}
	c.mu.Lock()
	for _, other := range c.watches {
		if c.Topic == "" && other.ctx.Err() == nil && other.topic != w.topic { // the task configurations could not tell them apart
			c.mu.Unlock()
			return ConfigErrorf(partitionedTopicKey, "Invalid value %s for configuration topic: the same connect.Partitioned runs with the topic %s: each connector needs one of its own", w.topic, other.topic)
		}
	}
	c.topic, c.spread = w.topic, nil
	c.watches = append(c.watches, w)
	c.mu.Unlock()
	go func() {
		defer close(w.ended)
		if c.Partitions != nil && c.Refresh >= 0 {
			c.watch(cc)
		}
	}()
	return nil
}

// watch asks for new task configurations when the partitions have changed.
func (c *Partitioned[P, C]) watch(cc ConnectorContext) {
	interval := c.Refresh
	if interval == 0 {
		interval = defaultRefresh
	}
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-cc.Context().Done():
			return
		}
		now, err := c.list(cc.Context())
		if cc.Context().Err() != nil {
			return
		}
		c.mu.Lock()
		changed := err == nil && c.spread != nil && !slices.Equal(now, c.spread)
		c.found = err
		c.mu.Unlock()
		if err != nil {
			cc.Info().Logger.Warn("listing partitions failed; the tasks keep those they have", "error", err)
		}
		if changed && cc.RequestTaskReconfiguration() != nil {
			return // the connector was stopped
		}
	}
}

// list returns the partitions as text, sorted, each once.
func (c *Partitioned[P, C]) list(ctx context.Context) (texts []string, err error) {
	partitions := make([]P, 1)
	if c.Partitions != nil {
		if partitions, err = c.listed(ctx); err != nil {
			return nil, err
		}
	}
	codec := newFieldsCodec[P]()
	texts = make([]string, len(partitions))
	for i := range partitions {
		fields, err := codec.encode(&partitions[i])
		if err == nil {
			texts[i], err = fieldsText(fields)
		}
		if err != nil {
			return nil, fmt.Errorf("partition %+v: %w", partitions[i], err)
		}
	}
	slices.Sort(texts)
	return slices.Compact(texts), nil
}

// listed calls Partitions, and makes an error of a panic, since it may run on a goroutine of ours.
func (c *Partitioned[P, C]) listed(ctx context.Context) (partitions []P, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{Call: "Partitioned.Partitions", Value: v}
		}
	}()
	return c.Partitions(ctx)
}

// TaskConfigs lists the partitions and spreads them evenly. The same partitions always give the same configurations.
func (c *Partitioned[P, C]) TaskConfigs(ctx context.Context, maxTasks int) ([]Config, error) {
	texts, err := c.list(ctx)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.found = err; err != nil {
		return nil, fmt.Errorf("list partitions: %w", err)
	}
	c.spread = texts
	configs := make([]Config, min(maxTasks, len(texts)))
	for i := range configs {
		var mine []string
		for j := i; j < len(texts); j += len(configs) {
			mine = append(mine, texts[j])
		}
		configs[i] = Config{partitionedTaskKey: "[" + strings.Join(mine, ",") + "]"}
		if c.topic != "" {
			configs[i][partitionedTopicKey] = c.topic
		}
	}
	return configs, nil
}

// Stop waits until the run's goroutine has ended.
func (c *Partitioned[P, C]) Stop(ctx context.Context) error {
	c.mu.Lock()
	var ended []watch
	c.watches = slices.DeleteFunc(c.watches, func(w watch) bool {
		if w.ctx.Err() == nil {
			return false // another run's, on another instance of the service in the same process
		}
		ended = append(ended, w)
		return true
	})
	c.mu.Unlock()
	for _, w := range ended {
		select {
		case <-w.ended:
		case <-ctx.Done():
			return fmt.Errorf("wait for the listing of partitions: %w", context.Cause(ctx))
		}
	}
	return nil
}

// Health returns the error of the last call of Partitions.
func (c *Partitioned[P, C]) Health(context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.found
}

// ExactlyOnceSupport reports that exactly-once delivery is supported, which is what the contract of Read says.
func (c *Partitioned[P, C]) ExactlyOnceSupport(Config) (ExactlyOnceSupport, error) {
	return ExactlyOnceSupported, nil
}

// AlterOffsets accepts offsets that can be read back as C, for partitions that can be read back as P. Any offset can
// be removed.
func (c *Partitioned[P, C]) AlterOffsets(_ context.Context, _ Config, offsets []PartitionOffset) error {
	partitions, cursors := newFieldsCodec[P](), newFieldsCodec[C]()
	for _, o := range offsets {
		if o.Offset == nil {
			continue
		}
		if _, err := partitions.decode(o.Partition); err != nil {
			return fmt.Errorf("partition %v: %w", o.Partition, err)
		}
		if _, err := cursors.decode(o.Offset); err != nil {
			return fmt.Errorf("offset %v of partition %v: %w", o.Offset, o.Partition, err)
		}
	}
	return nil
}

// NewTask returns a task that reads some of the partitions.
func (c *Partitioned[P, C]) NewTask() SourceTask { return &partitionedTask[P, C]{connector: c} }

type partitionedTask[P, C any] struct {
	readAhead
	connector *Partitioned[P, C]
}

// Start reads the offsets of the task's partitions and begins to read ahead.
func (t *partitionedTask[P, C]) Start(ctx context.Context, tc SourceTaskContext, cfg Config) error {
	partitions, err := parseFields(cfg[partitionedTaskKey])
	if err != nil {
		return ConfigErrorf(partitionedTaskKey, "Invalid value %s for configuration %s: %v", cfg[partitionedTaskKey], partitionedTaskKey, err)
	}
	offsets, err := tc.Offsets().Offsets(ctx, partitions)
	if err != nil {
		return fmt.Errorf("read offsets: %w", err)
	}
	topic := t.connector.Topic
	if topic == "" {
		topic = cfg[partitionedTopicKey]
	}
	codec, cursors := newFieldsCodec[P](), newFieldsCodec[C]()
	readers := make([]reader, len(partitions))
	for i, fields := range partitions {
		name, err := fieldsText(fields)
		if err != nil {
			return err
		}
		name = "partition " + name
		partition, err := codec.decode(fields)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		r := &partitionReader[P, C]{connector: t.connector, partition: partition, fields: fields, topic: topic, codec: cursors}
		if offsets[i] != nil {
			from, err := cursors.decode(offsets[i])
			if err != nil {
				return fmt.Errorf("offset %v of %s: %w", offsets[i], name, err)
			}
			r.from = &from
		}
		readers[i] = reader{name, r.read}
	}
	t.start(ctx, t.connector.ReadAhead, t.connector.Refresh, readers)
	return nil
}

// partitionReader reads one partition.
type partitionReader[P, C any] struct {
	connector *Partitioned[P, C]
	partition P
	fields    Fields // the partition, as all of its records share it
	topic     string
	codec     *fieldsCodec[C]
	from      *C
	cursors   []cursor[C] // room for offsets
}

func (r *partitionReader[P, C]) read(ctx context.Context, emit func(SourceRecord) bool) error {
	var last *cursor[C]
	defer func() {
		if last != nil {
			from := last.at
			r.from = &from
		}
	}()
	for e, err := range r.connector.Read(ctx, r.partition, r.from) {
		if err != nil {
			return err
		}
		if e.Topic == "" {
			e.Topic = r.topic
		}
		if len(r.cursors) == 0 {
			r.cursors = make([]cursor[C], 64)
		}
		next := &r.cursors[0]
		r.cursors = r.cursors[1:]
		next.at, next.codec = e.Offset, r.codec
		if !emit(SourceRecord{Record: e.Record, SourcePartition: r.fields, SourceOffset: next}) {
			return nil
		}
		last = next
	}
	return nil
}

// cursor is a typed offset. Its fields are made only when it is stored.
type cursor[C any] struct {
	at    C
	codec *fieldsCodec[C]
}

// Fields returns the offset's fields. One that can't be encoded gives a field that is not primitive, which the runtime
// refuses to store and names.
func (c *cursor[C]) Fields() Fields {
	fields, err := c.codec.encode(&c.at)
	if err != nil {
		return Fields{"offset": err}
	}
	return fields
}
