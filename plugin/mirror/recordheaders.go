package mirror

import (
	"encoding/binary"

	"github.com/gokconnect/connect/internal/recordbatch"
	"github.com/twmb/franz-go/pkg/kgo"
)

// headerSearch looks whether records of batches have headers. It is used by one goroutine at a time.
type headerSearch struct {
	decompressor kgo.Decompressor
	memory       []byte // of the last decompression, for the next
}

var _ kgo.PoolDecompressBytes = (*headerSearch)(nil)

// GetDecompressBytes is called by the decompressor.
func (s *headerSearch) GetDecompressBytes([]byte, kgo.CompressionCodecType) []byte { return s.memory }

// PutDecompressBytes is called by the decompressor.
func (s *headerSearch) PutDecompressBytes([]byte) {}

// none reports whether no record of the batch has a header, as far as the batch can be read.
func (s *headerSearch) none(b recordbatch.Batch) bool {
	var records []byte = b[recordbatch.HeaderSize:]
	if codec := kgo.CompressionCodecType(b.Attributes() & recordbatch.Compression); codec != kgo.CodecNone {
		if s.decompressor == nil {
			s.decompressor = kgo.DefaultDecompressor(s)
		}
		var err error
		if records, err = s.decompressor.Decompress(records, codec); err != nil {
			return false
		}
		s.memory = records
	}
	return withoutHeaders(records, int(b.Records()))
}

// withoutHeaders reports whether there are so many records, none of which has headers. A record is its length, attributes, two
// differences, the key and the value behind their lengths, and the headers behind their number.
func withoutHeaders(records []byte, n int) bool {
	for range n {
		size, k := binary.Varint(records)
		if k <= 0 || size < 1 || size > int64(len(records)-k) {
			return false
		}
		r := records[k : k+int(size)]
		records = records[k+int(size):]
		r = r[1:]
		for range 2 {
			_, k := binary.Varint(r)
			if k <= 0 {
				return false
			}
			r = r[k:]
		}
		for range 2 {
			size, k := binary.Varint(r)
			if k <= 0 || size > int64(len(r)-k) {
				return false
			}
			r = r[k+int(max(size, 0)):] // -1 is null
		}
		if len(r) != 1 || r[0] != 0 {
			return false
		}
	}
	return len(records) == 0
}
