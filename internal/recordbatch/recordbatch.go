// Package recordbatch knows what stands in the header of a batch of records, and which batches the task of a source may return: see
// [connect.RecordBatch].
package recordbatch

import (
	"errors"
	"fmt"

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

// CheckBytes refuses what is not one whole batch of so many records, sound, and written by a producer.
func CheckBytes(b []byte, records int) error {
	if len(b) < HeaderSize {
		return connect.Fatal(fmt.Errorf("a batch of %d bytes is shorter than a header", len(b)))
	}
	switch b := Batch(b); {
	case b[atMagic] != magic:
		return connect.Fatal(fmt.Errorf("the batch has the magic %d, not %d", b[atMagic], magic))
	case b.Size() != int64(len(b)):
		return connect.Fatal(fmt.Errorf("the batch says that it has %d bytes, not %d", b.Size(), len(b)))
	case !b.Intact():
		return errors.New("the batch is corrupt: its checksum is wrong")
	case b.Attributes()&Control != 0:
		return connect.Fatal(errors.New("the batch has control records"))
	case records <= 0 || int64(b.Records()) != int64(records):
		return connect.Fatal(fmt.Errorf("the batch has %d records, not %d", b.Records(), records))
	}
	return nil
}
