package smt

import "github.com/gokconnect/connect"

// nulls says what a copied field gets that is null and has a default: with replaceNulls the default, as the key
// replace.null.with.default says.
type nulls bool

const replaceNulls nulls = true

func (n nulls) at(s *connect.Struct, i int) any {
	if n == replaceNulls {
		return s.At(i)
	}
	return s.RawAt(i)
}

// checkNull fails if a null can't stand in a field of the schema out. Other values need no check where they come from
// a struct's field of the same schema.
func checkNull(out *connect.Schema, field int) error {
	f := &out.Fields()[field]
	return f.Schema.ValidateField(f.Name, nil)
}

// copyFields copies all fields of s to the front of values.
func (n nulls) copyFields(values []any, s *connect.Struct, out *connect.Schema) error {
	in := s.Values()
	copy(values, in)
	for i, v := range in {
		if v != nil {
			continue
		}
		if n == replaceNulls {
			v = s.At(i)
		}
		if v == nil {
			if err := checkNull(out, i); err != nil {
				return err
			}
		}
		values[i] = v
	}
	return nil
}

// aligned returns a struct with the values of st whose fields are those of the schema, by number. It is st itself
// unless the record pairs the struct with a schema that is not its own.
func (n nulls) aligned(st *connect.Struct, s *connect.Schema) (*connect.Struct, error) {
	if st.Schema() == s || s.Equal(st.Schema()) {
		return st, nil
	}
	out, err := connect.NewStructValue(s)
	if err != nil {
		return nil, err
	}
	for i, f := range st.Schema().Fields() {
		if err := out.Put(f.Name, n.at(st, i)); err != nil {
			return nil, err
		}
	}
	return out, nil
}
