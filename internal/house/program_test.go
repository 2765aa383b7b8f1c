package house

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The budget of a program that embeds the runtime.
const (
	maxModules = 12
	maxSize    = 15<<20 + 512<<10 // bytes, stripped: the aim is 15 MiB, which metrics, traces, exactly-once delivery and replays have used up
)

// minimal is the least that a program has to say to run a connector.
const minimal = `package main

import (
	"context"
	"log"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/cluster"
)

func write(ctx context.Context, records []connect.SinkRecord) error { return nil }

func main() {
	rt, err := cluster.New(cluster.Config{Brokers: []string{"localhost:9092"}, GroupID: "audit"})
	if err != nil {
		log.Fatal(err)
	}
	if err := rt.Add(cluster.Sink{Name: "audit", Connector: connect.SinkFunc(write), Topics: []string{"orders"}}); err != nil {
		log.Fatal(err)
	}
	log.Fatal(rt.Run(context.Background()))
}
`

// Who embeds the runtime pays for what it brings: in what has to be reviewed, and in the size of the program.
func TestBudgetOfAnEmbeddingProgram(t *testing.T) {
	dir := t.TempDir()
	source, binary := filepath.Join(dir, "main.go"), filepath.Join(dir, "program")
	if err := os.WriteFile(source, []byte(minimal), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Setenv("CGO_ENABLED", "0") // as it is built for a container: whatever C compiler there is, wherever the sources are
	command(t, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", binary, source)
	var modules []string
	for line := range strings.Lines(string(command(t, "go", "version", "-m", binary))) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == "dep" && f[1] != module {
			modules = append(modules, f[1])
		}
	}
	if len(modules) == 0 {
		t.Fatal("the program names no modules")
	}
	if len(modules) > maxModules {
		t.Errorf("a minimal program brings %d modules, at most %d are allowed:\n\t%s", len(modules), maxModules, strings.Join(modules, "\n\t"))
	}
	info, err := os.Stat(binary)
	if err != nil {
		t.Fatal(err)
	}
	if info.Size() > maxSize {
		t.Errorf("a minimal program has %d bytes, at most %d are allowed", info.Size(), maxSize)
	}
	t.Logf("%d modules, %.1f MiB", len(modules), float64(info.Size())/(1<<20))
}
