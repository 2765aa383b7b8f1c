package file

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"strings"

	"github.com/gokconnect/connect"
)

// writeSize is how much a sink gathers before it writes.
const writeSize = 64 << 10

// Sink is the sink connector FileStreamSink: it appends a line to a file for the value of every record. The zero Sink
// takes everything from its configuration; the fields are what holds where the configuration is silent.
//
// A value is written as [connect.FormatValue] prints it, whatever its schema; null is "null". The file is created if it
// is missing. A line is with the operating system when Put returns, and on the disk before its offset is committed.
// Several tasks may share the file: each writes whole lines. Without a file, lines go to standard output.
type Sink struct {
	// Path is the file; "" is standard output. Key: file.
	Path string
	// Stdout is written to in place of standard output. Tasks use it concurrently.
	Stdout io.Writer

	cfg connect.Config
}

var _ interface {
	connect.SinkConnector
	connect.Versioned
	connect.Defined
	connect.SinkOffsetAlterer
} = (*Sink)(nil)

// Version returns the version of Kafka Connect whose connector this is.
func (s *Sink) Version() string { return Version }

// Start takes the configuration.
func (s *Sink) Start(_ context.Context, cc connect.ConnectorContext, cfg connect.Config) error {
	s.cfg = cfg
	to := s.path(cfg)
	if to == "" {
		to = "standard output"
	}
	cc.Info().Logger.Info("starting file sink connector", "file", to)
	return nil
}

// AlterSinkOffsets accepts all offsets: the file does not depend on them.
func (s *Sink) AlterSinkOffsets(context.Context, connect.Config, map[connect.TopicPartition]int64) error {
	return nil
}

// TaskConfigs returns the connector's own configuration maxTasks times.
func (s *Sink) TaskConfigs(_ context.Context, maxTasks int) ([]connect.Config, error) {
	configs := make([]connect.Config, maxTasks)
	for i := range configs {
		configs[i] = maps.Clone(s.cfg)
	}
	return configs, nil
}

// Stop does nothing.
func (s *Sink) Stop(context.Context) error { return nil }

// NewTask returns a task that writes.
func (s *Sink) NewTask() connect.SinkTask { return &sinkTask{sink: s} }

func (s *Sink) path(cfg connect.Config) string {
	if path, ok := cfg[fileKey]; ok {
		return strings.TrimSpace(path)
	}
	return s.Path
}

// sinkTask appends to one file.
type sinkTask struct {
	sink *Sink
	out  io.Writer
	file *os.File // nil for standard output
	buf  []byte   // whole lines
}

// Start opens the file.
func (t *sinkTask) Start(_ context.Context, _ connect.SinkTaskContext, cfg connect.Config) error {
	path := t.sink.path(cfg)
	if path == "" {
		if t.out = t.sink.Stdout; t.out == nil {
			t.out = os.Stdout
		}
		return nil
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o666)
	if err != nil {
		return fmt.Errorf("Couldn't find or create file '%s' for FileStreamSinkTask: %w", path, err)
	}
	t.file, t.out = f, f
	return nil
}

// Put writes a line for each record.
func (t *sinkTask) Put(_ context.Context, records []connect.SinkRecord) error {
	for i := range records {
		t.buf = connect.AppendValue(t.buf, records[i].Value)
		t.buf = append(t.buf, '\n')
		if len(t.buf) >= writeSize {
			if err := t.write(); err != nil {
				return err
			}
		}
	}
	return t.write()
}

// write writes whole lines at once, so that the lines of several tasks don't mix.
func (t *sinkTask) write() error {
	if len(t.buf) == 0 {
		return nil
	}
	_, err := t.out.Write(t.buf)
	if t.buf = t.buf[:0]; cap(t.buf) > 4*writeSize {
		t.buf = nil // a long value is not kept
	}
	if err != nil {
		return fmt.Errorf("write lines: %w", err)
	}
	return nil
}

// Flush makes the file durable. What is not a regular file can't be, and needs not.
func (t *sinkTask) Flush(context.Context, connect.SinkOffsets) error {
	if t.file == nil {
		return nil
	}
	if info, err := t.file.Stat(); err != nil || !info.Mode().IsRegular() {
		return err
	}
	if err := t.file.Sync(); err != nil {
		return fmt.Errorf("flush: %w", err)
	}
	return nil
}

// Stop closes the file.
func (t *sinkTask) Stop(context.Context) error {
	if t.file == nil {
		return nil
	}
	return t.file.Close()
}
