package connect_test

import (
	"context"
	"iter"
	"sync"
	"testing"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/connecttest"
)

// partitionedSource is a [source] with two tenants, as a harness.
type partitionedSource struct {
	source
	more int
}

func (s *partitionedSource) Connector() connect.SourceConnector {
	return &connect.Partitioned[tenant, at]{Partitions: s.tenants, Read: s.read, Topic: "t", Refresh: time.Millisecond, ReadAhead: 3}
}
func (s *partitionedSource) Config() connect.Config { return connect.Config{} }
func (s *partitionedSource) Add(_ testing.TB, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range n {
		s.more++
		s.rows[tenant{"a", s.more % 2}]++
	}
}

func TestPartitionedContract(t *testing.T) {
	connecttest.TestSource(t, func(testing.TB) connecttest.SourceHarness {
		s := new(partitionedSource)
		s.set(tenant{"a", 0}, 0)
		s.set(tenant{"a", 1}, 0)
		return s
	})
}

// functionSource is a function that waits for numbers, as a harness.
type functionSource struct {
	mu   sync.Mutex
	n    int64
	more chan struct{}
}

func (s *functionSource) Connector() connect.SourceConnector { return connect.SourceFunc(s.read) }
func (s *functionSource) Config() connect.Config             { return connect.Config{} }
func (s *functionSource) Add(_ testing.TB, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.n += int64(n)
	close(s.more)
	s.more = make(chan struct{})
}

func (s *functionSource) read(ctx context.Context, from connect.Fields) iter.Seq2[connect.SourceRecord, error] {
	return func(yield func(connect.SourceRecord, error) bool) {
		next, _ := from["n"].(int64)
		for ctx.Err() == nil {
			s.mu.Lock()
			n, more := s.n, s.more
			s.mu.Unlock()
			for ; next < n; next++ {
				r := connect.SourceRecord{
					Record:       connect.Record{Topic: "t", ValueSchema: connect.Int64Schema, Value: next},
					SourceOffset: connect.Fields{"n": next + 1},
				}
				if !yield(r, nil) {
					return
				}
			}
			select {
			case <-more:
			case <-ctx.Done():
			}
		}
	}
}

func TestSourceFuncContract(t *testing.T) {
	connecttest.TestSource(t, func(testing.TB) connecttest.SourceHarness { return &functionSource{more: make(chan struct{})} })
}

// functionSink is a function that appends to a list, as a harness.
type functionSink struct{ values []any }

func (s *functionSink) Connector() connect.SinkConnector {
	return connect.SinkFunc(func(_ context.Context, records []connect.SinkRecord) error {
		for _, r := range records {
			s.values = append(s.values, r.Value)
		}
		return nil
	})
}
func (s *functionSink) Config() connect.Config  { return connect.Config{} }
func (s *functionSink) Read(t testing.TB) []any { return s.values }

func TestSinkFuncContract(t *testing.T) {
	connecttest.TestSink(t, func(testing.TB) connecttest.SinkHarness { return new(functionSink) })
}

// rename is a transformation behind a predicate, as a harness.
type rename struct{}

func (rename) Transformation(testing.TB) connect.Transformation {
	return connect.If(rename{}.predicate(), connect.TransformFunc(func(_ context.Context, r *connect.Record) (*connect.Record, error) {
		r.Topic = "renamed"
		return r, nil
	}))
}
func (rename) Predicate(testing.TB) connect.Predicate { return rename{}.predicate() }
func (rename) predicate() connect.Predicate {
	return connect.Not(connect.PredicateFunc(func(r *connect.Record) (bool, error) { return r.Value == nil, nil }))
}
func (rename) Records() []*connect.Record {
	return []*connect.Record{{Topic: "t"}, {Topic: "t", ValueSchema: connect.StringSchema, Value: "x"}}
}

func TestTransformFuncContract(t *testing.T) {
	connecttest.TestTransformation(t, func(testing.TB) connecttest.TransformationHarness { return rename{} })
	connecttest.TestPredicate(t, func(testing.TB) connecttest.PredicateHarness { return rename{} })
}
