package rest

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDepth bounds how deep values of a body may be nested.
const maxDepth = 1000

// maxNumber bounds the length of a number.
const maxNumber = 1000

// maxName bounds the length of a member's name.
const maxName = 50_000

// toUTF8 returns a body in UTF-8. As Jackson does, it tells UTF-16 and UTF-32 by a byte order mark, or by where there are
// zeros: JSON begins with two characters of ASCII.
func toUTF8(b []byte) []byte {
	if rest, ok := bytes.CutPrefix(b, []byte("\ufeff")); ok {
		return rest
	}
	if len(b) < 2 {
		return b
	}
	var order binary.ByteOrder
	size := 2
	zero := func(i int) bool { return len(b) > i && b[i] == 0 }
	switch {
	case len(b) >= 4 && zero(0) && zero(1) && (zero(2) || b[2] == 0xfe):
		order, size = binary.BigEndian, 4
	case len(b) >= 4 && !zero(0) && zero(2) && zero(3):
		order, size = binary.LittleEndian, 4
	case b[0] == 0xfe && b[1] == 0xff, zero(0) && !zero(1):
		order = binary.BigEndian
	case b[0] == 0xff && b[1] == 0xfe, !zero(0) && zero(1):
		order = binary.LittleEndian
	default:
		return b
	}
	if len(b)%size != 0 {
		return b // it is malformed in any encoding
	}
	var units []uint16
	var text []byte
	for ; len(b) > 0; b = b[size:] {
		if size == 2 {
			units = append(units, order.Uint16(b))
			continue
		}
		text = utf8.AppendRune(text, rune(order.Uint32(b)))
	}
	if size == 2 {
		text = []byte(string(utf16.Decode(units)))
	}
	return bytes.TrimPrefix(text, []byte("\ufeff"))
}

// bodyError is the error of a body that does not say what the request asks for. Kafka Connect answers it with status 500.
type bodyError struct{ err error }

func (e *bodyError) Error() string { return e.err.Error() }
func (e *bodyError) Unwrap() error { return e.err }

func badBody(format string, args ...any) error { return &bodyError{fmt.Errorf(format, args...)} }

// object is a JSON object in its order. Of a key that is there twice, the last value counts, in the first place.
type object struct {
	keys   []string
	values map[string]any
}

func (o *object) set(key string, v any) {
	if _, ok := o.values[key]; !ok {
		o.keys = append(o.keys, key)
	}
	o.values[key] = v
}

// parse reads one JSON value: nil, bool, json.Number, string, []any or *object. No content at all is nil.
func parse(b []byte) (any, error) {
	b = toUTF8(b)
	if len(bytes.TrimLeft(b, " \t\r\n")) == 0 {
		return nil, nil
	}
	if !utf8.Valid(b) {
		return nil, badBody("Invalid UTF-8 in the request body")
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	v, err := parseValue(d, 0)
	if err != nil {
		return nil, malformed(d, err)
	}
	if t, err := d.Token(); err == nil {
		return nil, badBody("Trailing token %v found after the value of the request body", t)
	} else if err != io.EOF {
		return nil, malformed(d, err)
	}
	return v, nil
}

func malformed(d *json.Decoder, err error) error {
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return badBody("Malformed JSON in the request body at byte %d: %w", d.InputOffset(), err)
}

func parseValue(d *json.Decoder, depth int) (any, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("values are nested more than %d deep", maxDepth)
	}
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch t := t.(type) {
	case json.Number:
		if len(t) > maxNumber {
			return nil, fmt.Errorf("a number of %d characters is too long", len(t))
		}
		return t, nil
	case json.Delim:
		if t == '[' {
			list := []any{}
			for d.More() {
				v, err := parseValue(d, depth+1)
				if err != nil {
					return nil, err
				}
				list = append(list, v)
			}
			_, err := d.Token()
			return list, err
		}
		o := &object{values: make(map[string]any)}
		for d.More() {
			key, err := d.Token()
			if err != nil {
				return nil, err
			}
			v, err := parseValue(d, depth+1)
			if err != nil {
				return nil, err
			}
			if n := len(key.(string)); n > maxName {
				return nil, fmt.Errorf("a name of %d bytes is too long", n)
			}
			o.set(key.(string), v)
		}
		_, err := d.Token()
		return o, err
	}
	return t, nil
}

// wrongType is what is said of a value that is not of the type that is wanted there.
func wrongType(want string, v any) error {
	return badBody("Cannot deserialize value of type %s from %s", want, kindOf(v))
}

func kindOf(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "Boolean value"
	case json.Number:
		return "Number value"
	case string:
		return "String value"
	case []any:
		return "Array value"
	}
	return "Object value"
}

// text returns a scalar as a string, as it stands in the body; nil for null.
func text(v any) (*string, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case string:
		return &v, nil
	case bool:
		s := strconv.FormatBool(v)
		return &s, nil
	case json.Number:
		s := v.String()
		return &s, nil
	}
	return nil, wrongType("String", v)
}

// config returns an object of scalars; nil for null.
func config(v any) (Config, error) {
	if v == nil {
		return nil, nil
	}
	o, ok := v.(*object)
	if !ok {
		return nil, wrongType("Map", v)
	}
	c := make(Config, 0, len(o.keys))
	for _, key := range o.keys {
		value, err := text(o.values[key])
		if err != nil {
			return nil, err
		}
		c = append(c, Entry{key, value})
	}
	return c, nil
}

// members returns an object that has no other members than those allowed; nil for null.
func members(v any, what string, allowed ...string) (*object, error) {
	if v == nil {
		return nil, nil
	}
	o, ok := v.(*object)
	if !ok {
		return nil, wrongType(what, v)
	}
	for _, key := range o.keys {
		known := false
		for _, a := range allowed {
			known = known || a == key
		}
		if !known {
			return nil, badBody("Unrecognized field %q (%s), not marked as ignorable (known properties: %q)", key, what, allowed)
		}
	}
	return o, nil
}

// plainMap returns an object with the values that [OffsetChange] lists; nil for null.
func plainMap(v any) (map[string]any, error) {
	if v == nil {
		return nil, nil
	}
	o, ok := v.(*object)
	if !ok {
		return nil, wrongType("Map", v)
	}
	m := make(map[string]any, len(o.keys))
	for key, value := range o.values {
		m[key] = plain(value)
	}
	return m, nil
}

func plain(v any) any {
	switch v := v.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
		if n, ok := new(big.Int).SetString(v.String(), 10); ok {
			return n
		}
		f, _ := v.Float64()
		return f
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = plain(v[i])
		}
		return list
	case *object:
		m, _ := plainMap(v)
		return m
	}
	return v
}
