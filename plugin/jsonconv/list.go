package jsonconv

import "unsafe"

// sizedList is an array's elements with the slice of them, whose address is what a value of type any consists of: one allocation. A is
// an array.
type sizedList[A any] struct {
	list  []any
	array A
}

var typeList = typeOf([]any(nil))

// boxList returns a copy of the elements, which are few mostly, as a value.
func boxList(items []any) any {
	var list *[]any
	switch len(items) {
	case 1:
		v := new(sizedList[[1]any])
		v.list, list = v.array[:], &v.list
	case 2:
		v := new(sizedList[[2]any])
		v.list, list = v.array[:], &v.list
	case 3:
		v := new(sizedList[[3]any])
		v.list, list = v.array[:], &v.list
	case 4:
		v := new(sizedList[[4]any])
		v.list, list = v.array[:], &v.list
	default:
		return append(make([]any, 0, len(items)), items...)
	}
	copy(*list, items)
	return box(typeList, unsafe.Pointer(list))
}
