package file_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/connecttest"
	"github.com/gokconnect/connect/plugin/file"
)

func write(t testing.TB, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = f.WriteString(text)
	}
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
}

func values(records []connect.SourceRecord) []any {
	out := make([]any, len(records))
	for i := range records {
		out[i] = records[i].Value
	}
	return out
}

func want(t testing.TB, got []any, want ...any) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Fatalf("got %#v, want %#v", got, want)
	}
}

func position(t testing.TB, run *connecttest.SourceRun) any {
	t.Helper()
	all := run.Offsets.All()
	if len(all) != 1 {
		t.Fatalf("got offsets %v, want one", all)
	}
	return all[0].Offset["position"]
}

// FS-05…FS-09, FS-11
func TestSourceRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "in.txt")
		write(t, path, `{"a":1}`+"\n")
		run := connecttest.RunSource(t, new(file.Source), connect.Config{"file": path, "topic": "lines", "tasks.max": "5"})
		run.AwaitTasks(1) // FS-06
		r := run.Take(1)[0]
		if n, set := r.Partition.Get(); set {
			t.Errorf("partition %d is set", n)
		}
		if r.Topic != "lines" || r.Key != nil || r.KeySchema != nil || r.ValueSchema != connect.StringSchema || r.Value != `{"a":1}` || len(r.Headers) != 0 {
			t.Errorf("got record %+v", r.Record)
		}
		if !r.Timestamp.Equal(time.Now()) || r.Timestamp.Location() != time.UTC {
			t.Errorf("got timestamp %v, want %v", r.Timestamp, time.Now())
		}
		if got := fmt.Sprint(r.SourcePartition, r.SourceOffset.Fields()); got != fmt.Sprintf("map[filename:%s] map[position:8]", path) {
			t.Errorf("got %s", got)
		}
	})
}

func TestSourceTerminators(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       []any
		position   int64
	}{
		{"lf", "a\nb\n", []any{"a", "b"}, 4},
		{"crlf", "a\r\nb\r\n", []any{"a", "b"}, 6},
		{"cr", "a\rb\rc", []any{"a", "b"}, 4},
		{"mixed", "a\n\r\nb\r\rc\n\n", []any{"a", "", "b", "", "c", ""}, 10},
		{"cr waits for what follows", "a\nb\r", []any{"a"}, 2},
		{"partial line", "a\nbc", []any{"a"}, 2},
		{"empty lines", "\n\n\n", []any{"", "", ""}, 3},
		{"bytes, not characters", "äöü\n€\n😀\n", []any{"äöü", "€", "😀"}, 16},
		{"malformed", "a\xffb\xe2\x82\n\xf0\x9f\x98\xc0\xaf\n", []any{"a\ufffdb\ufffd", "\ufffd\ufffd\ufffd"}, 12},
		{"surrogate", "\xed\xa0\x80\n", []any{"\ufffd\ufffd\ufffd"}, 4},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				path := filepath.Join(t.TempDir(), "in.txt")
				write(t, path, tt.text)
				run := connecttest.RunSource(t, &file.Source{Path: path, Topic: "lines"}, nil)
				want(t, values(run.Take(len(tt.want))), tt.want...)
				if p := position(t, run); p != tt.position {
					t.Errorf("got position %v, want %v", p, tt.position)
				}
				run.Stop()
				want(t, values(run.Pending()))
			})
		})
	}
}

// Every way to cut a text into reads gives the same lines and positions.
func TestSourceGrows(t *testing.T) {
	const text = "one\r\ntwo\nthree\r\rfour\n\r\n"
	for step := 1; step <= 4; step++ {
		synctest.Test(t, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "in.txt")
			run := connecttest.RunSource(t, &file.Source{Path: path, Topic: "lines"}, nil)
			for i := 0; i < len(text); i += step {
				write(t, path, text[i:min(i+step, len(text))])
				time.Sleep(3 * time.Second) // virtual
			}
			want(t, values(run.Take(6)), "one", "two", "three", "", "four", "")
			if p := position(t, run); p != int64(len(text)) {
				t.Errorf("step %d: got position %v, want %d", step, p, len(text))
			}
		})
	}
}

func TestSourceResumes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "in.txt")
		write(t, path, "ä\nb\n")
		run := connecttest.RunSource(t, &file.Source{Path: path, Topic: "lines"}, connect.Config{"batch.size": "1"})
		want(t, values(run.Take(2)), "ä", "b")
		run.Stop()
		write(t, path, "c\n")
		run.Start()
		want(t, values(run.Take(1)), "c")
		run.Stop()
		if err := run.Offsets.Set(connect.Fields{"filename": path}, connect.Fields{"position": 3}); err != nil {
			t.Fatal(err)
		}
		run.Start()
		want(t, values(run.Take(2)), "b", "c")
	})
}

func TestSourceOffsetOfWrongType(t *testing.T) {
	path := filepath.Join(t.TempDir(), "in.txt")
	write(t, path, "a\n")
	run := connecttest.RunSource(t, &file.Source{Path: path, Topic: "lines"}, nil)
	run.Take(1)
	run.Stop()
	if err := run.Offsets.Set(connect.Fields{"filename": path}, connect.Fields{"position": "1"}); err != nil {
		t.Fatal(err)
	}
	run.Start()
	if err := run.AwaitError(); !strings.Contains(err.Error(), "Offset position is the incorrect type") {
		t.Errorf("got %v", err)
	}
}

// logged runs one task with a logger, and returns what it logged in that time.
func logged(t *testing.T, s *file.Source, offsets *connecttest.Offsets, d time.Duration) (polls int, log string) {
	t.Helper()
	var buf bytes.Buffer
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	tc := &taskContext{connecttest.NewSourceContext(t, connect.TaskID{Connector: "c"}, nil, offsets), slog.New(slog.NewTextHandler(&buf, nil))}
	task := s.NewTask()
	if err := task.Start(ctx, tc, nil); err != nil {
		t.Fatal(err)
	}
	for ctx.Err() == nil {
		records, err := task.Poll(ctx)
		if err != nil || len(records) > 0 {
			t.Fatalf("poll: %d records, %v", len(records), err)
		}
		polls++
	}
	if err := task.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	return polls, buf.String()
}

type taskContext struct {
	*connecttest.SourceContext
	logger *slog.Logger
}

func (c *taskContext) Logger() *slog.Logger { return c.logger }

// FS-10
func TestSourceMissingFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "in.txt")
		polls, log := logged(t, &file.Source{Path: path, Topic: "lines"}, nil, 10*time.Second)
		if polls < 9 || polls > 11 || strings.Count(log, "level=WARN") != 1 || !strings.Contains(log, path) {
			t.Errorf("%d polls in 10 s, log:\n%s", polls, log)
		}
		run := connecttest.RunSource(t, &file.Source{Path: path, Topic: "lines"}, nil)
		time.Sleep(5 * time.Second) // virtual
		write(t, path, "late\n")
		want(t, values(run.Take(1)), "late")
	})
}

func TestSourceTruncatedFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "in.txt")
		write(t, path, "a\nb\n")
		offsets := new(connecttest.Offsets)
		if err := offsets.Set(connect.Fields{"filename": path}, connect.Fields{"position": int64(1) << 62}); err != nil {
			t.Fatal(err)
		}
		if polls, log := logged(t, &file.Source{Path: path, Topic: "lines"}, offsets, 10*time.Second); polls > 11 || strings.Count(log, "level=WARN") != 1 {
			t.Errorf("%d polls in 10 s, log:\n%s", polls, log)
		}
		run := connecttest.RunSource(t, &file.Source{Path: path, Topic: "lines"}, nil)
		run.Take(2)
		if err := os.Truncate(path, 0); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second) // virtual
		write(t, path, "xxxxc\n")
		want(t, values(run.Take(1)), "c")
	})
}

func TestSourceUnreadable(t *testing.T) {
	dir := t.TempDir() // a directory can be opened, but not read
	run := connecttest.RunSource(t, &file.Source{Path: dir, Topic: "lines"}, nil)
	if err := run.AwaitError(); !strings.Contains(err.Error(), dir) {
		t.Errorf("got %v", err)
	}
}

func TestSourceLongLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "in.txt")
		long := strings.Repeat("x", 300_000)
		write(t, path, "a\n"+long+"\nb\n"+long[:200_000])
		run := connecttest.RunSource(t, &file.Source{Path: path, Topic: "lines", MaxLine: 300_001}, nil)
		want(t, values(run.Take(3)), "a", long, "b")
		write(t, path, long)
		if err := run.AwaitError(); !strings.Contains(err.Error(), "line at position 300005 of "+path+" is longer than 300001 bytes") {
			t.Errorf("got %v", err)
		}
	})
}

func TestSourceStdin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := make(chanReader)
		run := connecttest.RunSource(t, &file.Source{Topic: "lines", Stdin: in}, nil)
		in <- "a\nb"
		r := run.Take(1)[0]
		want(t, []any{r.Value, r.SourcePartition["filename"], r.SourceOffset.Fields()["position"]}, "a", nil, nil)
		in <- "c\n"
		want(t, values(run.Take(1)), "bc")
		run.Restart()
		in <- "d\n" // a read of the first task gets it, and the second task has it
		want(t, values(run.Take(1)), "d")
		run.Stop()
		close(in)
	})
}

type chanReader chan string

func (r chanReader) Read(p []byte) (int, error) {
	s, ok := <-r
	if !ok {
		return 0, os.ErrClosed
	}
	return copy(p, s), nil
}

func TestSourceConfig(t *testing.T) {
	for _, tt := range []struct {
		cfg  connect.Config
		want string
	}{
		{connect.Config{}, `Missing required configuration "topic" which has no default value.`},
		{connect.Config{"topic": " "}, "Invalid value  for configuration topic: String must be non-empty"},
		{connect.Config{"topic": "t", "batch.size": "x"}, "Invalid value x for configuration batch.size: Not a number of type INT"},
	} {
		s := new(file.Source)
		if err := s.Start(t.Context(), connecttest.NewConnectorContext(t, "c", nil), tt.cfg); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%v: got %v, want %s", tt.cfg, err, tt.want)
		}
	}
}

func TestSourceExactlyOnce(t *testing.T) {
	for path, want := range map[string]connect.ExactlyOnceSupport{"": connect.ExactlyOnceUnsupported, "f": connect.ExactlyOnceSupported} {
		if got, err := new(file.Source).ExactlyOnceSupport(connect.Config{"file": path, "topic": "t"}); err != nil || got != want {
			t.Errorf("file %q: got %v, %v", path, got, err)
		}
	}
}

// The texts are those of the REST scenario offsets.source.
func TestSourceAlterOffsets(t *testing.T) {
	f := func(kv ...any) connect.Fields {
		fields := connect.Fields{}
		for i := 0; i < len(kv); i += 2 {
			fields[kv[i].(string)] = kv[i+1]
		}
		return fields
	}
	ok := f("filename", "f")
	for _, tt := range []struct {
		partition, offset connect.Fields
		want              string
	}{
		{ok, f("position", int64(4)), ""},
		{f("filename", "other"), f("position", int64(1)), ""},
		{f("filename", 1), f("position", int64(1)), ""},
		{f("filename", nil), f("position", int64(1)), ""},
		{ok, f("position", int64(4), "extra", true), ""},
		{ok, nil, ""},
		{nil, nil, ""},
		{f(), nil, ""},
		{nil, f("position", int64(1)), "Partition objects cannot be null"},
		{f(), f("position", int64(1)), "Partition objects should contain the key 'filename'"},
		{f("file", "x"), f("position", int64(1)), "Partition objects should contain the key 'filename'"},
		{ok, f(), "Offset objects should either be null or contain the key 'position'"},
		{ok, f("pos", int64(1)), "Offset objects should either be null or contain the key 'position'"},
		{ok, f("position", int64(-1)), "The value for the 'position' key in the offset should be a non-negative value"},
		{ok, f("position", "4"), "The value for the 'position' key in the offset is expected to be a Long value"},
		{ok, f("position", 1.5), "The value for the 'position' key in the offset is expected to be a Long value"},
		{ok, f("position", nil), "The value for the 'position' key in the offset is expected to be a Long value"},
	} {
		err := new(file.Source).AlterOffsets(t.Context(), connect.Config{"file": "f"}, []connect.PartitionOffset{{Partition: tt.partition, Offset: tt.offset}})
		if got := fmt.Sprint(err); err != nil && got != tt.want || err == nil && tt.want != "" {
			t.Errorf("%v %v: got %v, want %q", tt.partition, tt.offset, err, tt.want)
		}
	}
	err := new(file.Source).AlterOffsets(t.Context(), connect.Config{}, nil)
	if want := "Offsets cannot be modified if the 'file' configuration is unspecified. This is because stdin is used for input and offsets are not tracked."; err == nil || err.Error() != want {
		t.Errorf("without a file: got %v", err)
	}
}

// A batch is bounded in bytes too: a file of long lines needs no more memory than one of short lines.
func TestSourceBatchBytes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "in.txt")
	write(t, path, strings.Repeat(strings.Repeat("x", 99_999)+"\n", 50))
	task := (&file.Source{Path: path, Topic: "lines"}).NewTask()
	if err := task.Start(t.Context(), connecttest.NewSourceContext(t, connect.TaskID{}, nil, nil), nil); err != nil {
		t.Fatal(err)
	}
	defer task.Stop(t.Context())
	for n := 0; n < 50; {
		records, err := task.Poll(t.Context())
		if err != nil || len(records) == 0 || len(records) > 11 {
			t.Fatalf("got %d records, %v", len(records), err)
		}
		n += len(records)
	}
}

func BenchmarkSource(b *testing.B) {
	path := filepath.Join(b.TempDir(), "in.txt")
	write(b, path, strings.Repeat(strings.Repeat("x", 99)+"\n", 200_000))
	b.ReportAllocs()
	b.SetBytes(100)
	var task connect.SourceTask
	start := func() {
		task = (&file.Source{Path: path, Topic: "lines"}).NewTask()
		if err := task.Start(b.Context(), connecttest.NewSourceContext(b, connect.TaskID{}, nil, nil), nil); err != nil {
			b.Fatal(err)
		}
	}
	start()
	for n, read := 0, 0; n < b.N; {
		records, err := task.Poll(b.Context())
		if err != nil || len(records) == 0 {
			b.Fatal(len(records), err)
		}
		n += len(records)
		if read += len(records); read == 200_000 {
			task.Stop(b.Context())
			start()
			read = 0
		}
	}
	task.Stop(b.Context())
}
