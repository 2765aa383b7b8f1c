package offsets_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/offsets"
)

func TestWriterStoresTheLatest(t *testing.T) {
	var store offsets.Memory
	w := offsets.NewWriter("c", false)
	for _, o := range []connect.Fields{offset1, offset2} {
		if err := w.Offset(partitionA, o); err != nil {
			t.Fatal(err)
		}
	}
	if stored, err := w.Flush(t.Context(), &store); !stored || err != nil {
		t.Errorf("stored %v, error %v", stored, err)
	}
	want(t, &store, partitionA, offset2)
	if stored, err := w.Flush(t.Context(), &store); stored || err != nil {
		t.Errorf("stored %v, error %v, with nothing to store", stored, err)
	}
}

func TestWriterOneBadOffsetFailsAlone(t *testing.T) {
	var store offsets.Memory
	w := offsets.NewWriter("c", false)
	for p, o := range map[string]connect.Fields{"a": offset1, "b": {"p": []any{}}} {
		if err := w.Offset(connect.Fields{"f": p}, o); err != nil {
			t.Fatal(err)
		}
	}
	stored, err := w.Flush(t.Context(), &store)
	var bad *offsets.EntryError
	if !stored || !errors.As(err, &bad) || bad.Partition["f"] != "b" || !strings.Contains(err.Error(), "connector c") {
		t.Errorf("stored %v, error %v", stored, err)
	}
	want(t, &store, partitionA, offset1)
	if w.Pending() {
		t.Error("the offset that can't be stored was kept")
	}
	if err := w.Offset(connect.Fields{"f": struct{}{}}, offset1); !errors.As(err, &bad) {
		t.Errorf("a partition that can't be stored: error %v", err)
	}
}

func TestWriterAllOrNothing(t *testing.T) {
	var store offsets.Memory
	w := offsets.NewWriter("c", true)
	_ = w.Offset(partitionA, offset1)
	_ = w.Offset(partitionB, connect.Fields{"p": []any{}})
	if stored, err := w.Flush(t.Context(), &store); stored || err == nil {
		t.Errorf("stored %v, error %v", stored, err)
	}
	want(t, &store, partitionA, nil)
	_ = w.Offset(partitionB, offset2)
	if stored, err := w.Flush(t.Context(), &store); !stored || err != nil {
		t.Errorf("stored %v, error %v", stored, err)
	}
	want(t, &store, partitionA, offset1)
}

func TestWriterKeepsWhatWasNotStored(t *testing.T) {
	store := &gate{err: errors.New("no")}
	w := offsets.NewWriter("c", false)
	_ = w.Offset(partitionA, offset1)
	_ = w.Offset(partitionB, offset1)
	f, err := w.TryBegin()
	if err != nil {
		t.Fatal(err)
	}
	_ = w.Offset(partitionA, offset2) // newer than the one on its way
	if _, err := w.TryBegin(); !errors.Is(err, offsets.ErrFlushing) {
		t.Errorf("error %v", err)
	}
	f.Done(store.err)
	f.Done(nil) // does not count
	store.err = nil
	if stored, err := w.Flush(t.Context(), store); !stored || err != nil {
		t.Errorf("stored %v, error %v", stored, err)
	}
	want(t, store, partitionA, offset2)
	want(t, store, partitionB, offset1)
}

func TestWriterWaitsForTheFlushBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &gate{open: make(chan struct{})}
		w := offsets.NewWriter("c", false)
		_ = w.Offset(partitionA, offset1)
		var flushing sync.WaitGroup
		flushing.Go(func() {
			if _, err := w.Flush(t.Context(), store); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		_ = w.Offset(partitionA, offset2)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := w.Flush(ctx, store); err == nil || err.Error() != "Timed out waiting for previous flush to finish" {
			t.Errorf("error %v", err)
		}
		flushing.Go(func() {
			if stored, err := w.Flush(t.Context(), store); !stored || err != nil {
				t.Errorf("stored %v, error %v", stored, err)
			}
		})
		synctest.Wait()
		close(store.open)
		flushing.Wait()
		want(t, store, partitionA, offset2)
	})
}

func TestReaderClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slowStore{}
		r := offsets.NewReader(s, "c", nil)
		var waiting sync.WaitGroup
		waiting.Go(func() {
			if _, err := r.Offset(t.Context(), partitionA); err == nil || !strings.Contains(err.Error(), "Offset reader is closed") {
				t.Errorf("error %v", err)
			}
		})
		synctest.Wait()
		r.Close()
		r.Close()
		waiting.Wait()
		if _, err := r.Offset(t.Context(), partitionA); err == nil {
			t.Error("no error from a closed reader")
		}
	})
}

// slowStore answers only when the caller gives up.
type slowStore struct{ offsets.Memory }

func (s *slowStore) Get(ctx context.Context, _ string, _ []connect.Fields) ([]connect.Fields, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestReaderReportsWhatCanNotHaveBeenStored(t *testing.T) {
	var store offsets.Memory
	set(t, &store, partitionA, offset1)
	var reported error
	r := offsets.NewReader(&store, "c", func(err error) { reported = err })
	got, err := r.Offsets(t.Context(), []connect.Fields{{"f": []any{}}, partitionA})
	if err != nil || got[0] != nil || got[1]["p"] != int64(1) || reported == nil {
		t.Errorf("got %v, error %v, reported %v", got, err, reported)
	}
}
