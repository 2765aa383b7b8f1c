package connect

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// TestMapAgainstList does the same to a Map and to a plain list of entries: with few keys and many, of one type and of
// many, and with keys that can't be hashed.
func TestMapAgainstList(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	kinds := []func(n int) any{
		func(n int) any { return fmt.Sprint("key", n) },
		func(n int) any {
			return []any{int8(n), int16(n), int32(n), int64(n), float32(n), float64(n), n%2 == 0, nil, math.NaN(), math.Copysign(0, -1), "x"}[n%11]
		},
		func(n int) any {
			if n == 40 {
				return time.UnixMilli(int64(n))
			}
			return int64(n)
		},
	}
	for range 200 {
		key, keys := kinds[random.IntN(len(kinds))], 1+random.IntN(60)
		m := NewMapValue(random.IntN(20))
		var list []Entry
		find := func(k any) int {
			for i := range list {
				if EqualValues(list[i].Key, k) {
					return i
				}
			}
			return -1
		}
		for op := range 300 {
			k := key(random.IntN(keys))
			switch i := find(k); random.IntN(8) {
			case 0:
				if got := m.Delete(k); got != (i >= 0) {
					t.Fatalf("Delete(%v) = %v", k, got)
				}
				if i >= 0 {
					list = append(list[:i:i], list[i+1:]...)
				}
			case 1:
				before := m
				m = m.Clone()
				before.Set("only in the original", true)
			case 2, 3, 4:
				got, ok := m.Get(k)
				if ok != (i >= 0) || ok && !EqualValues(got, list[i].Value) {
					t.Fatalf("Get(%v) = %v, %v", k, got, ok)
				}
			default:
				m.Set(k, int64(op))
				if i >= 0 {
					list[i].Value = int64(op)
				} else {
					list = append(list, Entry{k, int64(op)})
				}
			}
			if m.Len() != len(list) {
				t.Fatalf("%d entries, expected %d", m.Len(), len(list))
			}
		}
		for i, e := range m.Entries() {
			if !EqualValues(e.Key, list[i].Key) || !EqualValues(e.Value, list[i].Value) {
				t.Fatalf("entry %d is %v, expected %v", i, e, list[i])
			}
		}
	}
}
