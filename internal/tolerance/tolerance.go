// Package tolerance decides what happens when a record fails at one stage of its way: another attempt, giving the record
// up, or failing the task; and tells reporters of it. Keys errors.* of a connector; spec/kafka-connect-facts.md §8.5.
package tolerance

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/gokconnect/connect"
)

// Stage is a step on a record's way, by its name in logs and dead letter headers.
type Stage string

// The stages.
const (
	TaskPoll        Stage = "TASK_POLL"
	TaskPut         Stage = "TASK_PUT"
	Transformation  Stage = "TRANSFORMATION"
	KeyConverter    Stage = "KEY_CONVERTER"
	ValueConverter  Stage = "VALUE_CONVERTER"
	HeaderConverter Stage = "HEADER_CONVERTER"
	KafkaProduce    Stage = "KAFKA_PRODUCE"
	KafkaConsume    Stage = "KAFKA_CONSUME"
)

// Policy is what a connector's configuration says about failures.
type Policy struct {
	// RetryTimeout is how long a retriable failure is retried: 0 not at all, negative without end.
	RetryTimeout time.Duration
	// RetryDelayMax caps the wait between two attempts.
	RetryDelayMax time.Duration
	// GiveUpAtEnd skips a record whose retries end because the task does, whatever Tolerate says, as Kafka Connect does: the record
	// counts as done although it was never delivered. Otherwise it is left to the next run.
	GiveUpAtEnd bool
	// Tolerate skips records that fail, instead of failing the task.
	Tolerate bool
}

// Consumed is a record as it was read from Kafka, before any conversion.
type Consumed struct {
	Topic         string
	Partition     int32
	Offset        int64
	Timestamp     time.Time
	TimestampType connect.TimestampType
	Key, Value    []byte
	Headers       connect.RawHeaders
	Raw           any // what leads back here from [connect.SinkRecord].Consumed, or nil
	// Replayed is where the dead letter stands that this is consumed from once more, or nil. Topic, Partition and Offset are where the
	// record was consumed once.
	Replayed *Place
}

// Place is where a record stands.
type Place struct {
	Partition connect.TopicPartition
	Offset    int64
}

// Failure is one record that failed at one stage for good.
type Failure struct {
	Stage    Stage
	Class    string // of the plugin that failed
	Err      error
	Attempts int
	Source   *connect.SourceRecord // as polled, or nil; valid during the call only
	Consumed *Consumed             // as consumed, or nil; valid during the call only
}

// Reporter hears of every failure, possibly on several goroutines at once. Report returns before the report is durable; the error of a report that is known to
// have failed fails the task.
type Reporter interface {
	Report(ctx context.Context, f *Failure) error
}

// Exceeded is the error of a task that failed because one of its records did.
type Exceeded struct {
	Stage Stage
	Class string
	Err   error
}

func (e *Exceeded) Error() string {
	return fmt.Sprintf("Tolerance exceeded in error handler: stage %s (%s): %v", e.Stage, e.Class, e.Err)
}
func (e *Exceeded) Unwrap() error { return e.Err }

// JavaClass is the class that is shown of it.
func (e *Exceeded) JavaClass() string { return "org.apache.kafka.connect.errors.ConnectException" }

// JavaMessage is the message that is shown of it.
func (e *Exceeded) JavaMessage() string { return "Tolerance exceeded in error handler" }

// Stats counts what an [Operator] saw. All fields are read and written atomically.
type Stats struct {
	Failures atomic.Int64 // attempts that failed
	Errors   atomic.Int64 // records that failed
	Skipped  atomic.Int64 // records that were given up
	Retries  atomic.Int64
	Logged   atomic.Int64
	LastUnix atomic.Int64 // time of the last error in milliseconds, 0 = none
}

// Operator applies a [Policy] to the records of one task. It is safe for concurrent use.
type Operator struct {
	policy    Policy
	reporters []Reporter
	logs      int64 // how many of the reporters are logs
	until     context.Context
	waiting   func() error // called before a wait, or nil
	Stats     Stats
}

// New returns an Operator.
func New(p Policy, reporters ...Reporter) *Operator {
	if p.RetryDelayMax <= 0 {
		p.RetryDelayMax = time.Minute
	}
	o := &Operator{policy: p, reporters: reporters, until: context.Background()}
	for _, r := range reporters {
		if _, ok := r.(*Log); ok {
			o.logs++
		}
	}
	return o
}

// Until makes waits for another attempt end with ctx too: with the wish that the task stops, which attempts that are under
// way outlive. It is called before the operator is used.
func (o *Operator) Until(ctx context.Context) { o.until = ctx }

// Waiting has f called before each wait for another attempt: so that what came before the record that failed does not wait with
// it. An error ends the attempts. It is called before the operator is used.
func (o *Operator) Waiting(f func() error) { o.waiting = f }

// Interrupted reports whether the task is to stop, or ctx has ended: then a failure says nothing of the record, which
// must neither be given up nor count as done.
func (o *Operator) Interrupted(ctx context.Context) bool {
	return !o.policy.GiveUpAtEnd && (ctx.Err() != nil || o.until.Err() != nil)
}

// Tolerates reports whether records that fail are skipped.
func (o *Operator) Tolerates() bool { return o.policy.Tolerate }

// Reports reports whether anything is told of failures.
func (o *Operator) Reports() bool { return len(o.reporters) > 0 }

const firstDelay = 300 * time.Millisecond

// Retry repeats call, whose first attempt failed with err, while the error is retriable and the policy's time is not
// over, and returns the number of attempts and the last error. It waits between attempts; when ctx ends, or what [Operator.Until]
// was given, it returns at once, with the cause joined to the last error.
func (o *Operator) Retry(ctx context.Context, err error, call func() error) (attempts int, last error) {
	attempts, last = 1, err
	o.Stats.Failures.Add(1)
	if !connect.IsRetriable(err) || o.policy.RetryTimeout == 0 {
		return attempts, last
	}
	deadline := time.Now().Add(o.policy.RetryTimeout)
	for {
		wait := Backoff(attempts, o.policy.RetryDelayMax)
		if d := connect.RetryDelay(last); d > 0 {
			wait = d
		}
		if o.policy.RetryTimeout > 0 {
			left := time.Until(deadline)
			if left <= 0 {
				return attempts, last
			}
			wait = min(wait, left)
		}
		if o.waiting != nil {
			if err := o.waiting(); err != nil {
				return attempts, errors.Join(last, err)
			}
		}
		if err := o.sleep(ctx, wait); err != nil && o.policy.GiveUpAtEnd {
			return attempts, &endedError{last}
		} else if err != nil {
			return attempts, errors.Join(last, err)
		}
		attempts++
		o.Stats.Retries.Add(1)
		if last = call(); last == nil {
			return attempts, nil
		}
		o.Stats.Failures.Add(1)
		if !connect.IsRetriable(last) {
			return attempts, last
		}
	}
}

// endedError is the error of the last attempt where the task's end ended the attempts, and the policy gives the record up then.
type endedError struct{ error }

func (e *endedError) Unwrap() error { return e.error }

// Failed reports the failure, and returns nil if the record is given up, or the error that fails the task.
func (o *Operator) Failed(ctx context.Context, f *Failure) error {
	var ended *endedError
	if errors.As(f.Err, &ended) {
		f.Err = ended.error
	}
	o.Stats.Errors.Add(1)
	o.Stats.LastUnix.Store(time.Now().UnixMilli())
	var errs []error
	o.Stats.Logged.Add(o.logs)
	for _, r := range o.reporters {
		if err := r.Report(ctx, f); err != nil {
			errs = append(errs, err)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return errors.Join(err, f.Err)
	}
	if !o.policy.Tolerate && ended == nil {
		return &Exceeded{f.Stage, f.Class, f.Err}
	}
	o.Stats.Skipped.Add(1)
	return nil
}

// Backoff returns the wait after the n-th failed attempt, n from 1: 300 ms, doubled each time, and, once that passes
// limit, any time below limit, so that tasks that failed together don't stay together.
func Backoff(n int, limit time.Duration) time.Duration {
	d := firstDelay << min(n-1, 40)
	if d > limit || d <= 0 {
		return rand.N(limit)
	}
	return d
}

// sleep waits for d, or returns the cause when a context ends.
func (o *Operator) sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-o.until.Done():
		return context.Cause(o.until)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
