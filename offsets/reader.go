package offsets

import (
	"context"
	"errors"
	"sync"

	"github.com/gokconnect/connect"
)

// Reader reads the offsets of one connector: it is the [connect.OffsetReader] of that connector and its tasks. A
// partition that can't have been stored, since it holds more than primitive values, has no offset.
type Reader struct {
	store     Store
	connector string
	onError   func(error)

	mu     sync.Mutex
	closed chan struct{}
}

var _ connect.OffsetReader = (*Reader)(nil)

// NewReader returns a reader of the offsets of a connector. onError is told of partitions that can't have been stored;
// nil ignores them.
func NewReader(store Store, connector string, onError func(error)) *Reader {
	if onError == nil {
		onError = func(error) {}
	}
	return &Reader{store: store, connector: connector, onError: onError, closed: make(chan struct{})}
}

// errReaderClosed is why a task that outstays its grace period is given no more offsets.
var errReaderClosed = errors.New("Offset reader is closed. This is likely because the task has already been scheduled to stop but has taken longer than the graceful shutdown period to do so.")

// fetchError is what the caller of a reader is told.
type fetchError struct{ err error }

func (e *fetchError) Error() string { return "Failed to fetch offsets.: " + e.err.Error() }
func (e *fetchError) Unwrap() error { return e.err }

// Close makes calls that wait, and all later ones, fail. It may be called more than once, and does not close the store.
func (r *Reader) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	select {
	case <-r.closed:
	default:
		close(r.closed)
	}
	return nil
}

// Offset implements [connect.OffsetReader].
func (r *Reader) Offset(ctx context.Context, partition connect.Fields) (connect.Fields, error) {
	found, err := r.Offsets(ctx, []connect.Fields{partition})
	if err != nil {
		return nil, err
	}
	return found[0], nil
}

// Offsets implements [connect.OffsetReader].
func (r *Reader) Offsets(ctx context.Context, partitions []connect.Fields) ([]connect.Fields, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	select {
	case <-r.closed:
		return nil, &fetchError{errReaderClosed}
	default:
	}
	got := make(chan struct{})
	defer close(got)
	go func() {
		select {
		case <-r.closed:
			cancel(errReaderClosed)
		case <-got:
		}
	}()
	found := make([]connect.Fields, len(partitions))
	asked := make([]connect.Fields, 0, len(partitions))
	at := make([]int, 0, len(partitions))
	for i, p := range partitions {
		if err := Validate(p); err != nil {
			r.onError(err)
			continue
		}
		asked = append(asked, p)
		at = append(at, i)
	}
	if len(asked) == 0 {
		return found, nil
	}
	offsets, err := r.store.Get(ctx, r.connector, asked)
	if err != nil {
		if errors.Is(context.Cause(ctx), errReaderClosed) {
			err = errReaderClosed
		}
		return nil, &fetchError{err}
	}
	for i, offset := range offsets {
		found[at[i]] = offset
	}
	return found, nil
}
