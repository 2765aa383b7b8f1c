package group

import (
	"bytes"
	"fmt"
	"slices"
)

// Metadata is what a member says of itself when it joins.
type Metadata struct {
	URL    string // where the others reach it
	Offset int64  // of the configurations that it has read, -1 for none
	Held   *Assignment
	// Classes are the connector classes that the member has; nil if it does not say. They stand behind what Kafka
	// Connect's workers read, which ignore them.
	Classes []string
}

// extension begins what this library has more than Kafka Connect, behind its fields: a version and the classes.
var extension = []byte("gokc\x00\x01")

// Encode returns the bytes of the metadata in the version of the protocol. It fails if a name is too long.
func (m *Metadata) Encode(p Protocol) ([]byte, error) {
	w := writer{b: make([]byte, 0, 16+len(m.URL))}
	w.int16(int16(p))
	w.text("url", m.URL)
	w.int64(m.Offset)
	if p.Cooperative() {
		if m.Held == nil {
			w.int32(-1)
		} else {
			held, err := m.Held.Encode(p)
			if err != nil {
				return nil, fmt.Errorf("Error writing field 'allocation': %w", err)
			}
			w.int32(int32(len(held)))
			w.b = append(w.b, held...)
		}
	}
	if m.Classes != nil {
		if !p.Cooperative() {
			w.int32(-1) // a leader in Java reads what a member holds also where the protocol has nothing to hold
		}
		w.b = append(w.b, extension...)
		w.int32(int32(len(m.Classes)))
		for _, c := range m.Classes {
			w.text("class", c)
		}
	}
	return w.b, w.err
}

// DecodeMetadata reads metadata of any version with the fields of the given protocol. What the member holds may be
// missing at the end. What follows the fields is ignored, unless it is ours.
func DecodeMetadata(b []byte, p Protocol) (*Metadata, error) {
	r := reader{b: b}
	r.version()
	m := &Metadata{}
	r.field = "url"
	m.URL = r.text()
	r.field = "config-offset"
	m.Offset = r.int64()
	if none := []byte{0xff, 0xff, 0xff, 0xff}; !p.Cooperative() && bytes.HasPrefix(r.b, none) {
		r.take(len(none))
	}
	if p.Cooperative() && r.next("allocation") {
		held, err := DecodeAssignment(r.bytes())
		if err != nil {
			return nil, err
		}
		m.Held = held
	}
	if r.err != nil {
		return nil, r.err
	}
	m.Classes = r.classes()
	return m, nil
}

// bytes reads bytes, or nil.
func (r *reader) bytes() []byte {
	n := r.int32()
	switch {
	case r.err != nil || n < 0:
		return nil
	case int(n) > len(r.b):
		r.fail(fmt.Errorf("Error reading bytes of size %d, only %d bytes available", n, len(r.b)))
		return nil
	}
	return r.take(int(n))
}

// classes reads the extension; anything else in its place is as if there were none.
func (r *reader) classes() []string {
	if !bytes.HasPrefix(r.b, extension) {
		return nil
	}
	r.b = r.b[len(extension):]
	n := r.count(false)
	classes := make([]string, 0, min(n, len(r.b)/2))
	for i := 0; i < n && r.err == nil; i++ {
		classes = append(classes, r.text())
	}
	if r.err != nil {
		return nil
	}
	return slices.Clip(classes)
}
