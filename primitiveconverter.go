package connect

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"reflect"
)

// NumberConverter turns numbers of one type into as many bytes as the type has, big endian, and back. Values are of
// type T or nil; schemas are not looked at. The zero value is ready for use, and safe for concurrent use.
type NumberConverter[T int16 | int32 | int64 | float32 | float64] struct{}

// The converters of numbers.
type (
	ShortConverter   = NumberConverter[int16]
	IntegerConverter = NumberConverter[int32]
	LongConverter    = NumberConverter[int64]
	FloatConverter   = NumberConverter[float32]
	DoubleConverter  = NumberConverter[float64]
)

// numberName returns the name of a number's type in messages, and of the deserializer. It and what is below are what the
// converters share.
func numberName(zero any) (name, deserializer string) {
	switch zero.(type) {
	case int16:
		return "short", "ShortDeserializer"
	case int32:
		return "integer", "IntegerDeserializer"
	case int64:
		return "long", "LongDeserializer"
	case float32:
		return "float", "Deserializer"
	}
	return "double", "Deserializer"
}

// FromConnect returns the bytes of the number.
func (c NumberConverter[T]) FromConnect(ctx context.Context, topic string, _ *RawHeaders, s *Schema, v any) ([]byte, error) {
	b, _, err := c.AppendFromConnect(ctx, nil, topic, nil, s, v)
	return b, err
}

// AppendFromConnect appends the bytes of the number.
func (NumberConverter[T]) AppendFromConnect(_ context.Context, dst []byte, _ string, _ *RawHeaders, _ *Schema, v any) ([]byte, bool, error) {
	return appendNumber(T(0), dst, v)
}

func appendNumber(zero any, dst []byte, v any) ([]byte, bool, error) {
	if v == nil {
		return dst, true, nil
	}
	if reflect.TypeOf(v) != reflect.TypeOf(zero) {
		name, _ := numberName(zero)
		return dst, false, DataErrorf("Failed to serialize to %s (was class %s): ", name, JavaClass(v))
	}
	switch n := v.(type) {
	case int16:
		dst = binary.BigEndian.AppendUint16(dst, uint16(n))
	case int32:
		dst = binary.BigEndian.AppendUint32(dst, uint32(n))
	case int64:
		dst = binary.BigEndian.AppendUint64(dst, uint64(n))
	case float32:
		dst = binary.BigEndian.AppendUint32(dst, math.Float32bits(n))
	case float64:
		dst = binary.BigEndian.AppendUint64(dst, math.Float64bits(n))
	}
	return dst, false, nil
}

// ToConnect returns the number of the bytes.
func (NumberConverter[T]) ToConnect(_ context.Context, _ string, _ RawHeaders, b []byte) (SchemaAndValue, error) {
	return readNumber(T(0), b)
}

func readNumber(zero any, b []byte) (SchemaAndValue, error) {
	name, deserializer := numberName(zero)
	size, schema := 8, OptionalFloat64Schema
	switch zero.(type) {
	case int16:
		size, schema = 2, OptionalInt16Schema
	case int32:
		size, schema = 4, OptionalInt32Schema
	case int64:
		schema = OptionalInt64Schema
	case float32:
		size, schema = 4, OptionalFloat32Schema
	}
	if b == nil {
		return SchemaAndValue{Schema: schema}, nil
	}
	if len(b) != size {
		return SchemaAndValue{}, &DataError{
			Message: fmt.Sprintf("Failed to deserialize %s: ", name),
			Err:     fmt.Errorf("Size of data received by %s is not %d", deserializer, size),
		}
	}
	var v any
	switch zero.(type) {
	case int16:
		v = int16(binary.BigEndian.Uint16(b))
	case int32:
		v = int32(binary.BigEndian.Uint32(b))
	case int64:
		v = int64(binary.BigEndian.Uint64(b))
	case float32:
		v = math.Float32frombits(binary.BigEndian.Uint32(b))
	case float64:
		v = math.Float64frombits(binary.BigEndian.Uint64(b))
	}
	return SchemaAndValue{schema, v}, nil
}

// FromConnectHeader is FromConnect for a header.
func (c NumberConverter[T]) FromConnectHeader(ctx context.Context, topic, _ string, s *Schema, v any) ([]byte, error) {
	return c.FromConnect(ctx, topic, nil, s, v)
}

// ToConnectHeader is ToConnect for a header.
func (c NumberConverter[T]) ToConnectHeader(ctx context.Context, topic, _ string, b []byte) (SchemaAndValue, error) {
	return c.ToConnect(ctx, topic, nil, b)
}

// BooleanConverter turns false and true into the byte 0 or 1, and back. Values are bool or nil, schemas of type BOOLEAN
// or nil. The zero value is ready for use, and safe for concurrent use.
type BooleanConverter struct{}

// FromConnect returns the byte.
func (c BooleanConverter) FromConnect(ctx context.Context, topic string, _ *RawHeaders, s *Schema, v any) ([]byte, error) {
	b, _, err := c.AppendFromConnect(ctx, nil, topic, nil, s, v)
	return b, err
}

// AppendFromConnect appends the byte.
func (BooleanConverter) AppendFromConnect(_ context.Context, dst []byte, _ string, _ *RawHeaders, s *Schema, v any) ([]byte, bool, error) {
	if s != nil && s.typ != TypeBoolean {
		return dst, false, DataErrorf("Invalid schema type for BooleanConverter: %v", s.typ)
	}
	switch b, ok := v.(bool); {
	case v == nil:
		return dst, true, nil
	case !ok:
		return dst, false, DataErrorf("BooleanConverter is not compatible with objects of type class %s", JavaClass(v))
	case b:
		return append(dst, 1), false, nil
	}
	return append(dst, 0), false, nil
}

// ToConnect returns the boolean.
func (BooleanConverter) ToConnect(_ context.Context, _ string, _ RawHeaders, b []byte) (SchemaAndValue, error) {
	var cause error
	switch {
	case b == nil:
		return SchemaAndValue{Schema: OptionalBooleanSchema}, nil
	case len(b) != 1:
		cause = fmt.Errorf("Size of data received by BooleanDeserializer is not 1")
	case b[0] > 1:
		cause = fmt.Errorf("Unexpected byte received by BooleanDeserializer: %d", int8(b[0]))
	default:
		return SchemaAndValue{OptionalBooleanSchema, b[0] == 1}, nil
	}
	return SchemaAndValue{}, &DataError{Message: "Failed to deserialize boolean: ", Err: cause}
}

// FromConnectHeader is FromConnect for a header.
func (c BooleanConverter) FromConnectHeader(ctx context.Context, topic, _ string, s *Schema, v any) ([]byte, error) {
	return c.FromConnect(ctx, topic, nil, s, v)
}

// ToConnectHeader is ToConnect for a header.
func (c BooleanConverter) ToConnectHeader(ctx context.Context, topic, _ string, b []byte) (SchemaAndValue, error) {
	return c.ToConnect(ctx, topic, nil, b)
}
