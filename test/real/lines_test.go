//go:build real

package real

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gokconnect/connect/test/kafka"
	"github.com/twmb/franz-go/pkg/kgo"
)

// line is the text of record n. All that is sent are lines, numbered from 0, so that what arrives can be checked.
func line(n int) string {
	return fmt.Sprintf("line %08d of a test of what gets lost and what comes twice.", n)
}

// number returns the n of a line.
func number(text string) (int, error) {
	if len(text) > 13 {
		if n, err := strconv.Atoi(text[5:13]); err == nil && text == line(n) {
			return n, nil
		}
	}
	return 0, fmt.Errorf("%q is none of the lines that were written", text)
}

// appendLines appends lines from up to, but not including, to.
func appendLines(t *testing.T, path string, from, to int) {
	t.Helper()
	if err := writeLines(path, from, to); err != nil {
		t.Fatal(err)
	}
}

func writeLines(path string, from, to int) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(f)
	for n := from; n < to; n++ {
		w.WriteString(line(n)) // the error comes with Flush
		w.WriteByte('\n')
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Close()
}

// load writes lines until it is told to end.
type load struct {
	stop func()
	mu   sync.Mutex
	n    int
	err  error
	done chan struct{}
}

// newLoad appends about perSecond lines each second to a file.
func newLoad(t *testing.T, path string, perSecond int) *load {
	return newFlow(t, perSecond, func(from, to int) error { return writeLines(path, from, to) })
}

// newFlow has about perSecond lines written each second: from up to, but not including, to.
func newFlow(t *testing.T, perSecond int, write func(from, to int) error) *load {
	ctx, cancel := context.WithCancel(context.Background())
	l := &load{stop: cancel, done: make(chan struct{})}
	go func() {
		defer close(l.done)
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for n := 0; ; {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			next := n + perSecond/50
			err := write(n, next)
			n = next
			l.mu.Lock()
			l.n, l.err = n, err
			l.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() { cancel(); <-l.done })
	return l
}

// end ends the load and returns how many lines there are.
func (l *load) end(t *testing.T) int {
	t.Helper()
	l.stop()
	<-l.done
	if l.err != nil {
		t.Fatal(l.err)
	}
	return l.n
}

// written returns how many lines there are so far.
func (l *load) written() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.n
}

// arrived is what arrived: line numbers by partition, in order.
type arrived map[int32][]int

// check checks that lines 0 to n-1 arrived, each once or more, and that within each partition those that arrived for the
// first time came in order. It returns how many came again.
func (a arrived) check(n int) (duplicates int, err error) {
	seen, total := make(map[int]bool, n), 0
	for p, numbers := range a {
		last, here := -1, make(map[int]bool)
		for at, i := range numbers {
			total++
			seen[i] = true
			if here[i] {
				continue
			}
			if here[i] = true; i < last {
				return 0, fmt.Errorf("partition %d: at %d, line %d comes for the first time, but after line %d", p, at, i, last)
			}
			last = i
		}
	}
	for i := range n {
		if !seen[i] {
			return 0, fmt.Errorf("line %d is lost (%d of %d arrived)", i, len(seen), n)
		}
	}
	if len(seen) > n {
		return 0, fmt.Errorf("%d lines arrived, only %d were written", len(seen), n)
	}
	return total - n, nil
}

// checked fails the test unless all of n lines arrived in order, and returns the number of duplicates.
func (a arrived) checked(t *testing.T, what string, n int) int {
	t.Helper()
	duplicates, err := a.check(n)
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	t.Logf("%s: %d lines, %d duplicates", what, n, duplicates)
	return duplicates
}

// once fails the test unless all of n lines arrived once and in order.
func (a arrived) once(t *testing.T, what string, n int) {
	t.Helper()
	if d := a.checked(t, what, n); d != 0 {
		t.Fatalf("%s: %d lines came twice", what, d)
	}
}

// sinkFile is a file that a sink writes from a topic with one partition. A kill may cut the last write of a sink, here as with
// Kafka Connect: then the line that follows stands behind a piece of another. Such pieces are counted.
type sinkFile struct {
	path    string
	read    int64 // so far, of complete lines
	numbers []int
	seen    map[int]bool
	torn    int
}

func newSinkFile(path string) *sinkFile { return &sinkFile{path: path, seen: make(map[int]bool)} }

// more reads what the file has more by now.
func (f *sinkFile) more(t *testing.T) {
	t.Helper()
	file, err := os.Open(f.path)
	if os.IsNotExist(err) {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.Seek(f.read, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(file)
	if err != nil {
		t.Fatal(err)
	}
	for text := string(b); ; {
		one, rest, complete := strings.Cut(text, "\n")
		if !complete {
			return
		}
		text = rest
		f.read += int64(len(one)) + 1
		n, err := number(one)
		if full := len(line(0)); err != nil && len(one) > full {
			n, err = number(one[len(one)-full:])
			f.torn++
		}
		if err != nil {
			t.Fatalf("%s: %v", f.path, err)
		}
		f.numbers = append(f.numbers, n)
		f.seen[n] = true
	}
}

// count reads on and returns how many different lines there are.
func (f *sinkFile) count(t *testing.T) int {
	t.Helper()
	f.more(t)
	return len(f.seen)
}

// watch follows a topic.
type watch struct {
	mu    sync.Mutex
	lines arrived
	seen  map[int]bool
	err   error
}

func watchTopic(t *testing.T, c *kafka.Cluster, topic string, opts ...kgo.Opt) *watch {
	t.Helper()
	w := &watch{lines: make(arrived), seen: make(map[int]bool)}
	cl := client(t, c, append([]kgo.Opt{kgo.ConsumeTopics(topic), kgo.ConsumeStartOffset(kgo.NewOffset().AtStart())}, opts...)...)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			fetches := cl.PollFetches(context.Background())
			if fetches.IsClientClosed() {
				return
			}
			w.mu.Lock()
			fetches.EachRecord(func(r *kgo.Record) {
				n, err := number(string(r.Value))
				if err != nil {
					w.err = err
				}
				w.lines[r.Partition] = append(w.lines[r.Partition], n)
				w.seen[n] = true
			})
			w.mu.Unlock()
		}
	}()
	t.Cleanup(func() { cl.Close(); <-done })
	return w
}

// until waits until n different lines are in the topic, and returns what is there.
func (w *watch) until(t *testing.T, n int) arrived {
	t.Helper()
	var have int
	defer func() {
		if have < n {
			t.Logf("%d of %d lines are in the topic", have, n)
		}
	}()
	await(t, fmt.Sprintf("%d lines in the topic", n), func() bool {
		have = w.distinct(t)
		return have >= n
	})
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.lines
}

func (w *watch) distinct(t *testing.T) int {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		t.Fatal(w.err)
	}
	return len(w.seen)
}

// fileUntil waits until n different lines are in a file, and returns what is there.
func fileUntil(t *testing.T, path string, n int) arrived {
	t.Helper()
	var have int
	defer func() {
		if have < n {
			t.Logf("%d of %d lines are in %s", have, n, path)
		}
	}()
	f := newSinkFile(path)
	await(t, fmt.Sprintf("%d lines in %s", n, path), func() bool {
		have = f.count(t)
		return have >= n
	})
	if f.torn > 0 {
		t.Logf("%d writes were cut", f.torn)
	}
	return arrived{0: f.numbers}
}

// produce sends lines from up to, but not including, to; line n goes to partition n modulo partitions.
func produce(t *testing.T, c *kafka.Cluster, topic string, partitions, from, to int) {
	t.Helper()
	cl := client(t, c, kgo.RecordPartitioner(kgo.ManualPartitioner()))
	for n := from; n < to; n++ {
		cl.Produce(t.Context(), &kgo.Record{Topic: topic, Partition: int32(n % partitions), Value: []byte(line(n))}, func(_ *kgo.Record, err error) {
			if err != nil {
				t.Error(err)
			}
		})
	}
	if err := cl.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}
