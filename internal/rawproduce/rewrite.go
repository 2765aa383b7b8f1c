package rawproduce

import (
	"encoding/binary"
	"fmt"

	"github.com/gokconnect/connect/internal/recordbatch"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// wire is a batch of records as it goes to a broker.
type wire struct {
	bytes   []byte
	records int
	stamped bool // with the identity and the sequence number that its partition is at
	unsure  bool // it may have been written
}

// passes reports whether brokers take a batch as it is. They refuse what their own logs may have: gaps that compaction
// left, and times that are not the producer's.
func passes(b recordbatch.Batch) bool {
	return b.Attributes()&recordbatch.LogAppendTime == 0 && b.Gapless()
}

// rewrite returns the records of a batch in new batches, uncompressed, as a producer makes them. None has more bytes than
// most unless it is a single record. Keys, values, headers, times and the order are kept.
func rewrite(b []byte, most int, unpack kgo.Decompressor) ([]wire, error) {
	records, err := decode(b, unpack)
	if err != nil {
		return nil, err
	}
	var wires []wire
	for len(records) > 0 {
		n, size := 0, recordbatch.HeaderSize
		for n < len(records) {
			more := recordSize(records[n], records[0], n)
			if n > 0 && size+more > most {
				break
			}
			size += more
			n++
		}
		wires = append(wires, encode(records[:n], size))
		records = records[n:]
	}
	return wires, nil
}

// halve returns a batch of several records as two.
func (w wire) halve(unpack kgo.Decompressor) ([]wire, error) {
	records, err := decode(w.bytes, unpack)
	if err != nil {
		return nil, err
	}
	half := len(records) / 2
	return []wire{encode(records[:half], len(w.bytes)), encode(records[half:], len(w.bytes))}, nil
}

func decode(b []byte, unpack kgo.Decompressor) ([]*kgo.Record, error) {
	fetched := kmsg.NewFetchResponseTopicPartition()
	fetched.RecordBatches = b
	part, _ := kgo.ProcessFetchPartition(kgo.ProcessFetchPartitionOpts{}, &fetched, unpack, nil)
	if n := recordbatch.Batch(b).Records(); part.Err == nil && int64(len(part.Records)) != int64(n) {
		return nil, fmt.Errorf("it says that it has %d records, but has %d", n, len(part.Records))
	}
	return part.Records, part.Err
}

// encode returns a batch of records.
func encode(records []*kgo.Record, size int) wire {
	b := recordbatch.New(size)
	first, latest := records[0].Timestamp.UnixMilli(), records[0].Timestamp.UnixMilli()
	for i, r := range records {
		latest = max(latest, r.Timestamp.UnixMilli())
		b = binary.AppendVarint(b, int64(bodySize(r, records[0], i)))
		b = append(b, 0) // attributes
		b = binary.AppendVarint(b, r.Timestamp.UnixMilli()-first)
		b = binary.AppendVarint(b, int64(i))
		b = appendBytes(b, r.Key)
		b = appendBytes(b, r.Value)
		b = binary.AppendVarint(b, int64(len(r.Headers)))
		for _, h := range r.Headers {
			b = binary.AppendVarint(b, int64(len(h.Key)))
			b = append(b, h.Key...)
			b = appendBytes(b, h.Value)
		}
	}
	b.SetRecords(len(records), first, latest)
	return wire{bytes: b, records: len(records)}
}

func appendBytes(b, v []byte) []byte {
	if v == nil {
		return binary.AppendVarint(b, -1)
	}
	return append(binary.AppendVarint(b, int64(len(v))), v...)
}

// bodySize returns the size of the i-th record of a batch without the number in front that says it.
func bodySize(r, first *kgo.Record, i int) int {
	size := 1 + varint(r.Timestamp.UnixMilli()-first.Timestamp.UnixMilli()) + varint(int64(i)) + bytesSize(r.Key) + bytesSize(r.Value) + varint(int64(len(r.Headers)))
	for _, h := range r.Headers {
		size += varint(int64(len(h.Key))) + len(h.Key) + bytesSize(h.Value)
	}
	return size
}

func recordSize(r, first *kgo.Record, i int) int {
	size := bodySize(r, first, i)
	return varint(int64(size)) + size
}

func bytesSize(v []byte) int {
	if v == nil {
		return varint(-1)
	}
	return varint(int64(len(v))) + len(v)
}

// varint returns how many bytes a number takes.
func varint(n int64) int {
	var b [binary.MaxVarintLen64]byte
	return binary.PutVarint(b[:], n)
}
