package worker

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/javaerror"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Rebalances arrive on the client's goroutine, with maps that may be empty. They wait for the turn: for a Put that is
// under way. The group goes on sending heartbeats meanwhile.

// rebalanceTurn waits for the turn as long as the group can wait, and reports whether it has it. If not, the run is over:
// the group gives its partitions to others.
func (r *sinkRun) rebalanceTurn(cl *kgo.Client) bool {
	timer := time.NewTimer(r.RebalanceTimeout)
	defer timer.Stop()
	select {
	case r.turn <- struct{}{}:
		if !r.lost.Load() {
			return true
		}
		r.giveTurn()
	case <-timer.C:
		r.leave(cl, r.overdue("a rebalance could not wait longer"))
	case <-r.left:
	}
	return false
}

// overdue is the error of a run whose task hangs.
func (r *sinkRun) overdue(why string) error {
	hangs := "the task waits for Kafka" // to commit, say: no call into its connector is under way
	if name, since := r.activity.Current(); name != "" {
		hangs = fmt.Sprintf("the task did not return from %s for %v", name, time.Since(since))
	}
	return fmt.Errorf("%s, and its partitions go to others: %s (max.poll.interval.ms is %v)", hangs, why, r.RebalanceTimeout)
}

// leave takes the run out of its group, while its task still hangs: others get its partitions at once, and nothing of
// the run counts any more (invariant 3). It may be called more than once, on any goroutine.
func (r *sinkRun) leave(cl *kgo.Client, err error) {
	if r.lost.Swap(true) {
		return
	}
	close(r.left)
	r.failWith(err)
	r.closing.Go(func() { r.closeClient(cl) })
}

// leaveTime is how long the client may take to leave the group before it is cut short, and how long its member may take to be
// taken out of the group then: within the grace period of a task, all in all.
const leaveTime = time.Second

// closeClient closes the client once, and returns when it is closed. The client finishes a join that is under way before it
// leaves. That lasts until each other member has heard of the round with its heartbeat, and if one has died, until its session
// is over: so long neither this task could stop nor the others go on.
func (r *sinkRun) closeClient(cl *kgo.Client) {
	if r.closeBegun.Swap(true) {
		<-r.clientClosed
		return
	}
	defer close(r.clientClosed)
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		cl.CloseAllowingRebalance()
	}()
	// A join that has no member id yet gets one with its first answer, which is not long in coming. Without it the group would wait
	// for a member that nobody can take out.
	tick := time.NewTicker(leaveTime / 20)
	defer tick.Stop()
leaving:
	for began := time.Now(); ; {
		select {
		case <-closed:
			return
		case <-tick.C:
		}
		member, _ := cl.GroupMetadata()
		if waited := time.Since(began); waited >= leaveTime && member != "" || waited >= 2*leaveTime {
			break leaving
		}
	}
	r.quit()
	<-closed
	member, _ := cl.GroupMetadata() // only now it can't get another
	if err := r.removeMember(cl, member); err != nil {
		r.Logger.Warn("the group could not be told that the task left, and finds out when its session is over", "member", member, "err", err)
	}
}

// removeMember takes a member out of the group whose client is closed.
func (r *sinkRun) removeMember(closed *kgo.Client, member string) error {
	if static, _ := closed.OptValue(kgo.InstanceID).(*string); static != nil || member == "" {
		return nil // it is to stay a member, or it never was one
	}
	cl, err := r.Consumer() // without topics it joins nothing
	if err != nil {
		return err
	}
	defer cl.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 2*leaveTime)
	defer cancel()
	one := kmsg.NewLeaveGroupRequestMember()
	one.MemberID, one.Reason = member, kmsg.StringPtr("the task stops")
	req := kmsg.NewPtrLeaveGroupRequest()
	req.Group, _ = closed.OptValue(kgo.ConsumerGroup).(string)
	req.MemberID, req.Members = member, append(req.Members, one)
	resp, err := req.RequestWith(ctx, cl)
	if err == nil {
		err = kerr.ErrorForCode(resp.ErrorCode)
	}
	if errors.Is(err, kerr.UnknownMemberID) {
		return nil
	}
	return err
}

// membership is as whom a run has partitions. The client's callbacks are the only ones to touch it, one at a time.
type membership struct {
	member string // its id
	held   map[connect.TopicPartition]bool
}

// replaced reports whether the client became another member since partitions were assigned, and was not told that they are lost. A member
// that joins too late is unknown to the group; the client then joins as a new one, and, with a cooperative assignor, goes on with
// what it had, and claims it, while another member has it (invariant 3).
func (m *membership) replaced(cl *kgo.Client) bool {
	member, _ := cl.GroupMetadata()
	if len(m.held) > 0 && member != m.member {
		return true
	}
	m.member = member
	return false
}

// expelled takes the run out of its group if it holds partitions as a member that is no more, and reports whether it did.
func (r *sinkRun) expelled(cl *kgo.Client) bool {
	if r.AsJava || !r.membership.replaced(cl) {
		return false
	}
	r.leave(cl, errors.New("the group went on without the task, and its partitions to others: it joined a rebalance too late"))
	return true
}

func (r *sinkRun) onAssigned(cl *kgo.Client, m map[string][]int32) {
	if r.expelled(cl) {
		return
	}
	partitions := flatten(m)
	for _, tp := range partitions {
		r.membership.held[tp] = true
	}
	if len(partitions) == 0 && !r.AsJava || !r.rebalanceTurn(cl) {
		return
	}
	defer r.giveTurn()
	r.fresh = true
	if r.closed || r.firstFailure(nil) != nil {
		return
	}
	for _, tp := range partitions {
		r.parts[tp] = &assigned{polled: -1, current: -1, committed: -1, first: -1}
	}
	r.Metrics.Partitions(len(r.parts))
	if r.paused {
		cl.PauseFetchPartitions(m)
	}
}

// onOffsets is called after onAssigned with the committed offsets, before anything is fetched: the only place where a
// request to begin elsewhere is certain to be heard. So the partitions are opened here.
func (r *sinkRun) onOffsets(ctx context.Context, offsets map[string]map[int32]kgo.Offset) (map[string]map[int32]kgo.Offset, error) {
	if !r.rebalanceTurn(r.client) {
		return nil, errors.New("the task is over")
	}
	defer r.giveTurn()
	if err := undefined(offsets); err != nil {
		r.failWith(err)
		return offsets, nil // the run ends
	}
	begins := r.resolve(ctx, offsets)
	var opening []connect.TopicPartition
	for topic, partitions := range offsets {
		for n, offset := range partitions {
			tp := connect.TopicPartition{Topic: topic, Partition: n}
			p := r.parts[tp]
			if p == nil || p.opened || r.closed {
				continue
			}
			p.opened = true
			opening = append(opening, tp)
			delete(r.stale, tp)
			at := offset.EpochOffset().Offset
			if at < 0 {
				var ok bool
				if at, ok = begins[tp]; !ok {
					continue
				}
			}
			p.polled, p.current, p.first, p.committed = at, at, at, at
		}
	}
	r.beginReplay(ctx, opening)
	if len(opening) > 0 && !r.open(sortedPartitions(slices.Values(opening))) {
		return offsets, nil // the run ends
	}
	for topic, partitions := range offsets {
		for n := range partitions {
			if p := r.parts[connect.TopicPartition{Topic: topic, Partition: n}]; p != nil && p.seek != nil {
				partitions[n] = kgo.NewOffset().At(*p.seek).WithEpoch(-1)
				p.moved()
			}
		}
	}
	return offsets, nil
}

// undefined is the error of partitions that have no committed offset, and no policy where to begin.
func undefined(offsets map[string]map[int32]kgo.Offset) error {
	const none = -999 // kgo.NoResetOffset's
	var partitions []connect.TopicPartition
	for topic, byNumber := range offsets {
		for n, offset := range byNumber {
			if offset.EpochOffset().Offset == none {
				partitions = append(partitions, connect.TopicPartition{Topic: topic, Partition: n})
			}
		}
	}
	if len(partitions) == 0 {
		return nil
	}
	var names []string
	for _, tp := range sortedPartitions(slices.Values(partitions)) {
		names = append(names, tp.String())
	}
	return javaerror.New(javaerror.NoOffset, "Undefined offset with no reset policy for partitions: ["+strings.Join(names, ", ")+"]", nil)
}

// open tells the task of partitions that it has now, and reports whether it agrees. The caller has the turn.
func (r *sinkRun) open(partitions []connect.TopicPartition) bool {
	if r.firstFailure(nil) != nil {
		return false
	}
	if r.opener != nil {
		err := r.activity.do(callOpen, func() error { return r.opener.OpenPartitions(r.work, slices.Clone(partitions)) })
		if err != nil {
			r.failWith(javaerror.In(fmt.Sprintf("OpenPartitions of %d", len(partitions)), err))
			return false
		}
	}
	if r.stored != nil {
		var offsets connect.SinkOffsets
		err := r.activity.do(callCommittedOffsets, func() (err error) {
			offsets, err = r.stored.CommittedOffsets(r.work, slices.Clone(partitions))
			return err
		})
		if err != nil {
			r.failWith(javaerror.In(fmt.Sprintf("CommittedOffsets of %d partitions", len(partitions)), err))
			return false
		}
		for tp, offset := range offsets {
			if p := r.parts[tp]; p != nil && p.seek == nil {
				r.seek(p, offset)
			}
		}
	}
	return true
}

// resolve returns where the task begins in partitions without a committed offset, which is their start or end, as far as it can
// be found out.
func (r *sinkRun) resolve(ctx context.Context, offsets map[string]map[int32]kgo.Offset) map[connect.TopicPartition]int64 {
	const end, start = -1, -2
	var topics []string
	for topic, partitions := range offsets {
		for _, offset := range partitions {
			at := offset.EpochOffset().Offset
			if (at == start || at == end) && !slices.Contains(topics, topic) {
				topics = append(topics, topic)
			}
		}
	}
	if len(topics) == 0 {
		return nil
	}
	admin := kadm.NewClient(r.client)
	starts, err := admin.ListStartOffsets(ctx, topics...)
	if err != nil {
		return nil
	}
	list := admin.ListEndOffsets
	if level, ok := r.client.OptValue(kgo.FetchIsolationLevel).(int8); ok && level == 1 {
		list = admin.ListCommittedOffsets
	}
	ends, err := list(ctx, topics...)
	if err != nil {
		return nil
	}
	begins := make(map[connect.TopicPartition]int64)
	for topic, partitions := range offsets {
		for n, offset := range partitions {
			from := starts
			switch offset.EpochOffset().Offset {
			case start:
			case end:
				from = ends
			default:
				continue
			}
			if found, ok := from.Lookup(topic, n); ok && found.Err == nil {
				begins[connect.TopicPartition{Topic: topic, Partition: n}] = found.Offset
			}
		}
	}
	return begins
}

// giveUp closes partitions that the task loses: with a last commit when they were revoked, without when they are lost.
func (r *sinkRun) giveUp(cl *kgo.Client, m map[string][]int32, commit bool) {
	if commit && r.expelled(cl) {
		return
	}
	partitions := flatten(m)
	if !commit {
		clear(r.membership.held) // those of forgotten topics too, of which the client does not speak any more
	}
	for _, tp := range partitions {
		delete(r.membership.held, tp)
	}
	if len(partitions) == 0 {
		return
	}
	if !r.rebalanceTurn(cl) {
		return
	}
	defer r.giveTurn()
	if !r.closed {
		r.letGo(cl, partitions, commit)
	}
}

// letGo closes partitions and forgets them. The caller has the turn.
func (r *sinkRun) letGo(cl *kgo.Client, partitions []connect.TopicPartition, commit bool) {
	partitions = slices.DeleteFunc(partitions, func(tp connect.TopicPartition) bool { return r.parts[tp] == nil })
	err := r.closePartitions(cl, partitions, commit && r.firstFailure(nil) == nil)
	var unpause []connect.TopicPartition
	for _, tp := range partitions {
		if r.parts[tp].paused {
			unpause = append(unpause, tp)
		}
		if p := r.parts[tp]; r.AsJava && p.opened && p.current >= 0 && !r.fresh {
			r.stale[tp] = p.current
		}
		delete(r.parts, tp)
	}
	r.Metrics.Partitions(len(r.parts))
	if len(unpause) > 0 && !r.paused {
		cl.ResumeFetchPartitions(unflatten(unpause)) // the client would remember it for the next time
	}
	r.dropFromBatch(func(tp connect.TopicPartition) bool { return r.parts[tp] == nil })
	if err != nil {
		r.failWith(err)
	}
}

// consumeReplaced makes the client forget topics that were deleted, so that it finds those that have their names now. It never
// does so by itself, and their fetches would fail for ever. Offsets of the old topic mean nothing in the new one, so nothing
// is committed. The caller does not have the turn.
func (r *sinkRun) consumeReplaced() {
	if len(r.replaced) == 0 {
		return
	}
	topics := slices.Collect(maps.Keys(r.replaced))
	clear(r.replaced)
	r.Logger.Warn("topics were deleted: consuming what is made under their names from its beginning", "topics", topics)
	r.forgetTopics(topics)
	r.client.AddConsumeTopics(topics...)
}

// forgetTopics stops the consumption of topics that are no more. The caller does not have the turn.
func (r *sinkRun) forgetTopics(topics []string) {
	if !r.rebalanceTurn(r.client) {
		return
	}
	if !r.closed {
		gone := slices.DeleteFunc(r.all(), func(tp connect.TopicPartition) bool { return !slices.Contains(topics, tp.Topic) })
		r.letGo(r.client, gone, false)
	}
	r.giveTurn()
	r.client.PurgeTopicsFromConsuming(topics...)
}

// setPaused pauses or resumes the whole task. The caller has the turn.
func (r *sinkRun) setPaused(paused bool) {
	r.paused = paused
	if paused {
		r.client.PauseFetchPartitions(unflatten(r.all()))
		r.mu.Lock()
		r.wantsCommit = true
		r.mu.Unlock()
		r.t.status(Paused, nil)
		return
	}
	var resume []connect.TopicPartition
	for tp, p := range r.parts {
		if !p.paused {
			resume = append(resume, tp)
		}
	}
	r.client.ResumeFetchPartitions(unflatten(resume))
	if !r.AsJava || len(r.batch) == 0 { // with a batch that waits to be put again Kafka Connect's task goes on as PAUSED
		r.t.status(Running, nil)
	}
}

// retriableFetch reports whether a fetch error goes away by itself.
func retriableFetch(err error) bool {
	if errors.Is(err, kerr.OffsetOutOfRange) {
		return false // there is no reset policy: the client would ask for ever
	}
	return kerr.IsRetriable(err) || errors.Is(err, kgo.ErrClientClosed)
}

func flatten(m map[string][]int32) []connect.TopicPartition {
	return sortedPartitions(func(yield func(connect.TopicPartition) bool) {
		for topic, partitions := range m {
			for _, p := range partitions {
				if !yield(connect.TopicPartition{Topic: topic, Partition: p}) {
					return
				}
			}
		}
	})
}

func unflatten(partitions []connect.TopicPartition) map[string][]int32 {
	m := make(map[string][]int32)
	for _, tp := range partitions {
		m[tp.Topic] = append(m[tp.Topic], tp.Partition)
	}
	return m
}

func sortedPartitions(seq iter.Seq[connect.TopicPartition]) []connect.TopicPartition {
	all := slices.Collect(seq)
	sort.Slice(all, func(i, j int) bool {
		a, b := all[i], all[j]
		return a.Topic < b.Topic || a.Topic == b.Topic && a.Partition < b.Partition
	})
	return all
}
