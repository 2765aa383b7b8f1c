package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/gokconnect/connect/test/kafka"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// workload is a direction: from a file to a topic or back.
type workload struct {
	name   string
	budget float64 // share of the records per CPU second of the bare loop
}

const (
	fileToTopic = "file-to-topic"
	topicToFile = "topic-to-file"
)

var workloads = []workload{{fileToTopic, 0.5}, {topicToFile, 0.6}}

// cost is what one process needed.
type cost struct {
	wall, cpu float64 // seconds
	peak      float64 // MiB, of a worker
}

// throughput moves the same records by the worker and by the bare loop.
func (b *bench) throughput(ctx context.Context) error {
	fmt.Printf("%-14s %-8s %12s %14s %10s %s  (medians of %d rounds, %d records of %d bytes)\n",
		"workload", "by", "records/s", "records/CPU-s", "peak MiB", "of loop", b.rounds, b.records, lineSize)
	input := filepath.Join(b.dir, "lines")
	if err := writeLines(input, b.records); err != nil {
		return err
	}
	if err := b.topic(ctx, "bench-lines"); err != nil {
		return err
	}
	if err := bare(ctx, fileToTopic, b.bootstrap, input, "bench-lines", b.records); err != nil {
		return err
	}
	for _, w := range workloads {
		perSecond, perCPU, peak := map[string][]float64{}, map[string][]float64{}, map[string][]float64{}
		for round := range b.rounds + 1 {
			for _, by := range []string{"loop", "worker"} {
				c, err := b.round(ctx, w, by, fmt.Sprintf("%s-%s-%d", w.name, by, round), input)
				if err != nil {
					return fmt.Errorf("%s by %s: %w", w.name, by, err)
				}
				if round > 0 {
					n := float64(b.records)
					perSecond[by], perCPU[by], peak[by] = append(perSecond[by], n/c.wall), append(perCPU[by], n/c.cpu), append(peak[by], c.peak)
				}
			}
		}
		share := median(perCPU["worker"]) / median(perCPU["loop"])
		for _, by := range []string{"loop", "worker"} {
			fmt.Printf("%-14s %-8s %12.0f %14.0f", w.name, by, median(perSecond[by]), median(perCPU[by]))
			if by == "worker" {
				fmt.Printf(" %10.1f   %.0f %%", median(peak[by]), 100*share)
			}
			fmt.Println()
		}
		b.budget(share >= w.budget, "%s: %.0f %% of the bare loop's records per CPU second, want %.0f %%", w.name, 100*share, 100*w.budget)
	}
	fmt.Println()
	return nil
}

// round runs one process until all records have arrived.
func (b *bench) round(ctx context.Context, w workload, by, name, input string) (cost, error) {
	from, to := input, "bench-"+name
	arrived := func() (int, error) { return b.endOffset(ctx, to) }
	if w.name == topicToFile {
		from, to = "bench-lines", filepath.Join(b.dir, name)
		arrived = lineCounter(to)
	} else if err := b.topic(ctx, to); err != nil {
		return cost{}, err
	}
	defer func() {
		if w.name == topicToFile {
			os.Remove(to)
		} else if _, err := b.admin.DeleteTopic(ctx, to); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
		}
	}()
	if by == "loop" {
		return b.finish(ctx, []string{b.self, "-loop", w.name, "-bootstrap", b.bootstrap, "-records", strconv.Itoa(b.records), "-in", from, "-out", to}, name, nil)
	}
	config := []string{"name=" + name, "connector.class=FileStreamSource", "file=" + from, "topic=" + to, "tasks.max=1"}
	if w.name == topicToFile {
		config = []string{"name=" + name, "connector.class=FileStreamSink", "topics=" + from, "file=" + to, "tasks.max=1"}
	}
	argv, err := b.workerCommand(name, config)
	if err != nil {
		return cost{}, err
	}
	return b.finish(ctx, argv, name, func() (bool, error) {
		n, err := arrived()
		return n >= b.records, err
	})
}

// workerCommand writes the properties of a standalone worker with one connector, and returns its command line.
func (b *bench) workerCommand(name string, connectors ...[]string) ([]string, error) {
	dir := filepath.Join(b.dir, name+"-worker")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	write := func(file string, lines []string) (string, error) {
		var text bytes.Buffer
		for _, l := range lines {
			fmt.Fprintln(&text, l)
		}
		path := filepath.Join(dir, file)
		return path, os.WriteFile(path, text.Bytes(), 0o644)
	}
	ports, err := kafka.FreePorts(1)
	if err != nil {
		return nil, err
	}
	worker, err := write("worker.properties", []string{fmt.Sprintf("listeners=http://127.0.0.1:%d", ports[0]), "bootstrap.servers=" + b.bootstrap, "offset.storage.file.filename=" + filepath.Join(dir, "offsets"),
		"offset.flush.interval.ms=1000", "key.converter=org.apache.kafka.connect.storage.StringConverter",
		"value.converter=org.apache.kafka.connect.storage.StringConverter"})
	if err != nil {
		return nil, err
	}
	argv := []string{b.worker, worker}
	for i, c := range connectors {
		path, err := write(fmt.Sprintf("connector-%d.properties", i+1), c)
		if err != nil {
			return nil, err
		}
		argv = append(argv, path)
	}
	return argv, nil
}

// finish runs a process until done, or, without done, until it ends by itself, and returns what it needed.
func (b *bench) finish(ctx context.Context, argv []string, name string, done func() (bool, error)) (c cost, err error) {
	p := &kafka.Process{Dir: filepath.Join(b.dir, name+"-run"), Argv: argv}
	began := time.Now()
	if err := p.Start(); err != nil {
		return cost{}, err
	}
	defer p.Kill()
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	var wall time.Duration
	if done != nil {
		var last error
		if err := kafka.Poll(ctx, func() bool {
			ok, err := done()
			last = err
			return ok || err != nil || !p.Running()
		}); err != nil {
			return cost{}, err
		}
		wall = time.Since(began)
		if last != nil || !p.Running() {
			return cost{}, errors.Join(last, fmt.Errorf("log:\n%s", p.Tail()))
		}
		if c.peak, err = memoryMiB(p.Pid(), "VmHWM:"); err != nil {
			return cost{}, err
		}
		if err := p.Stop(); err != nil {
			return cost{}, err
		}
	}
	state, err := p.Wait(ctx)
	switch {
	case err != nil:
		return cost{}, err
	case !state.Success():
		return cost{}, fmt.Errorf("%v:\n%s", state, p.Tail())
	case done == nil:
		wall = time.Since(began)
	}
	c.wall, c.cpu = wall.Seconds(), (state.UserTime() + state.SystemTime()).Seconds()
	return c, nil
}

// bare moves n records with nothing but a Kafka client. It collects garbage as seldom as the worker does.
func bare(ctx context.Context, name, bootstrap, in, out string, n int) error {
	debug.SetGCPercent(250)
	opts := []kgo.Opt{kgo.SeedBrokers(bootstrap)}
	if name == topicToFile {
		opts = append(opts, kgo.ConsumeTopics(in), kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()))
	}
	cl, err := kgo.NewClient(opts...)
	if err != nil {
		return err
	}
	defer cl.Close()
	if name == fileToTopic {
		f, err := os.Open(in)
		if err != nil {
			return err
		}
		defer f.Close()
		failed := make(chan error, 1)
		lines := bufio.NewScanner(bufio.NewReaderSize(f, 1<<16))
		for lines.Scan() {
			cl.Produce(ctx, &kgo.Record{Topic: out, Value: bytes.Clone(lines.Bytes())}, func(_ *kgo.Record, err error) {
				if err != nil {
					select {
					case failed <- err:
					default:
					}
				}
			})
		}
		if err := errors.Join(lines.Err(), cl.Flush(ctx)); err != nil {
			return err
		}
		select {
		case err := <-failed:
			return err
		default:
			return nil
		}
	}
	f, err := os.Create(out)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<16)
	for got := 0; got < n; {
		fetches := cl.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return err
		}
		fetches.EachRecord(func(r *kgo.Record) {
			w.Write(r.Value) // the error comes with Flush
			w.WriteByte('\n')
			got++
		})
	}
	return errors.Join(w.Flush(), f.Close())
}

// line appends line n, with its end.
func line(b []byte, n int) []byte {
	end := len(b) + lineSize - 1
	b = fmt.Appendf(b, "%012d ", n)
	for len(b) < end {
		b = append(b, "abcdefghijklmnopqrstuvwxyz"[(n+len(b))%26])
	}
	return append(b, '\n')
}

func writeLines(path string, n int) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w, buf := bufio.NewWriterSize(f, 1<<20), []byte(nil)
	for i := range n {
		buf = line(buf[:0], i)
		w.Write(buf) // the error comes with Flush
	}
	return errors.Join(w.Flush(), f.Close())
}

// endOffset returns how many records a topic has.
func (b *bench) endOffset(ctx context.Context, topic string) (n int, err error) {
	ends, err := b.admin.ListEndOffsets(ctx, topic)
	ends.Each(func(o kadm.ListedOffset) { n += int(max(o.Offset, 0)) })
	return n, err
}

// lineCounter counts the lines of a growing file. Each call reads what is new only.
func lineCounter(path string) func() (int, error) {
	var at int64
	lines, buf := 0, make([]byte, 1<<20)
	return func() (int, error) {
		f, err := os.Open(path)
		if errors.Is(err, os.ErrNotExist) {
			return 0, nil
		} else if err != nil {
			return 0, err
		}
		defer f.Close()
		for {
			n, err := f.ReadAt(buf, at)
			lines, at = lines+bytes.Count(buf[:n], []byte{'\n'}), at+int64(n)
			if errors.Is(err, io.EOF) {
				return lines, nil
			} else if err != nil {
				return 0, err
			}
		}
	}
}
