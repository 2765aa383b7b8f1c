package group

import (
	"encoding/binary"
	"fmt"
	"math"
	"sort"

	"github.com/gokconnect/connect/internal/assign"
	"github.com/gokconnect/connect/internal/javatext"
)

// writer appends Kafka's types to bytes. It keeps its first error.
type writer struct {
	b   []byte
	err error
}

func (w *writer) int16(v int16) { w.b = binary.BigEndian.AppendUint16(w.b, uint16(v)) }
func (w *writer) int32(v int32) { w.b = binary.BigEndian.AppendUint32(w.b, uint32(v)) }
func (w *writer) int64(v int64) { w.b = binary.BigEndian.AppendUint64(w.b, uint64(v)) }

func (w *writer) text(field, s string) {
	if len(s) > math.MaxInt16 {
		if w.err == nil {
			w.err = fmt.Errorf("Error writing field '%s': String length %d is larger than the maximum string length.", field, len(s))
		}
		return
	}
	w.int16(int16(len(s)))
	w.b = append(w.b, s...)
}

// entry is a connector and its tasks' numbers.
type entry struct {
	connector string
	tasks     []int32
}

// work writes connectors with their tasks: the connectors in the order given, then those of which there are only tasks.
func (w *writer) work(field string, connectors []string, work assign.Work) {
	entries := make([]entry, 0, len(connectors))
	index := make(map[string]int, len(connectors))
	add := func(connector string, task int) {
		at, ok := index[connector]
		if !ok {
			at = len(entries)
			index[connector] = at
			entries = append(entries, entry{connector: connector})
		}
		entries[at].tasks = append(entries[at].tasks, int32(task))
	}
	for _, c := range connectors {
		add(c, connectorTask)
	}
	for _, t := range work.Tasks {
		add(t.Connector, t.Task)
	}
	w.int32(int32(len(entries)))
	for _, e := range entries {
		w.text(field+".connector", e.connector)
		w.int32(int32(len(e.tasks)))
		for _, t := range e.tasks {
			w.int32(t)
		}
	}
}

// javaOrder returns names without duplicates in the order in which a java.util.HashSet that was made of them iterates.
func javaOrder(names []string) []string {
	capacity := uint32(16)
	for need := max(uint64(float32(len(names))/0.75)+1, 16); uint64(capacity) < need; {
		capacity *= 2
	}
	seen := make(map[string]bool, len(names))
	type slot struct {
		bucket uint32
		name   string
	}
	slots := make([]slot, 0, len(names))
	for _, n := range names {
		if !seen[n] {
			seen[n] = true
			slots = append(slots, slot{javatext.Hash(n) & (capacity - 1), n})
		}
	}
	sort.SliceStable(slots, func(i, j int) bool { return slots[i].bucket < slots[j].bucket })
	ordered := make([]string, len(slots))
	for i, s := range slots {
		ordered[i] = s.name
	}
	return ordered
}
