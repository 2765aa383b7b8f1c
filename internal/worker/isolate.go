package worker

import (
	"context"
	"errors"
	"time"

	"github.com/gokconnect/connect"
)

// isolates reports whether the record that Put failed for is to be looked for.
func (r *sinkRun) isolates(err error) bool {
	var data *connect.DataError
	var over errPut
	var partial *connect.BatchError // says itself which they are
	return !r.AsJava && r.Operator.Tolerates() && len(r.batch) > 0 &&
		errors.As(err, &data) && !errors.As(err, &over) && !errors.As(err, &partial) && !connect.IsFatal(err) && !connect.IsRetriable(err)
}

// isolate finds the records for whose data Put failed, by putting ever smaller parts of the batch, in order, and gives
// them up. What fails otherwise meanwhile is what a Put of the rest of the batch fails with. The caller has the turn.
func (r *sinkRun) isolate(poll context.Context, cause error) error {
	r.Logger.Warn("put failed for the data of a record, which is looked for by putting parts of the batch", "err", cause, "records", len(r.batch))
	type part struct {
		to  int
		err error // why it can't be put as a whole
	}
	began := time.Now()
	from, parts := 0, []part{{len(r.batch), cause}} // the parts of what begins at from; the next one is the last
	for len(parts) > 0 {
		if poll.Err() != nil {
			r.keep(from)
			return nil
		}
		p := &parts[len(parts)-1]
		switch {
		case p.err == nil:
			err := r.call(r.batch[from:p.to])
			switch {
			case err == nil:
			case r.isolates(err):
				p.err = err
				continue
			default:
				return r.putRest(poll, from, p.to, err)
			}
		case p.to-from > 1:
			half := from + (p.to-from)/2
			p.err = nil
			parts = append(parts, part{to: half})
			continue
		default:
			if err := r.giveUpRecord(poll, from, p.err); err != nil {
				return err
			}
		}
		from, parts = p.to, parts[:len(parts)-1]
	}
	r.observePut(began)
	r.delivered()
	return nil
}

// putRest decides what becomes of a batch whose records before from are done, and of which those before to failed with err.
func (r *sinkRun) putRest(poll context.Context, from, to int, err error) error {
	var partial *connect.BatchError
	if !errors.As(err, &partial) || len(partial.Failed) == 0 {
		r.keep(from)
		return r.failed(poll, err)
	}
	// The records behind the part were not put yet: they are put again with those of it that may be.
	rest := connect.BatchError{Failed: partial.Failed}
	for i := to; i < len(r.batch); i++ {
		rest.Fail(i-from, connect.Retriable(err))
	}
	r.keep(from)
	return r.putPartly(poll, &rest)
}

// keep forgets the first records of the batch.
func (r *sinkRun) keep(from int) {
	n := copy(r.batch, r.batch[from:])
	clear(r.batch[n:])
	r.batch = r.batch[:n]
}
