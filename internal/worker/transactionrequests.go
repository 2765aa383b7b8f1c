package worker

import (
	"fmt"
	"slices"
	"sync"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/javaerror"
)

// TransactionRequests is the [connect.TransactionContext] of a task that defines the boundaries of its transactions: it
// keeps what the task asks for until the batch that it is about has been polled. It is safe for concurrent use.
type TransactionRequests struct {
	mu      sync.Mutex
	pending boundaries
}

var _ connect.TransactionContext = (*TransactionRequests)(nil)

// boundaries are what a task wants for one batch.
type boundaries struct {
	commit, abort     bool  // after the batch
	commitAt, abortAt []int // after single records of it
}

// CommitBatch implements [connect.TransactionContext].
func (q *TransactionRequests) CommitBatch() { q.ask(func(b *boundaries) { b.commit = true }) }

// AbortBatch implements [connect.TransactionContext].
func (q *TransactionRequests) AbortBatch() { q.ask(func(b *boundaries) { b.abort = true }) }

// CommitAt implements [connect.TransactionContext].
func (q *TransactionRequests) CommitAt(index int) {
	q.ask(func(b *boundaries) { b.commitAt = append(b.commitAt, index) })
}

// AbortAt implements [connect.TransactionContext].
func (q *TransactionRequests) AbortAt(index int) {
	q.ask(func(b *boundaries) { b.abortAt = append(b.abortAt, index) })
}

func (q *TransactionRequests) ask(f func(*boundaries)) {
	q.mu.Lock()
	defer q.mu.Unlock()
	f(&q.pending)
}

// take returns what was asked for since the last time.
func (q *TransactionRequests) take() boundaries {
	q.mu.Lock()
	defer q.mu.Unlock()
	b := q.pending
	q.pending = boundaries{}
	return b
}

// at returns the records at which a transaction ends, in order. A record that the batch does not have is an error: the task
// means another one, and a transaction must not end elsewhere than it thinks.
func (b *boundaries) at(records int) ([]int, error) {
	if b.commitAt == nil && b.abortAt == nil {
		return nil, nil
	}
	all := slices.Sorted(slices.Values(slices.Concat(b.commitAt, b.abortAt)))
	all = slices.Compact(all)
	for _, i := range all {
		if i < 0 || i >= records {
			return nil, fmt.Errorf("the task asked for the end of a transaction at record %d of a batch of %d records: %w", i, records, connect.ErrIllegalState)
		}
	}
	return all, nil
}

// wish returns what is to happen after the record at an index of the batch.
func (b *boundaries) wish(i int, r *connect.SourceRecord) (commit, abort bool, err error) {
	commit, abort = slices.Contains(b.commitAt, i), slices.Contains(b.abortAt, i)
	if commit && abort {
		partition := "null"
		if n, ok := r.Partition.Get(); ok {
			partition = fmt.Sprint(n)
		}
		return false, false, javaerror.New(javaerror.IllegalState,
			fmt.Sprintf("Connector requested both commit and abort of same record against topic/partition %s/%s", r.Topic, partition), nil)
	}
	return commit, abort, nil
}

// wishBatch returns what is to happen after the batch.
func (b *boundaries) wishBatch() (commit, abort bool, err error) {
	if b.commit && b.abort {
		return false, false, javaerror.New(javaerror.IllegalState, "Connector requested both commit and abort of same transaction", nil)
	}
	return b.commit, b.abort, nil
}
