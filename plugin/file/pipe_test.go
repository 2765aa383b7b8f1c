//go:build unix

package file_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/gokconnect/connect/connecttest"
	"github.com/gokconnect/connect/plugin/file"
)

// Nobody writes to the pipe at first, then somebody does, and stays silent while the source is stopped.
func TestSourceNamedPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	run := connecttest.RunSource(t, &file.Source{Path: path, Topic: "lines"}, nil)
	w, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if _, err := w.WriteString("a\nb\nc"); err != nil {
		t.Fatal(err)
	}
	want(t, values(run.Take(2)), "a", "b")
	run.Stop()
}
