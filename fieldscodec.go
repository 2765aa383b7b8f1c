package connect

import (
	"bytes"
	"encoding"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
)

// The names of the only field of a type that has no fields of its own.
const (
	singleField = "value" // a primitive
	jsonField   = "json"  // what does not fit into primitive fields, as JSON
)

// fieldsCodec turns values of a Go type into [Fields] and back. A primitive type has the one field value. A struct of
// primitives has a field for each of its fields. Everything else is JSON text in the one field json. A value that was
// stored in one form can be read in another, so that a type may change from int to int64, gain fields and lose some.
type fieldsCodec[T any] struct {
	single bool
	json   bool
	fields []codecField
}

type codecField struct {
	name  string
	index int
}

func newFieldsCodec[T any]() *fieldsCodec[T] {
	t := reflect.TypeFor[T]()
	c := new(fieldsCodec[T])
	switch {
	case isFieldType(t):
		c.single = true
	case t.Kind() == reflect.Struct && !t.Implements(reflect.TypeFor[json.Marshaler]()):
		for f := range t.Fields() {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if name == "-" || !f.IsExported() && !f.Anonymous {
				continue
			}
			if name == "" {
				name = f.Name
			}
			if f.Anonymous || !isFieldType(f.Type) {
				c.json, c.fields = true, nil
				return c
			}
			c.fields = append(c.fields, codecField{name, f.Index[0]})
		}
	default:
		c.json = true
	}
	return c
}

var (
	textMarshaler   = reflect.TypeFor[encoding.TextMarshaler]()
	textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()
)

func isTextType(t reflect.Type) bool {
	return t.Implements(textMarshaler) && reflect.PointerTo(t).Implements(textUnmarshaler)
}

// isFieldType reports whether values of the type fit into a primitive.
func isFieldType(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Bool, reflect.String, reflect.Float32, reflect.Float64,
		reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return true
	case reflect.Slice:
		return t.Elem().Kind() == reflect.Uint8
	}
	return isTextType(t)
}

// encode returns the fields of a value.
func (c *fieldsCodec[T]) encode(value *T) (Fields, error) {
	v := reflect.ValueOf(value).Elem()
	switch {
	case c.single:
		x, err := toField(v)
		return Fields{singleField: x}, err
	case c.json:
		b, err := json.Marshal(value)
		return Fields{jsonField: string(b)}, err
	}
	out := make(Fields, len(c.fields))
	for _, f := range c.fields {
		x, err := toField(v.Field(f.index))
		if err != nil {
			return nil, fmt.Errorf("field %s: %w", f.name, err)
		}
		out[f.name] = x
	}
	return out, nil
}

// decode returns the value of fields as they are read back.
func (c *fieldsCodec[T]) decode(fields Fields) (T, error) {
	var value T
	if text, ok := fields[jsonField].(string); ok && len(fields) == 1 && !c.has(jsonField) {
		err := json.Unmarshal([]byte(text), &value)
		return value, wrapDecode(jsonField, err)
	}
	v := reflect.ValueOf(&value).Elem()
	switch {
	case c.single:
		x, ok := fields[singleField]
		if !ok {
			return value, DataErrorf("there is no field %s", singleField)
		}
		return value, wrapDecode(singleField, fromField(v, x))
	case c.json:
		b, err := json.Marshal(fields)
		if err == nil {
			err = json.Unmarshal(b, &value)
		}
		return value, wrapDecode(jsonField, err)
	}
	for _, f := range c.fields {
		if x, ok := fields[f.name]; ok {
			if err := fromField(v.Field(f.index), x); err != nil {
				return value, wrapDecode(f.name, err)
			}
		}
	}
	return value, nil
}

func (c *fieldsCodec[T]) has(name string) bool {
	for _, f := range c.fields {
		if f.name == name {
			return true
		}
	}
	return false
}

func wrapDecode(field string, err error) error {
	if err == nil {
		return nil
	}
	return &DataError{Message: "field " + field, Err: err}
}

func toField(v reflect.Value) (any, error) {
	if isTextType(v.Type()) {
		b, err := v.Interface().(encoding.TextMarshaler).MarshalText()
		return string(b), err
	}
	switch v.Kind() {
	case reflect.Bool:
		return v.Bool(), nil
	case reflect.String:
		return v.String(), nil
	case reflect.Float32, reflect.Float64:
		return v.Float(), nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		if n := v.Uint(); n > math.MaxInt64 {
			return strconv.FormatUint(n, 10), nil
		}
		return int64(v.Uint()), nil
	case reflect.Slice:
		if v.IsNil() {
			return nil, nil
		}
		return v.Bytes(), nil
	}
	return v.Int(), nil
}

// fromField sets v to x, a value as it is read back from JSON.
func fromField(v reflect.Value, x any) error {
	mismatch := func() error { return fmt.Errorf("%T does not fit into %v", x, v.Type()) }
	if x == nil {
		v.SetZero()
		return nil
	}
	text, isText := x.(string)
	if isTextType(v.Type()) {
		if !isText {
			return mismatch()
		}
		return v.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(text))
	}
	switch v.Kind() {
	case reflect.Bool:
		b, ok := x.(bool)
		if !ok {
			return mismatch()
		}
		v.SetBool(b)
	case reflect.String:
		if !isText {
			return mismatch()
		}
		v.SetString(text)
	case reflect.Float32, reflect.Float64:
		switch n := x.(type) {
		case float64:
			v.SetFloat(n)
		case int64:
			v.SetFloat(float64(n))
		default:
			return mismatch()
		}
	case reflect.Slice:
		b, ok := x.([]byte)
		if isText {
			var err error
			if b, err = base64.StdEncoding.DecodeString(text); err != nil {
				return err
			}
		} else if !ok {
			return mismatch()
		}
		v.SetBytes(b)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		var n uint64
		if isText {
			var err error
			if n, err = strconv.ParseUint(text, 10, 64); err != nil {
				return err
			}
		} else if i, ok := wholeNumber(x); ok && i >= 0 {
			n = uint64(i)
		} else {
			return mismatch()
		}
		if v.OverflowUint(n) {
			return fmt.Errorf("%d does not fit into %v", n, v.Type())
		}
		v.SetUint(n)
	default:
		n, ok := wholeNumber(x)
		if !ok {
			return mismatch()
		}
		if v.OverflowInt(n) {
			return fmt.Errorf("%d does not fit into %v", n, v.Type())
		}
		v.SetInt(n)
	}
	return nil
}

func wholeNumber(x any) (int64, bool) {
	switch n := x.(type) {
	case int64:
		return n, true
	case float64:
		if n == math.Trunc(n) && math.Abs(n) < 1<<53 {
			return int64(n), true
		}
	}
	return 0, false
}

// fieldsText returns fields as JSON, with sorted names. Equal fields give the same text.
func fieldsText(f Fields) (string, error) {
	b, err := json.Marshal(f)
	return string(b), err
}

// parseFields is the inverse of fieldsText for a list of fields.
func parseFields(text string) ([]Fields, error) {
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.UseNumber()
	var list []Fields
	if err := d.Decode(&list); err != nil {
		return nil, err
	}
	for _, f := range list {
		for name, v := range f {
			n, ok := v.(json.Number)
			if !ok {
				continue
			}
			if i, err := n.Int64(); err == nil {
				f[name] = i
			} else if x, err := n.Float64(); err == nil {
				f[name] = x
			} else {
				return nil, err
			}
		}
	}
	return list, nil
}
