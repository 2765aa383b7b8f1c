package offsets_test

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"testing/synctest"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/offsets"
)

// gate is a store whose Set waits, or fails.
type gate struct {
	offsets.Memory
	open chan struct{} // nil lets all through
	err  error
	sets int
}

func (g *gate) Set(ctx context.Context, connector string, entries []connect.PartitionOffset) error {
	if g.open != nil {
		select {
		case <-g.open:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	g.sets++
	if g.err != nil {
		return g.err
	}
	return g.Memory.Set(ctx, connector, entries)
}

var (
	partitionA, partitionB = connect.Fields{"f": "a"}, connect.Fields{"f": "b"}
	offset1, offset2       = connect.Fields{"p": int64(1)}, connect.Fields{"p": int64(2)}
)

func TestPerConnectorFallsBack(t *testing.T) {
	own, worker := &offsets.Memory{}, &offsets.Memory{}
	set(t, worker, partitionA, offset1)
	set(t, worker, partitionB, offset1)
	set(t, own, partitionB, offset2)
	p := &offsets.PerConnector{Own: own, Worker: worker}
	got, err := p.Get(t.Context(), "c", []connect.Fields{partitionA, partitionB, {"f": "d"}})
	if want := []connect.Fields{offset1, offset2, nil}; err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, error %v, want %v", got, err, want)
	}
	p.Mask = true
	got, err = p.Get(t.Context(), "c", []connect.Fields{partitionA, partitionB})
	if want := []connect.Fields{nil, offset2}; err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("masked: got %v, error %v, want %v", got, err, want)
	}
}

func TestPerConnectorDoesNotWaitForTheCopy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		own, worker := &offsets.Memory{}, &gate{open: make(chan struct{})}
		p := &offsets.PerConnector{Own: own, Worker: worker}
		set(t, p, partitionA, offset1)
		set(t, p, partitionA, offset1)
		set(t, p, partitionA, offset2)
		want(t, own, partitionA, offset2)
		close(worker.open)
		if err := p.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		want(t, worker, partitionA, offset2)
		if worker.sets > 2 {
			t.Errorf("%d copies of one partition were written, though two would do", worker.sets)
		}
	})
}

func TestPerConnectorCloseGivesUpTheCopy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		worker := &gate{open: make(chan struct{})}
		p := &offsets.PerConnector{Own: &offsets.Memory{}, Worker: worker}
		set(t, p, partitionA, offset1)
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		set(t, p, partitionA, offset2) // no goroutine is left, and none is started
	})
}

func TestPerConnectorReportsAFailedCopy(t *testing.T) {
	no := errors.New("no")
	var reported error
	p := &offsets.PerConnector{Own: &offsets.Memory{}, Worker: &gate{err: no}, OnError: func(err error) { reported = err }}
	set(t, p, partitionA, offset1)
	if err := p.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !errors.Is(reported, no) {
		t.Errorf("reported %v", reported)
	}
}

func TestPerConnectorRemovesFromTheWorkersStoreFirst(t *testing.T) {
	no := errors.New("no")
	own := &offsets.Memory{}
	set(t, own, partitionA, offset1)
	p := &offsets.PerConnector{Own: own, Worker: &gate{err: no}}
	if err := p.Set(t.Context(), "c", []connect.PartitionOffset{{Partition: partitionA}}); !errors.Is(err, no) {
		t.Errorf("error %v", err)
	}
	want(t, own, partitionA, offset1)
}

func TestPerConnectorRemovalComesAfterCopies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		worker := &gate{open: make(chan struct{})}
		p := &offsets.PerConnector{Own: &offsets.Memory{}, Worker: worker}
		set(t, p, partitionA, offset1)
		removed := make(chan error, 1)
		go func() {
			removed <- p.Set(t.Context(), "c", []connect.PartitionOffset{{Partition: partitionA}})
		}()
		synctest.Wait()
		close(worker.open)
		if err := <-removed; err != nil {
			t.Fatal(err)
		}
		want(t, worker, partitionA, nil)
		want(t, p, partitionA, nil)
	})
}

func TestPerConnectorCopiesNothingThatIsRemoved(t *testing.T) {
	part := func(name string) connect.Fields { return connect.Fields{"name": name} }
	at := func(n int64) connect.Fields { return connect.Fields{"at": n} }
	worker := new(offsets.Memory)
	p := &offsets.PerConnector{Own: new(offsets.Memory), Worker: worker}
	err := p.Set(t.Context(), "c", []connect.PartitionOffset{
		{Partition: part("a"), Offset: at(1)}, {Partition: part("b"), Offset: at(2)}, {Partition: part("b")},
		{Partition: part("c")}, {Partition: part("c"), Offset: at(3)},
	})
	if err := errors.Join(err, p.Flush(t.Context())); err != nil {
		t.Fatal(err)
	}
	got, err := worker.Get(t.Context(), "c", []connect.Fields{part("a"), part("b"), part("c")})
	if want := []connect.Fields{at(1), nil, at(3)}; err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("the worker's store has %v, %v; want %v: what is removed must not come back by its copy", got, err, want)
	}
}
