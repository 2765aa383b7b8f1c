package group

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// run is one Run of a Coordinator. Its loop is the only one to call the member; heartbeats have a goroutine of their
// own, because they have to go on whatever the loop waits for.
type run struct {
	c   *Coordinator
	cfg *Config
	m   Member
	cl  *kgo.Client
	log *slog.Logger

	// needed: the loop has to begin a round. It is the loop's own.
	needed bool

	mu         sync.Mutex
	id         string // as a member; empty if it is none
	generation int32  // -1 is none
	epoch      int    // grows whenever id is taken away: what was asked for before is void
	joining    time.Time
	inRound    bool
	holding    bool      // the member was assigned something, or nothing, and Lost was not called since
	contact    time.Time // when the last request that was answered was sent
	failing    time.Time // since when there is no coordinator; zero if there is one
	again      string    // the reason of the round that heartbeats found to be needed; empty is none
	lost       bool      // Lost is to be called
	fatal      error
	called     time.Time // when the method of the member that runs was called; zero if none does
	interrupt  context.CancelFunc

	requests sync.WaitGroup // that are under way, also when nobody waits for them any more
}

// errAgain says that a round came to nothing and another has to be tried.
var errAgain = errors.New("the round has to be repeated")

func (r *run) loop(ctx context.Context) error {
	backoff := r.cfg.RetryBackoff
	for {
		if err := r.attend(ctx); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return nil
		}
		if !r.needed {
			select {
			case <-r.c.wake:
			case <-ctx.Done():
			}
			continue
		}
		err := r.round(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err == nil:
			backoff = r.cfg.RetryBackoff
		case errors.Is(err, errAgain):
			r.log.Debug("joining the group has to be tried again", "err", err)
			if !r.pause(ctx, backoff) {
				return nil
			}
			backoff = min(2*backoff, r.cfg.RetryBackoffMax)
		default:
			return err
		}
	}
}

// pause waits, and does meanwhile what else has to be done.
func (r *run) pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
			return true
		case <-ctx.Done():
			return false
		case <-r.c.wake:
			if r.attend(ctx) != nil {
				return true // the loop finds the error again
			}
		}
	}
}

// attend does what other goroutines asked for.
func (r *run) attend(ctx context.Context) error {
	r.c.mu.Lock()
	leave, rejoin := r.c.leave, r.c.rejoin
	r.c.leave = nil
	r.c.mu.Unlock()
	r.mu.Lock()
	lost, fatal := r.lost, r.fatal
	r.lost = false
	if r.again != "" || rejoin != nil || lost {
		r.needed = true
	}
	r.mu.Unlock()
	if lost {
		r.m.Lost()
	}
	if leave != nil {
		r.leave(*leave)
		r.mu.Lock()
		r.holding = false // whether what it holds is still its own is for the instance to judge
		r.mu.Unlock()
		if rejoin == nil {
			r.needed = false
		}
	}
	return fatal
}

// begin takes the reasons for the round that begins: what is asked for from now on needs another.
func (r *run) begin() (reason string) {
	r.c.mu.Lock()
	if r.c.rejoin != nil {
		reason = *r.c.rejoin
	}
	r.c.rejoin = nil
	r.c.mu.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	if reason == "" {
		reason = r.again
	}
	r.again, r.inRound = "", true
	return reason
}

func (r *run) end() {
	r.mu.Lock()
	r.inRound, r.joining = false, time.Time{}
	r.mu.Unlock()
}

// round joins, assigns if this member leads, and takes the assignment. The loop repeats it unless it succeeds.
func (r *run) round(ctx context.Context) error {
	defer r.end()
	joined, err := r.join(ctx)
	if err != nil {
		return err
	}
	protocol := ""
	if joined.Protocol != nil {
		protocol = *joined.Protocol
	}
	epoch := r.joined(joined)
	var assignments map[string][]byte
	if joined.LeaderID == joined.MemberID && !joined.SkipAssignment {
		members := make(map[string][]byte, len(joined.Members))
		for _, m := range joined.Members {
			members[m.MemberID] = m.ProtocolMetadata
		}
		err := r.call(ctx, func(ctx context.Context) (err error) {
			assignments, err = r.m.Assign(ctx, Round{Generation: joined.Generation, Leader: joined.LeaderID, Protocol: protocol, Members: members})
			return err
		})
		switch {
		case r.interrupted(epoch):
			return errAgain
		case err != nil:
			return fmt.Errorf("assign work in generation %d: %w", joined.Generation, err)
		}
	}
	answer, err := r.request(ctx, syncRequest(r.cfg.Group, joined, protocol, assignments), epoch)
	if err == nil {
		err = kerr.ErrorForCode(answer.(*kmsg.SyncGroupResponse).ErrorCode)
	}
	if err != nil {
		return r.refused(ctx, "sync", joined.MemberID, err)
	}
	assignment := answer.(*kmsg.SyncGroupResponse).MemberAssignment
	// The leader is whose assignment this is. Who joined as the leader may not be: it is for the coordinator to decide
	// whose it delivers.
	leader := joined.LeaderID
	if a, err := DecodeAssignment(assignment); err == nil && a != nil {
		leader = a.Leader
	}
	r.mu.Lock()
	current, lost := r.epoch == epoch, r.lost
	if current {
		r.holding, r.lost = true, false
	}
	r.mu.Unlock()
	if !current {
		return errAgain
	}
	if lost { // before this assignment, not after it
		r.m.Lost()
	}
	r.needed = false
	r.end() // heartbeats that ask for a new round are about the one after this
	r.log.Info("joined the group", "generation", joined.Generation, "member", joined.MemberID, "leader", leader, "protocol", protocol)
	err = r.call(ctx, func(ctx context.Context) error {
		return r.m.Assigned(ctx, Generation{ID: joined.Generation, Member: joined.MemberID, Leader: leader, Protocol: protocol}, assignment)
	})
	if err != nil && !r.interrupted(epoch) && ctx.Err() == nil {
		return fmt.Errorf("take the assignment of generation %d: %w", joined.Generation, err)
	}
	return nil
}

// join sends requests until the coordinator takes this member in.
func (r *run) join(ctx context.Context) (*kmsg.JoinGroupResponse, error) {
	reason := ""
	for {
		reason = cmp.Or(r.begin(), reason)
		r.mu.Lock()
		before := r.epoch
		r.mu.Unlock()
		var offers []Offer
		err := r.call(ctx, func(ctx context.Context) (err error) {
			offers, err = r.m.Protocols(ctx)
			return err
		})
		switch {
		case err != nil && r.interrupted(before):
			return nil, errAgain
		case err != nil:
			return nil, fmt.Errorf("what to join the group with: %w", err)
		}
		r.mu.Lock()
		id, epoch := r.id, r.epoch
		r.joining = time.Now()
		r.mu.Unlock()
		answer, err := r.request(ctx, joinRequest(r.cfg, id, reason, offers), epoch)
		var joined *kmsg.JoinGroupResponse
		if err == nil {
			joined = answer.(*kmsg.JoinGroupResponse)
			err = kerr.ErrorForCode(joined.ErrorCode)
		}
		switch {
		case err == nil:
			return joined, nil
		case errors.Is(err, kerr.MemberIDRequired):
			r.mu.Lock()
			if r.epoch == epoch {
				r.id, r.generation = joined.MemberID, -1
			}
			r.mu.Unlock()
		default:
			return nil, r.refused(ctx, "join", id, err)
		}
	}
}

// joined notes the place that the coordinator gave this member.
func (r *run) joined(j *kmsg.JoinGroupResponse) (epoch int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.id, r.generation = j.MemberID, j.Generation
	return r.epoch
}

// void reports whether this is not the member any more that it was.
func (r *run) void(epoch int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.epoch != epoch
}

// interrupted reports whether a call into the member was to end early.
func (r *run) interrupted(epoch int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.epoch != epoch || r.lost
}

// refused decides what a failed request of a round means.
func (r *run) refused(ctx context.Context, what, id string, err error) error {
	r.mu.Lock()
	fatal := r.fatal
	r.mu.Unlock()
	switch {
	case fatal != nil:
		return fatal
	case ctx.Err() != nil:
		return ctx.Err()
	case isImpossible(err):
		return explain(ctx, r.cl, r.cfg, err)
	case errors.Is(err, kerr.UnknownMemberID):
		r.evict(id, "the coordinator does not know the member")
	case errors.Is(err, kerr.IllegalGeneration):
		r.mu.Lock()
		r.generation = -1 // the id may still be good
		r.mu.Unlock()
	case !errors.Is(err, errAgain) && isAnswer(err) && !kerr.IsRetriable(err) && !errors.Is(err, kerr.RebalanceInProgress):
		return explain(ctx, r.cl, r.cfg, err)
	}
	if errors.Is(err, errAgain) {
		return err
	}
	return fmt.Errorf("%w: %s: %w", errAgain, what, err)
}

// evict forgets the id, if it is still this one, and voids what is under way with it.
func (r *run) evict(id, why string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.id != id || id == "" {
		return
	}
	r.log.Warn("no member of the group any more, will join again", "member", id, "generation", r.generation, "reason", why)
	r.forget(why)
}

// forget is evict with the lock held.
func (r *run) forget(why string) {
	r.id, r.generation, r.again = "", -1, why
	r.epoch++
	if r.interrupt != nil {
		r.interrupt()
	}
}

// call calls a method of the member and lets heartbeats see for how long.
func (r *run) call(ctx context.Context, method func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r.mu.Lock()
	r.called, r.interrupt = time.Now(), cancel
	r.mu.Unlock()
	defer func() {
		r.mu.Lock()
		r.called, r.interrupt = time.Time{}, nil
		r.mu.Unlock()
	}()
	return method(ctx)
}

// request sends a request and waits for the answer. What is asked for meanwhile waits too, unless it voids the request:
// a join that is given up to be sent again would lose its place.
func (r *run) request(ctx context.Context, req kmsg.Request, epoch int) (kmsg.Response, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	sent := time.Now()
	done := r.start(ctx, req)
	for {
		select {
		case got := <-done:
			switch {
			case r.void(epoch):
				return nil, errAgain
			case got.err == nil:
				r.answered(sent)
			case ctx.Err() == nil:
				r.failed(got.err)
			}
			return got.resp, got.err
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-r.c.wake:
			if err := r.attend(ctx); err != nil {
				return nil, err
			}
			if r.void(epoch) {
				return nil, errAgain
			}
		}
	}
}

// response is what came of a request.
type response struct {
	resp kmsg.Response
	err  error
}

// start sends a request. Nobody has to wait for what comes of it.
func (r *run) start(ctx context.Context, req kmsg.Request) <-chan response {
	done := make(chan response, 1)
	r.requests.Go(func() {
		resp, err := r.cl.Request(ctx, req)
		done <- response{resp, err}
	})
	return done
}

// send sends a request and waits for the answer, no longer than until ctx ends. The client's own Request may: it sends one
// request to a broker after the other, and waits when the one before waits for a connection to it.
func (r *run) send(ctx context.Context, req kmsg.Request) (kmsg.Response, error) {
	select {
	case got := <-r.start(ctx, req):
		return got.resp, got.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// leave leaves the group, if it is a member. A coordinator that does not answer will find out itself.
func (r *run) leave(reason string) {
	r.mu.Lock()
	id := r.id
	if id != "" {
		r.forget("")
	}
	r.mu.Unlock()
	if id != "" {
		r.sendLeave(id, reason)
	}
}

func (r *run) sendLeave(id, reason string) {
	ctx, cancel := context.WithTimeout(context.Background(), r.cfg.HeartbeatInterval)
	defer cancel()
	r.log.Info("leaving the group", "member", id, "reason", reason)
	for {
		answer, err := r.send(ctx, leaveRequest(r.cfg.Group, id, reason))
		if err == nil {
			err = leaveError(answer.(*kmsg.LeaveGroupResponse))
		}
		_, answered := errors.AsType[*kerr.Error](err)
		switch {
		case err == nil || errors.Is(err, kerr.UnknownMemberID):
			return
		case !answered || !kerr.IsRetriable(err) || !wait(ctx, r.cfg.RetryBackoff): // the coordinator may have moved
			r.log.Warn("the coordinator could not be told that the member leaves", "member", id, "err", err)
			return
		}
	}
}

// wait reports whether d went by before ctx ended.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
