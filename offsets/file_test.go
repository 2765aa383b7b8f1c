package offsets_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/javamap"
	"github.com/gokconnect/connect/offsets"
)

func startFile(t *testing.T, f *offsets.File) *offsets.File {
	t.Helper()
	if err := f.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return f
}

func TestFileKeepsWhatItDoesNotKnow(t *testing.T) {
	path := filepath.Join(t.TempDir(), "offsets")
	before := []javamap.Entry{{Key: nil, Value: []byte("x")}, {Key: []byte("foreign"), Value: []byte("y")}, {Key: []byte(`["c",{"b":1,"a":2}]`), Value: []byte(`{"p":1}`)}}
	if err := os.WriteFile(path, javamap.Encode(before), 0o640); err != nil {
		t.Fatal(err)
	}
	var reported []error
	f := startFile(t, &offsets.File{Path: path, OnError: func(err error) { reported = append(reported, err) }})
	if len(reported) != 2 {
		t.Errorf("reported %v", reported)
	}
	set(t, f, connect.Fields{"a": 2, "b": 1}, connect.Fields{"p": 2})
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	after, err := javamap.Decode(content)
	if err != nil || len(after) != 3 {
		t.Fatalf("file holds %q, error %v", after, err)
	}
	for _, e := range after {
		if strings.HasPrefix(string(e.Key), "[") && (string(e.Key) != `["c",{"b":1,"a":2}]` || string(e.Value) != `{"p":2}`) {
			t.Errorf("file holds %s at %s", e.Key, e.Value)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("mode %v, error %v", info.Mode(), err)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestFileThroughALink(t *testing.T) {
	dir := t.TempDir()
	link := filepath.Join(dir, "link")
	if err := os.Symlink(filepath.Join(dir, "offsets"), link); err != nil {
		t.Skip("the file system has no links")
	}
	if err := os.WriteFile(filepath.Join(dir, "offsets"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	set(t, startFile(t, &offsets.File{Path: link}), connect.Fields{"a": 1}, connect.Fields{"p": 1})
	want(t, startFile(t, &offsets.File{Path: filepath.Join(dir, "offsets")}), connect.Fields{"a": 1}, connect.Fields{"p": int64(1)})
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Error("the link was replaced by a file")
	}
}

func TestFileThatIsSomethingElse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "offsets")
	if err := os.WriteFile(path, []byte("precious text"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := (&offsets.File{Path: path}).Start(t.Context()); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v", err)
	}
}

func TestFileThatIsNotWhole(t *testing.T) {
	path := filepath.Join(t.TempDir(), "offsets")
	whole := javamap.Encode([]javamap.Entry{{Key: []byte(`["c",{}]`), Value: []byte("{}")}})
	if err := os.WriteFile(path, whole[:len(whole)-5], 0o600); err != nil {
		t.Fatal(err)
	}
	var reported []error
	f := startFile(t, &offsets.File{Path: path, OnError: func(err error) { reported = append(reported, err) }})
	want(t, f, connect.Fields{}, nil)
	if len(reported) != 1 {
		t.Errorf("reported %v", reported)
	}
}

func TestFileInADirectoryThatIsGone(t *testing.T) {
	f := startFile(t, &offsets.File{Path: filepath.Join(t.TempDir(), "none", "offsets")})
	if err := f.Set(t.Context(), "c", []connect.PartitionOffset{{Partition: connect.Fields{"a": 1}}}); err == nil {
		t.Error("Set returned no error")
	}
}
