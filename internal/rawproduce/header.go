package rawproduce

import (
	"encoding/binary"
	"hash/crc32"
)

// Where the fields of a batch's header are (magic 2). What comes before length and checksum is not part of them.
const (
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
	headerSize        = 61
)

// Attributes of a batch. Those that are not named are of the log that it comes from: part of a transaction, and when its
// tombstones may go.
const (
	compressionMask = 0x07
	logAppendTime   = 0x08
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func attributes(b []byte) uint16 { return binary.BigEndian.Uint16(b[atAttributes:]) }

// passes reports whether brokers take a batch as it is. They refuse what their own logs may have: gaps that compaction
// left, and times that are not the producer's.
func passes(b []byte, records int) bool {
	return attributes(b)&logAppendTime == 0 && int64(int32(binary.BigEndian.Uint32(b[atLastOffsetDelta:]))) == int64(records)-1
}

// maxTimestamp returns the latest time of a batch's records, in milliseconds since 1970.
func maxTimestamp(b []byte) int64 { return int64(binary.BigEndian.Uint64(b[atMaxTimestamp:])) }

// stamp makes a batch one of a producer.
func stamp(b []byte, id identity, sequence int32) {
	binary.BigEndian.PutUint64(b, 0) // the first offset is the broker's to give
	binary.BigEndian.PutUint32(b[atLeaderEpoch:], ^uint32(0))
	binary.BigEndian.PutUint16(b[atAttributes:], attributes(b)&compressionMask)
	binary.BigEndian.PutUint64(b[atProducerID:], uint64(id.id))
	binary.BigEndian.PutUint16(b[atProducerEpoch:], uint16(id.epoch))
	binary.BigEndian.PutUint32(b[atSequence:], uint32(sequence))
	binary.BigEndian.PutUint32(b[atChecksum:], crc32.Checksum(b[atAttributes:], castagnoli))
}

// identity is what a producer is to brokers, so that they know what they have of it.
type identity struct {
	id    int64
	epoch int16
	known bool
}

// nobody is a producer that brokers don't know: they can't tell that they have a batch already.
var nobody = identity{-1, -1, true}

// after returns the sequence number behind so many records.
func (id identity) after(sequence int32, records int) int32 {
	if id == nobody {
		return -1
	}
	return int32((int64(sequence) + int64(records)) & 0x7fffffff)
}

// first returns its first sequence number in a partition.
func (id identity) first() int32 {
	if id == nobody {
		return -1
	}
	return 0
}
