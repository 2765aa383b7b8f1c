package jsonconv

import "unsafe"

// names remembers the names of members of objects without a schema, which documents repeat: each is made once, and is
// guessed from the one before it.
type names struct {
	list   []name           // the first stands for the document itself
	byText map[string]int32 // index in list
	missed int              // since list was full
}

type name struct {
	quoted string // as JSON with its colon
	box    any    // the text
	next   int32  // the name that came after it the last time; 0 is none
	child  int32  // the first name of the object that was its value the last time
}

const (
	maxNames    = 512
	maxNameSize = 64
)

// nameSet is a set of names by their index.
type nameSet [maxNames / 64]uint64

// add reports whether the name is new.
func (s *nameSet) add(id int32) bool {
	word, bit := &s[id/64], uint64(1)<<(id%64)
	isNew := *word&bit == 0
	*word |= bit
	return isNew
}

// after returns the place of the guess for the name after at, or for the first one of the object under at.
func (n *names) after(at int32, first bool) *int32 {
	if first {
		return &n.list[at].child
	}
	return &n.list[at].next
}

// find returns the index of a name without escapes, given with the quotes; 0 if it is not to be remembered.
func (n *names) find(quoted []byte) int32 {
	if len(quoted) > maxNameSize {
		return 0
	}
	text := quoted[1 : len(quoted)-1]
	if id, ok := n.byText[view(text)]; ok {
		return id
	}
	if len(n.list) == maxNames {
		n.missed++
		return 0
	}
	all := string(quoted) + ":"
	s := all[1 : len(all)-2]
	id := int32(len(n.list))
	n.list = append(n.list, name{quoted: all, box: s})
	n.byText[s] = id
	return id
}

// prepare makes room, before a document, if names are often not those that are remembered.
func (n *names) prepare() {
	if n.byText == nil || n.missed > 4*maxNames {
		*n = names{list: make([]name, 1, 8), byText: make(map[string]int32)}
	}
}

// name reads a member's name and its colon. It returns the name's index, or 0 for one that is not remembered; guess is
// the index of the name that is expected.
func (d *decoder) name(guess int32) (key any, id int32, ok bool) {
	if d.space() != '"' {
		return nil, 0, false
	}
	if guess != 0 {
		if n := &d.names.list[guess]; d.has(n.quoted) {
			return n.box, guess, true
		}
	}
	from := d.pos
	end, holds := scanString(d.b, from+1)
	if end < 0 {
		return nil, 0, false
	}
	if holds == 0 {
		id = d.names.find(d.b[from : end+1])
	}
	if id != 0 {
		d.pos = end + 1
		key = d.names.list[id].box
	} else {
		s, ok := d.string(true)
		if !ok {
			return nil, 0, false
		}
		key = d.boxes.string(s)
	}
	if d.space() != ':' {
		return nil, 0, false
	}
	d.pos++
	return key, id, true
}

// view returns bytes as a string to look up with, which must not be kept.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
