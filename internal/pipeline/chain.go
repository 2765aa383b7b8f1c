// Package pipeline is the way of a record between a task and Kafka: transformations guarded by predicates, and the
// conversion of headers, key and value. It is compiled once for each task. It has no goroutine and does no I/O of its own.
package pipeline

import (
	"context"
	"errors"
	"io"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/tolerance"
)

// Step is one transformation with its guard.
type Step struct {
	Alias          string // for messages
	Class          string
	Transformation connect.Transformation
	Predicate      connect.Predicate // or nil
	Negate         bool
	Declared       bool // it is a Go value, not one that the configuration names: other tasks use it too, and nobody closes it
}

// step is a Step with what was looked up once.
type step struct {
	Step
	expand connect.Expander // or nil
	tidy   bool             // it keeps nothing of a record, and knows what it may change, see Chain.made
}

// Chain is the transformations of one task, in order.
type Chain struct {
	steps   []step
	expands bool
	at      *step  // the step that is being applied, for the message of a panic
	watch   *watch // of the record that is on its way, or nil
	// made are the key and the value of the record, if they are structs that a tidy step made, or a converter for a chain that is tidy, and
	// that only tidy steps have seen: they may be changed in place of a copy.
	made [2]*connect.Struct
	tidy bool // all steps are
}

// sharer is a transformation that makes use of Chain.made.
type sharer interface {
	ShareMade(structs *[2]*connect.Struct)
}

// makesStructs is a converter that may know that nobody else has the structs that conv returns, unless they are their schema's default.
type makesStructs interface {
	MakesStructs(conv connect.Converter) bool
}

// keepsNothing is a predicate that leaves records to the transformations.
type keepsNothing interface {
	KeepsNothing()
}

func newChain(steps []Step) *Chain {
	c := &Chain{tidy: true}
	for _, s := range steps {
		e, ok := connect.As[connect.Expander](s.Transformation)
		tidy := false
		if t, ok := s.Transformation.(sharer); ok && !s.Declared {
			t.ShareMade(&c.made)
			tidy = s.Predicate == nil
			if !tidy {
				_, tidy = s.Predicate.(keepsNothing)
			}
		}
		c.steps = append(c.steps, step{Step: s, expand: e, tidy: tidy})
		c.expands, c.tidy = c.expands || ok, c.tidy && tidy
	}
	return c
}

// failed is the error of one stage, before it is decided what becomes of it.
type failed struct {
	stage    tolerance.Stage
	class    string
	attempts int
	err      error
}

func (f *failed) Error() string { return f.err.Error() }

// apply sends r through the steps from i on and calls emit for each record that comes out. It returns a *failed, or the
// error of emit.
func (c *Chain) apply(ctx context.Context, op *tolerance.Operator, i int, r *connect.Record, emit func(*connect.Record) error) error {
	for ; i < len(c.steps); i++ {
		s := &c.steps[i]
		c.at, c.made = s, [2]*connect.Struct{}
		if s.expand == nil {
			out, err := s.Apply(ctx, r)
			if err != nil {
				out, err = s.again(ctx, op, r, err)
				if err != nil {
					return err
				}
			}
			if c.watch != nil {
				c.watch.stage(s, out)
			}
			if out == nil {
				return nil
			}
			r = out
			continue
		}
		all, err := s.expandAll(ctx, op, r)
		if err != nil {
			return err
		}
		for _, out := range all {
			if c.watch != nil {
				c.watch.stage(s, out)
			}
			if err := c.apply(ctx, op, i+1, out, emit); err != nil {
				return err
			}
		}
		return nil
	}
	c.at = nil
	return emit(r)
}

// one is apply for chains without an [connect.Expander]: at most one record comes out. made is what c.made is at first.
func (c *Chain) one(ctx context.Context, op *tolerance.Operator, r *connect.Record, made [2]*connect.Struct) (*connect.Record, error) {
	c.made = made
	for i := range c.steps {
		s := &c.steps[i]
		if c.at = s; !s.tidy || c.watch != nil {
			c.made = [2]*connect.Struct{}
		}
		out, err := s.Apply(ctx, r)
		if err != nil {
			out, err = s.again(ctx, op, r, err)
			if err != nil {
				return nil, err
			}
		}
		if c.watch != nil {
			c.watch.stage(s, out)
		}
		if out == nil {
			c.at = nil
			return nil, nil
		}
		r = out
	}
	c.at = nil
	return r, nil
}

// name is how a panic of the step is reported.
func (s *step) name() string {
	return s.Class + ".Apply (transformation " + s.Alias + ", or its predicate)"
}

func (s *Step) meant(r *connect.Record) (bool, error) {
	if s.Predicate == nil {
		return true, nil
	}
	ok, err := s.Predicate.Test(r)
	return ok != s.Negate, err
}

// Apply returns what the step makes of a record: the record itself if it is not meant for it, nil if it was dropped.
func (s *Step) Apply(ctx context.Context, r *connect.Record) (*connect.Record, error) {
	ok, err := s.meant(r)
	if err != nil || !ok {
		return r, err
	}
	return s.Transformation.Apply(ctx, r)
}

// again retries a step whose first attempt failed. Each attempt gets a copy of the record as the step got it first,
// as far as that is known: a transformation that fails must leave its record alone.
func (s *step) again(ctx context.Context, op *tolerance.Operator, r *connect.Record, err error) (out *connect.Record, _ error) {
	attempts, err := op.Retry(ctx, err, func() (err error) {
		again := *r
		out, err = s.Apply(ctx, &again)
		return err
	})
	if err != nil {
		return nil, &failed{tolerance.Transformation, s.Class, attempts, err}
	}
	return out, nil
}

func (s *step) expandAll(ctx context.Context, op *tolerance.Operator, r *connect.Record) (out []*connect.Record, _ error) {
	call := func() error {
		ok, err := s.meant(r)
		if err == nil && !ok {
			out = []*connect.Record{r}
			return nil
		}
		if err == nil {
			out, err = s.expand.Expand(ctx, r)
		}
		return err
	}
	if err := call(); err != nil {
		attempts, err := op.Retry(ctx, err, call)
		if err != nil {
			return nil, &failed{tolerance.Transformation, s.Class, attempts, err}
		}
	}
	return out, nil
}

// Close closes the transformations and predicates that can be closed, each in a guard.
func (c *Chain) Close() error {
	var errs []error
	for i := range c.steps {
		if c.steps[i].Declared {
			continue
		}
		errs = append(errs, closePlugin(c.steps[i].Transformation, c.steps[i].Class))
		if c.steps[i].Predicate != nil {
			errs = append(errs, closePlugin(c.steps[i].Predicate, "predicate of "+c.steps[i].Alias))
		}
	}
	return errors.Join(errs...)
}

func closePlugin(p any, name string) (err error) {
	c, ok := connect.As[io.Closer](p)
	if !ok {
		return nil
	}
	defer Recover(name+".Close", &err)
	return c.Close()
}
