package javahash

import "math/bits"

// Table is a HashMap of which only the names and their order count. The zero value is one that was made empty. It is for maps
// that are made of one another: where names share a bucket, each map hands on the order that it has. What it does not know of is
// that Java makes a tree of a bucket of nine names or more once there are 64 buckets, and puts the root of it first.
type Table struct{ table[string] }

// NewTable returns a table like new HashMap(capacity).
func NewTable(capacity int) *Table {
	return &Table{table[string]{buckets: make([][]entry[string], power(capacity))}}
}

// Copy returns a table like new HashMap(map), or an empty one with putAll, of a map with the keys in that order.
func Copy(keys []string) *Table {
	t := NewTable(CopyBuckets(len(keys)))
	for _, key := range keys {
		t.Put(key)
	}
	return t
}

// Put adds a name, if it is not there yet.
func (t *Table) Put(key string) {
	h := spread(Text(key))
	if len(t.buckets) > 0 {
		for _, e := range t.buckets[h&t.mask()] {
			if e.hash == h && e.key == key {
				return
			}
		}
	}
	t.add(key, h)
}

// table has its elements in buckets, as a HashMap has. Buckets is zero or a power of two.
type table[K any] struct {
	buckets [][]entry[K]
	size    int
}

type entry[K any] struct {
	key  K
	hash uint32
}

func spread(code uint32) uint32 { return code ^ code>>16 }

// power returns the power of two that is at least n.
func power(n int) int { return 1 << bits.Len(uint(max(n, 1)-1)) }

func (t *table[K]) mask() uint32 { return uint32(len(t.buckets) - 1) }

// add adds a key that is not there yet.
func (t *table[K]) add(key K, hash uint32) {
	if len(t.buckets) == 0 {
		t.buckets = make([][]entry[K], Buckets)
	}
	at := &t.buckets[hash&t.mask()]
	*at = append(*at, entry[K]{key, hash})
	if len(*at) > 8 && len(t.buckets) < 64 { // Java would rather have more buckets than a tree
		t.grow()
	}
	if t.size++; t.size*4 > len(t.buckets)*3 {
		t.grow()
	}
}

// grow doubles the buckets. Elements stay in their order.
func (t *table[K]) grow() {
	old := t.buckets
	t.buckets = make([][]entry[K], 2*len(old))
	for _, bucket := range old {
		for _, e := range bucket {
			at := &t.buckets[e.hash&t.mask()]
			*at = append(*at, e)
		}
	}
}

// Keys returns the keys in the order in which Java iterates over them.
func (t *table[K]) Keys() []K {
	keys := make([]K, 0, t.size)
	for _, bucket := range t.buckets {
		for _, e := range bucket {
			keys = append(keys, e.key)
		}
	}
	return keys
}
