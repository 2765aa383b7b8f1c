package tolerance

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"

	"github.com/gokconnect/connect"
)

// Log reports failures to a log (errors.log.enable). Without Messages it says nothing of the record but where it is.
type Log struct {
	ID       connect.TaskID
	Logger   *slog.Logger
	Messages bool // adds the record's content (errors.log.include.messages)
}

// Report implements [Reporter].
func (l *Log) Report(ctx context.Context, f *Failure) error {
	attrs := []slog.Attr{slog.String("stage", string(f.Stage)), slog.String("class", f.Class), slog.Any("err", f.Err), slog.Int("attempts", f.Attempts)}
	if c := f.Consumed; c != nil {
		attrs = append(attrs, slog.String("topic", c.Topic), slog.Int("partition", int(c.Partition)), slog.Int64("offset", c.Offset), slog.Time("timestamp", c.Timestamp))
		if l.Messages {
			attrs = append(attrs, slog.String("key", string(c.Key)), slog.String("value", string(c.Value)))
		}
	}
	if s := f.Source; s != nil {
		attrs = append(attrs, slog.String("topic", s.Topic), slog.Any("source_partition", map[string]any(s.SourcePartition)))
		if l.Messages {
			attrs = append(attrs, slog.String("key", connect.FormatValue(s.Key)), slog.String("value", connect.FormatValue(s.Value)))
		}
	}
	l.Logger.LogAttrs(ctx, slog.LevelError, "Error encountered in task "+l.ID.String()+". "+l.describe(f), attrs...)
	return nil
}

// describe says what failed in Kafka Connect's words, with the record if messages are wanted.
func (l *Log) describe(f *Failure) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Executing stage '%s' with class '%s'", f.Stage, f.Class)
	switch {
	case l.Messages && f.Source != nil:
		b.WriteString(", where source record is = " + describeSource(f.Source))
	case l.Messages && f.Consumed != nil:
		c := f.Consumed
		fmt.Fprintf(&b, ", where consumed record is {topic='%s', partition=%d, offset=%d", c.Topic, c.Partition, c.Offset)
		if c.TimestampType != connect.NoTimestampType {
			fmt.Fprintf(&b, ", timestamp=%d, timestampType=%s", c.Timestamp.UnixMilli(), c.TimestampType)
		}
		b.WriteByte('}')
	}
	b.WriteByte('.')
	return b.String()
}

// describeSource returns a record as Java prints it.
func describeSource(r *connect.SourceRecord) string {
	var offset connect.Fields
	if r.SourceOffset != nil {
		offset = r.SourceOffset.Fields()
	}
	timestamp := "null"
	if !r.Timestamp.IsZero() {
		timestamp = fmt.Sprint(r.Timestamp.UnixMilli())
	}
	headers := make([]string, len(r.Headers))
	for i, h := range r.Headers {
		headers[i] = fmt.Sprintf("ConnectHeader(key=%s, value=%s, schema=%s)", h.Key, describeValue(h.Value), describeSchema(h.Schema))
	}
	list := ""
	if len(headers) > 0 {
		list = "[" + strings.Join(headers, ", ") + "]"
	}
	return fmt.Sprintf("SourceRecord{sourcePartition=%s, sourceOffset=%s} ConnectRecord{topic='%s', kafkaPartition=%s, key=%s, keySchema=%s, value=%s, valueSchema=%s, timestamp=%s, headers=ConnectHeaders(headers=%s)}",
		describeFields(r.SourcePartition), describeFields(offset), r.Topic, r.Partition, describeValue(r.Key), describeSchema(r.KeySchema),
		describeValue(r.Value), describeSchema(r.ValueSchema), timestamp, list)
}

func describeFields(f connect.Fields) string {
	if f == nil {
		return "null"
	}
	parts := make([]string, 0, len(f))
	for _, name := range slices.Sorted(maps.Keys(f)) {
		parts = append(parts, name+"="+describeValue(f[name]))
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

func describeValue(v any) string {
	if v == nil {
		return "null"
	}
	return connect.FormatValue(v)
}

func describeSchema(s *connect.Schema) string {
	if s == nil {
		return "null"
	}
	return s.String()
}
