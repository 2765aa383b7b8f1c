package recordbatch

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// encoded returns a batch as the library that knows all of the protocol writes it.
func encoded(change func(*kmsg.RecordBatch)) []byte {
	b := kmsg.RecordBatch{FirstOffset: 100, PartitionLeaderEpoch: 7, Magic: 2, Attributes: 1, LastOffsetDelta: 9, FirstTimestamp: 1000, MaxTimestamp: 1234,
		ProducerID: 5, ProducerEpoch: 6, FirstSequence: 8, NumRecords: 10, Records: []byte("records")}
	if change != nil {
		change(&b)
	}
	b.Length = int32(len(b.AppendTo(nil)) - 12)
	return b.AppendTo(nil)
}

func header(b Batch) string {
	return fmt.Sprint(b.Size() == int64(len(b)), b.FirstOffset(), b.LastOffset(), b.LeaderEpoch(), b.Attributes(), b.MaxTimestamp(), b.ProducerID(),
		int16(binary.BigEndian.Uint16(b[atProducerEpoch:])), int32(binary.BigEndian.Uint32(b[atSequence:])), b.Records(), b.Gapless())
}

func TestCut(t *testing.T) {
	one, two := encoded(nil), encoded(func(b *kmsg.RecordBatch) { b.FirstOffset, b.LastOffsetDelta = 110, 10 })
	b, rest, ok := Cut(append(append([]byte(nil), one...), two...))
	if !ok || !bytes.Equal(b, one) || !bytes.Equal(rest, two) {
		t.Errorf("%d and %d bytes, %t", len(b), len(rest), ok)
	}
	if got := header(b); got != "true 100 109 7 1 1234 5 6 8 10 true" {
		t.Error(got)
	}
	if got := header(rest); got != "true 110 120 7 1 1234 5 6 8 10 false" {
		t.Error(got)
	}
	for n := range two {
		if _, rest, ok := Cut(two[:n]); ok || len(rest) != n {
			t.Fatalf("the first %d bytes are a batch", n)
		}
	}
	for name, change := range map[string]func(*kmsg.RecordBatch){
		"an old magic":                   func(b *kmsg.RecordBatch) { b.Magic = 1 },
		"it ends before it begins":       func(b *kmsg.RecordBatch) { b.LastOffsetDelta = -1 },
		"it ends behind the last offset": func(b *kmsg.RecordBatch) { b.FirstOffset = 1<<63 - 5 },
	} {
		if _, _, ok := Cut(encoded(change)); ok {
			t.Errorf("%s: it is a batch", name)
		}
	}
}

// TestStamp: the batch is the producer's, it is no part of a transaction any more, and its tombstones have their time before them.
func TestStamp(t *testing.T) {
	b := Batch(encoded(func(b *kmsg.RecordBatch) { b.Attributes |= Transactional | 0x40 }))
	b.Stamp(15, 16, 17)
	if err := CheckBytes(b, 10); err != nil {
		t.Error(err)
	}
	if got := header(b); got != "true 0 9 -1 1 1234 15 16 17 10 true" {
		t.Error(got)
	}
	b.Stamp(-1, -1, -1)
	if got := header(b); got != "true 0 9 -1 1 1234 -1 -1 -1 10 true" {
		t.Errorf("without a producer: %s", got)
	}
}

func TestSetRecords(t *testing.T) {
	b := append(New(100), "records"...)
	b.SetRecords(10, 1000, 1234)
	b.Stamp(5, 6, 8)
	want := Batch(encoded(func(b *kmsg.RecordBatch) { b.FirstOffset, b.PartitionLeaderEpoch, b.Attributes = 0, -1, 0 }))
	want.Seal()
	if !bytes.Equal(b, want) {
		t.Errorf("got %x, want %x", b, want)
	}
}

func FuzzCut(f *testing.F) {
	f.Add(encoded(nil))
	f.Fuzz(func(t *testing.T, log []byte) {
		rest := log
		for {
			b, behind, ok := Cut(rest)
			if !ok {
				return
			}
			if len(b) < HeaderSize || len(b)+len(behind) != len(rest) || b.LastOffset() < b.FirstOffset() {
				t.Fatalf("%d bytes became a batch of %d and %d: %s", len(rest), len(b), len(behind), header(b))
			}
			rest = behind
		}
	})
}
