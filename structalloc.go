package connect

// StructFor returns an empty Struct of a struct schema, and its values in the order of the fields, all null, for its maker
// to fill in. Nothing checks them (see [Struct.Validate]), and they must not be modified any more once somebody else has
// the Struct. It is the cheapest way to make one.
func StructFor(s *Schema) (*Struct, []any) {
	st := newStruct(s)
	return st, st.values
}

// sized is a Struct together with its values: one allocation. A is an array.
type sized[A any] struct {
	Struct
	array A
}

func newStruct(s *Schema) *Struct {
	switch len(s.fields) {
	case 1:
		v := new(sized[[1]any])
		return v.over(s, v.array[:])
	case 2:
		v := new(sized[[2]any])
		return v.over(s, v.array[:])
	case 3:
		v := new(sized[[3]any])
		return v.over(s, v.array[:])
	case 4:
		v := new(sized[[4]any])
		return v.over(s, v.array[:])
	case 5:
		v := new(sized[[5]any])
		return v.over(s, v.array[:])
	case 6:
		v := new(sized[[6]any])
		return v.over(s, v.array[:])
	case 7:
		v := new(sized[[7]any])
		return v.over(s, v.array[:])
	case 8:
		v := new(sized[[8]any])
		return v.over(s, v.array[:])
	case 9:
		v := new(sized[[9]any])
		return v.over(s, v.array[:])
	case 10:
		v := new(sized[[10]any])
		return v.over(s, v.array[:])
	case 11:
		v := new(sized[[11]any])
		return v.over(s, v.array[:])
	case 12:
		v := new(sized[[12]any])
		return v.over(s, v.array[:])
	}
	return &Struct{s, make([]any, len(s.fields))}
}

func (st *Struct) over(s *Schema, values []any) *Struct {
	st.schema, st.values = s, values
	return st
}
