package conformance_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf16"
)

// node is a JSON value that keeps the order of members and the digits of numbers: nil, bool, json.Number, string, []any or
// *members.
type members struct {
	keys   []string
	values []any
}

func (m *members) get(key string) any {
	if m != nil {
		for i, k := range m.keys {
			if k == key {
				return m.values[i]
			}
		}
	}
	return nil
}

func (m *members) object(key string) *members { o, _ := m.get(key).(*members); return o }
func (m *members) text(key string) string     { s, _ := m.get(key).(string); return s }
func (m *members) truth(key string) bool      { b, _ := m.get(key).(bool); return b }
func (m *members) has(key string) bool {
	if m != nil {
		for _, k := range m.keys {
			if k == key {
				return true
			}
		}
	}
	return false
}

func (m *members) texts(key string) []string {
	list, _ := m.get(key).([]any)
	var out []string
	for _, v := range list {
		if s, ok := v.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

// parseJSON parses one JSON value.
func parseJSON(b []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	v, err := parseNext(d)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("more than one JSON value")
	}
	return v, nil
}

func parseNext(d *json.Decoder) (any, error) {
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	delim, ok := t.(json.Delim)
	if !ok {
		return t, nil
	}
	if delim == '[' {
		list := []any{}
		for d.More() {
			v, err := parseNext(d)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err := d.Token()
		return list, err
	}
	m := new(members)
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, err
		}
		v, err := parseNext(d)
		if err != nil {
			return nil, err
		}
		m.keys, m.values = append(m.keys, key.(string)), append(m.values, v)
	}
	_, err = d.Token()
	return m, err
}

// javaJSON writes a value as Jackson does. Strings and names go through text first.
func javaJSON(v any, text func(string) string) string {
	var b strings.Builder
	writeJSON(&b, v, text)
	return b.String()
}

func writeJSON(b *strings.Builder, v any, text func(string) string) {
	switch v := v.(type) {
	case nil:
		b.WriteString("null")
	case bool:
		b.WriteString(strconv.FormatBool(v))
	case json.Number:
		b.WriteString(v.String())
	case string:
		quoteJava(b, text(v))
	case []any:
		b.WriteByte('[')
		for i, e := range v {
			if i > 0 {
				b.WriteByte(',')
			}
			writeJSON(b, e, text)
		}
		b.WriteByte(']')
	case *members:
		b.WriteByte('{')
		for i, e := range v.values {
			if i > 0 {
				b.WriteByte(',')
			}
			quoteJava(b, text(v.keys[i]))
			b.WriteByte(':')
			writeJSON(b, e, text)
		}
		b.WriteByte('}')
	}
}

func quoteJava(b *strings.Builder, s string) {
	short := map[rune]string{'"': `\"`, '\\': `\\`, '\n': `\n`, '\r': `\r`, '\t': `\t`, '\b': `\b`, '\f': `\f`}
	b.WriteByte('"')
	for _, r := range s {
		switch escape, ok := short[r]; {
		case ok:
			b.WriteString(escape)
		case r < 0x20:
			fmt.Fprintf(b, `\u%04X`, r)
		case r > 0xffff:
			hi, lo := utf16.EncodeRune(r)
			fmt.Fprintf(b, `\u%04X\u%04X`, hi, lo)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
}

func asIs(s string) string { return s }
