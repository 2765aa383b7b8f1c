//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package main

import (
	"strings"
	"testing"
)

func TestFolderInUse(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "in.txt", 1)
	_, stop, err := startKafka("quickstart-data", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	if code, _, stderr := call(t, "in.txt"); code != 1 || !strings.Contains(stderr, "in use by another run") {
		t.Errorf("code %d, stderr %q", code, stderr)
	}
}
