package smt

import (
	"math/big"
	"time"

	"github.com/gokconnect/connect"
)

// mask returns what stands for a value that is not null.
type mask interface {
	of(v any) (any, error)
}

// emptyMask stands the empty value of its type for a value. Its values are boxed once: a mask costs no allocation.
type emptyMask struct{ decimal, date, list any }

func newEmptyMask() emptyMask {
	return emptyMask{connect.Decimal{}, time.UnixMilli(0).UTC(), []any{}}
}

func (m emptyMask) of(v any) (any, error) {
	switch v.(type) {
	case bool:
		return false, nil
	case int8:
		return int8(0), nil
	case int16:
		return int16(0), nil
	case int32:
		return int32(0), nil
	case int64:
		return int64(0), nil
	case float32:
		return float32(0), nil
	case float64:
		return float64(0), nil
	case string:
		return "", nil
	case *big.Int:
		return new(big.Int), nil
	case connect.Decimal:
		return m.decimal, nil
	case time.Time:
		return m.date, nil
	case []any:
		return m.list, nil
	}
	if _, ok := connect.AsMap(v); ok {
		return connect.NewMapValue(0), nil
	}
	return nil, connect.DataErrorf("Cannot mask value of type: class %s", connect.JavaClass(v))
}

// textMask stands a configured text for a value, as a number where the value is one.
type textMask struct {
	text               any // a string
	int8, int16        any
	int32, int64       any
	float32, float64   any
	decimal, integer   any
	noNumber           error // the text is no number
	noDecimal, noWhole error // likewise, in other words
}

func newTextMask(text string) *textMask {
	m := &textMask{text: text}
	d, err := connect.ParseDecimal(text)
	if err != nil {
		m.noNumber = &connect.DataError{Message: "Unable to convert " + text + " (class java.lang.String) to a number", Err: err}
		m.noDecimal = &connect.DataError{Message: "Unable to convert " + text + " (class java.lang.String) to number", Err: err}
	} else {
		n := decimalInt64(d)
		m.int8, m.int16, m.int32, m.int64 = int8(n), int16(n), int32(n), n
		f := decimalFloat64(d)
		m.float32, m.float64 = float32(f), f
		m.decimal = d
	}
	if n, ok := new(big.Int).SetString(text, 10); ok {
		m.integer = n
	} else {
		m.noWhole = &connect.DataError{Message: "Unable to convert " + text + " (class java.lang.String) to number"}
	}
	return m
}

func (m *textMask) of(v any) (any, error) {
	switch v.(type) {
	case string:
		return m.text, nil
	case int8:
		return m.int8, m.noNumber
	case int16:
		return m.int16, m.noNumber
	case int32:
		return m.int32, m.noNumber
	case int64:
		return m.int64, m.noNumber
	case float32:
		return m.float32, m.noNumber
	case float64:
		return m.float64, m.noNumber
	case connect.Decimal:
		return m.decimal, m.noDecimal
	case *big.Int:
		return m.integer, m.noWhole
	}
	return nil, connect.DataErrorf("Cannot mask value of type class %s with custom replacement.", connect.JavaClass(v))
}
