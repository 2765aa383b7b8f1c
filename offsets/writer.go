package offsets

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/offsetcodec"
)

// Writer gathers the offsets of the records of a task that were acknowledged, and has them stored in batches: of each
// source partition the latest. Offsets that come in while a batch is being stored go into the next one; those of a
// batch that could not be stored too, unless there are newer ones. It is safe for concurrent use.
type Writer struct {
	connector string
	// allOrNothing makes one offset that can't be stored hold up the whole batch, as Kafka Connect does.
	allOrNothing bool

	mu     sync.Mutex
	next   map[string]pending // by canonical partition
	flight chan struct{}      // closed when the flush that is under way ends; nil when none is
}

type pending struct {
	partition connect.Fields
	offset    connect.SourceOffset
}

// ErrFlushing says that a flush is under way already.
var ErrFlushing = errors.New("OffsetStorageWriter is already flushing")

// errFlushTimeout says that the flush before has not ended in time.
var errFlushTimeout = errors.New("Timed out waiting for previous flush to finish")

// errNoFlush says that a flush is used that was not begun.
var errNoFlush = errors.New("no flush was begun")

// EntryError is an offset that can't be stored.
type EntryError struct {
	Connector string
	Partition connect.Fields
	Err       error
}

func (e *EntryError) Error() string {
	return fmt.Sprintf("the offset of source partition %s of connector %s can't be stored: %v", connect.FormatValue(map[string]any(e.Partition)), e.Connector, e.Err)
}

func (e *EntryError) Unwrap() error { return e.Err }

// NewWriter returns a writer of the offsets of a connector. allOrNothing makes one offset that can't be stored fail
// the flush of all until a newer one replaces it, as Kafka Connect does; otherwise it alone fails.
func NewWriter(connector string, allOrNothing bool) *Writer {
	return &Writer{connector: connector, allOrNothing: allOrNothing, next: map[string]pending{}}
}

// Offset notes the offset of a source partition. A nil one, or one without fields to name, removes what is stored. A
// partition that can't be stored is an *[EntryError] at once, and not noted, unless the writer is all or nothing.
func (w *Writer) Offset(partition connect.Fields, offset connect.SourceOffset) error {
	name, err := offsetcodec.Canonical(partition)
	if err != nil {
		if !w.allOrNothing {
			return &EntryError{w.connector, partition, err}
		}
		name = fmt.Sprint(partition)
	}
	w.mu.Lock()
	w.next[name] = pending{partition, offset}
	w.mu.Unlock()
	return nil
}

// Pending reports whether there are offsets to store.
func (w *Writer) Pending() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.next) > 0
}

// Flush stores what was noted, and reports whether it did: there may be nothing to store. It waits for the flush before
// it. After an error everything is kept for the next flush, except that an *[EntryError] (use [errors.As]; there may be
// several, joined) says that the others were stored and this one was given up.
func (w *Writer) Flush(ctx context.Context, store Store) (bool, error) {
	f, err := w.Begin(ctx)
	if f == nil || err != nil {
		return false, err
	}
	entries, rejected := f.Entries()
	if len(entries) == 0 {
		if w.allOrNothing {
			f.Done(rejected)
		} else {
			f.Done(nil)
		}
		return false, rejected
	}
	err = store.Set(ctx, w.connector, entries)
	f.Done(err)
	return err == nil, errors.Join(err, rejected)
}

// Begin takes what was noted, for the caller to store. It returns nil if there is nothing. It waits for the flush before
// to end, as long as ctx does not.
func (w *Writer) Begin(ctx context.Context) (*Flush, error) {
	for {
		f, flight := w.take()
		if flight == nil {
			return f, nil
		}
		select {
		case <-flight:
		case <-ctx.Done():
			return nil, errFlushTimeout
		}
	}
}

// TryBegin is Begin that does not wait but returns [ErrFlushing].
func (w *Writer) TryBegin() (*Flush, error) {
	f, flight := w.take()
	if flight != nil {
		return nil, ErrFlushing
	}
	return f, nil
}

// take returns the next flush, or nil if there is nothing to store, or what to wait for.
func (w *Writer) take() (*Flush, <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.flight != nil {
		return nil, w.flight
	}
	if len(w.next) == 0 {
		return nil, nil
	}
	f := &Flush{w: w, batch: w.next}
	w.next = map[string]pending{}
	w.flight = make(chan struct{})
	return f, nil
}

// Flush is a batch of offsets on its way to the store. Done must be called once it is there, or isn't.
type Flush struct {
	w     *Writer
	batch map[string]pending // nil when done
}

// Entries returns what is to be stored, in no order. rejected are the offsets that can't be, each as an *[EntryError];
// of an all-or-nothing writer there are no entries then.
func (f *Flush) Entries() (entries []connect.PartitionOffset, rejected error) {
	if f == nil {
		return nil, errNoFlush
	}
	f.w.mu.Lock()
	batch := f.batch
	f.w.mu.Unlock()
	for _, p := range batch {
		e := connect.PartitionOffset{Partition: p.partition}
		if p.offset != nil {
			e.Offset = p.offset.Fields()
		}
		entries = append(entries, e)
	}
	entries, rejected = Split(f.w.connector, entries)
	if rejected != nil && f.w.allOrNothing {
		return nil, rejected
	}
	return entries, rejected
}

// Split returns the entries that can be stored, in their order, and says why the others can't: each is an
// *[EntryError], joined. It is for callers of [Store].Set who do not want one entry to fail all.
func Split(connector string, entries []connect.PartitionOffset) (storable []connect.PartitionOffset, rejected error) {
	var errs []error
	for _, e := range entries {
		if err := validate(e); err != nil {
			errs = append(errs, &EntryError{connector, e.Partition, err})
			continue
		}
		storable = append(storable, e)
	}
	return storable, errors.Join(errs...)
}

// Done ends the flush. With an error its offsets go back to the writer, under newer ones. Only the first call counts.
func (f *Flush) Done(err error) {
	f.w.mu.Lock()
	defer f.w.mu.Unlock()
	if f.batch == nil {
		return
	}
	if err != nil {
		for name, p := range f.batch {
			if _, newer := f.w.next[name]; !newer {
				f.w.next[name] = p
			}
		}
	}
	f.batch = nil
	close(f.w.flight)
	f.w.flight = nil
}
