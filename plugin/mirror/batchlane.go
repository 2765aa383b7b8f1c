package mirror

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/recordbatch"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// batchLane copies partitions by whole batches, which nobody decodes. It takes over partitions from the consumer whose batches
// are large enough for that, and gives them back whenever something is not as usual: errors, logs that were cut short, batches that
// must be decoded. So it knows nothing of these.
//
// All of it belongs to the goroutine of Poll, but for the requests.
type batchLane struct {
	t         *sourceTask
	allowed   connect.BatchForwarder
	opts      []kgo.Opt   // of its client
	client    *kgo.Client // nil before it is needed
	committed bool        // what is not committed is not copied
	headers   bool        // records with headers can be forwarded, now
	search    headerSearch

	parts   []*partition // that it has; first those from which nothing came for the longest time, so that none waits for others
	busy    map[int32]bool
	turn    int           // of takes
	next    time.Time     // when to look for partitions to take over
	results chan *fetched // one at a time
	ctx     context.Context
	stop    context.CancelFunc
	running sync.WaitGroup
}

// fetched is what a broker answered to one request.
type fetched struct {
	broker int32
	from   []fetchFrom
	resp   *kmsg.FetchResponse
	err    error
}

// fetchFrom is a partition of a request, and where it was to be read from.
type fetchFrom struct {
	*partition
	offset int64
	id     [16]byte // of the topic
}

// laneState is what a batchLane knows of a partition.
type laneState struct {
	in           bool     // it has it
	leader, term int32    // and which of its leaders that is
	id           [16]byte // of the topic
	epoch        int32    // of the last record that was polled, here or there; -1 before the first
	left         int64    // where it was given back; the consumer has to get beyond that before it is taken over again
	came         int      // the turn in which something came last
	rested       time.Time
	size         *batchSizes
	small        bool // it was said that its batches are
}

const (
	leastSeen     = 64 << 10 // bytes by which that is judged
	laneEvery     = 100 * time.Millisecond
	laneRest      = 10 * time.Second // of a partition that was given back
	headersRest   = 10 * time.Minute // of one whose records have headers, where those can't be forwarded
	laneFetch     = 1 << 20
	ownMemory     = laneFetch / 4
	laneFetchWait = 500 * time.Millisecond
)

// newBatchLane returns nil if batches are not to be forwarded. props are those of the consumer.
func (t *sourceTask) newBatchLane(tc connect.SourceTaskContext, opts []kgo.Opt, props map[string]string) *batchLane {
	allowed, ok := connect.As[connect.BatchForwarder](tc)
	reason := ""
	switch {
	case !t.cfg.ForwardBatches:
		reason = forwardBatchesKey + " is false"
	case !ok:
		reason = "the configuration of the connector, its producer or the worker needs single records"
	case props["client.rack"] != "":
		reason = "the consumer has a client.rack: the leaders may be far away"
	}
	if reason != "" {
		t.log.Info("batches are not forwarded", "reason", reason)
		return nil
	}
	l := &batchLane{t: t, allowed: allowed, opts: opts, committed: props["isolation.level"] == readCommitted, busy: make(map[int32]bool), results: make(chan *fetched)}
	l.ctx, l.stop = context.WithCancel(context.Background())
	return l
}

// sizes returns the hook by which the sizes of batches become known, nil without a lane.
func (l *batchLane) sizes(parts []TopicPartition) sizesByPartition {
	if l == nil {
		return nil
	}
	sizes := make(sizesByPartition, len(parts))
	for _, tp := range parts {
		sizes[tp] = new(batchSizes)
	}
	return sizes
}

// close ends the requests.
func (l *batchLane) close() {
	if l == nil {
		return
	}
	l.stop()
	l.running.Wait()
	if l.client != nil {
		l.client.Close()
	}
}

// poll waits for records of the consumer, or what a broker answered to the lane, whichever comes first.
func (t *sourceTask) poll(ctx context.Context) (kgo.Fetches, *fetched) {
	l := t.lane
	if l == nil {
		return t.client.PollRecords(ctx, t.maxPoll), nil
	}
	l.choose(ctx)
	if len(l.parts) == 0 {
		l.forget()
		return t.client.PollRecords(ctx, t.maxPoll), nil
	}
	l.request()
	if len(l.parts) == len(t.parts) {
		select {
		case f := <-l.results:
			return nil, f
		case <-ctx.Done():
			return nil, nil
		}
	}
	either, stop := context.WithCancel(ctx)
	first := make(chan *fetched)
	go func() {
		var f *fetched
		select {
		case f = <-l.results:
			stop()
		case <-either.Done():
		}
		first <- f
	}()
	fetches := t.client.PollRecords(either, t.maxPoll)
	stop()
	return fetches, <-first
}

// forget drops an answer for partitions that were given back.
func (l *batchLane) forget() {
	select {
	case f := <-l.results:
		delete(l.busy, f.broker)
	default:
	}
}

// choose takes partitions over from the consumer, or gives all back if batches can't be forwarded now.
func (l *batchLane) choose(ctx context.Context) {
	l.headers = l.allowed.ForwardsBatches(true)
	if !l.headers && !l.allowed.ForwardsBatches(false) { // the last answer is the one that counts
		l.giveBack("somebody watches the records", slices.Clone(l.parts)...)
		return
	}
	now := time.Now()
	if now.Before(l.next) {
		return
	}
	l.next = now.Add(laneEvery)
	if l.allowed.LeastBatch() == math.MaxInt32 {
		return // it is not known yet
	}
	var chosen []*partition
	for _, p := range l.t.parts {
		if p.lane.in || p.next == noOffset || p.next == p.lane.left || !p.lane.size.seen() {
			continue // of the first records sizes are known before they were polled
		}
		large := p.lane.size.large(l.least())
		if large && !now.Before(p.lane.rested) {
			chosen = append(chosen, p)
			continue
		}
		if !large && !p.lane.small {
			l.t.log.Debug("batches are not forwarded", "partition", p.TopicPartition.String(), "reason", small(p.lane.size.average(), l.least()))
			p.lane.small = true
		}
		p.lane.size.forget()
	}
	if len(chosen) == 0 {
		return
	}
	for _, p := range chosen {
		p.lane.rested = now.Add(laneRest) // unless it is found: that may never be so, and is not asked all the time
	}
	if chosen = l.locate(ctx, chosen); len(chosen) == 0 {
		return
	}
	remove := make(map[string][]int32)
	for _, p := range chosen {
		p.lane.in, p.lane.small = true, false
		remove[p.Topic] = append(remove[p.Topic], p.Partition)
	}
	l.t.client.RemoveConsumePartitions(remove)
	l.parts = append(l.parts, chosen...)
	l.t.log.Debug("batches are forwarded", "partitions", partitionNames(chosen), "all", len(l.parts))
}

// locate finds the leaders of partitions, and returns those that have one.
func (l *batchLane) locate(ctx context.Context, parts []*partition) (found []*partition) {
	if l.client == nil {
		var err error
		if l.client, err = kgo.NewClient(l.opts...); err != nil {
			l.t.log.Warn("batches are not forwarded", "err", err)
			return nil
		}
	}
	req := kmsg.NewPtrMetadataRequest()
	topics := make(map[string][]*partition)
	for _, p := range parts {
		if topics[p.Topic] == nil {
			r := kmsg.NewMetadataRequestTopic()
			r.Topic = &p.Topic
			req.Topics = append(req.Topics, r)
		}
		topics[p.Topic] = append(topics[p.Topic], p)
	}
	ctx, cancel := context.WithTimeout(ctx, reachTimeout)
	defer cancel()
	resp, err := req.RequestWith(ctx, l.client)
	if err != nil {
		return nil // the consumer finds out
	}
	for _, r := range resp.Topics {
		if r.Topic == nil || r.ErrorCode != 0 {
			continue
		}
		if known := l.t.topics[*r.Topic]; known == nil || known.id != r.TopicID || r.TopicID == [16]byte{} {
			continue // it is not known which topic the consumer reads, or was made anew
		}
		for _, rp := range r.Partitions {
			i := slices.IndexFunc(topics[*r.Topic], func(p *partition) bool { return p.Partition == rp.Partition })
			if i < 0 || rp.ErrorCode != 0 || rp.Leader < 0 {
				continue
			}
			p := topics[*r.Topic][i]
			p.lane.leader, p.lane.term, p.lane.id = rp.Leader, rp.LeaderEpoch, r.TopicID
			found = append(found, p)
		}
	}
	return found
}

// giveBack has the consumer go on with partitions. Of those that it has already nothing is said.
func (l *batchLane) giveBack(reason string, parts ...*partition) {
	parts = slices.DeleteFunc(parts, func(p *partition) bool { return !p.lane.in })
	if len(parts) == 0 {
		return
	}
	back := make(map[string]map[int32]kgo.Offset)
	for _, p := range parts {
		l.leave(p)
		if back[p.Topic] == nil {
			back[p.Topic] = make(map[int32]kgo.Offset)
		}
		at := kgo.NewOffset().At(p.next)
		if p.lane.epoch >= 0 {
			at = at.WithEpoch(p.lane.epoch) // so that a log that was cut short is noticed
		}
		back[p.Topic][p.Partition] = at
	}
	l.t.client.AddConsumePartitions(back)
	l.t.log.Debug("batches are decoded again", "partitions", partitionNames(parts), "reason", reason)
}

// leave forgets a partition, which may not be taken over again for a while.
func (l *batchLane) leave(p *partition) {
	if l == nil || !p.lane.in {
		return
	}
	p.lane.in, p.lane.left = false, p.next
	if at := time.Now().Add(laneRest); at.After(p.lane.rested) {
		p.lane.rested = at
	}
	p.lane.size.forget()
	l.parts = slices.DeleteFunc(l.parts, func(other *partition) bool { return other == p })
}

// request asks the brokers for more from which no answer is awaited.
func (l *batchLane) request() {
	brokers := make(map[int32]*fetched)
	for _, p := range l.parts {
		if l.busy[p.lane.leader] {
			continue
		}
		f := brokers[p.lane.leader]
		if f == nil {
			f = &fetched{broker: p.lane.leader}
			brokers[p.lane.leader] = f
		}
		f.from = append(f.from, fetchFrom{p, p.next, p.lane.id})
	}
	for broker, f := range brokers {
		l.busy[broker] = true
		req := l.fetchRequest(f)
		l.running.Go(func() {
			resp, err := l.client.Broker(int(broker)).Request(l.ctx, req)
			if f.err = err; err == nil {
				f.resp = resp.(*kmsg.FetchResponse)
			}
			select {
			case l.results <- f:
			case <-l.ctx.Done():
			}
		})
	}
}

func (l *batchLane) fetchRequest(f *fetched) *kmsg.FetchRequest {
	req := kmsg.NewPtrFetchRequest()
	req.MaxWaitMillis, req.MinBytes, req.MaxBytes = int32(laneFetchWait.Milliseconds()), 1, laneFetch
	each := req.MaxBytes
	if l.t.fetchSize.fixed {
		req.MaxBytes, _ = l.t.client.OptValue(kgo.FetchMaxBytes).(int32)
		each, _ = l.t.client.OptValue(kgo.FetchMaxPartitionBytes).(int32)
	}
	if l.committed {
		req.IsolationLevel = 1
	}
	req.SessionEpoch = -1 // no session
	at := make(map[string]int)
	for _, p := range f.from {
		i, ok := at[p.Topic]
		if !ok {
			i = len(req.Topics)
			at[p.Topic] = i
			topic := kmsg.NewFetchRequestTopic()
			topic.Topic, topic.TopicID = p.Topic, p.lane.id
			req.Topics = append(req.Topics, topic)
		}
		rp := kmsg.NewFetchRequestTopicPartition()
		rp.Partition, rp.FetchOffset, rp.CurrentLeaderEpoch, rp.PartitionMaxBytes = p.Partition, p.offset, p.lane.term, each
		rp.LastFetchedEpoch = p.lane.epoch // so that a log that was cut short is noticed
		req.Topics[i].Partitions = append(req.Topics[i].Partitions, rp)
	}
	return req
}

// take returns what a broker answered as records. The partitions of which it is not usual are given back.
func (l *batchLane) take(f *fetched) (records []connect.SourceRecord, err error) {
	delete(l.busy, f.broker)
	l.turn++
	back := make(map[string][]*partition) // by reasons
	for _, from := range f.from {
		if f.err == nil && (!from.lane.in || from.next != from.offset || from.lane.id != from.id) {
			continue // it was given back, and came again
		}
		reason := "a broker can't be reached"
		switch rp := f.of(from.partition); {
		case f.err != nil:
			reason += ": " + f.err.Error()
		case rp == nil:
			reason = "a broker did not answer"
		default:
			if len(rp.RecordBatches) > 0 {
				from.lane.came = l.turn
			}
			if reason, err = l.takePartition(from.partition, rp, &records); err != nil {
				return nil, err
			}
		}
		if reason != "" {
			back[reason] = append(back[reason], from.partition)
		}
	}
	for reason, parts := range back {
		l.giveBack(reason, parts...)
	}
	slices.SortStableFunc(l.parts, func(a, b *partition) int { return cmp.Compare(a.lane.came, b.lane.came) })
	l.request()
	return records, nil
}

// of returns what was answered for a partition, or nil. Brokers name topics, or, since Kafka 3.1, their ids.
func (f *fetched) of(p *partition) *kmsg.FetchResponseTopicPartition {
	if f.resp == nil {
		return nil
	}
	for i := range f.resp.Topics {
		if t := &f.resp.Topics[i]; t.Topic == p.Topic || t.Topic == "" && t.TopicID == p.lane.id {
			for j := range t.Partitions {
				if t.Partitions[j].Partition == p.Partition {
					return &t.Partitions[j]
				}
			}
		}
	}
	return nil
}

// takePartition appends what was fetched of a partition. Unless all was usual it returns what was not.
func (l *batchLane) takePartition(p *partition, rp *kmsg.FetchResponseTopicPartition, records *[]connect.SourceRecord) (unusual string, err error) {
	switch {
	case rp.ErrorCode != 0:
		return kerr.ErrorForCode(rp.ErrorCode).Error(), nil
	case rp.DivergingEpoch.EndOffset >= 0:
		return "the log was cut short", nil
	}
	var aborted *abortedTransactions
	if l.committed {
		aborted = newAbortedTransactions(rp.AbortedTransactions)
	}
	log, batches, bytes := rp.RecordBatches, 0, 0 // of records
	for len(log) > 0 {
		b, rest, ok := recordbatch.Cut(log)
		if !ok && len(log) < len(rp.RecordBatches) {
			return "", nil // the last one may be a part
		}
		switch {
		case !ok:
			return "a batch is not whole, or of a format that is not known", nil
		case aborted.has(b) || b.LastOffset() < p.next || b.Attributes()&recordbatch.Control != 0 || b.Records() == 0: // compaction leaves the last of a producer empty
			if !b.Intact() {
				return "a batch is corrupt", nil // who looks at those that are forwarded is their producer
			}
			if log = rest; b.LastOffset() >= p.next {
				p.next, p.lane.epoch = b.LastOffset()+1, b.LeaderEpoch()
			}
			continue
		case b.FirstOffset() < p.next:
			if err := l.rest(p, rp, b, records); err != nil {
				return "", err
			}
			p.next = b.LastOffset() + 1
		case obstacle(b) != "":
			return obstacle(b), nil
		case !l.headers && !l.search.none(b):
			p.lane.rested = time.Now().Add(headersRest) // there will be more of them
			return "header.converter has to see the headers of records", nil
		default:
			l.t.found(p.Topic)
			if err := l.t.checkOrder(p, rp.LogStartOffset, b.FirstOffset()); err != nil {
				return "", err
			}
			l.t.measureBatch(p, b)
			if len(b) < ownMemory {
				b = slices.Clone(b) // or it keeps all that was fetched for as long as it is on its way
			}
			*records = append(*records, forward(p, b))
			p.next = b.LastOffset() + 1
		}
		p.lane.epoch = b.LeaderEpoch()
		batches++
		bytes += len(b)
		log = rest
	}
	if least := l.least(); batches > 0 && bytes/batches < least {
		return small(bytes/batches, least), nil
	}
	return "", nil
}

var errShortBatch = errors.New("a batch has fewer records than it says")

// rest appends the records of a batch of which the first were copied before.
func (l *batchLane) rest(p *partition, rp *kmsg.FetchResponseTopicPartition, b recordbatch.Batch, records *[]connect.SourceRecord) error {
	one := *rp
	one.RecordBatches = b
	fp, next := kgo.ProcessFetchPartition(kgo.ProcessFetchPartitionOpts{Offset: p.next, Topic: p.Topic, Partition: p.Partition}, &one, kgo.DefaultDecompressor(), nil)
	if fp.Err == nil && next <= b.LastOffset() {
		fp.Err = errShortBatch
	}
	if fp.Err != nil {
		return fmt.Errorf("partition %s of source cluster %s can't be read from offset %d on: %w", p.TopicPartition, l.t.cfg.SourceAlias, p.next, fp.Err)
	}
	more, err := l.t.convert(kgo.Fetches{{Topics: []kgo.FetchTopic{{Topic: p.Topic, Partitions: []kgo.FetchPartition{fp}}}}}, true)
	*records = append(*records, more...)
	return err
}

// forward makes the record that stands for a batch.
func forward(p *partition, b recordbatch.Batch) connect.SourceRecord {
	r := connect.SourceRecord{SourcePartition: p.source, SourceOffset: &position{p, b.LastOffset()}}
	r.Topic, r.Partition, r.Timestamp = p.remote, connect.ToPartition(p.Partition), time.UnixMilli(b.MaxTimestamp())
	r.Value = connect.RecordBatch{Bytes: b, Records: int(b.Records())}
	return r
}
