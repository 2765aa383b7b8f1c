package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// limit runs the bare loop in a process of its own, so that all that it needs is counted.
func (v *versus) limit(ctx context.Context, w workload, in string, n, round int) (r result, err error) {
	out := fmt.Sprintf("versus-limit-%s-%d", w.name, round)
	if w.to == "file" {
		out = filepath.Join(v.dir, out)
		defer func() { err = errors.Join(err, os.Remove(out)) }()
	} else {
		if _, err := v.admin.CreateTopic(ctx, 6, 1, nil, out); err != nil {
			return r, err
		}
		defer func() {
			_, derr := v.admin.DeleteTopic(ctx, out)
			err = errors.Join(err, derr)
		}()
	}
	cmd := exec.CommandContext(ctx, v.self, "-loop", w.name, "-bootstrap", v.bootstrap, "-records", strconv.Itoa(n), "-in", in, "-out", out)
	began := time.Now()
	if text, err := cmd.CombinedOutput(); err != nil {
		return r, fmt.Errorf("%w\n%s", err, text)
	}
	return result{records: n, wall: time.Since(began).Seconds(), cpu: (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds()}, nil
}

// bare moves n records with nothing but a Kafka client.
func bare(ctx context.Context, name, bootstrap, in, out string, n int) error {
	var w workload
	for _, one := range workloads {
		if one.name == name {
			w = one
		}
	}
	opts := []kgo.Opt{kgo.SeedBrokers(bootstrap), kgo.FetchMaxWait(100 * time.Millisecond)}
	if w.from == "topic" {
		opts = append(opts, kgo.ConsumeTopics(in), kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()))
	}
	cl, err := kgo.NewClient(opts...)
	if err != nil {
		return err
	}
	defer cl.Close()
	failed := make(chan error, 1)
	send := func(value []byte) { cl.Produce(ctx, &kgo.Record{Topic: out, Value: value}, firstError(failed)) }
	if w.from == "file" {
		f, err := os.Open(in)
		if err != nil {
			return err
		}
		defer f.Close()
		lines := bufio.NewScanner(f)
		for lines.Scan() {
			send(bytes.Clone(lines.Bytes()))
		}
		return errors.Join(lines.Err(), flushed(ctx, cl, failed))
	}
	var file *bufio.Writer
	if w.to == "file" {
		f, err := os.Create(out)
		if err != nil {
			return err
		}
		defer f.Close()
		file = bufio.NewWriterSize(f, 1<<16)
	}
	for got := 0; got < n; {
		fetches := cl.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return err
		}
		fetches.EachRecord(func(r *kgo.Record) {
			if got++; file == nil {
				send(r.Value)
				return
			}
			file.Write(r.Value) // the error comes with Flush
			file.WriteByte('\n')
		})
	}
	if file != nil {
		return file.Flush()
	}
	return flushed(ctx, cl, failed)
}
