package values

import (
	"encoding/base64"
	"math/big"
	"strings"
	"time"

	"github.com/gokconnect/connect"
)

const dayMillis = 24 * 60 * 60 * 1000

// maxDepth bounds how deep values and texts nest.
const maxDepth = 5000

// ConvertToString returns the text of a value; null says that the value is nil, which has none. It fails with a
// *[connect.DataError] for a value that is not of the data model.
func (c *Codec) ConvertToString(v any) (text string, null bool, err error) {
	switch v := v.(type) {
	case nil:
		return "", true, nil
	case string:
		return v, false, nil
	}
	b, err := c.Append(nil, v)
	return string(b), false, err
}

// Append appends the text of a value: a string as it is, bytes in base 64, a list as [1,"a"], a map or struct as
// {"k":1}, and null for nil. It fails with a *[connect.DataError] for a value that is not of the data model.
func (c *Codec) Append(dst []byte, v any) ([]byte, error) { return c.append(dst, v, false, 0) }

func (c *Codec) append(dst []byte, v any, embedded bool, depth int) ([]byte, error) {
	if depth > maxDepth {
		return nil, connect.DataErrorf("Failed to serialize value: it nests deeper than %d levels", maxDepth)
	}
	switch v := v.(type) {
	case nil, bool, int8, int16, int32, int64, int, float32, float64, connect.Decimal, *big.Int:
		return connect.AppendValue(dst, v), nil
	case string:
		return appendString(dst, v, embedded), nil
	case []byte:
		if v == nil {
			return append(dst, "null"...), nil
		}
		if embedded {
			dst = append(dst, '"')
		}
		dst = base64.StdEncoding.AppendEncode(dst, v)
		if embedded {
			dst = append(dst, '"')
		}
		return dst, nil
	case time.Time:
		return c.appendDate(dst, v), nil
	case []any:
		dst = append(dst, '[')
		var err error
		for i, e := range v {
			if i > 0 {
				dst = append(dst, ',')
			}
			if dst, err = c.append(dst, e, true, depth+1); err != nil {
				return nil, err
			}
		}
		return append(dst, ']'), nil
	case *connect.Struct:
		if v != nil {
			return c.appendStruct(dst, v, depth)
		}
		return append(dst, "null"...), nil
	}
	if m, ok := connect.AsMap(v); ok {
		return c.appendMap(dst, m, depth)
	}
	return nil, connect.DataErrorf("Failed to serialize unexpected value type %s: %s", connect.JavaClass(v), connect.FormatValue(v))
}

func (c *Codec) appendMap(dst []byte, m *connect.Map, depth int) ([]byte, error) {
	dst = append(dst, '{')
	var err error
	for i, e := range m.Entries() {
		if i > 0 {
			dst = append(dst, ',')
		}
		if dst, err = c.append(dst, e.Key, true, depth+1); err != nil {
			return nil, err
		}
		dst = append(dst, ':')
		if dst, err = c.append(dst, e.Value, true, depth+1); err != nil {
			return nil, err
		}
	}
	return append(dst, '}'), nil
}

func (c *Codec) appendStruct(dst []byte, s *connect.Struct, depth int) ([]byte, error) {
	dst = append(dst, '{')
	var err error
	for i, f := range s.Schema().Fields() {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendString(dst, f.Name, true), ':')
		if dst, err = c.append(dst, s.At(i), true, depth+1); err != nil {
			return nil, err
		}
	}
	return append(dst, '}'), nil
}

func appendString(dst []byte, s string, embedded bool) []byte {
	if !embedded {
		return append(dst, s...)
	}
	dst = append(dst, '"')
	for {
		i := strings.IndexAny(s, `\"`)
		if i < 0 {
			break
		}
		dst = append(append(dst, s[:i]...), '\\', s[i])
		s = s[i+1:]
	}
	return append(append(dst, s...), '"')
}

// appendDate appends a time of day for what lies before 2 January 1970, else a date or date and time.
func (c *Codec) appendDate(dst []byte, t time.Time) []byte {
	switch ms := t.UnixMilli(); {
	case ms < dayMillis:
		return c.time.AppendFormat(dst, t)
	case ms%dayMillis == 0:
		return c.date.AppendFormat(dst, t)
	}
	return c.timestamp.AppendFormat(dst, t)
}
