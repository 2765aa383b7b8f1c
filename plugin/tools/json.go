package tools

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"strconv"

	"github.com/gokconnect/connect"
)

// member is one member of an object that is printed; members keep their order, which is that of Java's hash map.
type member struct {
	name  string
	value any
}

// object returns an object of JSON.
func object(members ...member) []byte {
	b := []byte{'{'}
	for i, m := range members {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendText(b, m.name), ':')
		b = appendJSON(b, m.value)
	}
	return append(b, '}')
}

// appendJSON appends a value of a record. Java can't print structs; here they are objects.
func appendJSON(b []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(b, "null"...)
	case bool:
		return strconv.AppendBool(b, v)
	case int:
		return strconv.AppendInt(b, int64(v), 10)
	case int8:
		return strconv.AppendInt(b, int64(v), 10)
	case int16:
		return strconv.AppendInt(b, int64(v), 10)
	case int32:
		return strconv.AppendInt(b, int64(v), 10)
	case int64:
		return strconv.AppendInt(b, v, 10)
	case float32:
		return appendFloat(b, float64(v), 32)
	case float64:
		return appendFloat(b, v, 64)
	case string:
		return appendText(b, v)
	case []byte:
		return appendText(b, base64.StdEncoding.EncodeToString(v))
	case []any:
		b = append(b, '[')
		for i, e := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendJSON(b, e)
		}
		return append(b, ']')
	case *connect.Map:
		var members []member
		for key, value := range v.All() {
			members = append(members, member{connect.FormatValue(key), value})
		}
		return append(b, object(members...)...)
	case *connect.Struct:
		var members []member
		for i, f := range v.Schema().Fields() {
			members = append(members, member{f.Name, v.At(i)})
		}
		return append(b, object(members...)...)
	}
	return appendText(b, connect.FormatValue(v)) // logical types
}

func appendFloat(b []byte, f float64, bits int) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return appendText(b, connect.FormatValue(f))
	}
	return strconv.AppendFloat(b, f, 'g', -1, bits)
}

func appendText(b []byte, s string) []byte {
	quoted, _ := json.Marshal(s) // a string can always be marshalled
	return append(b, quoted...)
}
