// Command table reads the output of go test -json ./internal/conformance on its standard input, and prints the table of
// docs/conformance.md: for each file of vectors how many cases it has, how many pass, and why others are skipped.
package main

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gokconnect/connect/internal/conformance"
)

// event is a line of go test -json.
type event struct{ Action, Test, Output string }

// outcome is what became of one case.
type outcome struct{ passed, failed, skipped int }

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "table:", err)
		os.Exit(1)
	}
}

func run() error {
	outcomes, reasons, err := readEvents(os.Stdin)
	if err != nil {
		return err
	}
	fmt.Println("| File | Cases | Pass | Skipped | Failed | Not run here |\n| --- | --- | --- | --- | --- | --- |")
	for _, folder := range []string{"control", "data/*"} {
		files, err := filepath.Glob(filepath.Join("internal", "conformance", conformance.Dir(), folder, "*.jsonl.gz"))
		if err != nil {
			return err
		}
		for _, file := range files {
			if err := row(file, outcomes, reasons); err != nil {
				return err
			}
		}
	}
	return nil
}

// readEvents returns the outcomes and the reasons of skips by the id of the case.
func readEvents(r io.Reader) (map[string]*outcome, map[string]string, error) {
	outcomes, reasons := make(map[string]*outcome), make(map[string]string)
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		var e event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return nil, nil, err
		}
		id := e.Test[strings.LastIndexByte(e.Test, '/')+1:]
		o := outcomes[id]
		if o == nil {
			o = new(outcome)
			outcomes[id] = o
		}
		switch e.Action {
		case "pass":
			o.passed++
		case "fail":
			o.failed++
		case "skip":
			o.skipped++
		case "output":
			if _, reason, ok := strings.Cut(e.Output, ".go:"); ok {
				_, reason, _ = strings.Cut(reason, ": ")
				reasons[id] = strings.TrimSpace(reason)
			}
		}
	}
	return outcomes, reasons, lines.Err()
}

func row(file string, outcomes map[string]*outcome, reasons map[string]string) error {
	ids, err := readIDs(file)
	if err != nil {
		return err
	}
	var passed, failed, none int
	why := make(map[string]int)
	for _, id := range ids {
		switch o := outcomes[strings.ReplaceAll(id, " ", "_")]; {
		case o == nil:
			none++
		case o.failed > 0:
			failed++
		case o.passed > 0:
			passed++
		default:
			why[reasons[id]]++
		}
	}
	var skipped []string
	for _, reason := range slices.Sorted(maps.Keys(why)) {
		skipped = append(skipped, fmt.Sprintf("%d: %s", why[reason], reason))
	}
	name := strings.TrimSuffix(filepath.Base(file), ".jsonl.gz")
	fmt.Printf("| %s/%s | %d | %d | %s | %d | %d |\n", filepath.Base(filepath.Dir(file)), name, len(ids), passed, strings.Join(skipped, "; "), failed, none)
	return nil
}

func readIDs(file string) (ids []string, err error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		var c struct{ ID string }
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		ids = append(ids, c.ID)
	}
	return ids, lines.Err()
}
