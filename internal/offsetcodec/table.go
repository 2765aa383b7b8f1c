package offsetcodec

import (
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

	values     map[text][]byte
	connectors map[string]map[string]*slot // by connector and canonical partition
}

// text is a []byte to compare.
type text struct {
	content string
	null    bool
}

func newText(b []byte) text { return text{string(b), b == nil} }

// slot is one partition of a connector.
type slot struct {
	partition connect.Fields
	keys      []text // that have a value, or that decided
	latest    text   // the key of the record that was written last
	time      int64  // of that record
	live      bool   // whether that record has a value
}

// Apply puts a record into the table, or removes what was there if its value is nil. time is when the record was
// written, in any unit: records of one key are applied in their order, those of different keys of one partition may be
// applied in any. The error says that key or value is garbage; the record is then held, but found by its key alone.
func (t *Table) Apply(r Record, time int64) error {
	key := newText(r.Key)
	if t.values == nil {
		t.values, t.connectors = map[text][]byte{}, map[string]map[string]*slot{}
	}
	if r.Value == nil && !t.KeepNulls {
		delete(t.values, key)
	} else {
		t.values[key] = r.Value
	}
	connector, partition, err := DecodeKey(r.Key)
	if err != nil {
		return err
	}
	slots := t.connectors[connector]
	if slots == nil {
		slots = map[string]*slot{}
		t.connectors[connector] = slots
	}
	name := canonical(partition)
	s := slots[name]
	if s == nil {
		s = &slot{partition: partition, latest: key, time: time}
		slots[name] = s
	}
	at := slices.Index(s.keys, key)
	switch {
	case r.Value != nil && at < 0:
		s.keys = append(s.keys, key)
	case r.Value == nil && at >= 0:
		s.keys = slices.Delete(s.keys, at, at+1)
	}
	if key == s.latest || time >= s.time {
		s.latest, s.time, s.live = key, time, r.Value != nil
	}
	if !s.live && len(s.keys) == 0 {
		delete(slots, name)
	}
	if r.Value == nil {
		return nil
	}
	_, err = DecodeValue(r.Value)
	return err
}

// Raw returns the value of a key; false if it has none.
func (t *Table) Raw(key []byte) ([]byte, bool) {
	v, ok := t.values[newText(key)]
	return v, ok
}

// Records returns all keys with their values, in the order of the keys.
func (t *Table) Records() []Record {
	records := make([]Record, 0, len(t.values))
	for k, v := range t.values {
		r := Record{Value: v}
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
	if !s.live {
		return nil
	}
	offset, err := DecodeValue(t.values[s.latest])
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
		if s.live && s.partition != nil {
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
			found = append(found, connect.PartitionOffset{Partition: cloneFields(s.partition), Offset: offset})
		}
	}
	return found
}

func cloneFields(f connect.Fields) connect.Fields {
	c := make(connect.Fields, len(f))
	for k, v := range f {
		c[k] = v
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
		if s != nil && !s.latest.null {
			key = []byte(s.latest.content)
		} else if key, err = Key(connector, e.Partition); err != nil {
			return nil, err
		}
		records = append(records, Record{key, value})
		if s == nil {
			continue
		}
		for _, k := range s.keys {
			if k.content != string(key) {
				records = append(records, Record{Key: []byte(k.content)})
			}
		}
	}
	return records, nil
}
