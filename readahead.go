package connect

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"time"
)

const (
	defaultReadAhead = 1000        // records of a task that are read and not yet polled
	defaultRefresh   = time.Minute // between looks at partitions, and at a partition that came to an end
)

// reader reads one source partition. read calls emit for each record, until emit returns false. It goes on behind the
// last record that it emitted when it is called again.
type reader struct {
	name string
	read func(ctx context.Context, emit func(SourceRecord) bool) error
}

// readAhead is the part of a source task that runs readers, each on a goroutine, into one bounded queue that Poll
// takes as a whole. Two slices take turns, so that a record costs neither a channel operation nor an allocation.
type readAhead struct {
	limit   int
	refresh time.Duration
	launch  func(*reader) // starts a reader; nil until start
	cancel  context.CancelCauseFunc
	running sync.WaitGroup

	mu     sync.Mutex
	queue  []SourceRecord
	failed []failedReader
	room   chan struct{} // closed when the queue was taken

	arrived chan struct{} // holds a signal that there is something for Poll

	// For Poll only.
	polled []SourceRecord // what the runtime has
	again  []*reader      // to be started by the next Poll
}

type failedReader struct {
	reader *reader
	err    error
}

// start starts the readers. They outlive ctx.
func (a *readAhead) start(ctx context.Context, limit int, refresh time.Duration, readers []reader) {
	if a.limit = limit; limit <= 0 {
		a.limit = defaultReadAhead
	}
	if a.refresh = refresh; refresh == 0 {
		a.refresh = defaultRefresh
	}
	a.room, a.arrived = make(chan struct{}), make(chan struct{}, 1)
	ctx, a.cancel = context.WithCancelCause(context.WithoutCancel(ctx))
	a.launch = func(r *reader) { a.running.Go(func() { a.run(ctx, r) }) }
	for i := range readers {
		a.launch(&readers[i])
	}
}

// run runs one reader again and again, until it fails or ctx ends.
func (a *readAhead) run(ctx context.Context, r *reader) {
	emit := func(rec SourceRecord) bool { return a.put(ctx, rec) }
	for {
		err := call(r, ctx, emit)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			a.mu.Lock()
			a.failed = append(a.failed, failedReader{r, fmt.Errorf("%s: %w", r.name, err)})
			a.mu.Unlock()
			a.signal()
			return
		}
		if a.refresh < 0 {
			return
		}
		timer := time.NewTimer(a.refresh)
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
		if ctx.Err() != nil {
			return
		}
	}
}

// call runs a reader, and makes an error of a panic: it would otherwise end the process.
func call(r *reader, ctx context.Context, emit func(SourceRecord) bool) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{Call: "reading", Value: v, Stack: debug.Stack()}
		}
	}()
	return r.read(ctx, emit)
}

// put adds a record to the queue. It waits for room, and returns false when ctx has ended.
func (a *readAhead) put(ctx context.Context, r SourceRecord) bool {
	for ctx.Err() == nil {
		a.mu.Lock()
		if n := len(a.queue); n < a.limit {
			a.queue = append(a.queue, r)
			a.mu.Unlock()
			if n == 0 {
				a.signal()
			}
			return true
		}
		room := a.room
		a.mu.Unlock()
		select {
		case <-room:
		case <-ctx.Done():
		}
	}
	return false
}

func (a *readAhead) signal() {
	select {
	case a.arrived <- struct{}{}:
	default: // Poll has a signal already
	}
}

// Poll returns what was read since the last Poll, or waits for it. An error comes behind all records that were read
// before it.
func (a *readAhead) Poll(ctx context.Context) ([]SourceRecord, error) {
	for _, r := range a.again {
		a.launch(r)
	}
	a.again = nil
	for {
		if batch, err := a.take(); len(batch) > 0 || err != nil {
			return batch, err
		}
		select {
		case <-a.arrived:
		case <-ctx.Done():
			return nil, nil
		}
	}
}

func (a *readAhead) take() ([]SourceRecord, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.queue) > 0 {
		clear(a.polled)
		a.queue, a.polled = a.polled[:0], a.queue
		close(a.room)
		a.room = make(chan struct{})
		return a.polled, nil
	}
	if len(a.failed) == 0 {
		return nil, nil
	}
	f := a.failed[0]
	a.failed = a.failed[1:]
	if IsRetriable(f.err) {
		a.again = append(a.again, f.reader)
	}
	return nil, f.err
}

// Stop ends the readers and waits for them.
func (a *readAhead) Stop(ctx context.Context) error {
	if a.cancel == nil {
		return nil
	}
	a.cancel(ErrStopping)
	ended := make(chan struct{})
	go func() {
		a.running.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for the end of reading: %w", context.Cause(ctx))
	}
}
