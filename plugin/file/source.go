package file

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"strings"
	"time"

	"github.com/gokconnect/connect"
)

// The keys of the configurations, of a source partition and of a source offset.
const (
	fileKey      = "file"
	topicKey     = "topic"
	batchSizeKey = "batch.size"

	filenameField = "filename"
	positionField = "position"
)

const (
	defaultBatchSize = 2000
	defaultMaxLine   = 64 << 20
	maxBatchBytes    = 1 << 20     // a batch ends with the line that reaches it, whatever batch.size says
	maxIdle          = time.Second // the longest wait for more data, or for the file
	minIdle          = maxIdle / 16
	missingReminder  = 60 // a missing file is warned of once in so many looks
)

// Source is the source connector FileStreamSource: every line of a text file, as it grows, becomes a record. The zero
// Source takes everything from its configuration; the fields are what holds where the configuration is silent.
//
// It has one task, whatever tasks.max says. The value of a record is the line without its terminator (\n, \r\n or
// \r), with [connect.StringSchema]; malformed UTF-8 becomes U+FFFD. The key is nil. A last line without a terminator
// waits until it is complete. The source partition is {"filename": file}, the source offset {"position": n}: how many
// bytes to skip before going on.
//
//   - A file that does not exist is looked for about every second, with a warning.
//   - A file must only grow. One that is shorter than the position, because it was truncated, gives nothing until
//     it has grown past the position again; a warning says so. A file that was replaced under its name is not noticed
//     until the task is restarted.
//   - Memory is bounded by MaxLine, not by the size of the file. A line that is longer fails the task.
//   - Without a file, standard input is read: the offsets are then null, and nothing is resumed. The same goes for
//     what is not a regular file, such as a named pipe, but for the offsets, which count on.
//
// Positions are bytes. The Java connector counts UTF-16 units but skips bytes, so that with text that is not ASCII it
// reads some lines twice after a restart; a position that it stored for such a file is taken as it is.
type Source struct {
	// Path is the file; "" is standard input. Key: file.
	Path string
	// Topic is where the records go. Key: topic.
	Topic string
	// BatchSize is the largest number of records of one poll. 0 is 2000. Key: batch.size.
	BatchSize int
	// MaxLine is the length in bytes of the longest line, terminator included. 0 is 64 MiB.
	MaxLine int
	// Stdin is read in place of standard input.
	Stdin io.Reader

	shared *stdin // standard input, shared with other Sources, or nil
	own    stdin
	cfg    connect.Config
}

var _ interface {
	connect.SourceConnector
	connect.ExactlyOnceReporter
	connect.OffsetAlterer
	connect.Versioned
	connect.Defined
} = (*Source)(nil)

// Version returns the version of Kafka Connect whose connector this is.
func (s *Source) Version() string { return Version }

// Start takes the configuration.
func (s *Source) Start(_ context.Context, cc connect.ConnectorContext, cfg connect.Config) error {
	o, err := s.options(cfg)
	if err != nil {
		return err
	}
	s.cfg = cfg
	from := o.path
	if from == "" {
		from = "standard input"
	}
	cc.Info().Logger.Info("starting file source connector", "file", from)
	return nil
}

// TaskConfigs returns one configuration: the connector's own.
func (s *Source) TaskConfigs(context.Context, int) ([]connect.Config, error) {
	return []connect.Config{maps.Clone(s.cfg)}, nil
}

// Stop does nothing.
func (s *Source) Stop(context.Context) error { return nil }

// NewTask returns the task that reads.
func (s *Source) NewTask() connect.SourceTask { return &sourceTask{source: s} }

// ExactlyOnceSupport reports that files are supported, and standard input is not, since it has no offsets.
func (s *Source) ExactlyOnceSupport(cfg connect.Config) (connect.ExactlyOnceSupport, error) {
	o, err := s.options(cfg)
	switch {
	case err != nil:
		return connect.ExactlyOnceUnknown, err
	case o.path == "":
		return connect.ExactlyOnceUnsupported, nil
	}
	return connect.ExactlyOnceSupported, nil
}

// AlterOffsets accepts offsets with a position that is not negative, for partitions with a filename. Any offset can be
// removed.
func (s *Source) AlterOffsets(_ context.Context, cfg connect.Config, offsets []connect.PartitionOffset) error {
	if path, _ := s.pathOf(cfg); path == "" {
		return errors.New("Offsets cannot be modified if the 'file' configuration is unspecified. " +
			"This is because stdin is used for input and offsets are not tracked.")
	}
	for _, o := range offsets {
		if o.Offset == nil {
			continue
		}
		position, ok := o.Offset[positionField]
		if !ok {
			return errors.New("Offset objects should either be null or contain the key 'position'")
		}
		n, ok := position.(int64)
		if !ok {
			return errors.New("The value for the 'position' key in the offset is expected to be a Long value")
		}
		if n < 0 {
			return errors.New("The value for the 'position' key in the offset should be a non-negative value")
		}
		if o.Partition == nil {
			return errors.New("Partition objects cannot be null")
		}
		if _, ok := o.Partition[filenameField]; !ok {
			return errors.New("Partition objects should contain the key 'filename'")
		}
	}
	return nil
}

// sourceOptions are the fields of a Source with the configuration over them.
type sourceOptions struct {
	path      string
	filename  any // as a source partition names it
	topic     string
	batchSize int
	maxLine   int
}

// pathOf returns the file, and whether one was named at all.
func (s *Source) pathOf(cfg connect.Config) (path string, named bool) {
	if path, ok := cfg[fileKey]; ok {
		return strings.TrimSpace(path), true
	}
	return s.Path, s.Path != ""
}

// stdin returns what is read without a file.
func (s *Source) stdin() *input {
	if s.Stdin == nil && s.shared != nil {
		return s.shared.input(os.Stdin)
	}
	if s.Stdin != nil {
		return s.own.input(s.Stdin)
	}
	return s.own.input(os.Stdin)
}

func (s *Source) options(cfg connect.Config) (sourceOptions, error) {
	parsed, err := s.ConfigDef().Parse(cfg)
	if err != nil {
		return sourceOptions{}, err
	}
	o := sourceOptions{
		topic:     parsed.String(topicKey),
		batchSize: max(parsed.Int(batchSizeKey), 1),
		maxLine:   s.MaxLine,
	}
	path, named := s.pathOf(cfg)
	if o.path = path; named {
		o.filename = path
	}
	if o.maxLine <= 0 {
		o.maxLine = defaultMaxLine
	}
	return o, nil
}

// sourceTask reads one file.
type sourceTask struct {
	source *Source
	sourceOptions
	logger    *slog.Logger
	offsets   connect.OffsetReader
	partition connect.Fields

	file      *os.File // nil for standard input, and while there is none
	read      func(context.Context, []byte) (int, error)
	regular   bool
	tracked   bool // offsets are positions
	position  int64
	missing   int  // how often the file was looked for in vain
	truncated bool // warned of

	lines     lines
	boxes     boxes
	batch     []connect.SourceRecord
	positions []position // room for offsets
	idle      time.Duration
}

// position is a source offset. Records hold pointers into a slice of many, so that an offset costs no allocation.
type position int64

// noPosition is the offset of what can't be resumed.
var noPosition = connect.Fields{positionField: nil}

// Fields returns {"position": n}.
func (p *position) Fields() connect.Fields { return connect.Fields{positionField: int64(*p)} }

// Start takes the configuration. The file is opened by Poll, since it may not exist yet.
func (t *sourceTask) Start(_ context.Context, tc connect.SourceTaskContext, cfg connect.Config) error {
	o, err := t.source.options(cfg)
	if err != nil {
		return err
	}
	t.sourceOptions, t.logger, t.offsets, t.idle = o, tc.Logger(), tc.Offsets(), minIdle
	t.partition = connect.Fields{filenameField: o.filename}
	t.lines.max = o.maxLine
	if o.path == "" {
		t.read = t.source.stdin().read
	}
	return nil
}

// Poll returns the next lines. It waits up to about a second for one.
func (t *sourceTask) Poll(ctx context.Context) ([]connect.SourceRecord, error) {
	t.batch = t.batch[:0]
	if t.read == nil {
		if ready, err := t.open(ctx); err != nil || !ready {
			return nil, err
		}
	}
	err := t.collect(ctx)
	if len(t.batch) > 0 {
		t.idle, t.truncated = minIdle, false
		return t.batch, nil // an error comes again with the next poll
	}
	if err != nil || ctx.Err() != nil {
		return nil, err
	}
	t.checkTruncated()
	t.wait(ctx, t.idle)
	t.idle = min(2*t.idle, maxIdle)
	return nil, nil
}

// Stop closes the file.
func (t *sourceTask) Stop(context.Context) error {
	if t.file == nil {
		return nil
	}
	return t.file.Close()
}

// open opens the file at the stored position. Without a file, or one that is long enough, it waits and returns false.
func (t *sourceTask) open(ctx context.Context) (bool, error) {
	f, err := os.OpenFile(t.path, os.O_RDONLY|openFlags, 0)
	if errors.Is(err, os.ErrNotExist) {
		if t.missing%missingReminder == 0 {
			t.logger.Warn("file not found: waiting for it to be created", "file", t.path)
		}
		t.missing++
		t.wait(ctx, maxIdle)
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("open source file: %w", err)
	}
	ok, err := t.resume(ctx, f)
	if !ok || err != nil {
		f.Close()
		return false, err
	}
	t.file, t.tracked, t.missing = f, true, 0
	if t.regular {
		t.read = func(_ context.Context, p []byte) (int, error) { return f.Read(p) }
	} else {
		t.read = (&input{r: f}).read
	}
	return true, nil
}

// resume moves to the stored position.
func (t *sourceTask) resume(ctx context.Context, f *os.File) (bool, error) {
	stored, err := t.offsets.Offset(ctx, t.partition)
	if ctx.Err() != nil {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read the offset of %s: %w", t.path, err)
	}
	t.position = 0
	switch p := stored[positionField].(type) {
	case nil:
	case int64:
		t.position = max(p, 0)
	default:
		return false, connect.DataErrorf("Offset position is the incorrect type")
	}
	info, err := f.Stat()
	if err != nil {
		return false, fmt.Errorf("open source file: %w", err)
	}
	if t.regular = info.Mode().IsRegular(); !t.regular {
		return true, nil
	}
	if info.Size() < t.position {
		t.warnTruncated(info.Size())
		t.wait(ctx, maxIdle)
		return false, nil
	}
	if _, err := f.Seek(t.position, io.SeekStart); err != nil {
		return false, fmt.Errorf("skip to position %d: %w", t.position, err)
	}
	return true, nil
}

// collect fills the batch with what can be read now.
func (t *sourceTask) collect(ctx context.Context) error {
	size := 0 // in bytes
	first := 0
	now := time.UnixMilli(time.Now().UnixMilli()).UTC()
	box := func(i int, line any) { t.batch[first+i].Value = line }
	flush := func() {
		t.boxes.take(box)
		first = len(t.batch)
	}
	defer flush()
	for {
		for len(t.batch) < t.batchSize && size < maxBatchBytes {
			line, n := t.lines.next()
			if n == 0 {
				break
			}
			if t.boxes.full() {
				flush()
			}
			t.position += int64(n)
			size += n
			t.boxes.add(line)
			t.append(now)
		}
		if len(t.batch) >= t.batchSize || size >= maxBatchBytes || ctx.Err() != nil {
			return nil
		}
		n, err := t.fill(ctx, len(t.batch) > 0)
		if err != nil || n == 0 {
			return err
		}
	}
}

// fill reads once. At the end of the file, or of ctx, it returns 0.
func (t *sourceTask) fill(ctx context.Context, some bool) (int, error) {
	if some && !t.regular {
		// What there is does not wait for more.
		soon, cancel := context.WithTimeout(ctx, 0)
		defer cancel()
		ctx = soon
	}
	n, err := t.lines.fill(func(p []byte) (int, error) { return t.read(ctx, p) })
	switch {
	case err == nil || errors.Is(err, io.EOF) || ctx.Err() != nil:
		return n, nil
	case errors.Is(err, errLineTooLong):
		return n, connect.DataErrorf("line at position %d of %s is longer than %d bytes", t.position, t.name(), t.maxLine)
	}
	return n, fmt.Errorf("read %s at position %d: %w", t.name(), t.position, err)
}

// append adds a record that ends at the position. Its value is set later.
func (t *sourceTask) append(now time.Time) {
	var offset connect.SourceOffset = noPosition
	if t.tracked {
		if len(t.positions) == 0 {
			t.positions = make([]position, 256)
		}
		t.positions[0] = position(t.position)
		offset, t.positions = &t.positions[0], t.positions[1:]
	}
	t.batch = append(t.batch, connect.SourceRecord{
		Record: connect.Record{
			Topic:       t.topic,
			ValueSchema: connect.StringSchema,
			Timestamp:   now,
		},
		SourcePartition: t.partition,
		SourceOffset:    offset,
	})
}

// checkTruncated warns of a file that became shorter than what was read.
func (t *sourceTask) checkTruncated() {
	if !t.regular || t.truncated {
		return
	}
	if info, err := t.file.Stat(); err == nil && info.Size() < t.position {
		t.warnTruncated(info.Size())
	}
}

func (t *sourceTask) warnTruncated(size int64) {
	if t.truncated {
		return
	}
	t.truncated = true
	t.logger.Warn("file is shorter than the position to read on from: waiting until it has grown past it; "+
		"to read it from the start, stop the connector and reset its offsets",
		"file", t.path, "size", size, "position", t.position)
}

func (t *sourceTask) wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

func (t *sourceTask) name() string {
	if t.path == "" {
		return "standard input"
	}
	return t.path
}
