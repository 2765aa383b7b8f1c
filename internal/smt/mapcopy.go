package smt

import "github.com/gokconnect/connect"

// copyMap returns a copy of the map with room for more entries.
func copyMap(m *connect.Map, more int) *connect.Map {
	if m.Len() > smallMap {
		return m.Clone() // its index of keys is copied faster than built
	}
	c := connect.NewMapValue(m.Len() + more)
	for _, e := range m.Entries() {
		c.Set(e.Key, e.Value)
	}
	return c
}

const smallMap = 8

// boxed returns names as the keys of maps: a text that is made a key for each record would be allocated for each.
func boxed(names []string) []any {
	keys := make([]any, len(names))
	for i, name := range names {
		keys[i] = name
	}
	return keys
}
