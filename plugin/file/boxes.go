package file

import "reflect"

// boxed is how many lines share one allocation of their string headers.
const boxed = 64

// boxes turns strings into interface values. A conversion of a string to any allocates its header; the elements of an
// array that is itself inside an interface value need no copy, since nobody can change them, so that boxed lines
// cost one allocation.
type boxes struct {
	lines [boxed]string
	n     int
}

// full reports whether there is no room for another line.
func (b *boxes) full() bool { return b.n == boxed }

// add adds a line.
func (b *boxes) add(line string) {
	b.lines[b.n] = line
	b.n++
}

// take calls set with each line, boxed, and empties b.
func (b *boxes) take(set func(i int, line any)) {
	if b.n <= boxed/8 {
		for i, line := range b.lines[:b.n] {
			set(i, line)
		}
	} else {
		array := reflect.ValueOf(b.lines)
		for i := range b.n {
			set(i, array.Index(i).Interface())
		}
	}
	clear(b.lines[:b.n])
	b.n = 0
}
