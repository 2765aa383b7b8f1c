package worker

import (
	"errors"
	"fmt"
	"math/bits"

	"github.com/gokconnect/connect/internal/javaerror"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// produceError words what a producer says of a record as Kafka's does. limit is max.request.size, 0 if it is not known.
func produceError(rec *kgo.Record, limit int32, err error) error {
	if !errors.Is(err, kerr.MessageTooLarge) && !errors.Is(err, kerr.RecordListTooLarge) {
		return err
	}
	message := "The request included a message larger than the max message size the server will accept."
	if size := serializedSize(rec); limit > 0 && size > int64(limit) {
		message = fmt.Sprintf("The message is %d bytes when serialized which is larger than %d, which is the value of the max.request.size configuration.", size, limit)
	}
	return &tooLargeError{any(javaerror.New(javaerror.RecordTooLarge, message, nil)).(*javaerror.Exception), err}
}

// tooLargeError has Kafka's words and the client's error.
type tooLargeError struct {
	*javaerror.Exception
	client error
}

func (e *tooLargeError) Is(target error) bool { return errors.Is(e.client, target) }

// Overheads of a record's batch and of a record, as Kafka's producer estimates them.
const (
	batchOverhead      = 61
	maxRecordOverheads = 21
)

// serializedSize is Kafka's estimate of a record's size in a batch of its own.
func serializedSize(rec *kgo.Record) int64 {
	size := batchOverhead + maxRecordOverheads + sized(rec.Key) + sized(rec.Value) + varint(len(rec.Headers))
	for _, h := range rec.Headers {
		size += sized([]byte(h.Key)) + sized(h.Value)
	}
	return int64(size)
}

func sized(b []byte) int {
	if b == nil {
		return varint(-1)
	}
	return varint(len(b)) + len(b)
}

// varint returns how many bytes a number takes in zigzag encoding.
func varint(n int) int {
	zigzag := uint64(n)<<1 ^ uint64(n>>63)
	return max((bits.Len64(zigzag)+6)/7, 1)
}
