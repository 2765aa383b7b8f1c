package conformance_test

import (
	"context"
	"encoding/json"
	"slices"
	"testing"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/conformance"
	"github.com/gokconnect/connect/internal/conformance/vec"
	"github.com/gokconnect/connect/internal/predicate"
	"github.com/gokconnect/connect/internal/smt"
)

type smtCase struct {
	Class   string          `json:"class"`
	Config  json.RawMessage `json:"config"`
	Record  json.RawMessage `json:"record"`
	Path    string          `json:"path"`
	Version string          `json:"version"`

	raw json.RawMessage
}

// nullable returns a configuration with its nulls, which a ConfigDef keeps apart from what is absent.
func nullable(t *testing.T, raw json.RawMessage) map[string]any {
	t.Helper()
	var cfg map[string]any
	if err := json.Unmarshal(raw, &cfg); err != nil {
		t.Fatal(err)
	}
	return cfg
}

// checkConfig does what the runtime does before it makes a plugin.
func checkConfig(t *testing.T, def *connect.ConfigDef, c smtCase) error {
	t.Helper()
	_, err := def.ParseValues(nullable(t, c.Config))
	return err
}

var smtPlugins = new(connect.Registry).MustAdd(slices.Concat(smt.Plugins(), predicate.Plugins())...)

func newTransformation(t *testing.T, c smtCase) (connect.Transformation, error) {
	t.Helper()
	p, ok := smtPlugins.Transformation(c.Class)
	if !ok {
		t.Fatalf("no transformation %s", c.Class)
	}
	if err := checkConfig(t, p.Config, c); err != nil {
		return nil, err
	}
	return p.New(vec.Config(c.raw))
}

func newPredicate(t *testing.T, c smtCase) (connect.Predicate, error) {
	t.Helper()
	p, ok := smtPlugins.Predicate(c.Class)
	if !ok {
		t.Fatalf("no predicate %s", c.Class)
	}
	if err := checkConfig(t, p.Config, c); err != nil {
		return nil, err
	}
	return p.New(vec.Config(c.raw))
}

func decodeSMT(t *testing.T, c conformance.Case) smtCase {
	t.Helper()
	in := smtCase{raw: c.In}
	if err := json.Unmarshal(c.In, &in); err != nil {
		t.Fatal(err)
	}
	return in
}

// eachTransformation runs check for every case of a transformation that its configuration does not fail.
func eachTransformation(t *testing.T, check func(t *testing.T, c conformance.Case, in smtCase, tr connect.Transformation)) {
	for _, name := range []string{
		"cast", "extractfield", "filter", "flatten", "headers", "hoistfield", "insertfield", "maskfield", "regexrouter",
		"replacefield", "setschemametadata", "timestampconverter", "timestamprouter", "valuetokey",
	} {
		t.Run(name, func(t *testing.T) {
			vec.Run(t, "data/smt/"+name+".jsonl", func(t *testing.T, c conformance.Case) {
				in := decodeSMT(t, c)
				tr, err := newTransformation(t, in)
				if err != nil {
					vec.CheckError(t, c.Error, err)
					return
				}
				check(t, c, in, tr)
			})
		})
	}
}

func TestTransformations(t *testing.T) {
	eachTransformation(t, func(t *testing.T, c conformance.Case, in smtCase, tr connect.Transformation) {
		// Twice on the same instance: the second record finds the plan of the first.
		for range 2 {
			out, err := tr.Apply(context.Background(), vec.Record(in.Record))
			if err != nil || c.Error != nil {
				vec.CheckError(t, c.Error, err)
				continue
			}
			if err := vec.DiffResult(in.Record, c.Out, out); err != nil {
				t.Error(err)
			}
		}
	})
}

// TestTransformationsLeaveTheirInput checks that what a record refers to is not changed, and of a record that fails
// nothing at all.
func TestTransformationsLeaveTheirInput(t *testing.T) {
	unchanged := json.RawMessage(`{"unchanged":true}`)
	eachTransformation(t, func(t *testing.T, _ conformance.Case, in smtCase, tr connect.Transformation) {
		before := vec.Record(in.Record)
		r := *before
		_, failed := tr.Apply(context.Background(), &r)
		if err := vec.DiffResult(in.Record, unchanged, before); err != nil {
			t.Error(err)
		}
		if failed == nil {
			return
		}
		if err := vec.DiffResult(in.Record, unchanged, &r); err != nil {
			t.Errorf("the record that failed: %v", err)
		}
	})
}

func TestPredicates(t *testing.T) {
	vec.Run(t, "data/smt/predicates.jsonl", func(t *testing.T, c conformance.Case) {
		in := decodeSMT(t, c)
		p, err := newPredicate(t, in)
		if err != nil {
			vec.CheckError(t, c.Error, err)
			return
		}
		for range 2 {
			got, err := p.Test(vec.Record(in.Record))
			if err != nil || c.Error != nil {
				vec.CheckError(t, c.Error, err)
				continue
			}
			var want struct{ Matches bool }
			if err := json.Unmarshal(c.Out, &want); err != nil {
				t.Fatal(err)
			}
			if got != want.Matches {
				t.Errorf("matches: %v, expected %v", got, want.Matches)
			}
		}
	})
}

func TestTransformationConfigs(t *testing.T) {
	vec.Run(t, "data/smt/config.jsonl", func(t *testing.T, c conformance.Case) {
		in := decodeSMT(t, c)
		var err error
		if _, ok := smtPlugins.Transformation(in.Class); ok {
			_, err = newTransformation(t, in)
		} else {
			_, err = newPredicate(t, in)
		}
		vec.CheckError(t, c.Error, err)
	})
}

func TestFieldPaths(t *testing.T) {
	vec.Run(t, "data/smt/fieldpath.jsonl", func(t *testing.T, c conformance.Case) {
		in := decodeSMT(t, c)
		steps, err := smt.ParseFieldPath(in.Path, in.Version)
		if err != nil || c.Error != nil {
			vec.CheckError(t, c.Error, err)
			return
		}
		var want struct{ Steps []string }
		if err := json.Unmarshal(c.Out, &want); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(steps, want.Steps) {
			t.Errorf("steps %q, expected %q", steps, want.Steps)
		}
	})
}
