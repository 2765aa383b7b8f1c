package smt

import "github.com/gokconnect/connect"

// made knows the structs that a chain's transformations made of the key and the value of the record that is on its way, and that
// nobody else has: the next transformation may change these in place of a copy. The chain shares what it points to, see
// [made.ShareMade], and forgets the structs before anyone else sees them.
type made struct{ structs *[2]*connect.Struct }

// ShareMade gives the place where the chain keeps the key and the value. It is called once, before the first record.
func (m *made) ShareMade(structs *[2]*connect.Struct) { m.structs = structs }

func (p part) index() int {
	if p == keyPart {
		return 0
	}
	return 1
}

// mine reports whether the struct may be changed.
func (m *made) mine(p part, s *connect.Struct) bool {
	return m.structs != nil && m.structs[p.index()] == s
}

// add takes note of a struct that nobody else has.
func (m *made) add(p part, s *connect.Struct) {
	if m.structs != nil {
		m.structs[p.index()] = s
	}
}

// become gives a struct another schema and values: its own, changed, or more.
func become(s *connect.Struct, schema *connect.Schema, values []any) {
	*s = *connect.StructOf(schema, values...)
}

// inPlace is copyFields for a struct that stays where it is.
func (n nulls) inPlace(values []any, s *connect.Struct, out *connect.Schema) error {
	for i, v := range values {
		if v != nil {
			continue
		}
		if n == replaceNulls {
			if v = s.At(i); v != nil {
				values[i] = v
				continue
			}
		}
		if err := checkNull(out, i); err != nil {
			return err
		}
	}
	return nil
}
