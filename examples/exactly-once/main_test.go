package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/cluster"
	"github.com/gokconnect/connect/connecttest"
	"github.com/gokconnect/connect/connecttest/kafkatest"
)

// values returns what is in the files of a folder, file by file.
func values(t testing.TB, dir string) (all []string) {
	files, err := filepath.Glob(filepath.Join(dir, "*.ledger"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			_, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
			all = append(all, value)
		}
	}
	return all
}

// harness has what the suite for sink connectors needs.
type harness string

func (h harness) Connector() connect.SinkConnector { return new(Ledger) }
func (h harness) Config() connect.Config           { return connect.Config{"dir": string(h), "topics": "t"} }
func (h harness) Read(t testing.TB) (all []any) {
	for _, v := range values(t, string(h)) {
		all = append(all, v)
	}
	return all
}

func TestLedgerContract(t *testing.T) {
	connecttest.TestSink(t, func(t testing.TB) connecttest.SinkHarness { return harness(t.TempDir()) })
}

// TestLedgerRepairs: a line that was half written is cut off, and written again.
func TestLedgerRepairs(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "t-0.ledger")
	if err := os.WriteFile(path, []byte("0\ta\n7\tb\n8\t"), 0o666); err != nil {
		t.Fatal(err)
	}
	task := new(Ledger).NewTask().(*ledgerTask)
	if err := task.Start(t.Context(), nil, connect.Config{"dir": dir}); err != nil {
		t.Fatal(err)
	}
	tp := connect.TopicPartition{Topic: "t"}
	offsets, err := task.CommittedOffsets(t.Context(), []connect.TopicPartition{tp})
	if err != nil || offsets[tp] != 8 {
		t.Fatalf("%v %v", offsets, err)
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != "0\ta\n7\tb\n" {
		t.Errorf("%q %v", got, err)
	}
}

// TestRun: the program is started again and again, and every number is in the ledger once.
func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, dir := kafkatest.New(t), t.TempDir()
		k.CreateTopic("transfers", 1)
		for range 3 {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			if err := run(ctx, cluster.Config{Brokers: k.Brokers(), Client: k.ClientOpts(), GroupID: "ledger"}, dir); err != nil {
				t.Error(err)
			}
			cancel()
		}
		got := values(t, dir)
		for i, v := range got {
			if v != fmt.Sprint(i+1) {
				t.Fatalf("line %d is %s: %v", i, v, got[max(i-2, 0):min(i+3, len(got))])
			}
		}
		if len(got) < 10_000 || slices.Contains(got, "") {
			t.Errorf("only %d lines", len(got))
		}
	})
}
