// Package offsetcodec is the form in which source offsets are stored: the bytes of the offsets topic and of the
// standalone offsets file, as Kafka Connect writes them.
//
// A key is ["<connector>",{partition}], a value is {offset}, both JSON as the JsonConverter writes it without schemas.
// Kafka Connect finds a partition by the exact bytes of its key, so the order of its fields matters: it is that of the
// map that the connector used, which is nearly always a HashMap. Go's maps are written in that order, so that what
// either writes the other finds. Reading, any order is found; see [Table].
package offsetcodec

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"reflect"
	"strconv"
	"unicode/utf8"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/storejson"
)

// Key returns the key of a partition of a connector: connect.Fields or any map, ordered (*connect.Map) or not, or nil.
// The connector is a string; nil is null. A partition that can't be stored is a *[connect.DataError].
func Key(connector, partition any) ([]byte, error) {
	fields, err := object(partition)
	if err != nil {
		return nil, err
	}
	dst := append(make([]byte, 0, 64), '[')
	if name, ok := connector.(string); ok {
		if !utf8.ValidString(name) {
			return nil, connect.DataErrorf("the name of connector %q is not valid UTF-8", name)
		}
		dst = storejson.AppendString(dst, name)
	} else {
		dst = append(dst, "null"...)
	}
	dst = append(dst, ',')
	return append(appendObject(dst, fields), ']'), nil
}

// Value returns the stored form of an offset: connect.Fields or any map, or nil, whose form is nil: a tombstone. An
// offset that can't be stored is a *[connect.DataError].
func Value(offset any) ([]byte, error) {
	fields, err := object(offset)
	if err != nil || fields == nil {
		return nil, err
	}
	return appendObject(make([]byte, 0, 32), fields), nil
}

// Validate returns a *[connect.DataError] unless v is nil or a map with string keys and primitive values.
func Validate(v any) error {
	_, err := object(v)
	return err
}

// field is a name with a value that is nil, bool, int64, float32, float64, string or []byte, or, only in what was
// read, []any or connect.Fields.
type field struct {
	name  string
	value any
}

// object returns the fields of a map, in the order in which they are written; nil for nil.
func object(v any) ([]field, error) {
	var m map[string]any
	switch v := v.(type) {
	case nil:
		return nil, nil
	case connect.Fields:
		m = v
	case map[string]any:
		m = v
	default:
		ordered, ok := connect.AsMap(v)
		if !ok {
			return nil, connect.DataErrorf("Offsets must be specified as a Map")
		}
		if ordered == nil {
			return nil, nil
		}
		fields := make([]field, 0, ordered.Len())
		for key, value := range ordered.All() {
			name, ok := key.(string)
			if !ok {
				return nil, connect.DataErrorf("Offsets may only use String keys")
			}
			f, err := newField(name, value)
			if err != nil {
				return nil, err
			}
			fields = append(fields, f)
		}
		return fields, nil
	}
	if m == nil {
		return nil, nil
	}
	fields := make([]field, 0, len(m))
	for name, value := range m {
		f, err := newField(name, value)
		if err != nil {
			return nil, err
		}
		fields = append(fields, f)
	}
	storejson.HashOrder(fields, func(f field) string { return f.name })
	return fields, nil
}

func newField(name string, value any) (field, error) {
	if !utf8.ValidString(name) {
		return field{}, connect.DataErrorf("Offsets may only use String keys, but field %q is not valid UTF-8", name)
	}
	plain, ok := primitive(value)
	if !ok {
		what := "class " + connect.JavaClass(value)
		if typ, ok := connect.TypeOf(value); ok {
			what = typ.String()
		}
		return field{}, connect.DataErrorf("Offsets may only contain primitive types as values, but field %s contains %s", name, what)
	}
	if text, ok := plain.(string); ok && !utf8.ValidString(text) {
		return field{}, connect.DataErrorf("Offsets may only contain text that is valid UTF-8, but field %s contains %q", name, text)
	}
	return field{name, plain}, nil
}

// primitive returns the value as one of the types that [field] lists; false if it has no such form.
func primitive(v any) (any, bool) {
	switch v := v.(type) {
	case nil, bool, int64, float32, float64, string, []byte:
		return v, true
	case int:
		return int64(v), true
	case int32:
		return int64(v), true
	case int16:
		return int64(v), true
	case int8:
		return int64(v), true
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n, true
		}
		f, err := v.Float64()
		return f, err == nil
	}
	r := reflect.ValueOf(v)
	switch r.Kind() {
	case reflect.Bool:
		return r.Bool(), true
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return r.Int(), true
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return int64(r.Uint()), r.Uint() <= math.MaxInt64
	case reflect.Float32:
		return float32(r.Float()), true
	case reflect.Float64:
		return r.Float(), true
	case reflect.String:
		return r.String(), true
	}
	return nil, false
}

func appendObject(dst []byte, fields []field) []byte {
	if fields == nil {
		return append(dst, "null"...)
	}
	dst = append(dst, '{')
	for i, f := range fields {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = storejson.AppendString(dst, f.name)
		dst = append(dst, ':')
		dst = appendValue(dst, f.value)
	}
	return append(dst, '}')
}

func appendValue(dst []byte, v any) []byte {
	switch v := v.(type) {
	case bool:
		return strconv.AppendBool(dst, v)
	case int64:
		return strconv.AppendInt(dst, v, 10)
	case float32:
		return appendFloat(dst, float64(v), v)
	case float64:
		return appendFloat(dst, v, v)
	case string:
		return storejson.AppendString(dst, v)
	case []byte:
		dst = append(dst, '"')
		dst = base64.StdEncoding.AppendEncode(dst, v)
		return append(dst, '"')
	case []any:
		dst = append(dst, '[')
		for i, e := range v {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendValue(dst, e)
		}
		return append(dst, ']')
	case connect.Fields:
		return appendObject(dst, sorted(v))
	}
	return append(dst, "null"...)
}

// appendFloat writes a number as Java does, and what JSON has no number for as text. f is v, to look at.
func appendFloat(dst []byte, f float64, v any) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		dst = append(dst, '"')
		dst = connect.AppendValue(dst, v)
		return append(dst, '"')
	}
	return connect.AppendValue(dst, v)
}
