package mirror

import "encoding/binary"

// batchHeader is what is looked at of a record batch: https://kafka.apache.org/documentation/#recordbatch.
type batchHeader struct {
	base, last   int64 // offsets
	records      int
	attributes   uint16
	epoch        int32 // of the leader that wrote it
	maxTimestamp int64
}

const (
	batchHeaderSize = 61
	batchMagic      = 2

	codecBits       = 0x07
	lastCodec       = 4
	logAppendTime   = 0x08
	transactional   = 0x10
	control         = 0x20
	largestForwards = 1 << 20 // bytes of a batch that is forwarded: brokers take it unless they are told not to
)

// cutBatch returns the first batch of a part of a log, and what is behind it. It is not ok if the batch is not whole, as the last one of
// a fetch may be, or of a format that is not known.
func cutBatch(log []byte) (h batchHeader, batch, rest []byte, ok bool) {
	if len(log) < batchHeaderSize || log[16] != batchMagic {
		return h, nil, log, false
	}
	size := int64(binary.BigEndian.Uint32(log[8:])) + 12
	if size < batchHeaderSize || size > int64(len(log)) {
		return h, nil, log, false
	}
	h = batchHeader{
		base: int64(binary.BigEndian.Uint64(log)), records: int(int32(binary.BigEndian.Uint32(log[57:]))), attributes: binary.BigEndian.Uint16(log[21:]),
		epoch: int32(binary.BigEndian.Uint32(log[12:])), maxTimestamp: int64(binary.BigEndian.Uint64(log[35:])),
	}
	h.last = h.base + int64(int32(binary.BigEndian.Uint32(log[23:])))
	return h, log[:size:size], log[size:], h.last >= h.base
}

// control reports whether the batch is the mark of a transaction, and no records.
func (h *batchHeader) control() bool { return h.attributes&control != 0 }

// obstacle returns why a broker does not take the batch as it is from a producer, or "": it does if no record of it has gone, which
// compaction may do, its timestamps are those of a producer, and its size is usual.
func (h *batchHeader) obstacle(batch []byte) string {
	switch {
	case h.attributes&logAppendTime != 0:
		return "the broker sets timestamps"
	case h.attributes&^(codecBits|transactional) != 0 || h.attributes&codecBits > lastCodec:
		return "a batch has attributes that are not known"
	case h.records <= 0 || h.last-h.base+1 != int64(h.records):
		return "compaction has taken records from a batch"
	case len(batch) > largestForwards:
		return "a batch is too large"
	}
	return ""
}
