package offsetcodec

import (
	"errors"
	"fmt"
	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/storejson"
	"sort"
)

// DecodeKey returns what a stored key names. A nil partition is JSON's null. Anything but a list of a connector's name
// and a partition is an error.
func DecodeKey(key []byte) (connector string, partition connect.Fields, err error) {
	v, err := storejson.Decode(key)
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
	v, err := storejson.Decode(value)
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
	for name, value := range fields {
		switch value.(type) {
		case []any, connect.Fields:
			_, err := newField(name, plain(value))
			return nil, err
		}
	}
	return fields, nil
}

// plain returns a value of the type that an error about it names.
func plain(v any) any {
	if m, ok := v.(connect.Fields); ok {
		return map[string]any(m)
	}
	return v
}

// Canonical returns a text that two partitions share if and only if they are the same, whatever the order of
// their fields and the widths of their numbers. A partition that can't be stored is a *[connect.DataError].
func Canonical(partition connect.Fields) (string, error) {
	fields, err := object(partition)
	if err != nil {
		return "", err
	}
	byName(fields)
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
	if len(fields) > 1 {
		byName(fields)
	}
	return fields
}

func byName(fields []field) {
	sort.Slice(fields, func(i, j int) bool { return fields[i].name < fields[j].name })
}
