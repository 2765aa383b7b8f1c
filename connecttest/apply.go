package connecttest

import (
	"context"
	"slices"
	"testing"

	"github.com/gokconnect/connect"
)

// Apply applies a transformation to records, as a runtime does, and returns what goes on: dropped records are missing,
// and a [connect.Expander] may give more. Each record is copied first, so that records can be used again. It fails the
// test if the transformation fails.
func Apply(t testing.TB, transformation connect.Transformation, records ...*connect.Record) []*connect.Record {
	t.Helper()
	var out []*connect.Record
	for i, r := range records {
		got, err := TryApply(t, transformation, r)
		if err != nil {
			t.Fatalf("record %d: %v", i, err)
		}
		out = append(out, got...)
	}
	return out
}

// TryApply is [Apply] with one record, for tests of what fails: it returns the error.
func TryApply(t testing.TB, transformation connect.Transformation, record *connect.Record) (out []*connect.Record, err error) {
	t.Helper()
	own := *record
	err = guard("Transformation.Apply", func() error {
		if e, ok := connect.As[connect.Expander](transformation); ok {
			out, err = e.Expand(t.Context(), &own)
			return err
		}
		r, err := transformation.Apply(t.Context(), &own)
		if r != nil {
			out = []*connect.Record{r}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(out, func(r *connect.Record) bool { return r == nil }), nil
}

// RoundTrip converts a value to bytes and back, and returns both. It fails the test if either fails.
func RoundTrip(t testing.TB, c connect.Converter, topic string, value connect.SchemaAndValue) ([]byte, connect.SchemaAndValue) {
	t.Helper()
	b, back, err := TryRoundTrip(t, c, topic, value)
	if err != nil {
		t.Fatalf("convert %s: %v", connect.FormatValue(value.Value), err)
	}
	return b, back
}

// TryRoundTrip is [RoundTrip] for tests of what fails: it returns the error.
func TryRoundTrip(t testing.TB, c connect.Converter, topic string, value connect.SchemaAndValue) (b []byte, back connect.SchemaAndValue, err error) {
	t.Helper()
	ctx := context.Background()
	var headers connect.RawHeaders
	err = guard("Converter.FromConnect", func() (err error) {
		b, err = c.FromConnect(ctx, topic, &headers, value.Schema, value.Value)
		return err
	})
	if err != nil {
		return nil, back, err
	}
	err = guard("Converter.ToConnect", func() (err error) {
		back, err = c.ToConnect(ctx, topic, headers, b)
		return err
	})
	return b, back, err
}
