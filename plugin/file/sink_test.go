package file_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/connecttest"
	"github.com/gokconnect/connect/plugin/file"
)

func content(t testing.TB, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// FS-01, FS-02
func TestSinkAppends(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.txt")
	run := connecttest.RunSink(t, new(file.Sink), connect.Config{"file": path})
	run.Put(connect.Record{Topic: "t", Value: "First record"}, connect.Record{Topic: "t", Value: "Another record"})
	if got := content(t, path); got != "First record\nAnother record\n" {
		t.Errorf("after Put: got %q", got)
	}
	run.Commit()
	if got := run.Committed[connect.TopicPartition{Topic: "t"}]; got != 2 {
		t.Errorf("committed %d, want 2", got)
	}
	run.Restart()
	run.Put(connect.Record{Topic: "t", Value: "Third record"})
	if got := content(t, path); got != "First record\nAnother record\nThird record\n" {
		t.Errorf("after a restart: got %q", got)
	}
}

// FS-03, FS-04
func TestSinkValues(t *testing.T) {
	var out bytes.Buffer
	run := connecttest.RunSink(t, &file.Sink{Stdout: &out}, nil)
	vals := []any{"x", nil, int32(5), true, []any{int8(1), "a"}, connect.MapOf(connect.Entry{Key: "b", Value: "1"}, connect.Entry{Key: "a", Value: int64(2)})}
	expect := ""
	for _, v := range vals {
		run.Put(connect.Record{Topic: "t", ValueSchema: connect.StringSchema, Value: v})
		expect += connect.FormatValue(v) + "\n"
	}
	run.Commit()
	if got := out.String(); got != expect {
		t.Errorf("got %q, want %q", got, expect)
	}
}

func TestSinkCannotCreate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "no", "out.txt")
	s := &file.Sink{Path: path}
	task := s.NewTask()
	err := task.Start(t.Context(), connecttest.NewSinkContext(t, connect.TaskID{}, nil), nil)
	if want := "Couldn't find or create file '" + path + "' for FileStreamSinkTask"; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
	if err := task.Stop(t.Context()); err != nil {
		t.Errorf("stop after a failed start: %v", err)
	}
}

func TestSinkTasks(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.txt")
	s := new(file.Sink)
	cfg := connect.Config{"file": path, "tasks.max": "3"}
	if err := s.Start(t.Context(), connecttest.NewConnectorContext(t, "c", nil), cfg); err != nil {
		t.Fatal(err)
	}
	configs, err := s.TaskConfigs(t.Context(), 3)
	if err != nil || len(configs) != 3 {
		t.Fatalf("got %d configurations, %v", len(configs), err)
	}
	// All of them write whole lines into one file.
	line := strings.Repeat("x", 30_000)
	var tasks sync.WaitGroup
	for i, c := range configs {
		tasks.Go(func() {
			task := s.NewTask()
			if err := task.Start(t.Context(), connecttest.NewSinkContext(t, connect.TaskID{Task: i}, c), c); err != nil {
				t.Error(err)
				return
			}
			records := make([]connect.SinkRecord, 20)
			for j := range records {
				records[j].Value = line
			}
			if err := task.Put(t.Context(), records); err != nil {
				t.Error(err)
			}
			if err := task.Stop(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	tasks.Wait()
	lines := strings.Split(content(t, path), "\n")
	if len(lines) != 61 {
		t.Fatalf("got %d lines, want 60", len(lines)-1)
	}
	for i, got := range lines[:60] {
		if got != line {
			t.Fatalf("line %d has %d bytes, want %d", i, len(got), len(line))
		}
	}
}

type failingWriter struct{ err error }

func (w *failingWriter) Write(p []byte) (int, error) {
	if w.err != nil {
		return 0, w.err
	}
	return len(p), nil
}

// Java's stream swallows the error, and the records are lost.
func TestSinkWriteError(t *testing.T) {
	w := &failingWriter{err: fmt.Errorf("disk full")}
	run := connecttest.RunSink(t, &file.Sink{Stdout: w}, nil)
	if err := run.TryPut(connect.Record{Topic: "t", Value: "x"}); err == nil || !strings.Contains(err.Error(), "disk full") {
		t.Errorf("got %v", err)
	}
}

func TestPlugins(t *testing.T) {
	var r connect.Registry
	r.MustAdd(file.Plugins()...)
	for _, name := range []string{file.SourceClass, "FileStreamSourceConnector", "FileStreamSource"} {
		if p, ok := r.Source(name); !ok || p.Version != "4.3.0" || p.New() == nil {
			t.Errorf("source %s: %v %v", name, p, ok)
		}
	}
	for _, name := range []string{file.SinkClass, "FileStreamSinkConnector", "FileStreamSink"} {
		if p, ok := r.Sink(name); !ok || p.Version != "4.3.0" || p.New() == nil {
			t.Errorf("sink %s: %v %v", name, p, ok)
		}
	}
}

func BenchmarkSink(b *testing.B) {
	path := filepath.Join(b.TempDir(), "out.txt")
	task := (&file.Sink{Path: path}).NewTask()
	if err := task.Start(b.Context(), connecttest.NewSinkContext(b, connect.TaskID{}, nil), nil); err != nil {
		b.Fatal(err)
	}
	defer task.Stop(b.Context())
	records := make([]connect.SinkRecord, 500)
	for i := range records {
		records[i].Value = strings.Repeat("x", 99)
	}
	b.ReportAllocs()
	b.SetBytes(100)
	b.ResetTimer()
	for n := 0; n < b.N; n += len(records) {
		if err := task.Put(b.Context(), records); err != nil {
			b.Fatal(err)
		}
		if n%2_000_000 == 0 {
			os.Truncate(path, 0)
		}
	}
}
