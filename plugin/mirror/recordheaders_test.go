package mirror

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// recordsOf makes the records of a batch.
func recordsOf(records ...kmsg.Record) (b []byte) {
	for i := range records {
		records[i].Length = 0
		records[i].Length = int32(len(records[i].AppendTo(nil)) - 1)
		b = records[i].AppendTo(b)
	}
	return b
}

func TestWithoutHeaders(t *testing.T) {
	plain := kmsg.Record{OffsetDelta: 1000, TimestampDelta64: 1 << 40, Key: []byte("k"), Value: []byte("value")}
	null := kmsg.Record{}
	header := kmsg.Record{Value: []byte("v"), Headers: []kmsg.Header{{Key: "h"}}}
	for name, c := range map[string]struct {
		records []byte
		n       int
		want    bool
	}{
		"plain":      {recordsOf(plain, null, plain), 3, true},
		"header":     {recordsOf(plain, header), 2, false},
		"fewer":      {recordsOf(plain), 2, false},
		"more":       {recordsOf(plain, plain), 1, false},
		"cut short":  {recordsOf(plain)[:8], 1, false},
		"no records": {nil, 0, true},
	} {
		if got := withoutHeaders(c.records, c.n); got != c.want {
			t.Errorf("%s: %t, want %t", name, got, c.want)
		}
	}
}

func FuzzWithoutHeaders(f *testing.F) {
	f.Add(recordsOf(kmsg.Record{Key: []byte("k"), Value: []byte("v")}), 1)
	f.Fuzz(func(t *testing.T, records []byte, n int) {
		withoutHeaders(records, n%1000) // whatever it is, it does not panic
	})
}
