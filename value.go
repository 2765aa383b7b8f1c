package connect

import (
	"bytes"
	"math"
	"reflect"
	"slices"
	"time"
)

// SchemaAndValue is a value with its schema, which may be nil. The zero value is the null without a schema.
type SchemaAndValue struct {
	Schema *Schema
	Value  any
}

// EqualValues reports whether two Connect values are equal: same type, same content. NaN equals NaN, and 0.0 does not
// equal -0.0, as in Java; a Go map equals a [Map] with the same entries.
func EqualValues(a, b any) bool {
	switch x := a.(type) {
	case nil:
		return b == nil
	case string:
		y, ok := b.(string)
		return ok && x == y
	case bool, int8, int16, int32, int64:
		return a == b
	case float64:
		y, ok := b.(float64)
		return ok && (math.Float64bits(x) == math.Float64bits(y) || x != x && y != y)
	case float32:
		y, ok := b.(float32)
		return ok && (math.Float32bits(x) == math.Float32bits(y) || x != x && y != y)
	case []byte:
		y, ok := b.([]byte)
		return ok && (x == nil) == (y == nil) && bytes.Equal(x, y)
	case []any:
		y, ok := b.([]any)
		return ok && slices.EqualFunc(x, y, EqualValues)
	case *Struct:
		y, ok := b.(*Struct)
		return ok && x.Equal(y)
	case time.Time:
		y, ok := b.(time.Time)
		return ok && x.Equal(y)
	case Decimal:
		y, ok := b.(Decimal)
		return ok && x.Equal(y)
	}
	if x, ok := AsMap(a); ok {
		y, ok := AsMap(b)
		return ok && x.Equal(y)
	}
	return reflect.DeepEqual(a, b)
}
