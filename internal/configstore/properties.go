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

// Originals returns the keys of a connector's configuration in the order in which its Java connector would be given them.
// Stored is their order in the record. Java copies the map from one to the next, and where keys share a bucket of one of these
// maps it hands their order on.
func Originals(stored []string) []string {
	var read, given javahash.Table
	for _, key := range stored { // by JsonConverter
		read.Put(key)
	}
	config := javahash.NewTable(len(stored))                // AbstractConfig's
	for _, key := range javahash.Copy(read.Keys()).Keys() { // the copy is ConfigTransformer's
		config.Put(key)
	}
	for _, key := range javahash.Copy(config.Keys()).Keys() { // AbstractConfig's too
		given.Put(key) // originalsStrings
	}
	return given.Keys()
}

// TaskProperties is the configuration of a task in the order that Kafka Connect stores it in, if the connector made its map as a
// copy of its own configuration and put further keys into it. Originals are the keys of the connector's, as [Originals] returns
// them; added are those of c that the task has not from its connector but from Kafka Connect, in the order in which it puts them.
// The order of a connector's further keys is not known here: they follow by name.
func TaskProperties(c connect.Config, originals, added []string) Properties {
	copied := make([]string, 0, len(c))
	seen := make(map[string]bool, len(c))
	for _, key := range added {
		seen[key] = true
	}
	for _, key := range originals {
		if _, ok := c[key]; ok && !seen[key] {
			copied, seen[key] = append(copied, key), true
		}
	}
	further := make([]string, 0, len(c)-len(copied))
	for key := range c {
		if !seen[key] {
			further = append(further, key)
		}
	}
	slices.Sort(further)
	own := javahash.Copy(copied)
	for _, key := range further {
		own.Put(key)
	}
	all := javahash.Copy(own.Keys())
	for _, key := range added {
		all.Put(key)
	}
	keys := javahash.Copy(all.Keys()).Keys() // the last copy puts placeholders back
	p := make(Properties, len(keys))
	for i, key := range keys {
		value := c[key]
		p[i] = Property{key, &value}
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
	// Order are the keys in the order in which they were written.
	Order []string
	// Other has those values that are no text, as they were read; nil if there are none.
	Other map[string]any
}

func newConfig(fields connect.Fields, order []string) Config {
	c := Config{Values: make(map[string]*string, len(fields)), Order: order}
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
