package group

import (
	"context"
	"errors"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// pollTimeout is the reason that Kafka Connect's workers give.
const pollTimeout = "worker poll timeout has expired."

// beat sends heartbeats and watches over times until ctx ends. It goes on while the member waits in a join: some
// coordinators drop who is silent there.
func (r *run) beat(ctx context.Context) {
	timer := time.NewTimer(r.cfg.HeartbeatInterval)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.c.beat:
		case <-timer.C:
		}
		r.watchMember()
		wait := r.c.pace()
		if id, generation, due := r.due(); due {
			patience := r.cfg.HeartbeatInterval // it must not outlast the membership that it is about
			if left, watched := r.watchCoordinator(); watched {
				patience = min(patience, left)
			}
			if !r.heartbeat(ctx, id, generation, patience) {
				wait = r.cfg.RetryBackoff
			}
		}
		if left, watched := r.watchCoordinator(); watched {
			wait = min(wait, left)
		}
		timer.Reset(wait)
	}
}

// due returns what to send a heartbeat with, if one is due. One that has just asked to be taken in has to wait until
// the coordinator can know it.
func (r *run) due() (id string, generation int32, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	early := r.generation < 0 && (r.joining.IsZero() || time.Since(r.joining) < r.cfg.HeartbeatInterval)
	return r.id, r.generation, r.id != "" && !early
}

// heartbeat reports whether the coordinator answered.
func (r *run) heartbeat(ctx context.Context, id string, generation int32, patience time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	sent := time.Now()
	answer, err := r.send(ctx, heartbeatRequest(r.cfg.Group, id, generation))
	if err == nil {
		err = kerr.ErrorForCode(answer.(*kmsg.HeartbeatResponse).ErrorCode)
	}
	if err != nil && !isAnswer(err) {
		if !errors.Is(err, context.Canceled) {
			r.failed(err)
		}
		return false
	}
	r.answered(sent)
	switch {
	case err == nil:
	case errors.Is(err, kerr.UnknownMemberID):
		r.evict(id, "the coordinator does not know the member")
	case errors.Is(err, kerr.RebalanceInProgress):
		r.another(id, generation, generation, "the group is rebalancing")
	case errors.Is(err, kerr.IllegalGeneration):
		r.another(id, generation, -1, "the generation is over")
	case isImpossible(err) || !kerr.IsRetriable(err):
		r.mu.Lock()
		r.fatal = explain(ctx, r.cl, r.cfg, err)
		r.mu.Unlock()
	}
	r.c.signal()
	return true
}

// another asks for a round, unless one is under way or the answer is about an earlier one.
func (r *run) another(id string, generation, next int32, why string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.id == id && r.generation == generation && !r.inRound {
		r.generation, r.again = next, why
	}
}

// answered notes that there is a coordinator: it knew of the member when it got what was sent then.
func (r *run) answered(sent time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if sent.After(r.contact) {
		r.contact = sent
	}
	r.failing = time.Time{}
}

// failed notes that a request found no coordinator.
func (r *run) failed(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, answer := errors.AsType[*kerr.Error](err); answer && isAnswer(err) {
		return
	}
	if r.failing.IsZero() && !isSilence(err) {
		r.log.Info("the coordinator of the group does not answer", "err", err)
		r.failing = time.Now()
	}
}

// watchCoordinator makes the member lose its work if it can't be sure any more to be a member: there has been no
// coordinator for a heartbeat interval, or no answer for the session timeout. Left is the time until that may be.
func (r *run) watchCoordinator() (left time.Duration, watched bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.holding {
		return 0, false
	}
	left = r.cfg.SessionTimeout - time.Since(r.contact)
	if !r.failing.IsZero() {
		left = min(left, r.cfg.HeartbeatInterval-time.Since(r.failing))
	}
	if left > 0 {
		return left, true
	}
	r.log.Warn("the coordinator of the group has been unreachable for too long: what is assigned may be given to others", "since", r.contact)
	r.holding, r.lost, r.again = false, true, "the coordinator was unreachable"
	if r.interrupt != nil { // the loop has to hear of it, whatever the member waits for
		r.interrupt()
	}
	r.c.signal()
	return 0, false
}

// watchMember leaves the group for a member that hangs.
func (r *run) watchMember() {
	var progress time.Time
	if r.cfg.Progress != nil {
		progress = r.cfg.Progress()
	}
	r.mu.Lock()
	expired := func(since time.Time) bool { return !since.IsZero() && time.Since(since) > r.cfg.RebalanceTimeout }
	id := r.id
	if id == "" || !expired(r.called) && !expired(progress) {
		r.mu.Unlock()
		return
	}
	r.log.Error("the worker has not been heard of for longer than rebalance.timeout.ms and leaves the group", "member", id)
	r.forget(pollTimeout)
	r.lost, r.holding = r.lost || r.holding, false
	r.mu.Unlock()
	r.sendLeave(id, pollTimeout)
	r.c.signal()
}
