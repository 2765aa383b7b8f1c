package mirror

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/gokconnect/connect"
)

// The records of MirrorMaker's topics are in the form of Kafka's own protocol: numbers of a fixed size, the high byte
// first, and texts behind their length in two bytes.

// OffsetSync says which offset of a partition of the source cluster became which offset of the copy on the target.
type OffsetSync struct {
	TopicPartition TopicPartition // on the source
	Upstream       int64          // offset on the source
	Downstream     int64          // offset on the target
}

// String returns it as Kafka's console tools show it.
func (s OffsetSync) String() string {
	return fmt.Sprintf("OffsetSync{topicPartition=%s, upstreamOffset=%d, downstreamOffset=%d}", s.TopicPartition, s.Upstream, s.Downstream)
}

// Key returns the key of the record.
func (s OffsetSync) Key() ([]byte, error) {
	w := writer{}
	w.text("topic", s.TopicPartition.Topic)
	w.int32(s.TopicPartition.Partition)
	return w.b, w.err
}

// Value returns the value of the record.
func (s OffsetSync) Value() []byte {
	w := writer{}
	w.int64(s.Upstream)
	w.int64(s.Downstream)
	return w.b
}

// DecodeOffsetSync reads a record.
func DecodeOffsetSync(key, value []byte) (OffsetSync, error) {
	k, v := reader{b: key, what: "the key of an offset sync"}, reader{b: value, what: "the value of an offset sync"}
	s := OffsetSync{TopicPartition: TopicPartition{Topic: k.text("topic"), Partition: k.int32("partition")}}
	s.Upstream, s.Downstream = v.int64("upstreamOffset"), v.int64("offset")
	return s, firstError(k.err, v.err)
}

// Checkpoint says where a consumer group of the source cluster should go on, on the target.
type Checkpoint struct {
	Group          string
	TopicPartition TopicPartition // on the target
	Upstream       int64          // the group's offset on the source
	Downstream     int64          // the offset on the target
	Metadata       string         // as the group committed it
}

// String returns it as Kafka's console tools show it.
func (c Checkpoint) String() string {
	return fmt.Sprintf("Checkpoint{consumerGroupId=%s, topicPartition=%s, upstreamOffset=%d, downstreamOffset=%d, metadata=%s}",
		c.Group, c.TopicPartition, c.Upstream, c.Downstream, c.Metadata)
}

// Key returns the key of the record.
func (c Checkpoint) Key() ([]byte, error) {
	w := writer{}
	w.text("group", c.Group)
	w.text("topic", c.TopicPartition.Topic)
	w.int32(c.TopicPartition.Partition)
	return w.b, w.err
}

// Value returns the value of the record.
func (c Checkpoint) Value() ([]byte, error) {
	w := writer{}
	w.int16(0) // the version
	w.int64(c.Upstream)
	w.int64(c.Downstream)
	w.text("metadata", c.Metadata)
	return w.b, w.err
}

// SourcePartition returns what stands for the checkpoint among the source offsets of the connector.
func (c Checkpoint) SourcePartition() connect.Fields {
	return connect.Fields{"group": c.Group, "topic": c.TopicPartition.Topic, "partition": c.TopicPartition.Partition}
}

// DecodeCheckpoint reads a record. Records of every version have the fields of version 0.
func DecodeCheckpoint(key, value []byte) (Checkpoint, error) {
	k, v := reader{b: key, what: "the key of a checkpoint"}, reader{b: value, what: "the value of a checkpoint"}
	v.int16("version")
	c := Checkpoint{Upstream: v.int64("upstreamOffset"), Downstream: v.int64("offset"), Metadata: v.text("metadata")}
	c.Group = k.text("group")
	c.TopicPartition = TopicPartition{Topic: k.text("topic"), Partition: k.int32("partition")}
	return c, firstError(v.err, k.err)
}

// Heartbeat says that a flow was alive at a time.
type Heartbeat struct {
	SourceAlias, TargetAlias string
	Time                     time.Time // to the millisecond
}

// String returns it as Kafka's console tools show it.
func (h Heartbeat) String() string {
	return "Heartbeat{sourceClusterAlias=" + h.SourceAlias + ", targetClusterAlias=" + h.TargetAlias + ", timestamp=" + strconv.FormatInt(h.Time.UnixMilli(), 10) + "}"
}

// Key returns the key of the record.
func (h Heartbeat) Key() ([]byte, error) {
	w := writer{}
	w.text("sourceClusterAlias", h.SourceAlias)
	w.text("targetClusterAlias", h.TargetAlias)
	return w.b, w.err
}

// Value returns the value of the record.
func (h Heartbeat) Value() []byte {
	w := writer{}
	w.int16(0) // the version
	w.int64(h.Time.UnixMilli())
	return w.b
}

// SourcePartition returns what stands for the heartbeat among the source offsets of the connector.
func (h Heartbeat) SourcePartition() connect.Fields {
	return connect.Fields{"sourceClusterAlias": h.SourceAlias, "targetClusterAlias": h.TargetAlias}
}

// DecodeHeartbeat reads a record. Records of every version have the fields of version 0.
func DecodeHeartbeat(key, value []byte) (Heartbeat, error) {
	k, v := reader{b: key, what: "the key of a heartbeat"}, reader{b: value, what: "the value of a heartbeat"}
	v.int16("version")
	h := Heartbeat{Time: time.UnixMilli(v.int64("timestamp"))}
	h.SourceAlias, h.TargetAlias = k.text("sourceClusterAlias"), k.text("targetClusterAlias")
	return h, firstError(v.err, k.err)
}

// writer appends fields. It keeps the first error.
type writer struct {
	b   []byte
	err error
}

func (w *writer) int16(n int16) { w.b = binary.BigEndian.AppendUint16(w.b, uint16(n)) }
func (w *writer) int32(n int32) { w.b = binary.BigEndian.AppendUint32(w.b, uint32(n)) }
func (w *writer) int64(n int64) { w.b = binary.BigEndian.AppendUint64(w.b, uint64(n)) }

func (w *writer) text(field, s string) {
	if len(s) > math.MaxInt16 {
		if w.err == nil {
			w.err = fmt.Errorf("%s has %d bytes; at most %d can be written", field, len(s), math.MaxInt16)
		}
		return
	}
	w.int16(int16(len(s)))
	w.b = append(w.b, s...)
}

// reader reads fields. It keeps the first error. What follows the last field is not looked at.
type reader struct {
	b    []byte
	what string
	err  error
}

// take returns the next n bytes, or nil.
func (r *reader) take(field string, n int) []byte {
	if r.err != nil {
		return nil
	}
	if r.b == nil || n > len(r.b) {
		r.err = fmt.Errorf("%s ends within the field %s: %d bytes are left, %d are needed", r.what, field, len(r.b), n)
		return nil
	}
	taken := r.b[:n]
	r.b = r.b[n:]
	return taken
}

func (r *reader) int16(field string) int16 {
	if b := r.take(field, 2); b != nil {
		return int16(binary.BigEndian.Uint16(b))
	}
	return 0
}

func (r *reader) int32(field string) int32 {
	if b := r.take(field, 4); b != nil {
		return int32(binary.BigEndian.Uint32(b))
	}
	return 0
}

func (r *reader) int64(field string) int64 {
	if b := r.take(field, 8); b != nil {
		return int64(binary.BigEndian.Uint64(b))
	}
	return 0
}

func (r *reader) text(field string) string {
	n := r.int16(field)
	if n < 0 && r.err == nil {
		r.err = fmt.Errorf("%s has a text of length %d in the field %s", r.what, n, field)
	}
	return string(r.take(field, max(int(n), 0)))
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
