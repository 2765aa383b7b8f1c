package values

import (
	"math/big"
	"strconv"
	"time"

	"github.com/gokconnect/connect"
)

// Convert converts a value to the type of a schema, which may be one of the logical types, as Values.convertToXxx do.
// from is the schema of the value, or nil. A nil value stays nil for types without parts; for all others it is an
// error. Errors are mostly a *[connect.DataError].
func (c *Codec) Convert(to, from *connect.Schema, v any) (any, error) {
	v = plain(v)
	if v == nil {
		if to.Type().IsPrimitive() && to.Name() != connect.DecimalName && to.Name() != connect.DateName &&
			to.Name() != connect.TimeName && to.Name() != connect.TimestampName {
			return nil, nil
		}
		return nil, errNull()
	}
	return c.convert(to, from, v)
}

// Convert is [Codec.Convert] in UTC.
func Convert(to, from *connect.Schema, v any) (any, error) { return utc.Convert(to, from, v) }

// plain turns typed nils into nil, and any map into a *Map.
func plain(v any) any {
	switch x := v.(type) {
	case []byte:
		if x == nil {
			return nil
		}
	case *connect.Struct:
		if x == nil {
			return nil
		}
	case int:
		return int64(x)
	case *connect.Map, map[string]any, map[string]string, map[any]any:
		m, ok := connect.AsMap(v)
		if !ok {
			return nil
		}
		return m
	}
	return v
}

func errNull() error {
	return connect.DataErrorf("Unable to convert a null value to a schema that requires a value")
}

// convertTo is Values.convertTo, which parts of lists and maps go through.
func (c *Codec) convertTo(to, from *connect.Schema, v any) (any, error) {
	if v == nil {
		if to.Optional() {
			return nil, nil
		}
		return nil, errNull()
	}
	return c.convert(to, from, v)
}

func (c *Codec) convert(to, from *connect.Schema, v any) (any, error) {
	switch to.Type() {
	case connect.TypeBytes:
		if to.Name() == connect.DecimalName {
			return c.toDecimal(to, v)
		}
		switch v := v.(type) {
		case []byte:
			return v, nil
		case connect.Decimal:
			return connect.FromDecimal(to, v)
		}
		return nil, c.unable(v, to.String(), nil)
	case connect.TypeString:
		s, _, err := c.ConvertToString(v)
		return s, err
	case connect.TypeBoolean:
		return c.toBoolean(from, v)
	case connect.TypeInt8:
		if n, ok := v.(int8); ok {
			return n, nil
		}
		n, err := c.asLong(from, v, nil)
		return int8(n), err
	case connect.TypeInt16:
		if n, ok := v.(int16); ok {
			return n, nil
		}
		n, err := c.asLong(from, v, nil)
		return int16(n), err
	case connect.TypeInt32:
		switch to.Name() {
		case connect.DateName:
			return c.toDate(to, from, v)
		case connect.TimeName:
			return c.toTime(to, from, v)
		}
		if n, ok := v.(int32); ok {
			return n, nil
		}
		n, err := c.asLong(from, v, nil)
		return int32(n), err
	case connect.TypeInt64:
		if to.Name() == connect.TimestampName {
			return c.toTimestamp(to, from, v)
		}
		if n, ok := v.(int64); ok {
			return n, nil
		}
		n, err := c.asLong(from, v, nil)
		return n, err
	case connect.TypeFloat32:
		if f, ok := v.(float32); ok {
			return f, nil
		}
		f, err := c.asDouble(from, v)
		return float32(f), err
	case connect.TypeFloat64:
		if f, ok := v.(float64); ok {
			return f, nil
		}
		f, err := c.asDouble(from, v)
		return f, err
	case connect.TypeArray, connect.TypeMap:
		return c.toContainer(to, v)
	case connect.TypeStruct:
		if s, ok := v.(*connect.Struct); ok {
			return s, nil
		}
	}
	return nil, c.unable(v, to.String(), nil)
}

// unable is the error for a value that can't be converted.
func (c *Codec) unable(v any, to string, cause error) error {
	text := ""
	if t, ok := v.(time.Time); ok && c.javaDate != nil {
		text = c.javaDate.Format(t)
	} else {
		text = connect.FormatValue(v)
	}
	return &connect.DataError{Message: "Unable to convert " + text + " (class " + connect.JavaClass(v) + ") to " + to, Err: cause}
}

// parsed returns what a string stands for, and any other value as it is.
func (c *Codec) parsed(v any) (any, error) {
	s, ok := v.(string)
	if !ok {
		return v, nil
	}
	sv, err := c.Parse(s)
	if err != nil {
		return nil, err
	}
	if sv.Value == nil {
		return nil, connect.DataErrorf("Unable to convert the text %q, which stands for no value", s)
	}
	return sv.Value, nil
}

func (c *Codec) toBoolean(from *connect.Schema, v any) (any, error) {
	switch x := v.(type) {
	case bool:
		return x, nil
	case string:
		p, err := c.parsed(x)
		if err != nil {
			return nil, err
		}
		if b, ok := p.(bool); ok {
			return b, nil
		}
	}
	n, err := c.asLong(from, v, nil)
	return n != 0, err
}

func (c *Codec) toContainer(to *connect.Schema, v any) (any, error) {
	v, err := c.parsed(v)
	if err != nil {
		return nil, err
	}
	switch v.(type) {
	case []any:
		if to.Type() == connect.TypeArray {
			return v, nil
		}
	case *connect.Map:
		if to.Type() == connect.TypeMap {
			return v, nil
		}
	}
	return nil, c.unable(v, to.String(), nil)
}

func (c *Codec) toDecimal(to *connect.Schema, v any) (any, error) {
	switch x := v.(type) {
	case []byte:
		return connect.ToDecimal(to, x)
	case connect.Decimal:
		return x, nil
	case string:
		return parseDecimal(x)
	}
	f, ok := number(v)
	if !ok {
		return nil, c.unable(v, to.String(), nil)
	}
	return connect.ParseDecimal(connect.FormatValue(f))
}

// number returns the value of a number as a double.
func number(v any) (float64, bool) {
	switch x := v.(type) {
	case int8:
		return float64(x), true
	case int16:
		return float64(x), true
	case int32:
		return float64(x), true
	case int64:
		return float64(x), true
	case float32:
		return float64(x), true
	case float64:
		return x, true
	case connect.Decimal:
		return decimalDouble(x), true
	case *big.Int:
		f, _ := strconv.ParseFloat(x.String(), 64)
		return f, true
	}
	return 0, false
}

// asLong is Values.asLong: numbers by Java's casts, texts of numbers, and dates whose schema is given.
func (c *Codec) asLong(from *connect.Schema, v any, cause error) (int64, error) {
	switch x := v.(type) {
	case int8:
		return int64(x), nil
	case int16:
		return int64(x), nil
	case int32:
		return int64(x), nil
	case int64:
		return x, nil
	case float32:
		return floatLong(float64(x)), nil
	case float64:
		return floatLong(x), nil
	case connect.Decimal:
		return decimalLong(x), nil
	case *big.Int:
		return bigLong(x), nil
	case string:
		d, err := parseDecimal(x)
		if err == nil {
			return decimalLong(d), nil
		}
		cause = err
	case time.Time:
		if from == nil {
			break
		}
		switch from.Name() {
		case connect.DateName:
			n, err := connect.FromDate(from, x)
			return int64(n), err
		case connect.TimeName:
			n, err := connect.FromTime(from, x)
			return int64(n), err
		case connect.TimestampName:
			return connect.FromTimestamp(from, x)
		}
	}
	if from != nil {
		return 0, c.unable(v, from.String(), cause)
	}
	return 0, c.unable(v, "a number", cause)
}

func (c *Codec) asDouble(from *connect.Schema, v any) (float64, error) {
	if f, ok := number(v); ok {
		return f, nil
	}
	var cause error
	if s, ok := v.(string); ok {
		d, err := parseDecimal(s)
		if err == nil {
			return decimalDouble(d), nil
		}
		cause = err
	}
	n, err := c.asLong(from, v, cause)
	return float64(n), err
}
