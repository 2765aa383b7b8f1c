package connect

import "context"

// Converter turns Connect's values into bytes of Kafka and back. A task has one instance for keys and one for values.
// Its optional interfaces are [AppendConverter] and [io.Closer].
//
// A nil []byte is Kafka's null, an empty one is not. Data that can't be converted is a *[DataError].
type Converter interface {
	// FromConnect returns the bytes of a value of a source record. s and v may be nil. The converter may add to
	// headers, which are the record's headers as they are sent.
	FromConnect(ctx context.Context, topic string, headers *RawHeaders, s *Schema, v any) ([]byte, error)
	// ToConnect returns the value of bytes of Kafka, which may be nil and which it must not change or keep. The
	// headers are those of the record as it was consumed.
	ToConnect(ctx context.Context, topic string, headers RawHeaders, b []byte) (SchemaAndValue, error)
}

// AppendConverter is an optional interface of a [Converter] that can write into a given buffer, so that a batch is
// converted with few allocations.
type AppendConverter interface {
	// AppendFromConnect is FromConnect, appending to dst. null says that the result is Kafka's null: nothing was
	// appended.
	AppendFromConnect(ctx context.Context, dst []byte, topic string, headers *RawHeaders, s *Schema, v any) (out []byte, null bool, err error)
}

// HeaderConverter turns header values into bytes of Kafka and back. A task has one instance. Its optional interface is
// [io.Closer].
type HeaderConverter interface {
	// FromConnectHeader returns the bytes of a header's value. s and v may be nil.
	FromConnectHeader(ctx context.Context, topic, key string, s *Schema, v any) ([]byte, error)
	// ToConnectHeader returns the value of a header's bytes, which may be nil.
	ToConnectHeader(ctx context.Context, topic, key string, b []byte) (SchemaAndValue, error)
}

// RawHeader is a header as it is in Kafka.
type RawHeader struct {
	Key   string
	Value []byte
}

// RawHeaders are the headers of a record as they are in Kafka, in order.
type RawHeaders []RawHeader

// Add appends a header.
func (h *RawHeaders) Add(key string, value []byte) { *h = append(*h, RawHeader{key, value}) }

// Last returns the value of the last header with that key.
func (h RawHeaders) Last(key string) (value []byte, ok bool) {
	for i := len(h) - 1; i >= 0; i-- {
		if h[i].Key == key {
			return h[i].Value, true
		}
	}
	return nil, false
}

// Role says what a converter converts.
type Role int8

// The roles of a converter.
const (
	KeyRole Role = iota + 1
	ValueRole
	HeaderRole
)

// String returns the role as the configuration key converter.type spells it.
func (r Role) String() string {
	switch r {
	case KeyRole:
		return "key"
	case ValueRole:
		return "value"
	case HeaderRole:
		return "header"
	}
	return "unknown"
}
