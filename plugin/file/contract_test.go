package file_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/connecttest"
	"github.com/gokconnect/connect/plugin/file"
)

// sourceFile is a file that grows by lines.
type sourceFile struct {
	path string
	n    int
}

func (f *sourceFile) Connector() connect.SourceConnector { return new(file.Source) }
func (f *sourceFile) Config() connect.Config {
	return connect.Config{"file": f.path, "topic": "lines", "batch.size": "2"}
}

func (f *sourceFile) Add(t testing.TB, n int) {
	for range n {
		f.n++
		write(t, f.path, fmt.Sprintf("line %d ä\r\n", f.n))
	}
}

// Break takes the file away.
func (f *sourceFile) Break(t testing.TB) func() {
	away := f.path + ".away"
	if err := os.Rename(f.path, away); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := os.Rename(away, f.path); err != nil {
			t.Error(err)
		}
	}
}

func TestSourceContract(t *testing.T) {
	connecttest.TestSource(t, func(t testing.TB) connecttest.SourceHarness {
		return &sourceFile{path: filepath.Join(t.TempDir(), "in.txt")}
	})
}

// sinkFile is a file that lines are appended to.
type sinkFile struct{ dir string }

func (f *sinkFile) path() string                     { return filepath.Join(f.dir, "out.txt") }
func (f *sinkFile) Connector() connect.SinkConnector { return new(file.Sink) }
func (f *sinkFile) Config() connect.Config           { return connect.Config{"file": f.path()} }

func (f *sinkFile) Read(t testing.TB) (lines []any) {
	for line := range strings.Lines(content(t, f.path())) {
		lines = append(lines, strings.TrimSuffix(line, "\n"))
	}
	return lines
}

// Break takes the file's folder away.
func (f *sinkFile) Break(t testing.TB) func() {
	away := f.dir + ".away"
	if err := os.Rename(f.dir, away); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := os.Rename(away, f.dir); err != nil {
			t.Error(err)
		}
	}
}

func TestSinkContract(t *testing.T) {
	connecttest.TestSink(t, func(t testing.TB) connecttest.SinkHarness {
		dir := filepath.Join(t.TempDir(), "out")
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		return &sinkFile{dir}
	})
}
