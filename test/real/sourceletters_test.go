//go:build real

package real

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/gokconnect/connect/test/kafka"
	"github.com/twmb/franz-go/pkg/kgo"
)

// letterSource is a source of a file some of whose lines become dead letters.
type letterSource struct {
	name, connector, file string
	config                properties
	text                  func(n int) string               // of line n in the file
	fails                 func(n int) bool                 // whether it becomes a letter
	value                 func(r *kgo.Record) (int, error) // which line a record of its topic is
	letter                func(t *testing.T, n int, l *kgo.Record)

	load           *load
	topic, letters *topicReader
}

const (
	largest = 20_000 // max.request.size
	padding = 30_000 // of lines that are larger
)

// letterSources are one whose transformation fails for some records, and one some of whose records are larger than a producer takes.
func letterSources() []*letterSource {
	refused := func(n int) bool { return n%10 == 3 }
	large := func(n int) bool { return n%50 == 7 }
	return []*letterSource{{
		name: "refused", fails: refused,
		config: properties{"transforms": "cast", "transforms.cast.type": "org.apache.kafka.connect.transforms.Cast$Value", "transforms.cast.spec": "int32"},
		text: func(n int) string {
			if refused(n) {
				return line(n)
			}
			return fmt.Sprint(n)
		},
		value: func(r *kgo.Record) (int, error) { return strconv.Atoi(string(r.Value)) },
		letter: func(t *testing.T, n int, l *kgo.Record) {
			if want := fmt.Sprintf(`{"schema":{"type":"string","optional":false},"payload":%q}`, line(n)); string(l.Value) != want {
				t.Errorf("letter %d: %s, want %s", l.Offset, l.Value, want)
			}
			wantHeaders(t, l, map[string]string{"stage": "TRANSFORMATION", "class.name": "org.apache.kafka.connect.transforms.Cast$Value", "key.format": "json", "value.format": "json",
				"exception.class.name": "org.apache.kafka.connect.errors.DataException"})
		},
	}, {
		name: "large", fails: large,
		config: properties{"producer.override.max.request.size": fmt.Sprint(largest)},
		text: func(n int) string {
			if large(n) {
				return line(n) + strings.Repeat(".", padding)
			}
			return line(n)
		},
		value: func(r *kgo.Record) (int, error) { return number(string(r.Value)) },
		letter: func(t *testing.T, n int, l *kgo.Record) {
			if l.Value != nil {
				t.Errorf("letter %d has a value of %d bytes", l.Offset, len(l.Value))
			}
			wantHeaders(t, l, map[string]string{"stage": "KAFKA_PRODUCE", "key.format": "converted", "value.format": "omitted", "exception.class.name": "org.apache.kafka.common.errors.RecordTooLargeException"})
		},
	}}
}

// begin writes the file, as the load goes on, and makes the connector.
func (s *letterSource) begin(t *testing.T, c *kafka.Cluster, w *kafka.Connect, name string) {
	t.Helper()
	s.connector, s.file = name+"-"+s.name, filepath.Join(t.TempDir(), s.name)
	s.load = newFlow(t, 500, func(from, to int) error {
		f, err := os.OpenFile(s.file, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
		if err != nil {
			return err
		}
		b := bufio.NewWriter(f)
		for n := from; n < to; n++ {
			b.WriteString(s.text(n) + "\n") // the error comes with Flush
		}
		if err := b.Flush(); err != nil {
			return err
		}
		return f.Close()
	})
	dead := s.connector + "-dead"
	s.topic, s.letters = newTopicReader(t, c, makeTopic(t, c, s.name, 1)), newTopicReader(t, c, dead)
	cfg := sourceOf(s.file, s.topic.topic)
	maps.Copy(cfg, s.config)
	maps.Copy(cfg, properties{"name": s.connector, "errors.tolerance": "all", "errors.deadletterqueue.topic.name": dead,
		"errors.deadletterqueue.topic.replication.factor": "1", "errors.deadletterqueue.context.headers.enable": "true"})
	request(t, w, http.MethodPut, "/connectors/"+s.connector+"/config", cfg)
}

// check wants each line once, or up to most times, in order, as a record or as a letter: never as both.
func (s *letterSource) check(t *testing.T, n, most int) {
	t.Helper()
	records, letters := make(map[int]int), make(map[int]int)
	last := -1
	for _, r := range s.topic.all(t) {
		i, err := s.value(r)
		if err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
		if records[i]++; records[i] == 1 && i < last {
			t.Errorf("%s: line %d comes for the first time, but after line %d", s.name, i, last)
		} else if records[i] == 1 {
			last = i
		}
	}
	behind, at := make(map[string]int, n), 0 // the line before each offset
	for i := range n {
		at += len(s.text(i)) + 1
		behind[fmt.Sprintf(`{"position":%d}`, at)] = i
	}
	last = -1
	for _, l := range s.letters.all(t) {
		i, ok := behind[header(l, "__connect.errors.source.offset")]
		if !ok {
			t.Fatalf("%s: letter %d is at %s, where no line ends", s.name, l.Offset, header(l, "__connect.errors.source.offset"))
		}
		if letters[i]++; letters[i] == 1 && i < last {
			t.Errorf("%s: the letter of line %d comes for the first time, but after that of line %d", s.name, i, last)
		} else if letters[i] == 1 {
			last = i
		}
		s.letter(t, i, l)
		wantHeaders(t, l, map[string]string{"topic": s.topic.topic, "connector.name": s.connector, "task.id": "0", "source.partition": fmt.Sprintf(`{"filename":%q}`, s.file)})
	}
	again := wantTimes(t, s.name+", records", n, records, func(i int) (int, int) {
		if s.fails(i) {
			return 0, 0
		}
		return 1, most
	})
	again += wantTimes(t, s.name+", letters", n, letters, func(i int) (int, int) {
		if s.fails(i) {
			return 1, most
		}
		return 0, 0
	})
	t.Logf("%s: %d lines, %d letters, %d came again as either", s.name, n, len(letters), again)
}

// Records of sources that a transformation or the producer refuses are letters, whether the worker is killed under load or not:
// at least once, or exactly once for a reader of committed records.
func TestDeadLettersOfSources(t *testing.T) {
	for mode, most := range map[string]int{"disabled": 2, "enabled": 1} { // how often a line comes at most, with one kill
		t.Run("exactly once "+mode, func(t *testing.T) {
			t.Parallel()
			c, name := broker(t), strings.NewReplacer("/", "-", "_", "-").Replace(t.Name())
			lap := laps(t)
			w := startMember(t, c, ourWorker, name, properties{"exactly.once.source.support": mode, "producer.transaction.timeout.ms": "10000"})
			sources := letterSources()
			for _, s := range sources {
				s.begin(t, c, w, name)
			}
			goesOn := func() {
				t.Helper()
				for _, s := range sources {
					records, letters := len(s.topic.all(t))+500, len(s.letters.all(t))+10
					await(t, "records and letters", func() bool { return len(s.topic.all(t)) >= records && len(s.letters.all(t)) >= letters })
				}
			}
			goesOn()
			lap("the start")
			w.Kill()
			if err := w.Start(); err != nil {
				t.Fatal(err)
			}
			goesOn()
			lap("killed and back")
			lines := make([]int, len(sources))
			for i, s := range sources {
				lines[i] = s.load.end(t)
			}
			for i, s := range sources {
				awaitState(t, w, s.connector, "RUNNING", 1)
				await(t, "the end of "+s.name, func() bool {
					var o struct {
						Offsets []struct {
							Offset struct{ Position int } `json:"offset"`
						} `json:"offsets"`
					}
					if err := json.Unmarshal(request(t, w, http.MethodGet, "/connectors/"+s.connector+"/offsets", nil), &o); err != nil {
						t.Fatal(err)
					}
					size := 0
					for n := range lines[i] {
						size += len(s.text(n)) + 1
					}
					return len(o.Offsets) == 1 && o.Offsets[0].Offset.Position == size
				})
			}
			for i, s := range sources {
				s.check(t, lines[i], most)
			}
			if err := w.Stop(); err != nil {
				t.Fatal(err)
			}
			lap("the rest")
		})
	}
}
