package tolerance

import (
	"context"
	"log/slog"
	"slices"
	"strings"

	"github.com/gokconnect/connect"
)

// Log reports failures to a log (errors.log.enable). Without Messages it says nothing of the record but where it is.
type Log struct {
	ID       connect.TaskID
	Logger   *slog.Logger
	Messages bool // adds the record's content (errors.log.include.messages)
	// Describe says what failed, with the record if messages are wanted. Default: the attributes say it.
	Describe func(f *Failure, messages bool) string
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
	text := "Error encountered in task " + l.ID.String() + "."
	if l.Describe != nil {
		text += " " + l.Describe(f, l.Messages)
	}
	l.Logger.LogAttrs(ctx, slog.LevelError, text, attrs...)
	return nil
}

// Describe says what failed in Kafka Connect's words, with the record if messages are wanted.
func Describe(f *Failure, messages bool) string {
	record := ""
	switch {
	case messages && f.Source != nil:
		record = ", where source record is = " + describeSource(f.Source)
	case messages && f.Consumed != nil:
		c := f.Consumed
		record = ", where consumed record is {topic='" + c.Topic + "', partition=" + describeValue(c.Partition) + ", offset=" + describeValue(c.Offset)
		if c.TimestampType != connect.NoTimestampType {
			record += ", timestamp=" + describeValue(c.Timestamp.UnixMilli()) + ", timestampType=" + c.TimestampType.String()
		}
		record += "}"
	}
	return "Executing stage '" + string(f.Stage) + "' with class '" + f.Class + "'" + record + "."
}

// describeSource returns a record as Java prints it.
func describeSource(r *connect.SourceRecord) string {
	var offset connect.Fields
	if r.SourceOffset != nil {
		offset = r.SourceOffset.Fields()
	}
	timestamp := "null"
	if !r.Timestamp.IsZero() {
		timestamp = describeValue(r.Timestamp.UnixMilli())
	}
	headers, end := "", ""
	for _, h := range r.Headers {
		if headers == "" {
			headers, end = "[", "]"
		} else {
			headers += ", "
		}
		headers += "ConnectHeader(key=" + h.Key + ", value=" + describe(h.Value, h.Schema, ", schema=") + ")"
	}
	return "SourceRecord{sourcePartition=" + describeFields(r.SourcePartition) + ", sourceOffset=" + describeFields(offset) +
		"} ConnectRecord{topic='" + r.Topic + "', kafkaPartition=" + r.Partition.String() +
		", key=" + describe(r.Key, r.KeySchema, ", keySchema=") + ", value=" + describe(r.Value, r.ValueSchema, ", valueSchema=") +
		", timestamp=" + timestamp + ", headers=ConnectHeaders(headers=" + headers + end + ")}"
}

func describeFields(f connect.Fields) string {
	if f == nil {
		return "null"
	}
	names := make([]string, 0, len(f))
	for name := range f {
		names = append(names, name)
	}
	slices.Sort(names)
	for i, name := range names {
		names[i] = name + "=" + describeValue(f[name])
	}
	return "{" + strings.Join(names, ", ") + "}"
}

func describe(v any, s *connect.Schema, label string) string {
	schema := "null"
	if s != nil {
		schema = s.String()
	}
	return describeValue(v) + label + schema
}

func describeValue(v any) string {
	if v == nil {
		return "null"
	}
	return connect.FormatValue(v)
}
