package jsonconv

import "unsafe"

// boxes turns numbers and texts into values of type any. Go allocates each such value on its own; boxes allocates many
// at once, for one document. An any is two words: its type, and a pointer to a value that nobody changes, for which a
// place in a slice is as good as any other.
type boxes struct {
	words slab[uint64] // numbers
	texts slab[string]
}

// reset gives up what was made; the next document will probably need as many boxes as this one.
func (x *boxes) reset() {
	x.words.reset()
	x.texts.reset()
}

// slab makes places for values, some at once.
type slab[T any] struct {
	free []T
	used int
	want int // for the document
}

// Places are made fewMore at least and manyMore at most at once: a value that is kept keeps all of them.
const (
	fewMore  = 4
	manyMore = 256
)

func (s *slab[T]) place() *T {
	if len(s.free) == 0 {
		n := s.want - s.used
		if n <= 0 {
			n = max(fewMore, s.used)
		}
		s.free = make([]T, min(n, manyMore))
	}
	p := &s.free[0]
	s.free = s.free[1:]
	s.used++
	return p
}

func (s *slab[T]) reset() { *s = slab[T]{want: s.used} }

// anyWords is how Go lays out an any.
type anyWords struct{ typ, data unsafe.Pointer }

func typeOf(v any) unsafe.Pointer { return (*anyWords)(unsafe.Pointer(&v)).typ }

var (
	typeInt16   = typeOf(int16(0))
	typeInt32   = typeOf(int32(0))
	typeInt64   = typeOf(int64(0))
	typeFloat32 = typeOf(float32(0))
	typeFloat64 = typeOf(float64(0))
	typeString  = typeOf("")
)

func box(typ, data unsafe.Pointer) (v any) {
	*(*anyWords)(unsafe.Pointer(&v)) = anyWords{typ, data}
	return v
}

// small is the number of integers from 0 on that Go has boxes for.
const small = 256

func (x *boxes) int16(n int16) any {
	if uint16(n) < small {
		return n
	}
	p := unsafe.Pointer(x.words.place())
	*(*int16)(p) = n
	return box(typeInt16, p)
}

func (x *boxes) int32(n int32) any {
	if uint32(n) < small {
		return n
	}
	p := unsafe.Pointer(x.words.place())
	*(*int32)(p) = n
	return box(typeInt32, p)
}

func (x *boxes) int64(n int64) any {
	if uint64(n) < small {
		return n
	}
	p := unsafe.Pointer(x.words.place())
	*(*int64)(p) = n
	return box(typeInt64, p)
}

func (x *boxes) float32(f float32) any {
	p := unsafe.Pointer(x.words.place())
	*(*float32)(p) = f
	return box(typeFloat32, p)
}

func (x *boxes) float64(f float64) any {
	p := unsafe.Pointer(x.words.place())
	*(*float64)(p) = f
	return box(typeFloat64, p)
}

func (x *boxes) string(s string) any {
	p := x.texts.place()
	*p = s
	return box(typeString, unsafe.Pointer(p))
}
