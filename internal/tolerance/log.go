package tolerance

import (
	"context"
	"log/slog"

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
	l.Logger.LogAttrs(ctx, slog.LevelError, "Error encountered in task "+l.ID.String()+".", attrs...)
	return nil
}
