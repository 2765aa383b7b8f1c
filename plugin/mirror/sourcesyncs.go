package mirror

import (
	"context"
	"log/slog"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"
)

// syncRule decides after which records of a partition an offset sync is due. The zero value has seen no record.
type syncRule struct {
	upstream, downstream int64 // of the last record
	synced               int64 // downstream, of the last sync
	seen                 bool
}

// due takes note of a record that arrived on the target, and reports whether its offsets must be told: if none were
// told yet, if the distance between both offsets changed, if the target was cut short, or if consumers would be
// maxLag behind by the last ones. (They are translated to the one after those.)
func (r *syncRule) due(upstream, downstream, maxLag int64) bool {
	due := !r.seen || downstream-(r.synced+1) >= maxLag || upstream-r.upstream != 1 || downstream < r.downstream
	r.upstream, r.downstream, r.seen = upstream, downstream, true
	if due {
		r.synced = downstream
	}
	return due
}

// syncEntry is an offset sync of a partition on its way: in one of the lists of a [syncQueue], or in none.
type syncEntry struct {
	part                 *partition
	upstream, downstream int64
	n                    uint64    // counts the syncs of the partition
	list                 *syncList // that it is in
	prev, next           *syncEntry
}

// syncList is a list of offset syncs, at most one for a partition, in the order in which the partitions came.
type syncList struct{ first, last *syncEntry }

func (l *syncList) add(e *syncEntry, upstream, downstream int64) {
	e.upstream, e.downstream = upstream, downstream
	if e.list == l {
		return
	}
	e.list, e.prev, e.next = l, l.last, nil
	if l.last != nil {
		l.last.next = e
	} else {
		l.first = e
	}
	l.last = e
}

func (l *syncList) remove(e *syncEntry) {
	if e.list != l {
		return
	}
	if e.prev != nil {
		e.prev.next = e.next
	} else {
		l.first = e.next
	}
	if e.next != nil {
		e.next.prev = e.prev
	} else {
		l.last = e.prev
	}
	e.list, e.prev, e.next = nil, nil, nil
}

// syncQueue has the offset syncs of a task that are not sent yet. Those that are due are pending; of other partitions
// the newest is kept back until offsets are committed, so that a partition that falls silent is told of to its end.
// It is not safe for concurrent use.
type syncQueue struct {
	maxLag           int64
	pending, delayed syncList
}

// record takes note of a record of a partition that arrived on the target.
func (q *syncQueue) record(p *partition, upstream, downstream int64) {
	if p.rule.due(upstream, downstream, q.maxLag) {
		q.delayed.remove(&p.delayed)
		q.send(p, upstream, downstream)
		return
	}
	p.delayed.part = p
	q.delayed.add(&p.delayed, upstream, downstream)
}

// commit makes pending what was kept back.
func (q *syncQueue) commit() {
	for e := q.delayed.first; e != nil; e = q.delayed.first {
		q.delayed.remove(e)
		q.send(e.part, e.upstream, e.downstream)
	}
}

// send makes a sync pending, in place of an older one of its partition.
func (q *syncQueue) send(p *partition, upstream, downstream int64) {
	p.pending.part = p
	p.pending.n++
	q.pending.add(&p.pending, upstream, downstream)
}

// take returns the next sync that is pending.
func (q *syncQueue) take() (e syncEntry, ok bool) {
	if q.pending.first == nil {
		return e, false
	}
	e = *q.pending.first
	q.pending.remove(q.pending.first)
	return e, true
}

// again makes a sync pending that could not be sent, unless there is a newer one of its partition.
func (q *syncQueue) again(e syncEntry) {
	if e.part.pending.n == e.n {
		q.pending.add(&e.part.pending, e.upstream, e.downstream)
	}
}

// syncWriter sends offset syncs. Its methods may be called concurrently, and do not wait.
type syncWriter struct {
	client *kgo.Client
	topic  string
	log    *slog.Logger

	mu       sync.Mutex
	queue    syncQueue
	inFlight int
	failing  bool // the last one was not sent
	failures int  // how many were not
}

// maxSyncsInFlight bounds what of offset syncs is in the client's memory. What is not sent stays one sync for each
// partition, however long it takes.
const maxSyncsInFlight = 256

func newSyncWriter(client *kgo.Client, topic string, maxLag int64, log *slog.Logger) *syncWriter {
	return &syncWriter{client: client, topic: topic, log: log, queue: syncQueue{maxLag: maxLag}}
}

// record takes note of a record that arrived on the target, and sends what is due.
func (w *syncWriter) record(p *partition, upstream, downstream int64) {
	w.mu.Lock()
	w.queue.record(p, upstream, downstream)
	idle := w.queue.pending.first == nil
	w.mu.Unlock()
	if !idle {
		w.send()
	}
}

// commit sends also what is not due yet.
func (w *syncWriter) commit() {
	w.mu.Lock()
	w.queue.commit()
	w.mu.Unlock()
	w.send()
}

// send sends what is pending, up to the first one that fails: that is pending again, and would be tried without an end.
func (w *syncWriter) send() {
	w.mu.Lock()
	failures := w.failures
	w.mu.Unlock()
	for {
		w.mu.Lock()
		if w.inFlight >= maxSyncsInFlight || w.failures != failures {
			w.mu.Unlock()
			return
		}
		e, ok := w.queue.take()
		if ok {
			w.inFlight++
		}
		w.mu.Unlock()
		if !ok {
			return
		}
		s := OffsetSync{TopicPartition: e.part.TopicPartition, Upstream: e.upstream, Downstream: e.downstream}
		key, err := s.Key()
		if err != nil {
			w.sent(e, err)
			continue
		}
		w.client.TryProduce(context.Background(), &kgo.Record{Topic: w.topic, Key: key, Value: s.Value()}, func(_ *kgo.Record, err error) { w.sent(e, err) })
	}
}

// sent takes note of what became of a sync. One that failed is sent with the next record, or when offsets are
// committed: until then consumers are translated to an earlier offset, and lose nothing.
func (w *syncWriter) sent(e syncEntry, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.inFlight--
	if err != nil {
		w.failures++
		w.queue.again(e)
	}
	switch failing := err != nil; {
	case failing && !w.failing:
		w.log.Error("an offset sync could not be sent; it will be tried again", "topic", w.topic, "partition", e.part.TopicPartition.String(), "err", err)
	case !failing && w.failing:
		w.log.Info("offset syncs are sent again", "topic", w.topic)
	}
	w.failing = err != nil
}

// flush sends what is left, and waits until it has arrived or ctx is done.
func (w *syncWriter) flush(ctx context.Context) {
	w.commit()
	if err := w.client.Flush(ctx); err != nil {
		w.log.Warn("the last offset syncs were not sent in time: consumers are translated to earlier offsets until more records are copied", "topic", w.topic, "err", err)
	}
}
