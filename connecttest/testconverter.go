package connecttest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/gokconnect/connect"
)

// ConverterHarness has what [TestConverter] tests a converter with.
type ConverterHarness interface {
	// Converter returns a new converter.
	Converter(t testing.TB) connect.Converter
	// Values returns values that come back from bytes as they were.
	Values() []connect.SchemaAndValue
}

// TestConverter tests a converter against the contract of [connect.Converter]: each subtest is one rule, and gets a fresh
// harness.
func TestConverter(t *testing.T, fresh func(t testing.TB) ConverterHarness) {
	t.Helper()
	runChecks(t, fresh, converterChecks)
}

var converterChecks = []check[ConverterHarness]{
	{"round-trip", "FromConnect and ToConnect turn values into bytes and back", converterRoundTrip},
	{"values-kept", "values inside records are shared with others, so they are never changed", converterKeepsValues},
	{"bytes-kept", "ToConnect must not change or keep the bytes", converterKeepsBytes},
	{"result-owned", "the bytes that FromConnect returned are not written to again", converterResult},
	{"append", "AppendFromConnect is FromConnect, appending to dst; null says that the result is Kafka's null", converterAppend},
	{"null", "the value, its schema, the headers and the bytes may be nil", converterNull},
	{"bad-data", "data that can't be converted is a *DataError, or one that wraps it", converterBadData},
	{"close", "Close is called once, after the last value, or without any", converterClose},
}

const converterTopic = "t"

func converterRoundTrip(t testing.TB, h ConverterHarness) error {
	c := h.Converter(t)
	for range 2 { // the second time with what was learnt the first time
		for _, v := range h.Values() {
			_, back, err := TryRoundTrip(t, c, converterTopic, v)
			if err != nil {
				return fmt.Errorf("%s: %w", valueText(v.Value), err)
			}
			if !connect.EqualValues(back.Value, v.Value) {
				return fmt.Errorf("%s came back as %s", valueText(v.Value), valueText(back.Value))
			}
			if err := checkSchema("what came back", back.Schema, back.Value); err != nil {
				return fmt.Errorf("%s: %w", valueText(v.Value), err)
			}
		}
	}
	return nil
}

func converterKeepsValues(t testing.TB, h ConverterHarness) error {
	c := h.Converter(t)
	for _, v := range h.Values() {
		before := valueText(v.Value)
		if _, err := c.FromConnect(t.Context(), converterTopic, new(connect.RawHeaders), v.Schema, v.Value); err != nil {
			return fmt.Errorf("%s: %w", before, err)
		}
		if after := valueText(v.Value); after != before {
			return fmt.Errorf("%s became %s", before, after)
		}
	}
	return nil
}

func converterKeepsBytes(t testing.TB, h ConverterHarness) error {
	c := h.Converter(t)
	for _, v := range h.Values() {
		var headers connect.RawHeaders
		b, err := c.FromConnect(t.Context(), converterTopic, &headers, v.Schema, v.Value)
		if err != nil {
			return fmt.Errorf("%s: %w", valueText(v.Value), err)
		}
		given := bytes.Clone(b)
		back, err := c.ToConnect(t.Context(), converterTopic, headers, given)
		if err != nil {
			return fmt.Errorf("%s: %w", valueText(v.Value), err)
		}
		if !bytes.Equal(given, b) {
			return fmt.Errorf("the bytes %x became %x", b, given)
		}
		before := valueText(back.Value)
		for i := range given {
			given[i] = '#'
		}
		if after := valueText(back.Value); after != before {
			return fmt.Errorf("the value %s became %s when the bytes were reused", before, after)
		}
	}
	return nil
}

func converterResult(t testing.TB, h ConverterHarness) error {
	c := h.Converter(t)
	var results, copies [][]byte
	for range 2 {
		for _, v := range h.Values() {
			b, err := c.FromConnect(t.Context(), converterTopic, new(connect.RawHeaders), v.Schema, v.Value)
			if err != nil {
				return fmt.Errorf("%s: %w", valueText(v.Value), err)
			}
			results, copies = append(results, b), append(copies, bytes.Clone(b))
		}
	}
	for i := range results {
		if !bytes.Equal(results[i], copies[i]) {
			return fmt.Errorf("the bytes %q became %q", copies[i], results[i])
		}
	}
	return nil
}

func converterAppend(t testing.TB, h ConverterHarness) error {
	c := h.Converter(t)
	a, ok := connect.As[connect.AppendConverter](c)
	if !ok {
		return needs("a converter that is an AppendConverter")
	}
	for _, v := range append(h.Values(), connect.SchemaAndValue{}) {
		want, wantErr := c.FromConnect(t.Context(), converterTopic, new(connect.RawHeaders), v.Schema, v.Value)
		dst := append(make([]byte, 0, 4), "pre"...)
		out, null, err := a.AppendFromConnect(t.Context(), dst, converterTopic, new(connect.RawHeaders), v.Schema, v.Value)
		switch {
		case (err == nil) != (wantErr == nil):
			return fmt.Errorf("%s: FromConnect gives the error %v, AppendFromConnect %v", valueText(v.Value), wantErr, err)
		case err != nil:
		case null != (want == nil):
			return fmt.Errorf("%s: FromConnect gives %q, AppendFromConnect says null=%v", valueText(v.Value), want, null)
		case string(out) != "pre"+string(want):
			return fmt.Errorf("%s: FromConnect gives %q, AppendFromConnect appends to \"pre\" and gives %q", valueText(v.Value), want, out)
		}
	}
	return nil
}

func converterNull(t testing.TB, h ConverterHarness) error {
	c := h.Converter(t)
	for _, s := range []*connect.Schema{nil, connect.OptionalStringSchema} {
		err := guard("FromConnect", func() error {
			_, err := c.FromConnect(t.Context(), converterTopic, new(connect.RawHeaders), s, nil)
			return err
		})
		if err != nil && isPanic(err) {
			return fmt.Errorf("nil with %v: %w", s, err)
		}
	}
	err := guard("ToConnect", func() error { _, err := c.ToConnect(t.Context(), converterTopic, nil, nil); return err })
	if err != nil && isPanic(err) {
		return fmt.Errorf("nil bytes: %w", err)
	}
	return nil
}

// badBytes are bytes that hardly any format allows.
var badBytes = [][]byte{{}, {0}, {0xff}, []byte("{"), []byte(`{"schema":1,"payload":{}}`), []byte(`"\u`), bytes.Repeat([]byte("["), 100_000), bytes.Repeat([]byte{0xff}, 1000)}

func converterBadData(t testing.TB, h ConverterHarness) error {
	c := h.Converter(t)
	refused := func(what string, err error) error {
		if err == nil {
			return nil // it is data for this converter
		}
		if _, ok := errors.AsType[*connect.DataError](err); !ok {
			return fmt.Errorf("%s: the error is %T: %w", what, err, err)
		}
		return nil
	}
	for _, b := range badBytes {
		err := guard("ToConnect", func() error { _, err := c.ToConnect(t.Context(), converterTopic, nil, b); return err })
		if err := refused(fmt.Sprintf("%d bytes %.20q", len(b), b), err); err != nil {
			return err
		}
	}
	for _, r := range oddRecords() {
		err := guard("FromConnect", func() error {
			_, err := c.FromConnect(t.Context(), converterTopic, new(connect.RawHeaders), r.ValueSchema, r.Value)
			return err
		})
		if err := refused(valueText(r.Value), err); err != nil {
			return err
		}
	}
	return nil
}

func converterClose(t testing.TB, h ConverterHarness) error {
	c := h.Converter(t)
	closer, ok := connect.As[io.Closer](c)
	if !ok {
		return needs("a converter that is an io.Closer")
	}
	return soon("Close", closer.Close)
}

// HeaderConverterHarness has what [TestHeaderConverter] tests a header converter with.
type HeaderConverterHarness interface {
	// HeaderConverter returns a new header converter.
	HeaderConverter(t testing.TB) connect.HeaderConverter
	// Values returns values that come back from bytes as they were.
	Values() []connect.SchemaAndValue
}

// TestHeaderConverter tests a header converter against the contract of [connect.HeaderConverter], by the rules of
// [TestConverter].
func TestHeaderConverter(t *testing.T, fresh func(t testing.TB) HeaderConverterHarness) {
	t.Helper()
	TestConverter(t, func(t testing.TB) ConverterHarness { return headerHarness{fresh(t)} })
}

type headerHarness struct{ HeaderConverterHarness }

func (h headerHarness) Converter(t testing.TB) connect.Converter {
	return headerAsConverter{h.HeaderConverter(t)}
}

// headerAsConverter is a header converter in the place of a converter.
type headerAsConverter struct{ h connect.HeaderConverter }

func (c headerAsConverter) FromConnect(ctx context.Context, topic string, _ *connect.RawHeaders, s *connect.Schema, v any) ([]byte, error) {
	return c.h.FromConnectHeader(ctx, topic, "header", s, v)
}

func (c headerAsConverter) ToConnect(ctx context.Context, topic string, _ connect.RawHeaders, b []byte) (connect.SchemaAndValue, error) {
	return c.h.ToConnectHeader(ctx, topic, "header", b)
}

func (c headerAsConverter) Unwrap() any { return c.h }

// isPanic reports whether err is that of a panic.
func isPanic(err error) bool {
	_, ok := errors.AsType[*connect.PanicError](err)
	return ok
}
