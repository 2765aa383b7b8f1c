package worker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/javaerror"
	"github.com/gokconnect/connect/internal/tolerance"
	"github.com/twmb/franz-go/pkg/kgo"
)

// put gives the batch to the task, and decides what becomes of what failed. It returns the error that fails the task.
// The caller has the turn.
func (r *sinkRun) put(poll context.Context) error {
	began := time.Now()
	err := r.call(r.batch)
	if err != nil {
		return r.failed(poll, err)
	}
	r.observePut(began)
	r.delivered()
	return nil
}

// errPut fails the task: it is not about what Put returned. Its text is complete.
type errPut struct{ error }

func (e errPut) Unwrap() error { return e.error }

// call gives records to the task. The caller has the turn.
func (r *sinkRun) call(records []connect.SinkRecord) error {
	ctx, put := r.span.Stage(r.work, "put")
	err := r.activity.do(callPut, func() error { return r.Task.Put(ctx, records) })
	if r.span != nil && len(records) > 0 {
		put(err)
	}
	if failure := r.firstFailure(nil); failure != nil {
		// Such as a record that was reported while nothing is tolerated.
		wrapped := javaerror.New(javaerror.Connect, unrecoverable, javaerror.In("Put", failure))
		r.mu.Lock()
		r.err = wrapped
		r.mu.Unlock()
		return errPut{wrapped}
	}
	return err
}

// failed decides what becomes of a batch for which Put returned an error.
func (r *sinkRun) failed(poll context.Context, err error) error {
	var over errPut
	var partial *connect.BatchError
	switch {
	case errors.As(err, &over):
		return over.error
	case errors.As(err, &partial) && len(partial.Failed) > 0:
		return r.putPartly(poll, partial)
	case connect.IsRetriable(err):
		return r.putAgain(err)
	case r.isolates(err):
		return r.isolate(poll, err)
	}
	return javaerror.New(javaerror.Connect, unrecoverable, javaerror.In(fmt.Sprintf("Put of %d records", len(r.batch)), err))
}

// delivered takes note that the whole batch is done.
func (r *sinkRun) delivered() {
	r.retries = 0
	r.replayRetries(nil)
	r.endSpan()
	r.batch = r.batch[:0]
	for _, p := range r.parts {
		if p.polled >= 0 {
			p.current = p.polled
		}
	}
}

func (r *sinkRun) putAgain(err error) error {
	r.retries++
	r.replayRetries(err)
	if d := connect.RetryDelay(err); d > 0 && r.timeout <= 0 {
		r.timeout = d
	}
	r.Logger.Warn("put failed, the batch will be put again", "err", err, "records", len(r.batch), "attempt", r.retries)
	return nil
}

// putPartly keeps the records that may be put again, and gives up the others as far as that is tolerated.
func (r *sinkRun) putPartly(poll context.Context, partial *connect.BatchError) error {
	var again []int
	var cause error
	for _, f := range partial.Failed {
		if f.Index < 0 || f.Index >= len(r.batch) {
			return fmt.Errorf("put: BatchError names record %d of a batch of %d: %w", f.Index, len(r.batch), partial)
		}
		if connect.IsRetriable(f.Err) {
			again = append(again, f.Index)
			cause = f.Err
			continue
		}
		if err := r.giveUpRecord(poll, f.Index, f.Err); err != nil {
			return err
		}
	}
	if len(again) == 0 {
		r.delivered()
		return nil
	}
	slices.Sort(again)
	again = slices.Compact(again)
	for to, from := range again {
		r.batch[to] = r.batch[from]
	}
	clear(r.batch[len(again):])
	r.batch = r.batch[:len(again)]
	return r.putAgain(cause)
}

// giveUpRecord gives a record of the batch up, as far as that is tolerated.
func (r *sinkRun) giveUpRecord(poll context.Context, index int, err error) error {
	raw, ok := r.batch[index].Consumed.(*kgo.Record)
	if !ok {
		return fmt.Errorf("put: the task overwrote record %d of its batch, which failed: %w", index, err)
	}
	c := r.consumed(raw)
	return r.Operator.Failed(poll, &tolerance.Failure{Stage: tolerance.TaskPut, Class: sinkTaskClass, Err: err, Attempts: r.retries + 1, Consumed: &c})
}

// sinkTaskClass is what dead letter headers name as the class that failed in Put.
const sinkTaskClass = "org.apache.kafka.connect.sink.SinkTask"

const unrecoverable = "Exiting WorkerSinkTask due to unrecoverable exception."
