package connecttest

import (
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/gokconnect/connect"
)

// TransformationHarness has what [TestTransformation] tests a transformation with.
type TransformationHarness interface {
	// Transformation returns a new transformation.
	Transformation(t testing.TB) connect.Transformation
	// Records returns records that it can be applied to.
	Records() []*connect.Record
}

// TestTransformation tests a transformation against the contract of [connect.Transformation]: each subtest is one rule,
// and gets a fresh harness.
func TestTransformation(t *testing.T, fresh func(t testing.TB) TransformationHarness) {
	t.Helper()
	runChecks(t, fresh, transformationChecks)
}

var transformationChecks = []check[TransformationHarness]{
	{"apply", "Apply returns the record that goes on, or nil to drop it", transformationApplies},
	{"copy-on-write", "the Struct, Map, slice, Headers or Schema that a field refers to must not be changed", transformationKeeps},
	{"valid", "keys, values and headers match their schemas", transformationValid},
	{"other-records", "it is called for each record: one that it was not made for is passed or refused with an error", transformationOthers},
	{"instances", "a chain of transformations has its own instances in each task", transformationInstances},
	{"close", "Close is called once, after the last record, or without any", transformationClose},
}

func transformationApplies(t testing.TB, h TransformationHarness) error {
	tr := h.Transformation(t)
	for i, r := range h.Records() {
		if _, err := TryApply(t, tr, r); err != nil {
			return fmt.Errorf("record %d: %w", i, err)
		}
	}
	return nil
}

func transformationKeeps(t testing.TB, h TransformationHarness) error {
	tr := h.Transformation(t)
	for i, r := range h.Records() {
		before := recordText(r)
		if _, err := TryApply(t, tr, r); err != nil {
			return fmt.Errorf("record %d: %w", i, err)
		}
		if after := recordText(r); after != before {
			return fmt.Errorf("record %d: what the record refers to was %s, and became %s", i, before, after)
		}
	}
	return nil
}

func transformationValid(t testing.TB, h TransformationHarness) error {
	tr := h.Transformation(t)
	for i, r := range h.Records() {
		out, err := TryApply(t, tr, r)
		if err != nil {
			return fmt.Errorf("record %d: %w", i, err)
		}
		for _, o := range out {
			if o.Topic == "" {
				return fmt.Errorf("record %d: the result has no topic", i)
			}
			if err := checkSchema("the key", o.KeySchema, o.Key); err != nil {
				return fmt.Errorf("record %d: %w", i, err)
			}
			if err := checkSchema("the value", o.ValueSchema, o.Value); err != nil {
				return fmt.Errorf("record %d: %w", i, err)
			}
			for _, header := range o.Headers {
				if err := checkSchema("header "+header.Key, header.Schema, header.Value); err != nil {
					return fmt.Errorf("record %d: %w", i, err)
				}
			}
		}
	}
	return nil
}

func transformationOthers(t testing.TB, h TransformationHarness) error {
	tr := h.Transformation(t)
	for _, r := range oddRecords() {
		// An error is an answer; a panic, or a change of what is shared, is not.
		before := recordText(r)
		_, err := TryApply(t, tr, r)
		if err != nil && isPanic(err) {
			return fmt.Errorf("record %s: %w", before, err)
		}
		if after := recordText(r); after != before {
			return fmt.Errorf("what the record refers to was %s, and became %s", before, after)
		}
	}
	return nil
}

func transformationInstances(t testing.TB, h TransformationHarness) error {
	a, b := h.Transformation(t), h.Transformation(t)
	for i, r := range h.Records() {
		first, err := TryApply(t, a, r)
		if err != nil {
			return err
		}
		second, err := TryApply(t, b, r)
		if err != nil {
			return fmt.Errorf("record %d: another instance fails: %w", i, err)
		}
		if len(first) != len(second) {
			return fmt.Errorf("record %d: one instance gave %d records, another %d", i, len(first), len(second))
		}
	}
	return nil
}

func transformationClose(t testing.TB, h TransformationHarness) error {
	for _, records := range [][]*connect.Record{nil, h.Records()} {
		tr := h.Transformation(t)
		c, ok := connect.As[io.Closer](tr)
		if !ok {
			return needs("a transformation that is an io.Closer")
		}
		for _, r := range records {
			if _, err := TryApply(t, tr, r); err != nil {
				return err
			}
		}
		if err := soon("Close", c.Close); err != nil {
			return err
		}
	}
	return nil
}

// PredicateHarness has what [TestPredicate] tests a predicate with.
type PredicateHarness interface {
	// Predicate returns a new predicate.
	Predicate(t testing.TB) connect.Predicate
	// Records returns records that it can test.
	Records() []*connect.Record
}

// TestPredicate tests a predicate against the contract of [connect.Predicate]: each subtest is one rule, and gets a fresh
// harness.
func TestPredicate(t *testing.T, fresh func(t testing.TB) PredicateHarness) {
	t.Helper()
	runChecks(t, fresh, predicateChecks)
}

var predicateChecks = []check[PredicateHarness]{
	{"test", "Test reports whether the record is meant", predicateTests},
	{"unchanged", "Test must not change the record", predicateKeeps},
	{"other-records", "Test is called for each record: one that it was not made for gives false, true or an error", predicateOthers},
}

func predicateTests(t testing.TB, h PredicateHarness) error {
	p := h.Predicate(t)
	for i, r := range h.Records() {
		first, err := p.Test(r)
		if err != nil {
			return fmt.Errorf("record %d: %w", i, err)
		}
		if second, err := p.Test(r); err != nil || first != second {
			return fmt.Errorf("record %d: it is %v, then %v, %v", i, first, second, err)
		}
	}
	return nil
}

func predicateKeeps(t testing.TB, h PredicateHarness) error {
	p := h.Predicate(t)
	for i, r := range h.Records() {
		before := recordText(r)
		if _, err := p.Test(r); err != nil {
			return fmt.Errorf("record %d: %w", i, err)
		}
		if after := recordText(r); after != before {
			return fmt.Errorf("record %d was %s, and became %s", i, before, after)
		}
	}
	return nil
}

func predicateOthers(t testing.TB, h PredicateHarness) error {
	p := h.Predicate(t)
	for _, r := range oddRecords() {
		before := recordText(r)
		err := guard("Test", func() error { _, err := p.Test(r); return err })
		if err != nil && isPanic(err) {
			return fmt.Errorf("record %s: %w", before, err)
		}
		if after := recordText(r); after != before {
			return fmt.Errorf("a record was %s, and became %s", before, after)
		}
	}
	return nil
}

// oddRecords are records of all shapes.
func oddRecords() []*connect.Record {
	point := connect.NewStruct("point").Field("x", connect.Int32Schema).Field("note", connect.OptionalStringSchema).MustBuild()
	list := connect.NewArray(connect.StringSchema).MustBuild()
	values := []connect.SchemaAndValue{
		{},
		{Schema: connect.OptionalStringSchema},
		{Value: "text"},
		{Schema: connect.StringSchema, Value: ""},
		{Schema: connect.BytesSchema, Value: []byte{}},
		{Value: []byte{0xff, 0}},
		{Schema: connect.Int64Schema, Value: int64(-1)},
		{Schema: connect.BooleanSchema, Value: true},
		{Schema: connect.Float64Schema, Value: 0.5},
		{Schema: connect.TimestampSchema, Value: time.UnixMilli(1).UTC()},
		{Schema: point, Value: connect.StructOf(point, int32(1), nil)},
		{Schema: list, Value: []any{"a", "b"}},
		{Value: connect.MapOf(connect.Entry{Key: "a", Value: int64(1)}, connect.Entry{Key: int32(2), Value: nil})},
		{Value: map[string]any{"a": []any{nil}}},
	}
	var records []*connect.Record
	for i, v := range values {
		other := values[(i+7)%len(values)]
		r := &connect.Record{Topic: "t", KeySchema: other.Schema, Key: other.Value, ValueSchema: v.Schema, Value: v.Value}
		if i%2 == 1 {
			r.Partition = connect.ToPartition(int32(i))
			r.Timestamp = time.UnixMilli(1_700_000_000_000).UTC()
			r.Headers = connect.Headers{{Key: "h", Schema: v.Schema, Value: v.Value}, {Key: "h", Value: nil}, {Key: ""}}
		}
		records = append(records, r)
	}
	return records
}
