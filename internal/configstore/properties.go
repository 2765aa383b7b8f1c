package configstore

import (
	"encoding/json"
	"slices"
	"strconv"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/javahash"
	"github.com/gokconnect/connect/internal/storejson"
)

// Property is a key of a configuration that is written. A nil value is null.
type Property struct {
	Name  string
	Value *string
}

// Properties is a configuration that is written, in the order in which it is written. Nil is none at all, which can't
// be stored; see [HashOrder] for a map.
type Properties []Property

// HashOrder returns the properties of a map in the order in which Java's HashMap has them.
func HashOrder(m map[string]*string) Properties {
	if m == nil {
		return nil
	}
	p := make(Properties, 0, len(m))
	for name, value := range m {
		p = append(p, Property{name, value})
	}
	storejson.HashOrder(p, func(p Property) string { return p.Name })
	return p
}

// TaskProperties is the configuration of a task in the order in which a java.util.HashMap iterates over it that the keys were
// put into in that order; keys that order does not have follow, by name, and the last of all are those that Kafka Connect
// adds itself.
func TaskProperties(c connect.Config, order []string) Properties {
	rest := make([]string, 0, len(c))
	for name := range c {
		rest = append(rest, name)
	}
	slices.Sort(rest)
	added := []string{"task.class", "topics", "topics.regex"}
	keys := make([]string, 0, len(c))
	for i, names := range [][]string{order, rest, added} {
		for _, name := range names {
			_, has := c[name]
			if has && !slices.Contains(keys, name) && (i != 1 || !slices.Contains(added, name)) {
				keys = append(keys, name)
			}
		}
	}
	p := make(Properties, len(keys))
	for i, name := range javahash.Order(keys, javahash.Buckets) {
		value := c[name]
		p[i] = Property{name, &value}
	}
	return p
}

func (p Properties) encode() ([]byte, error) {
	if p == nil {
		return nil, connect.DataErrorf(`Invalid value: null used for required field: "properties", schema type: MAP`)
	}
	dst := append(make([]byte, 0, 64+48*len(p)), `{"properties":{`...)
	for i, property := range p {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(storejson.AppendString(dst, property.Name), ':')
		if property.Value == nil {
			dst = append(dst, "null"...)
		} else {
			dst = storejson.AppendString(dst, *property.Value)
		}
	}
	return append(dst, "}}"...), nil
}

// Config is a configuration as it was read. It is not changed any more.
type Config struct {
	// Values by key; nil is null. A value that is no text, which none but foreign writers write, is the text of its JSON.
	Values map[string]*string
	// Other has those values that are no text, as they were read; nil if there are none.
	Other map[string]any
}

func newConfig(fields connect.Fields) Config {
	c := Config{Values: make(map[string]*string, len(fields))}
	texts := make([]string, 0, len(fields)) // one allocation for all
	for key, v := range fields {
		switch v := v.(type) {
		case nil:
			c.Values[key] = nil
			continue
		case string:
			texts = append(texts, v)
		default:
			texts = append(texts, jsonText(v))
			if c.Other == nil {
				c.Other = map[string]any{}
			}
			c.Other[key] = v
		}
		c.Values[key] = &texts[len(texts)-1]
	}
	return c
}

func jsonText(v any) string {
	switch v := v.(type) {
	case bool:
		return strconv.FormatBool(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return string(connect.AppendValue(nil, v))
	}
	text, err := json.Marshal(v)
	if err != nil { // a number that is infinite
		return ""
	}
	return string(text)
}

// task returns the configuration of a task as tasks get it: without nulls.
func (c Config) task() connect.Config {
	plain := make(connect.Config, len(c.Values))
	for key, v := range c.Values {
		if v != nil {
			plain[key] = *v
		}
	}
	return plain
}
