package group

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/assign"
	"github.com/gokconnect/connect/internal/javatext"
)

var errShort = errors.New("the bytes end within it")

// reader takes Kafka's types from bytes. It keeps its first error and reads zeroes after it.
type reader struct {
	b     []byte
	err   error
	field string // being read
}

func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = fmt.Errorf("Error reading field '%s': %w", r.field, err)
	}
}

func (r *reader) take(n int) []byte {
	if r.err != nil {
		return nil
	}
	if n > len(r.b) {
		r.fail(errShort)
		return nil
	}
	taken := r.b[:n]
	r.b = r.b[n:]
	return taken
}

func (r *reader) int16() int16 {
	if b := r.take(2); b != nil {
		return int16(binary.BigEndian.Uint16(b))
	}
	return 0
}

func (r *reader) int32() int32 {
	if b := r.take(4); b != nil {
		return int32(binary.BigEndian.Uint32(b))
	}
	return 0
}

func (r *reader) int64() int64 {
	if b := r.take(8); b != nil {
		return int64(binary.BigEndian.Uint64(b))
	}
	return 0
}

func (r *reader) text() string {
	n := r.int16()
	switch {
	case r.err != nil:
		return ""
	case n < 0:
		r.fail(fmt.Errorf("String length %d cannot be negative", n))
		return ""
	case int(n) > len(r.b):
		r.fail(fmt.Errorf("Error reading string of length %d, only %d bytes available", n, len(r.b)))
		return ""
	}
	return javatext.DecodeUTF8(r.take(int(n)))
}

// count reads the size of an array. Null is -1 where it is allowed, which is also what a size below means there.
func (r *reader) count(nullable bool) int {
	n := r.int32()
	switch {
	case r.err != nil:
		return 0
	case n < 0 && nullable:
		return -1
	case n < 0:
		r.fail(fmt.Errorf("Array size %d cannot be negative", n))
		return 0
	case int(n) > len(r.b):
		r.fail(fmt.Errorf("Error reading array of size %d, only %d bytes available", n, len(r.b)))
		return 0
	}
	return int(n)
}

// connectorTask is the number that stands for the connector itself among its tasks.
const connectorTask = -1

// work reads connectors with their tasks. What it allocates is bounded by the bytes that are there.
func (r *reader) work(nullable bool) assign.Work {
	const smallest = 6 // an entry without name and tasks
	var w assign.Work
	field := r.field
	n := r.count(nullable)
	if n > 0 {
		w.Connectors = make([]string, 0, min(n, len(r.b)/smallest))
	}
	for i := 0; i < n && r.err == nil; i++ {
		r.field = field + ".connector"
		name := r.text()
		r.field = field + ".tasks"
		tasks := r.count(false)
		w.Tasks = slices.Grow(w.Tasks, min(tasks, len(r.b)/4))
		for j := 0; j < tasks && r.err == nil; j++ {
			switch task := r.int32(); {
			case r.err != nil:
			case task == connectorTask:
				w.Connectors = append(w.Connectors, name)
			default:
				w.Tasks = append(w.Tasks, connect.TaskID{Connector: name, Task: int(task)})
			}
		}
	}
	return w
}

// version reads the version that everything begins with.
func (r *reader) version() int16 {
	r.field = "version"
	v := r.int16()
	if r.err == nil && v < 0 {
		r.err = fmt.Errorf("Unsupported subscription version: %d", v)
	}
	return v
}
