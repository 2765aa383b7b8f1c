// Package javamap reads and writes a java.util.HashMap<byte[], byte[]> in Java's serialisation, which is what Kafka
// Connect's standalone worker keeps its offsets in.
package javamap

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// Entry is an entry of the map. Nil is Java's null.
type Entry struct{ Key, Value []byte }

// What Java's serialisation is made of.
const (
	tcNull       = 0x70
	tcReference  = 0x71
	tcClassDesc  = 0x72
	tcObject     = 0x73
	tcString     = 0x74
	tcArray      = 0x75
	tcBlockData  = 0x77
	tcEndBlock   = 0x78
	tcLongString = 0x7c
	tcEnum       = 0x7e

	firstHandle = 0x7e0000

	hashMap    = "java.util.HashMap"
	byteArray  = "[B"
	scWrite    = 0x01 // the class has a writeObject
	loadFactor = 0.75

	hashMapUID   = 0x0507dac1c31660d1
	byteArrayUID = 0xacf317f8060854e0
)

// Encode returns the serialised map, with the entries in the order given.
func Encode(entries []Entry) []byte {
	size := 96
	for _, e := range entries {
		size += len(e.Key) + len(e.Value) + 20
	}
	b := make([]byte, 0, size)
	b = append(b, 0xac, 0xed, 0, 5, tcObject, tcClassDesc)
	b = appendText(b, hashMap)
	b = binary.BigEndian.AppendUint64(b, hashMapUID)
	b = append(b, scWrite|0x02, 0, 2)
	b = appendText(append(b, 'F'), "loadFactor")
	b = appendText(append(b, 'I'), "threshold")
	b = append(b, tcEndBlock, tcNull)
	b = binary.BigEndian.AppendUint32(b, math.Float32bits(loadFactor))
	capacity := 16
	for len(entries)*4 > capacity*3 {
		capacity *= 2
	}
	threshold := capacity * 3 / 4
	if len(entries) == 0 {
		threshold = 0
	}
	b = binary.BigEndian.AppendUint32(b, uint32(threshold))
	b = append(b, tcBlockData, 8)
	b = binary.BigEndian.AppendUint32(b, uint32(capacity))
	b = binary.BigEndian.AppendUint32(b, uint32(len(entries)))
	described := false
	for _, e := range entries {
		b, described = appendArray(b, e.Key, described)
		b, described = appendArray(b, e.Value, described)
	}
	return append(b, tcEndBlock)
}

func appendText(b []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint16(b, uint16(len(s))), s...)
}

func appendArray(b, content []byte, described bool) ([]byte, bool) {
	if content == nil {
		return append(b, tcNull), described
	}
	b = append(b, tcArray)
	if described {
		b = append(b, tcReference, 0, 0x7e, 0, 2) // the handles before: HashMap's class, the map
	} else {
		b = append(b, tcClassDesc)
		b = appendText(b, byteArray)
		b = binary.BigEndian.AppendUint64(b, byteArrayUID)
		b = append(b, 0x02, 0, 0, tcEndBlock, tcNull)
	}
	b = binary.BigEndian.AppendUint32(b, uint32(len(content)))
	return append(b, content...), true
}

// Decode returns the entries in their order. Of keys with the same bytes, which Java's map may hold, each is returned.
// Bytes that end too early give io.ErrUnexpectedEOF (none at all too), any other content that is no such map another
// error. What follows the map is ignored. The entries do not refer to b.
func Decode(b []byte) ([]Entry, error) {
	d := decoder{b: b}
	entries := d.decode()
	if d.err != nil {
		return nil, d.err
	}
	return entries, nil
}

// class is a description of a class, and the class that it extends.
type class struct {
	name   string
	flags  byte
	fields []byte // their types
	super  *class
}

// decoder reads with its first error kept; it then reads zeroes.
type decoder struct {
	b       []byte
	err     error
	handles []any // *class, []byte or nil for anything else
}

func (d *decoder) fail(format string, args ...any) {
	if d.err == nil {
		d.err = fmt.Errorf(format, args...)
	}
}

func (d *decoder) take(n int) []byte {
	if d.err != nil {
		return nil
	}
	if n < 0 || n > len(d.b) {
		d.err = io.ErrUnexpectedEOF
		return nil
	}
	taken := d.b[:n]
	d.b = d.b[n:]
	return taken
}

func (d *decoder) u8() byte {
	if b := d.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (d *decoder) u16() int {
	if b := d.take(2); b != nil {
		return int(binary.BigEndian.Uint16(b))
	}
	return 0
}

func (d *decoder) i32() int {
	if b := d.take(4); b != nil {
		return int(int32(binary.BigEndian.Uint32(b)))
	}
	return 0
}

func (d *decoder) text() string { return string(d.take(d.u16())) }

func (d *decoder) handle(v any) int {
	d.handles = append(d.handles, v)
	return len(d.handles) - 1
}

func (d *decoder) reference() any {
	at := d.i32() - firstHandle
	if d.err != nil {
		return nil
	}
	if at < 0 || at >= len(d.handles) {
		d.fail("a reference leads to object %d of %d", at, len(d.handles))
		return nil
	}
	return d.handles[at]
}

func (d *decoder) decode() []Entry {
	if magic := d.take(4); d.err == nil && string(magic) != "\xac\xed\x00\x05" {
		d.fail("not a stream of Java objects: it begins with %x", magic)
	}
	switch tag := d.u8(); {
	case d.err != nil:
		return nil
	case tag == tcNull:
		d.fail("Expected HashMap but found null")
	case tag == tcString, tag == tcLongString:
		d.fail("Expected HashMap but found class java.lang.String")
	case tag == tcArray, tag == tcEnum:
		d.wrongClass(d.class(0))
	case tag == tcObject:
		return d.object()
	default:
		d.fail("not a Java object: tag %#x", tag)
	}
	return nil
}

func (d *decoder) wrongClass(c *class) {
	if d.err != nil {
		return
	}
	if c == nil {
		d.fail("an object without a class")
		return
	}
	d.fail("Expected HashMap but found class %s", c.name)
}

// maxSupers bounds how many classes extend one another.
const maxSupers = 16

func (d *decoder) class(depth int) *class {
	tag := d.u8()
	if d.err != nil {
		return nil
	}
	switch tag {
	case tcNull:
		return nil
	case tcReference:
		c, ok := d.reference().(*class)
		if !ok {
			d.fail("a reference does not lead to a class")
		}
		return c
	case tcClassDesc:
	default:
		d.fail("a class can't begin with tag %#x", tag)
		return nil
	}
	if depth == maxSupers {
		d.fail("a class extends more than %d others", maxSupers)
		return nil
	}
	c := &class{name: d.text()}
	d.take(8)
	d.handle(c)
	c.flags = d.u8()
	for range d.u16() {
		kind := d.u8()
		c.fields = append(c.fields, kind)
		d.text()
		if kind == '[' || kind == 'L' {
			switch d.u8() {
			case tcString:
				d.text()
				d.handle(nil)
			case tcReference:
				d.reference()
			default:
				d.fail("a field of class %s has no type", c.name)
			}
		}
		if d.err != nil {
			return nil
		}
	}
	if d.u8() != tcEndBlock {
		d.fail("class %s has annotations", c.name)
	}
	c.super = d.class(depth + 1)
	return c
}

// object reads a HashMap, or what extends one.
func (d *decoder) object() []Entry {
	c := d.class(0)
	d.handle(nil)
	base := c
	for base != nil && base.super != nil {
		base = base.super
	}
	if base == nil || base.name != hashMap {
		d.wrongClass(c)
		return nil
	}
	for _, kind := range base.fields {
		switch kind {
		case 'F', 'I':
			d.take(4)
		default:
			d.fail("%s has a field of type %c", hashMap, kind)
		}
	}
	if d.u8() != tcBlockData || d.u8() != 8 {
		d.fail("%s has no size", hashMap)
	}
	d.take(4) // the capacity, which Java ignores
	n := d.i32()
	if n < 0 {
		d.fail("%s has %d entries", hashMap, n)
	}
	var entries []Entry
	for range n {
		e := Entry{Key: d.array(), Value: d.array()}
		if d.err != nil {
			return nil
		}
		entries = append(entries, e)
	}
	return entries
}

var errNotBytes = errors.New("an entry of the map is not of bytes")

func (d *decoder) array() []byte {
	tag := d.u8()
	if d.err != nil {
		return nil
	}
	switch tag {
	case tcNull:
		return nil
	case tcReference:
		b, ok := d.reference().([]byte)
		if !ok {
			d.fail("%w: a reference leads elsewhere", errNotBytes)
		}
		return b
	case tcArray:
	default:
		d.fail("%w: tag %#x", errNotBytes, tag)
		return nil
	}
	c := d.class(0)
	if d.err == nil && (c == nil || c.name != byteArray) {
		d.err = errNotBytes
	}
	content := d.take(d.i32())
	if d.err != nil {
		return nil
	}
	b := append([]byte{}, content...)
	d.handle(b)
	return b
}
