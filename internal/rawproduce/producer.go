// Package rawproduce writes batches of records to Kafka as they stand in the log of another: it neither decodes nor
// compresses them, it makes them batches of its own producer id, so that a batch that is sent once more is not written twice.
//
// Of each partition one batch is on its way at a time, so that none overtakes another however often it is sent. What
// brokers refuse of a batch, such as the gaps that compaction leaves, they take of its records: those are decoded and sent
// in batches that a producer would make.
package rawproduce

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Config is what a [Producer] is made of.
type Config struct {
	// Client sends the requests. How long it tries, how large a batch may be, and whether it is idempotent are as its options say for
	// records; it must want acknowledgements of all replicas. It may be shared: nothing goes through its buffers.
	Client *kgo.Client
	// Done is told of each batch, in order for each partition: err is why it could not be written. It is called on
	// the producer's goroutine, and must not block. After an error all later batches of the partition fail.
	Done func(b *Batch, err error)
	// Logger takes what its user should know. Nil, and nobody does.
	Logger *slog.Logger
}

// Producer writes batches. It has a goroutine while there is something to write, and one for each request. It is safe for
// concurrent use.
type Producer struct {
	Config
	ctx        context.Context // of all that it does
	cancel     context.CancelFunc
	timeout    time.Duration // for a batch; 0 is none
	backoff    func(int) time.Duration
	retries    int64
	most       int // bytes of a batch
	unpack     kgo.Decompressor
	idempotent bool
	wg         sync.WaitGroup
	wake       chan struct{} // tells the goroutine that there is something new; holds one

	latency latency

	mu      sync.Mutex
	running bool
	closed  bool
	arrived []*Batch
	events  []func() // for the goroutine

	// The rest belongs to the goroutine. There is one at a time.
	partitions map[partitionKey]*partition
	waiting    []*partition // those whose first batch is not on its way
	topics     map[string]*topic
	inFlight   map[int32]int // requests for each broker
	pending    int           // whatever will be an event
	current    identity
	naming     bool // current is on its way
	idFails    int
	idAgain    time.Time
}

type partitionKey struct {
	topic  string
	number int32
}

// New returns a producer that works until ctx ends or it is closed.
func New(ctx context.Context, c Config) *Producer {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	p := &Producer{Config: c, wake: make(chan struct{}, 1), partitions: make(map[partitionKey]*partition), topics: make(map[string]*topic),
		inFlight: make(map[int32]int), retries: math.MaxInt64, most: 1 << 20, unpack: kgo.DefaultDecompressor()}
	p.ctx, p.cancel = context.WithCancel(ctx)
	p.timeout, _ = c.Client.OptValue(kgo.RecordDeliveryTimeout).(time.Duration)
	p.backoff, _ = c.Client.OptValue(kgo.RetryBackoffFn).(func(int) time.Duration)
	if retries, ok := c.Client.OptValue(kgo.RecordRetries).(int64); ok {
		p.retries = retries
	}
	if most, ok := c.Client.OptValue(kgo.ProducerBatchMaxBytes).(int32); ok {
		p.most = int(most)
	}
	without, _ := c.Client.OptValue(kgo.DisableIdempotentWrite).(bool)
	p.idempotent = !without
	return p
}

// Send writes a batch, sooner or later. It does not wait. A batch that is sent after Close is never done.
func (p *Producer) Send(b *Batch) {
	b.wires = []wire{{bytes: b.Bytes, records: b.Records}}
	if p.timeout > 0 {
		b.until = time.Now().Add(p.timeout)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return
	}
	p.arrived = append(p.arrived, b)
	if p.running {
		p.signal()
		return
	}
	p.running = true
	p.wg.Add(1)
	go p.run()
}

// Close ends what is on its way and returns when the producer's goroutines have ended. Batches that are not done then never
// are; they may have been written.
func (p *Producer) Close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.cancel()
	p.wg.Wait()
}

func (p *Producer) signal() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// run is the producer's goroutine. It ends when there is nothing to do, or with the context.
func (p *Producer) run() {
	defer p.wg.Done()
	for {
		p.mu.Lock()
		arrived, events := p.arrived, p.events
		p.arrived, p.events = nil, nil
		if len(arrived) == 0 && len(events) == 0 && len(p.waiting) == 0 && p.pending == 0 {
			p.running = false
			p.mu.Unlock()
			return
		}
		p.mu.Unlock()
		if p.ctx.Err() != nil {
			return
		}
		for _, event := range events {
			p.pending--
			event()
		}
		for _, b := range arrived {
			p.queue(b)
		}
		next := p.pump(time.Now())
		if len(p.waiting) > 0 || p.pending > 0 {
			p.await(next)
		}
	}
}

// await waits for something new, or for a time; zero is none.
func (p *Producer) await(next time.Time) {
	var at <-chan time.Time
	if !next.IsZero() {
		timer := time.NewTimer(time.Until(next))
		defer timer.Stop()
		at = timer.C
	}
	select {
	case <-p.wake:
	case <-at:
	case <-p.ctx.Done():
	}
}

// async runs something that waits on a goroutine of its own. What it returns is done on the producer's.
func (p *Producer) async(f func() (event func())) {
	p.pending++
	p.wg.Add(1)
	go func() {
		defer p.wg.Done()
		event := f()
		p.mu.Lock()
		defer p.mu.Unlock()
		p.events = append(p.events, event)
		p.signal()
	}()
}

func (p *Producer) queue(b *Batch) {
	key := partitionKey{b.Topic, b.Partition}
	part := p.partitions[key]
	if part == nil {
		part = &partition{topic: b.Topic, number: b.Partition}
		p.partitions[key] = part
	}
	if part.failed != nil {
		p.Done(b, part.failed)
		return
	}
	if part.queue = append(part.queue, b); len(part.queue) == 1 {
		p.waiting = append(p.waiting, part)
	}
}

// fail gives the batches of a partition up, which is not among those that wait.
func (p *Producer) fail(part *partition, err error) {
	part.failed = err
	queue := part.queue
	part.queue = nil
	for _, b := range queue {
		p.Done(b, err)
	}
}

// pump sends what can be sent, and returns when to look again if nothing happens before; zero is never.
func (p *Producer) pump(now time.Time) (next time.Time) {
	sooner := func(at time.Time) {
		if !at.IsZero() && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	var requests []*request
	var ask []*topic
	still := p.waiting[:0]
	for _, part := range p.waiting {
		b := part.queue[0]
		if err := p.expired(part, now); err != nil {
			p.fail(part, err)
			continue
		}
		if !b.rewritten && (len(b.Bytes) > p.most || !passes(b.Bytes)) {
			p.rewrite(part)
			continue
		}
		ready, again, err := p.prepare(part, now, &ask)
		if err != nil {
			p.fail(part, err)
			continue
		}
		if !ready || !p.add(&requests, part) {
			sooner(again)
			sooner(b.until)
			still = append(still, part)
		}
	}
	clear(p.waiting[len(still):])
	p.waiting = still
	p.lookUp(ask)
	for _, r := range requests {
		p.send(r)
	}
	return next
}

// expired returns an error if the first batch of a partition has had its time.
func (p *Producer) expired(part *partition, now time.Time) error {
	b := part.queue[0]
	switch {
	case !b.until.IsZero() && !now.Before(b.until):
	case int64(b.tries) > p.retries:
		return part.why
	default:
		return nil
	}
	if part.why == nil {
		return kgo.ErrRecordTimeout
	}
	return fmt.Errorf("%w, last because of: %s", kgo.ErrRecordTimeout, part.why.Error())
}

// prepare sees to it that a partition has what a request needs. If it is not ready, again is when to look once more; zero is when
// something has happened.
func (p *Producer) prepare(part *partition, now time.Time, ask *[]*topic) (ready bool, again time.Time, err error) {
	if now.Before(part.notBefore) {
		return false, part.notBefore, nil
	}
	t := p.topics[part.topic]
	if t == nil {
		t = &topic{name: part.topic}
		p.topics[part.topic] = t
	}
	if t.looks < max(part.looks, 1) {
		switch {
		case t.asking:
			return false, time.Time{}, nil
		case now.Before(t.again):
			return false, t.again, nil
		}
		t.asking = true
		*ask = append(*ask, t)
		return false, time.Time{}, nil
	}
	if err := part.led(t, now); err != nil {
		if !kerr.IsRetriable(err) {
			return false, time.Time{}, err
		}
		if err := part.absent(t, now); err != nil {
			return false, time.Time{}, err
		}
		p.again(part, now, err)
		return false, part.notBefore, nil
	}
	if t.id != part.topicID {
		if part.id.known {
			p.renew(part) // the sequence number is of a log that is gone
		}
		part.topicID = t.id
	}
	if !part.id.known {
		switch {
		case !p.idempotent:
			part.adopt(nobody)
		case p.current.known:
			part.adopt(p.current)
		case p.naming:
			return false, time.Time{}, nil
		case now.Before(p.idAgain):
			return false, p.idAgain, nil
		default:
			p.identify()
			return false, time.Time{}, nil
		}
	}
	return true, time.Time{}, nil
}

// again has the first batch of a partition sent once more, after a while and after another look at who leads the partition.
func (p *Producer) again(part *partition, now time.Time, why error) {
	b := part.queue[0]
	b.tries++
	part.why = why
	part.notBefore = now.Add(p.backoff(min(b.tries, 1000)))
	if t := p.topics[part.topic]; t != nil {
		part.looks = t.fresh()
	}
	if b.tries%trouble == 0 {
		p.Logger.Warn("a batch of records could not be written yet", "topic", part.topic, "partition", part.number, "attempts", b.tries, "err", why)
	}
}

// trouble is how many attempts in vain are worth a word.
const trouble = 8

// renew has a partition get another identity, which was never used in it.
func (p *Producer) renew(part *partition) {
	if p.current == part.id {
		p.current = identity{}
	}
	part.forget()
}

// identify asks for a producer id. A broker that gives none has to take batches without.
func (p *Producer) identify() {
	p.naming = true
	p.async(func() func() {
		req := kmsg.NewPtrInitProducerIDRequest()
		req.ProducerID, req.ProducerEpoch, req.TransactionTimeoutMillis = -1, -1, math.MaxInt32
		resp, err := req.RequestWith(p.ctx, p.Client)
		return func() {
			p.naming = false
			if err == nil {
				err = kerr.ErrorForCode(resp.ErrorCode)
			}
			var refused *kerr.Error
			switch {
			case err == nil:
				p.current, p.idFails = identity{resp.ProducerID, resp.ProducerEpoch, true}, 0
			case errors.As(err, &refused) && !refused.Retriable:
				p.Logger.Warn("there is no producer id for batches of records: one that is sent once more may be written twice", "err", err)
				p.idempotent = false
			default:
				p.idFails++
				p.idAgain = time.Now().Add(p.backoff(min(p.idFails, 1000)))
				for _, part := range p.waiting {
					part.why = err
				}
			}
		}
	})
}

// rewrite puts the records of a partition's first batch, or of what is left of it, into batches that brokers take.
func (p *Producer) rewrite(part *partition) {
	b := part.queue[0]
	b.rewritten = true
	p.async(func() func() {
		wires, err := rewrite(b.Bytes, p.most, p.unpack)
		return func() { p.rewrote(part, wires, err) }
	})
}

func (p *Producer) rewrote(part *partition, wires []wire, err error) {
	if err != nil {
		p.fail(part, fmt.Errorf("the batch can't be read: %w", err))
		return
	}
	b := part.queue[0]
	b.wires, b.Bytes = slices.Concat(wires, b.wires[1:]), nil
	for _, w := range wires {
		if len(w.bytes) > p.most {
			p.fail(part, fmt.Errorf("%w: a record takes %d bytes, the client sends %d at most", kerr.MessageTooLarge, len(w.bytes), p.most))
			return
		}
	}
	p.waiting = append(p.waiting, part)
}
