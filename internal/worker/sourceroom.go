package worker

import (
	"context"
)

// takeRoom waits until so many more records may be in flight (invariant 6), and counts them. What is larger than the
// bound goes alone. Records that are in batches as they came take no memory besides their bytes: those alone are bounded.
func (r *sourceRun) takeRoom(work context.Context, records int, size int64, batches bool) error {
	for {
		if r.t.abandoned.Load() {
			return ErrAbandoned
		}
		r.mu.Lock()
		err := r.err
		full := r.inFlight > 0 && (r.bytes+size > r.MaxBytes || !batches && r.inFlight+records > r.MaxRecords)
		ok := err == nil && !full && len(r.resend) == 0 && !r.resending
		if ok {
			r.inFlight += records
			r.bytes += size
		}
		r.mu.Unlock()
		if ok || err != nil {
			return err
		}
		select {
		case <-r.room:
		case <-work.Done():
			return context.Cause(work)
		}
	}
}

// awaitTold waits until the task was told of most of its records (invariant 6): a CommitRecord that is slower than Poll
// must not let them pile up.
func (r *sourceRun) awaitTold(work context.Context) error {
	for {
		r.mu.Lock()
		untold := len(r.settled) + r.telling
		r.mu.Unlock()
		if untold <= r.MaxRecords {
			return nil
		}
		select {
		case <-r.room:
		case <-work.Done():
			return context.Cause(work)
		}
	}
}

// settle waits until every record that was sent is settled, at most for the time of a flush.
func (r *sourceRun) settle(work context.Context) {
	bounded, cancel := deadline(work, r.FlushTimeout, "acknowledgement of the last records")
	defer cancel()
	for {
		r.mu.Lock()
		n := r.inFlight
		failed := r.err != nil
		r.mu.Unlock()
		if n == 0 {
			return
		}
		select {
		case <-r.room:
		case <-bounded.Done():
			if !failed {
				r.Logger.Warn("records were not acknowledged in time, their offsets are not committed", "records", n, "timeout", r.FlushTimeout)
			}
			return
		}
	}
}

// holdUntilSettled has the next records held back, so many, if the producer forgot topics since what is in flight before
// them was sent: some of that may have failed, and the task not know it yet.
func (r *sourceRun) holdUntilSettled(forgot uint64, next int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case forgot == r.forgot:
	case r.inFlight > next:
		r.held.Store(true)
	default:
		r.forgot = forgot
	}
}

// hold keeps a record back behind others that have to be sent once more, and reports whether there are such.
func (r *sourceRun) hold(s *slot) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.held.Load() {
		return false
	}
	r.sendLater(s)
	return true
}
