package worker

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/gokconnect/connect"
)

// call is a call into plugin code.
type call int32

const (
	idle call = iota
	callStart
	callPoll
	callCommitRecord
	callCommit
	callStop
	callProcess
	callPut
	callPreCommit
	callFlush
	callOpen
	callClose
	callCommittedOffsets
	callTaskConfigs
	callCreate
	callFields
)

var callNames = [...]string{"", "Start", "Poll", "CommitRecord", "Commit", "Stop", "transformations and converters", "Put", "PreCommit", "Flush", "OpenPartitions", "ClosePartitions", "CommittedOffsets", "TaskConfigs", "constructor", "Fields"}

func (c call) String() string { return callNames[c] }

// Activity is which call into a plugin one goroutine is in, and since when. Its goroutine writes it, any may read it.
type Activity struct {
	call  atomic.Int32
	since atomic.Int64 // nanoseconds since the epoch
}

// Current returns the call that is under way and when it began; "" if none is.
func (a *Activity) Current() (name string, since time.Time) {
	c := call(a.call.Load())
	return c.String(), time.Unix(0, a.since.Load())
}

// do makes a call into a plugin: named, and with a panic guard. Its error names the call.
func (a *Activity) do(c call, f func() error) (err error) {
	a.since.Store(time.Now().UnixNano())
	a.call.Store(int32(c))
	defer func() {
		a.call.Store(int32(idle))
		if v := recover(); v != nil {
			err = &connect.PanicError{Call: c.String(), Value: v, Stack: debug.Stack()}
		}
	}()
	return f()
}

// outside says that the call is not what the goroutine is at until the function that it returns is called: it waits
// for Kafka.
func (a *Activity) outside() (back func()) {
	c := a.call.Swap(int32(idle))
	return func() {
		if c != int32(idle) {
			a.since.Store(time.Now().UnixNano())
			a.call.Store(c)
		}
	}
}

// interrupted reports whether err is only the echo of ctx having ended.
func interrupted(ctx context.Context, err error) bool {
	if err == nil || ctx.Err() == nil {
		return false
	}
	return isAny(err, ctx.Err(), context.Cause(ctx), context.Canceled, connect.ErrStopping)
}

// deadline returns a context for a bounded call, whose cause says what was bounded.
func deadline(ctx context.Context, d time.Duration, what string) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, d, fmt.Errorf("%s did not end within %v", what, d))
}
