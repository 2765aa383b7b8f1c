package offsetcodec

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/gokconnect/connect"
)

// maxDigits bounds the length of a number, whose conversion takes time that grows faster than its length.
const maxDigits = 1000

// DecodeKey returns what a stored key names. A nil partition is JSON's null. Anything but a list of a connector's name
// and a partition is an error.
func DecodeKey(key []byte) (connector string, partition connect.Fields, err error) {
	v, err := decode(key)
	if err != nil {
		return "", nil, fmt.Errorf("the key is not JSON: %w", err)
	}
	list, ok := v.([]any)
	if !ok || len(list) != 2 {
		return "", nil, errors.New("the key is not a list of a connector's name and a partition")
	}
	if connector, ok = list[0].(string); !ok {
		return "", nil, errors.New("the first element of the key is not a connector's name")
	}
	if list[1] == nil {
		return connector, nil, nil
	}
	if partition, ok = list[1].(connect.Fields); !ok {
		return "", nil, errors.New("the second element of the key is not a partition")
	}
	return connector, partition, nil
}

// DecodeValue returns a stored offset; nil for null, in bytes or in JSON. A value that holds more than named primitives
// is an error.
func DecodeValue(value []byte) (connect.Fields, error) {
	v, err := decode(value)
	if err != nil {
		return nil, fmt.Errorf("the value is not JSON: %w", err)
	}
	if v == nil {
		return nil, nil
	}
	fields, ok := v.(connect.Fields)
	if !ok {
		return nil, connect.DataErrorf("Offsets must be specified as a Map")
	}
	return fields, Validate(fields)
}

// Canonical returns a text that two partitions share if and only if they are the same, whatever the order of
// their fields and the widths of their numbers. A partition that can't be stored is a *[connect.DataError].
func Canonical(partition connect.Fields) (string, error) {
	fields, err := object(partition)
	if err != nil {
		return "", err
	}
	slices.SortFunc(fields, byName)
	return string(appendObject(nil, fields)), nil
}

// canonical is Canonical of what was read, which may hold lists and maps too.
func canonical(partition connect.Fields) string {
	if partition == nil {
		return "null"
	}
	return string(appendObject(nil, sorted(partition)))
}

func sorted(m connect.Fields) []field {
	fields := make([]field, 0, len(m))
	for name, value := range m {
		fields = append(fields, field{name, value})
	}
	slices.SortFunc(fields, byName)
	return fields
}

func byName(a, b field) int { return strings.Compare(a.name, b.name) }

// decode reads the first JSON value: nil, bool, int64, float64, string, []any or connect.Fields. No bytes, blanks and
// null are nil, and what follows the first value is ignored, all as Kafka Connect has it.
func decode(b []byte) (any, error) {
	if len(b) == 0 {
		return nil, nil
	}
	if !utf8.Valid(b) {
		return nil, errors.New("it is not valid UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, nil
		}
		return nil, err
	}
	return convert(v)
}

func convert(v any) (any, error) {
	switch v := v.(type) {
	case json.Number:
		return number(string(v))
	case []any:
		for i, e := range v {
			c, err := convert(e)
			if err != nil {
				return nil, err
			}
			v[i] = c
		}
	case map[string]any:
		for name, e := range v {
			c, err := convert(e)
			if err != nil {
				return nil, err
			}
			v[name] = c
		}
		return connect.Fields(v), nil
	}
	return v, nil
}

// number returns an int64, with what does not fit wrapped around, or a float64.
func number(s string) (any, error) {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n, nil
	}
	if len(s) > maxDigits {
		return nil, fmt.Errorf("a number of %d characters is too long", len(s))
	}
	if strings.ContainsAny(s, ".eE") {
		f, err := strconv.ParseFloat(s, 64)
		if err != nil && !errors.Is(err, strconv.ErrRange) {
			return nil, err
		}
		return f, nil
	}
	n, ok := new(big.Int).SetString(s, 10)
	if !ok {
		return nil, fmt.Errorf("%q is not a number", s)
	}
	low := new(big.Int).And(n, new(big.Int).SetUint64(1<<64-1))
	return int64(low.Uint64()), nil
}
