package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// call runs the program as the command line does.
func call(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(t.Context(), args, &out, &errs)
	return code, out.String(), errs.String()
}

// write makes a file of n numbered lines.
func write(t *testing.T, name string, n int) {
	t.Helper()
	var b bytes.Buffer
	for i := range n {
		fmt.Fprintf(&b, "line %d\n", i)
	}
	if err := os.WriteFile(name, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

// wantShouted checks that out has all lines of in, once each and in order.
func wantShouted(t *testing.T, in, out string) {
	t.Helper()
	want, err := os.ReadFile(in)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != strings.ToUpper(string(want)) {
		t.Errorf("%s has %d lines and %s has %d, or they differ otherwise", out, bytes.Count(got, []byte("\n")), in, bytes.Count(want, []byte("\n")))
	}
}

func TestRuns(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "in.txt", 1000)
	code, stdout, stderr := call(t, "in.txt")
	if code != 0 || !strings.Contains(stdout, "1,000 lines went from in.txt to in.txt.out") {
		t.Fatalf("first run: code %d\n%s%s", code, stdout, stderr)
	}
	wantShouted(t, "in.txt", "in.txt.out")

	if code, stdout, stderr = call(t, "in.txt"); code != 0 || !strings.Contains(stdout, "Nothing to do") {
		t.Errorf("second run: code %d\n%s%s", code, stdout, stderr)
	}
	write(t, "in.txt", 1001)
	if code, stdout, stderr = call(t, "in.txt"); code != 0 || !strings.Contains(stdout, "1 line went") {
		t.Errorf("run after a line was added: code %d\n%s%s", code, stdout, stderr)
	}
	wantShouted(t, "in.txt", "in.txt.out")

	if err := os.Remove("in.txt.out"); err != nil {
		t.Fatal(err)
	}
	if code, stdout, stderr = call(t, "in.txt"); code != 0 || !strings.Contains(stderr, "in.txt.out is gone") {
		t.Errorf("run after the result was removed: code %d\n%s%s", code, stdout, stderr)
	}
	wantShouted(t, "in.txt", "in.txt.out")

	write(t, "in.txt", 10)
	if code, _, stderr = call(t, "in.txt"); code != 1 || !strings.Contains(stderr, "was it replaced?") {
		t.Errorf("run after the file was replaced: code %d\n%s", code, stderr)
	}
}

func TestInterruptedRunsGoOn(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "in.txt", 300_000)
	for _, until := range []int64{1, 20_000, 50_000} {
		ctx, cancel := context.WithCancel(t.Context())
		p, err := parse([]string{"in.txt"}, t.Output())
		if err != nil {
			t.Fatal(err)
		}
		var n atomic.Int64
		p.change = func(line string) string {
			if n.Add(1) == until {
				cancel()
			}
			return shout(line)
		}
		var out bytes.Buffer
		p.stdout, p.stderr = &out, t.Output()
		if err := p.run(ctx); err != nil {
			t.Errorf("interrupted run: %v", err)
		}
		if !strings.Contains(out.String(), "the next run goes on from here") {
			t.Errorf("interrupted run says\n%s", out.String())
		}
	}
	if code, stdout, stderr := call(t, "in.txt"); code != 0 {
		t.Errorf("last run: code %d\n%s%s", code, stdout, stderr)
	}
	wantShouted(t, "in.txt", "in.txt.out")
}

func TestOneSentenceForEachMistake(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "in.txt", 1)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	port := fmt.Sprint(taken.Addr().(*net.TCPAddr).Port)
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := free.Addr().String()
	free.Close()
	for _, tt := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"missing file", []string{"missing.txt"}, 1, "FILE missing.txt does not exist"},
		{"folder", []string{"."}, 1, "FILE . is not a regular file"},
		{"result is the file", []string{"-out", "in.txt", "in.txt"}, 1, "has to be another file"},
		{"no folder for the result", []string{"-out", filepath.Join("no", "out"), "in.txt"}, 1, "Couldn't find or create file"},
		{"taken port", []string{"-port", port, "in.txt"}, 1, "port " + port + " is taken"},
		{"no port", []string{"-port", "70000"}, 2, "-port 70000 is not a port"},
		{"unreachable broker", []string{"-bootstrap", closed, "in.txt"}, 1, "no Kafka answers at " + closed},
		{"unknown flag", []string{"-fast"}, 2, "flag provided but not defined: -fast"},
		{"two files", []string{"in.txt", "b"}, 2, "one FILE is expected"},
		{"name of the topic", []string{"-topic", "a b"}, 2, `-topic "a b"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code, _, stderr := call(t, tt.args...)
			if code != tt.code || !strings.Contains(stderr, tt.want) || strings.Count(stderr, "\n") != 1 {
				t.Errorf("code %d, want %d; stderr %q, want one line with %q", code, tt.code, stderr, tt.want)
			}
		})
	}
}

func TestOtherKafka(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "in.txt", 100)
	brokers, stop, err := startKafka("elsewhere", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	if code, stdout, stderr := call(t, "-bootstrap", brokers[0], "-topic", "lines", "in.txt"); code != 0 {
		t.Errorf("code %d\n%s%s", code, stdout, stderr)
	}
	wantShouted(t, "in.txt", "in.txt.out")
}

func TestWholeLines(t *testing.T) {
	for text, want := range map[string]int64{
		"": 0, "a": 0, "a\n": 2, "a\nb": 2, "a\r\n": 3, "a\r": 0, "a\rb": 2, "a\nb\r": 2,
		"\n" + strings.Repeat("x", 200_000): 1,
		strings.Repeat("x", 65536) + "\n":   65537,
		strings.Repeat("x\n", 100_000):      200_000,
	} {
		got, err := wholeLines(strings.NewReader(text), int64(len(text)))
		if err != nil || got != want {
			t.Errorf("whole lines of %.10q… end at %d, %v, want %d", text, got, err, want)
		}
	}
}

func TestThousands(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1000: "-1,000", -100: "-100"} {
		if got := thousands(n); got != want {
			t.Errorf("thousands(%d) = %s, want %s", n, got, want)
		}
	}
}
