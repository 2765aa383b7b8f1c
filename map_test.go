package connect

import (
	"fmt"
	"math"
	"testing"
	"time"
)

// Keys of every type are found, and told apart, in small maps and in those that have an index.
func TestMapKeys(t *testing.T) {
	point := NewStruct("Point").Field("x", Int32Schema).MustBuild()
	keys := func(i int) []any {
		n := int32(i)
		return []any{fmt.Sprint(i), int8(i), int16(i), n, int64(i), float32(i) + 0.5, float64(i), []byte{byte(i)}, []any{n}, []any{[]any{n}},
			StructOf(point, n), MapOf(Entry{n, n}, Entry{-n - 1, n}), NewDecimal(int64(i), 2), time.UnixMilli(int64(i) * 1000).UTC()}
	}
	for _, size := range []int{1, 20} {
		m := new(Map)
		entries := 0
		for i := range size {
			for kind, k := range keys(i) {
				m.Set(k, nil)
				m.Set(k, [2]int{i, kind})
				entries++
			}
		}
		if m.Len() != entries {
			t.Fatalf("%d entries, expected %d", m.Len(), entries)
		}
		for i := range size {
			for kind, k := range keys(i) {
				if v, ok := m.Get(k); !ok || v != [2]int{i, kind} {
					t.Errorf("of %d entries %T %v has %v (%v), expected %d", entries, k, k, v, ok, i)
				}
			}
		}
		for _, k := range []any{nil, "x", int32(-7), math.NaN(), []byte{200}, []any{}, MapOf()} {
			if v, ok := m.Get(k); ok {
				t.Errorf("%v is there: %v", k, v)
			}
		}
		c := m.Clone()
		if !c.Equal(m) || !c.Delete([]any{int32(0)}) || c.Delete([]any{int32(0)}) || c.Len() != m.Len()-1 || c.Equal(m) {
			t.Errorf("a clone with %d entries of %d", c.Len(), m.Len())
		}
	}
}

// Not a number is a key like any other, and 0.0 and -0.0 are two.
func TestMapFloatKeys(t *testing.T) {
	m := new(Map)
	for i := range 100 {
		m.Set(float64(i)+1, i)
	}
	m.Set(math.NaN(), "NaN")
	m.Set(math.NaN(), "again")
	m.Set(0.0, "zero")
	m.Set(math.Copysign(0, -1), "negative")
	if m.Len() != 103 {
		t.Errorf("%d entries: %v", m.Len(), m)
	}
	if v, _ := m.Get(math.NaN()); v != "again" {
		t.Errorf("NaN has %v", v)
	}
}

// Many keys that no Go map takes cost no more than others.
func BenchmarkMapListKeys(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		m := new(Map)
		for i := range 1000 {
			m.Set([]any{int32(i)}, nil)
		}
	}
}
