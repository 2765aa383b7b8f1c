package connect

import "context"

// Transformation changes, drops or passes single records, between a source task and the converters, or between the
// converters and a sink task. A chain of transformations has its own instances in each task. Its optional interfaces
// are [Expander] and [io.Closer], which is called once, after the task's Stop.
type Transformation interface {
	// Apply returns the record that goes on: r itself, changed or not, or another; nil drops the record. r is a shallow
	// copy that belongs to the transformation: its fields may be replaced, but the Struct, Map, slice or Schema that
	// a field refers to must not be changed. [Headers] have methods that copy where they must.
	//
	// It is called for each record, on one goroutine. An error that [IsRetriable] is retried within
	// errors.retry.timeout; any other goes the way of errors.tolerance.
	Apply(ctx context.Context, r *Record) (*Record, error)
}

// Expander is an optional interface of a [Transformation] that makes any number of records of one. Expand is then
// called in place of Apply. A record counts as delivered when all that was made of it is.
type Expander interface {
	Expand(ctx context.Context, r *Record) ([]*Record, error)
}

// TransformFunc is a function as a [Transformation].
type TransformFunc func(ctx context.Context, r *Record) (*Record, error)

// Apply calls the function.
func (f TransformFunc) Apply(ctx context.Context, r *Record) (*Record, error) { return f(ctx, r) }

// Predicate decides whether a [Transformation] is applied to a record. Its optional interface is [io.Closer].
type Predicate interface {
	// Test reports whether the record is meant. It must not change r. It is called like [Transformation].Apply.
	Test(r *Record) (bool, error)
}

// PredicateFunc is a function as a [Predicate].
type PredicateFunc func(r *Record) (bool, error)

// Test calls the function.
func (f PredicateFunc) Test(r *Record) (bool, error) { return f(r) }

// Not returns a predicate that is true where p is not.
func Not(p Predicate) Predicate {
	return PredicateFunc(func(r *Record) (bool, error) {
		ok, err := p.Test(r)
		return !ok && err == nil, err
	})
}

// If returns a transformation that applies t to the records for which p is true, and passes the others.
func If(p Predicate, t Transformation) Transformation { return &conditional{p, t} }

type conditional struct {
	p Predicate
	t Transformation
}

func (c *conditional) Apply(ctx context.Context, r *Record) (*Record, error) {
	ok, err := c.p.Test(r)
	if err != nil || !ok {
		return r, err
	}
	return c.t.Apply(ctx, r)
}

// Unwrap leads [As] to the transformation, but not to its [Expander], which would go past the predicate.
func (c *conditional) Unwrap() any {
	if e, ok := As[Expander](c.t); ok {
		return &conditionalExpander{c, e}
	}
	return c.t
}

type conditionalExpander struct {
	c *conditional
	e Expander
}

func (c *conditionalExpander) Expand(ctx context.Context, r *Record) ([]*Record, error) {
	ok, err := c.c.p.Test(r)
	if err != nil {
		return nil, err
	}
	if !ok {
		return []*Record{r}, nil
	}
	return c.e.Expand(ctx, r)
}

func (c *conditionalExpander) Unwrap() any { return c.c.t }
