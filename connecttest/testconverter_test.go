package connecttest

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/gokconnect/connect"
)

type flawedConverter struct {
	flaw string
	buf  []byte
}

func (c *flawedConverter) Converter(testing.TB) connect.Converter { return c }
func (c *flawedConverter) Values() []connect.SchemaAndValue {
	return []connect.SchemaAndValue{{Value: []byte("ab")}, {Value: []byte("cd")}, {Value: []byte{}}, {}}
}

func (c *flawedConverter) FromConnect(_ context.Context, _ string, _ *connect.RawHeaders, _ *connect.Schema, v any) ([]byte, error) {
	b, ok := v.([]byte)
	switch {
	case v == nil && c.flaw == "needs a value":
		panic("nil")
	case v == nil:
		return nil, nil
	case !ok && c.flaw == "plain error":
		return nil, errors.New("no bytes")
	case !ok:
		return nil, connect.DataErrorf("no bytes")
	case c.flaw == "changes values" && len(b) > 0:
		b[0]++
	case c.flaw == "reuses its buffer":
		c.buf = append(c.buf[:0], b...)
		return c.buf, nil
	}
	return bytes.Clone(b), nil
}

func (c *flawedConverter) AppendFromConnect(ctx context.Context, dst []byte, topic string, h *connect.RawHeaders, s *connect.Schema, v any) ([]byte, bool, error) {
	b, err := c.FromConnect(ctx, topic, h, s, v)
	if c.flaw == "forgets dst" {
		return b, b == nil, err
	}
	return append(dst, b...), b == nil && c.flaw != "null is empty", err
}

func (c *flawedConverter) ToConnect(_ context.Context, _ string, _ connect.RawHeaders, b []byte) (connect.SchemaAndValue, error) {
	switch {
	case b == nil:
		return connect.SchemaAndValue{}, nil
	case c.flaw == "keeps bytes":
		return connect.SchemaAndValue{Value: b}, nil
	case c.flaw == "loses data":
		b = b[:0]
	}
	return connect.SchemaAndValue{Value: append([]byte{}, b...)}, nil
}

func TestConverterSuite(t *testing.T) {
	wantBroken(t, converterChecks, map[string]string{
		"needs a value":     "null",
		"plain error":       "bad-data",
		"changes values":    "values-kept",
		"reuses its buffer": "result-owned",
		"forgets dst":       "append",
		"null is empty":     "append",
		"keeps bytes":       "bytes-kept",
		"loses data":        "round-trip",
	}, func(flaw string) ConverterHarness { return &flawedConverter{flaw: flaw} })
}
