package conformance_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gokconnect/connect/internal/conformance"
)

// playScenario is one scenario of runtime/: what to do and what the real Kafka Connect did.
type playScenario struct {
	ID         string
	Worker     string
	Properties map[string]string `json:"workerProperties"`
	Connectors []string
	Steps      []playStep
	Capture    struct {
		Topics        []string
		ReadCommitted []string
		Groups        []string
		Describe      []string
		OffsetsTopics []string
		OffsetHistory bool
		Logs          string
	}
	Expect playExpected

	Collapse, MergePuts, SortPuts, SortOther, KeepEmptyPuts, NoOffsets, SortRecords, DropIdleCommits, EOS bool
	Ignore                                                                                                []string
	Nondeterministic                                                                                      string
	ErrorsOnly                                                                                            bool
}

// playExpected is what was seen.
type playExpected struct {
	Responses []struct {
		Step   int
		Status int
		Body   any
	}
	Trace []struct {
		Phase     string
		Instances map[string]map[string][]map[string]any
	}
	Topics, ReadCommitted map[string]map[string][]map[string]any
	Config                []playRecord
	Status                map[string][]*string
	Offsets               map[string]map[string][]*string
	Committed             map[string]map[string]any
	Describe              map[string]any
	Logs                  []map[string]any
}

// playRecord is a record of the config topic.
type playRecord struct {
	Key   string
	Value *string
}

// playStep is one step; one of its members is set.
type playStep struct {
	REST *struct {
		Method, Path, Worker string
		Body                 json.RawMessage
	}
	CreateTopic *struct {
		Name       string
		Partitions int32
		Config     map[string]string
	}
	DeleteTopic   *string
	AddPartitions *struct {
		Name string
		To   int
	}
	DeleteRecords *struct {
		Partition string
		Before    int64
	}
	Produce *struct {
		Topic   string
		Records []struct {
			Partition  int32
			Key, Value any
			Timestamp  *int64
			Headers    [][2]any
		}
	}
	Gate   *string
	Sleep  *int
	Mark   *string
	Worker *struct {
		Op, Name, Like string
		Props          map[string]string
	}
	Wait    *playWait
	Timeout int
}

// playWait is what a step waits for; one of its members is set, and its own timeout perhaps.
type playWait struct {
	Trace *struct {
		M, Connector, Inst, Has string
		Count                   int
	}
	Status *struct {
		Name, Connector, Worker string
		Tasks                   *[]string
	}
	Gone  *string
	Topic *struct {
		Name      string
		Count     int
		Committed bool
	}
	Committed *struct {
		Group   string
		Offsets map[string]any
	}
	Config, StatusTopic *struct {
		Key, Has string
		Count    int
	}
	Offset *struct {
		Key, Topic string
		Value      *string
	}
	Group *struct {
		Group, Name, State string
		Members            int
	}
	Timeout int
}

// readPlay returns the scenario of a file.
func readPlay(t *testing.T, name string) *playScenario {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if strings.HasSuffix(name, ".gz") {
		z, err := gzip.NewReader(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		if b, err = io.ReadAll(z); err != nil {
			t.Fatal(err)
		}
	}
	var s playScenario
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if err := d.Decode(&s); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return &s
}

// TestRuntime plays every scenario of runtime/ against workers and a Kafka in memory, in virtual time.
func TestRuntime(t *testing.T) {
	for _, file := range conformance.Files(t, "runtime/*.json") {
		id := strings.TrimSuffix(strings.TrimSuffix(filepath.Base(file), ".gz"), ".json")
		t.Run(strings.TrimPrefix(id, "runtime."), func(t *testing.T) {
			if reason := notYet(id); reason != "" && os.Getenv("RUNTIME_ALL") == "" {
				t.Skip(reason)
			}
			t.Parallel()
			s := readPlay(t, file)
			synctest.Test(t, func(t *testing.T) {
				w := newMemoryWorld(t, s)
				playAll(t, w, s)
			})
		})
	}
}

// playAll plays a scenario and compares what was seen.
func playAll(t *testing.T, w *playWorld, s *playScenario) {
	began := time.Now()
	for i := range s.Steps {
		w.step(i, &s.Steps[i])
		if t.Failed() {
			break
		}
	}
	<-time.After(time.Second) // what was said last is still on its way to the topics
	w.compare()
	w.end()
	if t.Failed() {
		w.explain()
		t.Logf("after %v", time.Since(began))
	}
}
