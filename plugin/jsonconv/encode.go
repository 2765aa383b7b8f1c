package jsonconv

import (
	"encoding/base64"
	"math"
	"strconv"
	"time"

	"github.com/gokconnect/connect"
)

// encoder writes values as JSON.
type encoder struct {
	numericDecimals bool
	depth           int
}

// value appends a value of the plan's schema; without a plan the value speaks for itself. After an error dst is
// worthless.
func (e *encoder) value(dst []byte, p *plan, v any) ([]byte, error) {
	if p == nil {
		return e.schemaless(dst, v)
	}
	if v == nil {
		return e.null(dst, p)
	}
	switch p.form {
	case formInt8:
		if v, ok := v.(int8); ok {
			return strconv.AppendInt(dst, int64(v), 10), nil
		}
	case formInt16:
		if v, ok := v.(int16); ok {
			return strconv.AppendInt(dst, int64(v), 10), nil
		}
	case formInt32:
		if v, ok := v.(int32); ok {
			return strconv.AppendInt(dst, int64(v), 10), nil
		}
	case formInt64:
		if v, ok := v.(int64); ok {
			return strconv.AppendInt(dst, v, 10), nil
		}
	case formFloat32:
		if f, ok := v.(float32); ok {
			return appendFloat(dst, float64(f), v), nil
		}
	case formFloat64:
		if f, ok := v.(float64); ok {
			return appendFloat(dst, f, v), nil
		}
	case formBoolean:
		if v, ok := v.(bool); ok {
			return strconv.AppendBool(dst, v), nil
		}
	case formString:
		if v, ok := v.(string); ok {
			return appendString(dst, v), nil
		}
	case formBytes:
		b, ok := v.([]byte)
		switch {
		case !ok:
			return dst, connect.DataErrorf("Invalid type for bytes type: class %s", connect.JavaClass(v))
		case b == nil:
			return e.null(dst, p)
		}
		return appendBytes(dst, b), nil
	case formArray:
		if v, ok := v.([]any); ok {
			return e.array(dst, p.element, v)
		}
	case formObject, formPairs:
		if m, ok := connect.AsMap(v); ok {
			return e.mapping(dst, p, m)
		}
	case formStruct:
		if v, ok := v.(*connect.Struct); ok {
			return e.structure(dst, p, v)
		}
	default:
		return e.logical(dst, p, v)
	}
	return dst, connect.DataErrorf("Invalid type for %v: class %s", p.schema.Type(), connect.JavaClass(v))
}

func (e *encoder) null(dst []byte, p *plan) ([]byte, error) {
	switch {
	case p.def != nil:
		return e.standIn(dst, p, p.def)
	case p.optional:
		return append(dst, "null"...), nil
	}
	return dst, connect.DataErrorf("Conversion error: null value for field that is required and has no default value")
}

// standIn appends a schema's default. A struct's can't be written: to Connect its schema is never the one whose default
// it is.
func (e *encoder) standIn(dst []byte, p *plan, def any) ([]byte, error) {
	if p.form == formStruct {
		return dst, connect.DataErrorf("Mismatching schema.")
	}
	return e.value(dst, p, def)
}

// logical appends a value of a logical type, which the schema's name alone makes.
func (e *encoder) logical(dst []byte, p *plan, v any) ([]byte, error) {
	if p.form == formDecimal {
		d, ok := v.(connect.Decimal)
		if !ok {
			return dst, connect.DataErrorf("Invalid type for Decimal, expected BigDecimal but was class %s", connect.JavaClass(v))
		}
		if e.numericDecimals {
			return connect.AppendValue(dst, v), nil
		}
		b, err := connect.FromDecimal(p.schema, d)
		return appendBytes(dst, b), err
	}
	t, ok := v.(time.Time)
	switch p.form {
	case formDate:
		if !ok {
			return dst, connect.DataErrorf("Invalid type for Date, expected Date but was class %s", connect.JavaClass(v))
		}
		days, err := connect.FromDate(p.schema, t)
		return strconv.AppendInt(dst, int64(days), 10), err
	case formTime:
		if !ok {
			return dst, connect.DataErrorf("Invalid type for Time, expected Date but was class %s", connect.JavaClass(v))
		}
		ms, err := connect.FromTime(p.schema, t)
		return strconv.AppendInt(dst, int64(ms), 10), err
	}
	if !ok {
		return dst, connect.DataErrorf("Invalid type for Timestamp, expected Date but was class %s", connect.JavaClass(v))
	}
	ms, err := connect.FromTimestamp(p.schema, t)
	return strconv.AppendInt(dst, ms, 10), err
}

func (e *encoder) schemaless(dst []byte, v any) ([]byte, error) {
	switch x := v.(type) {
	case nil:
		return append(dst, "null"...), nil
	case string:
		return appendString(dst, x), nil
	case bool:
		return strconv.AppendBool(dst, x), nil
	case int64:
		return strconv.AppendInt(dst, x, 10), nil
	case int32:
		return strconv.AppendInt(dst, int64(x), 10), nil
	case int16:
		return strconv.AppendInt(dst, int64(x), 10), nil
	case int8:
		return strconv.AppendInt(dst, int64(x), 10), nil
	case int: // what an untyped constant is in Go
		return strconv.AppendInt(dst, int64(x), 10), nil
	case float64:
		return appendFloat(dst, x, v), nil
	case float32:
		return appendFloat(dst, float64(x), v), nil
	case []byte:
		if x == nil {
			return append(dst, "null"...), nil
		}
		return appendBytes(dst, x), nil
	case []any:
		return e.array(dst, nil, x)
	case *connect.Struct:
		return dst, connect.DataErrorf("Mismatching schema.")
	}
	if m, ok := connect.AsMap(v); ok {
		return e.mapping(dst, nil, m)
	}
	return dst, connect.DataErrorf("Java class class %s does not have corresponding schema type.", connect.JavaClass(v))
}

// enter counts the nesting, which Jackson limits. It also ends values that contain themselves.
func (e *encoder) enter() error {
	if e.depth++; e.depth > maxDepth {
		return &connect.DataError{
			Message: "Converting Kafka Connect data to byte[] failed due to serialization error: ",
			Err:     connect.DataErrorf("Document nesting depth (%d) exceeds the maximum allowed (%d)", e.depth, maxDepth),
		}
	}
	return nil
}

func (e *encoder) array(dst []byte, element *plan, list []any) ([]byte, error) {
	err := e.enter()
	if err != nil {
		return dst, err
	}
	dst = append(dst, '[')
	for i, v := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		if dst, err = e.value(dst, element, v); err != nil {
			return dst, err
		}
	}
	e.depth--
	return append(dst, ']'), nil
}

func (e *encoder) structure(dst []byte, p *plan, s *connect.Struct) ([]byte, error) {
	if s == nil {
		return e.null(dst, p)
	}
	if !p.equals(s.Schema()) {
		return dst, connect.DataErrorf("Mismatching schema.")
	}
	err := e.enter()
	if err != nil {
		return dst, err
	}
	dst = append(dst, '{')
	for i, v := range s.Values() {
		if i > 0 {
			dst = append(dst, ',')
		}
		f := &p.fields[i]
		dst = append(dst, f.quoted...)
		if dst, err = e.value(dst, f.plan, v); err != nil {
			return dst, err
		}
	}
	e.depth--
	return append(dst, '}'), nil
}

// mapping appends a map: as an object if its keys are texts by their schema, or all of them without one, and else as a
// list of pairs.
func (e *encoder) mapping(dst []byte, p *plan, m *connect.Map) ([]byte, error) {
	entries := m.Entries()
	var key, element *plan
	object := true
	if p != nil {
		key, element = p.key, p.element
		object = p.form == formObject
	}
	texts := true // all keys are, and are written as they are
	if key == nil || key.form == formString {
		for i := range entries {
			if _, ok := entries[i].Key.(string); !ok {
				texts = false
				break
			}
		}
	} else {
		texts = false
	}
	if key == nil {
		object = texts
	}
	err := e.enter()
	switch {
	case err != nil:
		return dst, err
	case !object:
		dst, err = e.pairs(dst, key, element, entries)
	case texts:
		dst = append(dst, '{')
		for i := range entries {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(appendString(dst, entries[i].Key.(string)), ':')
			if dst, err = e.value(dst, element, entries[i].Value); err != nil {
				return dst, err
			}
		}
		dst = append(dst, '}')
	default:
		dst, err = e.oddObject(dst, key, element, entries)
	}
	e.depth--
	return dst, err
}

func (e *encoder) pairs(dst []byte, key, element *plan, entries []connect.Entry) ([]byte, error) {
	if len(entries) == 0 {
		return append(dst, "[]"...), nil
	}
	err := e.enter()
	if err != nil {
		return dst, err
	}
	dst = append(dst, '[')
	for i := range entries {
		if i > 0 {
			dst = append(dst, ',')
		}
		if dst, err = e.value(append(dst, '['), key, entries[i].Key); err != nil {
			return dst, err
		}
		if dst, err = e.value(append(dst, ','), element, entries[i].Value); err != nil {
			return dst, err
		}
		dst = append(dst, ']')
	}
	e.depth--
	return append(dst, ']'), nil
}

// oddObject appends a map whose keys are texts by their schema, but not all texts by themselves: a null is written as
// null, or its default, and a logical type as its number. Two keys may so become one, whose last value counts.
func (e *encoder) oddObject(dst []byte, key, element *plan, entries []connect.Entry) ([]byte, error) {
	var names, values [][]byte
	places := make(map[string]int, len(entries))
	for i := range entries {
		name, err := e.value(nil, key, entries[i].Key)
		if err != nil {
			return dst, err
		}
		if name[0] != '"' {
			name = append(append([]byte{'"'}, name...), '"')
		}
		value, err := e.value(nil, element, entries[i].Value)
		if err != nil {
			return dst, err
		}
		place, ok := places[string(name)]
		if ok {
			values[place] = value
			continue
		}
		places[string(name)] = len(names)
		names, values = append(names, name), append(values, value)
	}
	dst = append(dst, '{')
	for i := range names {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(append(append(dst, names[i]...), ':'), values[i]...)
	}
	return append(dst, '}'), nil
}

// appendFloat appends v, whose value is f: as Java's text, in quotes if it is not a number to JSON.
func appendFloat(dst []byte, f float64, v any) []byte {
	if f != f || math.IsInf(f, 0) {
		return append(connect.AppendValue(append(dst, '"'), v), '"')
	}
	return connect.AppendValue(dst, v)
}

func appendBytes(dst, b []byte) []byte {
	return append(base64.StdEncoding.AppendEncode(append(dst, '"'), b), '"')
}
