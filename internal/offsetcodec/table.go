package offsetcodec

import (
	"bytes"
	"errors"
	"slices"

	"github.com/gokconnect/connect"
)

// Record is a stored key with its value. Nil is Kafka's null.
type Record struct{ Key, Value []byte }

// Table is what a store holds: the latest value of every key, and which partitions of which connector they are. It is
// not safe for concurrent use.
//
// A partition is found whatever the order of the fields in its stored key. Should there be several keys of one
// partition, which Kafka Connect takes for several partitions, the record that was written last decides. What is
// written anew keeps the key that is there, for compaction to work, and removes the others.
type Table struct {
	// KeepNulls keeps keys whose value is null, as the standalone file does.
	KeepNulls bool

	values     map[text]held
	connectors map[string]map[string]*slot // by connector and canonical partition
}

// text is a []byte to compare.
type text struct {
	content string
	null    bool
}

func newText(b []byte) text { return text{string(b), b == nil} }

// held is the value of a key, which may be null.
type held struct {
	value []byte
	of    *slot // nil if the key is garbage
}

// slot is one partition of a connector.
type slot struct {
	connector, name string
	partition       connect.Fields
	keys            []keyState // that have a value, or had one
	decides         int        // the key whose record was written last
}

// keyState is what the last record of a key was.
type keyState struct {
	key  text
	time int64
	live bool // it had a value
}

// put notes a record of one of the keys, and which key decides then. Of records that were written at the same time one
// with a value does, for Encode writes a value together with the removal of other keys.
func (s *slot) put(k keyState) {
	at := slices.IndexFunc(s.keys, func(o keyState) bool { return o.key == k.key })
	if at < 0 {
		at = len(s.keys)
		s.keys = append(s.keys, k)
	}
	s.keys[at] = k
	s.decides = at
	for i, o := range s.keys {
		d := s.keys[s.decides]
		if o.time > d.time || o.time == d.time && o.live && !d.live {
			s.decides = i
		}
	}
}

func (s *slot) live() bool { return s.keys[s.decides].live }

func (s *slot) gone() bool {
	return !slices.ContainsFunc(s.keys, func(k keyState) bool { return k.live })
}

// Apply puts a record into the table, or removes what was there if its value is nil. time is when the record was
// written, in any unit: records of one key are applied in their order, those of different keys of one partition may be
// applied in any. The error says that key or value is garbage; the record is then held, but found by its key alone.
func (t *Table) Apply(r Record, time int64) error {
	key := newText(r.Key)
	if t.values == nil {
		t.values, t.connectors = map[text]held{}, map[string]map[string]*slot{}
	}
	known, ok := t.values[key]
	s := known.of
	var garbage error
	if s == nil && !ok {
		s, garbage = t.slot(r.Key)
	} else if s == nil {
		garbage = errGarbage
	}
	if r.Value == nil && !t.KeepNulls {
		delete(t.values, key)
	} else {
		t.values[key] = held{r.Value, s}
	}
	if s == nil {
		return garbage
	}
	s.put(keyState{key, time, r.Value != nil})
	if s.gone() && !t.KeepNulls {
		delete(t.connectors[s.connector], s.name)
	}
	if r.Value == nil {
		return nil
	}
	_, err := DecodeValue(r.Value)
	return err
}

var errGarbage = errors.New("the key does not name a partition")

// slot returns the slot of the partition that a key names.
func (t *Table) slot(key []byte) (*slot, error) {
	connector, partition, err := DecodeKey(key)
	if err != nil {
		return nil, err
	}
	slots := t.connectors[connector]
	if slots == nil {
		slots = map[string]*slot{}
		t.connectors[connector] = slots
	}
	name := canonical(partition)
	s := slots[name]
	if s == nil {
		s = &slot{connector: connector, name: name, partition: partition}
		slots[name] = s
	}
	return s, nil
}

// Raw returns the value of a key; false if it has none.
func (t *Table) Raw(key []byte) ([]byte, bool) {
	v, ok := t.values[newText(key)]
	return v.value, ok
}

// Records returns all keys with their values, in the order of the keys.
func (t *Table) Records() []Record {
	records := make([]Record, 0, len(t.values))
	for k, v := range t.values {
		r := Record{Value: v.value}
		if !k.null {
			r.Key = []byte(k.content)
		}
		records = append(records, r)
	}
	slices.SortFunc(records, func(a, b Record) int {
		switch {
		case a.Key == nil:
			return -1
		case b.Key == nil:
			return 1
		}
		return slices.Compare(a.Key, b.Key)
	})
	return records
}

// Get returns the offset of a partition, nil if it has none, or none that can be read. A partition that can't be stored
// is a *[connect.DataError].
func (t *Table) Get(connector string, partition connect.Fields) (connect.Fields, error) {
	name, err := Canonical(partition)
	if err != nil {
		return nil, err
	}
	if s := t.connectors[connector][name]; s != nil {
		return t.offset(s), nil
	}
	return nil, nil
}

func (t *Table) offset(s *slot) connect.Fields {
	if !s.live() {
		return nil
	}
	offset, err := DecodeValue(t.values[s.keys[s.decides].key].value)
	if err != nil {
		return nil // reported when it was applied
	}
	return offset
}

// Partitions returns the partitions of a connector that have a value, of whatever kind, in no order. The partition that
// is null is not among them.
func (t *Table) Partitions(connector string) []connect.Fields {
	var found []connect.Fields
	for _, s := range t.connectors[connector] {
		if s.live() && s.partition != nil {
			found = append(found, s.partition)
		}
	}
	return found
}

// List returns the partitions of a connector that have an offset, with it, ordered.
func (t *Table) List(connector string) []connect.PartitionOffset {
	slots := t.connectors[connector]
	names := make([]string, 0, len(slots))
	for name := range slots {
		names = append(names, name)
	}
	slices.Sort(names)
	var found []connect.PartitionOffset
	for _, name := range names {
		s := slots[name]
		if s.partition == nil || Validate(s.partition) != nil {
			continue
		}
		if offset := t.offset(s); offset != nil {
			found = append(found, connect.PartitionOffset{Partition: Clone(s.partition), Offset: offset})
		}
	}
	return found
}

// Clone returns a copy that shares nothing with f.
func Clone(f connect.Fields) connect.Fields {
	if f == nil {
		return nil
	}
	c := make(connect.Fields, len(f))
	for name, value := range f {
		if b, ok := value.([]byte); ok {
			value = bytes.Clone(b)
		}
		c[name] = value
	}
	return c
}

// Encode returns the records that set, or with a nil offset remove, the offsets of partitions of a connector. If
// one of them can't be stored the error is a *[connect.DataError] that names its field, and nothing is returned.
func (t *Table) Encode(connector string, entries []connect.PartitionOffset) ([]Record, error) {
	records := make([]Record, 0, len(entries))
	for _, e := range entries {
		value, err := Value(e.Offset)
		if err != nil {
			return nil, err
		}
		name, err := Canonical(e.Partition)
		if err != nil {
			return nil, err
		}
		var key []byte
		s := t.connectors[connector][name]
		if s != nil {
			key = []byte(s.keys[s.decides].key.content)
		} else if key, err = Key(connector, e.Partition); err != nil {
			return nil, err
		}
		if s != nil {
			for _, k := range s.keys {
				if k.live && k.key.content != string(key) {
					records = append(records, Record{Key: []byte(k.key.content)})
				}
			}
		}
		records = append(records, Record{key, value})
	}
	return records, nil
}
