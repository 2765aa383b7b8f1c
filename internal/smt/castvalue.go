package smt

import (
	"encoding/base64"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/values"
)

// castValue returns a value as one of another type, by Java's rules: numbers are cut to the size, texts are parsed, and
// dates count as the number that stands for them. The schema may be nil.
func castValue(s *connect.Schema, v any, to connect.Type) (any, error) {
	if isNil(v) {
		return nil, nil
	}
	in, ok := connect.TypeOf(v)
	if s != nil {
		in, ok = s.Type(), true
	}
	switch {
	case !ok:
		return nil, unsupportedValue("Cast", v)
	case !in.IsPrimitive():
		return nil, connect.DataErrorf("Cast transformation does not support casting from %v; supported types are "+
			"[INT8, INT16, INT32, INT64, FLOAT32, FLOAT64, BOOLEAN, STRING, BYTES]", in)
	}
	if to == connect.TypeString {
		text, err := castToString(v)
		return text, err
	}
	if s != nil && s.HasName() {
		var err error
		if v, err = logicalNumber(s, v); err != nil {
			return nil, err
		}
	}
	return castNumber(v, to)
}

// logicalNumber returns the number that stands for a value of a logical type.
func logicalNumber(s *connect.Schema, v any) (any, error) {
	switch s.Name() {
	case connect.DateName, connect.TimeName, connect.TimestampName:
	default:
		return v, nil
	}
	t, ok := v.(time.Time)
	if !ok {
		return nil, connect.DataErrorf("Unexpected type in Cast transformation: class %s for %v", connect.JavaClass(v), s)
	}
	switch s.Name() {
	case connect.DateName:
		n, err := connect.FromDate(s, t)
		return n, err
	case connect.TimeName:
		n, err := connect.FromTime(s, t)
		return n, err
	}
	n, err := connect.FromTimestamp(s, t)
	return n, err
}

// castNumber casts to any type but STRING.
func castNumber(v any, to connect.Type) (any, error) {
	if text, ok := v.(string); ok {
		return castText(text, to)
	}
	switch to {
	case connect.TypeFloat32:
		switch n := v.(type) {
		case float64:
			return float32(n), nil
		case connect.Decimal:
			return decimalFloat32(n), nil
		}
		f, err := toFloat64(v)
		if n, ok := v.(int64); ok {
			return float32(n), nil // rounded once
		}
		return float32(f), err
	case connect.TypeFloat64:
		f, err := toFloat64(v)
		return f, err
	}
	if to == connect.TypeInt64 || to == connect.TypeBoolean {
		n, err := toInt64(v)
		if err != nil {
			return nil, err
		}
		if to == connect.TypeBoolean {
			return n != 0, nil
		}
		return n, nil
	}
	n, err := toInt32(v)
	if err != nil {
		return nil, err
	}
	switch to {
	case connect.TypeInt8:
		return int8(n), nil
	case connect.TypeInt16:
		return int16(n), nil
	case connect.TypeInt32:
		return n, nil
	}
	return nil, connect.DataErrorf("%v is not supported in the Cast transformation.", to)
}

func notCastable(v any) error {
	return connect.DataErrorf("Unexpected type in Cast transformation: class %s", connect.JavaClass(v))
}

// toInt64 is Java's longValue.
func toInt64(v any) (int64, error) {
	switch n := v.(type) {
	case int8:
		return int64(n), nil
	case int16:
		return int64(n), nil
	case int32:
		return int64(n), nil
	case int64:
		return n, nil
	case float32:
		return saturate(float64(n), math.MinInt64, math.MaxInt64), nil
	case float64:
		return saturate(n, math.MinInt64, math.MaxInt64), nil
	case bool:
		if n {
			return 1, nil
		}
		return 0, nil
	case connect.Decimal:
		return decimalInt64(n), nil
	}
	return 0, notCastable(v)
}

// toInt32 is Java's intValue, from which the smaller integers are cut.
func toInt32(v any) (int32, error) {
	switch n := v.(type) {
	case float32:
		return int32(saturate(float64(n), math.MinInt32, math.MaxInt32)), nil
	case float64:
		return int32(saturate(n, math.MinInt32, math.MaxInt32)), nil
	}
	n, err := toInt64(v)
	return int32(n), err
}

// saturate is Java's conversion of a floating point number to an integer.
func saturate(f float64, least, most int64) int64 {
	switch {
	case f != f:
		return 0
	case f <= float64(least):
		return least
	case f >= float64(most):
		return most
	}
	return int64(f)
}

func toFloat64(v any) (float64, error) {
	switch n := v.(type) {
	case float32:
		return float64(n), nil
	case float64:
		return n, nil
	case connect.Decimal:
		return decimalFloat64(n), nil
	}
	n, err := toInt64(v)
	return float64(n), err
}

// decimalInt64 returns the lowest 64 bits of the whole part.
func decimalInt64(d connect.Decimal) int64 {
	n := d.Unscaled
	switch {
	case n == nil || n.Sign() == 0 || d.Scale <= -64:
		return 0 // 10^64 is a multiple of 2^64
	case d.Scale > 0 && int64(d.Scale) > int64(n.BitLen()): // less than 1: 10^scale has more bits
		return 0
	case d.Scale > 0:
		n = new(big.Int).Quo(n, pow10(int64(d.Scale)))
	case d.Scale < 0:
		n = new(big.Int).Mul(n, pow10(-int64(d.Scale)))
	}
	low := new(big.Int).And(n, new(big.Int).SetUint64(math.MaxUint64)) // of the two's complement
	return int64(low.Uint64())
}

func pow10(n int64) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(n), nil) }

func decimalFloat64(d connect.Decimal) float64 {
	f, _ := parseJavaFloat(d.String(), 64)
	return f
}

func decimalFloat32(d connect.Decimal) float32 {
	f, _ := parseJavaFloat(d.String(), 32)
	return float32(f)
}

func castText(text string, to connect.Type) (any, error) {
	switch to {
	case connect.TypeBoolean:
		return strings.EqualFold(text, "true"), nil
	case connect.TypeFloat32:
		f, err := parseJavaFloat(text, 32)
		if err != nil {
			return nil, outOfRange(text, err)
		}
		return float32(f), nil
	case connect.TypeFloat64:
		f, err := parseJavaFloat(text, 64)
		if err != nil {
			return nil, outOfRange(text, err)
		}
		return f, nil
	}
	bits := 64
	switch to {
	case connect.TypeInt8:
		bits = 8
	case connect.TypeInt16:
		bits = 16
	case connect.TypeInt32:
		bits = 32
	}
	n, err := parseJavaInt(text, bits)
	if err != nil {
		return nil, outOfRange(text, err)
	}
	switch to {
	case connect.TypeInt8:
		return int8(n), nil
	case connect.TypeInt16:
		return int16(n), nil
	case connect.TypeInt32:
		return int32(n), nil
	case connect.TypeInt64:
		return n, nil
	}
	return nil, connect.DataErrorf("%v is not supported in the Cast transformation.", to)
}

func castToString(v any) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case []byte:
		return base64.StdEncoding.EncodeToString(v), nil
	case int8:
		return strconv.FormatInt(int64(v), 10), nil
	case int16:
		return strconv.FormatInt(int64(v), 10), nil
	case int32:
		return strconv.FormatInt(int64(v), 10), nil
	case int64:
		return strconv.FormatInt(v, 10), nil
	case bool:
		return strconv.FormatBool(v), nil
	case time.Time:
		text, _, err := values.ConvertToString(v)
		return text, err
	}
	return connect.FormatValue(v), nil
}
