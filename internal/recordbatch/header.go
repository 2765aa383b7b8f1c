package recordbatch

import (
	"encoding/binary"
	"hash/crc32"
)

// Batch is the bytes of one batch of records as Kafka's logs have it (magic 2): https://kafka.apache.org/documentation/#recordbatch.
// It has HeaderSize bytes at least.
type Batch []byte

// Where the fields are. What stands before the magic is not part of what the length counts, but for the leader's epoch, and what stands before
// the attributes not part of the checksum.
const (
	atFirstOffset     = 0
	atLength          = 8
	atLeaderEpoch     = 12
	atMagic           = 16
	atChecksum        = 17
	atAttributes      = 21
	atLastOffsetDelta = 23
	atFirstTimestamp  = 27
	atMaxTimestamp    = 35
	atProducerID      = 43
	atProducerEpoch   = 51
	atSequence        = 53
	atRecords         = 57

	// HeaderSize is how many bytes stand before the records.
	HeaderSize = 61

	magic = 2
)

// Attributes of a batch.
const (
	Compression   = 0x07 // the bits that say how the records are compressed
	LogAppendTime = 0x08 // the times are the broker's
	Transactional = 0x10
	Control       = 0x20 // there are no records, but the mark of a transaction
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// New returns a batch without records, with room for size bytes.
func New(size int) Batch {
	b := make(Batch, HeaderSize, max(size, HeaderSize))
	b[atMagic] = magic
	return b
}

// Cut returns the first batch of a part of a log, and what is behind it. It is not ok if the batch is not whole, as the last one of a
// fetch may be, or of a format that is not known.
func Cut(log []byte) (b Batch, rest []byte, ok bool) {
	if len(log) < HeaderSize || log[atMagic] != magic {
		return nil, log, false
	}
	b = log
	size := b.Size()
	if size < HeaderSize || size > int64(len(log)) || b.LastOffset() < b.FirstOffset() {
		return nil, log, false
	}
	return b[:size:size], log[size:], true
}

// Size returns how many bytes the batch says that it has.
func (b Batch) Size() int64 {
	return int64(int32(binary.BigEndian.Uint32(b[atLength:]))) + atLeaderEpoch
}

// FirstOffset returns where the batch begins in its log.
func (b Batch) FirstOffset() int64 { return int64(binary.BigEndian.Uint64(b[atFirstOffset:])) }

// LastOffset returns the last offset that the batch takes in its log.
func (b Batch) LastOffset() int64 { return b.FirstOffset() + int64(b.lastOffsetDelta()) }

func (b Batch) lastOffsetDelta() int32 { return int32(binary.BigEndian.Uint32(b[atLastOffsetDelta:])) }

// Gapless reports whether there is a record for each offset. Compaction leaves gaps, which brokers don't take from producers.
func (b Batch) Gapless() bool { return int64(b.lastOffsetDelta()) == int64(b.Records())-1 }

// LeaderEpoch returns which leader wrote the batch.
func (b Batch) LeaderEpoch() int32 { return int32(binary.BigEndian.Uint32(b[atLeaderEpoch:])) }

// Attributes returns the attributes, of which some are named here.
func (b Batch) Attributes() uint16 { return binary.BigEndian.Uint16(b[atAttributes:]) }

// MaxTimestamp returns the latest time of the records, in milliseconds since 1970.
func (b Batch) MaxTimestamp() int64 { return int64(binary.BigEndian.Uint64(b[atMaxTimestamp:])) }

// Records returns how many records the batch says that it has.
func (b Batch) Records() int32 { return int32(binary.BigEndian.Uint32(b[atRecords:])) }

// ProducerID returns whose batch it is; -1 if nobody says so.
func (b Batch) ProducerID() int64 { return int64(binary.BigEndian.Uint64(b[atProducerID:])) }

// Intact reports whether the checksum is right.
func (b Batch) Intact() bool { return binary.BigEndian.Uint32(b[atChecksum:]) == b.checksum() }

func (b Batch) checksum() uint32 { return crc32.Checksum(b[atAttributes:], castagnoli) }

// SetRecords says how many records stand behind the header, without a gap, and their first and latest times.
func (b Batch) SetRecords(n int, first, latest int64) {
	binary.BigEndian.PutUint32(b[atLastOffsetDelta:], uint32(n-1))
	binary.BigEndian.PutUint64(b[atFirstTimestamp:], uint64(first))
	binary.BigEndian.PutUint64(b[atMaxTimestamp:], uint64(latest))
	binary.BigEndian.PutUint32(b[atRecords:], uint32(n))
}

// SetAttributes changes the attributes.
func (b Batch) SetAttributes(a uint16) { binary.BigEndian.PutUint16(b[atAttributes:], a) }

// Stamp makes the batch one of a producer. Of its attributes the compression stays: the others are of the log that it comes from, such as that
// it is part of a transaction, and when its tombstones may go.
func (b Batch) Stamp(producer int64, epoch int16, sequence int32) {
	binary.BigEndian.PutUint64(b[atFirstOffset:], 0) // it is the broker's to give
	binary.BigEndian.PutUint32(b[atLeaderEpoch:], ^uint32(0))
	b.SetAttributes(b.Attributes() & Compression)
	binary.BigEndian.PutUint64(b[atProducerID:], uint64(producer))
	binary.BigEndian.PutUint16(b[atProducerEpoch:], uint16(epoch))
	binary.BigEndian.PutUint32(b[atSequence:], uint32(sequence))
	b.Seal()
}

// Seal sets length and checksum.
func (b Batch) Seal() {
	binary.BigEndian.PutUint32(b[atLength:], uint32(len(b)-atLeaderEpoch))
	binary.BigEndian.PutUint32(b[atChecksum:], b.checksum())
}
