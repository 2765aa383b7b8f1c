// Package recordbatch knows which batches of records the task of a source may return: see [connect.RecordBatch].
package recordbatch

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"time"

	"github.com/gokconnect/connect"
)

// Check returns why a record that is a batch may not be one, with its index in what Poll returned; nil for any other record, and for a batch
// that may. allowed says that a [connect.BatchForwarder] allowed batches. The error is fatal, as the task would do it again; but for
// a wrong checksum, since what was read once more may be right.
func Check(index int, r *connect.SourceRecord, allowed bool) error {
	wrong := ""
	switch b := r.Value.(type) {
	default:
		return nil
	case *connect.RecordBatch:
		wrong = "it must be a connect.RecordBatch, not a pointer to one"
	case connect.RecordBatch:
		switch n, ok := r.Partition.Get(); {
		case !allowed:
			wrong = "no BatchForwarder said that it may be one"
		case r.Topic == "":
			wrong = "it has no topic"
		case !ok || n < 0:
			wrong = "it has no partition"
		case r.Key != nil || len(r.Headers) > 0:
			wrong = "it has a key or headers of its own"
		case b.Records <= 0:
			wrong = "it has no records"
		default:
			if err := CheckBytes(b.Bytes, b.Records); err != nil {
				return fmt.Errorf("record %d of Poll, a batch of records for topic %s: %w", index, r.Topic, err)
			}
			return nil
		}
	}
	return connect.Fatal(fmt.Errorf("record %d of Poll is a batch of records, and %s", index, wrong))
}

// Where the fields of a batch's header are (magic 2). What comes before length and checksum is not part of them.
const (
	atLength       = 8
	atLeaderEpoch  = 12
	atMagic        = 16
	atChecksum     = 17
	atAttributes   = 21
	atMaxTimestamp = 35
	atRecords      = 57
	headerSize     = 61

	control = 0x20 // of the attributes
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// CheckBytes refuses what is not one whole batch of so many records, sound, and written by a producer.
func CheckBytes(b []byte, records int) error {
	if len(b) < headerSize {
		return connect.Fatal(fmt.Errorf("a batch of %d bytes is shorter than a header", len(b)))
	}
	size, has := int64(int32(binary.BigEndian.Uint32(b[atLength:])))+atLeaderEpoch, int32(binary.BigEndian.Uint32(b[atRecords:]))
	switch {
	case b[atMagic] != 2:
		return connect.Fatal(fmt.Errorf("the batch has the magic %d, not 2", b[atMagic]))
	case size != int64(len(b)):
		return connect.Fatal(fmt.Errorf("the batch says that it has %d bytes, not %d", size, len(b)))
	case binary.BigEndian.Uint32(b[atChecksum:]) != crc32.Checksum(b[atAttributes:], castagnoli):
		return errors.New("the batch is corrupt: its checksum is wrong")
	case binary.BigEndian.Uint16(b[atAttributes:])&control != 0:
		return connect.Fatal(errors.New("the batch has control records"))
	case records <= 0 || int64(has) != int64(records):
		return connect.Fatal(fmt.Errorf("the batch has %d records, not %d", has, records))
	}
	return nil
}

// Latest returns the latest time of the records of a batch that [CheckBytes] has passed.
func Latest(b []byte) time.Time {
	return time.UnixMilli(int64(binary.BigEndian.Uint64(b[atMaxTimestamp:])))
}
