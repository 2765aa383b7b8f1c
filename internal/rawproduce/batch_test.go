package rawproduce

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/gokconnect/connect/internal/recordbatch"
	"github.com/twmb/franz-go/pkg/kgo"
)

// batchOf returns a batch of records, compressed if there is a codec.
func batchOf(t testing.TB, records []*kgo.Record, codecs ...kgo.CompressionCodec) []byte {
	t.Helper()
	b := recordbatch.Batch(encode(records, recordbatch.HeaderSize).bytes)
	if len(codecs) > 0 {
		c, err := kgo.DefaultCompressor(codecs...)
		if err != nil {
			t.Fatal(err)
		}
		packed, codec := c.Compress(new(bytes.Buffer), b[recordbatch.HeaderSize:])
		b = append(b[:recordbatch.HeaderSize:recordbatch.HeaderSize], packed...)
		b.SetAttributes(uint16(codec))
	}
	return sealed(b)
}

// sealed sets the length and the checksum of a batch right.
func sealed(b recordbatch.Batch) []byte {
	b.Seal()
	return b
}

func recordsOf(from, to int) []*kgo.Record {
	var out []*kgo.Record
	for n := from; n < to; n++ {
		out = append(out, &kgo.Record{Key: []byte("k"), Value: []byte(fmt.Sprint(n)), Timestamp: time.UnixMilli(1_000_000 + int64(n%7)), Headers: []kgo.RecordHeader{{Key: "h", Value: []byte{}}, {Key: "", Value: nil}}})
	}
	return out
}

// same reports whether two records have the same content.
func same(a, b *kgo.Record) bool {
	equal := func(a, b []byte) bool { return (a == nil) == (b == nil) && bytes.Equal(a, b) }
	if !equal(a.Key, b.Key) || !equal(a.Value, b.Value) || !a.Timestamp.Equal(b.Timestamp) || len(a.Headers) != len(b.Headers) {
		return false
	}
	for i := range a.Headers {
		if a.Headers[i].Key != b.Headers[i].Key || !equal(a.Headers[i].Value, b.Headers[i].Value) {
			return false
		}
	}
	return true
}

func TestSequencesWrap(t *testing.T) {
	id := identity{1, 0, true}
	for _, c := range [][3]int64{{0, 10, 10}, {1<<31 - 1, 1, 0}, {1<<31 - 11, 10, 1<<31 - 1}, {1<<31 - 10, 10, 0}, {1<<31 - 10, 15, 5}} {
		if got := id.after(int32(c[0]), int(c[1])); got != int32(c[2]) {
			t.Errorf("%d and %d is %d", c[0], c[1], got)
		}
	}
	if nobody.after(-1, 10) != -1 {
		t.Error("nobody counts")
	}
}

// TestRewrite: all records come out as they were, in batches that brokers take and that are no larger than they may be.
func TestRewrite(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	bytesOf := func() []byte {
		switch random.IntN(4) {
		case 0:
			return nil
		case 1:
			return []byte{}
		}
		return bytes.Repeat([]byte{'x'}, random.IntN(300))
	}
	for range 200 {
		var records []*kgo.Record
		for range 1 + random.IntN(50) {
			r := &kgo.Record{Key: bytesOf(), Value: bytesOf(), Timestamp: time.UnixMilli(random.Int64N(1 << 42))}
			for range random.IntN(3) {
				r.Headers = append(r.Headers, kgo.RecordHeader{Key: string(bytesOf()), Value: bytesOf()})
			}
			records = append(records, r)
		}
		var codecs []kgo.CompressionCodec
		if random.IntN(2) == 0 {
			codecs = append(codecs, kgo.SnappyCompression())
		}
		b := batchOf(t, records, codecs...)
		most := 100 + random.IntN(2000)
		wires, err := rewrite(b, most, kgo.DefaultDecompressor())
		if err != nil {
			t.Fatal(err)
		}
		left := records
		for _, w := range wires {
			recordbatch.Batch(w.bytes).Stamp(1, 0, 0)
			if err := recordbatch.CheckBytes(w.bytes, w.records); err != nil || !passes(w.bytes) {
				t.Fatalf("no good batch: %v", err)
			}
			if len(w.bytes) > most && w.records > 1 {
				t.Fatalf("%d bytes of %d", len(w.bytes), most)
			}
			if cap(w.bytes) != len(w.bytes) {
				t.Fatalf("%d bytes were expected, not %d", cap(w.bytes), len(w.bytes))
			}
			got, err := decode(w.bytes, kgo.DefaultDecompressor())
			if err != nil || len(got) != w.records {
				t.Fatalf("%d records of %d: %v", len(got), w.records, err)
			}
			latest := int64(0)
			for i, r := range got {
				if !same(r, left[i]) {
					t.Fatalf("%v became %v", left[i], r)
				}
				latest = max(latest, r.Timestamp.UnixMilli())
			}
			if got := recordbatch.Batch(w.bytes).MaxTimestamp(); latest != got {
				t.Fatalf("latest %d, not %d", got, latest)
			}
			left = left[len(got):]
		}
		if len(left) > 0 {
			t.Fatalf("%d records are lost", len(left))
		}
	}
}
