package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/cluster"
	"github.com/gokconnect/connect/offsets"
	"github.com/gokconnect/connect/test/kafka"
)

// start measures the time from New to the first record that Kafka has acknowledged, and to the first that a sink has.
func (b *bench) start(ctx context.Context) error {
	if err := b.topic(ctx, "bench-start"); err != nil {
		return err
	}
	var toKafka, toSink []float64
	for round := range b.rounds + 1 {
		k, s, err := b.firstRecord(ctx, round)
		if err != nil {
			return err
		}
		if round > 0 {
			toKafka, toSink = append(toKafka, k), append(toSink, s)
		}
	}
	k, s := median(toKafka), median(toSink)
	fmt.Printf("from New to the first record: acknowledged by Kafka %.0f ms, put into a sink %.0f ms (median of %d; the topic is there)\n\n", k, s, b.rounds)
	b.budget(k <= 100, "first record acknowledged after %.0f ms, want 100 ms", k)
	b.budget(s <= 100, "first record put after %.0f ms, want 100 ms", s)
	return nil
}

// firstRecord runs a runtime with a source, and then one with a sink, and returns milliseconds until the first record.
func (b *bench) firstRecord(ctx context.Context, round int) (toKafka, toSink float64, err error) {
	first := make(chan struct{}, 1)
	note := func() {
		select {
		case first <- struct{}{}:
		default:
		}
	}
	config := cluster.Config{Brokers: []string{b.bootstrap}, GroupID: fmt.Sprintf("bench-start-%d", round), Offsets: &offsets.Memory{}}
	measure := func(d cluster.Declaration) (float64, error) {
		began := time.Now()
		rt, err := cluster.New(config)
		if err != nil {
			return 0, err
		}
		if err := rt.Add(d); err != nil {
			return 0, err
		}
		ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
		defer cancel()
		ended := make(chan error, 1)
		go func() { ended <- rt.Run(ctx) }()
		select {
		case <-first:
		case <-ctx.Done():
			return 0, fmt.Errorf("no record: %w", <-ended)
		}
		took := float64(time.Since(began).Microseconds()) / 1000
		cancel()
		return took, <-ended
	}
	one := &oneRecord{acknowledged: note}
	if toKafka, err = measure(cluster.Source{Name: "one", Connector: one, Topic: "bench-start"}); err != nil {
		return 0, 0, err
	}
	sink := connect.SinkFunc(func(context.Context, []connect.SinkRecord) error { note(); return nil })
	toSink, err = measure(cluster.Sink{Name: config.GroupID, Connector: sink, Topics: []string{"bench-start"}})
	return toKafka, toSink, err
}

// oneRecord is a source of one record. Its task tells when that is acknowledged.
type oneRecord struct {
	acknowledged func()
	sent         bool
}

func (o *oneRecord) Start(context.Context, connect.ConnectorContext, connect.Config) error {
	return nil
}
func (o *oneRecord) TaskConfigs(context.Context, int) ([]connect.Config, error) {
	return []connect.Config{{}}, nil
}
func (o *oneRecord) Stop(context.Context) error  { return nil }
func (o *oneRecord) NewTask() connect.SourceTask { return (*oneTask)(o) }

type oneTask oneRecord

func (t *oneTask) Start(context.Context, connect.SourceTaskContext, connect.Config) error { return nil }
func (t *oneTask) Stop(context.Context) error                                             { return nil }
func (t *oneTask) Poll(ctx context.Context) ([]connect.SourceRecord, error) {
	if !t.sent {
		t.sent = true
		return []connect.SourceRecord{{Record: connect.Record{Topic: "bench-start", ValueSchema: connect.StringSchema, Value: "first"}}}, nil
	}
	<-ctx.Done()
	return nil, nil
}
func (t *oneTask) CommitRecord(context.Context, *connect.SourceRecord, *connect.RecordMetadata) error {
	t.acknowledged()
	return nil
}

// idle measures a worker with a source and a sink that have nothing to do.
func (b *bench) idle(ctx context.Context) error {
	if err := b.topic(ctx, "bench-idle"); err != nil {
		return err
	}
	file := filepath.Join(b.dir, "idle")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		return err
	}
	argv, err := b.workerCommand("idle",
		[]string{"name=idle-source", "connector.class=FileStreamSource", "file=" + file, "topic=bench-idle"},
		[]string{"name=idle-sink", "connector.class=FileStreamSink", "file=" + file + ".out", "topics=bench-idle"})
	if err != nil {
		return err
	}
	p := &kafka.Process{Dir: filepath.Join(b.dir, "idle-run"), Argv: argv}
	if err := p.Start(); err != nil {
		return err
	}
	defer p.Kill()
	pause := func(d time.Duration) error {
		select {
		case <-time.After(d):
			if !p.Running() {
				return fmt.Errorf("the worker ended:\n%s", p.Tail())
			}
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	const settle, watch = 5 * time.Second, 20 * time.Second
	if err := pause(settle); err != nil {
		return err
	}
	before, err := cpuSeconds(p.Pid())
	if err != nil {
		return err
	}
	if err := pause(watch); err != nil {
		return err
	}
	after, err := cpuSeconds(p.Pid())
	if err != nil {
		return err
	}
	rss, err := memoryMiB(p.Pid(), "VmRSS:")
	if err != nil {
		return err
	}
	share := 100 * (after - before) / watch.Seconds()
	fmt.Printf("idle, with a source and a sink: %.1f MiB, %.2f %% of a core\n\n", rss, share)
	b.budget(rss <= 20, "idle: %.1f MiB, want 20 MiB", rss)
	b.budget(share <= 0.3, "idle: %.2f %% of a core, want 0.3 %%", share)
	return p.Stop()
}

// memory measures the peak of a worker that reads a large file, and of one that writes it.
func (b *bench) memory(ctx context.Context) error {
	if b.large == 0 {
		return nil
	}
	n := b.large * 1_000_000 / lineSize
	input := filepath.Join(b.dir, "large")
	if err := writeLines(input, n); err != nil {
		return err
	}
	if err := b.topic(ctx, "bench-large"); err != nil {
		return err
	}
	argv, err := b.workerCommand("large-source", []string{"name=large-source", "connector.class=FileStreamSource", "file=" + input, "topic=bench-large"})
	if err != nil {
		return err
	}
	source, err := b.finish(ctx, argv, "large-source", func() (bool, error) {
		got, err := b.endOffset(ctx, "bench-large")
		return got >= n, err
	})
	if err != nil {
		return err
	}
	if err := os.Remove(input); err != nil {
		return err
	}
	output := input + ".out"
	if argv, err = b.workerCommand("large-sink", []string{"name=large-sink", "connector.class=FileStreamSink", "file=" + output, "topics=bench-large"}); err != nil {
		return err
	}
	lines := lineCounter(output)
	sink, err := b.finish(ctx, argv, "large-sink", func() (bool, error) {
		got, err := lines()
		return got >= n, err
	})
	if err != nil {
		return err
	}
	fmt.Printf("a file of %d MB: peak %.1f MiB to a topic (%.0f s), %.1f MiB back to a file (%.0f s)\n\n", b.large, source.peak, source.wall, sink.peak, sink.wall)
	b.budget(source.peak <= 85, "%d MB to a topic: peak %.1f MiB, want 85 MiB", b.large, source.peak)
	b.budget(sink.peak <= 85, "%d MB to a file: peak %.1f MiB, want 85 MiB", b.large, sink.peak)
	return os.Remove(output)
}

// cpuSeconds returns the user and system time of a process that runs.
func cpuSeconds(pid int) (float64, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	f := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:])) // the name before may have spaces
	ticks := 0.0
	for _, s := range f[11:13] {
		n, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return 0, err
		}
		ticks += n
	}
	return ticks / 100, nil
}

// memoryMiB returns the memory of a process that runs: VmRSS: is what it has now, VmHWM: the most it had.
func memoryMiB(pid int, key string) (float64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, key); ok {
			kb, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kb / 1024, err
		}
	}
	return 0, fmt.Errorf("process %d has no %s", pid, key)
}
