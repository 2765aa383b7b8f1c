package connecttest

import (
	"context"
	"errors"
	"testing"

	"github.com/gokconnect/connect"
)

type flawedTransformation struct{ flaw string }

func (h flawedTransformation) Transformation(testing.TB) connect.Transformation {
	return connect.TransformFunc(func(_ context.Context, r *connect.Record) (*connect.Record, error) {
		switch h.flaw {
		case "changes a list":
			if l, ok := r.Value.([]any); ok {
				l[0] = "changed"
			}
		case "needs a list":
			_ = r.Value.([]any)
		case "wrong schema":
			r.ValueSchema = connect.StringSchema
		case "fails":
			return nil, errors.New("no")
		}
		r.Topic = "other"
		return r, nil
	})
}

func (h flawedTransformation) Records() []*connect.Record {
	list := connect.NewArray(connect.StringSchema).MustBuild()
	return []*connect.Record{{Topic: "t", ValueSchema: list, Value: []any{"a"}}}
}

func TestTransformationSuite(t *testing.T) {
	wantBroken(t, transformationChecks, map[string]string{
		"changes a list": "copy-on-write",
		"needs a list":   "other-records",
		"wrong schema":   "valid",
		"fails":          "apply",
	}, func(flaw string) TransformationHarness { return flawedTransformation{flaw} })
}

type flawedPredicate struct{ flaw string }

func (h flawedPredicate) Predicate(testing.TB) connect.Predicate {
	last := false
	return connect.PredicateFunc(func(r *connect.Record) (bool, error) {
		switch h.flaw {
		case "changes the record":
			r.Topic += "x"
		case "needs a string":
			return r.Value.(string) == "", nil
		case "changes its mind":
			last = !last
			return last, nil
		}
		return r.Value == nil, nil
	})
}

func (h flawedPredicate) Records() []*connect.Record {
	return []*connect.Record{{Topic: "t", Value: "a"}}
}

func TestPredicateSuite(t *testing.T) {
	wantBroken(t, predicateChecks, map[string]string{
		"changes the record": "unchanged",
		"needs a string":     "other-records",
		"changes its mind":   "test",
	}, func(flaw string) PredicateHarness { return flawedPredicate{flaw} })
}
