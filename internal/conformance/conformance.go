// Package conformance holds vectors that were recorded from Apache Kafka Connect 4.3.0, and the tests that compare this
// library with them. The vectors are expectations: they are never edited.
//
// CONFORMANCE_DIR names another folder of the same form to run instead of the ones in testdata:
//
//	CONFORMANCE_DIR=DIR go test ./internal/conformance/...
package conformance

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Dir returns the folder of the vectors: below it stand data, control, runtime and rest.
func Dir() string {
	if dir := os.Getenv("CONFORMANCE_DIR"); dir != "" {
		return dir
	}
	return "testdata"
}

// Case is one line of a vector file.
type Case struct {
	ID    string          `json:"id"`
	In    json.RawMessage `json:"in"`
	Out   json.RawMessage `json:"out"`
	Error *Error          `json:"error"`

	// Raw is the whole line, for cases with other members.
	Raw json.RawMessage `json:"-"`
}

// Error is what Java threw.
type Error struct {
	Class   string `json:"class"`
	Message string `json:"message"`
	Cause   *Error `json:"cause"`
}

// Files returns the vector files below Dir that match the pattern, such as data/json/*.jsonl. It skips the test when there are none, which
// is so only for a CONFORMANCE_DIR that lacks them.
func Files(t *testing.T, pattern string) []string {
	t.Helper()
	var files []string
	for _, suffix := range []string{"", ".gz"} {
		found, err := filepath.Glob(filepath.Join(Dir(), pattern+suffix))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	if len(files) == 0 {
		if os.Getenv("CONFORMANCE_DIR") == "" {
			t.Fatalf("no vectors match %s", pattern)
		}
		t.Skipf("no vectors match %s in %s", pattern, Dir())
	}
	return files
}

// Run runs check as a subtest for every case of every file that matches the pattern.
func Run(t *testing.T, pattern string, check func(t *testing.T, c Case)) {
	t.Helper()
	for _, file := range Files(t, pattern) {
		for _, c := range Load(t, file) {
			t.Run(c.ID, func(t *testing.T) { check(t, c) })
		}
	}
}

// Load returns the cases of a file, one of [Files].
func Load(t *testing.T, file string) []Case {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var r io.Reader = f
	if strings.HasSuffix(file, ".gz") {
		z, err := gzip.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		r = z
	}
	var cases []Case
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		var c Case
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		c.Raw = bytes.Clone(lines.Bytes())
		cases = append(cases, c)
	}
	if err := lines.Err(); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return cases
}
